"""What can be made to go wrong with a payment link, its payment and the notification of it, when it is told to."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec

from providers.simulator.triggers import BaseTrigger


class PaymentTriggerKind(StrEnum):
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


_KINDS = list(PaymentTriggerKind)
# The first group of kinds.
OF_CREATION = frozenset(_KINDS[: _KINDS.index(PaymentTriggerKind.PAID_BEFORE_ANSWER) + 1])
OF_PAYMENT = frozenset(_KINDS) - OF_CREATION


class PaymentTrigger(BaseTrigger, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A trigger in force: for products whose id is ``key`` or whose description has it, or for any.

    ``factor`` and ``currency`` are what ``wrong_amount`` and ``wrong_currency`` pay instead.
    """

    kind: PaymentTriggerKind
    factor: Decimal = Decimal("0.5")
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"

    def applies(self, kinds: frozenset[PaymentTriggerKind], product_id: str, description: str) -> bool:
        """Whether it is one of ``kinds`` and for this product."""
        return self.kind in kinds and (self.key is None or self.key == product_id or self.key in description)
