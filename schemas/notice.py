"""What a storefront is told: the types of events, and an event as it is sent."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class NoticeType(StrEnum):
    """The events that a storefront's endpoint can ask for."""

    ORDER_FULFILLED = "order.fulfilled"
    ORDER_FAILED = "order.failed"
    ORDER_NEEDS_REVIEW = "order.needs_review"
    ORDER_CANCELLED = "order.cancelled"
    CHECKOUT_PAID = "checkout.paid"
    CHECKOUT_EXPIRED = "checkout.expired"
    CHECKOUT_NEEDS_REVIEW = "checkout.needs_review"
    TOPUP_COMPLETED = "topup.completed"
    ESIM_STATE_CHANGED = "esim.state_changed"
    ESIM_USAGE_LOW = "esim.usage_low"
    PLAN_PRICE_CHANGED = "plan.price_changed"
    PLAN_OUT_OF_STOCK = "plan.out_of_stock"


TEST = "endpoint.test"
"""What a test sends; it goes to the endpoint that is tested, whatever that asked for."""


class Notice(msgspec.Struct, frozen=True):
    """The body of an outgoing webhook. ``id`` is its ``webhook-id``, ``timestamp`` when the thing happened, in UTC."""

    type: str
    id: str
    timestamp: datetime
    data: Any
