"""What the sandbox sold, in S2S's words: orders, delivered goods, eSIMs, notifications. Pure."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from providers.kit import places
from providers.s2s.sandbox import products
from providers.simulator import Esim, Item, Package, Sale, SaleState, TriggerKind
from schemas.esim import ProfileState, ServiceState
from schemas.order import OrderKind

EVENT = "order.status_changed"
STATUSES = ("created", "processing", "completed", "cancelled", "failed", "partially_completed")

_STATES: Mapping[SaleState, str] = {
    SaleState.PROCESSING: "processing",
    SaleState.COMPLETED: "completed",
    SaleState.CANCELLED: "cancelled",
    SaleState.FAILED: "failed",
    SaleState.PARTIAL: "partially_completed",
}
# The page: a webhook is sent when an order reaches one of these.
_ANNOUNCED = frozenset({SaleState.COMPLETED, SaleState.FAILED, SaleState.PARTIAL})
_MB_PER_GB = 1024
_CENT = Decimal("0.01")
# A webhook writes these otherwise than an order does.
_WEBHOOK_KEYS: Mapping[str, str] = {"serialNumber": "serial_number", "expiration": "expiration_date"}


def order(sale: Sale, esim: Esim | None) -> dict[str, Any]:
    """An order as the page writes it. What is in an eSIM's ``delivery_data`` no page says."""
    quantity = sale.details.get("quantity", 1)
    line = {
        "sku_id": sale.key if sale.item is None else products.sku_id(sale.item.key),
        "sku_name": sale.details.get("sku_name", "") if sale.item is None else products.sku_name(sale.item),
        "quantity": quantity,
        "price": sale.charged if quantity == 1 else (sale.charged / quantity).quantize(_CENT),
        "currency": "USD",
        "status": status_of(sale),
        "delivery_data": vouchers_of(sale) if sale.kind is OrderKind.VOUCHER else _delivered(sale, esim),
        "customer_data": _customer_data(sale),
        "error_message": sale.error,
    }
    return {
        "id": sale.id,
        "external_id": sale.reference,
        "status": status_of(sale),
        "total_amount": sale.charged,
        "currency": "USD",
        "metadata": sale.details.get("metadata"),
        "created_at": time_text(sale.created_at),
        "items": [line],
    }


def vouchers_of(sale: Sale) -> list[dict[str, Any]] | None:
    """The codes of a voucher, as on the page; what is said of a recharge instead. Nothing before that."""
    quantity = sale.details.get("quantity", 1)
    if sale.state is SaleState.PARTIAL:
        quantity //= 2
    elif sale.state is not SaleState.COMPLETED:
        return [] if sale.number % 2 else None
    if TriggerKind.CODES_MISSING in sale.triggers:
        quantity -= 1
    if str(sale.details.get("type", "")).startswith("recharge"):
        return [{"status": "recharged", "message": "Recharge completed"}] * quantity
    return [_voucher(sale, number) for number in range(quantity)]


def pins_of(sale: Sale) -> tuple[str, ...]:
    """The PINs that a voucher has delivered."""
    codes = vouchers_of(sale) if sale.kind is OrderKind.VOUCHER else None
    return tuple(code["pin"] for code in codes or () if "pin" in code)


def _voucher(sale: Sale, number: int) -> dict[str, Any]:
    secret = hashlib.sha256(f"{sale.id}/{number}".encode()).hexdigest()
    dated = sale.number % 2 == 0
    return {
        "pin": secret[:32],
        "expiration": f"{sale.created_at.year + 1}-01-15" if dated else None,
        "serialNumber": secret[32:48].upper() if dated else "",
    }


def _customer_data(sale: Sale) -> dict[str, Any] | None:
    if sale.kind is OrderKind.TOPUP:
        return {"iccid": sale.iccid, "quantity": 1}
    fields = sale.details.get("fields")
    return {**fields, "quantity": sale.details.get("quantity", 1)} if fields else None


def status_of(sale: Sale) -> str:
    """The word for where a sale stands; it is only created until its first look-up."""
    return "created" if not sale.final and sale.polls == 0 else _STATES[sale.state]


def _delivered(sale: Sale, esim: Esim | None) -> list[dict[str, Any]] | None:
    """An eSIM in one of three shapes; a top-up as on the page; nothing, in either way of writing it, before that."""
    if sale.state is not SaleState.COMPLETED or esim is None:
        return [] if sale.number % 2 else None
    if sale.kind is OrderKind.TOPUP:
        done = {"status": "recharged", "message": "Package successfully added to existing eSIM"}
        return [{"iccid": esim.iccid, **done}]
    parts = esim.text_code.split("$")
    shape = sale.number % 3
    if shape == 0 and len(parts) == 3:  # noqa: PLR2004 - a complete code: LPA:1, address, matching ID
        code = {"smdp_address": parts[1], "matching_id": parts[2]}
    else:
        code = {"lpa" if shape == 1 else "activation_code": esim.text_code}
    return [{"iccid": esim.iccid, **code, "qr_code": esim.picture_code, "expiration": None}]


def notification(sale: Sale, esim: Esim | None, at: datetime) -> dict[str, Any] | None:
    """The webhook of an order that has come to rest at ``at``; None for a state of which the page sends none."""
    if sale.state not in _ANNOUNCED:
        return None
    whole = order(sale, esim)
    summary = {name: whole[name] for name in ("id", "external_id", "status", "total_amount", "currency")}
    lines = [
        {name: line[name] for name in ("sku_id", "quantity", "price", "status", "delivery_data")}
        for line in whole["items"]
    ]
    if sale.kind is OrderKind.VOUCHER:
        for line in lines:
            line["delivery_data"] = [
                {_WEBHOOK_KEYS.get(name, name): value for name, value in row.items()}
                for row in line["delivery_data"] or ()
            ]
    return {
        "event": EVENT,
        "timestamp": time_text(at),
        "idempotency_key": str(uuid.uuid4()),
        "data": {"order": {**summary, "completed_at": time_text(sale.ended_at or at), "items": lines}},
    }


def esim_status(esim: Esim, now: datetime) -> dict[str, Any]:
    """An eSIM at ``now``. Its packages are listed once they are active, and until they end."""
    running = [] if esim.service is ServiceState.NOT_ACTIVE else esim.packages
    active = [package for package in running if package.expires_at is None or package.expires_at > now]
    data = {"total_gb": _gb(esim.total_mb), "remaining_gb": _gb(esim.remaining_mb), "unit": "GB"}
    return {
        "esim_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"s2s/esim/{esim.iccid}")),
        "iccid": esim.iccid,
        "status": _profile_word(esim),
        "qr_code": esim.picture_code,
        "can_renew": esim.renewable,
        "last_bundle": products.sku_name(esim.packages[-1].item),
        "data_balance": None if esim.total_mb is None else data,
        "active_packages": [_package(package) for package in active],
        "coverage": _coverage(esim.packages[0].item),
    }


def time_text(at: datetime) -> str:
    """A time as the page writes it."""
    return at.isoformat(timespec="seconds")


def _package(package: Package) -> dict[str, Any]:
    in_gb = (package.total_mb or 0) >= _MB_PER_GB
    amount = _gb if in_gb else (lambda mb: mb)
    return {
        "id": f"pkg_{package.sale_id}",
        "name": products.sku_name(package.item),
        "data_total": amount(package.total_mb),
        "data_remaining": amount(package.remaining_mb),
        "data_unit": "GB" if in_gb else "MB",
        "activated_at": time_text(package.began_at or package.bought_at),
        "expires_at": None if package.expires_at is None else time_text(package.expires_at),
        "status": "active",
    }


def _coverage(item: Item) -> list[dict[str, str]]:
    listed = [(network.country, network.operator) for network in item.networks]
    listed = listed or [(code, "Roaming partner") for code in item.countries]
    return [
        {"country_name": places.country_name(code), "country_code": code, "network_name": operator}
        for code, operator in listed
    ]


def _profile_word(esim: Esim) -> str:
    if esim.service is ServiceState.REVOKED:
        return "Revoked"
    return "Unknown" if esim.profile is ProfileState.UNKNOWN else esim.profile.value.capitalize()


def _gb(mb: int | None) -> Decimal | None:
    return None if mb is None else Decimal(mb) / _MB_PER_GB
