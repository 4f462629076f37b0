"""A supplier's books beside ours for a day: every difference by name. Pure.

Amounts are compared order by order: what the supplier took for it less what it gave back, against the same of our
ledger. Whatever moved on the day, at either side, is looked at; the other side's part of it may be of any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from schemas.money import Money

MovementKind = Literal["charge", "refund"]
What = Literal[
    "charge_without_attempt",  # the supplier took money for an order that no attempt of ours knows
    "not_settled",  # it belongs to one attempt whose end is not recorded yet
    "charge_not_booked",  # the attempt is at its end, and our ledger lacks the charge
    "charge_not_found",  # our ledger has a charge that the supplier does not show
    "amount_differs",
    "refund_not_booked",
    "refund_not_found",
    "movement_without_order",  # the supplier moved money and names no order for it
    "balance_fell_more",  # its balance fell by more than all orders that it shows took together
]


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """Money that moved at the supplier; ``amount`` is never negative. ``reference`` is ours where it says so."""

    kind: MovementKind
    amount: Money
    at: datetime
    supplier_order_id: str | None
    reference: str | None = None
    movement_id: str | None = None


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """A row of our ledger."""

    attempt: str
    order_id: str
    supplier_order_id: str | None
    kind: MovementKind
    amount: Money
    at: datetime


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt of ours. ``open`` says that its end is not recorded."""

    attempt: str
    order_id: str
    supplier_order_id: str | None
    open: bool


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. ``movement`` is the name by which an operator explains it; ``theirs`` and ``ours`` are nets."""

    what: What
    supplier: str
    movement: str
    at: datetime
    theirs: Money | None = None
    ours: Money | None = None
    supplier_order_id: str | None = None
    reference: str | None = None
    attempt: str | None = None
    order_id: str | None = None


class Day(msgspec.Struct, frozen=True):
    """From ``start`` to before ``end``."""

    start: datetime
    end: datetime

    def has(self, at: datetime) -> bool:
        """Whether a time falls on it."""
        return self.start <= at < self.end


def differences(
    supplier: str,
    day: Day,
    movements: Iterable[Movement],
    booked: Iterable[Booked],
    known: Iterable[Known],
    explained: Mapping[str, Money],
) -> list[Difference]:
    """Every difference of the day, in the order of time; those that an operator explained are left out.

    An order is known by the supplier's id for it, or by the reference that we gave it.
    """
    both = beside(movements, booked, known)
    found = [nameless(supplier, moved) for moved in both.nameless if day.has(moved.at)]
    for pair in both.pairs:
        if any(day.has(at) for at in pair.times):
            found += of_pair(supplier, pair)
    return sorted(
        (difference for difference in found if not is_explained(difference, explained)),
        key=lambda item: (item.at, item.movement, item.what),
    )


class Pair(msgspec.Struct, frozen=True):
    """What moved for one order at the supplier, and what our ledger has of it. ``owner`` is our attempt."""

    owner: Known | None
    theirs: tuple[Movement, ...]
    ours: tuple[Booked, ...]

    @property
    def times(self) -> list[datetime]:
        """When anything of it moved, at either side."""
        return [*(movement.at for movement in self.theirs), *(entry.at for entry in self.ours)]


class Beside(msgspec.Struct, frozen=True):
    """Statement and ledger, order by order, and transactions at the supplier for no order."""

    pairs: tuple[Pair, ...]
    nameless: tuple[Movement, ...]


def beside(movements: Iterable[Movement], booked: Iterable[Booked], known: Iterable[Known]) -> Beside:
    """A supplier's books beside ours, an order known by the supplier's id for it or by our reference."""
    by_id, by_reference = _index(known)
    theirs: dict[str, list[Movement]] = defaultdict(list)
    ours: dict[str, list[Booked]] = defaultdict(list)
    lost: list[Movement] = []
    for moved in movements:
        owner = by_id.get(moved.supplier_order_id or "") or by_reference.get(moved.reference or "")
        key = owner.attempt if owner else moved.supplier_order_id or moved.reference
        if key is not None:
            theirs[key].append(moved)
        else:
            lost.append(moved)
    for row in booked:
        ours[row.attempt].append(row)
    keys = dict.fromkeys((*theirs, *ours))
    pairs = (Pair(by_reference.get(key), tuple(theirs[key]), tuple(ours[key])) for key in keys)
    return Beside(tuple(pairs), tuple(lost))


def _index(known: Iterable[Known]) -> tuple[dict[str, Known], dict[str, Known]]:
    attempts = list(known)
    return (
        {attempt.supplier_order_id: attempt for attempt in attempts if attempt.supplier_order_id is not None},
        {known.attempt: known for known in attempts},
    )


def of_pair(supplier: str, pair: Pair) -> list[Difference]:
    """What differs for one order. Sums are by side, so that a charge and its refund are two differences.

    Where one side alone has sums in several currencies, each currency is a difference of its own.
    """
    owner, theirs, ours = pair.owner, pair.theirs, pair.ours
    if _net(theirs) == _net(ours):
        return []
    found = []
    for side in ("charge", "refund"):
        they, we = sums(theirs, side), sums(ours, side)
        if len(they) <= 1 and len(we) <= 1:
            pairs = [("", (next(iter(they.values()), None), next(iter(we.values()), None)))]
        else:
            pairs = [(f":{part}", (they.get(part), we.get(part))) for part in sorted(they.keys() | we.keys())]
        for suffix, both in pairs:
            if both[0] != both[1]:
                found.append(_difference(supplier, side, owner, both, theirs, ours, suffix))
    return found


def _difference(
    supplier: str,
    side: str,
    owner: Known | None,
    both: tuple[Money | None, Money | None],
    theirs: Sequence[Movement],
    ours: Sequence[Booked],
    suffix: str = "",
) -> Difference:
    they, we = both
    order = next((movement.supplier_order_id for movement in theirs if movement.supplier_order_id), None) or next(
        (movement.supplier_order_id for movement in ours if movement.supplier_order_id), None
    )
    reference = next((movement.reference for movement in theirs if movement.reference), None)
    times = [movement.at for movement in theirs if movement.kind == side] or [
        entry.at for entry in ours if entry.kind == side
    ]
    attempt = owner.attempt if owner else ours[0].attempt if ours else None
    return Difference(
        what=_what(side, owner, they, we),
        supplier=supplier,
        movement=f"{side}:{order or reference or attempt}{suffix}",
        at=min(times),
        theirs=they,
        ours=we,
        supplier_order_id=order,
        reference=reference,
        attempt=attempt,
        order_id=owner.order_id if owner else ours[0].order_id if ours else None,
    )


def _what(side: str, owner: Known | None, they: Money | None, we: Money | None) -> What:
    if they is not None and we is not None:
        return "amount_differs"
    if they is None:
        return "charge_not_found" if side == "charge" else "refund_not_found"
    if owner is None:
        return "charge_without_attempt" if side == "charge" else "refund_not_booked"
    if owner.open:
        return "not_settled"
    return "charge_not_booked" if side == "charge" else "refund_not_booked"


def nameless(supplier: str, moved: Movement) -> Difference:
    """Money that moved for no order."""
    name = moved.movement_id or f"{moved.at.isoformat()}:{moved.amount}"
    return Difference(
        what="movement_without_order",
        supplier=supplier,
        movement=f"{moved.kind}:{name}",
        at=moved.at,
        theirs=moved.amount,
    )


def is_explained(difference: Difference, explained: Mapping[str, Money]) -> bool:
    """Whether an operator explained it, and its amount is still the one that was explained."""
    return explained.get(difference.movement) == (difference.theirs or difference.ours)


def sums(rows: Iterable[Movement | Booked], side: str) -> dict[str, Money]:
    """The sum in each currency; nothing for what comes to nothing."""
    totals: dict[str, Money] = {}
    for row in rows:
        if row.kind == side:
            before = totals.get(row.amount.currency)
            totals[row.amount.currency] = row.amount if before is None else before + row.amount
    return {currency: _plain(total) for currency, total in totals.items() if total.amount}


def _net(rows: Iterable[Movement | Booked]) -> dict[str, Decimal]:
    """Charges less refunds by currency; nothing for what comes to nothing."""
    net: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        net[row.amount.currency] += row.amount.amount if row.kind == "charge" else -row.amount.amount
    return {currency: amount.normalize() for currency, amount in net.items() if amount}


def _plain(money: Money) -> Money:
    return Money(money.amount.normalize(), money.currency)
