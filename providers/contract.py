"""What a supplier plugin is: a manifest that says what it can do, and a class that does it.

A plugin is one folder under ``providers/`` (or a package behind the entry-point group
``esim_gateway.providers``) whose ``__init__`` names ``MANIFEST``. An optional method is overridden
if and only if its capability is declared; the contract suite and ``check_manifest`` hold that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from providers.kit.supplier_rate import Priority
from schemas.account import (
    Balance,
    DepositSession,
    DepositWay,
    NewSupplierKey,
    NumberCountry,
    NumberTier,
    SupplierAccount,
    SupplierKey,
    Transaction,
)
from schemas.errors import NotSupported
from schemas.esim import EsimStatus
from schemas.event import SupplierEvent
from schemas.good import Good, GoodCategory
from schemas.money import Money
from schemas.order import Cancellation, PurchaseRequest, SupplierOrder
from schemas.payment import PaymentLink, PaymentLinkRequest, PaymentNotice
from schemas.plan import Basis, Offer, SetAside

if TYPE_CHECKING:
    from aiohttp import web

    from providers.kit.mapping_overrides import MappingOverrides
    from providers.kit.transport import Transport
    from providers.simulator.world import SandboxWorld

NUMBER_CLOCKS_APART = timedelta(minutes=3)

ENTRY_POINT_GROUP = "esim_gateway.providers"


class Capability(StrEnum):
    """What a supplier can do; each names the methods that a plugin then overrides."""

    CATALOG = "catalog"
    PLAN_LOOKUP = "plan_lookup"
    ORDERS = "orders"
    TOPUP = "topup"
    ESIM_STATUS = "esim_status"
    CANCEL = "cancel"
    BALANCE = "balance"
    TRANSACTIONS = "transactions"
    ORDER_HISTORY = "order_history"
    WEBHOOKS = "webhooks"
    NUMBERS = "numbers"
    GOODS = "goods"
    ACCOUNT = "account"
    KEYS = "keys"
    DEPOSITS = "deposits"
    WEBHOOK_SETTINGS = "webhook_settings"


CAPABILITY_METHODS: Mapping[Capability, tuple[str, ...]] = {
    Capability.CATALOG: ("catalog",),
    Capability.PLAN_LOOKUP: ("plan",),
    Capability.ORDERS: ("purchase", "find_order"),
    Capability.TOPUP: ("topup_plans", "topup"),
    Capability.ESIM_STATUS: ("esim_status",),
    Capability.CANCEL: ("cancel",),
    Capability.BALANCE: ("balance",),
    Capability.TRANSACTIONS: ("transactions",),
    Capability.ORDER_HISTORY: ("order_history",),
    Capability.WEBHOOKS: ("verify_webhook", "parse_webhook"),
    Capability.NUMBERS: ("number_countries", "number_tiers", "purchase_number", "find_number", "number_orders"),
    Capability.GOODS: ("goods", "good", "good_categories", "purchase_good"),
    Capability.ACCOUNT: ("account",),
    Capability.KEYS: ("keys", "create_key", "revoke_key", "with_key"),
    Capability.DEPOSITS: ("deposit",),
    Capability.WEBHOOK_SETTINGS: ("set_webhook", "test_webhook"),
}


class SupplierSettings(BaseModel):
    """What every supplier account is configured with; a plugin's settings type adds its own.

    Amounts of time are seconds. ``requests_per_minute`` None means the manifest's number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str
    mode: Literal["live", "test"] = "live"
    base_url: str
    requests_per_minute: int | None = Field(default=None, gt=0)
    timeout_seconds: float = Field(default=30, gt=0)
    charge_tolerance: Decimal | None = Field(default=None, ge=0)
    daily_spend_limit: Decimal | None = Field(default=None, ge=0)
    quiescence_seconds: int = Field(default=600, gt=0)
    provisioning_seconds: int = Field(default=1800, gt=0)
    trust_absence: bool = False

    def secrets(self) -> tuple[str, ...]:
        """Every secret value in these settings, for redaction."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return tuple(v.get_secret_value() for v in values if isinstance(v, SecretStr) and v.get_secret_value())


@dataclass(frozen=True, slots=True)
class Limits:
    """What a supplier allows, from its page.

    ``requests_per_minute`` None means that the page states no limit. ``concurrent_pages`` is how
    many pages of its catalogue are fetched at once. ``max_body_bytes`` caps one decompressed answer.
    """

    requests_per_minute: int | None = None
    concurrent_pages: int = 1
    max_body_bytes: int = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SandboxRoute:
    """A call that the supplier's page documents: method, path template and what the gateway uses it for.

    ``used_for`` is empty when it is not used; ``why_not`` then says why.
    """

    method: str
    path: str
    used_for: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A plugin's own description: everything that the gateway may know before it makes the provider.

    ``provider`` makes the adapter. ``sandbox`` makes the supplier itself as an aiohttp app from a
    world of plans. ``byte_basis`` is how the supplier counts a gigabyte where it states bytes, ``TEXT`` where it
    states none. ``absence_fence`` says why a write that was not seen within the quiescence time
    can no longer arrive; without one, ``trust_absence`` is refused, and so it is with a quiescence shorter than
    ``absence_fence_seconds``, which is how long that takes from the signed time on, clocks apart included.
    ``one_number_at_a_time`` says that purchases of virtual numbers at one account must not overlap, because they
    carry no reference of ours, so that country, tier and time have to tell whose one is. ``topup_same_coverage``
    says that the supplier lists no options of an eSIM: what can be added is its offers of the same coverage as the
    one that was bought, so they are searched where all offers are known, and ``topup_plans`` gives the bought one
    only.
    ``capability_notes`` says, for a capability that is missing, why. ``deposit_ways`` are the ways to fill our
    balance; ``webhook_advice`` is what an operator does where the supplier's webhooks cannot be set by a call.
    """

    name: str
    title: str
    capabilities: frozenset[Capability]
    settings: type[SupplierSettings]
    provider: type[Provider | PaymentProvider]
    limits: Limits = Limits()
    sandbox: Callable[[SandboxWorld, Mapping[str, Any]], web.Application] | None = None
    sandbox_settings: Mapping[str, Any] = field(default_factory=dict)
    routes: tuple[SandboxRoute, ...] = ()
    byte_basis: Basis = Basis.TEXT
    charge_tolerance: Decimal = Decimal(0)
    absence_fence: str | None = None
    absence_fence_seconds: int = 0
    deposit_ways: tuple[DepositWay, ...] = ()
    webhook_advice: str = ""
    one_number_at_a_time: bool = False
    topup_same_coverage: bool = False
    capability_notes: Mapping[Capability, str] = field(default_factory=dict)

    def tolerance(self, settings: SupplierSettings) -> Decimal:
        """The share by which the supplier may charge more than it lists, at an account with these settings."""
        return self.charge_tolerance if settings.charge_tolerance is None else settings.charge_tolerance


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """A part of a walk through a supplier's catalogue, already in the gateway's words.

    ``other_products`` counts items that are no eSIM. ``total`` is how many items of the whole
    catalogue the supplier claims, when it does (for progress). ``warnings`` are for the sync run.
    ``raws`` are the items behind ``offers`` as they came, in the same order, or empty; ``recalled``
    counts items that ``Provider.recall`` knew and that are therefore in neither list.
    """

    offers: tuple[Offer, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    other_products: int = 0
    total: int | None = None
    warnings: tuple[str, ...] = ()
    raws: tuple[bytes, ...] = ()
    recalled: int = 0


@dataclass(frozen=True, slots=True)
class GoodsPage:
    """A part of a walk through a supplier's goods, already in the gateway's words."""

    goods: tuple[Good, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    total: int | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """One harmless call. ``what`` names what it proves ("credentials", "signature", "path orders").

    ``settings`` are the settings that it depends on, as they are written in the configuration. ``read`` makes the
    call and raises a ``SupplierError`` when it does not go through as it should.
    """

    what: str
    settings: tuple[str, ...]
    read: Callable[[], Awaitable[object]]


Recall = Callable[[Sequence[bytes]], Sequence[bool]]
"""Asked with items as they came: which of them were mapped before and still stand as they were mapped."""


def recall_nothing(items: Sequence[bytes]) -> Sequence[bool]:
    """Know no item: all are mapped."""
    return [False] * len(items)


class Provider(ABC):
    """One configured account at a supplier.

    Every method does one job at the supplier and raises a ``SupplierError`` when it cannot. Methods
    hold no state between calls but the transport's connections. ``recall`` is set by a sync for its
    walk; a plugin may ask it and leave out what it knows, or never ask: it saves time only. ``overrides`` is
    set by a sync for its walk too: what people told of words that no table knows, for the mapping to use.
    """

    recall: Recall = staticmethod(recall_nothing)
    overrides: MappingOverrides | None = None

    def __init__(self, manifest: Manifest, name: str, settings: SupplierSettings, transport: Transport) -> None:
        self.manifest = manifest
        self.name = name
        self.settings = settings
        self.transport = transport

    @abstractmethod
    def catalog(self) -> AsyncIterator[CatalogPage]:
        """Walk the whole catalogue. Ends normally only after a whole walk; raises otherwise."""

    def remap(self, raw: bytes, overrides: MappingOverrides | None) -> Offer | SetAside | None:
        """What an unmapped row's ``raw`` would be mapped to with ``overrides``. Pure, and never raises.

        None when the plugin, or this row, does not allow to say it without a walk.
        """
        return None

    async def plan(self, supplier_plan_id: str, supplier_product_id: str | None = None) -> Offer | SetAside:
        """One item as it stands now. Raises ``NotFound`` when it is gone.

        ``supplier_product_id`` is what the walk told of the item; a supplier that tells a price by the product only
        needs it, and raises ``NotSupported`` without it.
        """
        raise self._missing(Capability.PLAN_LOOKUP)

    async def purchase(self, request: PurchaseRequest) -> SupplierOrder:
        """Buy one item: exactly one POST, never repeated. Any doubt raises with ``Outcome.UNKNOWN``."""
        raise self._missing(Capability.ORDERS)

    async def find_order(self, request: PurchaseRequest, supplier_order_id: str | None) -> SupplierOrder | None:
        """Look up what became of an attempt; None when the supplier shows nothing of it.

        Gives this attempt's order or none, and raises when it could not look. Of an order that failed or was
        cancelled ``charged`` is what the supplier still holds for it, as far as it shows that: zero makes the
        failure definite, an amount is a charge that stands, None is not yet known.
        """
        raise self._missing(Capability.ORDERS)

    async def topup_plans(self, iccid: str, supplier_plan_id: str) -> list[Offer]:
        """What can be added to an eSIM that was bought as ``supplier_plan_id``, at today's prices.

        Empty when nothing can. With ``manifest.topup_same_coverage`` only the bought plan itself, and it may cost
        a walk through the catalogue: there stored offers and ``esim_status().can_topup`` answer most questions.
        """
        raise self._missing(Capability.TOPUP)

    async def topup(self, request: PurchaseRequest) -> SupplierOrder:
        """Add data to ``request.iccid``: exactly one POST, never repeated."""
        raise self._missing(Capability.TOPUP)

    async def esim_status(self, iccid: str) -> EsimStatus:
        """Profile, service and usage of an eSIM now."""
        raise self._missing(Capability.ESIM_STATUS)

    async def cancel(self, iccid: str, deadline: datetime | None = None) -> Cancellation:
        """Give an unused eSIM back: exactly one request, never repeated, and none from ``deadline`` on."""
        raise self._missing(Capability.CANCEL)

    async def balance(self, priority: Priority = Priority.SETTLE) -> Balance:
        """Our money at the supplier; ``priority`` is the caller's under the supplier's rate."""
        raise self._missing(Capability.BALANCE)

    def transactions(self, since: datetime) -> AsyncIterator[Transaction]:
        """Movements of our balance, newest first, back to ``since`` (UTC)."""
        raise self._missing(Capability.TRANSACTIONS)

    def order_history(self, since: datetime) -> AsyncIterator[SupplierOrder]:
        """Orders as the supplier lists them, back to ``since`` (UTC): ids, our references, what each took.

        For comparing statements: every row is there or it raises. Deliveries may be missing.
        """
        raise self._missing(Capability.ORDER_HISTORY)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Whether the supplier itself sent these bytes, compared in constant time."""
        raise self._missing(Capability.WEBHOOKS)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[SupplierEvent]:
        """The events in a verified webhook."""
        raise self._missing(Capability.WEBHOOKS)

    async def number_countries(self) -> list[NumberCountry]:
        """Where virtual numbers can be bought."""
        raise self._missing(Capability.NUMBERS)

    async def number_tiers(self) -> list[NumberTier]:
        """How long virtual numbers are held, and for how much."""
        raise self._missing(Capability.NUMBERS)

    async def purchase_number(self, request: PurchaseRequest) -> SupplierOrder:
        """Buy ``request.number``: exactly one POST, never repeated."""
        raise self._missing(Capability.NUMBERS)

    async def find_number(
        self, request: PurchaseRequest, supplier_order_id: str | None, taken: Collection[str]
    ) -> SupplierOrder | None:
        """As ``find_order``, for a number, of which the supplier takes no word of ours.

        ``taken`` are the supplier's orders, and the digits of the phone numbers, that belong to other attempts. What
        the supplier dates further than ``NUMBER_CLOCKS_APART`` from the call is not this attempt's: the gateway keeps
        two attempts at the same country and tier further apart than that while one is unknown. Raises
        ``UnreadableAnswer`` when more than one order could be this attempt's: that is for an operator.
        """
        raise self._missing(Capability.NUMBERS)

    def number_orders(self, since: datetime) -> AsyncIterator[SupplierOrder]:
        """As ``order_history``, for numbers: each with its number, expiry and autorenew as they stand."""
        raise self._missing(Capability.NUMBERS)

    def goods(self) -> AsyncIterator[GoodsPage]:
        """Walk all digital goods that are no eSIM. Ends normally only after a whole walk; raises otherwise."""
        raise self._missing(Capability.GOODS)

    async def good(self, product_id: str, sku: str) -> Good:
        """One good with its price as it stands now. Raises ``NotFound`` when it is gone."""
        raise self._missing(Capability.GOODS)

    async def good_categories(self, locale: str | None = None) -> list[GoodCategory]:
        """The categories of goods, with the attributes that are used in them."""
        raise self._missing(Capability.GOODS)

    async def purchase_good(self, request: PurchaseRequest) -> SupplierOrder:
        """Buy ``request.good``: exactly one POST, never repeated. ``find_order`` finds it."""
        raise self._missing(Capability.GOODS)

    async def account(self) -> SupplierAccount:
        """What the supplier says of our account."""
        raise self._missing(Capability.ACCOUNT)

    async def keys(self) -> list[SupplierKey]:
        """The API keys of our account."""
        raise self._missing(Capability.KEYS)

    async def create_key(self, name: str, deadline: datetime | None = None) -> NewSupplierKey:
        """Make a key: exactly one POST, and none from ``deadline`` on. Its id is learned by its name, from ``keys``."""
        raise self._missing(Capability.KEYS)

    async def revoke_key(self, key_id: str) -> None:
        """Take a key out of use, for ever. One that is gone already is no error."""
        raise self._missing(Capability.KEYS)

    def with_key(self, secret: str) -> SupplierSettings:
        """These settings with another key in them."""
        raise self._missing(Capability.KEYS)

    async def deposit(self, way: str, amount: Money) -> DepositSession:
        """Begin a deposit by one of ``manifest.deposit_ways`` that is online: a page at which an operator pays."""
        raise self._missing(Capability.DEPOSITS)

    async def set_webhook(self, url: str, events: Sequence[str] = ()) -> None:
        """Have the supplier send its webhooks to ``url``; no events named means all that the plugin understands."""
        raise self._missing(Capability.WEBHOOK_SETTINGS)

    async def test_webhook(self) -> None:
        """Have the supplier send a test to the address that is set."""
        raise self._missing(Capability.WEBHOOK_SETTINGS)

    def probes(self) -> Sequence[Probe]:
        """The harmless calls by which a check tells what works: one for each thing that can be set wrongly."""
        return ()

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()

    def _missing(self, capability: Capability) -> NotSupported:
        return NotSupported(self.name, capability.value, self.manifest.capability_notes.get(capability, ""))


class PaymentProvider(ABC):
    """One configured account at a payment supplier."""

    def __init__(self, manifest: Manifest, name: str, settings: SupplierSettings, transport: Transport) -> None:
        self.manifest = manifest
        self.name = name
        self.settings = settings
        self.transport = transport

    @abstractmethod
    async def create_link(self, request: PaymentLinkRequest) -> PaymentLink:
        """Make a link for exactly one payment."""

    @abstractmethod
    async def link(self, link_id: str) -> PaymentLink:
        """A link as it stands now. Raises ``NotFound`` when it is not there."""

    @abstractmethod
    def links(self) -> AsyncIterator[PaymentLink]:
        """Every link of the account, the newest first."""

    @abstractmethod
    async def close_link(self, link_id: str) -> None:
        """Let a link be paid no more. Raises ``NotFound`` when it is not there."""

    @abstractmethod
    def verify_notice(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the payment supplier itself sent these bytes."""

    @abstractmethod
    def parse_notice(self, body: bytes) -> PaymentNotice:
        """The payment in a verified notification."""

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()
