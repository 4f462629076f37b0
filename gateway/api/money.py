"""Our money at the suppliers over HTTP: balances, their books beside ours, deposits."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from gateway.api import state
from gateway.api.changes import actor_of
from gateway.api.ordering import deps_of, refusal, run_to_completion
from gateway.api.paging import json_answer
from gateway.api.parameters import NoParameters, PageParameters
from gateway.api.problems import Refusal
from gateway.api.reading import clamped, read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.api.suppliers import SUPPLIER_PART
from gateway.kit.problem import Problem
from gateway.ledger import deposits, money
from gateway.suppliers.supplier_list_rows import is_supplier
from schemas.api import SupplierName
from schemas.api_money import (
    DepositShown,
    MovementKind,
    NewDeposit,
    RefreshRequest,
    SupplierLedgerPage,
    SupplierMoney,
    SupplierTransaction,
)
from schemas.money import Money
from schemas.page import Page

routes = Table()

_FIRST_DAY = date(2000, 1, 1)
_Supplier = Annotated[SupplierName, Meta(description="Only this supplier.")]
_Mode = Annotated[Literal["live", "test"], Meta(description="Only suppliers in this mode.")]


class MoneyParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Our money at the suppliers."""

    mode: _Mode | UnsetType = UNSET


class TransactionParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The suppliers' books."""

    supplier: _Supplier | UnsetType = UNSET
    kind: Annotated[MovementKind, Meta(description="Only lines of this kind.")] | UnsetType = UNSET
    since: Annotated[datetime, Meta(tz=True, description="Only lines from this time on.")] | UnsetType = UNSET
    mode: _Mode | UnsetType = UNSET


class LedgerParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The comparison of a statement with the ledger for some days."""

    last: Annotated[date, Meta(description="The last of the days (UTC); today by default.")] | UnsetType = UNSET
    days: Annotated[int, Meta(ge=1, le=money.MOST_DAYS, description="How many days.")] = money.USUAL_DAYS
    differing: Annotated[bool, Meta(description="Only lines that differ or are open.")] = False


class DepositParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Deposits."""

    supplier: _Supplier | UnsetType = UNSET
    mode: _Mode | UnsetType = UNSET


@routes(
    "GET", "/v1/ops/money",
    access="ops:read", tag="money", answer=Page[SupplierMoney],
    parameters=MoneyParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_money(request: web.Request) -> web.Response:
    """Balances at the suppliers and ways to deposit.

    Balances with their parts, the amount that can be spent now, the days left, the deposit methods, and how far each
    supplier's statement was read.
    """
    sent = read_query(request, MoneyParameters)
    return json_answer(await money.of_all(deps_of(request), sent.page, unset_to_none(sent.mode)))


@routes(
    "POST", "/v1/ops/money/refresh",
    access="ops", tag="money", answer=Page[SupplierMoney],
    parameters=NoParameters, bodies=(RefreshRequest,), body_optional=True,
    problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def refresh_money(request: web.Request) -> web.Response:
    """Refresh the balances now.

    Reads the balances and statements of one supplier or of all; 25 seconds at most. Offers that a deposit makes
    affordable are sold again within two seconds. One page has them all.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, RefreshRequest, optional=True)
    deps, name = deps_of(request), unset_to_none(sent.supplier)
    if name is not None and not await is_supplier(deps.pool, name):
        raise Refusal("not_found", "there is no such supplier")
    await money.refresh(deps, None if name is None else [name])
    await request.app[state.CATALOG].refresh()
    names = [name] if name is not None else sorted(deps.accounts)
    return json_answer(Page.complete(await money.of(deps, names)))


@routes(
    "GET", "/v1/ops/transactions",
    access="ops:read", tag="money", answer=Page[SupplierTransaction],
    parameters=TransactionParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_transactions(request: web.Request) -> web.Response:
    """List the suppliers' statements, the newest first.

    Read every ten minutes, each line once. For a supplier that lists no transactions these are the charges of its
    orders.
    """
    sent = read_query(request, TransactionParameters)
    since = unset_to_none(sent.since)
    found = await money.transactions(
        deps_of(request),
        sent.page,
        supplier=unset_to_none(sent.supplier),
        kind=unset_to_none(sent.kind),
        since=None if since is None else clamped(since),
        mode=unset_to_none(sent.mode),
    )
    return json_answer(found)


@routes(
    "GET", "/v1/ops/suppliers/{name}/ledger",
    access="ops:read", tag="money", answer=SupplierLedgerPage,
    parts=SUPPLIER_PART, parameters=LedgerParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_ledger(request: web.Request) -> web.Response:
    """Compare a supplier's statement with the ledger.

    Order by order, each difference with its kind; deposits and corrections are listed separately. As far as the
    statement was read: `reconcile` reads it again.
    """
    sent = read_query(request, LedgerParameters)
    deps, name = deps_of(request), request.match_info["name"]
    today = money.usual_days(deps.clock())[1]
    last = min(max(unset_to_none(sent.last) or today, _FIRST_DAY), today + timedelta(days=1))
    first = last - timedelta(days=sent.days - 1)
    found = await money.ledger(deps, name, first, last, sent.page, differing=sent.differing)
    if found is None:
        raise Refusal("not_found", "there is no such supplier")
    return json_answer(found)


@routes(
    "GET", "/v1/ops/deposits",
    access="ops:read", tag="money", answer=Page[DepositShown],
    parameters=DepositParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_deposits(request: web.Request) -> web.Response:
    """List deposits, the newest first.

    Those that operators began here. One that was made at the supplier itself stands in its statement alone.
    """
    sent = read_query(request, DepositParameters)
    deps = deps_of(request)
    found = await money.deposits_begun(
        deps, sent.page, supplier=unset_to_none(sent.supplier), mode=unset_to_none(sent.mode)
    )
    return json_answer(found)


@routes(
    "POST", "/v1/ops/deposits",
    access="ops", tag="money", status=201, answer=DepositShown, parameters=NoParameters, bodies=(NewDeposit,),
    problems=("not_found", "conflict", "not_supported", "invalid", "unavailable"),
)  # fmt: skip
async def begin_deposit(request: web.Request) -> web.Response:
    """Start a deposit.

    The supplier returns a payment page (`url`); no money moves before it is paid. The balance is then polled every
    minute for an hour. 501 says what to do where a supplier takes no deposits online.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, NewDeposit)
    amount = Money(Decimal(sent.amount.amount), sent.amount.currency)
    made = await run_to_completion(deposits.begin(deps_of(request), sent.supplier, sent.way, amount, actor_of(request)))
    if isinstance(made, Problem):
        raise refusal(made)
    return json_answer(money.deposit_shown(made), status=201)
