"""Admission: from a storefront's request to an order, in one commit.

The ordinary way chooses and prices from PostgreSQL, asks the supplier whether an old price still stands, and
leaves the purchase to ``orders.process``. Where what is remembered suffices (``orders.admit_fast``) the order is
written together with its first attempt, in one statement that checks what it was chosen from.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import TypeVar

import asyncpg
import msgspec
from msgspec import UNSET, UnsetType

from gateway.access import mandate_rows
from gateway.access.key_rows import Mode
from gateway.catalog import wanted_rules
from gateway.catalog.offer_lines import Limits
from gateway.catalog.quote import QuoteExpired, QuoteUnknown, open_quote
from gateway.catalog.wanted_rules import InvalidFeature
from gateway.inventory import esim_lock_rows
from gateway.items.item_rules import Item
from gateway.items.item_source import asked_for, source_of
from gateway.kit.pool import Connection
from gateway.kit.problem import Problem
from gateway.orders import admission_rows, order_state_rows
from gateway.orders.admission_rows import Admission, Batch
from gateway.orders.admit_fast import chosen_from_memory, may_be_fast, write
from gateway.orders.order_rows import Bound, NewOrder
from gateway.orders.rules import mandates
from gateway.orders.rules.schedule import CONTINUES
from gateway.orders.settle import Settled
from gateway.pricing.price_rules import NoRate
from gateway.pricing.rates import no_rate
from gateway.selling.engine import Sale, SaleRequest, sale
from gateway.selling.plan_source import PlanSource, sold_plan
from gateway.selling.sold_rules import api_price
from gateway.suppliers import spend_rows
from gateway.suppliers.deps import Deps
from schemas import api
from schemas.api import Price
from schemas.features import Wanted
from schemas.money import Money
from schemas.order_requests import (
    OrderForGood,
    OrderForNumber,
    OrderForPlan,
    OrderForQuote,
    OrderOptions,
    TopupForOption,
    TopupForPlan,
)

T = TypeVar("T")
Body = OrderForPlan | OrderForQuote | OrderForNumber | OrderForGood


@dataclass(frozen=True, slots=True)
class Admitted:
    """An order that stands. ``replayed`` says that the key had it already.

    ``new`` is what was written ``at`` a moment, where this admission wrote it; ``sending`` is its first attempt
    on its way, where it began one.
    """

    order_id: str
    replayed: bool = False
    new: NewOrder | None = None
    at: datetime | None = None
    sending: asyncio.Task[Settled | None] | None = None


class Offered(msgspec.Struct, frozen=True):
    """What an order would be sold, as it is frozen in it. ``fields`` are the answers to what a product asks."""

    kind: str
    item: api.Plan | Item
    sale: Sale
    limits: Limits = Limits()
    fields: dict[str, str] = {}

    @property
    def price(self) -> Money:
        """What the customer pays."""
        return self.sale.terms.price


class Valid(msgspec.Struct, frozen=True):
    """The order would be admitted, for this price."""

    price: Price


async def admit(
    deps: Deps, storefront_id: str, mode: Mode, body: Body, idempotency_key: str, *, key_id: str | None = None
) -> Admitted | Problem:
    """Admit an order, or say why not; a problem does not use the key up.

    ``idempotency_key`` was checked for its form, ``body`` by its type. ``key_id`` is the API key that asks: its mandate
    bounds the order. The caller then runs ``orders.process.start(deps, order_id)``; a worker does so later if it does
    not come to it.
    """
    request = digest_of("POST /v1/orders", body)
    async with one_at_a_time(storefront_id, mode, idempotency_key):
        if isinstance(body, (OrderForPlan, OrderForQuote)) and may_be_fast(deps):
            fast = await _fast(deps, storefront_id, mode, body, idempotency_key, request, key_id)
            if fast is not None:
                return fast
        if (known := await keyed(deps, storefront_id, mode, idempotency_key, request)) is not None:
            return known
        offered = await offered_for(deps, storefront_id, mode, body)
        if isinstance(offered, Problem):
            # Another process may have admitted the very same meanwhile.
            return await keyed(deps, storefront_id, mode, idempotency_key, request) or offered
        now = deps.clock()
        new = new_order(deps, storefront_id, mode, body, offered, key_id=key_id)
        return await place(deps, new, idempotency_key, request, now)


async def validate(
    deps: Deps, storefront_id: str, mode: Mode, body: Body, *, key_id: str | None = None
) -> Valid | Problem:
    """What ``admit`` would say, without an order."""
    offered = await offered_for(deps, storefront_id, mode, body)
    if isinstance(offered, Problem):
        return offered
    reference = _given(body.reference)
    if reference is not None and await order_state_rows.reference_used(deps.pool, storefront_id, mode, reference):
        return _duplicate(reference)
    limit = await spend_rows.limit_of(deps.pool, storefront_id)
    if limit is not None:
        spent = await spend_rows.spent(deps.pool, "storefront", storefront_id, deps.clock())
        if spent + offered.sale.price_base > limit:
            return _LIMIT
    mandate = None if key_id is None else await mandate_rows.find(deps.pool, key_id)
    if mandate is not None:
        each = Money(offered.sale.price_base, offered.sale.terms.max_cost.currency)
        so_far = await spend_rows.spent_under_mandate(deps.pool, mandate.key_id, deps.clock())
        if (refusal := mandates.refusal(mandate, each, 1, so_far, deps.clock())) is not None:
            return refusal
    return Valid(api_price(offered.price))


async def place(
    deps: Deps, new: NewOrder, key: str, request: bytes, now: datetime, batch: Batch | None = None
) -> Admitted | Problem:
    """Write an order with its key and its share of what limits it; what the key has when it has one.

    With ``batch`` as many orders like it: all of them or none. Then the id of what was admitted is the batch's. This
    process goes on with it; a worker does when it was left alone for some seconds.
    """
    own = [new.id] if batch is None else batch.order_ids
    due = now + CONTINUES if deps.inline else now
    try:
        async with deps.pool.acquire() as connection, connection.transaction():
            await _topupable(connection, new)
            found = await admission_rows.admit(
                connection, new, key, request, now,
                next_poll_at=due, max_open=deps.settings.orders.max_open, batch=batch,
            )  # fmt: skip
            if found.outcome == "admitted":
                await _within_limit(connection, new, own, now)
                await _within_mandate(connection, new, own, now)
    except asyncpg.UniqueViolationError:
        known = await keyed(deps, new.storefront_id, new.mode, key, request)
        return known or _duplicate(new.reference or "")
    except _Refused as refused:
        return refused.problem
    except _NotTopupable:
        return await keyed(deps, new.storefront_id, new.mode, key, request) or NOT_TOPUPABLE
    if found.outcome != "admitted":
        return _answered(found, request)
    return Admitted(new.id if batch is None else batch.id, new=new, at=now)


async def _fast(  # noqa: PLR0911 - one for each way to go on
    deps: Deps,
    storefront_id: str,
    mode: Mode,
    body: OrderForPlan | OrderForQuote,
    key: str,
    request: bytes,
    key_id: str | None,
) -> Admitted | Problem | None:
    """Admission with the first attempt, in one statement; None where the ordinary way has to be taken."""
    plan_request = _sale_request(deps, storefront_id, mode, body)
    if isinstance(plan_request, Problem):
        return None  # the key may have an order all the same
    try:
        ready = await chosen_from_memory(deps, plan_request)
    except NoRate:
        return None
    if ready is None:
        return None
    offered = Offered("esim", ready.plan, ready.sale, plan_request.limits)
    new = new_order(deps, storefront_id, mode, body, offered, key_id=key_id)
    try:
        now = deps.clock()
        found = await write(deps, new, key, request, ready, now)
    except asyncpg.UniqueViolationError:
        return None
    if found is None:
        return None
    if found.outcome != "admitted":
        return _answered(found, request)
    return Admitted(new.id, new=new, at=now, sending=ready.send(deps, new.id))


def _answered(found: Admission, request: bytes) -> Admitted | Problem:
    """What an admission that wrote nothing says."""
    if found.outcome == "too_many_open":
        return Problem("too_many_open_orders", "too many of your orders are open; wait until some have ended")
    return _of_key(found.order_id or "", found.request, request)


def _of_key(order_id: str, before: bytes | None, request: bytes) -> Admitted | Problem:
    if before != request:
        return Problem("idempotency_mismatch", "this Idempotency-Key was used for another request")
    return Admitted(order_id, replayed=True)


async def keyed(deps: Deps, storefront_id: str, mode: Mode, key: str, request: bytes) -> Admitted | Problem | None:
    """The order that a key has, a mismatch when it was for something else, None for a new key."""
    found = await order_state_rows.keyed(deps.pool, storefront_id, mode, key)
    if found is None:
        return None
    return _of_key(*found, request)


def digest_of(route: str, body: msgspec.Struct) -> bytes:
    """32 bytes that are equal for equal requests."""
    return sha256(route.encode() + b"\n" + msgspec.json.encode(body, order="sorted")).digest()


def new_id() -> str:
    """An order's id."""
    return f"ord_{secrets.token_hex(12)}"


def sealed_email(deps: Deps, body: OrderOptions) -> tuple[bytes | None, bytes | None]:
    """The customer's address sealed, and its digest."""
    customer = _given(body.customer)
    email = None if customer is None else _given(customer.email)
    if email is None:
        return None, None
    return deps.seal.seal(email), deps.seal.digest(email.casefold())


def customer_language(body: OrderOptions) -> str | None:
    """The language that the storefront said for its customer."""
    customer = _given(body.customer)
    return None if customer is None else _given(customer.language)


async def offered_for(deps: Deps, storefront_id: str, mode: Mode, body: Body, orders: int = 1) -> Offered | Problem:
    """What an order, or each of so many orders for a plan, would be sold, or the problem that it would meet."""
    try:
        if isinstance(body, (OrderForPlan, OrderForQuote)):
            return await _offered_plan(deps, storefront_id, mode, body, orders)
        return await _offered_item(deps, storefront_id, mode, body)
    except NoRate as error:
        return no_rate(error, "/max_price/currency")


async def _offered_plan(
    deps: Deps, storefront_id: str, mode: Mode, body: OrderForPlan | OrderForQuote, orders: int
) -> Offered | Problem:
    request = _sale_request(deps, storefront_id, mode, body)
    if isinstance(request, Problem):
        return request
    found = await sale(deps, msgspec.structs.replace(request, orders=orders))
    return found if isinstance(found, Problem) else Offered("esim", sold_plan(deps, found), found, request.limits)


async def _offered_item(
    deps: Deps, storefront_id: str, mode: Mode, body: OrderForNumber | OrderForGood
) -> Offered | Problem:
    request = await asked_for(deps, mode, body)
    if isinstance(request, Problem):
        return request
    source = source_of(mode, request.item)
    if source is None:
        return Problem("no_plan", f"no {request.kind} is sold here")
    limits = _limits(body)
    found = await sale(deps, SaleRequest(storefront_id, source, limits, max_price_of(body)))
    return found if isinstance(found, Problem) else Offered(request.kind, request.item, found, limits, request.fields)


def _limits(body: Body, wanted: Wanted | None = None) -> Limits:
    choice = _given(body.suppliers)
    only = tuple(_given(choice.only) or ()) if choice is not None else ()
    ignore = tuple(_given(choice.ignore) or ()) if choice is not None else ()
    return Limits(wanted or Wanted(), only, ignore)


def max_price_of(body: OrderOptions) -> Money | None:
    """The most that an order's body allows the price to be."""
    limit = _given(body.max_price)
    return None if limit is None else Money(Decimal(limit.amount), limit.currency)


def _sale_request(
    deps: Deps, storefront_id: str, mode: Mode, body: OrderForPlan | OrderForQuote
) -> SaleRequest | Problem:
    try:
        wanted = Wanted() if body.features is UNSET else wanted_rules.read(body.features)
    except InvalidFeature as error:
        return _invalid_feature(error)
    if isinstance(body, OrderForPlan):
        return SaleRequest(storefront_id, PlanSource(mode, body.plan_id), _limits(body, wanted), max_price_of(body))
    try:
        quote = open_quote(body.quote_id, deps.settings, storefront=storefront_id, mode=mode, now=deps.clock())
    except QuoteExpired:
        return Problem("quote_expired", "the quote has expired; ask for a new one")
    except QuoteUnknown:
        return Problem("not_found", "there is no such quote")
    try:
        both = wanted_rules.both(wanted, quote.wanted)
    except InvalidFeature as error:
        return _invalid_feature(error)
    source, limits = PlanSource(mode, quote.plan_id), _limits(body, both)
    return SaleRequest(storefront_id, source, limits, max_price_of(body), quote.price, quote.max_cost)


def _invalid_feature(error: InvalidFeature) -> Problem:
    return Problem("invalid", f"features/{error}", ((f"/features/{error.feature}", error.detail),))


def new_order(
    deps: Deps,
    storefront_id: str,
    mode: Mode,
    body: Body | TopupForPlan | TopupForOption,
    offered: Offered,
    target_esim_id: str | None = None,
    bound: Bound | None = None,
    *,
    key_id: str | None = None,
) -> NewOrder:
    """The order as it is written: what is sold, what it may cost, and what the storefront said of it."""
    email, digest = sealed_email(deps, body)
    return NewOrder(
        id=new_id(),
        storefront_id=storefront_id,
        mode=mode,
        kind=offered.kind,
        reference=_given(body.reference),
        plan_id=offered.item.id,
        plan=offered.item,
        price=offered.price,
        price_base=offered.sale.price_base,
        max_cost=offered.sale.terms.max_cost,
        wanted=offered.limits.wanted,
        only_suppliers=list(offered.limits.only),
        ignore_suppliers=list(offered.limits.ignore),
        metadata=_given(body.metadata) or {},
        email=email,
        email_digest=digest,
        customer_language=customer_language(body),
        fields=deps.seal.seal(msgspec.json.encode(offered.fields)) if offered.fields else None,
        target_esim_id=target_esim_id,
        bound=bound,
        key_id=key_id,
    )


async def _within_limit(connection: Connection, new: NewOrder, own: Sequence[str], now: datetime) -> None:
    limit = await spend_rows.limit_of(connection, new.storefront_id)
    amount = new.price_base * len(own)
    if limit is not None and not await spend_rows.spend(
        connection, "storefront", new.storefront_id, amount, limit, now, *own
    ):
        raise _Refused(_LIMIT)


async def _within_mandate(connection: Connection, new: NewOrder, own: Sequence[str], now: datetime) -> None:
    mandate = None if new.key_id is None else await mandate_rows.lock(connection, new.key_id)
    if mandate is None:
        return
    spent = await spend_rows.spent_under_mandate(connection, mandate.key_id, now)
    each = Money(new.price_base, new.max_cost.currency)
    if (problem := mandates.refusal(mandate, each, len(own), spent, now)) is not None:
        raise _Refused(problem)


def _given(value: T | UnsetType) -> T | None:
    return None if isinstance(value, UnsetType) else value


class _Refused(Exception):  # noqa: N818 - undoes the transaction
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


async def _topupable(connection: Connection, new: NewOrder) -> None:
    """Hold the eSIM of a top-up against a cancel until the order is written."""
    if new.target_esim_id is not None and await esim_lock_rows.topup_refusal(connection, new.target_esim_id):
        raise _NotTopupable


class _NotTopupable(Exception):  # noqa: N818 - undoes the transaction
    pass


NOT_TOPUPABLE = Problem(
    "not_topupable", "this eSIM is cancelled, revoked or expired, or its cancellation was requested"
)
_LIMIT = Problem("spend_limit", "the daily spend limit is reached")


def _duplicate(reference: str) -> Problem:
    what = "an order has this reference already"
    return Problem("duplicate_reference", what, (("/reference", what),) if reference else ())


_waiting: dict[tuple[str, str, str], tuple[asyncio.Lock, list[None]]] = {}


@asynccontextmanager
async def one_at_a_time(storefront_id: str, mode: str, key: str) -> AsyncIterator[None]:
    """Requests of this process under one key go one after the other; over processes the key's row decides."""
    name = (storefront_id, mode, key)
    lock, users = _waiting.setdefault(name, (asyncio.Lock(), []))
    users.append(None)
    try:
        async with lock:
            yield
    finally:
        users.pop()
        if not users:
            _waiting.pop(name, None)
