"""What a supplier simulator keeps: sales, movements of money and the eSIMs that were sold; and by which rules."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from importlib import resources
from typing import Any

import msgspec

from providers.simulator.items import Item
from providers.simulator.triggers import Act, Trigger, TriggerKind
from providers.simulator.webhooks import WebhookRules
from schemas.esim import ProfileState, ServiceState
from schemas.order import OrderKind


class RefusalReason(StrEnum):
    """Why a supplier refuses. Each supplier has its own status and words for it (``SupplierRules.refusals``)."""

    NO_SUCH_ITEM = "no_such_item"
    NO_SUCH_ESIM = "no_such_esim"
    OUT_OF_STOCK = "out_of_stock"
    NO_BALANCE = "no_balance"
    DUPLICATE_REFERENCE = "duplicate_reference"
    BLOCKED = "blocked"
    NOT_RENEWABLE = "not_renewable"
    NOT_CANCELLABLE = "not_cancellable"


class SupplierRefusal(Exception):  # noqa: N818 - named after what happened
    """Nothing was done. The answer has the supplier's own status and words for ``reason``."""

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class SaleState(StrEnum):
    """A sale as the supplier itself knows it; its sandbox writes it in the supplier's words."""

    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARTIAL = "partial"


REFUSALS: Mapping[TriggerKind, RefusalReason] = {
    TriggerKind.REFUSE_STOCK: RefusalReason.OUT_OF_STOCK,
    TriggerKind.REFUSE_BALANCE: RefusalReason.NO_BALANCE,
    TriggerKind.REFUSE_BLOCKED: RefusalReason.BLOCKED,
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

    ``item`` is what ``item_of(request, key)`` gave; None is refused as NO_SUCH_ITEM, unless ``key`` and
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
    """One order or top-up that was booked. Amounts are in the supplier's currency.

    ``number`` counts up and ``id`` is the supplier's word for it (``SupplierRules.order_id``). ``iccid`` is the
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
    polls: int = 0
    answered: bool = False

    @property
    def final(self) -> bool:
        return self.state is not SaleState.PROCESSING


class UnchargedRequest(msgspec.Struct, frozen=True):
    """Something that was asked for and not done. ``why`` is the word of a ``RefusalReason`` or of a trigger."""

    act: Act
    key: str
    reference: str | None
    iccid: str | None
    details: Mapping[str, Any]
    at: datetime
    why: str = ""


class StatementLineKind(StrEnum):
    """What moved the balance."""

    CHARGE = "charge"
    REFUND = "refund"
    DEPOSIT = "deposit"
    ADJUSTMENT = "adjustment"


class StatementLine(msgspec.Struct, frozen=True):
    """One movement of the balance; ``amount`` is signed, negative for a charge."""

    number: int
    kind: StatementLineKind
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


class PageExamples(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Items, orders and eSIMs under the ids of the supplier's page, so that each of its examples can be sent as is.

    They are sold, shown and topped up by their ids and stand in no list, so that the catalogue and the account are
    what they would be without them.
    """

    items: tuple[Item, ...] = ()
    sales: tuple[Sale, ...] = ()
    esims: tuple[Esim, ...] = ()

    @classmethod
    def read(cls, package: str) -> PageExamples:
        """Those in the file ``page_examples.json`` of a package, ``__package__`` in a plugin's sandbox."""
        return msgspec.json.decode(resources.files(package).joinpath("page_examples.json").read_bytes(), type=cls)


@dataclass(frozen=True)
class SupplierRules:
    """What a supplier charges, how it delivers and notifies, what it says when it refuses.

    ``opening`` is the first deposit; ``credit`` may be spent beyond the balance. ``surcharge`` is a share
    of the listed price that is charged on top, rounded half up to cents; ``refunds_listed`` gives back the
    listed price on a cancel, not what was charged. ``delivery_seconds`` 0 delivers in the answer itself.
    ``shows_codes`` is whether looking an order up shows its activation code. ``refusals`` has the status
    and the words for each reason that applies to the supplier. ``gives`` is what a sale has delivered that is no
    eSIM: the telephone number, the PINs of a voucher. ``notification`` is the webhook's body for a sale that has just
    become final, with its eSIM and its time (UTC); None where the supplier sends nothing.
    """

    opening: Decimal = Decimal(10_000)
    credit: Decimal = Decimal(0)
    currency: str = "USD"
    surcharge: Decimal = Decimal(0)
    refunds_listed: bool = False
    delivery_seconds: float = 0
    unique_references: bool = False
    shows_codes: bool = True
    order_id: Callable[[int], str] = lambda _number: str(uuid.uuid4())
    refusals: Mapping[RefusalReason, tuple[int, str]] = field(default_factory=dict)
    webhooks: WebhookRules | None = None
    notification: Callable[[Sale, Esim | None, datetime], Mapping[str, Any] | None] = lambda _sale, _esim, _at: None
    gives: Callable[[Sale], tuple[str, ...]] = lambda _sale: ()
