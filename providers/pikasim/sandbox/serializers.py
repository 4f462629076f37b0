"""The sandbox's orders, eSIMs and money as PikaSim writes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from providers.simulator import Esim, Package, Sale, SaleState, StatementLine, StatementLineKind
from schemas.esim import ProfileState, ServiceState
from schemas.order import OrderKind

BYTES_PER_MB = 2**20
# The page's words for an order, and what it calls one that it gave up on; PARTIAL is a word that no page states.
STATUSES = ("pending", "processing", "completed", "failed")
TRANSACTIONS = ("deposit", "order", "topup", "refund", "adjustment")
_STATES: Mapping[SaleState, str] = {
    SaleState.PROCESSING: "processing",
    SaleState.COMPLETED: "completed",
    SaleState.FAILED: "failed",
    SaleState.PARTIAL: "partially_completed",
}
_TRANSACTIONS: Mapping[StatementLineKind, str] = {
    StatementLineKind.CHARGE: "order",
    StatementLineKind.REFUND: "refund",
    StatementLineKind.DEPOSIT: "deposit",
    StatementLineKind.ADJUSTMENT: "adjustment",
}
_SERVICES: Mapping[ServiceState, str] = {
    ServiceState.NOT_ACTIVE: "GOT_RESOURCE",
    ServiceState.ACTIVE: "IN_USE",
    ServiceState.DEPLETED: "USED_UP",
    ServiceState.EXPIRED: "USED_EXPIRED",
    ServiceState.SUSPENDED: "SUSPENDED",
    ServiceState.REVOKED: "CANCEL",
    ServiceState.UNKNOWN: "UNDER_REVIEW",
}
_PROFILES: Mapping[ProfileState, str] = {
    ProfileState.RELEASED: "RELEASED",
    ProfileState.DOWNLOADED: "DOWNLOAD",
    ProfileState.INSTALLED: "INSTALLATION",
    ProfileState.ENABLED: "ENABLED",
    ProfileState.DISABLED: "DISABLED",
    ProfileState.DELETED: "DELETED",
    ProfileState.UNKNOWN: "UNDER_REVIEW",
}


def status_of(sale: Sale, esim: Esim | None) -> str:
    """A sale's status. One whose eSIM was given back stays completed, one that the supplier called off has failed."""
    if sale.state is SaleState.CANCELLED:
        # A top-up is never given back, so this one was called off, though it names an eSIM.
        return "failed" if esim is None or sale.kind is OrderKind.TOPUP else "completed"
    return _STATES[sale.state]


def created(sale: Sale, esim: Esim | None) -> dict[str, Any]:
    """The answer to a new order or top-up."""
    return {
        "orderId": sale.id,
        "externalOrderId": sale.reference,
        "status": status_of(sale, esim),
        "packageCode": package_code(sale),
        "price": cents(sale.charged),
        "priceFormatted": dollars(sale.charged),
        "message": "Order created. eSIM details will be sent via webhook.",
    }


def listed(sale: Sale, esim: Esim | None) -> dict[str, Any]:
    """An order in the list, which has no eSIMs in it."""
    order = created(sale, esim)
    del order["message"]
    order["createdAt"] = time_text(sale.created_at)
    if sale.error and order["status"] == "failed":
        order["reason"] = sale.error
    return order


def order(sale: Sale, esim: Esim | None) -> dict[str, Any]:
    """One order, with its eSIM once it is completed."""
    fields = listed(sale, esim)
    if esim is not None and fields["status"] == "completed":
        fields["esim"] = _delivered(esim) if sale.kind is OrderKind.ESIM else {"iccid": esim.iccid}
    return fields


def type_of(line: StatementLine) -> str:
    """A transaction's type."""
    if line.kind is StatementLineKind.CHARGE and line.sale_kind is OrderKind.TOPUP:
        return "topup"
    return _TRANSACTIONS[line.kind]


def transaction(line: StatementLine) -> dict[str, Any]:
    """A transaction, in signed cents."""
    return {
        "id": f"txn_{line.number}",
        "type": type_of(line),
        "amount": cents(line.amount),
        "orderId": line.sale_id,
        "createdAt": time_text(line.at),
    }


def esim_page(esim: Esim, sale: Sale) -> dict[str, Any]:
    """GET /esims/:iccid."""
    return {
        "iccid": esim.iccid,
        "orderId": sale.id,
        "externalOrderId": sale.reference,
        "packageCode": package_code(sale),
        "packageName": esim.packages[0].item.place,
        **{name: value for name, value in _delivered(esim).items() if name != "iccid"},
        "lpaUrl": f"https://pikasim.example/lpa/{sale.id}",
        **_state(esim),
        "apn": "internet",
        "imsi": f"90101{esim.iccid[-10:]}",  # 901 is the country code of nobody
        "msisdn": f"+8829{esim.iccid[-9:]}",
        "packageList": [_package(package) for package in esim.packages],
        "purchasedAt": time_text(sale.created_at),
        "createdAt": time_text(esim.created_at),
    }


def usage_page(esim: Esim) -> dict[str, Any]:
    """GET /esims/:iccid/usage: the same figures in three units."""
    total, used, left = esim.total_mb, esim.used_mb, esim.remaining_mb
    return {
        "iccid": esim.iccid,
        **_state(esim),
        "statusDescription": "eSIM status as reported by the network",
        **{f"{name}DataGB": _gb(mb) for name, mb in (("total", total), ("used", used), ("remaining", left))},
        **{f"{name}DataMB": mb for name, mb in (("total", total), ("used", used), ("remaining", left))},
        "usagePercent": round(100 * used / total) if total else None,
        "createTime": time_text(esim.created_at),
        "packageList": [_package(package) for package in esim.packages],
    }


def cancelled(sale: Sale, iccid: str, balance: Decimal) -> dict[str, Any]:
    """The answer to a cancel."""
    return {
        "iccid": iccid,
        "orderId": sale.id,
        "refundAmount": cents(sale.refunded),
        "refundFormatted": dollars(sale.refunded),
        "newBalance": cents(balance),
        "newBalanceFormatted": dollars(balance),
        "message": "eSIM cancelled successfully. Refund added to your balance.",
    }


def cancel_refused(esim: Esim) -> dict[str, Any]:
    """The page's own answer to a cancel of an eSIM that is in use."""
    state = _state(esim)
    return {
        "success": False,
        "error": "eSIM cannot be cancelled - already installed or in use",
        "currentStatus": {"esimStatus": state["status"], "smdpStatus": state["smdpStatus"]},
        "message": "Only unused eSIMs that have not been installed can be cancelled for a refund.",
    }


def notification(sale: Sale, esim: Esim | None, at: datetime) -> dict[str, Any] | None:
    """The webhook for a sale that has come to rest; None for one that the page has no event for."""
    data: dict[str, Any] = {
        "orderId": sale.id,
        "externalOrderId": sale.reference,
        "packageCode": package_code(sale),
    }
    if sale.state in {SaleState.FAILED, SaleState.CANCELLED}:
        return {"event": "order.failed", "timestamp": time_text(at), "data": {**data, "reason": sale.error}}
    if sale.state is not SaleState.COMPLETED or esim is None:
        return None
    if sale.kind is OrderKind.TOPUP:
        event = {"event": "esim.topup.completed", "timestamp": time_text(at)}
        return {**event, "data": {**data, "esim": {"iccid": esim.iccid}}}
    return {"event": "esim.provisioned", "timestamp": time_text(at), "data": {**data, "esim": _delivered(esim)}}


def package_code(sale: Sale) -> str:
    """The code that was ordered, which for a top-up is not the package's own."""
    return str(sale.details.get("package_code", sale.key))


def cents(amount: Decimal) -> int:
    """Dollars as whole cents."""
    return int(amount.scaleb(2).to_integral_value())


def dollars(amount: Decimal) -> str:
    """Dollars as a text, such as "$5.00"."""
    return f"${amount:.2f}"


def time_text(at: datetime) -> str:
    """A time (UTC) as JavaScript writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _delivered(esim: Esim) -> dict[str, Any]:
    return {
        "iccid": esim.iccid,
        "qrCodeUrl": f"https://pikasim.example/qr/{esim.sale_id}.png",
        "activationCode": esim.text_code,
        "shortUrl": f"https://pikasim.example/e/{esim.sale_id}",
    }


def _state(esim: Esim) -> dict[str, Any]:
    return {
        "status": _SERVICES[esim.service],
        "smdpStatus": _PROFILES[esim.profile],
        "totalData": _bytes(esim.total_mb),
        "usedData": _bytes(esim.used_mb),
        "remainingData": _bytes(esim.remaining_mb),
        "expireTime": None if esim.expires_at is None else time_text(esim.expires_at),
    }


def _package(package: Package) -> dict[str, Any]:
    return {
        "packageCode": package.item.key,
        "packageName": package.item.place,
        "volume": _bytes(package.total_mb),
        "volumeGB": _gb(package.total_mb),
        "duration": package.item.days,
        "createTime": time_text(package.bought_at),
    }


def _bytes(mb: int | None) -> int | None:
    return None if mb is None else mb * BYTES_PER_MB


def _gb(mb: int | None) -> float | None:
    return None if mb is None else round(mb / 1024, 3)
