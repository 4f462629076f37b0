"""Orders for operators: lists, what waits for an operator, and one order with all that happened to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.inventory import number_rows
from gateway.items.item_rules import is_phone_number
from gateway.kit.log import redact
from gateway.kit.pages import FIRST_PAGE, PageRequest
from gateway.kit.problem import Problem
from gateway.orders import order_page_rows, order_search_rows, order_view_rows, presenter
from gateway.orders.order_page_rows import OrderMoney
from gateway.orders.order_search_rows import ListedOrder, OrderFilter
from gateway.orders.process import start
from gateway.orders.rules.attention import Attention, AttentionGroup, attention, groups, needs_decision
from gateway.orders.rules.margin import Margin, Sums, margin
from gateway.pricing.price_rules import Rates
from gateway.selling import engine
from gateway.selling.sold_rules import name_of
from gateway.suppliers import call_log_rows
from gateway.suppliers.call_log_rows import KeptExchange
from gateway.suppliers.deps import Deps
from schemas.money import Money
from schemas.ops_orders import OpsOrder
from schemas.page import Page

POLL_SECONDS = 8.0  # who asks waits no longer; the look goes on
_LONGEST_QUESTION = 200
_ICCID_DIGITS = range(18, 23)


class Line(msgspec.Struct, frozen=True):
    """An order in a list, with what it cost and earned as far as that is known."""

    order: ListedOrder
    price: Money
    cost: Money | None
    margin: Margin | None


class Waiting(msgspec.Struct, frozen=True):
    """An order that waits for an operator, and why."""

    what: Attention
    line: Line


class Moment(msgspec.Struct, frozen=True):
    """One thing that happened. ``facts`` are names and values; ``exchange`` is what was said then."""

    at: datetime
    source: str  # order, attempt, exchange, ledger, webhook, storefront
    title: str
    text: str = ""
    state: str | None = None
    facts: tuple[tuple[str, str], ...] = ()
    exchange: KeptExchange | None = None


class OrderDetail(msgspec.Struct, frozen=True):
    """One order with everything about it. ``what`` is set while it waits for an operator."""

    order: OpsOrder
    money: OrderMoney
    line: Line
    moments: list[Moment]
    what: Attention | None
    refunded: Money | None


async def listing(deps: Deps, wanted: OrderFilter, page_request: PageRequest) -> Page[Line]:
    """Orders that are so, the newest first or as the page is sorted."""
    found, rates = await asyncio.gather(order_search_rows.page_of(deps.pool, wanted, page_request), engine.rates(deps))
    return found.map(lambda order: _line(order, rates))


async def search(deps: Deps, text: str) -> list[str]:
    """Ids of the orders that a text names in any way, the newest first; never by reading through all of them."""
    word = text.strip()[:_LONGEST_QUESTION]
    if not word or "\0" in word:
        return []
    emails = deps.seal.digests(word.casefold()) if "@" in word else []
    digits = "".join(word.split())
    is_iccid = digits.isascii() and digits.isdigit() and len(digits) in _ICCID_DIGITS
    iccids = deps.seal.digests(digits) if is_iccid else []
    phones = deps.seal.digests(number_rows.same(word)) if is_phone_number(word) else []
    return await order_search_rows.find(deps.pool, word, emails=emails, iccids=iccids, phones=phones)


async def lines(deps: Deps, ids: Sequence[str]) -> list[Line]:
    """These orders, in the order of the ids."""
    found, rates = await asyncio.gather(order_search_rows.listed(deps.pool, ids), engine.rates(deps))
    return [_line(order, rates) for order in found]


class WaitingOrders(msgspec.Struct, frozen=True):
    """A page of the orders that wait, how many there are of each kind, and those that need no decision, by reason."""

    page: Page[Waiting]
    counts: dict[str, int]
    passing: list[AttentionGroup]


async def waiting(
    deps: Deps, mode: str, page_request: PageRequest = FIRST_PAGE, kind: str | None = None
) -> WaitingOrders:
    """What waits, the longest first: all of one ``kind``, or else what needs an operator's decision."""
    every = await _attention(deps, mode)
    counts: dict[str, int] = {}
    for what in every:
        counts[what.kind] = counts.get(what.kind, 0) + 1
    start = page_request.after(datetime, str)
    listed = [what for what in every if (needs_decision(what) if kind is None else what.kind == kind)]
    left = [what for what in listed if _place(what) > start]
    page = page_request.page(left, _place)
    of_id = {line.order.id: line for line in await lines(deps, [what.order_id for what in page.data])}
    return WaitingOrders(
        page.of(Waiting(what, of_id[what.order_id]) for what in page.data if what.order_id in of_id),
        counts,
        groups(what for what in every if not needs_decision(what)),
    )


async def counted(deps: Deps, mode: str) -> tuple[int, datetime | None]:
    """How many wait for an operator, and since when the longest does."""
    every = await _attention(deps, mode)
    return len(every), every[0].since if every else None


async def detail(deps: Deps, order_id: str) -> OrderDetail | None:
    """One order with its money and its timeline, None when there is none of that id."""
    order, money = await asyncio.gather(
        presenter.ops_order(deps, order_id), order_page_rows.money_of(deps.pool, order_id)
    )
    if order is None or money is None:
        return None
    ids = [attempt.reference for attempt in order.attempts or ()]
    events, messages, booked, heard, sent_events, listed = await asyncio.gather(
        order_view_rows.events(deps.pool, order_id, with_ops=True),
        call_log_rows.of_attempts(deps.pool, ids),
        order_page_rows.booked(deps.pool, ids),
        order_page_rows.heard(deps.pool, ids),
        order_page_rows.sent_events(deps.pool, order_id),
        lines(deps, [order_id]),
    )
    number = {attempt.reference: attempt.n for attempt in order.attempts or ()}
    moments = [Moment(order.created_at, "order", "ordered", name_of(order))]
    moments += [_of_event(event) for event in events]
    moments += [
        Moment(row.at, "exchange", f"{row.method} {row.path}", exchange=row, facts=_attempt(number, row.attempt_id))
        for row in messages
    ]
    moments += [
        Moment(
            row.at, "ledger", row.kind, str(Money(row.amount, row.currency).padded()), facts=_attempt(
                number, row.attempt_id, row.supplier
            )
        )
        for row in booked
    ]  # fmt: skip
    moments += [
        Moment(row.received_at, "webhook", row.type, state="pending" if row.settled_at is None else "done",
               facts=_attempt(number, row.attempt_id, row.supplier))
        for row in heard
    ]  # fmt: skip
    moments += [
        Moment(
            row.at, "storefront", row.type, "" if row.endpoint_id is None else f"{row.endpoint_id}, {row.tries} tries",
            state=row.status,
        )
        for row in sent_events
    ]  # fmt: skip
    moments.sort(key=lambda moment: moment.at)
    back = [row for row in booked if row.kind == "refund"]
    refunded = Money(sum((row.amount for row in back), Decimal(0)), back[0].currency) if back else None
    what = next(iter(await _attention(deps, order.mode, order_id)), None)
    return OrderDetail(order, money, listed[0], moments, what, refunded)


# -- what people do ---------------------------------------------------------------------------------------------------


async def look_up(deps: Deps, order_id: str, by: Visitor | str) -> bool | Problem:
    """Ask the supplier now; True when it answered in time, False when the look goes on. Nothing is bought by it."""
    async with deps.pool.acquire() as connection, connection.transaction():
        if await order_view_rows.by_id(connection, order_id, None) is None:
            return Problem("not_found", "there is no such order")
        await audit_rows.record(connection, by, "order.looked_up", f"order:{order_id}")
    done, _ = await asyncio.wait({start(deps, order_id, poll=True)}, timeout=POLL_SECONDS)
    return bool(done)


async def settle_late_charge(deps: Deps, order_id: str, note: str, by: Visitor | str) -> Problem | None:
    """Note that a charge after the order's end was dealt with; it waits for nobody any more."""
    async with deps.pool.acquire() as connection, connection.transaction():
        detail = {"ops": {"note": redact(note), "by": by.name if isinstance(by, Visitor) else by}}
        if not await order_page_rows.settle_late_charge(connection, order_id, detail):
            return Problem("conflict", "no charge came after this order's end")
        await audit_rows.record(connection, by, "order.late_charge_settled", f"order:{order_id}", {"note": note})
    return None


# -- how it is put together -------------------------------------------------------------------------------------------


async def _attention(deps: Deps, mode: str, order_id: str | None = None) -> list[Attention]:
    now = deps.clock()
    found = [attention(order, now) for order in await order_page_rows.open_orders(deps.pool, mode, order_id)]
    return sorted((what for what in found if what is not None), key=_place)


def _place(what: Attention) -> tuple[datetime, str]:
    return what.since, what.order_id


def _line(order: ListedOrder, rates: Rates) -> Line:
    currency = order.ledger_currency
    charged = None if order.charged is None or currency is None else Money(order.charged, currency)
    taken = None
    if currency is not None:
        taken = Money((order.charged or Decimal(0)) - (order.refunded or Decimal(0)), currency)
    listed = None
    if order.listed is not None and order.listed_currency is not None:
        listed = Money(order.listed, order.listed_currency)
    sums = Sums(
        status=order.status,
        price=order.price,
        price_base=order.price_base,
        refund=order.refund,
        listed=listed,
        cost_base=order.cost_base,
        taken=taken,
        fee=order.fee_base,
    )
    return Line(order, Money(order.price, order.currency), charged, margin(sums, rates))


def _attempt(number: Mapping[str, int], attempt_id: str, supplier: str = "") -> tuple[tuple[str, str], ...]:
    n = number.get(attempt_id)
    return (*((("attempt", str(n)),) if n is not None else ()), *((("supplier", supplier),) if supplier else ()))


def _of_event(event: Any) -> Moment:
    ops: Mapping[str, Any] = event.ops or {}
    facts = tuple((name, _fact(value)) for name, value in ops.items() if value not in (None, "", []))
    title = event.type.replace("_", " ")
    return Moment(event.at, "order", title, event.detail, facts=facts)


def _fact(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_fact(part) for part in value)
    if isinstance(value, Mapping):
        return " ".join(str(inner) for inner in value.values())
    return str(value)
