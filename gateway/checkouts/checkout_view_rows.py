"""Checkouts and cases as they are looked at. Nothing is changed here.

``StorefrontScope`` is in every question about a storefront's checkouts; without it (None) it is an operator's question.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from gateway.access.key_rows import Mode
from gateway.checkouts.payment_rows import CaseRow
from gateway.kit.pages import PageRequest, SortKey, SortOrders, columns
from gateway.kit.pool import Connection, Pool
from gateway.orders.order_view_rows import StorefrontScope
from schemas.checkouts import CheckoutEvent
from schemas.money import Money
from schemas.page import Page


class CheckoutView(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout as it stands. ``review_reason`` is of the case that waits the longest."""

    id: str
    storefront_id: str
    storefront: str
    mode: Mode
    state: str
    status: str
    reference: str | None
    plan: dict[str, Any]
    price: Decimal
    currency: str
    price_base: Decimal
    base_currency: str
    language: str
    return_url: str | None
    account: str
    link_id: str | None
    payment_url: str | None
    failure_code: str | None
    failure_detail: str | None
    fee_base: Decimal | None
    metadata: dict[str, Any]
    has_email: bool
    next_poll_at: datetime | None
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    paid_at: datetime | None
    order_id: str | None
    order_status: str | None
    review_reason: str | None
    review_since: datetime | None

    @property
    def money(self) -> Money:
        """The price."""
        return Money(self.price, self.currency)


_STATUS = "(CASE WHEN c.open_cases > 0 THEN 'needs_review' ELSE c.state END)"  # as its index has it
_SELECT = f"""
    SELECT c.id, c.storefront_id, s.name AS storefront, c.mode, c.state, {_STATUS} AS status, c.reference, c.plan,
           c.price, c.currency, c.price_base, c.base_currency, c.language, c.return_url, c.account, c.link_id,
           c.payment_url, c.failure_code, c.failure_detail, c.fee_base, c.metadata, c.email IS NOT NULL AS has_email,
           c.next_poll_at, c.expires_at, c.created_at, c.updated_at, c.paid_at,
           o.id AS order_id, o.status AS order_status, k.reason AS review_reason, k.opened_at AS review_since
    FROM checkouts c JOIN storefronts s ON s.id = c.storefront_id
    LEFT JOIN orders o ON o.checkout_id = c.id
    LEFT JOIN LATERAL (SELECT reason, opened_at FROM payment_cases
        WHERE c.open_cases > 0 AND checkout_id = c.id AND closed_at IS NULL ORDER BY opened_at, id LIMIT 1) k ON true
"""  # noqa: S608 - our own words
# "price" sorts by the price in base currency.
SORTS = SortOrders(
    at=(SortKey("c.created_at", datetime, descending=True), SortKey("c.id", str)),
    price=(SortKey("c.price_base", Decimal), SortKey("c.id", str)),
)
_PAGE = """
      AND (c.created_at < $3 OR c.created_at = $3 AND c.id > $4)
    ORDER BY c.created_at DESC, c.id LIMIT $5
"""


async def by_id(pool: Pool | Connection, checkout_id: str, scope: StorefrontScope | None) -> CheckoutView | None:
    """The checkout of that id; None when there is none, or it is another's."""
    row = await pool.fetchrow(
        _SELECT
        + "WHERE c.id = $1 AND ($2::text IS NULL OR c.storefront_id = $2) AND ($3::text IS NULL OR c.mode = $3)",
        checkout_id,
        scope.storefront_id if scope else None,
        scope.mode if scope else None,
    )
    return None if row is None else _view(row)


async def newest_first(
    pool: Pool,
    scope: StorefrontScope,
    page_request: PageRequest,
    *,
    status: str | None = None,
    reference: str | None = None,
) -> Page[CheckoutView]:
    """A storefront's checkouts, the newest first."""
    rows = await pool.fetch(
        _SELECT
        + f"""WHERE c.storefront_id = $1 AND c.mode = $2
               AND ($6::text IS NULL OR {_STATUS} = $6) AND ($7::text IS NULL OR c.reference = $7)"""
        + _PAGE,
        *scope,
        *page_request.before(datetime, str),
        page_request.fetch,
        status,
        reference,
    )
    return page_request.page(rows, columns("created_at", "id")).map(_view)


async def of_all(
    pool: Pool,
    page_request: PageRequest,
    *,
    mode: str | None = None,
    status: str | None = None,
    storefront: str | None = None,
) -> Page[CheckoutView]:
    """All storefronts' checkouts, the newest first or as the page is sorted; a storefront by its name."""
    arguments: list[Any] = [status, mode, storefront]
    keyset = SORTS.keyset(page_request, arguments)
    rows = await pool.fetch(
        _SELECT
        + f"""WHERE ($1::text IS NULL OR {_STATUS} = $1) AND ($2::text IS NULL OR c.mode = $2)
               AND ($3::text IS NULL OR s.name = $3) AND {keyset.condition}
             ORDER BY {keyset.order} LIMIT ${len(arguments) + 1}""",
        *arguments,
        page_request.fetch,
    )
    return page_request.page(rows, keyset.key).map(_view)


async def find(pool: Pool, text: str, most: int = 10) -> list[CheckoutView]:
    """Checkouts that a text names: by id, reference, link or payment; the newest first."""
    rows = await pool.fetch(
        _SELECT  # noqa: S608 - our own words
        + """JOIN (
                 (SELECT id FROM checkouts WHERE id = $1)
                 UNION (SELECT id FROM checkouts WHERE reference = $1 LIMIT $2)
                 UNION (SELECT id FROM checkouts WHERE link_id = $1 LIMIT $2)
                 UNION (SELECT checkout_id FROM payments WHERE id = $1 OR payment_id = $1 LIMIT $2)
             ) named ON named.id = c.id ORDER BY c.created_at DESC, c.id LIMIT $2""",
        text,
        most,
    )
    return [_view(row) for row in rows]


async def events(pool: Pool, checkout_id: str) -> list[CheckoutEvent]:
    """What happened to a checkout, the oldest first."""
    rows = await pool.fetch(
        "SELECT at, type, detail FROM checkout_events WHERE checkout_id = $1 ORDER BY id", checkout_id
    )
    return [CheckoutEvent(at=row["at"], type=row["type"], detail=row["detail"]) for row in rows]


async def open_cases(
    pool: Pool, page_request: PageRequest, *, mode: str | None = None, reason: str | None = None
) -> Page[CaseRow]:
    """What waits for an operator, the longest first."""
    rows = await pool.fetch(
        """SELECT id, checkout_id, payment_id, reason, detail, mode, opened_at, closed_at, outcome, note
           FROM payment_cases WHERE closed_at IS NULL
             AND ($1::text IS NULL OR mode = $1) AND ($2::text IS NULL OR reason = $2)
             AND (opened_at > $3 OR opened_at = $3 AND id > $4)
           ORDER BY opened_at, id LIMIT $5""",
        mode,
        reason,
        *page_request.after(datetime, str),
        page_request.fetch,
    )
    return page_request.page(rows, columns("opened_at", "id")).map(lambda row: CaseRow(**dict(row)))


async def waiting(pool: Pool, mode: str) -> tuple[int, datetime | None]:
    """How many cases wait for an operator, and since when the longest does."""
    row = await pool.fetchrow(
        "SELECT count(*) AS count, min(opened_at) AS since FROM payment_cases WHERE closed_at IS NULL AND mode = $1",
        mode,
    )
    return (row["count"], row["since"]) if row is not None else (0, None)


def _view(row: asyncpg.Record) -> CheckoutView:
    return CheckoutView(**dict(row))
