"""What can be made to go wrong: faults of a path, and triggers of one purchase, top-up or cancel. Each is counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Generic, TypeVar

import msgspec

_MOST_TIMES = 100
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Disruption(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """It spares the first ``after`` calls, then strikes ``calls`` of them; None is until it is cleared."""

    calls: Annotated[int, msgspec.Meta(ge=1)] | None = None
    after: Annotated[int, msgspec.Meta(ge=0)] = 0


T = TypeVar("T", bound=Disruption)


@dataclass(slots=True)
class _Entry(Generic[T]):
    counted: T
    seen: int = 0


@dataclass(slots=True)
class DisruptionList(Generic[T]):
    """What is, or will be, in force at one supplier."""

    _entries: list[_Entry[T]] = field(default_factory=list)

    def add(self, counted: T) -> None:
        """Put it in force, besides those that are."""
        self._entries.append(_Entry(counted))

    def clear(self) -> None:
        """Lift all."""
        self._entries.clear()

    def listed(self) -> list[T]:
        """All that is there, in the order in which it was added."""
        return [entry.counted for entry in self._entries]

    def strike(self, applies: Callable[[T], bool]) -> list[T]:
        """Count one call for all that ``applies`` accepts, and return those that strike. Used-up ones are lifted."""
        struck = []
        for entry in [entry for entry in self._entries if applies(entry.counted)]:
            counted = entry.counted
            entry.seen += 1
            if entry.seen <= counted.after:
                continue
            if counted.calls is not None and entry.seen >= counted.after + counted.calls:
                self._entries.remove(entry)
            struck.append(counted)
        return struck


class FaultKind(StrEnum):
    """The first group spoils the answer, the second what the answer says."""

    DOWN = "down"  # the connection is closed without an answer
    SLOW = "slow"  # the answer comes after `seconds`
    SERVER_ERROR = "500"  # the answer is a 500 in the supplier's error form
    TRUNCATED = "truncated"  # the answer ends in the middle of its body
    HTML = "html"  # a 200 with a web page instead of JSON
    GZIP_BOMB = "gzip_bomb"  # a small compressed body that expands to 256 MB
    RATE_LIMITED = "rate_limited"  # 429 with Retry-After: `seconds`
    UNAUTHORISED = "unauthorised"  # 401, as if the key had been revoked
    MOVED = "moved"  # 404, as if the path were another one now
    WRONG_TOTAL = "wrong_total"  # the total says 137 more than there is
    VANISH_HALF = "vanish_half"  # every second item is gone
    VANISH_MIDWAY = "vanish_midway"  # answers that reach beyond the middle of the catalogue are cut off
    EMPTY_PAGES = "empty_pages"  # pages beyond the middle are empty, the total says otherwise
    PRICE_OFF_BY_TEN = "price_off_by_ten"  # all prices are a tenth


class Fault(Disruption, frozen=True, forbid_unknown_fields=True):
    """A fault in force: on paths that begin with ``path`` (below the supplier's base URL).

    ``seconds`` is the delay of ``slow`` and the Retry-After of ``rate_limited``.
    """

    kind: FaultKind
    path: str = "/"
    seconds: Annotated[float, msgspec.Meta(ge=0, le=600)] = 30.0


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


class BaseTrigger(Disruption, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every simulator's triggers have: the ``key`` of what they are for, or None for anything."""

    key: str | None = None
    calls: Annotated[int, msgspec.Meta(ge=1)] | None = 1
    seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 5.0
    factor: Decimal = Decimal("1.25")

    def __post_init__(self) -> None:
        if not (self.factor.is_finite() and 0 < self.factor <= _MOST_TIMES):
            raise ValueError(f"factor must be more than 0 and at most {_MOST_TIMES}")


class Trigger(BaseTrigger, frozen=True, forbid_unknown_fields=True):
    """A supplier's trigger: on the item ``key`` or on any, for ``act`` or, when None, for orders and top-ups.

    Of the calls that it is for it strikes a ``share``, drawn at random.
    """

    kind: TriggerKind
    act: Act | None = None
    share: Share = 1.0

    @property
    def acts(self) -> tuple[Act, ...]:
        """What it is for."""
        return (Act.ORDER, Act.TOPUP) if self.act is None else (self.act,)


class SpoiltAnswer(StrEnum):
    """What is done to an answer."""

    HANG = "hang"
    ERROR_500 = "500"
    RESET = "reset"
    HTML = "html"
    TRUNCATED = "truncated"


class UnansweredRequest(Exception):  # noqa: N818 - named after what happened
    """Nothing was done, and the answer is spoilt."""

    def __init__(self, spoil: SpoiltAnswer) -> None:
        super().__init__(spoil.value)
        self.spoil = spoil


def spoil_instead(struck: Iterable[StrEnum]) -> SpoiltAnswer | None:
    """How the answer is spoilt where nothing is done: the kinds named as a ``SpoiltAnswer``, such as ``hang``."""
    return next((SpoiltAnswer(kind.value) for kind in struck if kind.value in list(SpoiltAnswer)), None)


def spoil_afterwards(struck: Iterable[StrEnum]) -> SpoiltAnswer | None:
    """How the answer is spoilt where it was done: the kinds such as ``charge_then_hang``."""
    return next((SpoiltAnswer(kind.value.rpartition("_then_")[2]) for kind in struck if "_then_" in kind.value), None)
