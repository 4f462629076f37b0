"""What is asked of a supplier when something is bought, and what it says of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from schemas.money import Money

# The product on which S2S's sandbox goes wrong, as ``TRIGGER_COUNTRY`` has the plans.
TRIGGER_GOOD = "Sandbox card"


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
    kind: OrderKind = OrderKind.ESIM
    number: NumberWanted | None = None
    good: GoodWanted | None = None


class NumberWanted(msgspec.Struct, frozen=True):
    """A virtual number: in which country (ISO code and the supplier's name of it), and which tier."""

    country: str
    country_name: str
    tier_id: str


class GoodWanted(msgspec.Struct, frozen=True):
    """A digital good. ``amount`` is a denomination of one's choice, ``fields`` what the product asks for.

    ``recharge`` says that it is put somewhere by the supplier: no code comes of it, but a word that it was done.
    """

    sku: str
    quantity: int = 1
    amount: Money | None = None
    fields: dict[str, str] = {}
    recharge: bool = False


class Delivery(msgspec.Struct, frozen=True):
    """What a traveller installs. The activation code is a bearer secret.

    ``qr_image`` is a supplier's PNG, used only where the text is not installable. ``conflict`` says that
    the supplier gave two complete codes that differ: nobody but an operator may choose one.
    """

    iccid: str | None
    activation_code: str | None
    smdp_address: str | None = None
    matching_id: str | None = None
    confirmation_code_required: bool = False
    qr_image: bytes | None = None
    conflict: bool = False


class NumberDelivery(msgspec.Struct, frozen=True):
    """A virtual number that is ours until ``expires_at`` (UTC). ``status`` is the supplier's own word."""

    phone_number: str
    expires_at: datetime | None = None
    autorenew: bool | None = None
    status: str | None = None


class VoucherCode(msgspec.Struct, frozen=True):
    """One code of a voucher. PIN and serial are bearer secrets; ``told`` is what a recharge says instead."""

    pin: str | None = None
    serial: str | None = None
    expires_at: datetime | None = None
    told: str | None = None


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
    number: NumberDelivery | None = None
    codes: tuple[VoucherCode, ...] = ()


class Cancellation(msgspec.Struct, frozen=True):
    """A supplier's word on a cancelled eSIM; ``refunded`` is None when it names no amount."""

    iccid: str
    refunded: Money | None
