"""The tutorial's lines, in order and from an empty folder, against what ``make run`` starts."""

import asyncio
import socket
import sys

import pytest

from benchmarks.processes import free_port
from tests.gateway.cli.test_dev import dev, get, shown
from tests.kit.guide_samples import CLIENTS, PNG, RECEIVER, blocks, start
from tests.kit.waiting import until

pytestmark = pytest.mark.xdist_group("tutorial")  # the gateway is started once


@pytest.fixture(scope="module")
def started_gateway(tmp_path_factory):
    """Address and key of a gateway that has just been started for the first time."""
    ports = ["--port", str(free_port()), "--sandbox-port", str(free_port())]
    with dev(tmp_path_factory.mktemp("run") / "state", ports) as (_, text):
        yield shown(text, "API"), shown(text, "Key")


@pytest.fixture
def running_gateway(started_gateway, monkeypatch):
    """Tells how many orders there are more than before; address and key are in the environment."""
    url, key = started_gateway
    monkeypatch.setenv("ESIM_GATEWAY_URL", url)
    monkeypatch.setenv("ESIM_GATEWAY_KEY", key)

    def orders():
        return len(get(f"{url}/v1/orders?limit=200", key)["data"])

    before = orders()
    return lambda: orders() - before


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


async def test_the_tutorial_s_python_sells_an_esim_and_hears_of_the_next(
    running_gateway, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    port = str(free_port())
    names, receiver = {}, None
    try:
        for source in (source.replace("8090", port) for source in blocks("tutorial.md", "python")):
            if source.startswith(RECEIVER):
                (tmp_path / "receiver.py").write_text(source)
                secret = names["endpoint"].secret
                receiver = start(
                    [sys.executable, "receiver.py"], tmp_path, WEBHOOK_SECRET=secret, PYTHONPATH=str(CLIENTS / "python")
                )
                await until(lambda: listens(port))  # a delivery that finds nobody there is tried again much later
            else:
                await asyncio.to_thread(exec, source, names)
        line = await asyncio.wait_for(asyncio.to_thread(receiver.stdout.readline), 120)
        while not line.startswith("delivered:"):
            assert line, "the receiver ended"
            line = await asyncio.wait_for(asyncio.to_thread(receiver.stdout.readline), 120)
    finally:
        if receiver is not None:
            receiver.kill()
            receiver.communicate()
        if "gateway" in names:
            names["gateway"].close()
    second = names["second"]
    assert line.split() == ["delivered:", second.id, second.reference]
    assert (tmp_path / "esim.png").read_bytes().startswith(PNG)
    assert names["order"].status == "fulfilled"
    assert names["order"].esim.activation_code in capsys.readouterr().out
    assert running_gateway() == 2


async def test_the_tutorial_s_typescript_sells_and_hears_of_the_next(running_gateway, typescript, tmp_path):
    port = str(free_port())
    parts = []
    for source in (source.replace("8090", port) for source in blocks("tutorial.md", "typescript")):
        if source.startswith("// receiver.mts"):
            (tmp_path / "receiver.mts").write_text(source)
            # In the third terminal it is a program of its own.
            parts += ["process.env.WEBHOOK_SECRET = endpoint.secret;", 'await import("./receiver.mts");']
        else:
            parts.append(source)
    program = typescript("\n".join(parts))
    said = []
    while not (said and said[-1].startswith("delivered:")):
        said.append(await asyncio.wait_for(asyncio.to_thread(program.stdout.readline), 120))
        assert said[-1], "".join(said)
    assert any(line.split()[1:2] == ["fulfilled"] and "LPA:1$" in line for line in said)
    assert (tmp_path / "esim.png").read_bytes().startswith(PNG)
    assert running_gateway() == 2


async def test_the_tutorial_s_lines_for_a_terminal_sell_esims(running_gateway, tmp_path):
    program = "set -euo pipefail\n" + "".join(blocks("tutorial.md", "sh"))
    running = start(["bash", "-c", program], tmp_path)
    said, _ = await asyncio.to_thread(running.communicate)
    assert running.returncode == 0, said
    assert '"status": "fulfilled"' in said
    assert '"activation_code": "LPA:1$' in said
    assert "whsec_" in said
    assert (tmp_path / "esim.png").read_bytes().startswith(PNG)
    assert running_gateway() == 2
