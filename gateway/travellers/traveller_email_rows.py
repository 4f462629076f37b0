"""E-mails to customers: queued with the event they are about, claimed, sent, recorded. No address stands here."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pool import Connection, Pool

EmailKind = Literal["delivery", "usage", "topup"]
EmailStatus = Literal["pending", "sent", "bounced", "failed", "unknown", "skipped"]


class DueEmail(msgspec.Struct, frozen=True):
    """An e-mail that its claimer sends now. ``doubts`` tries were made before of which nobody knows the end.

    ``address`` is sealed, that of the order it is about, else of the order that delivered the eSIM; None where neither
    has one any more. ``plan`` is the plan of the order it is about, ``event`` the sealed body of the event.
    """

    id: str
    kind: EmailKind
    order_id: str
    esim_id: str | None
    storefront_id: str
    address: bytes | None
    language: str | None
    plan: dict[str, object]
    event: bytes | None
    tries: int
    doubts: int
    created_at: datetime
    leased_until: datetime


class StoredEmail(msgspec.Struct, frozen=True):
    """An e-mail as it is listed."""

    id: str
    order_id: str
    kind: EmailKind
    status: EmailStatus
    detail: str | None
    resent_by: str | None
    created_at: datetime
    sent_at: datetime | None


# A claim counts a try of which the last claimer recorded no end.
_CLAIM = """
    WITH taken AS (
        SELECT id FROM traveller_emails WHERE next_at <= now() ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE traveller_emails e
        SET next_at = now() + $1, sending_since = now(), doubts = doubts + (sending_since IS NOT NULL)::int
        FROM taken WHERE e.id = taken.id RETURNING e.*
    )
    SELECT c.id, c.kind, c.order_id, s.id AS esim_id, o.storefront_id, coalesce(o.email, d.email) AS address,
           coalesce(o.customer_language, d.customer_language) AS language, o.plan, v.body AS event, c.tries, c.doubts,
           c.created_at, c.next_at AS leased_until
    FROM claimed c JOIN orders o ON o.id = c.order_id LEFT JOIN orders d ON d.id = c.esim_order_id
    LEFT JOIN esims s ON s.order_id = c.esim_order_id LEFT JOIN webhook_events v ON v.id = c.event_id
"""
_LISTED = "SELECT id, order_id, kind, status, detail, resent_by, created_at, sent_at FROM traveller_emails"


async def claim(pool: Pool, lease: timedelta) -> DueEmail | None:
    """Take the e-mail that is due longest, so that nobody else sends it for as long as ``lease``; None: none is due."""
    row = await pool.fetchrow(_CLAIM, lease)
    return None if row is None else DueEmail(**dict(row))


async def record(
    pool: Pool | Connection,
    due: DueEmail,
    status: EmailStatus,
    detail: str | None,
    *,
    wait: float | None = None,
    doubtful: bool = False,
) -> bool:
    """Write what came of a claimed e-mail; a pending one is due again after ``wait`` seconds.

    ``doubtful``: nobody knows whether the server took it. False, and nothing is written, when the claim had run out.
    """
    row = await pool.fetchrow(
        """UPDATE traveller_emails SET status = $3, detail = $4, next_at = now() + make_interval(secs => $5),
                  sent_at = CASE WHEN $3 = 'sent' THEN now() END, tries = tries + 1,
                  sending_since = CASE WHEN $6::bool THEN sending_since END
           WHERE id = $1 AND next_at = $2 RETURNING id""",
        due.id,
        due.leased_until,
        status,
        detail,
        wait,
        doubtful,
    )
    return row is not None


async def add_again(connection: Connection, order_id: str, resent_by: str, pause: timedelta) -> StoredEmail | None:
    """Queue the delivery of an order once more; the one that was queued less than ``pause`` ago instead, if there is.

    None when the order has no eSIM.
    """
    await connection.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", order_id)
    row = await connection.fetchrow(
        f"{_LISTED} WHERE order_id = $1 AND kind = 'delivery' AND created_at > now() - $2::interval"
        " ORDER BY created_at DESC LIMIT 1",
        order_id,
        pause,
    )
    if row is None:
        row = await connection.fetchrow(
            """INSERT INTO traveller_emails (id, kind, about, order_id, esim_order_id, resent_by)
               SELECT $1, 'delivery', $1, order_id, order_id, $3 FROM esims WHERE order_id = $2
               RETURNING id, order_id, kind, status, detail, resent_by, created_at, sent_at""",
            f"eml_{secrets.token_hex(12)}",
            order_id,
            resent_by,
        )
    return None if row is None else StoredEmail(**dict(row))


async def of_order(pool: Pool | Connection, order_id: str, most: int = 50) -> list[StoredEmail]:
    """The e-mails about an order and about the eSIM that it delivered, the newest first."""
    rows = await pool.fetch(
        f"{_LISTED} WHERE order_id = $1 OR esim_order_id = $1 ORDER BY created_at DESC, id LIMIT $2", order_id, most
    )
    return [StoredEmail(**dict(row)) for row in rows]


class Mailable(msgspec.Struct, frozen=True):
    """What decides whether an order's delivery can be sent."""

    status: str
    kind: str
    has_email: bool
    has_esim: bool
    enabled: bool

    @property
    def can_be_sent(self) -> bool:
        """Whether there is something to send, somebody to send it to, and it is wanted."""
        return self.enabled and self.has_email and self.has_esim and (self.kind, self.status) == ("esim", "fulfilled")


async def mailable(
    pool: Pool | Connection, order_id: str, storefront_id: str | None = None, mode: Mode | None = None
) -> Mailable | None:
    """An order's; None when there is none, or with ``storefront_id`` none of that storefront and mode."""
    row = await pool.fetchrow(
        """SELECT o.status, o.kind, o.email IS NOT NULL AS has_email,
                  EXISTS (SELECT FROM esims e WHERE e.order_id = o.id AND e.activation_code IS NOT NULL) AS has_esim,
                  coalesce(t.email_enabled, false) AS enabled
           FROM orders o LEFT JOIN traveller_settings t ON t.storefront_id = o.storefront_id
           WHERE o.id = $1 AND ($2::text IS NULL OR o.storefront_id = $2) AND ($3::text IS NULL OR o.mode = $3)""",
        order_id,
        storefront_id,
        mode,
    )
    return None if row is None else Mailable(**dict(row))
