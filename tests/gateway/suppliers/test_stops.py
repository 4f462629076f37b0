"""What stops selling is seen by the catalogue, and lifted by what it waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gateway.catalog import snapshot_rows
from gateway.catalog.index.overlay import next_change, state_of
from gateway.kit.freshness import FreshnessBounds
from gateway.suppliers import selling_rows
from gateway.sync.run import run_sync
from tests.kit.counter import Counter

BOUNDS = FreshnessBounds(900, 86400)


async def _now(counter: Counter) -> dict[str, tuple[bool, bool]]:
    overlay = await snapshot_rows.overlay(counter.deps.pool)
    held = state_of(overlay, "test", datetime.now(UTC), BOUNDS)
    return {one.name: (one.paused, one.no_balance) for one in held.suppliers}


async def test_a_stop_counts_a_new_overlay_and_pauses_one_supplier_or_all(counter: Counter) -> None:
    pool = counter.deps.pool
    before = (await snapshot_rows.state(pool)).overlay
    await selling_rows.stop(pool, "s2s", "person", "looking into it")
    assert (await snapshot_rows.state(pool)).overlay > before
    assert {name for name, (paused, _) in (await _now(counter)).items() if paused} == {"s2s"}
    await selling_rows.stop(pool, selling_rows.ALL, "person")
    assert all(paused for paused, _ in (await _now(counter)).values())
    assert await selling_rows.go_on(pool, selling_rows.ALL)
    assert await selling_rows.go_on(pool, "s2s")
    assert not await selling_rows.go_on(pool, "s2s")
    assert not any(paused for paused, _ in (await _now(counter)).values())


async def test_a_supplier_without_our_money_is_out_of_the_catalogue_until_the_clock_says(counter: Counter) -> None:
    pool = counter.deps.pool
    until = datetime.now(UTC) + timedelta(seconds=90)
    before = (await snapshot_rows.state(pool)).overlay
    async with pool.acquire() as connection:
        await selling_rows.cool_down(connection, "s2s", until)
    assert (await snapshot_rows.state(pool)).overlay > before
    assert (await _now(counter))["s2s"] == (False, True)
    overlay = await snapshot_rows.overlay(pool)
    assert next_change(overlay, datetime.now(UTC), BOUNDS) == until
    later = state_of(overlay, "test", until, BOUNDS)
    assert not any(one.no_balance for one in later.suppliers)


async def test_a_sync_that_lists_what_was_charged_sells_the_offer_again(counter: Counter) -> None:
    plan = await counter.real_plan(15, "s2s")
    order = await counter.followed(await counter.ordered(plan))
    (attempt,) = await counter.attempts(order.id)
    stopped = "SELECT count(*) FROM offer_marks WHERE supplier = 's2s' AND why = 'stopped'"
    await run_sync(counter.deps.pool, counter.deps.accounts, counter.deps.settings)
    assert await counter.deps.pool.fetchval(stopped) == 1
    assert attempt.charged is not None
    assert attempt.charged > Decimal(10)
    counter.served.world.set_price("s2s", attempt_key(counter), attempt.charged)
    await run_sync(counter.deps.pool, counter.deps.accounts, counter.deps.settings)
    assert await counter.deps.pool.fetchval(stopped) == 0


def attempt_key(counter: Counter) -> str:
    return counter.simulator("s2s").sales()[-1].key
