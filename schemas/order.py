"""What is asked of a supplier when something is bought, and what it says of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from schemas.money import Money


class OrderKind(StrEnum):
    """What an order is for."""

    ESIM = "esim"
    TOPUP = "topup"
    NUMBER = "number"
    VOUCHER = "voucher"


class SupplierOrderState(StrEnum):
    """A supplier's order in the gateway's words; a word that no page states is PENDING."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARTIAL = "partial"


class PurchaseRequest(msgspec.Struct, frozen=True):
    """One attempt at one supplier.

    ``reference`` is ours and unique for ever; ``signed_at`` is the committed time that goes on the
    wire; nothing is sent after ``deadline``; ``email`` is an address of ours made for this attempt,
    never the customer's.
    """

    reference: str
    supplier_plan_id: str
    signed_at: datetime
    deadline: datetime
    email: str | None = None
    iccid: str | None = None


class Delivery(msgspec.Struct, frozen=True):
    """What a traveller installs. The activation code is a bearer secret.

    ``qr_image`` is a supplier's PNG, used only where the text is not installable. ``conflict`` says that
    the supplier gave two complete codes that differ: nobody but a person may choose one.
    """

    iccid: str | None
    activation_code: str | None
    smdp_address: str | None = None
    matching_id: str | None = None
    confirmation_code_required: bool = False
    qr_image: bytes | None = None
    conflict: bool = False


class SupplierOrder(msgspec.Struct, frozen=True):
    """A supplier's order as it tells it.

    ``charged`` is what it took, None when it does not say. Of one that failed or was cancelled it is what the
    supplier still holds, refunds taken off: zero when no charge stands, None while that is not known.
    """

    supplier_order_id: str | None
    reference: str | None
    state: SupplierOrderState
    charged: Money | None = None
    delivery: Delivery | None = None
    created_at: datetime | None = None
    error: str | None = None


class Cancellation(msgspec.Struct, frozen=True):
    """A supplier's word on a cancelled eSIM; ``refunded`` is None when it names no amount."""

    iccid: str
    refunded: Money | None
