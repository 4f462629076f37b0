"""Both books as they are shown, what agrees left to PostgreSQL, against a comparison of every line of both."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from msgspec.structs import asdict

from benchmarks.orders_history import fill_history
from gateway.kit.pages import PageRequest, Sort, price_of
from gateway.ledger import money, supplier_statement_rows, supplier_statements
from gateway.ledger.alike_rows import compared
from gateway.ledger.ledger_view_rules import DIFFERENT, Apart, Line, StatementsRead, as_movement, lines
from gateway.ledger.reconcile import MARGIN, back_to, our_entries
from gateway.ledger.reconcile_rules import Day, Movement, beside
from gateway.suppliers.deps import Deps
from schemas.account import TransactionKind
from schemas.api_money import SupplierLedgerLine, SupplierLedgerPage
from schemas.money import Money
from tests.kit.counter import Counter

SUPPLIER = "s2s"
ORDERS = 40
ROUNDS = 40
_STATE = """
INSERT INTO supplier_transactions
    (supplier, key, kind, amount, currency, at, supplier_order_id, reference, seen_at)
SELECT l.supplier, $1 || l.id, 'charge', -l.amount, l.currency, l.at + make_interval(secs => $2), {order}, {reference},
       now()
FROM ledger l JOIN attempts a ON a.id = l.attempt_id WHERE l.supplier = $3 AND l.kind = 'charge'
"""
_STATED = _STATE.format(order="a.supplier_order_id", reference="NULL")
_SOME = " AND l.attempt_id = ANY($4)"
# What happens to some orders. Each is done to a few of them, and an order may meet several.
_FATES = {
    "nothing of it is stated": "DELETE FROM supplier_transactions t USING attempts a"
    " WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "another amount is stated": "UPDATE supplier_transactions t SET amount = amount - 1 FROM attempts a"
    " WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "another currency is stated": "UPDATE supplier_transactions t SET currency = 'EUR' FROM attempts a"
    " WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "it is stated as given back": "UPDATE supplier_transactions t SET kind = 'refund', amount = -amount FROM attempts a"
    " WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "it is stated as given back, with the sign of a charge": "UPDATE supplier_transactions t SET kind = 'refund'"
    " FROM attempts a WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "it is stated with our reference alone": "UPDATE supplier_transactions t SET supplier_order_id = NULL,"
    " reference = a.id FROM attempts a WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "it is stated for nobody": "UPDATE supplier_transactions t SET supplier_order_id = NULL FROM attempts a"
    " WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "it was stated long ago": "UPDATE supplier_transactions t SET at = t.at - interval '40 days' FROM attempts a"
    " WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "our ledger lacks it": "DELETE FROM ledger WHERE attempt_id = ANY($1)",
    "our ledger has it at another time": "UPDATE ledger SET at = at - interval '10 days' WHERE attempt_id = ANY($1)",
    "our ledger has it given back": "INSERT INTO ledger (at, supplier, attempt_id, order_id, kind, amount, currency)"
    " SELECT at, supplier, attempt_id, order_id, 'refund', amount, currency FROM ledger"
    " WHERE attempt_id = ANY($1) AND kind = 'charge' ON CONFLICT DO NOTHING",
    "it was cancelled and given back": "WITH cancel AS (INSERT INTO attempts SELECT (jsonb_populate_record(a,"
    " jsonb_build_object('id', 'c-' || a.id, 'n', a.n + 1, 'kind', 'cancel'))).* FROM attempts a"
    " WHERE id = ANY($1) RETURNING *) INSERT INTO ledger (at, supplier, attempt_id, order_id, kind, amount, currency)"
    " SELECT started_at, supplier, id, order_id, 'refund', 1, 'USD' FROM cancel",
    "its number at the supplier is not known": "UPDATE attempts SET supplier_order_id = NULL WHERE id = ANY($1)",
    "its end is open, and nothing of it is booked": "WITH booked AS (DELETE FROM ledger WHERE attempt_id = ANY($1))"
    " UPDATE attempts SET state = 'unknown' WHERE id = ANY($1)",
    "its end is open": "UPDATE attempts SET state = 'unknown' WHERE id = ANY($1)",
}


async def _befall(connection: Any, dice: random.Random, attempts: list[str]) -> None:
    await connection.execute("DELETE FROM supplier_transactions")
    await connection.execute(_STATED, "line:", dice.choice([0, 0, 600, -600]), SUPPLIER)
    for fate in dice.sample(list(_FATES), dice.randrange(len(_FATES))):
        await connection.execute(_FATES[fate], dice.sample(attempts, dice.randrange(1, 4)))
    # A second line for the same order, by its number there or by our reference.
    for number, order in enumerate(("a.supplier_order_id", "NULL")):
        statement = _STATE.format(order=order, reference="a.id") + _SOME
        await connection.execute(statement, f"more:{number}:", 5, SUPPLIER, dice.sample(attempts, dice.randrange(3)))


async def _whole(deps: Deps, day: Day) -> list[Line]:
    """Every line of both books, compared one by one: what the database leaves out is to be equal to this."""
    stated = Day(await back_to(deps, SUPPLIER, day), deps.clock() + timedelta(days=1))
    found = await deps.pool.fetch(
        "SELECT * FROM supplier_transactions WHERE supplier = $1 AND at >= $2 AND at < $3",
        *(SUPPLIER, stated.start, stated.end),
    )
    statement = [
        as_movement(
            *(TransactionKind(row["kind"]), Money(row["amount"], row["currency"]), row["at"]),
            *(row["supplier_order_id"], row["reference"], row["transaction_id"]),
        )
        for row in found
    ]
    moved = [line for line in statement if isinstance(line, Movement)]
    ours = await our_entries(deps, SUPPLIER, moved, day, Day(stated.start, day.end + MARGIN))
    apart = [line for line in statement if isinstance(line, Apart)]
    walk = (await supplier_statement_rows.walks(deps.pool, [SUPPLIER]))[SUPPLIER]
    both = beside(moved, ours.booked, ours.known)
    return lines(SUPPLIER, day, both, apart, ours.explained, StatementsRead(walk.whole_from, walk.whole_to))


async def _paged(deps: Deps, first: date, last: date, limit: int, **more: Any) -> list[SupplierLedgerPage]:
    """All pages of the list that the console and the API show."""
    pages: list[SupplierLedgerPage] = []
    for _ in range(3 * ORDERS):
        wanted = PageRequest(limit, pages[-1].next_cursor if pages else None, more.get("sort"))
        page = await money.ledger(deps, SUPPLIER, first, last, wanted, differing=more.get("differing", False))
        assert page is not None
        pages.append(page)
        if page.next_cursor is None:
            return pages
    raise AssertionError("the list has no end")


def _said(line: Line | SupplierLedgerLine) -> dict[str, Any]:
    amounts = {side: getattr(line, side) for side in ("theirs", "ours")}
    prices = {side: price_of(amount) if isinstance(amount, Money) else amount for side, amount in amounts.items()}
    return asdict(line) | prices


@pytest.mark.parametrize("part", range(2))
async def test_the_lines_are_those_that_a_whole_comparison_finds(counter: Counter, part: int) -> None:
    order = await counter.followed(await counter.ordered(await counter.plan(1, SUPPLIER)))
    dice, verdicts, read = random.Random(part), set(), []
    async with counter.deps.pool.acquire() as connection:
        currency = await connection.fetchval("SELECT currency FROM ledger WHERE order_id = $1", order.id)
        await fill_history(connection, SUPPLIER, currency, ORDERS)
        attempts = [row["id"] for row in await connection.fetch("SELECT id FROM attempts ORDER BY id")]
        deps = replace(counter.deps, pool=connection)
        last = deps.clock().astimezone(UTC).date()
        first = last - timedelta(days=7)
        day = Day(datetime.combine(first, time(), UTC), datetime.combine(last + timedelta(days=1), time(), UTC))
        await supplier_statement_rows.whole(connection, SUPPLIER, day.end, day.start)
        for _ in range(ROUNDS):
            change = connection.transaction()
            await change.start()
            await _befall(connection, dice, attempts)
            whole = await _whole(deps, day)
            different = [line for line in whole if line.verdict in DIFFERENT]
            assert await supplier_statements.differing(deps, SUPPLIER, day) == different
            limit = dice.choice([2, 7, 100])
            pages = await _paged(deps, first, last, limit)
            shown = [_said(line) for page in pages for line in page.data]
            assert shown == [_said(line) for line in whole]
            assert {len(page.data) for page in pages[:-1]} <= {limit}
            assert all(page.totals == money.totals(whole) for page in pages)
            oldest = await _paged(deps, first, last, limit, sort=Sort("at", descending=False))
            assert [_said(line) for page in oldest for line in page.data] == shown[::-1]
            doubtful = await _paged(deps, first, last, limit, differing=True)
            assert [line.verdict for page in doubtful for line in page.data] == [
                line.verdict for line in whole if line.verdict in {*DIFFERENT, "open"}
            ]
            assert doubtful[0].totals == pages[0].totals
            verdicts |= {line.verdict for line in whole}
            read.append(len((await compared(connection, SUPPLIER, Day(day.start, day.end), day)).lines))
            await change.rollback()
    assert verdicts >= {*DIFFERENT, "same", "open"}
    assert max(read) < ORDERS


async def test_where_all_agrees_nothing_is_read(counter: Counter) -> None:
    await counter.followed(await counter.ordered(await counter.plan(1, SUPPLIER)))
    pool, now = counter.deps.pool, counter.clock()
    await pool.execute(_STATED, "line:", 0, SUPPLIER)
    day = Day(now - timedelta(days=7), now + timedelta(hours=1))
    found = await compared(pool, SUPPLIER, day, day)
    assert (found.agreeing, found.lines, found.attempts) == ([], [], [])
    assert [alike.lines for alike in found.sums] == [1]
    await pool.execute("UPDATE ledger SET amount = amount + 1")
    found = await compared(pool, SUPPLIER, day, day)
    assert (found.sums, len(found.lines), len(found.attempts)) == ([], 1, 1)
