"""A sync that must wait for a person: how it differs is kept, and what was decided of it."""

import asyncio

import pytest

from gateway.access import audit_rows
from gateway.kit.pages import PageRequest, write_cursor
from gateway.sync import quarantine_rows, requests, sync_progress_rows
from gateway.sync.run import run_sync
from tests.kit.admitted import code_of
from tests.kit.stall import Stall, Thing, market, parts, shelf, synced_stall
from tests.kit.waiting import until


@pytest.fixture
async def upset(pool, tmp_path):
    """A supplier of 32 offers that lists 19 of them at a tenth, 11 no more, two as they were, and one new."""
    async with synced_stall(pool, tmp_path, shelf(32)) as (stall, m):
        stall.times("0.1")
        for n in (30, 31):
            stall.reprice(f"p{n:03}", "5.00")
        stall.things = [*stall.things[11:], Thing("p900", mb=5, name="brand new")]
        run = await run_sync(pool, m.accounts, m.settings)
        assert parts(run)["a"].state == "quarantined"
        yield m, run


async def seen(m, run, limit=50, cursor=None, **more):
    return await requests.difference(m.pool, run.id, "a", PageRequest(limit, cursor), **more)


async def test_what_a_quarantined_sync_would_change_is_kept_and_nothing_is_changed(upset):
    m, run = upset
    found = await seen(m, run)
    held = found.quarantine
    assert (held.state, held.before, held.up, held.down, held.new, held.gone) == ("waiting", 32, 0, 19, 1, 11)
    assert held.reason == parts(run)["a"].error
    kinds = [row.kind for row in found.data]
    assert kinds == ["moved"] * 19 + ["gone"] * 11 + ["new"]
    assert (found.data[0].old.amount, found.data[0].new.amount, found.data[0].percent) == ("5.00", "0.50", -90.0)
    assert (found.data[19].supplier_plan_id[:2], found.data[19].new) == ("p0", None)
    assert (found.data[-1].supplier_plan_id, found.data[-1].name, found.data[-1].old) == ("p900", "brand new", None)
    assert await m.one("SELECT count(*) FROM offer_events") == 0
    assert await m.one("SELECT count(*) FROM offers") == 32


async def test_differences_come_in_pages_and_each_once(upset):
    m, run = upset
    whole = [(row.kind, row.n) for row in (await seen(m, run)).data]
    for kind, rows in ((None, whole), ("gone", [row for row in whole if row[0] == "gone"])):
        found, cursor = [], None
        while True:
            page = await seen(m, run, kind=kind, limit=4, cursor=cursor)
            found += [(row.kind, row.n) for row in page.data]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == rows
    assert (await seen(m, run, cursor=write_cursor("nonsense", "x"))).data == []
    assert await requests.difference(m.pool, run.id, "b", PageRequest(5)) is None


async def test_the_largest_moves_are_kept_and_the_rest_is_counted(pool, tmp_path, monkeypatch):
    monkeypatch.setitem(quarantine_rows.MOST, "moved", 3)
    async with synced_stall(pool, tmp_path, shelf(12)) as (stall, m):
        stall.things = [Thing(**{**vars(t), "cost": str(10 + n)}) for n, t in enumerate(stall.things)]
        run = await run_sync(pool, m.accounts, m.settings)
        found = await seen(m, run)
        assert found.quarantine.up == 12
        assert [row.percent for row in found.data] == [320.0, 300.0, 280.0]


async def test_an_accepted_one_is_taken_over_and_says_who_accepted_it(upset):
    m, run = upset
    accepted = await requests.accept(m.pool, m.accounts, run.id, "a", "anna")
    assert isinstance(accepted, str)
    await run_sync(m.pool, m.accounts, m.settings, accept=["a"], run_id=accepted)
    held = (await seen(m, run)).quarantine
    assert (held.state, held.decided_by, held.accepted_run) == ("accepted", "anna", accepted)
    assert await m.one("SELECT count(*) FROM offers WHERE gone_at IS NULL") == 22
    assert await requests.waiting(m.pool) == []
    (entry,) = (await audit_rows.newest(m.pool)).data
    assert (entry.actor, entry.action, entry.object, entry.detail["supplier"]) == (
        "anna",
        "quarantine.accepted",
        f"sync:{run.id}",
        "a",
    )


async def test_accepting_by_a_sync_of_ones_own_settles_what_waits(upset):
    m, run = upset
    await run_sync(m.pool, m.accounts, m.settings, accept=["a"])
    held = (await seen(m, run)).quarantine
    assert (held.state, held.decided_by) == ("accepted", "sync --accept")
    assert len((await seen(m, run)).data) == 31


async def test_a_refused_one_is_not_asked_again_while_the_supplier_says_the_same(upset):
    m, run = upset
    assert await requests.refuse(m.pool, m.accounts, run.id, "a", "anna", "their mistake") is None
    again = await run_sync(m.pool, m.accounts, m.settings)
    assert await requests.waiting(m.pool) == []
    held = (await seen(m, again)).quarantine
    assert (held.state, held.decided_by, held.why) == ("refused", "anna", "their mistake")
    m.stalls["a"].reprice("p030", "0.40")
    other = await run_sync(m.pool, m.accounts, m.settings)
    assert [one.run_id for one in await requests.waiting(m.pool)] == [other.id]
    (entry,) = (await audit_rows.newest(m.pool)).data
    assert (entry.action, entry.detail["why"]) == ("quarantine.refused", "their mistake")


async def test_what_a_later_sync_overtakes_waits_no_longer_and_cannot_be_refused(upset):
    m, run = upset
    later = await run_sync(m.pool, m.accounts, m.settings)
    assert [one.run_id for one in await requests.waiting(m.pool)] == [later.id]
    first = await seen(m, run)
    assert (first.quarantine.state, first.quarantine.down, first.data) == ("overtaken", 19, [])
    assert code_of(await requests.refuse(m.pool, m.accounts, run.id, "a", "anna", "late")) == "conflict"
    m.stalls["a"].things = shelf(32)
    await run_sync(m.pool, m.accounts, m.settings)
    assert await requests.waiting(m.pool) == []
    assert await m.one("SELECT count(*) FROM quarantine_rows") == 0


async def test_only_what_is_quarantined_can_be_decided(upset):
    m, run = upset
    problems = [
        await requests.refuse(m.pool, m.accounts, "sync_none", "a", "anna", "no"),
        await requests.refuse(m.pool, m.accounts, run.id, "b", "anna", "no"),
        await requests.refuse(m.pool, {}, run.id, "a", "anna", "no"),
        await requests.accept(m.pool, m.accounts, "sync_none", "a", "anna"),
    ]
    assert [problem.code for problem in problems] == ["not_found", "conflict", "not_found", "not_found"]


async def test_a_run_in_full_tells_what_was_asked_how_far_it_is_and_what_it_holds(upset):
    m, run = upset
    found = await requests.detail(m.pool, run.id)
    assert (found.state, found.asked, [q.supplier for q in found.quarantines]) == ("failed", ["a"], ["a"])
    asked = await requests.ask_for_sync(m.pool, ["a", "b"], (), (), "anna")
    await sync_progress_rows.write(m.pool, asked, {"a": (40, 120), "b": (7, None)})
    await sync_progress_rows.write(m.pool, asked, {"a": (80, 120)})
    found = await requests.detail(m.pool, asked)
    assert (found.waiting, found.asked, found.suppliers) == (True, ["a", "b"], [])
    assert [(p.supplier, p.items, p.claimed) for p in found.progress] == [("a", 80, 120), ("b", 7, None)]
    assert await requests.detail(m.pool, "sync_none") is None


async def test_a_running_sync_writes_down_how_far_it_is_and_leaves_nothing_behind(pool, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.sync.progress.EVERY_SECONDS", 0.01)
    stall = Stall(shelf(12), hold=asyncio.Event())
    async with market(pool, tmp_path, {"a": stall}) as m:
        stall.hold.set()
        running = asyncio.create_task(run_sync(pool, m.accounts, m.settings))
        await stall.reached.wait()
        stall.hold.clear()  # after the first page nothing comes for a while
        rows = await until(lambda: m.fetch("SELECT items, claimed FROM sync_progress"))
        assert rows == [{"items": 5, "claimed": 12}]
        stall.hold.set()
        run = await running
        assert run.state == "ok"
        assert await m.one("SELECT count(*) FROM sync_progress") == 0
