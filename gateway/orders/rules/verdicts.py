"""What an answer, an error or a look makes of an attempt.

Nothing is guessed: only a documented refusal or a send that never left is a failure, only a delivery is a
success, and whatever else stays unknown or accepted until a look tells more or an operator does.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from gateway.items import item_rules
from gateway.items.item_rules import Delivered, VoucherCodes
from gateway.orders.rules import plausible
from gateway.orders.rules.states import AttemptKind, AttemptNow, AttemptState
from gateway.pricing.price_rules import NoRate, Rates
from schemas.errors import GatewayError, NotSupported, Outcome, SupplierError
from schemas.money import Money
from schemas.order import Delivery, OrderKind, SupplierOrder, SupplierOrderState

# A supplier that cannot be asked for so long after the quiescence leaves the order to an operator.
UNSEEN_FOR = timedelta(hours=1)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is now known of an attempt.

    ``state`` None says nothing new. ``charged`` is what the supplier took, ``kept_charge`` what it still holds of an
    order that failed there (None: not known, or it did not fail). ``review`` is why an operator has to look, None
    when nobody has to.
    ``gone`` marks a failure by the supplier's own word on its order, which overrules "accepted".
    """

    state: AttemptState | None
    charged: Money | None = None
    kept_charge: Money | None = None
    supplier_order_id: str | None = None
    delivery: Delivered | None = None
    error_code: str | None = None
    error: str | None = None
    review: str | None = None
    gone: bool = False


def of_order(reported: SupplierOrder, attempt: AttemptNow, now: datetime) -> Verdict:
    """What a supplier's word on its order makes of the attempt."""
    reported = plausible.order(reported)
    match reported.state:
        case SupplierOrderState.COMPLETED:
            return _completed(reported, attempt, now)
        case SupplierOrderState.PARTIAL:
            return _verdict(
                reported,
                state=AttemptState.CHARGED_UNDELIVERABLE,
                charged=reported.charged,
                error_code="partial",
                error=reported.error or "the supplier calls the order partly done",
                review=reported.error or "the supplier calls the order partly done",
            )
        case SupplierOrderState.FAILED | SupplierOrderState.CANCELLED:
            return _ended(reported, attempt, now)
        case _:
            return _pending(reported, attempt, now)


def of_error(error: GatewayError) -> Verdict:
    """What a failed send makes of the attempt: failed when it certainly did not happen, else unknown."""
    if isinstance(error, NotSupported):
        return Verdict(state=AttemptState.FAILED, error_code="not_supported", error=str(error))
    if isinstance(error, SupplierError):
        definite = error.outcome is Outcome.DID_NOT_HAPPEN
        state = AttemptState.FAILED if definite else AttemptState.UNKNOWN
        return Verdict(state=state, error_code=error.code, error=plausible.text(error.detail))
    return Verdict(state=AttemptState.UNKNOWN, error_code="fault", error=type(error).__name__)


def of_absence(attempt: AttemptNow, now: datetime, *, trust_absence: bool) -> Verdict:
    """What a look that shows nothing means: nothing before the quiescence is over, and then only where trusted.

    ``now`` is when the look was begun. Whoever looked may have frozen since, and what came later he did not see.
    """
    if attempt.state is not AttemptState.UNKNOWN or now < attempt.quiescent_at:
        return _overdue(attempt, now)
    if trust_absence:
        return Verdict(
            state=AttemptState.FAILED, error_code="absent", error="the supplier shows nothing of it", gone=True
        )
    return Verdict(
        state=None,
        error_code=attempt.error_code,
        error=attempt.error,
        review="the supplier shows nothing of it, which does not prove that nothing was bought",
    )


def of_failed_poll(attempt: AttemptNow, now: datetime, error: str) -> Verdict:
    """What a look that could not be made means: an operator looks once it has been impossible for long."""
    if attempt.state is AttemptState.UNKNOWN and now >= attempt.quiescent_at + UNSEEN_FOR:
        return Verdict(state=None, review=f"the supplier cannot be asked: {error}")
    return _overdue(attempt, now)


def of_loss(attempt: AttemptNow) -> Verdict:
    """The run that was to send did not come back: it may have sent."""
    if attempt.state is not AttemptState.SENDING:
        return Verdict(state=None)
    return Verdict(state=AttemptState.UNKNOWN, error_code="lost", error="the run that sent did not come back")


def charged_more(listed: Money | None, charged: Money | None, tolerance: Decimal, rates: Rates) -> bool:
    """Whether a charge is more than the listed cost allows, compared in the supplier's own number.

    One in another currency than was listed is compared by the rates; without a rate nobody can say that it is not.
    """
    if listed is None or charged is None:
        return False
    if listed.currency == charged.currency:
        return charged.amount > listed.amount * (1 + tolerance)
    try:
        return rates.to_base(charged).amount > rates.to_base(listed).amount * (1 + tolerance)
    except NoRate:
        return True


def deliverable(delivery: Delivery | None, kind: AttemptKind) -> bool:
    """Whether a traveller can install it; a top-up has nothing to install."""
    if kind == "topup":
        return delivery is None or not delivery.conflict
    return (
        delivery is not None
        and not delivery.conflict
        and delivery.iccid is not None
        and delivery.activation_code is not None
        and delivery.smdp_address is not None
    )


def _completed(reported: SupplierOrder, attempt: AttemptNow, now: datetime) -> Verdict:
    if attempt.item is OrderKind.NUMBER:
        return _number(reported, attempt, now)
    if attempt.item is OrderKind.VOUCHER:
        return _codes(reported, attempt, now)
    if deliverable(reported.delivery, attempt.kind):
        return _verdict(reported, state=AttemptState.SUCCEEDED, charged=reported.charged, delivery=reported.delivery)
    if reported.delivery is None:
        return _pending(reported, attempt, now)
    conflict = reported.delivery.conflict
    what = "the supplier gave two that differ" if conflict else "nothing that can be installed was given"
    return _verdict(
        reported,
        state=AttemptState.CHARGED_UNDELIVERABLE,
        charged=reported.charged,
        delivery=reported.delivery,
        error_code="conflict" if conflict else "undeliverable",
        error=what,
        review=what,
    )


def _number(reported: SupplierOrder, attempt: AttemptNow, now: datetime) -> Verdict:
    """A virtual number is delivered with the number itself."""
    if reported.number is None:
        return _pending(reported, attempt, now)
    if item_rules.is_phone_number(reported.number.phone_number):
        return _verdict(reported, state=AttemptState.SUCCEEDED, charged=reported.charged, delivery=reported.number)
    return _undeliverable(reported, "nothing that can be called was given")


def _codes(reported: SupplierOrder, attempt: AttemptNow, now: datetime) -> Verdict:
    """A voucher is delivered with one code for each unit that was bought: fewer or more are for an operator."""
    if not reported.codes:
        return _pending(reported, attempt, now)
    if item_rules.complete(reported.codes, attempt.units):
        codes = VoucherCodes(reported.codes)
        return _verdict(reported, state=AttemptState.SUCCEEDED, charged=reported.charged, delivery=codes)
    return _undeliverable(reported, f"{len(reported.codes)} codes came, and {attempt.units} usable ones were bought")


def _undeliverable(reported: SupplierOrder, what: str) -> Verdict:
    return _verdict(
        reported,
        state=AttemptState.CHARGED_UNDELIVERABLE,
        charged=reported.charged,
        error_code="undeliverable",
        error=what,
        review=what,
    )


def _ended(reported: SupplierOrder, attempt: AttemptNow, now: datetime) -> Verdict:
    """Failed or cancelled at the supplier: definite only once no charge stands."""
    error = reported.error or f"the supplier calls the order {reported.state.value}"
    if reported.charged is not None and reported.charged.amount == 0:
        return _verdict(
            reported,
            state=AttemptState.FAILED,
            kept_charge=reported.charged,
            error_code="failed_there",
            error=error,
            gone=True,
        )
    why = "whether its charge stands is not known" if reported.charged is None else "its charge still stands"
    return _verdict(
        reported,
        state=AttemptState.ACCEPTED,
        charged=reported.charged,
        kept_charge=reported.charged,
        error_code="failed_there",
        error=error,
        review=f"{error}; {why}" if now >= attempt.quiescent_at else None,
    )


def _pending(reported: SupplierOrder, attempt: AttemptNow, now: datetime) -> Verdict:
    late = attempt.provision_by is not None and now >= attempt.provision_by
    return _verdict(
        reported,
        state=AttemptState.ACCEPTED,
        charged=reported.charged,
        review="accepted and not delivered in time" if late else None,
    )


def _overdue(attempt: AttemptNow, now: datetime) -> Verdict:
    late = attempt.state is AttemptState.ACCEPTED and attempt.provision_by is not None and now >= attempt.provision_by
    return Verdict(state=None, review="accepted and not delivered in time" if late else None)


def _verdict(reported: SupplierOrder, **known: object) -> Verdict:
    return Verdict(supplier_order_id=reported.supplier_order_id, **known)  # type: ignore[arg-type]
