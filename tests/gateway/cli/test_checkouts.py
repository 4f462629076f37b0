"""``checkouts`` as scripts use it."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from tests.gateway.cli.test_serve import environment
from tests.gateway.flows.counter import counter
from tests.gateway.flows.paydesk import paydesk


@pytest.fixture
async def desk(pool, database_url, tmp_path):
    async with counter(pool, database_url, tmp_path) as sold, paydesk(sold) as opened:
        yield opened


@pytest.fixture
def command(desk):
    settings = desk.deps.settings
    env = environment(settings, GATEWAY_SUPPLIERS=json.dumps(settings.suppliers, default=str))

    async def run(*words: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "checkouts", *words),
            env=env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    return run


async def test_checkouts_are_listed_shown_and_decided(desk, command):
    good, little = await desk.open(), await desk.open()
    await desk.pay(good)
    await desk.delivered(good)
    await desk.trigger("wrong_amount", key=little)
    await desk.pay(little)
    _, out, _ = await command("list", "--json")
    assert [one["id"] for one in json.loads(out)] == [little, good]
    _, out, _ = await command("list", "--status", "needs_review")
    assert (little in out, good in out) == (True, False)
    _, out, _ = await command("cases")
    assert "paid_too_little" in out
    code, out, _ = await command("show", good)
    assert (code, "fulfilled" in out, "accepted" in out, "link_made" in out) == (0, True, True, True)
    code, out, _ = await command("show", little, "--json")
    assert (code, json.loads(out)["cases"][0]["reason"]) == (0, "paid_too_little")
    code, out, _ = await command("resolve", little, "--as", "refunded", "--note", "given back", "--json")
    assert (code, json.loads(out)[0]["outcome"]) == (0, "refunded")
    assert (await desk.checkout(little)).status == "closed"
    code, _, err = await command("resolve", little, "--as", "closed", "--note", "again")
    assert (code, "nothing of it waits" in err) == (2, True)
    assert (await command("show", "co_none"))[0] == 2
