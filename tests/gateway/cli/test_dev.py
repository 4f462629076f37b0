"""``esim-gateway dev`` from start to end, as somebody with a fresh machine meets it."""

import contextlib
import http.server
import json
import os
import pty
import queue
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from standardwebhooks import Webhook

HOUSE = Path(__file__).parents[3]
PATIENCE = 120
IN_PIKASIM_S_SANDBOX = "bv-1gb-2d-06d3e3e4ddb9"  # docs/sandbox.md lists it


@contextlib.contextmanager
def dev(state, ports, *, terminal=True):
    """A dev in a process of its own, on a terminal or with its output going elsewhere, and what it printed until up."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "COV_CORE"))}
    quiet = {"GATEWAY_METRICS__PORT": "0", "GATEWAY_METRICS__WORKER_PORT": "0"}
    ours, theirs = pty.openpty() if terminal else os.pipe()
    with (
        os.fdopen(ours, encoding="utf-8") as printed,
        subprocess.Popen(
            [sys.executable, "-m", "gateway", "dev", "--state-dir", str(state), *ports],
            cwd=HOUSE,
            env=plain | quiet,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,  # so that it has no terminal but this
        ) as process,
    ):
        os.close(theirs)
        process.stdout = printed
        try:
            lines = []
            with contextlib.suppress(OSError):  # the other end of a terminal is gone
                for line in printed:
                    lines.append(line)
                    if "curl -s" in line:
                        break
            if "curl -s" not in "".join(lines):
                pytest.fail("".join(lines))
            yield process, "".join(lines)
        finally:
            process.kill()


def left_over(state):
    """The living processes that belong to a state folder: by their words, environment or working folder."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            near = (words, (entry / "environ").read_bytes(), os.fsencode((entry / "cwd").readlink()))
            if words and any(os.fsencode(state) in text for text in near):
                found[int(entry.name)] = words.replace(b"\0", b" ").decode("utf-8", "replace")
    return found


def all_end(state):
    deadline = time.monotonic() + 15
    while (left := left_over(state)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def shown(text, label):
    return re.search(rf"^ +{label} +(\S+)$", text, re.MULTILINE)[1]


def get(url, key, **more):
    headers = {"Authorization": f"Bearer {key}"} | {name.replace("_", "-"): value for name, value in more.items()}
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def post(url, key, body=None, **more):
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    request = urllib.request.Request(url, json.dumps(body or {}).encode() if body else b"", headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def webhook_arrives(api, key):
    """A test event of the gateway at a receiver on this machine, verified as a storefront would."""
    got = queue.Queue()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = post(f"{api}/v1/webhook-endpoints", key, {"url": f"http://127.0.0.1:{server.server_port}/hook"})
        post(f"{api}/v1/webhook-endpoints/{endpoint['id']}/test", key)
        headers, body = got.get(timeout=PATIENCE)
        server.shutdown()
    return Webhook(endpoint["secret"]).verify(body, headers)


def test_dev_comes_up_sells_plans_dies_cleanly_and_comes_back(tmp_path, unused_tcp_port_factory):
    state = tmp_path / "state"
    ports = ["--port", str(unused_tcp_port_factory()), "--sandbox-port", str(unused_tcp_port_factory())]
    with dev(state, ports) as (process, text):
        # The line to paste lists plans for Japan, the cheapest first.
        pasted = shlex.split(text.splitlines()[-1])
        assert pasted[:3] == ["curl", "-s", "-H"]
        url, key = pasted[4], pasted[3].removeprefix("Authorization: Bearer ")
        plans = get(url, key)["data"]
        assert plans
        assert all("JP" in plan["countries"] for plan in plans)
        prices = [float(plan["price"]["amount"]) for plan in plans]
        assert prices == sorted(prices)
        # However old the shipped exchange rates are, everything can be bought in another currency on made-up suppliers.
        in_euro = get(f"{url}&currency=EUR", key)["data"]
        assert {plan["price"]["currency"] for plan in in_euro} == {"EUR"}
        # The ops key sees whose offers they are.
        ops = shown(text, "Ops key")
        offers = get(f"{shown(text, 'API')}/v1/plans/{plans[0]['id']}/offers", ops)["data"]
        assert {offer["supplier"] for offer in offers} <= {"beppay", "pikasim", "s2s"}
        with urllib.request.urlopen(shown(text, "Docs")) as docs:
            assert docs.status == 200
        # The console lets in whoever has the password that was printed.
        password = re.search(r"with the password (\S+)", text)[1]
        form = urllib.parse.urlencode({"name": "admin", "password": password}).encode()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with browser.open(f"{shown(text, 'Console')}/login", form) as home:
            assert "What needs attention" in home.read().decode()
        # Webhooks go both ways without a word of configuration.
        assert webhook_arrives(shown(text, "API"), key)["type"] == "endpoint.test"
        for name in ("bepaid", "pikasim", "s2s"):
            where = shown(text, "Sandboxes").replace("<supplier>", f"{name}/_sandbox/webhook")
            assert get(where, key)["plan"]["url"] == f"{shown(text, 'API')}/webhooks/{name}"
        # An order is delivered and followed, which the suppliers still know of after a kill.
        sold = {"plan_id": IN_PIKASIM_S_SANDBOX}
        order = post(f"{shown(text, 'API')}/v1/orders", key, sold, Idempotency_Key="dev-1", Prefer="wait=30")
        assert order["status"] == "fulfilled"
        usage = f"{shown(text, 'API')}/v1/esims/{order['esim']['iccid']}/usage"
        before = get(usage, key)
        assert before["data"]["total_mb"] == 1024
        # Other commands find it by its state folder.
        synced = subprocess.run(
            [sys.executable, "-m", "gateway", "sync", "--json", "--state-dir", str(state)],
            cwd=HOUSE,
            check=False,
            capture_output=True,
            text=True,
        )
        assert synced.returncode == 0, synced.stderr
        assert {part["supplier"] for part in json.loads(synced.stdout)["suppliers"]} >= {"beppay", "pikasim", "s2s"}
        assert left_over(state)
        # The password stands nowhere but on the terminal.
        assert not [path for path in (state / "logs").iterdir() if password in path.read_text()]
        process.kill()
    assert all_end(state) == {}

    with dev(state, ports) as (process, again):
        assert "with the password" not in again
        assert "first sync" not in again
        assert shown(again, "Key") == key
        assert get(url, key)["data"] == plans
        after = get(usage, key, Cache_Control="no-cache")
        assert after["data"] == before["data"]
        assert after["observed_at"] > before["observed_at"]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert all_end(state) == {}


def test_dev_without_a_terminal_makes_no_user_and_names_a_child_that_dies(tmp_path, unused_tcp_port_factory):
    state = tmp_path / "state"
    ports = ["--port", str(unused_tcp_port_factory()), "--sandbox-port", str(unused_tcp_port_factory())]
    with dev(state, ports, terminal=False) as (process, text):
        assert "password" not in text.replace("to show a password on", "")
        command = re.search(r"esim-gateway (users create admin .*)", text)[1]
        arguments = shlex.split(command)
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *arguments], cwd=HOUSE, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "admin is admin" in done.stdout
        # A child that dies ends the others, and is named.
        (worker,) = (pid for pid, words in left_over(state).items() if words.rstrip().endswith("gateway worker"))
        os.kill(worker, signal.SIGKILL)
        rest = process.stdout.read()
        assert process.wait(PATIENCE) == 1
    assert "worker ended by itself (SIGKILL)" in rest
    assert all_end(state) == {}
