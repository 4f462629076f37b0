"""Checkouts in the database: writing one with its key, holding one while it is decided, and moving it on.

``step`` grows with every change, and whoever looked at a checkout before names the step that he saw.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.access.key_rows import Mode
from gateway.checkouts.checkout_rules import CheckoutNow, State
from gateway.kit.pool import Connection, Pool
from schemas.money import Money

_CHECKOUT = """
    SELECT c.id, c.storefront_id, c.mode, c.state, c.open_cases, c.reference, c.plan_id, c.plan, c.price, c.currency,
           c.price_base, c.max_cost, c.base_currency, c.wanted, c.email, c.email_digest,
           c.customer_language, c.metadata, c.language, c.return_url, c.account, c.link_id, c.payment_url,
           c.gone_since, c.settled_link, c.step, c.polls,
           c.next_poll_at, c.expires_at, c.created_at, o.id AS order_id, o.status AS order_status, p.id AS accepted
    FROM checkouts c LEFT JOIN orders o ON o.checkout_id = c.id
    LEFT JOIN payments p ON p.checkout_id = c.id AND p.accepted
"""


class CheckoutRow(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout as the flows need it, with the order that it placed and the payment that was accepted for it."""

    id: str
    storefront_id: str
    mode: Mode
    state: State
    open_cases: int
    reference: str | None
    plan_id: str
    plan: dict[str, Any]
    price: Decimal
    currency: str
    price_base: Decimal
    max_cost: Decimal
    base_currency: str
    wanted: dict[str, Any]
    email: bytes | None
    email_digest: bytes | None
    customer_language: str | None
    metadata: dict[str, Any]
    language: str
    return_url: str | None
    account: str
    link_id: str | None
    payment_url: str | None
    gone_since: datetime | None
    settled_link: bool
    step: int
    polls: int
    next_poll_at: datetime | None
    expires_at: datetime
    created_at: datetime
    order_id: str | None
    order_status: str | None
    accepted: str | None

    @property
    def status(self) -> str:
        """What the storefront is told."""
        return "needs_review" if self.open_cases else self.state

    @property
    def money(self) -> Money:
        """The price."""
        return Money(self.price, self.currency)

    @property
    def now(self) -> CheckoutNow:
        """What the decisions need of it."""
        return CheckoutNow(
            id=self.id,
            state=self.state,
            price=self.money,
            test=self.mode == "test",
            created_at=self.created_at,
            expires_at=self.expires_at,
            link_id=self.link_id,
            accepted=self.accepted,
            order_id=self.order_id,
            polls=self.polls,
            gone_since=self.gone_since,
            settled=self.settled_link,
        )


class NewCheckout(msgspec.Struct, frozen=True, kw_only=True):
    """What admission writes. ``price_base`` and ``max_cost`` are in base currency; ``email`` is sealed."""

    id: str
    storefront_id: str
    mode: Mode
    reference: str | None
    plan_id: str
    plan: Any
    price: Money
    price_base: Decimal
    max_cost: Money
    wanted: Any
    email: bytes | None
    email_digest: bytes | None
    customer_language: str | None
    metadata: Any
    language: str
    return_url: str | None
    account: str
    expires_at: datetime


async def add(
    connection: Connection, new: NewCheckout, key: str, request: bytes, now: datetime, next_poll_at: datetime
) -> None:
    """Write a checkout with its idempotency key and the first line of its timeline, in one statement.

    Raises ``asyncpg.UniqueViolationError`` when the key or the reference was used before.
    """
    await connection.execute(
        """
        WITH made AS (
            INSERT INTO checkouts (id, storefront_id, mode, reference, plan_id, plan, price, currency, price_base,
                max_cost, base_currency, wanted, email, email_digest, metadata, language, return_url, account,
                expires_at, next_poll_at, created_at, updated_at, customer_language)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                $21, $24) RETURNING id
        ), keyed AS (
            INSERT INTO idempotency_keys (storefront_id, mode, key, request, checkout_id, created_at)
            SELECT $2, $3, $22, $23, id, $21 FROM made
        )
        INSERT INTO checkout_events (checkout_id, at, type) SELECT id, $21, 'admitted' FROM made
        """,
        new.id,
        new.storefront_id,
        new.mode,
        new.reference,
        new.plan_id,
        new.plan,
        new.price.amount,
        new.price.currency,
        new.price_base,
        new.max_cost.amount,
        new.max_cost.currency,
        new.wanted,
        new.email,
        new.email_digest,
        new.metadata,
        new.language,
        new.return_url,
        new.account,
        new.expires_at,
        next_poll_at,
        now,
        key,
        request,
        new.customer_language,
    )


async def reference_used(connection: Connection | Pool, storefront_id: str, mode: Mode, reference: str) -> bool:
    """Whether the storefront named a checkout so before."""
    return bool(
        await connection.fetchval(
            "SELECT true FROM checkouts WHERE storefront_id = $1 AND mode = $2 AND reference = $3",
            storefront_id,
            mode,
            reference,
        )
    )


async def load(connection: Connection | Pool, checkout_id: str) -> CheckoutRow | None:
    """One checkout."""
    row = await connection.fetchrow(_CHECKOUT + " WHERE c.id = $1", checkout_id)
    return None if row is None else CheckoutRow(**dict(row))


async def lock(connection: Connection, checkout_id: str) -> CheckoutRow | None:
    """One checkout, held until the end of the caller's transaction, as it is once it is held."""
    locked_id = await connection.fetchval("SELECT id FROM checkouts WHERE id = $1 FOR UPDATE", checkout_id)
    return None if locked_id is None else await load(connection, checkout_id)


async def named(
    connection: Connection | Pool, account: str, checkout_id: str | None, link_id: str | None
) -> str | None:
    """The checkout at this account that a notification names: by our id, else by the link."""
    found: str | None = await connection.fetchval(
        """SELECT id FROM checkouts WHERE account = $1 AND (id = $2 OR link_id = $3)
           ORDER BY (id = $2) IS TRUE DESC LIMIT 1""",
        account,
        checkout_id,
        link_id,
    )
    return found


async def move(
    connection: Connection,
    checkout_id: str,
    *,
    now: datetime,
    state: State | None = None,
    next_poll_at: datetime | None = None,
    keep_schedule: bool = False,
    link_id: str | None = None,
    payment_url: str | None = None,
    failure_code: str | None = None,
    failure_detail: str | None = None,
    gone_since: datetime | None = None,
    settled_link: bool = False,
    fee_base: Decimal | None = None,
    paid_at: datetime | None = None,
) -> None:
    """Move a checkout on, under ``lock``. A link that is there stays; None leaves what it stands for.

    ``gone_since`` is as it is given: a link that is there again is not gone.
    """
    await connection.execute(
        """UPDATE checkouts SET state = coalesce($3, state), step = step + 1, updated_at = $2,
               polls = CASE WHEN $5 THEN polls ELSE 0 END,
               next_poll_at = CASE WHEN $5 THEN next_poll_at ELSE $4 END,
               link_id = coalesce(link_id, $6), payment_url = coalesce(payment_url, $7),
               failure_code = coalesce($8, failure_code), failure_detail = coalesce($9, failure_detail),
               gone_since = $10, settled_link = settled_link OR $11,
               fee_base = coalesce(fee_base, $12), paid_at = coalesce(paid_at, $13)
           WHERE id = $1""",
        checkout_id,
        now,
        state,
        next_poll_at,
        keep_schedule,
        link_id,
        payment_url,
        failure_code,
        failure_detail,
        gone_since,
        settled_link,
        fee_base,
        paid_at,
    )


async def record_poll(
    connection: Connection,
    checkout_id: str,
    next_poll_at: datetime | None,
    gone_since: datetime | None,
    *,
    settled: bool,
) -> None:
    """Note a look that changed nothing else, under ``lock``."""
    await connection.execute(
        """UPDATE checkouts SET next_poll_at = $2, gone_since = $3,
                  settled_link = settled_link OR $4 WHERE id = $1""",
        checkout_id,
        next_poll_at,
        gone_since,
        settled,
    )


async def claim_poll(pool: Pool, checkout: CheckoutRow, until: datetime) -> bool:
    """Take the next look upon us until then; False when somebody else took it or the checkout moved."""
    return bool(
        await pool.fetchval(
            """UPDATE checkouts SET polls = polls + 1, next_poll_at = $4
               WHERE id = $1 AND step = $2 AND polls = $3 AND next_poll_at IS NOT NULL RETURNING true""",
            checkout.id,
            checkout.step,
            checkout.polls,
            until,
        )
    )


async def due(pool: Pool, now: datetime, most: int) -> list[str]:
    """Checkouts whose time to be looked at has come, the longest due first."""
    rows = await pool.fetch(
        "SELECT id FROM checkouts WHERE next_poll_at <= $1 ORDER BY next_poll_at LIMIT $2", now, most
    )
    return [row["id"] for row in rows]


async def add_event(connection: Connection, checkout_id: str, at: datetime, event: str, **detail: Any) -> None:
    """A line in a checkout's timeline, for those who run the shop."""
    kept = {name: value for name, value in detail.items() if value is not None}
    await connection.execute(
        "INSERT INTO checkout_events (checkout_id, at, type, detail) VALUES ($1, $2, $3, $4)",
        checkout_id,
        at,
        event,
        kept,
    )
