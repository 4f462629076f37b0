"""Purchases of goods that are no eSIM at S2S's sandbox: checked, priced and handed to the simulator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
from aiohttp import web

from providers.s2s.sandbox.other_goods import CARD, other_goods
from providers.s2s.sandbox.products import PLENTY, CatalogProduct
from providers.simulator import Purchase, RefusalReason, SaleState, SupplierRefusal, simulator_of
from schemas.order import OrderKind

AMOUNT = "amount"
QUANTITY = "quantity"
TOO_MANY = "The quantity may not be greater than max_per_order."
_PERCENT = Decimal(100)
_GONE = frozenset({SaleState.FAILED, SaleState.CANCELLED})

_decimal = msgspec.json.Decoder(Decimal, strict=False)
_integer = msgspec.json.Decoder(int)
_text = msgspec.json.Decoder(str, strict=False)


def row_of(sku_id: str) -> tuple[CatalogProduct, Mapping[str, Any]] | None:
    """The product and price row of a SKU that is no eSIM."""
    return _by_sku().get(sku_id)


def stock_left(request: web.Request, row: Mapping[str, Any]) -> int:
    """What is left of a row's stock; of plenty there is always as much."""
    stock: int = row["stock"]
    if stock == PLENTY:
        return stock
    sold: int = sum(
        sale.details.get(QUANTITY, 1)
        for sale in simulator_of(request).sales()
        if sale.key == row["sku_id"] and sale.state not in _GONE
    )
    return max(0, stock - sold)


def quantity_of(fields: Mapping[str, msgspec.Raw]) -> int:
    """How many are asked for. Raises the 422 for what is no whole number above 0."""
    try:
        quantity: int = _integer.decode(fields[QUANTITY]) if QUANTITY in fields else 1
    except msgspec.MsgspecError:
        quantity = 0
    if quantity < 1:
        raise web.HTTPUnprocessableEntity(text="The quantity must be at least 1.")
    return quantity


def purchase(
    request: web.Request,
    product: CatalogProduct,
    row: Mapping[str, Any],
    fields: Mapping[str, msgspec.Raw],
    reference: str,
    metadata: Any,
) -> Purchase:
    """What is to be booked. Raises the 422 for what the product does not allow, and ``SupplierRefusal``."""
    quantity = quantity_of(fields)
    if quantity > row["max_per_order"]:
        raise web.HTTPUnprocessableEntity(text=TOO_MANY)
    answers = _fields_of(product, fields)
    unit = _custom_price(row, fields) if row["denomination_type"] == "custom" else _decimal.decode(row["price"])
    if stock_left(request, row) < quantity:
        raise SupplierRefusal(RefusalReason.OUT_OF_STOCK)
    return Purchase(
        None,
        OrderKind.VOUCHER,
        reference,
        details={
            "metadata": metadata,
            "quantity": quantity,
            "sku_name": row["sku_name"],
            "type": product.about["type"],
            "fields": answers,
        },
        key=row["sku_id"],
        price=unit * quantity,
        triggers=product.triggers.get(row["sku_id"], ()),
    )


def _fields_of(product: CatalogProduct, fields: Mapping[str, msgspec.Raw]) -> dict[str, str]:
    answers: dict[str, str] = {}
    for field in product.about["fields"]:
        name = field["name"]
        try:
            text = _text.decode(fields[name]) if name in fields else ""
        except msgspec.MsgspecError:
            text = ""
        if not text and field["required"]:
            raise web.HTTPUnprocessableEntity(text=f"The fields.{name} field is required.")
        fits = re.fullmatch(field.get("regex", "").strip("/") or ".*", text)
        if text and (fits is None or text not in field.get("options", [text])):
            raise web.HTTPUnprocessableEntity(text=f"The fields.{name} format is invalid.")
        if text:
            answers[name] = text
    return answers


def _custom_price(row: Mapping[str, Any], fields: Mapping[str, msgspec.Raw]) -> Decimal:
    try:
        amount = _decimal.decode(fields[AMOUNT]) if AMOUNT in fields else Decimal(0)
    except (msgspec.MsgspecError, ArithmeticError):
        amount = Decimal(0)
    least, most = row.get("min_amount", 1), row.get("max_amount", 10_000)
    if not amount.is_finite() or not least <= amount <= most:
        raise web.HTTPUnprocessableEntity(text=f"The fields.{AMOUNT} must be between {least} and {most}.")
    rate: Decimal = _decimal.decode(row["rate"])
    return amount * rate * (1 + Decimal(row["markup_percent"]) / _PERCENT) + Decimal(row["markup_fixed"])


@cache
def _by_sku() -> Mapping[str, tuple[CatalogProduct, Mapping[str, Any]]]:
    return {row["sku_id"]: (product, row) for product in (*other_goods(), CARD) for row in product.priced}
