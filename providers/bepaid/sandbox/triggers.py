"""What can be made to go wrong with a payment link, its payment and the notification of it, when it is told to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec

from providers.simulator.board import Board
from providers.simulator.triggers import Spoil

_MOST_TIMES = 100


class TriggerKind(StrEnum):
    """Of a creation: not made, or made and not answered. Of a payment: what is paid, and what is told of it."""

    REFUSE = "refuse"  # the parameters are called wrong
    HANG = "hang"  # not made and no answer
    ERROR_500 = "500"  # not made, and a 500
    RESET = "reset"  # not made, and the connection is torn down
    MADE_THEN_HANG = "made_then_hang"
    MADE_THEN_500 = "made_then_500"
    MADE_THEN_RESET = "made_then_reset"
    MADE_THEN_HTML = "made_then_html"
    MADE_THEN_TRUNCATED = "made_then_truncated"
    PAID_BEFORE_ANSWER = "paid_before_answer"  # made, paid and notified, then answered

    WRONG_AMOUNT = "wrong_amount"  # `factor` times the price is paid
    WRONG_CURRENCY = "wrong_currency"  # in `currency`
    PAID_TWICE = "paid_twice"  # two customers had the page open
    AFTER_EXPIRY = "after_expiry"  # a payment that comes in a minute after the link ended, or when it has
    AUTHORISED_ONLY = "authorised_only"  # the money is held and not taken
    OTHER_MODE = "other_mode"  # a test payment of a live link, or the other way round
    REFUNDED = "refunded"  # by the shop, right after it was paid

    NOTICE_FORGED = "notice_forged"  # one with a wrong signature comes before it
    NOTICE_ALTERED = "notice_altered"  # one with other facts under the signature of the genuine one comes before it
    NOTICE_REPEATED = "notice_repeated"  # it comes three times
    NOTICE_EARLY = "notice_early"  # it has come before the customer is sent back
    NOTICE_LATE = "notice_late"  # `seconds` after the payment
    NOTICE_NEVER = "notice_never"
    NOTICE_WITHOUT_PRODUCT = "notice_without_product"  # only the description says what was paid
    NOTICE_OF_A_STRANGER = "notice_of_a_stranger"  # of something that no product here names


OF_CREATION = frozenset(
    {
        TriggerKind.REFUSE,
        TriggerKind.HANG,
        TriggerKind.ERROR_500,
        TriggerKind.RESET,
        TriggerKind.MADE_THEN_HANG,
        TriggerKind.MADE_THEN_500,
        TriggerKind.MADE_THEN_RESET,
        TriggerKind.MADE_THEN_HTML,
        TriggerKind.MADE_THEN_TRUNCATED,
        TriggerKind.PAID_BEFORE_ANSWER,
    }
)
OF_PAYMENT = frozenset(TriggerKind) - OF_CREATION
# Nothing is made, and the caller is not told so.
INSTEAD: Mapping[TriggerKind, Spoil] = {
    TriggerKind.HANG: Spoil.HANG,
    TriggerKind.ERROR_500: Spoil.ERROR_500,
    TriggerKind.RESET: Spoil.RESET,
}
# It was made, and the caller is not told so.
AFTERWARDS: Mapping[TriggerKind, Spoil] = {
    TriggerKind.MADE_THEN_HANG: Spoil.HANG,
    TriggerKind.MADE_THEN_500: Spoil.ERROR_500,
    TriggerKind.MADE_THEN_RESET: Spoil.RESET,
    TriggerKind.MADE_THEN_HTML: Spoil.HTML,
    TriggerKind.MADE_THEN_TRUNCATED: Spoil.TRUNCATED,
}


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trigger in force: for products whose id is ``key`` or whose description has it, or for any.

    It spares the first ``after`` of those, then lasts for ``calls`` of them; None is until it is cleared.
    """

    kind: TriggerKind
    key: str | None = None
    calls: Annotated[int, msgspec.Meta(ge=1)] | None = 1
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 5.0
    factor: Decimal = Decimal("0.5")
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"

    def __post_init__(self) -> None:
        if not (self.factor.is_finite() and 0 < self.factor <= _MOST_TIMES):
            raise ValueError(f"factor must be more than 0 and at most {_MOST_TIMES}")


class TriggerBoard(Board[Trigger]):
    """The triggers in force, each with its count."""

    def strike(self, kinds: frozenset[TriggerKind], product_id: str, description: str) -> dict[TriggerKind, Trigger]:
        """Count one creation or payment and say which of ``kinds`` hit it. Used-up ones are lifted."""

        def meant(trigger: Trigger) -> bool:
            named = trigger.key is None or trigger.key == product_id or trigger.key in description
            return named and trigger.kind in kinds

        return {trigger.kind: trigger for trigger in self.count(meant)}
