"""What moved at the suppliers, as operators read it: the feed of changes, a plan's history, a quarantined sync."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.api import Cost, CountryCode, OfferId, OfferName, PlanId, Price, SupplierName, SupplierPlanId, SyncRunId
from schemas.api_sync import SyncRunSupplier
from schemas.examples import AT, example
from schemas.page import Page

ChangeKind = Literal["up", "down", "price", "new", "gone", "stock"]


class PriceChange(msgspec.Struct, frozen=True):
    """A supplier's price as it was and as it became; null where there was none."""

    supplier: SupplierName
    supplier_plan_id: SupplierPlanId
    plan_id: PlanId
    old: Annotated[Price | None, example({"amount": "5.20"})]
    new: Cost | None
    at: datetime
    sync_run_id: SyncRunId


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one offer.

    ``old`` and ``new`` are the supplier's own numbers; an event has the cost of its moment as ``new``. ``amount`` is
    how far a cost moved, in base currency, ``percent`` the same of what it was; null where it cannot be compared.
    ``stock`` says what a change of stock came to, ``back`` that a new offer was there before.
    """

    at: datetime
    kind: Annotated[ChangeKind, example("down")]
    supplier: SupplierName
    supplier_plan_id: SupplierPlanId
    plan_id: PlanId
    offer_id: OfferId | None
    name: OfferName | None
    old: Annotated[Price | None, example({"amount": "5.20"})]
    new: Cost | None
    amount: Annotated[Price | None, example({"amount": "-0.20"})]
    percent: Annotated[float | None, example(-3.85)]
    stock: Literal["in", "out"] | None
    back: bool
    sync_run_id: SyncRunId


class ChangeCounts(msgspec.Struct, frozen=True, kw_only=True):
    """So many changes of each kind."""

    up: Annotated[int, example(19)]
    down: Annotated[int, example(9)]
    new: Annotated[int, example(4)]
    gone: Annotated[int, example(2)]


class SupplierChanges(ChangeCounts, frozen=True, kw_only=True):
    """What a supplier's accepted syncs came to in sum, and how many syncs there were of each outcome."""

    supplier: SupplierName
    mode: Annotated[Literal["live", "test"], example("live")]
    in_stock: Annotated[int, example(1)]
    out_of_stock: Annotated[int, example(3)]
    good: Annotated[int, example(671)]
    failed: Annotated[int, example(1)]
    quarantined: int
    last_good_at: Annotated[datetime | None, example(AT)]
    last_sync_state: Annotated[Literal["ok", "failed", "quarantined"] | None, example("ok")]


class CountryChanges(ChangeCounts, frozen=True, kw_only=True):
    """Changes of offers that cover a country."""

    country: CountryCode
    price: int
    stock: Annotated[int, example(4)]


class ChangeSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What changed since a moment. Countries are of the newest ``looked_at`` changes.

    ``complete`` says that these were all. ``largest`` are the costs that moved furthest among the newest 4,000.
    """

    since: Annotated[datetime, example("2026-11-13T10:00:00Z")]
    until: datetime
    suppliers: list[SupplierChanges]
    countries: list[CountryChanges]
    largest: list[Change]
    looked_at: Annotated[int, example(38)]
    complete: Annotated[bool, example(True)]


# -- history -------------------------------------------------------------------------------------------------------


class Step(msgspec.Struct, frozen=True):
    """From ``at`` on an offer cost this, in the supplier's own number and in base currency; null: not offered."""

    at: datetime
    cost: Cost | None
    cost_base: Cost | None


class Gap(msgspec.Struct, frozen=True):
    """A span without an accepted sync of the supplier."""

    since: Annotated[datetime, example("2026-11-15T03:00:00Z")]
    until: Annotated[datetime, example("2026-11-15T05:15:00Z")]


class OfferHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What one offer cost. The last step holds until now; ``gone_at`` is when the supplier ceased to list it."""

    offer_id: OfferId
    supplier: SupplierName
    supplier_plan_id: SupplierPlanId
    name: OfferName
    cost: Cost | None
    cost_base: Cost | None
    first_seen_at: Annotated[datetime, example("2026-01-05T08:00:00Z")]
    gone_at: datetime | None
    steps: Annotated[
        list[Step],
        example([{"at": "2026-11-13T10:00:00Z", "cost": {"amount": "5.20"}, "cost_base": {"amount": "5.20"}}, {}]),
    ]


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
    currency: Annotated[str, example("USD")]
    since: Annotated[datetime, example("2026-11-13T10:00:00Z")]
    until: datetime
    offers: list[OfferHistory]
    gaps: list[SupplierGaps]
    changes: list[Change]
    complete: Annotated[bool, example(True)]


# -- syncs ---------------------------------------------------------------------------------------------------------


class Quarantine(msgspec.Struct, frozen=True, kw_only=True):
    """A walk that an operator must look at: how it differs from the ``before`` offers that stand, and what was decided.

    ``overtaken``: a later sync of the supplier came to something else. ``standing``: its list stands already, and is
    not sold; nothing differs from it.
    """

    run_id: SyncRunId
    supplier: SupplierName
    at: datetime
    reason: Annotated[str, example("812 of 2310 prices moved by more than 30 %, more than 30 % of them")]
    before: Annotated[int, example(2310)]
    new: int
    changed: Annotated[int, example(820)]
    gone: Annotated[int, example(3)]
    up: Annotated[int, example(6)]
    down: Annotated[int, example(814)]
    moved_far: Annotated[int, example(812)]
    state: Annotated[Literal["waiting", "accepted", "refused", "overtaken"], example("waiting")]
    decided_at: datetime | None
    decided_by: str | None
    why: Annotated[str, example("")]
    accepted_run: str | None
    standing: bool


class DifferenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One difference: a price that would move, an offer that would go, one that would come. ``n`` 1 is the largest."""

    kind: Annotated[Literal["moved", "gone", "new"], example("moved")]
    n: Annotated[int, example(1)]
    supplier_plan_id: SupplierPlanId
    plan_id: PlanId
    offer_id: OfferId | None
    name: OfferName
    old: Cost | None
    new: Annotated[Price | None, example({"amount": "0.50"})]
    percent: Annotated[float | None, example(-90.0)]


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

    id: SyncRunId
    started_at: datetime
    ended_at: Annotated[datetime | None, example("2026-11-20T10:00:21Z")]
    state: Annotated[Literal["ok", "partial", "failed"] | None, example("ok")]
    waiting: bool
    asked: list[SupplierName]
    accepts: Annotated[list[SupplierName], example([])]
    suppliers: list[SyncRunSupplier]
    progress: Annotated[list[SyncProgress], example([])]
    quarantines: Annotated[list[Quarantine], example([])]


class RefuseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The supplier whose quarantined catalogue is not to be taken over, and why."""

    supplier: SupplierName
    why: Annotated[
        str,
        Meta(min_length=1, max_length=500, description="Shown to those who look at it later."),
        example("they confirm a fault of theirs"),
    ]
