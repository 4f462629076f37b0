"""What really happened at a sandbox's till, for checks: what was charged, and what its caller can find out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from providers.simulator.sales import Move, Sale, SaleState, Uncharged
from providers.simulator.supplier import SupplierSimulator
from providers.simulator.triggers import TriggerKind
from schemas.order import OrderKind


class Charge(msgspec.Struct, frozen=True):
    """One charge. Amounts are in the supplier's own number; what is left of it is ``charged - refunded``.

    ``delivered`` is whether the eSIM or the data is there; ``given`` is what was delivered that is no eSIM.
    ``answered`` is whether the whole answer was written to the caller; whether it was read only the caller knows.
    ``shown`` is whether lists show the order, ``code_shown`` whether looking it up gives the activation code too.
    ``knowable`` is whether a caller who got no answer can bring it to its right end without a person.
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


class Truth(msgspec.Struct, frozen=True):
    """The whole truth of one supplier's till. ``uncharged`` is what was asked for and not done."""

    supplier: str
    currency: str
    balance: Decimal
    charges: list[Charge]
    uncharged: list[Uncharged]
    moves: list[Move]


def truth_of(till: SupplierSimulator, supplier: str) -> Truth:
    """As of now; looking at it moves nothing."""
    now = datetime.now(UTC)
    return Truth(
        supplier=supplier,
        currency=till.rules.currency,
        balance=till.balance,
        charges=[_charge(till, sale, now) for sale in till.sales()],
        uncharged=list(till.books.uncharged),
        moves=till.moves()[::-1],
    )


def _charge(till: SupplierSimulator, sale: Sale, now: datetime) -> Charge:
    shown = sale.shown_at <= now
    delivered = sale.ended_at is not None and sale.state in {SaleState.COMPLETED, SaleState.CANCELLED}
    delivered = delivered and TriggerKind.CANCELLED_AFTER_PROCESSING not in sale.triggers
    code_shown = sale.kind is not OrderKind.ESIM or (delivered and till.rules.shows_codes)
    return Charge(
        order_id=sale.id,
        number=sale.number,
        kind=sale.kind,
        key=sale.key,
        reference=sale.reference,
        details=sale.details,
        charged=sale.charged,
        refunded=sale.refunded,
        state=sale.state,
        delivered=delivered,
        iccid=sale.iccid,
        given=till.rules.gives(sale),
        answered=sale.answered,
        shown=shown,
        code_shown=code_shown,
        knowable=shown and _comes_to_rest(sale, delivered=delivered, code_shown=code_shown),
        triggers=sale.triggers,
        at=sale.created_at,
    )


def _comes_to_rest(sale: Sale, *, delivered: bool, code_shown: bool) -> bool:
    if delivered:
        return code_shown and {TriggerKind.TWO_CODES, TriggerKind.CODES_MISSING}.isdisjoint(sale.triggers)
    return sale.state in {SaleState.FAILED, SaleState.CANCELLED} and sale.refunded >= sale.charged
