"""What can be made to go wrong with a purchase, a top-up or a cancel, when it is told to."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec

from providers.simulator.board import Board

_MOST_TIMES = 100
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Act(StrEnum):
    """What a caller asks for that moves money."""

    ORDER = "order"
    TOPUP = "topup"
    CANCEL = "cancel"


class TriggerKind(StrEnum):
    """Refusals, what happens before, instead of and after the answer, what becomes of the order, what is told of it."""

    REFUSE_STOCK = "refuse_stock"
    REFUSE_BALANCE = "refuse_balance"
    REFUSE_BLOCKED = "refuse_blocked"  # the account is suspended

    HANG = "hang"  # no charge and no answer, until the caller gives up
    ERROR_500 = "500"  # no charge, and a 500
    RESET = "reset"  # no charge, and the connection is torn down

    CHARGE_THEN_HANG = "charge_then_hang"
    CHARGE_THEN_500 = "charge_then_500"
    CHARGE_THEN_RESET = "charge_then_reset"
    CHARGE_THEN_HTML = "charge_then_html"
    CHARGE_THEN_TRUNCATED = "charge_then_truncated"
    SLOW_CHARGE = "slow_charge"  # it happens after `seconds`, whether or not the caller still waits
    DUPLICATE_REFERENCE = "duplicate_reference"  # it happens, and the answer is that the reference was used before

    CHARGED_MORE = "charged_more"  # `factor` times the price
    NEVER_PROVISIONED = "never_provisioned"
    FAILED_AFTER_PROCESSING = "failed_after_processing"  # and refunded
    FAILED_WITHOUT_REFUND = "failed_without_refund"
    CANCELLED_AFTER_PROCESSING = "cancelled_after_processing"  # by the supplier itself, and refunded
    PARTIALLY_COMPLETED = "partially_completed"  # final, and nothing that can be installed
    SILENT_REFUND = "silent_refund"  # the money comes back, the order goes on being processed
    LIST_LAG = "list_lag"  # the order shows in lists only after `seconds`
    PICTURE_ONLY = "picture_only"  # the text cannot be installed, the QR picture can
    TWO_CODES = "two_codes"  # text and picture are complete, and differ
    CODES_MISSING = "codes_missing"  # of vouchers: called complete, with one code fewer than was bought

    WEBHOOK_DUPLICATE = "webhook_duplicate"  # its webhook comes three times
    WEBHOOK_REORDERED = "webhook_reordered"  # the next order's overtakes it
    WEBHOOK_FORGED = "webhook_forged"  # one with a wrong signature comes before it
    WEBHOOK_ALTERED = "webhook_altered"  # one with other facts under the signature of the genuine one comes before it


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trigger in force: on the item ``key`` or on any, for ``act`` or, when None, for orders and top-ups.

    It spares the first ``after`` calls, then lasts for ``calls`` of them; None is until it is cleared.
    Of those it strikes a ``share``, drawn at random.
    """

    kind: TriggerKind
    key: str | None = None
    act: Act | None = None
    calls: Annotated[int, msgspec.Meta(ge=1)] | None = 1
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    share: Share = 1.0
    seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 5.0
    factor: Decimal = Decimal("1.25")

    def __post_init__(self) -> None:
        if not (self.factor.is_finite() and 0 < self.factor <= _MOST_TIMES):
            raise ValueError(f"factor must be more than 0 and at most {_MOST_TIMES}")


@dataclass(slots=True)
class TriggerBoard(Board[Trigger]):
    """The triggers of one supplier, each with its count of calls."""

    chance: random.Random = field(default_factory=random.Random)

    def strike(self, act: Act, key: str, own: Iterable[Trigger] = ()) -> dict[TriggerKind, Trigger]:
        """Count one call and say which triggers hit it, the item's ``own`` among them. Used-up ones are lifted."""
        hit = {trigger.kind: trigger for trigger in own if act in _acts(trigger)}
        for trigger in self.count(lambda one: one.key in {None, key} and act in _acts(one)):
            if trigger.share >= 1 or self.chance.random() < trigger.share:
                hit[trigger.kind] = trigger
        return hit


def _acts(trigger: Trigger) -> tuple[Act, ...]:
    return (Act.ORDER, Act.TOPUP) if trigger.act is None else (trigger.act,)


class Spoil(StrEnum):
    """What the frame does to an answer."""

    HANG = "hang"
    ERROR_500 = "500"
    RESET = "reset"
    HTML = "html"
    TRUNCATED = "truncated"


# Nothing happens at the supplier, and the caller is not told so.
INSTEAD: Mapping[TriggerKind, Spoil] = {
    TriggerKind.HANG: Spoil.HANG,
    TriggerKind.ERROR_500: Spoil.ERROR_500,
    TriggerKind.RESET: Spoil.RESET,
}
# It happened, and the caller is not told so.
AFTERWARDS: Mapping[TriggerKind, Spoil] = {
    TriggerKind.CHARGE_THEN_HANG: Spoil.HANG,
    TriggerKind.CHARGE_THEN_500: Spoil.ERROR_500,
    TriggerKind.CHARGE_THEN_RESET: Spoil.RESET,
    TriggerKind.CHARGE_THEN_HTML: Spoil.HTML,
    TriggerKind.CHARGE_THEN_TRUNCATED: Spoil.TRUNCATED,
}


class Unanswered(Exception):  # noqa: N818 - named after what happened
    """Nothing was done, and the frame spoils the answer."""

    def __init__(self, spoil: Spoil) -> None:
        super().__init__(spoil.value)
        self.spoil = spoil
