"""What moved at the suppliers, as operators read it: the feed of changes, a plan's history, a quarantined sync."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.api import CountryCode, PlanId, Price, SupplierName, SyncRunSupplier
from schemas.page import Page

ChangeKind = Literal["up", "down", "price", "new", "gone", "stock"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one offer.

    ``old`` and ``new`` are the supplier's own numbers; an event has the cost of its moment as ``new``. ``amount`` is
    how far a cost moved, in base currency, ``percent`` the same of what it was; null where it cannot be compared.
    ``stock`` says what a change of stock came to, ``back`` that a new offer was there before.
    """

    at: datetime
    kind: ChangeKind
    supplier: SupplierName
    supplier_plan_id: str
    plan_id: PlanId
    offer_id: str | None
    name: str | None
    old: Price | None
    new: Price | None
    amount: Price | None
    percent: float | None
    stock: Literal["in", "out"] | None
    back: bool
    sync_run_id: str


class ChangeCounts(msgspec.Struct, frozen=True, kw_only=True):
    """So many changes of each kind."""

    up: int
    down: int
    new: int
    gone: int


class SupplierChanges(ChangeCounts, frozen=True, kw_only=True):
    """What a supplier's accepted syncs came to in sum, and how many syncs there were of each outcome."""

    supplier: SupplierName
    mode: Literal["live", "test"]
    in_stock: int
    out_of_stock: int
    good: int
    failed: int
    quarantined: int
    last_good_at: datetime | None
    last_sync_state: Literal["ok", "failed", "quarantined"] | None


class CountryChanges(ChangeCounts, frozen=True, kw_only=True):
    """Changes of offers that cover a country."""

    country: CountryCode
    price: int
    stock: int


class ChangeSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What changed since a moment. Countries are of the newest ``looked_at`` changes.

    ``complete`` says that these were all. ``largest`` are the costs that moved furthest among the newest 4,000.
    """

    since: datetime
    until: datetime
    suppliers: list[SupplierChanges]
    countries: list[CountryChanges]
    largest: list[Change]
    looked_at: int
    complete: bool


# -- history -------------------------------------------------------------------------------------------------------


class Step(msgspec.Struct, frozen=True):
    """From ``at`` on an offer cost this, in the supplier's own number and in base currency; null: not offered."""

    at: datetime
    cost: Price | None
    cost_base: Price | None


class Gap(msgspec.Struct, frozen=True):
    """A span without an accepted sync of the supplier."""

    since: datetime
    until: datetime


class OfferHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What one offer cost. The last step holds until now; ``gone_at`` is when the supplier ceased to list it."""

    offer_id: str
    supplier: SupplierName
    supplier_plan_id: str
    name: str
    cost: Price | None
    cost_base: Price | None
    first_seen_at: datetime
    gone_at: datetime | None
    steps: list[Step]


class SupplierGaps(msgspec.Struct, frozen=True):
    """When a supplier's prices were not looked at, for longer than two intervals of syncing."""

    supplier: SupplierName
    gaps: list[Gap]


class PriceHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What the offers of a plan cost over time, the cheapest of today first.

    ``complete`` is false when there are more offers or more changes than are shown; ``since`` then is as far back as
    they are.
    """

    plan_id: PlanId
    currency: str
    since: datetime
    until: datetime
    offers: list[OfferHistory]
    gaps: list[SupplierGaps]
    changes: list[Change]
    complete: bool


# -- syncs ---------------------------------------------------------------------------------------------------------


class Quarantine(msgspec.Struct, frozen=True, kw_only=True):
    """A walk that a person must look at: how it differs from the ``before`` offers that stand, and what was decided.

    ``overtaken``: a later sync of the supplier came to something else.
    """

    run_id: str
    supplier: SupplierName
    at: datetime
    reason: str
    before: int
    new: int
    changed: int
    gone: int
    up: int
    down: int
    moved_far: int
    state: Literal["waiting", "accepted", "refused", "overtaken"]
    decided_at: datetime | None
    decided_by: str | None
    why: str
    accepted_run: str | None


class DifferenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One difference: a price that would move, an offer that would go, one that would come. ``n`` 1 is the largest."""

    kind: Literal["moved", "gone", "new"]
    n: int
    supplier_plan_id: str
    plan_id: PlanId
    offer_id: str | None
    name: str
    old: Price | None
    new: Price | None
    percent: float | None


class DifferencePage(Page[DifferenceRow], frozen=True, kw_only=True):
    """A quarantined walk and a page of its differences, as many of each kind as were kept."""

    quarantine: Quarantine


class SyncProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a running sync is with a supplier: items met, of as many as the supplier claims to have."""

    supplier: SupplierName
    items: int
    claimed: int | None
    at: datetime


class SyncRunDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One sync in full. ``asked`` are the suppliers it is to sync, ``accepts`` those whose bounds were lifted.

    ``waiting``: no worker has begun it. ``progress`` is of those that have not come to anything yet.
    """

    id: str
    started_at: datetime
    ended_at: datetime | None
    state: Literal["ok", "partial", "failed"] | None
    waiting: bool
    asked: list[SupplierName]
    accepts: list[SupplierName]
    suppliers: list[SyncRunSupplier]
    progress: list[SyncProgress]
    quarantines: list[Quarantine]


class RefuseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The supplier whose quarantined catalogue is not to be taken over, and why."""

    supplier: SupplierName
    why: Annotated[str, Meta(min_length=1, max_length=500, description="Shown to those who look at it later.")]
