"""Finding orders among very many: by filters, the newest first or otherwise sorted, and by what people have in hand.

Every question here stands on an index: ids are found first, and only what a page shows is fetched for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.kit.pages import PageRequest, SortKey, SortOrders
from gateway.kit.pool import Connection, Pool
from schemas.page import Page

MOST_FOUND = 50


class OrderFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders; None asks for nothing. ``storefront`` is a storefront's id, ``supplier`` was asked to sell.

    They were created at ``since`` or later and before ``until``. ``emails`` are the keyed digests of one address, and
    all of ``metadata`` stands in the order's.
    """

    mode: str | None = None
    status: str | None = None
    kind: str | None = None
    supplier: str | None = None
    storefront: str | None = None
    reference: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    emails: Sequence[bytes] | None = None
    metadata: Sequence[tuple[str, str]] = ()


# "at" is the list's own order; "price" sorts by the price in base currency.
SORTS = SortOrders(
    at=(SortKey("o.created_at", datetime, descending=True), SortKey("o.id", str)),
    price=(SortKey("o.price_base", Decimal), SortKey("o.id", str)),
)
_COLUMNS = {"mode": "mode", "status": "status", "kind": "kind", "storefront": "storefront_id", "reference": "reference"}


class ListedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a line of a list. Costs are of its last purchase; amounts in base currency end in ``_base``.

    ``charged`` and ``refunded`` are what the ledger says of all its attempts, None where nothing is booked.
    """

    id: str
    storefront_id: str
    storefront: str
    mode: str
    kind: str
    status: str
    reference: str | None
    plan_id: str
    plan: str
    price: Decimal
    currency: str
    price_base: Decimal
    base_currency: str
    refund: Decimal | None
    failure_code: str | None
    created_at: datetime
    updated_at: datetime
    supplier: str | None
    attempt_state: str | None
    listed: Decimal | None
    listed_currency: str | None
    cost_base: Decimal | None
    charged: Decimal | None
    refunded: Decimal | None
    ledger_currency: str | None
    fee_base: Decimal | None


async def page_of(pool: Pool, wanted: OrderFilter, page_request: PageRequest) -> Page[ListedOrder]:
    """The orders that are so, the newest first or as the page is sorted."""
    async with pool.acquire() as connection:
        page = await page_of_ids(connection, wanted, page_request)
        return page.of(await _listed(connection, page.data))


async def page_of_ids(connection: Connection, wanted: OrderFilter, page_request: PageRequest) -> Page[str]:
    """The ids of the orders that are so, the newest first or as the page is sorted."""
    conditions: list[str] = []
    values: list[Any] = []

    def where(condition: str, value: Any) -> None:
        values.append(value)
        conditions.append(condition.format(f"${len(values)}"))

    for name, column in _COLUMNS.items():
        value = getattr(wanted, name)
        if value is not None:
            where(f"o.{column} = {{}}", value)
    if wanted.since is not None:
        where("o.created_at >= {}", wanted.since)
    if wanted.until is not None:
        where("o.created_at < {}", wanted.until)
    if wanted.emails is not None:
        where("o.email_digest = ANY({}::bytea[])", wanted.emails)
    for key, value in wanted.metadata:
        # The second condition is that of the index.
        where("o.metadata @> {} AND o.metadata <> '{{}}'", {key: value})
    if wanted.supplier is not None:
        where("EXISTS (SELECT FROM attempts a WHERE a.order_id = o.id AND a.supplier = {})", wanted.supplier)
    keyset = SORTS.keyset(page_request, values)
    conditions.append(keyset.condition)
    values.append(page_request.fetch)
    found = f"""SELECT o.id, o.created_at, o.price_base FROM orders o WHERE {" AND ".join(conditions)}
                ORDER BY {keyset.order} LIMIT ${len(values)}"""  # noqa: S608 - our own words
    async with connection.transaction():
        # A plan that fits every supplier alike fits the one that sold three orders badly.
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        rows = await connection.fetch(found, *values)
    return page_request.page(rows, keyset.key).map(lambda row: str(row["id"]))


async def listed(pool: Pool, ids: Sequence[str]) -> list[ListedOrder]:
    """These orders as lines of a list, in the order of the ids."""
    async with pool.acquire() as connection:
        return await _listed(connection, ids)


async def find(
    pool: Pool,
    text: str,
    *,
    emails: Sequence[bytes] = (),
    iccids: Sequence[bytes] = (),
    phones: Sequence[bytes] = (),
) -> list[str]:
    """Ids of orders that the text names, the newest first and at most ``MOST_FOUND`` for each way to name them.

    By order id, our reference of an attempt, the storefront's reference, the supplier's order id, an eSIM's or a
    number's id; by the keyed digests of an e-mail address, an ICCID or a phone number, a top-up by its eSIM's.
    """
    rows = await pool.fetch(
        """WITH sims AS (
               (SELECT id, order_id FROM esims WHERE iccid_digest = ANY($3::bytea[]) LIMIT $4)
               UNION (SELECT id, order_id FROM esims WHERE id = $1)
           ), named AS (
               (SELECT id FROM orders WHERE id = $1)
               UNION (SELECT order_id FROM attempts WHERE id = $1)
               UNION (SELECT id FROM orders WHERE reference = $1 ORDER BY created_at DESC LIMIT $4)
               UNION (SELECT order_id FROM attempts WHERE supplier_order_id = $1 LIMIT $4)
               UNION (SELECT id FROM orders WHERE email_digest = ANY($2::bytea[]) ORDER BY created_at DESC LIMIT $4)
               UNION (SELECT order_id FROM sims)
               UNION (SELECT order_id FROM numbers WHERE id = $1)
               UNION (SELECT order_id FROM numbers WHERE phone_digest = ANY($5::bytea[]) LIMIT $4)
               UNION (SELECT id FROM orders WHERE target_esim_id IN (SELECT id FROM sims) LIMIT $4)
           ) SELECT o.id FROM orders o JOIN named n ON n.id = o.id ORDER BY o.created_at DESC, o.id LIMIT $4""",
        text,
        list(emails),
        list(iccids),
        MOST_FOUND,
        list(phones),
    )
    return [row["id"] for row in rows]


async def storefronts_named(pool: Pool) -> list[tuple[str, str]]:
    """Id and name of every storefront, by name."""
    return [(row["id"], row["name"]) for row in await pool.fetch("SELECT id, name FROM storefronts ORDER BY name")]


async def suppliers_named(pool: Pool) -> list[str]:
    """The names of all suppliers that were ever configured."""
    return [row[0] for row in await pool.fetch("SELECT name FROM suppliers ORDER BY name")]


async def _listed(connection: Any, ids: Sequence[str]) -> list[ListedOrder]:
    rows = await connection.fetch(
        """SELECT o.id, o.storefront_id, s.name AS storefront, o.mode, o.kind, o.status, o.reference, o.plan_id,
                  coalesce(o.plan->>'name', o.plan_id) AS plan, o.price, o.currency, o.price_base, o.base_currency,
                  o.refund, o.failure_code, o.created_at, o.updated_at, a.supplier, a.state AS attempt_state,
                  a.listed, a.currency AS listed_currency, a.cost_base, l.charged, l.refunded,
                  l.currency AS ledger_currency, c.fee_base
           FROM orders o JOIN storefronts s ON s.id = o.storefront_id LEFT JOIN checkouts c ON c.id = o.checkout_id
           LEFT JOIN LATERAL (
               SELECT supplier, state, listed, currency, cost_base FROM attempts
               WHERE order_id = o.id AND kind <> 'cancel' ORDER BY n DESC LIMIT 1) a ON true
           LEFT JOIN LATERAL (
               SELECT sum(amount) FILTER (WHERE e.kind = 'charge') AS charged,
                      sum(amount) FILTER (WHERE e.kind = 'refund') AS refunded, max(e.currency) AS currency
               FROM attempts t JOIN ledger e ON e.attempt_id = t.id WHERE t.order_id = o.id) l ON true
           WHERE o.id = ANY($1)""",
        list(ids),
    )
    found = {row["id"]: ListedOrder(**dict(row)) for row in rows}
    return [found[id_] for id_ in ids if id_ in found]
