"""What a supplier's webhook claims. A hint, never a fact: the order is fetched before it is believed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class SupplierEventType(StrEnum):
    """What a supplier announces; a word that no page states is UNKNOWN."""

    ORDER_CHANGED = "order_changed"
    ESIM_PROVISIONED = "esim_provisioned"
    TOPUP_COMPLETED = "topup_completed"
    ORDER_FAILED = "order_failed"
    UNKNOWN = "unknown"


class SupplierEvent(msgspec.Struct, frozen=True):
    """One verified notification. ``dedupe_key`` is equal for repeated deliveries of the same event."""

    type: SupplierEventType
    dedupe_key: str
    supplier_order_id: str | None = None
    reference: str | None = None
    iccid: str | None = None
    occurred_at: datetime | None = None
