"""The JSON of the S2S page as typed structs.

Money is read from JSON numbers straight into Decimals. Items of long lists stay raw until they are
looked at one by one, so that one broken item spoils itself only. An empty object may arrive as
``[]``, as some servers write it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

PRODUCT_TYPES = ("voucher", "recharge_fixed", "recharge", "voucher_open_range", "esim", "other")
"""The types of products that the page lists."""

Attributes = dict[str, Any] | list[Any] | None
"""Attribute code -> value; the codes are the supplier's and not documented."""


class Meta(msgspec.Struct, frozen=True):
    """Where a page stands in its walk; ``next_cursor`` null means that it was the last one."""

    next_cursor: str | None
    prev_cursor: str | None = None
    per_page: int | None = None


class Page(msgspec.Struct, frozen=True):
    """One page of any of the supplier's lists; each item is still raw."""

    success: bool
    data: list[msgspec.Raw]
    meta: Meta


class Failure(msgspec.Struct, frozen=True):
    """An error answer. The page shows none; the shape was seen 2026-11."""

    success: bool
    message: str | None = None
    error: Any = None
    errors: Any = None


class Balance(msgspec.Struct, frozen=True):
    """Our account: ``balance`` may be negative, ``available_balance`` is what can be spent."""

    balance: Decimal
    currency: str
    available_balance: Decimal
    reserved_amount: Decimal = Decimal(0)
    allow_overdraft: bool = False
    overdraft_limit: Decimal = Decimal(0)
    is_overdrafted: bool = False


class Partner(msgspec.Struct, frozen=True):
    """Who we are to the supplier."""

    uuid: str
    name: str
    email: str
    currency: str
    is_active: bool
    balance: Balance


class Me(msgspec.Struct, frozen=True):
    """The account page's envelope."""

    partner: Partner


class BalanceMove(msgspec.Struct, frozen=True):
    """One line of the balance history; ``amount`` is signed."""

    type: str
    amount: Decimal
    currency: str
    created_at: datetime
    balance_after: Decimal | None = None
    order_id: str | None = None
    payment_method: str | None = None
    fee_amount: Decimal | None = None
    original_amount: Decimal | None = None
    original_currency: str | None = None
    exchange_rate: Decimal | None = None


class Category(msgspec.Struct, frozen=True):
    """The category that a product stands in."""

    id: int
    name: str


class CategoryAttribute(msgspec.Struct, frozen=True):
    """An attribute that products or SKUs of a category may carry."""

    code: str
    name: str
    type: str
    target: str


class CategoryNode(msgspec.Struct, frozen=True):
    """A category of the tree, with the attributes that it defines."""

    id: int
    name: str
    parent_id: int | None = None
    attributes: list[CategoryAttribute] | None = None


class Sku(msgspec.Struct, frozen=True):
    """A sellable item. Price and stock stand in it only where one product is asked for."""

    id: str
    name: str | None = None
    image: str | None = None
    attributes: Attributes = None
    price: Decimal | None = None
    currency: str | None = None
    stock: int | None = None
    max_per_order: int | None = None
    markup_percent: Decimal | None = None
    markup_fixed: Decimal | None = None
    rate: Decimal | None = None


class Product(msgspec.Struct, frozen=True):
    """A product and its SKUs, each still raw."""

    id: str
    type: str
    name: str | None = None
    denomination_type: str | None = None
    category: Category | None = None
    description: str | None = None
    image: str | None = None
    attributes: Attributes = None
    fields: list[Any] | dict[str, Any] | None = None
    skus: list[msgspec.Raw] | None = None


class Listed(msgspec.Struct, frozen=True):
    """A product as far as it must be read to be counted."""

    id: str
    type: str


class Priced(msgspec.Struct, frozen=True):
    """A row of the price list as far as it must be read to be found again."""

    sku_id: str


class Price(msgspec.Struct, frozen=True):
    """A row of the price list. A ``custom`` denomination has no price, but a markup and a rate."""

    sku_id: str
    denomination_type: str | None = None
    price: Decimal | None = None
    currency: str | None = None
    stock: int | None = None
    max_per_order: int | None = None
    markup_percent: Decimal | None = None
    markup_fixed: Decimal | None = None
    rate: Decimal | None = None


class OrderItem(msgspec.Struct, frozen=True):
    """One line of an order.

    ``delivery_data`` has other keys in orders, webhooks and kinds of goods, and is null or ``[]`` while the
    order runs; ``customer_data`` is what the buyer filled in, of a top-up the eSIM. Neither has a stated shape.
    """

    sku_id: str | None = None
    quantity: int | None = None
    price: Decimal | None = None
    status: str | None = None
    id: Any = None
    sku_name: str | None = None
    currency: str | None = None
    delivery_data: Any = None
    customer_data: Any = None
    error_message: Any = None


class Order(msgspec.Struct, frozen=True):
    """An order, in an answer or in a webhook (which has ``completed_at`` and no ``created_at``)."""

    id: str
    external_id: str
    status: str
    total_amount: Decimal | None = None
    currency: str | None = None
    items: list[OrderItem] | None = None
    metadata: Any = None
    created_at: str | None = None
    completed_at: str | None = None


class Referenced(msgspec.Struct, frozen=True):
    """An order as far as it must be read to tell whose it is."""

    external_id: str | None


class DataBalance(msgspec.Struct, frozen=True):
    """The data on an eSIM over all packages, in ``unit``."""

    total_gb: Decimal | None = None
    remaining_gb: Decimal | None = None
    unit: str | None = None


class ActivePackage(msgspec.Struct, frozen=True):
    """One package on an eSIM; amounts are in ``data_unit``."""

    name: str | None = None
    id: str | None = None
    data_total: Decimal | None = None
    data_remaining: Decimal | None = None
    data_unit: str | None = None
    activated_at: str | None = None
    expires_at: str | None = None
    status: str | None = None


class CoverageRow(msgspec.Struct, frozen=True):
    """A network that an eSIM may use in a country."""

    country_code: str | None = None
    network_name: str | None = None
    country_name: str | None = None


class EsimStatus(msgspec.Struct, frozen=True):
    """An eSIM now. ``qr_code`` is the activation code's text, not a picture."""

    iccid: str
    status: str | None = None
    esim_id: str | None = None
    qr_code: str | None = None
    can_renew: bool | None = None
    last_bundle: str | None = None
    data_balance: DataBalance | None = None
    active_packages: list[ActivePackage] | None = None
    coverage: list[CoverageRow] | None = None


class MeAnswer(msgspec.Struct, frozen=True):
    success: bool
    data: Me


class BalanceAnswer(msgspec.Struct, frozen=True):
    success: bool
    data: Balance


class ProductAnswer(msgspec.Struct, frozen=True):
    success: bool
    data: Product


class OrderAnswer(msgspec.Struct, frozen=True):
    success: bool
    data: Order
    message: str | None = None


class CategoriesAnswer(msgspec.Struct, frozen=True):
    success: bool
    data: list[CategoryNode]


class EsimStatusAnswer(msgspec.Struct, frozen=True):
    success: bool
    data: EsimStatus


class NewOrderFields(msgspec.Struct, frozen=True):
    quantity: int = 1


class NewOrderItem(msgspec.Struct, frozen=True):
    sku_id: str
    fields: NewOrderFields = msgspec.field(default_factory=NewOrderFields)


class NewOrder(msgspec.Struct, frozen=True, omit_defaults=False):
    """The body of an order; ``external_id`` is ours and unique for ever."""

    external_id: str
    item: NewOrderItem


class NewGoodItem(msgspec.Struct, frozen=True):
    """What is bought; ``fields`` are the quantity, a denomination of one's choice, and what the product asks for."""

    sku_id: str
    fields: dict[str, Any]


class NewGoodOrder(msgspec.Struct, frozen=True):
    """The body of an order of goods that are no eSIM."""

    external_id: str
    item: NewGoodItem


class NewTopUp(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of a top-up; without ``sku_uuid`` the supplier takes the SKU that the eSIM was bought as."""

    external_id: str
    sku_uuid: str | None = None


class WebhookEnvelope(msgspec.Struct, frozen=True):
    """What the webhook's signature covers, beside the X-Timestamp header."""

    event: str
    idempotency_key: str


class WebhookOrder(msgspec.Struct, frozen=True):
    order: Order


class OrderPointer(msgspec.Struct, frozen=True):
    """Which order a notification is about; what else it says of it is not signed and not read."""

    id: str | None = None
    external_id: str | None = None


class PointedAt(msgspec.Struct, frozen=True):
    order: OrderPointer


class WebhookPointer(msgspec.Struct, frozen=True):
    """A notification as far as it is read."""

    data: PointedAt
    timestamp: str | None = None


class Webhook(msgspec.Struct, frozen=True):
    """A whole notification. The order in it is not covered by the signature."""

    event: str
    idempotency_key: str
    timestamp: str
    data: WebhookOrder
