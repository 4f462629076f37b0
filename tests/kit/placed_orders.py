"""Orders as rows, each with its attempt and what the supplier took for it, at a moment of the test's choice."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from gateway.kit.pool import Pool
from tests.kit.sold import storefront

_numbers = itertools.count(1)
_STATES = {"fulfilled": "succeeded", "cancelled": "succeeded", "cancel_pending": "succeeded", "failed": "failed",
           "needs_review": "unknown", "pending": "accepted"}  # fmt: skip


async def placed(
    pool: Pool,
    at: datetime,
    *,
    mode: str = "live",
    status: str = "fulfilled",
    supplier: str | None = "pikasim",
    countries: Sequence[str] = ("JP",),
    price: str = "10",
    refund: str | None = None,
    cost: str | None = "6",
    charged: str | None = "6",
    charged_in: str = "USD",
    refunded: str | None = None,
    delivered: bool | None = None,
    fee: str | None = None,
    base: str = "USD",
) -> str:
    """The id of an order for ``price``, whose attempt was to cost ``cost`` USD and took ``charged``.

    Without a ``supplier`` nothing was asked of one, without ``charged`` nothing is booked. ``fee`` is what its payment
    cost: the order is then that of a checkout.
    """
    number = next(_numbers)
    order_id, shop = f"ord_placed_{number}", await storefront(pool)
    delivered = status in {"fulfilled", "cancel_pending"} if delivered is None else delivered
    checkout = None if fee is None else f"co_placed_{number}"
    if checkout is not None:
        await pool.execute(
            """INSERT INTO checkouts (id, storefront_id, mode, state, plan_id, plan, price, currency, price_base,
                                      max_cost, base_currency, language, account, expires_at, created_at, updated_at,
                                      fee_base)
               VALUES ($1, $2, $3, 'closed', 'p', '{}', 5, 'USD', 5, 5, 'USD', 'en', 'bepaid', $4, $4, $4, $5)""",
            checkout,
            shop,
            mode,
            at,
            Decimal(fee or 0),
        )
    await pool.execute(
        """INSERT INTO orders (id, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base,
                               max_cost, base_currency, failure_code, next_poll_at, refund, created_at, updated_at,
                               fulfilled_at, checkout_id)
           VALUES ($1, $2, $3, 'esim', $4, 'p', $5, $6, 'USD', $6, 99, $7,
                   CASE WHEN $4 = 'failed' THEN 'no_stock' END,
                   CASE WHEN $4 IN ('pending', 'cancel_pending') THEN $8::timestamptz END, $9, $8, $8,
                   CASE WHEN $10 THEN $8::timestamptz END, $11)""",
        order_id,
        shop,
        mode,
        status,
        {"name": "A plan", "countries": list(countries)},
        Decimal(price),
        base,
        at,
        None if refund is None else Decimal(refund),
        delivered,
        checkout,
    )
    if supplier is not None:
        await _attempt(pool, number, order_id, supplier, status, at, cost)
        for kind, amount in (("charge", charged), ("refund", refunded)):
            if amount is not None:
                await pool.execute(
                    """INSERT INTO ledger (at, supplier, attempt_id, order_id, kind, amount, currency)
                       VALUES ($1, $2, $3, $4, $5, $6, $7)""",
                    at,
                    supplier,
                    f"att_placed_{number}",
                    order_id,
                    kind,
                    Decimal(amount),
                    charged_in,
                )
    return order_id


async def _attempt(
    pool: Pool, number: int, order_id: str, supplier: str, status: str, at: datetime, cost: str | None
) -> None:
    await pool.execute(
        """INSERT INTO attempts (id, order_id, n, kind, supplier, supplier_plan_id, state, run_id, signed_at, deadline,
                                 quiescent_at, listed, currency, cost_base, started_at)
           VALUES ($1, $2, 1, 'purchase', $3, 'P', $4, $5, $6, $7, $7, $8, 'USD', $8, $6)""",
        f"att_placed_{number}",
        order_id,
        supplier,
        _STATES[status],
        uuid.UUID(int=number),
        at,
        at + timedelta(minutes=5),
        None if cost is None else Decimal(cost),
    )
