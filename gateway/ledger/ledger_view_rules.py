"""A supplier's books and ours as one list: each line with what either side says of it, and what that means. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from gateway.ledger.reconcile_rules import (
    Beside,
    Booked,
    Day,
    Difference,
    Movement,
    Pair,
    is_explained,
    nameless,
    of_pair,
    sums,
)
from schemas.account import TransactionKind
from schemas.money import Money

Verdict = Literal[
    "same",
    "only_theirs",  # the supplier moved money, and our ledger has nothing of it
    "only_ours",  # our ledger has what the supplier does not show
    "amount_differs",
    "open",  # the supplier took it for an attempt whose end is not recorded yet
    "explained",  # it differs, and an operator said why
    "apart",  # a deposit, a correction: no order is behind it, so our ledger has no such line
    "statement_not_read",  # our ledger has it, and the supplier's statement of that time was not read yet
]
# What an operator has to look into.
DIFFERENT: frozenset[Verdict] = frozenset({"only_theirs", "only_ours", "amount_differs"})
_OURS_ALONE = {"charge_not_found", "refund_not_found"}


class StatementsRead(msgspec.Struct, frozen=True):
    """The time of which a supplier's statements were read as a whole; None: they never were."""

    start: datetime | None = None
    end: datetime | None = None

    def has(self, at: datetime) -> bool:
        """Whether a statement would show what was booked at that time."""
        return self.end is not None and at <= self.end and (self.start is None or at >= self.start)


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """Money that moved at the supplier for no order; ``amount`` is signed, negative when it left us."""

    kind: TransactionKind
    amount: Money
    at: datetime
    movement_id: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line. ``theirs`` and ``ours`` are what each side has for the order in this kind, None for nothing.

    ``why`` is the exact difference where there is one, ``movement`` the name by which an operator explains it.
    """

    at: datetime
    kind: str
    verdict: Verdict
    movement: str
    theirs: Money | None = None
    ours: Money | None = None
    why: str | None = None
    supplier_order_id: str | None = None
    attempt: str | None = None
    order_id: str | None = None


def lines(
    supplier: str,
    day: Day,
    paired: Beside,
    apart: Iterable[Apart],
    explained: Mapping[str, Money],
    read: StatementsRead,
) -> list[Line]:
    """Everything that moved on these days at either side, the newest first. ``read``: how far statements were."""
    found = [_apart(movement) for movement in apart if day.has(movement.at)]
    found += [
        _of_nobody(nameless(supplier, difference), explained)
        for difference in paired.nameless
        if day.has(difference.at)
    ]
    for pair in paired.pairs:
        if any(day.has(at) for at in pair.times):
            found += _of_pair(supplier, pair, explained, read)
    return sorted(found, key=lambda line: (line.at, line.movement), reverse=True)


def _of_pair(supplier: str, pair: Pair, explained: Mapping[str, Money], read: StatementsRead) -> Iterator[Line]:
    differing = of_pair(supplier, pair)
    for difference in differing:
        kind = difference.movement.split(":", 1)[0]
        line = _different(kind, difference, explained)
        unread = any(row.kind == kind and not read.has(row.at) for row in pair.ours)
        if unread and line.verdict in {"only_ours", "amount_differs"} and _ours_is_more(line):
            line = msgspec.structs.replace(line, verdict="statement_not_read", why=None)
        yield line
    sides = {difference.movement.split(":", 1)[0] for difference in differing}
    for side in ("charge", "refund"):
        if side not in sides:
            yield from _agreeing(side, pair)


def _agreeing(side: str, pair: Pair) -> Iterator[Line]:
    both: tuple[Movement | Booked, ...] = (*pair.theirs, *pair.ours)
    theirs, ours = sums(pair.theirs, side), sums(pair.ours, side)
    order = next((movement.supplier_order_id for movement in both if movement.supplier_order_id), None)
    reference = next((movement.reference for movement in pair.theirs if movement.reference), None)
    attempt = pair.owner.attempt if pair.owner else pair.ours[0].attempt if pair.ours else None
    for currency in sorted(theirs.keys() | ours.keys()):
        they, we = theirs.get(currency), ours.get(currency)
        yield Line(
            at=min(movement.at for movement in both if movement.kind == side),
            kind=side,
            verdict="same",  # where one side has none of it, what it took and gave back comes to the same at both
            movement=f"{side}:{order or reference or attempt}",
            theirs=they,
            ours=we,
            supplier_order_id=order,
            attempt=attempt,
            order_id=pair.owner.order_id if pair.owner else pair.ours[0].order_id if pair.ours else None,
        )


def _different(kind: str, difference: Difference, explained: Mapping[str, Money]) -> Line:
    return Line(
        at=difference.at,
        kind=kind,
        verdict="explained" if is_explained(difference, explained) else _verdict(difference),
        movement=difference.movement,
        theirs=difference.theirs,
        ours=difference.ours,
        why=difference.what,
        supplier_order_id=difference.supplier_order_id,
        attempt=difference.attempt,
        order_id=difference.order_id,
    )


def _ours_is_more(line: Line) -> bool:
    """Whether a statement line that is still to be read could be what is missing."""
    if line.ours is None or line.theirs is None:
        return line.theirs is None
    return line.ours.currency == line.theirs.currency and line.ours > line.theirs


def _of_nobody(difference: Difference, explained: Mapping[str, Money]) -> Line:
    return _different(difference.movement.split(":", 1)[0], difference, explained)


def _verdict(difference: Difference) -> Verdict:
    if difference.what == "amount_differs":
        return "amount_differs"
    if difference.what == "not_settled":
        return "open"
    return "only_ours" if difference.what in _OURS_ALONE else "only_theirs"


def _apart(movement: Apart) -> Line:
    name = movement.movement_id or f"{movement.at.isoformat()}:{movement.amount}"
    return Line(
        at=movement.at,
        kind=movement.kind.value,
        verdict="apart",
        movement=f"{movement.kind.value}:{name}",
        theirs=movement.amount,
    )


def as_movement(kind: TransactionKind, amount: Money, at: datetime, order: str | None, reference: str | None,
                movement_id: str | None) -> Movement | Apart:  # fmt: skip
    """A line of the supplier's for comparing: what is about an order, or is a charge or refund; else it is apart."""
    moves = kind in {TransactionKind.CHARGE, TransactionKind.REFUND}
    if not moves and (kind is TransactionKind.DEPOSIT or (order is None and reference is None)):
        return Apart(kind=kind, amount=amount, at=at, movement_id=movement_id)
    by_sign: Literal["charge", "refund"] = "charge" if amount.amount < 0 else "refund"
    side: Literal["charge", "refund"] = (
        "charge" if kind is TransactionKind.CHARGE else "refund" if kind is TransactionKind.REFUND else by_sign
    )
    return Movement(
        kind=side,
        amount=Money(abs(amount.amount), amount.currency),
        at=at,
        supplier_order_id=order,
        reference=reference,
        movement_id=movement_id,
    )
