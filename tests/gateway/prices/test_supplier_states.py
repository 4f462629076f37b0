"""Suppliers' states from what really happened at the sandboxes, and what ends a pause for want of balance."""

from __future__ import annotations

from decimal import Decimal

from gateway.kit.settings import load
from gateway.prices import supplier_states
from gateway.prices.supplier_retry import Tried, try_again
from gateway.suppliers import balances, selling_rows, supplier_list_rows
from gateway.suppliers.state_rules import SupplierState
from tests.kit.counter import Counter

BALANCE_AT = "SELECT no_balance_until FROM suppliers WHERE name = $1"


async def state_of(counter: Counter, name: str) -> SupplierState:
    return (await supplier_states.of_all(counter.deps))[name]


async def causes(counter: Counter, name: str) -> list[str]:
    return [one.cause for one in (await state_of(counter, name)).problems]


async def refused(counter: Counter, name: str) -> None:
    """A purchase is refused there for want of balance."""
    assert (await counter.followed(await counter.ordered(await counter.real_plan(3, name)))).status == "fulfilled"
    assert await counter.deps.pool.fetchval(BALANCE_AT, name) is not None


async def look(counter: Counter, name: str) -> None:
    counter.clock.pass_(seconds=60)
    await balances.poll_now(counter.deps.pool, counter.deps.accounts, [name], counter.deps.clock())


async def test_a_refusal_for_want_of_balance_degrades_until_a_balance_that_covers_it_is_read(counter: Counter) -> None:
    assert await causes(counter, "s2s") == []
    await refused(counter, "s2s")
    known = await state_of(counter, "s2s")
    assert (known.state, known.problems[0].cause) == ("degraded", "balance")
    assert known.problems[0].until == await counter.deps.pool.fetchval(BALANCE_AT, "s2s")
    await look(counter, "s2s")  # the first that is known of our money there, and enough
    assert await counter.deps.pool.fetchval(BALANCE_AT, "s2s") is None
    assert await causes(counter, "s2s") == []


async def test_a_balance_that_does_not_cover_what_was_refused_lifts_nothing(counter: Counter) -> None:
    await refused(counter, "s2s")
    await counter.deps.pool.execute("UPDATE attempts SET listed = 10000000 WHERE error_code = 'insufficient_balance'")
    await look(counter, "s2s")
    assert await counter.deps.pool.fetchval(BALANCE_AT, "s2s") is not None
    tried = await try_again(counter.deps, "s2s", "an operator")
    assert isinstance(tried, Tried)
    assert (tried.error, tried.state.problems[0].cause) == (None, "balance")


async def test_an_operator_s_try_lifts_it_although_the_balance_is_the_same_as_before(counter: Counter) -> None:
    await look(counter, "s2s")
    await refused(counter, "s2s")
    await look(counter, "s2s")
    assert await causes(counter, "s2s") == ["balance"]
    counter.clock.pass_(seconds=60)
    tried = await try_again(counter.deps, "s2s", "an operator")
    assert isinstance(tried, Tried)
    assert (tried.error, tried.state.state) == (None, "ok")


async def test_a_balance_that_suffices_for_no_offer_degrades(counter: Counter) -> None:
    await look(counter, "pikasim")
    await counter.deps.pool.execute("UPDATE supplier_balances SET spendable = 0.02 WHERE supplier = 'pikasim'")
    known = await state_of(counter, "pikasim")
    assert [one.cause for one in known.problems] == ["balance"]
    assert "0.02 USD available" in known.description
    cheapest = await counter.deps.pool.fetchval("SELECT min(cost) FROM offers WHERE supplier = 'pikasim' AND visible")
    enough = cheapest * Decimal("1.06")  # PikaSim may charge 5 % more than it lists
    await counter.deps.pool.execute("UPDATE supplier_balances SET spendable = $1 WHERE supplier = 'pikasim'", enough)
    assert await causes(counter, "pikasim") == []


async def test_stops_pauses_syncs_and_failures_are_seen(counter: Counter) -> None:
    pool = counter.deps.pool
    await selling_rows.stop(pool, selling_rows.ALL, "restored")
    assert {one.state for one in (await supplier_states.of_all(counter.deps)).values()} == {"stopped"}
    await selling_rows.go_on(pool, selling_rows.ALL)
    await supplier_list_rows.set_supplier_state(pool, "s2s", "paused")
    assert ((await state_of(counter, "s2s")).state, await causes(counter, "s2s")) == ("paused", ["pause"])
    await supplier_list_rows.set_supplier_state(pool, "s2s", "active")
    await pool.execute("UPDATE suppliers SET last_sync_state = 'quarantined' WHERE name = 's2s'")
    assert await causes(counter, "s2s") == ["quarantine"]
    await pool.execute("UPDATE suppliers SET last_sync_state = 'ok', last_good_at = now() - interval '3 days'")
    assert await causes(counter, "s2s") == ["expired"]
    by_command = await supplier_states.of_settings(pool, load(database_url="postgresql://unused"))
    assert [one.cause for one in by_command["s2s"].problems] == ["expired"]
