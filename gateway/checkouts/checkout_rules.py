"""What becomes of a checkout: judged from its row, from what a payment supplier told, and from the clock. Pure.

A captured payment either pays for its checkout, whose order is then placed, or an operator decides. There is no
third way for money to go.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, TypeAlias, get_args

import msgspec

from schemas.checkouts import CaseReason
from schemas.errors import GatewayError, InvalidRequest, NotSupported, Outcome, SupplierError
from schemas.money import Money
from schemas.payment import PaymentKind, PaymentLink, PaymentNotice, PaymentState

State: TypeAlias = Literal["creating", "open", "paid", "expired", "failed", "closed"]
Reason: TypeAlias = CaseReason
REASONS: tuple[Reason, ...] = get_args(Reason)
WORDS: dict[Reason, str] = {
    "paid_twice": "paid a second time",
    "paid_too_little": "less was paid than the price",
    "paid_too_much": "more was paid than the price",
    "paid_late": "paid after the checkout's end",
    "other_currency": "paid in another currency",
    "other_link": "paid through a link that was never given out",
    "test_payment": "a test payment for a live checkout: no money came",
    "live_payment": "real money for a test checkout",
    "authorisation_only": "money was only held, not taken",
    "paid_after_close": "paid after the checkout had been closed",
    "refund": "a payment was given back",
    "other_movement": "money moved in a way that no checkout asks for",
    "unknown_checkout": "paid, and nobody knows what for",
    "payment_not_seen": "the link is used up, and no payment was told",
    "order_refused": "paid, and the order could not be placed",
    "undeliverable": "paid, and the order was not delivered",
    "order_cancelled": "paid, and the order was cancelled",
}

# A notification is on its way for a moment after the link is used up.
UNREPORTED_FOR = timedelta(minutes=3)
# What was begun before the end of a link may be told a little after it.
EXPIRED_AFTER = timedelta(seconds=30)
# A creation that was never answered: its link is looked for, and after this it is given up.
MADE_WITHIN = timedelta(minutes=2)
POLLED_AFTER_FOR = timedelta(days=2)
# What was under way when a link was closed has come to its end by then: the link is looked at once more.
LAST_POLL_AFTER = timedelta(minutes=15)
_SEARCHES = (2.0, 5.0, 15.0, 30.0, 60.0)
_POLLS = (60.0, 300.0, 600.0)
_RETRY_SECONDS = 30.0
_LATE_RETRY = timedelta(minutes=15)
_MOST_DOUBLINGS = 5


class CheckoutNow(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout as the decisions see it.

    ``accepted`` is our id of the payment that pays for it, ``order_id`` the order that it placed. ``gone_since`` is
    when its link was first seen used up without a payment; ``settled`` that the link tells nothing more of money.
    """

    id: str
    state: State
    price: Money
    test: bool
    created_at: datetime
    expires_at: datetime
    link_id: str | None = None
    accepted: str | None = None
    order_id: str | None = None
    polls: int = 0
    gone_since: datetime | None = None
    settled: bool = False


class PaymentNow(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as it was told. ``at`` is when it was made, as far as that is known."""

    id: str
    kind: PaymentKind
    state: PaymentState
    paid: Money
    test: bool
    at: datetime
    link_id: str | None = None


class Accept(msgspec.Struct, frozen=True):
    """The payment pays for the checkout; ``place`` its order, unless an operator did before."""

    place: bool


class Review(msgspec.Struct, frozen=True):
    """An operator decides."""

    reason: Reason
    detail: str


class Nothing(msgspec.Struct, frozen=True):
    """No money moved, or nothing new did."""


Judgement: TypeAlias = Accept | Review | Nothing


def judge(  # noqa: PLR0911 - one for each kind
    checkout: CheckoutNow | None, payment: PaymentNow, *, refunds_expected: int = 0, given_back: bool = False
) -> Judgement:
    """What a payment means for its checkout; None where no checkout is known.

    ``refunds_expected`` is how many refunds an operator said to have made that were not told yet; ``given_back`` that a
    refund for the checkout was told before this.
    """
    if payment.state is not PaymentState.CAPTURED:
        return Nothing()
    paid = str(payment.paid.padded())
    if checkout is None:
        return Review("unknown_checkout", paid)
    if payment.id == checkout.accepted:
        return Nothing()
    match payment.kind:
        case PaymentKind.REFUND:
            return Nothing() if refunds_expected > 0 else Review("refund", paid)
        case PaymentKind.AUTHORISATION:
            return Review("authorisation_only", paid)
        case PaymentKind.OTHER:
            return Review("other_movement", paid)
        case PaymentKind.PAYMENT:
            judgement = _of_payment(checkout, payment, paid)
            if given_back and judgement == Accept(place=True):
                return Review("order_refused", f"{paid}, of which a refund was told before it")
            return judgement


def _of_payment(checkout: CheckoutNow, payment: PaymentNow, paid: str) -> Judgement:
    price = checkout.price
    wrong: Reason | None = None
    if payment.test != checkout.test:
        wrong = "test_payment" if payment.test else "live_payment"
    elif checkout.accepted is not None:
        wrong = "paid_twice"
    elif payment.paid.currency != price.currency:
        wrong = "other_currency"
    elif payment.paid.amount != price.amount:
        wrong = "paid_too_little" if payment.paid.amount < price.amount else "paid_too_much"
    elif None not in {payment.link_id, checkout.link_id} and payment.link_id != checkout.link_id:
        wrong = "other_link"
    elif checkout.state in {"closed", "failed"}:
        wrong = "paid_after_close"
    elif checkout.order_id is None and payment.at > checkout.expires_at:
        wrong = "paid_late"
    if wrong is not None:
        return Review(wrong, f"{paid} where the price is {price.padded()}")
    return Accept(place=checkout.order_id is None)


def contradiction(before: PaymentNow, notice: PaymentNotice) -> Review | None:
    """What a notification says against what was captured and stays so: it was taken back, or is something else."""
    if before.state is not PaymentState.CAPTURED or notice.state is PaymentState.PENDING:
        return None  # one of an earlier moment may come late
    if notice.state is PaymentState.CAPTURED and (notice.kind, notice.paid) == (before.kind, before.paid):
        return None
    now, then = f"{notice.state} {notice.kind} of {notice.paid.padded()}", f"{before.kind} of {before.paid.padded()}"
    return Review("other_movement", f"told as {now} after it was captured as {then}")


# -- the link ---------------------------------------------------------------------------------------------------------


class NotMade(msgspec.Struct, frozen=True):
    """No link came about, for certain; ``detail`` is for the storefront, ``error`` for those who run the shop."""

    code: Literal["refused", "unavailable"]
    detail: str
    error: str


NEVER_REPORTED = NotMade("unavailable", "the payment supplier never answered", "no link of it was found in time")


def not_made(error: GatewayError) -> NotMade | None:
    """What a failed creation makes of a checkout: None where a link may have come about."""
    if isinstance(error, InvalidRequest):  # what is wrong is in the storefront's own words: language, address
        return NotMade("refused", f"the payment supplier refused it: {error.detail}"[:300], str(error))
    if isinstance(error, NotSupported) or (
        isinstance(error, SupplierError) and error.outcome is Outcome.DID_NOT_HAPPEN
    ):
        return NotMade("unavailable", "the payment supplier cannot be used at present", str(error))
    return None


class LinkGone(msgspec.Struct, frozen=True):
    """The payment supplier has no such link any more."""


class LinkUnseen(msgspec.Struct, frozen=True):
    """It could not be asked."""

    error: str


LinkSeen: TypeAlias = PaymentLink | LinkGone | LinkUnseen


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What a poll comes to. None changes nothing; ``next_poll_at`` None ends the polls.

    ``close_link``: it must be paid no more. ``settled`` says that the link tells nothing more of money.
    """

    next_poll_at: datetime | None
    state: Literal["expired"] | None = None
    review: Review | None = None
    gone_since: datetime | None = None
    close_link: bool = False
    settled: bool = False


def first_poll(now: datetime) -> datetime:
    """When a link is looked at for the first time after it was made."""
    return now + timedelta(seconds=_POLLS[0])


def next_search(polls: int, now: datetime) -> datetime:
    """When a link whose making was never answered is searched for again, after so many searches."""
    return now + timedelta(seconds=_SEARCHES[min(polls, len(_SEARCHES) - 1)])


def creation_timed_out(checkout: CheckoutNow, now: datetime) -> bool:
    """Whether a creation without an answer has had its time."""
    return now - checkout.created_at >= MADE_WITHIN


def after_search(checkout: CheckoutNow, now: datetime, *, seen: bool = True) -> datetime | None:
    """When to search again for a link that was given up, so that it is closed should it turn up; None: no more.

    ``seen``: the payment supplier could be asked.
    """
    later = now + _LATE_RETRY
    longest = _LATE_RETRY if seen else POLLED_AFTER_FOR
    return later if later < checkout.expires_at + longest else None


def after_poll(  # noqa: PLR0911 - one for each thing that may be seen
    checkout: CheckoutNow, seen: LinkSeen, now: datetime, *, paid: bool = False
) -> Step:
    """What a look at a checkout's link comes to. ``paid``: money for it was told, accepted or not."""
    over = now >= checkout.expires_at + EXPIRED_AFTER
    if checkout.settled or checkout.state not in {"open", "expired"}:
        return _after_end(checkout, seen, now)
    expired: Literal["expired"] | None = "expired" if over and checkout.state == "open" else None
    match seen:
        case LinkUnseen():
            return _unseen(checkout, now, expired=expired, paid=paid)
        case LinkGone():
            # What has expired may be cleared away; what could be paid a moment ago may have been.
            what, used_up = "not there", not over or checkout.gone_since is not None
        case PaymentLink():
            what, used_up = "used up", seen.remaining == 0
    if used_up:
        if paid:
            return Step(next_poll_at=None, state=expired, settled=True)
        since = checkout.gone_since or now
        if now - since >= UNREPORTED_FOR:
            return Step(
                next_poll_at=None,
                state=expired,
                gone_since=since,
                review=Review("payment_not_seen", f"link {checkout.link_id}, {what} since {since:%Y-%m-%d %H:%M} UTC"),
                settled=True,
            )
        # Not expired yet, whatever the clock says: its payment may be told any moment.
        return Step(next_poll_at=since + UNREPORTED_FOR, gone_since=since)
    if over:
        there, last = isinstance(seen, PaymentLink), checkout.expires_at + LAST_POLL_AFTER
        again = last if there and now < last else None
        close = there and (again is not None or expired is not None)
        return Step(next_poll_at=again, state=expired, close_link=close, settled=again is None)
    return Step(next_poll_at=_next(checkout, now))


def close_again(checkout: CheckoutNow, now: datetime) -> datetime | None:
    """When to close a link once more, should closing it fail; None: it ended by itself long ago."""
    if now - checkout.expires_at > POLLED_AFTER_FOR:
        return None
    return now + min(timedelta(seconds=_RETRY_SECONDS * 2 ** min(checkout.polls, _MOST_DOUBLINGS)), _LATE_RETRY)


def _after_end(checkout: CheckoutNow, seen: LinkSeen, now: datetime) -> Step:
    """A link that has done its work, or shall do none, is paid no more."""
    if isinstance(seen, LinkUnseen):
        late = now - checkout.expires_at > POLLED_AFTER_FOR
        return Step(next_poll_at=None if late else now + _LATE_RETRY, gone_since=checkout.gone_since)
    return Step(next_poll_at=None, close_link=isinstance(seen, PaymentLink) and seen.remaining != 0, settled=True)


def _unseen(checkout: CheckoutNow, now: datetime, *, expired: Literal["expired"] | None, paid: bool) -> Step:
    """The price is not held for longer because its link cannot be seen; the look is made up for later."""
    late = now - checkout.expires_at
    if late > POLLED_AFTER_FOR:
        if paid:
            return Step(next_poll_at=None, state=expired)
        why = f"link {checkout.link_id} could not be looked at since its end"
        return Step(next_poll_at=None, state=expired, review=Review("payment_not_seen", why), settled=True)
    wait = _LATE_RETRY if late > _LATE_RETRY else timedelta(seconds=_RETRY_SECONDS)
    return Step(next_poll_at=now + wait, state=expired, gone_since=checkout.gone_since)


def _next(checkout: CheckoutNow, now: datetime) -> datetime:
    """The next look of an open checkout: later and later, and once at its end."""
    later = now + timedelta(seconds=_POLLS[min(checkout.polls, len(_POLLS) - 1)])
    return min(later, max(now + timedelta(seconds=_RETRY_SECONDS), checkout.expires_at + EXPIRED_AFTER))


# -- people -----------------------------------------------------------------------------------------------------------

Decided: TypeAlias = Literal["placed", "refunded", "closed"]
# Money that may pay for an order, if an operator says so.
PLACEABLE: frozenset[Reason] = frozenset(
    {"paid_too_little", "paid_too_much", "paid_late", "other_currency", "other_link", "paid_after_close",
     "payment_not_seen", "order_refused", "authorisation_only", "test_payment", "live_payment"}
)  # fmt: skip


# Closed as refunded, they say that the customer has the money of the order back.
UNDELIVERED: frozenset[str] = frozenset({"undeliverable", "order_cancelled"})


def gives_back(reason: str, payment_id: str | None, accepted: str | None) -> bool:
    """Whether a case that is closed as refunded is about the payment of the checkout's order, and no other."""
    return reason in UNDELIVERED or (accepted is not None and payment_id == accepted)


def why_not_placed(checkout: CheckoutNow | None, reason: Reason) -> str | None:
    """Why an operator cannot have the order placed for such a case; None when it can be."""
    if checkout is None:
        return "nobody knows what was paid for"
    if checkout.order_id is not None:
        return f"the checkout has placed its order {checkout.order_id}"
    if reason not in PLACEABLE:
        return "no order can come of this"
    return None


def rests_as(order_id: str | None) -> State:
    """The state of a checkout after an operator closed its last case."""
    return "paid" if order_id is not None else "closed"
