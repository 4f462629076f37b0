"""What changes between two snapshots: stock marks, stops, pauses, and what the clock makes of old offers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

import msgspec

from gateway.kit.freshness import Freshness, FreshnessBounds, changes_at, freshness
from gateway.suppliers.spendable_rules import Funds


class SupplierState(msgspec.Struct, frozen=True, order=True):
    """What the database says of one supplier."""

    name: str
    mode: str
    configured: bool = True
    state: str = "active"
    last_good_at: datetime | None = None
    last_sync_state: str | None = None
    no_balance_until: datetime | None = None
    quarantined: bool = False


class Mark(msgspec.Struct, frozen=True, order=True):
    """One thing that keeps one offer out of the selection; ``why`` is out_of_stock or stopped."""

    supplier: str
    supplier_plan_id: str
    why: str
    until: datetime | None = None


class Overlay(msgspec.Struct, frozen=True):
    """The database's word on suppliers, marks and our money there, to be judged at a time."""

    suppliers: tuple[SupplierState, ...] = ()
    marks: tuple[Mark, ...] = ()
    funds: tuple[Funds, ...] = ()


class SupplierNow(msgspec.Struct, frozen=True):
    """One supplier as it stands now."""

    name: str
    last_good_at: datetime | None
    stale: bool
    expired: bool
    paused: bool
    no_balance: bool = False
    quarantined: bool = False


class OverlayState(msgspec.Struct, frozen=True):
    """An overlay as it stands at one moment, for one mode. Equal standings have equal digests.

    ``affordable`` names the suppliers at which our money does not suffice for everything in a snapshot, each with the
    number of the highest distinct cost that it suffices for, -1 for none.
    """

    suppliers: tuple[SupplierNow, ...] = ()
    marks: tuple[tuple[str, str, str], ...] = ()
    affordable: tuple[tuple[str, int], ...] = ()

    @property
    def digest(self) -> bytes:
        return hashlib.blake2b(msgspec.json.encode(self), digest_size=16).digest()

    @property
    def synced_at(self) -> datetime | None:
        """When offers of a supplier were last observed."""
        return max((s.last_good_at for s in self.suppliers if s.last_good_at is not None), default=None)

    @property
    def stale(self) -> bool:
        """Whether some supplier's offers are older than they should be."""
        return any(s.stale or s.expired for s in self.suppliers if not s.paused)


def state_of(overlay: Overlay, mode: str, now: datetime, bounds: FreshnessBounds) -> OverlayState:
    """What the overlay means for one mode at ``now``."""
    suppliers = []
    for supplier in sorted(overlay.suppliers):
        if supplier.mode != mode:
            continue
        age = freshness(supplier.last_good_at, supplier.last_sync_state, now, bounds)
        paused = not supplier.configured or supplier.state != "active"
        no_balance = supplier.no_balance_until is not None and supplier.no_balance_until > now
        stale, expired = age is not Freshness.FRESH, age is Freshness.EXPIRED
        switches = (paused, no_balance, supplier.quarantined)
        suppliers.append(SupplierNow(supplier.name, supplier.last_good_at, stale, expired, *switches))
    names = {supplier.name for supplier in suppliers}
    marks = {
        (mark.supplier, mark.supplier_plan_id, mark.why)
        for mark in overlay.marks
        if mark.supplier in names and (mark.until is None or mark.until > now)
    }
    return OverlayState(tuple(suppliers), tuple(sorted(marks)))


def next_change(overlay: Overlay, now: datetime, bounds: FreshnessBounds) -> datetime | None:
    """When the clock alone will next change a standing; None when it will not."""
    moments: Iterable[datetime] = (
        *(moment for supplier in overlay.suppliers for moment in changes_at(supplier.last_good_at, bounds)),
        *(mark.until for mark in overlay.marks if mark.until is not None),
        *(supplier.no_balance_until for supplier in overlay.suppliers if supplier.no_balance_until is not None),
    )
    return min((moment for moment in moments if moment > now), default=None)
