"""Conservation over payments: each captured payment has one fulfilled order, or somebody is to look at it, or did."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from gateway.kit.pool import Connection, Pool

MOST = 1000

# What is accepted stands or falls with its checkout's order; what is not stands by itself.
UNACCOUNTED = """
    SELECT p.id, p.account, p.payment_id, p.checkout_id, p.amount, p.currency, p.paid_at, o.id AS order_id,
           CASE WHEN p.settled_at IS NULL THEN 'not_judged'
                WHEN NOT p.accepted THEN 'not_accepted'
                WHEN o.id IS NULL THEN 'without_order'
                WHEN o.status IN ('pending', 'cancel_pending') THEN 'under_way'
                ELSE 'not_delivered' END AS what
    FROM payments p LEFT JOIN orders o ON o.checkout_id = p.checkout_id AND p.accepted
    WHERE p.kind = 'payment' AND p.state = 'captured'
      AND (o.status IS DISTINCT FROM 'fulfilled' OR p.settled_at IS NULL)
      AND NOT EXISTS (
          SELECT FROM payment_cases k
          WHERE CASE WHEN p.accepted THEN k.checkout_id = p.checkout_id AND k.payment_id IS NULL
                                          AND k.reason IN ('undeliverable', 'order_cancelled')
                     ELSE k.payment_id = p.id END
            AND (k.closed_at IS NULL OR k.outcome IN ('refunded', 'closed')))
"""
# The other way round: an order that was placed by a checkout for money which nobody has.
UNPAID = """
    SELECT o.id FROM orders o
    WHERE o.checkout_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM payments p WHERE p.checkout_id = o.checkout_id AND p.accepted)
      AND NOT EXISTS (SELECT FROM payment_cases k WHERE k.checkout_id = o.checkout_id AND k.outcome = 'placed')
"""


class Unaccounted(msgspec.Struct, frozen=True):
    """A captured payment that has no fulfilled order and waits for nobody.

    ``under_way``: its order is being bought; ``not_judged``: it was written down a moment ago. Only the others are
    wrong at any time, these two only once everything is final.
    """

    id: str
    account: str
    payment_id: str
    checkout_id: str | None
    amount: Decimal
    currency: str
    paid_at: datetime
    order_id: str | None
    what: Literal["not_judged", "not_accepted", "without_order", "under_way", "not_delivered"]

    @property
    def open(self) -> bool:
        """Whether it is followed, and no fault by itself."""
        return self.what in {"under_way", "not_judged"}


async def unaccounted(connection: Connection | Pool) -> list[Unaccounted]:
    """Captured payments without a fulfilled order that wait for nobody, the oldest first."""
    rows = await connection.fetch(UNACCOUNTED + " ORDER BY p.received_at LIMIT $1", MOST)
    return [Unaccounted(**dict(row)) for row in rows]


async def unpaid(connection: Connection | Pool) -> list[str]:
    """Orders of checkouts that were placed without a payment and without an operator's word; there are none."""
    return [row["id"] for row in await connection.fetch(UNPAID + " LIMIT $1", MOST)]
