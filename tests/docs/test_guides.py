"""The samples of the guides do what the guides say, in the order in which they stand there."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from benchmarks.processes import free_port

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
CLIENTS = Path(__file__).parents[2] / "clients"
_BLOCKS = re.compile(r"^```(\w+)\n(.+?)^```$", re.MULTILINE | re.DOTALL)
_RECEIVER = "# receiver.py"
PNG = b"\x89PNG\r\n"
HOW_TOS = ("idempotency.md", "webhooks.md", "top-ups.md", "testing-failures.md", "going-live.md", "clients.md")


def blocks(guide, language):
    """The samples of a guide in one language."""
    return [source for name, source in _BLOCKS.findall((GUIDES / guide).read_text("utf-8")) if name == language]


def start(arguments, folder, **more):
    """A program of the reader's, with address and key in its environment; its output can be read."""
    return subprocess.Popen(
        arguments, cwd=folder, env=os.environ | more, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@pytest.fixture
def typescript(tmp_path):
    """Starts a program of TypeScript with the client beside it, on the Node.js within Playwright."""
    client = CLIENTS / "typescript"
    if not client.is_dir():
        pytest.skip("there is no TypeScript client here")
    modules = tmp_path / "node_modules"
    modules.mkdir()
    (modules / "esim-gateway-client").symlink_to(client)
    node, _ = compute_driver_executable()
    started = []

    def run(source):
        (tmp_path / "shop.mts").write_text(source)
        started.append(start([node, "--conditions=source", "shop.mts"], tmp_path))
        return started[-1]

    yield run
    for program in started:
        program.kill()
        program.wait()
        program.stdout.close()


@pytest.mark.parametrize("guide", HOW_TOS)
async def test_a_how_to_s_python_runs(shop, guide, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = {}
    for source in blocks(guide, "python"):
        await asyncio.to_thread(exec, source, names)
    names["gateway"].close()
    said = capsys.readouterr().out.splitlines()
    match guide:
        case "idempotency.md":
            assert said == ["fulfilled", "fulfilled"]
            assert len(await shop.town.charges()) == 1
        case "webhooks.md":
            assert names["endpoint"].secret.startswith("whsec_")
            assert names["receive"](b"{}", {}) == 401
        case "top-ups.md":
            assert said[-1] == "topup fulfilled"
        case "testing-failures.md":
            assert said[0].startswith("failed Failure(code='supplier_refused'")
            assert said[1].startswith("price_changed ")
            assert said[2].startswith("no plan covers BV")
        case "clients.md":
            assert names["order"].status == "fulfilled"
            assert said[0].startswith(names["order"].id)
            assert "the price is" in said[-1]


async def test_plans_that_fail_on_purpose_end_as_the_guide_says(shop):
    guide = (GUIDES / "testing-failures.md").read_text("utf-8")
    ends = {
        "bv-1gb-2d-06d3e3e4ddb9": "fulfilled",
        "bv-2gb-2d-1bdebb1d156c": "fulfilled",
        "bv-17gb-2d-49644845abeb": "failed",
        "bv-20gb-3d-8efeafa9e372": "needs_review",
    }

    async def end_of(plan):
        answer = await shop.order({"plan_id": plan}, wait=30)
        while (order := await answer.json())["status"] == "pending":
            answer = await shop.api.get(f"/v1/orders/{order['id']}", headers={"Prefer": "wait=30"})
        return order["status"]

    assert dict(zip(ends, await asyncio.gather(*map(end_of, ends)), strict=True)) == ends
    for plan, status in ends.items():
        (line,) = (line for line in guide.splitlines() if line.startswith(f"| `{plan}`"))
        assert ("deliver" if status == "fulfilled" else f"`{status}`") in line


async def test_the_tutorial_s_python_sells_an_esim_and_hears_of_the_next(shop, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    port = str(free_port())
    names, receiver = {}, None
    try:
        for source in (source.replace("8090", port) for source in blocks("tutorial.md", "python")):
            if source.startswith(_RECEIVER):
                (tmp_path / "receiver.py").write_text(source)
                secret = names["endpoint"].secret
                receiver = start(
                    [sys.executable, "receiver.py"], tmp_path, WEBHOOK_SECRET=secret, PYTHONPATH=str(CLIENTS / "python")
                )
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
    names["gateway"].close()
    second = names["second"]
    assert line.split() == ["delivered:", second.id, second.reference]
    assert (tmp_path / "esim.png").read_bytes().startswith(PNG)
    assert names["order"].status == "fulfilled"
    assert names["order"].esim.activation_code in capsys.readouterr().out
    assert len(await shop.town.charges()) == 2


@pytest.mark.parametrize("guide", HOW_TOS)
async def test_a_how_to_s_typescript_runs(shop, guide, typescript):
    program = typescript("\n".join(blocks(guide, "typescript")))
    said, _ = await asyncio.to_thread(program.communicate)
    assert program.returncode == 0, said
    if guide == "top-ups.md":
        assert said.splitlines()[-1] == "topup fulfilled"


async def test_the_tutorial_s_typescript_sells_an_esim_and_hears_of_the_next(shop, typescript, tmp_path):
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
    assert len(await shop.town.charges()) == 2


async def test_the_tutorial_s_lines_for_a_terminal_sell_esims(shop, tmp_path):
    program = "set -euo pipefail\n" + "".join(blocks("tutorial.md", "sh"))
    running = start(["bash", "-c", program], tmp_path)
    said, _ = await asyncio.to_thread(running.communicate)
    assert running.returncode == 0, said
    assert '"status": "fulfilled"' in said
    assert '"activation_code": "LPA:1$' in said
    assert "whsec_" in said
    assert (tmp_path / "esim.png").read_bytes().startswith(PNG)
    assert len(await shop.town.charges()) == 2


def test_all_samples_of_the_guides_fit_the_client(tmp_path):
    """As mypy sees it, each guide's being one program."""
    programs = []
    for guide in sorted(GUIDES.glob("*.md")):
        sources = blocks(guide.name, "python")
        receivers = [source for source in sources if source.startswith(_RECEIVER)]
        parts = {"": [source for source in sources if source not in receivers], "_receiver": receivers}
        for name, some in parts.items():
            if some:
                programs.append(tmp_path / f"{guide.stem.replace('-', '_')}{name}.py")
                programs[-1].write_text("\n".join(some))
    made = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), *map(str, programs)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"MYPYPATH": str(CLIENTS / "python")},
        cwd=tmp_path,
    )
    assert made.returncode == 0, made.stdout
