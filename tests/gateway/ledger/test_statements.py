"""Statements beside the ledger: refunds in parts, charges after a failure, and the alert on what differs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from gateway.alerts import alerts
from gateway.kit.pages import PageRequest
from gateway.ledger import money, supplier_statements
from gateway.ledger.reconcile import reconcile
from gateway.orders import ledger_rows, order_state_rows
from gateway.orders.cancel import request_cancel
from gateway.orders.resolve import resolve
from schemas.account import Transaction, TransactionKind
from schemas.money import Money
from tests.kit.counter import STOREFRONT, Counter


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


async def bought(counter: Counter, supplier: str) -> str:
    return (await counter.followed(await counter.ordered(await counter.plan(1, supplier)))).id


def refund(counter: Counter, supplier: str, amount: str) -> None:
    """The supplier gives part of its last sale back, by its own decision."""
    simulator = counter.simulator(supplier)
    simulator._refund(simulator.sales()[-1], Decimal(amount))


async def read(counter: Counter, supplier: str) -> None:
    """Read the statements, as late as the ledger's rows are by the gateway's clock."""
    await supplier_statements.read(counter.deps, supplier)


async def verdicts(counter: Counter, supplier: str) -> dict[str, str]:
    today = counter.clock().astimezone(UTC).date()
    found = await money.ledger(counter.deps, supplier, today - timedelta(days=2), today, PageRequest(100))
    assert found is not None
    return {line.kind: line.verdict for line in found.data if line.verdict != "apart"}


async def raised(counter: Counter, kind: str) -> list[str]:
    """The titles of the alerts of a kind that are active."""
    await alerts.evaluate(counter.deps)
    rows = await counter.deps.pool.fetch("SELECT title FROM alerts WHERE kind = $1 AND cleared_at IS NULL", kind)
    return [row["title"] for row in rows]


@pytest.mark.parametrize(("supplier", "charge"), [("s2s", "10"), ("pikasim", "10.36")])
async def test_several_refunds_of_one_purchase_are_each_booked_once(
    counter: Counter, supplier: str, charge: str
) -> None:
    order_id = await bought(counter, supplier)
    refund(counter, supplier, "2")
    refund(counter, supplier, "2")
    await read(counter, supplier)
    refund(counter, supplier, "3.50")
    await read(counter, supplier)
    await read(counter, supplier)
    assert await counter.ledger(order_id) == [
        (supplier, "charge", charge), (supplier, "refund", "2"), (supplier, "refund", "2"), (supplier, "refund", "3.5"),
    ]  # fmt: skip
    assert await verdicts(counter, supplier) == {"charge": "same", "refund": "same"}
    assert (await counter.order(order_id)).status == "fulfilled"
    assert (await counter.timeline(order_id)).count("refund_recorded") == 3
    today = datetime.now(UTC).date()
    (compared,) = (await reconcile(counter.deps, today - timedelta(days=1), today, [supplier])).suppliers
    assert compared.differences == ()


async def test_the_refund_of_a_cancel_is_the_line_that_shows_it_and_a_later_one_is_another(counter: Counter) -> None:
    order_id = await bought(counter, "pikasim")
    assert await request_cancel(counter.deps, STOREFRONT, "test", order_id) is None
    assert (await counter.followed(order_id)).status == "cancelled"
    before = await counter.ledger(order_id)
    assert [kind for _, kind, _ in before] == ["charge", "refund"]
    await read(counter, "pikasim")
    assert await counter.ledger(order_id) == before
    refund(counter, "pikasim", "0.36")
    await read(counter, "pikasim")
    assert await counter.ledger(order_id) == [*before, ("pikasim", "refund", "0.36")]
    keys = await counter.deps.pool.fetch("SELECT transaction_key FROM ledger WHERE kind = 'refund'")
    assert len({row["transaction_key"] for row in keys} - {None}) == 2


async def test_a_stated_refund_is_written_beside_others_only_as_far_as_the_charge_goes(counter: Counter) -> None:
    order_id = await bought(counter, "s2s")
    (attempt,) = await counter.attempts(order_id)
    now = counter.clock()
    async with counter.deps.pool.acquire() as connection, connection.transaction():
        assert await ledger_rows.refund(connection, attempt, usd("4"), now, "line-1")
        assert not await ledger_rows.refund(connection, attempt, usd("4"), now, "line-1")
        assert await ledger_rows.net_charge(connection, attempt.id) == usd("6")
        assert not await ledger_rows.refund(connection, attempt, usd("4"), now), "the line of that amount is it"
        assert not await ledger_rows.refund(connection, attempt, usd("7"), now), "more than the supplier holds"
        assert await ledger_rows.refund(connection, attempt, usd("6"), now)
        assert not await ledger_rows.refund(connection, attempt, usd("6"), now, "line-2"), "the stated one is this line"
        assert await ledger_rows.charge(connection, attempt, usd("10"), now, correct=False) == "same"
        assert await ledger_rows.net_charge(connection, attempt.id) == usd("0")
    assert [row[1:] for row in await counter.ledger(order_id)] == [("charge", "10"), ("refund", "4"), ("refund", "6")]


async def test_a_charge_after_an_operator_said_failed_is_recorded_and_shown(counter: Counter) -> None:
    counter.trigger("s2s", "500")
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    assert (await counter.followed(order_id, looks=20)).status == "needs_review"
    assert await resolve(counter.deps, order_id, "failed", "their support sees nothing") is None
    (attempt,) = await counter.attempts(order_id)
    late = msgspec.structs.replace(attempt.request(None), deadline=datetime.now(UTC) + timedelta(minutes=1))
    await counter.deps.accounts["s2s"].provider.purchase(late)
    await read(counter, "s2s")
    await read(counter, "s2s")
    assert await counter.ledger(order_id) == [("s2s", "charge", "10")]
    assert (await counter.attempts(order_id))[0].state == "failed"
    assert (await counter.order(order_id)).status == "failed"
    assert (await counter.timeline(order_id)).count("charged_after_failure") == 1
    assert await raised(counter, "orders_attention") == [f"Order {order_id} needs attention"]
    assert await verdicts(counter, "s2s") == {"charge": "same"}
    refund(counter, "s2s", "10")
    await read(counter, "s2s")
    assert await counter.ledger(order_id) == [("s2s", "charge", "10"), ("s2s", "refund", "10")]
    assert await raised(counter, "orders_attention") == []


async def test_a_failed_purchase_that_was_taken_and_given_back_is_no_charge(counter: Counter) -> None:
    order = await counter.followed(await counter.ordered(await counter.plan(17, "s2s")))
    before = await counter.ledger(order.id)
    await read(counter, "s2s")
    assert await counter.ledger(order.id) == before
    assert "charged_after_failure" not in await counter.timeline(order.id)


async def test_what_differs_raises_an_alert_that_ends_with_the_difference(counter: Counter) -> None:
    order_id = await bought(counter, "s2s")
    await read(counter, "s2s")
    assert await raised(counter, "statement_differs") == []
    await counter.deps.pool.execute("UPDATE ledger SET amount = amount + 1")
    await read(counter, "s2s")
    assert await raised(counter, "statement_differs") == [], "either side has a quarter of an hour to show a line"
    counter.clock.pass_(minutes=16)
    await read(counter, "s2s")
    assert await raised(counter, "statement_differs") == ["s2s: its statement differs from the ledger"]
    detail = await counter.deps.pool.fetchval("SELECT detail FROM alerts WHERE kind = 'statement_differs'")
    (attempt,) = await counter.attempts(order_id)
    newest = f"charge:{attempt.supplier_order_id}: amount_differs"
    assert detail == f"lines of the last days that differ: 1; the newest: {newest}"
    await counter.deps.pool.execute("UPDATE ledger SET amount = amount - 1")
    await read(counter, "s2s")
    assert await raised(counter, "statement_differs") == []


async def test_before_the_statements_are_read_the_ledger_differs_from_nothing(counter: Counter) -> None:
    await bought(counter, "s2s")
    assert await verdicts(counter, "s2s") == {"charge": "statement_not_read"}
    await read(counter, "s2s")
    assert await verdicts(counter, "s2s") == {"charge": "same"}
    await bought(counter, "s2s")
    today = counter.clock().astimezone(UTC).date()
    found = await money.ledger(counter.deps, "s2s", today - timedelta(days=2), today, PageRequest(100))
    assert found is not None
    assert sorted(line.verdict for line in found.data) == ["apart", "same", "statement_not_read"]
    assert sum(total.differences for total in found.totals) == 0


async def test_lines_alike_but_for_the_balance_after_are_kept_apart_and_those_of_before_only_once(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = counter.deps.accounts["s2s"].provider
    at = datetime.now(UTC).replace(microsecond=0)
    told: list[Transaction] = [Transaction(TransactionKind.REFUND, usd("2"), at, "so1")]

    async def transactions(since: datetime):
        for one in told:
            yield one

    monkeypatch.setattr(provider, "transactions", transactions)
    pool = counter.deps.pool
    await read(counter, "s2s")
    (former,) = await pool.fetch("SELECT id, key FROM supplier_transactions")
    told[:] = [msgspec.structs.replace(told[0], balance_after=usd(after)) for after in ("92", "90")]
    await read(counter, "s2s")
    told.reverse()
    await read(counter, "s2s")
    rows = await pool.fetch("SELECT id, key FROM supplier_transactions ORDER BY id")
    assert len(rows) == len({row["key"] for row in rows}) == 2
    assert rows[0]["id"] == former["id"]
    assert rows[0]["key"] != former["key"]


async def test_an_attempt_has_one_charge_however_often_it_is_told(counter: Counter) -> None:
    order_id = await bought(counter, "s2s")
    (attempt,) = await counter.attempts(order_id)
    async with counter.deps.pool.acquire() as connection, connection.transaction():
        assert await order_state_rows.lock(connection, order_id) is not None
        for amount, said in (("10", "same"), ("12", "changed"), ("12", "same")):
            assert await ledger_rows.charge(connection, attempt, usd(amount), counter.clock(), correct=True) == said
    assert await counter.ledger(order_id) == [("s2s", "charge", "12")]
