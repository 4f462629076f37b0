"""PikaSim's JSON as typed structs, from its reseller API page (seen 2026-11).

Money is whole US cents, data is bytes, times are RFC 3339. Fields that the page leaves open may be
missing or null; nothing here judges them, ``mapping`` does. Answers are decoded with ``strict=False``.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType, field

T = TypeVar("T")


class Answer(msgspec.Struct, Generic[T]):
    """Every good answer: ``success`` and what was asked for."""

    data: T
    success: bool = True


class Problem(msgspec.Struct, rename="camel"):
    """Every error answer: ``{"success": false, "error": …}``; a refused cancel adds the eSIM's state."""

    success: bool
    error: str | None = None
    message: str | None = None
    current_status: CurrentStatus | None = None


class CurrentStatus(msgspec.Struct, rename="camel"):
    """Why an eSIM cannot be cancelled."""

    esim_status: str | None = None
    smdp_status: str | None = None


class RefusedCancel(msgspec.Struct, rename="camel"):
    """The page's answer to a cancel that is not allowed: a problem that names the eSIM's state."""

    success: bool
    current_status: CurrentStatus
    error: str | None = None
    message: str | None = None


class Pagination(msgspec.Struct):
    """Where a page stands; ``total`` counts items, ``pages`` pages of ``limit`` items."""

    page: int
    limit: int
    total: int
    pages: int


# --- packages -------------------------------------------------------------------------------------


class Operator(msgspec.Struct, rename="camel"):
    operator_name: str | None = None
    network_type: str | None = None


class LocationNetwork(msgspec.Struct, rename="camel"):
    """The operators of one country, by the country's name."""

    location_name: str | None = None
    operator_list: list[Operator] | None = None


class Package(msgspec.Struct, rename="camel"):
    """One package. ``price`` is cents, ``volume`` bytes; ``ip_export`` null means HK, missing says nothing."""

    package_code: str
    name: str | None = None
    slug: str | None = None
    location: str | None = None
    region: str | None = None
    is_global_package: bool | None = None
    location_network_list: list[LocationNetwork] | None = None
    volume: int | None = None
    volume_gb: Decimal | None = field(default=None, name="volumeGB")
    data_type: int | None = None
    duration: int | None = None
    duration_unit: str | None = None
    speed: str | None = None
    price: Decimal | None = None
    price_formatted: str | None = None
    ip_export: str | UnsetType | None = UNSET
    max_privacy: bool | None = None
    sms_status: int | None = None
    support_top_up_type: bool | int | None = None
    active_type: int | None = None
    description: str | None = None


class PackageCode(msgspec.Struct, rename="camel"):
    """Of a package only what it is called."""

    package_code: str


class PackageQuery(msgspec.Struct, rename="camel", omit_defaults=True):
    """The query of GET /packages. Data in GB, duration in days; ``privacy`` is max, standard or all."""

    country: str | None = None
    region: str | None = None
    duration: int | None = None
    min_data: Decimal | None = None
    max_data: Decimal | None = None
    privacy: str | None = None
    page: int | None = None
    limit: int | None = None

    def params(self) -> dict[str, str]:
        """The query as it stands in a URL; what is not asked for is left out."""
        return {name: str(value) for name, value in msgspec.to_builtins(self).items()}


class PackagePage(msgspec.Struct):
    """One page of packages, each still as it came, so that one bad item spoils only itself."""

    packages: list[Raw]
    pagination: Pagination


class NestedPackage(msgspec.Struct):
    """GET /packages/:packageCode may wrap its package so; the page gives no example."""

    package: Raw


class TopupOptions(msgspec.Struct, rename="camel"):
    """GET /esims/:iccid/topup-options; the page gives no example. ``packages`` is what lists use elsewhere."""

    topup_packages: list[Raw] | None = None
    packages: list[Raw] | None = None


# --- account --------------------------------------------------------------------------------------


class Account(msgspec.Struct, rename="camel"):
    company_name: str
    status: str
    balance: Decimal
    balance_formatted: str | None = None
    total_orders: int | None = None


class Wallet(msgspec.Struct, rename="camel"):
    """GET /balance; the page gives no example."""

    balance: Decimal
    balance_formatted: str | None = None
    available_credit: Decimal | None = None


class LedgerEntry(msgspec.Struct, rename="camel"):
    """One row of GET /transactions; the page gives no example. ``amount`` is signed cents."""

    id: str | int
    type: str
    amount: Decimal
    created_at: datetime
    order_id: str | None = None


class LedgerPage(msgspec.Struct):
    """One page of the wallet's movements. An entry that cannot be read spoils the page: sums must be whole."""

    transactions: list[LedgerEntry]
    pagination: Pagination


# --- orders and eSIMs -----------------------------------------------------------------------------


class NewOrder(msgspec.Struct, rename="camel", omit_defaults=True):
    """The body of POST /orders and of POST /esims/:iccid/topup."""

    package_code: str
    external_order_id: str | None = None


class OrderEsim(msgspec.Struct, rename="camel"):
    """The eSIM of a completed order, there and in a webhook."""

    iccid: str | None = None
    qr_code_url: str | None = None
    activation_code: str | None = None
    short_url: str | None = None


class Order(msgspec.Struct, rename="camel"):
    """An order. ``price`` is what was charged, in cents: 518 for a package listed at 500 (seen 2026-11)."""

    order_id: str
    status: str
    external_order_id: str | None = None
    package_code: str | None = None
    price: Decimal | None = None
    price_formatted: str | None = None
    message: str | None = None
    reason: str | None = None
    created_at: datetime | None = None
    esim: OrderEsim | None = None


class OrderPage(msgspec.Struct):
    """One page of orders, each still as it came, so that a bad one spoils only itself."""

    orders: list[Raw]
    pagination: Pagination


class EsimPackage(msgspec.Struct, rename="camel"):
    package_code: str | None = None
    package_name: str | None = None
    volume: int | None = None
    volume_gb: Decimal | None = field(default=None, name="volumeGB")
    duration: int | None = None
    create_time: datetime | None = None


class Esim(msgspec.Struct, rename="camel"):
    """GET /esims/:iccid. ``status`` is called ``esimStatus`` on the page's cancel section."""

    iccid: str
    order_id: str | None = None
    external_order_id: str | None = None
    package_code: str | None = None
    package_name: str | None = None
    qr_code_url: str | None = None
    activation_code: str | None = None
    lpa_url: str | None = None
    short_url: str | None = None
    status: str | None = None
    esim_status: str | None = None
    smdp_status: str | None = None
    total_data: int | None = None
    used_data: int | None = None
    remaining_data: int | None = None
    expire_time: datetime | None = None
    apn: str | None = None
    imsi: str | None = None
    msisdn: str | None = None
    package_list: list[EsimPackage] | None = None
    purchased_at: datetime | None = None
    created_at: datetime | None = None


class Usage(msgspec.Struct, rename="camel"):
    """GET /esims/:iccid/usage: the eSIM's state with the figures in three units."""

    iccid: str
    status: str | None = None
    esim_status: str | None = None
    smdp_status: str | None = None
    status_description: str | None = None
    total_data: int | None = None
    used_data: int | None = None
    remaining_data: int | None = None
    total_data_gb: Decimal | None = field(default=None, name="totalDataGB")
    used_data_gb: Decimal | None = field(default=None, name="usedDataGB")
    remaining_data_gb: Decimal | None = field(default=None, name="remainingDataGB")
    total_data_mb: Decimal | None = field(default=None, name="totalDataMB")
    used_data_mb: Decimal | None = field(default=None, name="usedDataMB")
    remaining_data_mb: Decimal | None = field(default=None, name="remainingDataMB")
    usage_percent: Decimal | None = None
    expire_time: datetime | None = None
    create_time: datetime | None = None
    package_list: list[EsimPackage] | None = None


class Cancelled(msgspec.Struct, rename="camel"):
    """POST /esims/:iccid/cancel, accepted; amounts in cents."""

    iccid: str
    order_id: str | None = None
    refund_amount: Decimal | None = None
    refund_formatted: str | None = None
    new_balance: Decimal | None = None
    new_balance_formatted: str | None = None
    message: str | None = None


# --- deposits and webhooks ------------------------------------------------------------------------


class Deposit(msgspec.Struct):
    """The body of POST /deposit/stripe and /deposit/btcpay: cents."""

    amount: int


class DepositSession(msgspec.Struct, rename="camel"):
    """Where a deposit is paid: ``checkoutUrl`` on the page, the other names of BTCPay's own API (2026-11)."""

    session_id: str | None = None
    invoice_id: str | None = None
    id: str | int | None = None
    checkout_url: str | None = None
    checkout_link: str | None = None
    invoice_url: str | None = None


class DepositAnswer(DepositSession, rename="camel"):
    """The answer to a deposit; unlike all others it stands beside ``success``, not always under ``data``."""

    success: bool = True
    data: DepositSession | None = None


class WebhookSettings(msgspec.Struct, rename="camel"):
    webhook_url: str
    webhook_events: list[str]


class Done(msgspec.Struct):
    """The answer to a change of settings, of which the page shows nothing."""

    success: bool = True


class WebhookData(msgspec.Struct, rename="camel"):
    order_id: str | None = None
    external_order_id: str | None = None
    package_code: str | None = None
    esim: OrderEsim | None = None
    reason: str | None = None


class Webhook(msgspec.Struct):
    """A notification: what happened, when, and to which order."""

    event: str
    timestamp: datetime | None = None
    data: WebhookData | None = None
