"""What a balance fell by, held against all charges of the time together. Pure.

For a supplier that lists orders and no movements, whose purchases run side by side: no single call can be told by the
balance, their sum can.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import msgspec

# The supplier's clock and ours may differ, and an order may be dated before its charge.
CLOCKS_APART = timedelta(hours=1)
# A balance is told in whole cents, so each reading may be off by less than one.
CENT = Decimal("0.01")


class Reading(msgspec.Struct, frozen=True):
    """A balance at a moment."""

    at: datetime
    balance: Decimal


class Charged(msgspec.Struct, frozen=True):
    """What an order took, in the currency of the readings."""

    at: datetime
    amount: Decimal


class Unexplained(msgspec.Struct, frozen=True):
    """The balance fell by ``fell`` in all, which the charges of the time, ``charged``, do not explain."""

    at: datetime
    fell: Decimal
    charged: Decimal


def unexplained_fall(readings: Sequence[Reading], charges: Sequence[Charged]) -> Unexplained | None:
    """What the balance fell by between readings beyond all charges of the time; None when they explain it.

    A rise is a deposit and hides at most as much of what was taken beside it, so nothing is named that was not taken.
    """
    ordered = sorted(readings, key=lambda reading: reading.at)
    falls = [fell for before, after in pairwise(ordered) if (fell := before.balance - after.balance) > 0]
    if not falls:
        return None
    start, end = ordered[0].at - CLOCKS_APART, ordered[-1].at + CLOCKS_APART
    charged = sum((charge.amount for charge in charges if start <= charge.at <= end), Decimal(0))
    fell = sum(falls, Decimal(0))
    return Unexplained(ordered[-1].at, fell, charged) if fell - charged > CENT * len(falls) else None
