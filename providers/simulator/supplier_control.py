"""The control routes of a supplier simulator, beside those of ``control.py``; and what really happened, for checks.

::

    GET    till                                  balance, how orders are delivered
    POST   till     {"deposit": "500", "credit": "0", "delivery_seconds": 2, "delivery_looks": null}
    GET    esims, esims/{iccid}
    POST   esims/{iccid} {"used_mb": 512, "profile": "enabled", "service": "active", "expires_at": "…",
                          "renewable": true}
    GET    truth                                 every charge, and what was asked for and not done

What is left out of a POST stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from providers.simulator.control import changes_of, control, simulator_of
from providers.simulator.sales import Esim, Sale, SaleState, StatementLine, UnchargedRequest
from providers.simulator.supplier import SupplierSimulator
from providers.simulator.triggers import TriggerKind
from schemas.esim import ProfileState, ServiceState
from schemas.order import OrderKind

Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Looks = Annotated[int, msgspec.Meta(ge=1)]
_MOST_MONEY = 10**9


class Charge(msgspec.Struct, frozen=True):
    """One charge. Amounts are in the supplier's own number; what is left of it is ``charged - refunded``.

    ``delivered`` is whether the eSIM or the data is there; ``given`` is what was delivered that is no eSIM.
    ``answered`` is whether the whole answer was written to the caller; whether it was read only the caller knows.
    ``shown`` is whether lists show the order, ``code_shown`` whether looking it up gives the activation code too.
    ``knowable`` is whether a caller who got no answer can bring it to its right end without an operator.
    """

    order_id: str
    number: int
    kind: OrderKind
    key: str
    reference: str | None
    details: Mapping[str, Any]
    charged: Decimal
    refunded: Decimal
    state: SaleState
    delivered: bool
    iccid: str | None
    given: tuple[str, ...]
    answered: bool
    shown: bool
    code_shown: bool
    knowable: bool
    triggers: tuple[TriggerKind, ...]
    at: datetime


_OF_THE_SALE = frozenset(Charge.__struct_fields__) & frozenset(Sale.__struct_fields__)


class SupplierAudit(msgspec.Struct, frozen=True):
    """All that happened at one supplier. ``uncharged`` is what was asked for and not done, ``moves`` the statement."""

    supplier: str
    currency: str
    balance: Decimal
    charges: list[Charge]
    uncharged: list[UnchargedRequest]
    moves: list[StatementLine]


class _SupplierChange(msgspec.Struct, forbid_unknown_fields=True):
    deposit: Decimal | UnsetType = UNSET
    credit: Decimal | UnsetType = UNSET
    delivery_seconds: Seconds | UnsetType | None = UNSET
    delivery_looks: Looks | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        for amount in (self.deposit, self.credit):
            if amount is not UNSET and not (amount.is_finite() and abs(amount) <= _MOST_MONEY):
                raise ValueError(f"an amount must be between -{_MOST_MONEY} and {_MOST_MONEY}")


class _EsimChange(msgspec.Struct, forbid_unknown_fields=True):
    used_mb: Annotated[int, msgspec.Meta(ge=0)] | UnsetType = UNSET
    profile: ProfileState | UnsetType = UNSET
    service: ServiceState | UnsetType = UNSET
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | UnsetType = UNSET
    renewable: bool | UnsetType = UNSET


def supplier_control_routes() -> list[web.RouteDef]:
    """The routes above."""
    return [
        control("GET", "till", _funds),
        control("POST", "till", _set_funds, _SupplierChange),
        control("GET", "esims", lambda request: {"esims": simulator_of(request).esims()}),
        control("GET", "esims/{iccid}", _esim),
        control("POST", "esims/{iccid}", _set_esim, _EsimChange),
        control("GET", "truth", lambda request: audit_of(simulator_of(request))),
    ]


def audit_of(simulator: SupplierSimulator) -> SupplierAudit:
    """What happened until now; looking at it changes nothing."""
    now = datetime.now(UTC)
    return SupplierAudit(
        supplier=simulator.name,
        currency=simulator.rules.currency,
        balance=simulator.balance,
        charges=[_charge(simulator, sale, now) for sale in simulator.sales()],
        uncharged=list(simulator.records.uncharged),
        moves=simulator.records.statement,
    )


def _charge(simulator: SupplierSimulator, sale: Sale, now: datetime) -> Charge:
    visible = sale.shown_at <= now
    delivered = sale.ended_at is not None and sale.state in {SaleState.COMPLETED, SaleState.CANCELLED}
    delivered = delivered and TriggerKind.CANCELLED_AFTER_PROCESSING not in sale.triggers
    code_shown = sale.kind is not OrderKind.ESIM or (delivered and simulator.rules.shows_codes)
    return Charge(
        order_id=sale.id,
        delivered=delivered,
        given=simulator.rules.gives(sale),
        shown=visible,
        code_shown=code_shown,
        knowable=visible and _becomes_final(sale, delivered=delivered, code_shown=code_shown),
        at=sale.created_at,
        **{name: getattr(sale, name) for name in _OF_THE_SALE},
    )


def _becomes_final(sale: Sale, *, delivered: bool, code_shown: bool) -> bool:
    if delivered:
        return code_shown and {TriggerKind.TWO_CODES, TriggerKind.CODES_MISSING}.isdisjoint(sale.triggers)
    return sale.state in {SaleState.FAILED, SaleState.CANCELLED} and sale.refunded >= sale.charged


def _funds(request: web.Request) -> dict[str, Any]:
    simulator = simulator_of(request)
    return {
        "currency": simulator.rules.currency,
        "balance": simulator.balance,
        "credit": simulator.credit,
        "spendable": simulator.available,
        "orders": len(simulator.sales()),
        "esims": len(simulator.esims()),
        "delivery_seconds": simulator.delivery_seconds,
        "delivery_looks": simulator.delivery_looks,
    }


def _set_funds(request: web.Request, body: _SupplierChange) -> dict[str, Any]:
    changes = changes_of(body)
    if "deposit" in changes:
        simulator_of(request).deposit(changes.pop("deposit"))
    for name, value in changes.items():
        setattr(simulator_of(request), name, value)
    return _funds(request)


def _esim(request: web.Request) -> Esim:
    iccid = request.match_info["iccid"]
    esim = simulator_of(request).esim(iccid)
    if esim is None:
        raise web.HTTPNotFound(text=f"no eSIM {iccid}")
    return esim


def _set_esim(request: web.Request, body: _EsimChange) -> Esim:
    esim, changes = _esim(request), changes_of(body)
    if "used_mb" in changes:
        simulator_of(request).use(esim, changes.pop("used_mb"))
    if "expires_at" in changes:
        until = changes.pop("expires_at")
        for package in esim.packages:
            package.expires_at = until
    for name, value in changes.items():
        setattr(esim, name, value)
    simulator_of(request).changed(esim)
    return esim
