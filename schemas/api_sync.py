"""A sync as JSON: what it did at each supplier, what starts one, and the items that it could not map."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import SupplierName, SyncRunId
from schemas.examples import example
from schemas.plan import SetAsideReason


class SyncRunSupplier(msgspec.Struct, frozen=True):
    """What one sync did at one supplier.

    Attributes:
        supplier: The supplier.
        state: What it came to.
        total: Items that it met, mapped or not.
        mapped: Items that were mapped.
        set_aside: Items that could not be mapped, by reason.
        other_products: Items that are no eSIM plans.
        new: Offers that came.
        changed: Offers that changed.
        gone: Offers that left.
        up: Costs that rose.
        down: Costs that fell.
        in_stock: Offers that came into stock.
        out_of_stock: Offers that went out of stock.
        suspect: Offers whose price is suspect.
        warnings: What an operator should know.
        error: Why it failed or was held back; null when it was not.
        ms: How long it took, in milliseconds; null where that is not known.
    """

    supplier: SupplierName
    state: Annotated[Literal["ok", "failed", "quarantined"], example("ok")]
    total: Annotated[int, example(2322)]
    mapped: Annotated[int, example(2310)]
    set_aside: Annotated[dict[str, int], example({"coverage_unknown": 12})]
    other_products: int
    new: Annotated[int, example(4)]
    changed: Annotated[int, example(31)]
    gone: Annotated[int, example(2)]
    up: Annotated[int, example(19)]
    down: Annotated[int, example(9)]
    in_stock: Annotated[int, example(1)]
    out_of_stock: Annotated[int, example(3)]
    suspect: int
    warnings: Annotated[list[str], example([])]
    error: str | None
    ms: Annotated[int | None, example(4210)]


class SyncRun(msgspec.Struct, frozen=True):
    """One sync of the catalogue.

    Attributes:
        id: The sync's id.
        started_at: When it was asked for, or begun.
        ended_at: When it ended; null while it runs.
        state: What it came to; null while it runs.
        suppliers: What it did at each supplier.
    """

    id: SyncRunId
    started_at: datetime
    ended_at: Annotated[datetime | None, example("2026-11-20T10:00:21Z")]
    state: Annotated[Literal["ok", "partial", "failed"] | None, example("ok")]
    suppliers: list[SyncRunSupplier]


class SyncRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which suppliers to sync; none named means all.

    Attributes:
        suppliers: The suppliers to sync; all of them when none is named.
    """

    suppliers: Annotated[Annotated[list[SupplierName], Meta(max_length=100)] | UnsetType, example(["pikasim"])] = UNSET


class AcceptRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The supplier whose quarantined catalogue is to be taken over as it is.

    Attributes:
        supplier: The supplier whose quarantined catalogue is to be taken over.
    """

    supplier: SupplierName


class SyncStarted(msgspec.Struct, frozen=True):
    """A sync that a worker will run; it appears among the sync runs when it begins."""

    status: Literal["queued"]
    suppliers: list[SupplierName]
    accept: Annotated[list[SupplierName], example([])]


class UnmappedItem(msgspec.Struct, frozen=True):
    """A supplier's item that no rule understood.

    Attributes:
        supplier: The supplier.
        supplier_plan_id: The supplier's own id for it.
        name: The supplier's name for it.
        reason: Why it could not be mapped.
        detail: What exactly was not understood.
        raw: The item's own JSON as it came.
        first_seen_at: When it was first met.
    """

    supplier: SupplierName
    supplier_plan_id: Annotated[str, example("BALI_5GB")]
    name: Annotated[str, example("Bali 5GB")]
    reason: Annotated[SetAsideReason, example("no_such_country")]
    detail: Annotated[str, example("Bali")]
    raw: Annotated[str, example('{"packageCode": "BALI_5GB"}')]
    first_seen_at: datetime
