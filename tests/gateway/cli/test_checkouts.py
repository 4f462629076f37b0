"""``checkouts`` as scripts use it."""

import json

import pytest

from tests.kit.command_line import command_with, environment_of
from tests.kit.counter import counter
from tests.kit.paydesk import paydesk


@pytest.fixture
async def desk(pool, database_url, tmp_path):
    async with counter(pool, database_url, tmp_path) as sold, paydesk(sold) as opened:
        yield opened


async def test_checkouts_are_listed_shown_and_decided(desk):
    command = command_with(environment_of(desk.deps.settings), "checkouts")
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
    _, _, error = await command("resolve", little, "--as", "closed", "--note", "again")
    assert "nothing of it waits" in error
    _, _, error = await command("show", "co_none")
    assert "there is no checkout co_none" in error
