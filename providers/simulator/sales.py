"""What a sandbox's till keeps: sales, movements of money and the eSIMs that were sold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from providers.simulator.items import Item
from providers.simulator.triggers import Act, Trigger, TriggerKind
from schemas.esim import ProfileState, ServiceState
from schemas.order import OrderKind


class Why(StrEnum):
    """Why a till refuses. Each supplier has its own status and words for it (``TillRules.refusals``)."""

    NO_SUCH_ITEM = "no_such_item"
    NO_SUCH_ESIM = "no_such_esim"
    OUT_OF_STOCK = "out_of_stock"
    NO_BALANCE = "no_balance"
    DUPLICATE_REFERENCE = "duplicate_reference"
    BLOCKED = "blocked"
    NOT_RENEWABLE = "not_renewable"
    NOT_CANCELLABLE = "not_cancellable"


class TillRefusal(Exception):  # noqa: N818 - named after what happened
    """The till did not do it. The frame answers with the supplier's own status and words for ``why``."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


class SaleState(StrEnum):
    """A sale as the supplier itself knows it; ``sandbox.py`` writes it in the supplier's words."""

    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARTIAL = "partial"


REFUSALS: Mapping[TriggerKind, Why] = {
    TriggerKind.REFUSE_STOCK: Why.OUT_OF_STOCK,
    TriggerKind.REFUSE_BALANCE: Why.NO_BALANCE,
    TriggerKind.REFUSE_BLOCKED: Why.BLOCKED,
}
# How an order ends that does not end well.
ENDINGS: Mapping[TriggerKind, SaleState] = {
    TriggerKind.FAILED_AFTER_PROCESSING: SaleState.FAILED,
    TriggerKind.FAILED_WITHOUT_REFUND: SaleState.FAILED,
    TriggerKind.CANCELLED_AFTER_PROCESSING: SaleState.CANCELLED,
    TriggerKind.PARTIALLY_COMPLETED: SaleState.PARTIAL,
    TriggerKind.SILENT_REFUND: SaleState.PROCESSING,
}


class Purchase(msgspec.Struct, frozen=True):
    """What a caller asks to buy.

    ``item`` is what ``one(request, key)`` gave; None is refused as NO_SUCH_ITEM, unless ``key`` and
    ``price`` name something that is no item of the world; ``triggers`` are then its own. ``reference`` is the
    caller's own. ``iccid`` is the eSIM that a top-up goes to. ``details`` is whatever the plugin wants to have kept
    with the sale (an e-mail address, metadata).
    """

    item: Item | None
    kind: OrderKind = OrderKind.ESIM
    reference: str | None = None
    iccid: str | None = None
    details: Mapping[str, Any] = {}
    key: str = ""
    price: Decimal | None = None
    triggers: tuple[Trigger, ...] = ()


class Sale(msgspec.Struct):
    """One order or top-up that the till booked. Amounts are in the till's currency.

    ``number`` counts up and ``id`` is the supplier's word for it (``TillRules.order_id``). ``iccid`` is the
    eSIM that a top-up goes to, or the one that was delivered. ``shown_at`` is when lists begin to show it.
    ``answered`` is whether the whole answer was written; whether it was read only the caller knows.
    """

    id: str
    number: int
    kind: OrderKind
    key: str
    item: Item | None
    reference: str | None
    listed: Decimal
    charged: Decimal
    created_at: datetime
    shown_at: datetime
    state: SaleState = SaleState.PROCESSING
    refunded: Decimal = Decimal(0)
    iccid: str | None = None
    details: Mapping[str, Any] = {}
    triggers: tuple[TriggerKind, ...] = ()
    due_at: datetime | None = None
    ended_at: datetime | None = None
    error: str | None = None
    looks: int = 0
    answered: bool = False

    @property
    def final(self) -> bool:
        return self.state is not SaleState.PROCESSING


class Uncharged(msgspec.Struct, frozen=True):
    """Something that was asked for and not done. ``why`` is a refusal's or the trigger's word."""

    act: Act
    key: str
    reference: str | None
    iccid: str | None
    details: Mapping[str, Any]
    at: datetime
    why: str

    def ended(self, why: str) -> Uncharged:
        return msgspec.structs.replace(self, why=why)


class MoveKind(StrEnum):
    """What moved the balance."""

    CHARGE = "charge"
    REFUND = "refund"
    DEPOSIT = "deposit"
    ADJUSTMENT = "adjustment"


class Move(msgspec.Struct, frozen=True):
    """One movement of the balance; ``amount`` is signed, negative for a charge."""

    number: int
    kind: MoveKind
    amount: Decimal
    balance_after: Decimal
    at: datetime
    sale_id: str | None = None
    sale_kind: OrderKind | None = None


class Package(msgspec.Struct):
    """Data on an eSIM, bought by the sale ``sale_id``. MB with 1 GB = 1024; ``total_mb`` None is unlimited.

    ``began_at`` and ``expires_at`` are None until its days begin to run, see ``profiles.begin``.
    """

    sale_id: str
    item: Item
    total_mb: int | None
    used_mb: int
    bought_at: datetime
    expires_at: datetime | None = None
    began_at: datetime | None = None

    @property
    def remaining_mb(self) -> int | None:
        return None if self.total_mb is None else max(0, self.total_mb - self.used_mb)


class Esim(msgspec.Struct):
    """An eSIM that was sold.

    ``text_code`` is its activation code as text, ``picture_code`` the one that its QR picture shows.
    """

    iccid: str
    text_code: str
    picture_code: str
    sale_id: str
    created_at: datetime
    packages: list[Package]
    profile: ProfileState = ProfileState.RELEASED
    service: ServiceState = ServiceState.NOT_ACTIVE
    renewable: bool = True

    @property
    def total_mb(self) -> int | None:
        """All that was bought; None when some of it is unlimited."""
        totals = [package.total_mb for package in self.packages]
        return None if None in totals else sum(total for total in totals if total is not None)

    @property
    def used_mb(self) -> int:
        return sum(package.used_mb for package in self.packages)

    @property
    def remaining_mb(self) -> int | None:
        total = self.total_mb
        return None if total is None else max(0, total - self.used_mb)

    @property
    def expires_at(self) -> datetime | None:
        """The end of the package that lasts longest; None while no package has begun."""
        return max((package.expires_at for package in self.packages if package.expires_at is not None), default=None)
