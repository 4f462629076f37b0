"""Suppliers' states in the console: the reason and its end, why nothing can be sold, and trying again at once."""

import asyncio

import pytest

from gateway.access import audit_rows
from gateway.suppliers import balances
from schemas.errors import ServerFault
from tests.kit.waiting import PATIENCE

PAGE = "/console/suppliers/pikasim"


async def until_shown(person, path, words):
    """The page once it has these words: what is for sale reaches a serving process within two seconds."""
    async with asyncio.timeout(PATIENCE):
        while words not in (page := await person.get(path)).words:  # noqa: ASYNC110 - it happens in another task
            await asyncio.sleep(0.1)
    return page


async def without_balance(console, *names):
    await console.pool.execute(
        "UPDATE suppliers SET no_balance_until = now() + interval '14 minutes' WHERE name = ANY($1)", list(names)
    )


async def test_a_supplier_without_balance_is_degraded_everywhere_with_the_reason_and_the_end(console):
    await without_balance(console, "pikasim")
    until = await console.pool.fetchval("SELECT no_balance_until FROM suppliers WHERE name = 'pikasim'")
    _, listed = await console.api("/v1/ops/suppliers", key=await console.api_key("ops"))
    (told,) = (one for one in listed["data"] if one["name"] == "pikasim")
    assert (told["state"], [one["cause"] for one in told["problems"]]) == ("degraded", ["balance"])
    assert told["problems"][0]["until"].startswith(f"{until:%Y-%m-%dT%H:%M:%S}")
    for path in ("/console", "/console/suppliers", PAGE):
        page = await console.viewer.get(path)
        assert "degraded" in page.words
        assert "it refused a purchase for want of balance" in page.words
        assert f"{until:%Y-%m-%d %H:%M}" in page.text


async def test_when_nothing_can_be_sold_every_page_says_so_with_the_reasons(console):
    assert "plans for sale" not in (await console.viewer.get("/console")).words
    await without_balance(console, "pikasim", "beppay")
    await console.operator.post("/console/suppliers/s2s/stop", {"note": "<b>wrong</b> prices"})
    page = await until_shown(console.viewer, "/console/orders", "plans for sale")
    index = console.deps.index("test")
    assert f"0 of {index.plan_count:,} plans for sale: beppay: it refused a purchase for want of balance" in page.words
    assert "s2s: an operator stopped it (<b>wrong</b> prices)" in page.words
    assert 'role="alert"' in page.text
    part = await console.viewer.get("/console/orders", headers={"HX-Request": "true"})
    assert "plans for sale" not in part.words
    await console.operator.post("/console/suppliers/s2s/sell")
    async with asyncio.timeout(PATIENCE):
        while "plans for sale" in (await console.viewer.get("/console/orders")).words:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)


async def test_try_again_now_reads_the_balance_lifts_the_pause_and_stands_in_the_log(console):
    await balances.poll_now(console.pool, console.deps.accounts, ["pikasim"], console.deps.clock())
    await without_balance(console, "pikasim")
    assert "Try again now" in (await console.operator.get(PAGE)).words
    done = await console.operator.post(f"{PAGE}/try-again")
    assert "pikasim answered; nothing is the matter with it." in done.words
    assert await console.pool.fetchval("SELECT no_balance_until FROM suppliers WHERE name = 'pikasim'") is None
    entry = (await audit_rows.newest(console.pool)).data[0]
    assert (entry.action, entry.object, entry.actor) == (
        "supplier.tried_again", "supplier:pikasim", console.operator.name,
    )  # fmt: skip
    assert entry.detail == {"answer": "ok", "state": "ok"}


async def test_try_again_now_probes_an_open_breaker(console):
    limiter = console.deps.accounts["s2s"].limiter
    for _ in range(5):
        await limiter.failed(ServerFault("an error 500", status=500), write=False)
    page = await console.operator.get("/console/suppliers/s2s")
    assert "it does not answer, and its breaker is open" in page.words
    await console.town.tell("s2s", "faults", {"kind": "down"})
    down = await console.operator.post("/console/suppliers/s2s/try-again")
    assert "s2s did not answer" in down.words
    assert await console.pool.fetchval("SELECT state FROM supplier_breakers WHERE supplier = 's2s'") == "open"
    async with console.town.http.delete(f"{console.town.served.urls['s2s']}/_sandbox/faults") as answer:
        assert answer.ok
    up = await console.operator.post("/console/suppliers/s2s/try-again")
    assert "s2s answered" in up.words
    assert await console.pool.fetchval("SELECT state FROM supplier_breakers WHERE supplier = 's2s'") == "closed"


@pytest.mark.parametrize("how", ["viewer", "forged"])
async def test_try_again_now_is_for_operators_from_our_own_pages(console, how):
    await without_balance(console, "pikasim")
    if how == "viewer":
        refused = await console.viewer.post(f"{PAGE}/try-again")
        assert "Try again now" not in (await console.viewer.get(PAGE)).words
    else:
        refused = await console.operator.post(f"{PAGE}/try-again", token=False)
    assert refused.status == 403
    assert await console.pool.fetchval("SELECT no_balance_until FROM suppliers WHERE name = 'pikasim'") is not None
    assert (await console.operator.post("/console/suppliers/nobody/try-again")).status == 404
