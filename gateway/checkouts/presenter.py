"""Checkouts as their storefront, or whoever runs the shop, sees them: one set of figures for API, console, commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from gateway.checkouts import checkout_view_rows, payment_rows
from gateway.checkouts.checkout_rules import PLACEABLE, WORDS
from gateway.checkouts.checkout_view_rows import CheckoutView
from gateway.checkouts.payment_rows import CaseRow, PaymentRow
from gateway.kit.pages import PageRequest, price_of
from gateway.orders import order_presenter
from gateway.orders.order_view_rows import StorefrontScope
from gateway.suppliers.deps import Deps
from schemas.api import Plan
from schemas.checkouts import (
    Checkout,
    CheckoutFailure,
    CheckoutPayment,
    CheckoutReview,
    OpsCheckout,
    PaymentCase,
)
from schemas.money import Money
from schemas.page import Page


async def checkout(deps: Deps, checkout_id: str, scope: StorefrontScope) -> Checkout | None:
    """A storefront's checkout; None when it has none of that id."""
    row = await checkout_view_rows.by_id(deps.pool, checkout_id, scope)
    return None if row is None else present(row, deps.clock())


def present(row: CheckoutView, now: datetime) -> Checkout:
    """A checkout as its storefront sees it."""
    return Checkout(**_fields(row, now))


async def ops_checkout(deps: Deps, checkout_id: str) -> OpsCheckout | None:
    """Any storefront's checkout; None when there is none of that id."""
    row = await checkout_view_rows.by_id(deps.pool, checkout_id, None)
    return None if row is None else (await ops_checkouts(deps, [row]))[0]


async def ops_checkouts(deps: Deps, rows: Sequence[CheckoutView]) -> list[OpsCheckout]:
    """Checkouts with their payments and cases, and what is left of each price after fee and cost."""
    ids = [row.id for row in rows]
    paid = await payment_rows.of_checkouts(deps.pool, ids)
    cases = await payment_rows.cases_of(deps.pool, ids)
    lines = await order_presenter.lines(deps, [row.order_id for row in rows if row.order_id is not None])
    margins = {line.order.id: line.margin for line in lines}
    by_id = {payment.id: payment for payment in paid}
    now = deps.clock()
    found = []
    for row in rows:
        margin = margins.get(row.order_id or "")
        fee = None if row.fee_base is None else Money(row.fee_base, row.base_currency)
        found.append(
            OpsCheckout(
                **_fields(row, now),
                storefront=row.storefront,
                mode=row.mode,
                account=row.account,
                link_id=row.link_id,
                order_status=row.order_status,
                fee=price_of(fee),
                margin=None if margin is None else price_of(Money(margin.amount, row.base_currency)),
                payments=[_payment(payment) for payment in paid if payment.checkout_id == row.id],
                cases=[_case(case, by_id) for case in cases if case.checkout_id == row.id],
                next_look_at=row.next_poll_at,
            )
        )
    return found


async def waiting(
    deps: Deps, page_request: PageRequest, *, mode: str | None = None, reason: str | None = None
) -> Page[PaymentCase]:
    """What waits for an operator, the longest first."""
    found = await checkout_view_rows.open_cases(deps.pool, page_request, mode=mode, reason=reason)
    return found.of(await cases(deps, found.data))


async def cases(deps: Deps, rows: Sequence[CaseRow]) -> list[PaymentCase]:
    """Cases with the payments that they are about."""
    by_id = await payment_rows.by_ids(deps.pool, [row.payment_id for row in rows if row.payment_id is not None])
    return [_case(row, by_id) for row in rows]


async def case(deps: Deps, case_id: str) -> PaymentCase | None:
    """One case."""
    row = await payment_rows.case(deps.pool, case_id)
    return None if row is None else (await cases(deps, [row]))[0]


def may_place(found: OpsCheckout, case_: PaymentCase) -> bool:
    """Whether an operator may have the order placed for a case of this checkout."""
    return case_.closed_at is None and found.order_id is None and case_.reason in PLACEABLE


def _fields(row: CheckoutView, now: datetime) -> dict[str, Any]:
    open_now = row.status == "open" and now < row.expires_at
    review = failure = None
    if row.review_reason is not None:
        review = msgspec.convert({"reason": row.review_reason, "since": row.review_since}, CheckoutReview)
    if row.failure_code is not None:
        failure = msgspec.convert({"code": row.failure_code, "detail": row.failure_detail or ""}, CheckoutFailure)
    return {
        "id": row.id,
        "status": row.status,
        "plan": msgspec.convert(row.plan, Plan),
        "price": price_of(row.money),
        "payment_url": row.payment_url if open_now else None,
        "expires_at": row.expires_at,
        "order_id": row.order_id,
        "reference": row.reference,
        "language": row.language,
        "return_url": row.return_url,
        "review": review,
        "failure": failure,
        "metadata": row.metadata,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "paid_at": row.paid_at,
    }


def _case(row: CaseRow, by_id: Mapping[str, PaymentRow]) -> PaymentCase:
    paid = None if row.payment_id is None else by_id.get(row.payment_id)
    return PaymentCase(
        id=row.id,
        reason=row.reason,
        means=WORDS[row.reason],
        detail=row.detail,
        mode=row.mode,
        checkout_id=row.checkout_id,
        payment=None if paid is None else _payment(paid),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        outcome=row.outcome,
        note=row.note,
    )


def _payment(row: PaymentRow) -> CheckoutPayment:
    amount = price_of(Money(row.amount, row.currency))
    assert amount is not None  # noqa: S101 - of an amount there is a price
    return CheckoutPayment(
        id=row.id,
        supplier_payment_id=row.payment_id,
        kind=row.kind,
        state=row.state,
        amount=amount,
        test=row.test,
        accepted=row.accepted,
        paid_at=row.paid_at,
        received_at=row.received_at,
    )
