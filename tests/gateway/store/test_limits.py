"""A supplier's rate and breaker, as all processes share them in one database."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from gateway.store.limits import SupplierGate
from providers.gate import BREAKER_FAILURES, Pace, Priority
from schemas.errors import CircuitOpen, InvalidRequest, NotReached, RateLimited, ServerFault, UnreadableAnswer

# So slow that no further call is let in while a test runs, whatever the machine does.
PER_MINUTE = 12
BURST = Pace.of(PER_MINUTE).burst


async def admitted(gate: SupplierGate, priority: Priority, most: int = 50) -> int:
    """How many calls are let in at once, before the gate would make one wait."""
    count = 0
    while count < most and await gate._take(priority) == 0:
        count += 1
    return count


async def rows(pool):
    limits = await pool.fetchrow("SELECT * FROM supplier_limits")
    breaker = await pool.fetchrow("SELECT * FROM supplier_breakers")
    return limits, breaker


@pytest.fixture
async def gate(pool):
    made = SupplierGate(pool, "demo", PER_MINUTE)
    await made._make_rows()
    return made


# --- the rate -----------------------------------------------------------------------------------------


async def test_the_first_call_makes_the_rows_by_itself(pool):
    await SupplierGate(pool, "fresh", 60).admit(Priority.PURCHASE)
    limits, breaker = await rows(pool)
    assert (limits["supplier"], breaker["supplier"], breaker["state"]) == ("fresh", "fresh", "closed")


async def test_a_burst_is_let_in_and_then_no_more(gate):
    assert await admitted(gate, Priority.PURCHASE) == BURST


async def test_the_wait_is_the_time_until_the_next_place(gate, pool):
    await admitted(gate, Priority.PURCHASE)
    await pool.execute("UPDATE supplier_limits SET tat = now() + interval '100 seconds'")
    pace = Pace.of(PER_MINUTE)
    wait = await gate._take(Priority.PURCHASE)
    assert wait == pytest.approx(100 - pace.tolerance(Priority.PURCHASE), abs=5)


async def test_a_place_comes_back_with_time(gate, pool):
    await admitted(gate, Priority.PURCHASE)
    step = timedelta(seconds=Pace.of(PER_MINUTE).interval)
    await pool.execute("UPDATE supplier_limits SET tat = tat - $1::interval", step)
    assert await admitted(gate, Priority.PURCHASE) == 1


async def test_buying_and_settling_go_before_syncing_and_looking(pool):
    gate = SupplierGate(pool, "demo", 120)
    await gate._make_rows()
    burst = Pace.of(120).burst
    assert burst == 20
    usage = await admitted(gate, Priority.USAGE)
    sync = await admitted(gate, Priority.SYNC)
    settle = await admitted(gate, Priority.SETTLE)
    purchase = await admitted(gate, Priority.PURCHASE)
    assert (usage, usage + sync, usage + sync + settle) == (6, 10, 18)
    assert usage + sync + settle + purchase == burst


async def test_without_a_limit_of_ours_nothing_is_held_back(pool):
    gate = SupplierGate(pool, "demo", None)
    await gate._make_rows()
    assert await admitted(gate, Priority.USAGE, most=200) == 200


async def test_two_suppliers_do_not_share_a_rate(gate, pool):
    other = SupplierGate(pool, "other", PER_MINUTE)
    await other._make_rows()
    await admitted(gate, Priority.PURCHASE)
    assert await admitted(other, Priority.PURCHASE) == BURST


async def test_many_connections_at_once_get_no_more_than_one_alone(gate, pool):
    gates = [SupplierGate(pool, "demo", PER_MINUTE) for _ in range(8)]
    started = time.monotonic()
    waits = await asyncio.gather(*(g._take(Priority.PURCHASE) for g in gates for _ in range(25)))
    assert BURST <= waits.count(0) <= allowed_since(started)


HAMMER = """
import asyncio, sys
import asyncpg
from gateway.store.limits import SupplierGate
from providers.gate import Priority

async def main():
    pool = await asyncpg.create_pool(sys.argv[1], min_size=4, max_size=4)
    gate = SupplierGate(pool, "demo", int(sys.argv[2]))
    sys.stdout.write("ready\\n")
    sys.stdout.flush()
    sys.stdin.readline()
    waits = await asyncio.gather(*(gate._take(Priority.PURCHASE) for _ in range(200)))
    await pool.close()
    sys.stdout.write(f"{waits.count(0)}\\n")

asyncio.run(main())
"""


async def test_two_processes_hammering_one_limit_stay_under_it_together(gate, database_url):
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-c", HAMMER, database_url, str(PER_MINUTE))
    processes = [await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe) for _ in range(2)]
    try:
        for process in processes:
            assert await process.stdout.readline() == b"ready\n"
        started = time.monotonic()
        for process in processes:
            process.stdin.write(b"go\n")
        counts = [int(await process.stdout.readline()) for process in processes]
    finally:
        for process in processes:
            if process.returncode is None:
                process.stdin.close()
            await process.wait()
    assert BURST <= sum(counts) <= allowed_since(started)


def allowed_since(started: float) -> int:
    """The burst, and the places that came back meanwhile if the machine was slow."""
    return BURST + int((time.monotonic() - started) / Pace.of(PER_MINUTE).interval)


# --- what the supplier says ---------------------------------------------------------------------------


async def test_a_lower_limit_of_the_supplier_is_taken_over_and_a_higher_one_is_not(gate, pool):
    await gate.observed({"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "999"}, 200)
    assert await admitted(gate, Priority.PURCHASE) == BURST
    await pool.execute("UPDATE supplier_limits SET tat = now() - interval '1 hour'")
    await gate.observed({"X-RateLimit-Limit": "1"}, 200)
    assert await admitted(gate, Priority.PURCHASE) == 1


async def test_an_old_report_no_longer_counts(gate, pool):
    await gate.observed({"X-RateLimit-Limit": "1"}, 200)
    await pool.execute("UPDATE supplier_limits SET reported_at = now() - interval '1 hour'")
    assert await admitted(gate, Priority.PURCHASE) == BURST


async def test_nothing_remaining_blocks_until_the_reset(gate, pool):
    reset = int(datetime.now(UTC).timestamp()) + 40
    await gate.observed({"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}, 200)
    assert 30 < await gate._take(Priority.PURCHASE) <= 41
    limits, _ = await rows(pool)
    assert (limits["remaining"], limits["reported_limit"]) == (0, 60)


async def test_retry_after_blocks_everyone_and_an_earlier_end_does_not_shorten_it(gate, pool):
    await gate.observed({"Retry-After": "50"}, 429)
    await gate.observed({"Retry-After": "3"}, 429)
    assert 40 < await SupplierGate(pool, "demo", PER_MINUTE)._take(Priority.PURCHASE) <= 50


async def test_a_refusal_for_the_rate_without_a_time_blocks_for_a_moment(gate):
    await gate.observed({}, 429)
    assert 0 < await gate._take(Priority.PURCHASE) <= 2


async def test_an_answer_that_says_nothing_writes_nothing(gate, pool):
    await gate.observed({"Content-Type": "application/json"}, 200)
    limits, _ = await rows(pool)
    assert limits["reported_at"] is None


async def test_a_purchase_does_not_wait_long_and_a_sync_does_not_wait_for_ever(gate, pool):
    await gate.observed({"Retry-After": "600"}, 429)
    for priority in Priority:
        with pytest.raises(RateLimited) as caught:
            await gate.admit(priority)
        assert caught.value.retry_after == pytest.approx(600, abs=5)


async def test_calls_that_must_wait_are_let_in_later(gate, pool):
    await admitted(gate, Priority.PURCHASE)
    # A twentieth of a second short of a place, so that the wait is real and short.
    await pool.execute("UPDATE supplier_limits SET tat = tat - $1::interval", timedelta(seconds=5.95))
    await asyncio.wait_for(gate.admit(Priority.PURCHASE), timeout=60)
    assert await gate._take(Priority.PURCHASE) > 0


# --- the breaker --------------------------------------------------------------------------------------


async def failing(gate, times=BREAKER_FAILURES):
    for _ in range(times):
        await gate.failed(ServerFault("the supplier reported a fault", supplier="demo", status=503))


async def test_the_breaker_opens_after_some_outages_in_a_row_and_says_why(gate, pool):
    await failing(gate, BREAKER_FAILURES - 1)
    await gate.admit(Priority.PURCHASE)
    await failing(gate, 1)
    with pytest.raises(CircuitOpen) as caught:
        await gate.admit(Priority.PURCHASE)
    assert 0 < caught.value.retry_after <= 30
    _, breaker = await rows(pool)
    assert (breaker["state"], breaker["failures"]) == ("open", BREAKER_FAILURES)
    assert breaker["last_error"] == "server_fault: demo: the supplier reported a fault (HTTP 503)"
    assert breaker["opened_at"] is not None


async def test_a_success_between_them_starts_the_count_again(gate):
    await failing(gate, BREAKER_FAILURES - 1)
    await gate.admit(Priority.PURCHASE)
    await gate.succeeded()
    await failing(gate, BREAKER_FAILURES - 1)
    await gate.admit(Priority.PURCHASE)


@pytest.mark.parametrize("error", [InvalidRequest("no"), RateLimited("slow down"), UnreadableAnswer("<html>")])
async def test_an_answer_whatever_it_says_does_not_open_the_breaker(gate, error):
    for _ in range(BREAKER_FAILURES * 2):
        await gate.failed(error)
    await gate.admit(Priority.PURCHASE)


async def test_every_process_sees_the_open_breaker(gate, pool):
    await failing(gate)
    with pytest.raises(CircuitOpen):
        await SupplierGate(pool, "demo", PER_MINUTE).admit(Priority.SYNC)


async def test_after_its_time_one_call_tries_and_closes_it(gate, pool):
    await failing(gate)
    await pool.execute("UPDATE supplier_breakers SET retry_at = now()")
    other = SupplierGate(pool, "demo", PER_MINUTE)
    await gate.admit(Priority.SETTLE)
    assert (await rows(pool))[1]["state"] == "half_open"
    with pytest.raises(CircuitOpen):
        await other.admit(Priority.PURCHASE)
    await gate.succeeded()
    await other.admit(Priority.PURCHASE)
    _, breaker = await rows(pool)
    assert (breaker["state"], breaker["failures"], breaker["retry_at"]) == ("closed", 0, None)


async def test_of_many_calls_at_once_one_becomes_the_probe(pool):
    gates = [SupplierGate(pool, "demo", None) for _ in range(10)]
    await gates[0]._make_rows()
    await failing(gates[0])
    await pool.execute("UPDATE supplier_breakers SET retry_at = now()")
    ends = await asyncio.gather(*(gate.admit(Priority.PURCHASE) for gate in gates), return_exceptions=True)
    assert sum(end is None for end in ends) == 1
    assert sum(isinstance(end, CircuitOpen) for end in ends) == 9


async def test_a_probe_that_fails_opens_it_for_longer(gate, pool):
    await failing(gate)
    first = (await rows(pool))[1]["retry_at"] - datetime.now(UTC)
    await pool.execute("UPDATE supplier_breakers SET retry_at = now()")
    await gate.admit(Priority.SYNC)
    await gate.failed(NotReached("no connection"))
    _, breaker = await rows(pool)
    assert breaker["state"] == "open"
    assert breaker["retry_at"] - datetime.now(UTC) > first * 1.5


async def test_outages_of_calls_that_were_on_their_way_do_not_prolong_it(gate, pool):
    await failing(gate)
    before = (await rows(pool))[1]["retry_at"]
    await failing(gate)
    assert (await rows(pool))[1]["retry_at"] == before


async def test_a_sync_looks_once_although_it_is_open(gate, pool):
    await failing(gate)
    await gate.probe()
    await gate.admit(Priority.SYNC)
    assert (await rows(pool))[1]["state"] == "half_open"
    await gate.failed(NotReached("no connection"))
    with pytest.raises(CircuitOpen):
        await gate.admit(Priority.SYNC)


async def test_the_probe_of_a_process_that_was_killed_does_not_block_for_ever(gate, pool):
    await failing(gate)
    await gate.probe()
    await gate.admit(Priority.SYNC)
    await pool.execute("UPDATE supplier_breakers SET changed_at = now() - interval '1 hour'")
    await SupplierGate(pool, "demo", PER_MINUTE).admit(Priority.PURCHASE)


async def test_a_clean_breaker_costs_no_write_on_success(gate, pool):
    await gate.admit(Priority.PURCHASE)
    before = await pool.fetchval("SELECT xmin::text FROM supplier_breakers")
    await gate.succeeded()
    assert await pool.fetchval("SELECT xmin::text FROM supplier_breakers") == before
