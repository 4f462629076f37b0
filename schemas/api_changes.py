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
    """A supplier's price as it was and as it became.

    Attributes:
        supplier: The supplier.
        supplier_plan_id: The supplier's own id for the offer.
        plan_id: The plan that the offer is of.
        old: The cost before; null where there was none.
        new: The cost after; null where there is none.
        at: When a sync found it.
        sync_run_id: The sync.
    """

    supplier: SupplierName
    supplier_plan_id: SupplierPlanId
    plan_id: PlanId
    old: Annotated[Price | None, example({"amount": "5.20"})]
    new: Cost | None
    at: datetime
    sync_run_id: SyncRunId


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one offer.

    Attributes:
        at: When a sync found it.
        kind: What changed.
        supplier: The supplier.
        supplier_plan_id: The supplier's own id for the offer.
        plan_id: The plan that the offer is of.
        offer_id: The offer; null when it is no longer in the catalogue.
        name: The offer's name; null when it is no longer in the catalogue.
        old: The cost before, as the supplier wrote it; null where there was none.
        new: The cost after, or at that moment; null where there is none.
        amount: How far the cost moved, in base currency; null where it cannot be compared.
        percent: The same in percent of what it was.
        stock: What a change of stock came to; null for anything else.
        back: Whether a new offer was there before.
        sync_run_id: The sync.
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
    """So many changes of each kind.

    Attributes:
        up: Costs that rose.
        down: Costs that fell.
        new: Offers that came.
        gone: Offers that left.
    """

    up: Annotated[int, example(19)]
    down: Annotated[int, example(9)]
    new: Annotated[int, example(4)]
    gone: Annotated[int, example(2)]


class SupplierChanges(ChangeCounts, frozen=True, kw_only=True):
    """What a supplier's accepted syncs came to in sum, and how many syncs there were of each outcome.

    Attributes:
        supplier: The supplier.
        mode: Live or test.
        in_stock: Offers that came into stock.
        out_of_stock: Offers that went out of stock.
        good: Syncs that were taken over.
        failed: Syncs that failed.
        quarantined: Syncs that were held back.
        last_good_at: When one was last taken over; null when none was.
        last_sync_state: What the last one came to; null when there was none.
    """

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
    """Changes of offers that cover a country.

    Attributes:
        country: The country.
        price: Prices that changed in a way that cannot be compared.
        stock: Offers that came into stock or went out of it.
    """

    country: CountryCode
    price: int
    stock: Annotated[int, example(4)]


class ChangeSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What changed since a moment.

    Attributes:
        since: The moment.
        until: Until when.
        suppliers: What changed at each supplier.
        countries: What changed in each country, of the newest changes.
        largest: The costs that moved furthest among the newest 4,000 changes.
        looked_at: How many changes the countries are of.
        complete: Whether these were all changes.
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
    """From ``at`` on an offer cost this, in the supplier's own number and in base currency; null: not offered.

    Attributes:
        at: From when on.
        cost: The supplier's own number; null: it was not offered.
        cost_base: The same in base currency.
    """

    at: datetime
    cost: Cost | None
    cost_base: Cost | None


class Gap(msgspec.Struct, frozen=True):
    """A span without an accepted sync of the supplier.

    Attributes:
        since: When the span begins.
        until: When it ends.
    """

    since: Annotated[datetime, example("2026-11-15T03:00:00Z")]
    until: Annotated[datetime, example("2026-11-15T05:15:00Z")]


class OfferHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What one offer cost.

    Attributes:
        offer_id: The offer.
        supplier: The supplier.
        supplier_plan_id: The supplier's own id for it.
        name: Its name.
        cost: The cost now; null without a fixed price.
        cost_base: The same in base currency.
        first_seen_at: When the supplier first listed it.
        gone_at: When the supplier ceased to list it; null while it does.
        steps: Each cost, the oldest first; the last one holds until now.
    """

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
    """When a supplier's prices were not looked at, for longer than two intervals of syncing.

    Attributes:
        supplier: The supplier.
        gaps: The spans.
    """

    supplier: SupplierName
    gaps: list[Gap]


class PriceHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What the offers of a plan cost over time, the cheapest of today first.

    Attributes:
        plan_id: The plan.
        currency: The base currency.
        since: From when on all is shown.
        until: Until when.
        offers: The offers.
        gaps: When suppliers' prices were not looked at.
        changes: Each change, the newest first.
        complete: Whether all offers and changes are shown; `since` is else as far back as they are.
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
    """A walk through a catalogue that an operator must look at.

    Attributes:
        run_id: The sync that held it back.
        supplier: The supplier.
        at: When it was held back.
        reason: Why it was held back.
        before: How many offers stand.
        new: Offers that would come.
        changed: Offers that would change.
        gone: Offers that would go.
        up: Costs that would rise.
        down: Costs that would fall.
        moved_far: Costs that would move further than the settings allow.
        state: What became of it; `overtaken`: a later sync of the supplier came to something else.
        decided_at: When an operator decided; null while none did.
        decided_by: Who decided; null while nobody did.
        why: Why it was refused; empty when it was not.
        accepted_run: The sync that took it over; null when none did.
        standing: Whether its list stands already, and is not sold; nothing differs from it.
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
    """One difference: a price that would move, an offer that would go, one that would come.

    Attributes:
        kind: What would happen.
        n: Its place among those of its kind; 1 is the largest.
        supplier_plan_id: The supplier's own id for the offer.
        plan_id: The plan that the offer is of.
        offer_id: The offer; null for one that would come.
        name: The offer's name.
        old: The cost that stands; null for one that would come.
        new: The cost that would be; null for one that would go.
        percent: How far the cost would move; null where it cannot be compared.
    """

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
    """A quarantined walk and a page of its differences, as many of each kind as were kept.

    Attributes:
        quarantine: The walk.
    """

    quarantine: Quarantine


class SyncProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a running sync is with a supplier: items met, of as many as the supplier claims to have.

    Attributes:
        supplier: The supplier.
        items: Items that were met.
        claimed: How many the supplier claims to have; null where it does not say.
        at: When that was so.
    """

    supplier: SupplierName
    items: int
    claimed: int | None
    at: datetime


class SyncRunDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One sync in full.

    Attributes:
        id: The sync's id.
        started_at: When it was asked for, or begun.
        ended_at: When it ended; null while it runs.
        state: What it came to; null while it runs.
        waiting: Whether no worker has begun it.
        asked: The suppliers that it is to sync.
        accepts: The suppliers whose bounds were lifted.
        suppliers: What it did at each supplier.
        progress: How far it is with those that have not come to anything yet.
        quarantines: The walks that it held back.
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
    """The catalogue that is not to be taken over, and why.

    Attributes:
        supplier: The supplier whose catalogue it is.
    """

    supplier: SupplierName
    why: Annotated[
        str,
        Meta(min_length=1, max_length=500, description="Shown to those who look at it later."),
        example("they confirm a fault of theirs"),
    ]
