"""Feeds that say what their supplier does not mean, through whole syncs: what is held back, and that nobody else is."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from gateway.suppliers.supplier_rows import UNJUDGED
from gateway.sync import requests
from gateway.sync.run import run_sync
from tests.kit.price_lists import price_list
from tests.kit.stall import Stall, Thing, market, parts

COSTS = (
    "SELECT supplier_plan_id, cost, suspect IS NOT NULL AS suspect FROM offers WHERE supplier = 'a' AND gone_at IS NULL"
)
RUPIAH = Decimal(16_000)


def things(of, share=0.5):
    """A list that is right, as a stall has it."""
    return [
        Thing(f"{row['where']}-{row['mb']}-{row['days']}", str(row["cost"]), row["where"], row["mb"], row["days"])
        for row in price_list(of, share=share)
    ]


def repriced(true, of):
    return [replace(thing, cost=f"{of(Decimal(thing.cost)):f}") for thing in true]


def repeated(true, chance):
    """A third of the ids come once more, with another price."""
    more = [replace(thing, cost=f"{Decimal(thing.cost) / 50:.2f}") for thing in chance.sample(true, len(true) // 3)]
    return chance.sample([*true, *more], len(true) + len(more))


BROKEN = {
    "a cent for everything": lambda true: repriced(true, lambda cost: Decimal("0.01")),
    "six cents for everything": lambda true: repriced(true, lambda cost: Decimal("0.06")),
    "one number for all": lambda true: repriced(true, lambda cost: Decimal("9.99")),
    "cents read as dollars": lambda true: repriced(true, lambda cost: cost * 100),
    "dollars read as cents": lambda true: repriced(true, lambda cost: cost / 100),
    "dollars called yen": lambda true: [replace(thing, currency="JPY") for thing in true],
    "rupiah called dollars": lambda true: repriced(true, lambda cost: cost * RUPIAH),
    "amounts times 1024": lambda true: [replace(thing, mb=thing.mb * 1024) for thing in true],
    "ids repeated with another price": lambda true: repeated(true, Random(1)),
}


@asynccontextmanager
async def beside_one(pool, tmp_path, mine):
    """A supplier "b" that was synced alone, and then "a" with these things to be synced beside it."""
    async with market(pool, tmp_path, {"a": Stall(mine, page_size=200), "b": Stall(things(2), page_size=200)}) as m:
        assert (await run_sync(pool, m.accounts, m.settings, only=["b"])).state == "ok"
        yield m


async def held_back(m, run, true):
    """Whether "a" waits for an operator, once; else that each of its offers that is far from the truth is suspect."""
    assert parts(run)["b"].state == "ok"
    assert await m.one("SELECT count(*) FROM offers WHERE supplier = 'b' AND suspect IS NOT NULL") == 0
    assert await m.one("SELECT quarantined FROM suppliers WHERE name = 'b'") is None
    waiting = [one.supplier for one in await requests.waiting(m.pool)]
    if parts(run)["a"].state == "quarantined":
        assert waiting == ["a"]
        return True
    assert waiting == []
    costs = {thing.id: Decimal(thing.cost) for thing in true}
    rates = {thing.id: (thing.mb, thing.days) for thing in true}
    assert rates
    for row in await m.fetch(COSTS):
        right = costs[row["supplier_plan_id"]]
        assert row["suspect"] or right / 5 <= row["cost"] <= right * 10
    return False


@pytest.mark.parametrize("how", BROKEN)
async def test_a_broken_first_list_is_held_back_and_spoils_nobody_elses(pool, tmp_path, how):
    true = things(1)
    async with beside_one(pool, tmp_path, BROKEN[how](true)) as m:
        for _ in range(2):
            run = await run_sync(pool, m.accounts, m.settings)
            if await held_back(m, run, true):
                assert await m.one("SELECT count(*) FROM offers WHERE supplier = 'a'") == 0
        m.stalls["a"].things = true
        assert (await run_sync(pool, m.accounts, m.settings)).state == "ok"
        assert await requests.waiting(pool) == []
        assert await m.one("SELECT quarantined FROM suppliers WHERE name = 'a'") is None


@pytest.mark.parametrize("how", BROKEN)
async def test_a_broken_second_list_does_not_replace_a_good_one(pool, tmp_path, how):
    true = things(1)
    async with beside_one(pool, tmp_path, true) as m:
        assert (await run_sync(pool, m.accounts, m.settings)).state == "ok"
        before = await m.fetch(COSTS + " ORDER BY 1")
        m.stalls["a"].things = BROKEN[how](true)
        for _ in range(2):
            run = await run_sync(pool, m.accounts, m.settings)
            if await held_back(m, run, true):
                assert await m.fetch(COSTS + " ORDER BY 1") == before


async def test_a_sale_of_30_percent_and_its_end_pass(pool, tmp_path):
    true = things(1)
    async with beside_one(pool, tmp_path, true) as m:
        await run_sync(pool, m.accounts, m.settings)
        for listed in (repriced(true, lambda cost: (cost * Decimal("0.7")).quantize(Decimal("0.01"))), true):
            m.stalls["a"].things = listed
            run = await run_sync(pool, m.accounts, m.settings)
            assert {name: part.state for name, part in parts(run).items()} == {"a": "ok", "b": "ok"}
            assert parts(run)["a"].changed == len(true)
            assert await m.one("SELECT count(*) FROM offers WHERE suspect IS NOT NULL") == 0


async def test_of_three_first_lists_in_one_run_the_broken_one_is_not_sold(pool, tmp_path):
    true = things(1)
    stalls = {name: Stall(things(of), page_size=200) for name, of in (("b", 2), ("c", 3))}
    async with market(
        pool, tmp_path, {"a": Stall(BROKEN["cents read as dollars"](true), page_size=200), **stalls}
    ) as m:
        run = await run_sync(pool, m.accounts, m.settings)
        assert {name: part.state for name, part in parts(run).items()} == {"a": "quarantined", "b": "ok", "c": "ok"}
        assert await m.one("SELECT count(*) FROM offers WHERE suspect IS NOT NULL") == 0
        reason = parts(run)["a"].error
        assert await m.one("SELECT quarantined FROM suppliers WHERE name = 'a'") == reason
        (held,) = await requests.waiting(pool)
        assert (held.supplier, held.reason, held.run_id) == ("a", reason, run.id)
        again = await run_sync(pool, m.accounts, m.settings)
        assert parts(again)["a"].state == "quarantined"
        assert [one.run_id for one in await requests.waiting(pool)] == [run.id]

        m.stalls["a"].things = true
        assert (await run_sync(pool, m.accounts, m.settings)).state == "ok"
        assert await requests.waiting(pool) == []
        assert await m.one("SELECT quarantined FROM suppliers WHERE name = 'a'") is None


async def test_a_list_that_an_operator_accepts_is_sold_and_stays_so_until_something_else_is_wrong(pool, tmp_path):
    true = things(1)
    dear = BROKEN["cents read as dollars"](true)
    async with beside_one(pool, tmp_path, dear) as m:
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].state == "quarantined"
        run = await run_sync(pool, m.accounts, m.settings, accept=["a"])
        assert (run.state, await requests.waiting(pool)) == ("ok", [])
        assert await m.one("SELECT quarantined FROM suppliers WHERE name = 'a'") is None
        m.stalls["a"].things = [replace(dear[0], cost="1000.00"), *dear[1:]]
        run = await run_sync(pool, m.accounts, m.settings)
        assert run.state == "ok", run
        m.stalls["a"].things = repriced(dear, lambda cost: Decimal("999.99"))
        run = await run_sync(pool, m.accounts, m.settings)
        assert parts(run)["a"].state == "quarantined"
        assert "one and the same cost" in parts(run)["a"].error


async def test_a_first_list_is_not_sold_before_the_run_has_judged_it(pool, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.sync.run.PUBLISH_AFTER_SECONDS", 0.0)
    slow = Stall(things(2), page_size=200, hold=asyncio.Event())
    async with market(pool, tmp_path, {"a": Stall(things(1), page_size=200), "b": slow}) as m:
        seen = []

        async def publish():
            seen.append(await m.one("SELECT quarantined FROM suppliers WHERE name = 'a'"))
            slow.hold.set()

        await run_sync(pool, m.accounts, m.settings, publish=publish)
        assert (seen[0], seen[-1]) == (UNJUDGED, None)


async def test_a_price_below_the_others_is_believed_after_a_week_and_only_while_few_are(pool, tmp_path):
    plans = [Thing(f"p{n:03}", days=30 + n) for n in range(41)]
    stalls = {name: Stall(plans, page_size=50) for name in "abc"}
    async with market(pool, tmp_path, stalls) as m:
        stalls["a"].things = [replace(plans[0], cost="1.00"), replace(plans[1], cost="0.04"), *plans[2:]]
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 2
        await pool.execute("UPDATE offers SET suspect_since = now() - interval '6 days 23 hours'")
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 2
        await pool.execute("UPDATE offers SET suspect_since = now() - interval '8 days' WHERE suspect IS NOT NULL")
        stalls["a"].change("p002", cost="1.10")
        stalls["a"].change("p003", cost="1.10")
        # More than 5 % are suspect now: the first of them is not believed.
        await pool.execute("UPDATE offers SET suspect = 'moved: x' WHERE supplier = 'a' AND supplier_plan_id = 'p004'")
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 5
        await pool.execute("UPDATE offers SET suspect = NULL WHERE supplier = 'a' AND supplier_plan_id > 'p001'")
        stalls["a"].change("p002", cost="5.00")
        stalls["a"].change("p003", cost="5.00")
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 1
        suspect = "SELECT supplier_plan_id FROM offers WHERE suspect IS NOT NULL"
        assert [row["supplier_plan_id"] for row in await m.fetch(suspect)] == ["p001"]  # nothing sells for 0.04
