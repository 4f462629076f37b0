"""Replacing a supplier's offers by a whole walk: in one transaction, or not at all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from gateway.catalog import catalog_state_rows, offer_rows, successor_rows
from gateway.catalog.diff_rules import offer_id
from gateway.catalog.offer_rows import Moves, Repriced
from gateway.kit.pool import Connection, Pool
from gateway.kit.settings import Sync
from gateway.pricing.bounds import quarantine_bounds, suspect_bounds
from gateway.pricing.price_rules import Rates
from gateway.pricing.quarantine_rules import WalkChange, moved_far, quarantine
from gateway.pricing.rates import rates_now
from gateway.pricing.suspect_rules import against_past
from gateway.suppliers import supplier_rows
from gateway.sync import quarantine_rows, sync_run_rows, unmapped_item_rows
from gateway.sync.compare import PriceGuard
from gateway.sync.quarantine_rows import Difference
from gateway.sync.run_rules import SupplierRun
from gateway.sync.walk import Walk
from schemas.errors import GatewayError

MANY = 500  # rows from which their number matters to the planner


class RunTakenOverError(GatewayError):
    """Another process found this run dead and closed it; what was walked is thrown away."""


class PastVerdict(msgspec.Struct, frozen=True):
    """What the changed costs of a walk come to: why an operator must look first, and which are suspect, and why."""

    quarantined: str | None
    suspects: dict[str, str]
    moved_far: int = 0


def judge_past(
    repriced: Sequence[Repriced], before: int, gone: int, rates: Rates, sync: Sync, *, trusted: bool
) -> PastVerdict:
    """Judge a walk by what stands: which prices are suspect, and whether an operator must look first.

    Costs of one offer in two currencies are compared by today's rates.

    ``trusted``: neither the bounds of quarantine nor the offers' own past hold it back. An operator who accepts a walk
    has looked at its prices.
    """
    if trusted:
        return PastVerdict(None, {})
    bounds = suspect_bounds(sync)
    moved_by = Decimal(str(sync.moved_by))
    moved = 0
    suspects: dict[str, str] = {}
    for offer in repriced:
        old = _cost_in(offer.old_cost, offer.old_currency, offer.currency, rates)
        moved += offer.live and moved_far(old, offer.cost, moved_by)
        good = _cost_in(offer.good_cost, offer.good_currency, offer.currency, rates)
        if reason := against_past(offer.cost, good, offer.released_cost, bounds):
            suspects[offer.id] = reason
    return PastVerdict(quarantine(WalkChange(before, gone, moved), quarantine_bounds(sync)), suspects, moved)


async def replace(
    pool: Pool, walk: Walk, run_id: str, guard: PriceGuard, at: datetime, *, accepted: bool, began: float
) -> SupplierRun:
    """Put a whole walk in place of the supplier's offers, or leave all as it was when an operator must look first.

    ``guard`` judges the list as the walk would leave it, by what stands of the other suppliers. ``at`` dates the
    changes; ``began`` is the ``time.monotonic`` of the first request. Raises
    ``RunTakenOverError``, and what the database raises; nothing is changed then. Called again after a lost
    connection it finds what it committed.
    """
    if (done := await sync_run_rows.part_of(pool, run_id, walk.supplier)) is not None:
        return done
    async with pool.acquire() as connection, connection.transaction():
        await catalog_state_rows.lock_writer(connection)
        if not await sync_run_rows.still_open(connection, run_id):
            raise RunTakenOverError("another sync found this one dead and closed it")
        first = not len(walk.stored) and await supplier_rows.never_synced(connection, walk.supplier)
        faults = await _copy_first(connection, walk, run_id, guard, at, accepted=accepted) if first else None
        if not first or (faults and not accepted):
            await walk.staging.copy_to(connection)
        rates = await rates_now(connection, guard.settings)
        # What is not sold is no measure: a list that waits where it stands is judged like a first one.
        was_quarantined = await supplier_rows.quarantined(connection, walk.supplier) is not None
        gone = [offer_id(key) for key in walk.gone()]
        past = judge_past(
            await offer_rows.repriced(connection),
            len(walk.stored),
            walk.stored.gone_count(),
            rates,
            guard.settings.sync,
            trusted=accepted or was_quarantined,
        )
        await offer_rows.mark_suspect(connection, list(past.suspects), list(past.suspects.values()))
        if not first and (walk.staging.offers or gone):
            faults = await guard.judge_staged(connection, walk.supplier, gone)
        reason = None if accepted else "; ".join(filter(None, (past.quarantined, faults))) or None
        changed, moves = False, Moves()
        if reason is None:
            changed, moves = await _write(connection, walk, run_id, gone, at, first=first)
            if accepted or not was_quarantined:
                await quarantine_rows.end_waiting(connection, walk.supplier, accepted=accepted)
        else:
            await _keep(connection, walk, run_id, reason, past.moved_far, gone, rates, at)
        part = SupplierRun(
            supplier=walk.supplier,
            state="ok" if reason is None else "quarantined",
            total=walk.total,
            mapped=walk.mapped,
            set_aside=dict(sorted(walk.staging.reasons.items())),
            other_products=walk.other_products,
            new=0 if reason else walk.new,
            changed=0 if reason else walk.changed,
            gone=0 if reason else len(gone),
            up=moves.up,
            down=moves.down,
            in_stock=moves.in_stock,
            out_of_stock=moves.out_of_stock,
            suspect=await offer_rows.count_suspect(connection, walk.supplier),
            warnings=walk.warnings,
            error=reason,
            ms=round((time.monotonic() - began) * 1000),
        )
        await sync_run_rows.add_supplier(connection, run_id, part)
        # Last, for these take the one row that everybody who marks or pauses something needs too.
        if part.state == "ok":
            await supplier_rows.synced(connection, walk.supplier, walk.started_at, walk.mapping.hex())
        else:
            await supplier_rows.not_synced(connection, walk.supplier, walk.started_at, "quarantined")
        if changed:
            await catalog_state_rows.content_changed(connection)
    return part


async def _copy_first(
    connection: Connection, walk: Walk, run_id: str, guard: PriceGuard, at: datetime, *, accepted: bool
) -> str | None:
    """Copy a supplier's first list straight into its offers, judge it there, and take it out again if it must wait.

    What is wrong with it, in words; None when it may be sold.
    """
    savepoint = connection.transaction()
    await savepoint.start()
    await walk.staging.copy_to(connection, first_of=walk.supplier, at=at)
    if walk.staging.offers > MANY:
        await offer_rows.learn_sizes(connection)  # the planner knows nothing of these rows, and the guard joins them
    faults = await guard.judge_first(connection, walk.supplier, run_id, at) if walk.staging.offers else None
    await (savepoint.rollback() if faults and not accepted else savepoint.commit())
    return faults


async def _write(
    connection: Connection, walk: Walk, run_id: str, gone: Sequence[str], at: datetime, *, first: bool
) -> tuple[bool, Moves]:
    staged = walk.staging.offers
    moves = Moves()
    if first and staged:
        await offer_rows.date_plans_of(connection, walk.supplier, at)
    elif staged or gone:
        await offer_rows.touch_plans(connection, gone)
        await successor_rows.record(connection, at)
        moves = await offer_rows.record_changes(connection, walk.supplier, run_id, at)
        await offer_rows.merge(connection, walk.supplier, at, staged, run_id)
        await offer_rows.retire(connection, walk.supplier, gone, run_id, at)
        await offer_rows.date_plans(connection, at)
    if staged > MANY and staged * 5 > len(walk.stored):
        await offer_rows.learn_sizes(connection)
    if walk.staging.digests:
        await offer_rows.refresh_digests(connection)
    await unmapped_item_rows.replace(connection, walk.supplier, at)
    await offer_rows.clear_marks(connection, walk.supplier, walk.started_at)
    await offer_rows.lift_confirmed_stops(connection, walk.supplier, walk.tolerance)
    return bool(staged or gone), moves


async def _keep(
    connection: Connection,
    walk: Walk,
    run_id: str,
    reason: str,
    moved: int,
    gone: Sequence[str],
    rates: Rates,
    at: datetime,
) -> None:
    """Keep the difference for the operator who is to decide; what waited before is overtaken by it."""
    found = Difference(
        run_id=run_id,
        supplier=walk.supplier,
        at=at,
        reason=reason,
        before=len(walk.stored),
        new=walk.new,
        changed=walk.changed,
        gone=len(gone),
        moved_far=moved,
    )
    await quarantine_rows.keep(connection, found, sorted(gone), rates.worth)


def _cost_in(cost: Decimal | None, currency: str | None, wanted: str | None, rates: Rates) -> Decimal | None:
    if cost is None or currency is None or wanted is None or currency == wanted:
        return cost if wanted is not None else None
    if currency not in rates.worth or wanted not in rates.worth:
        return None
    return cost * rates.worth[currency] / rates.worth[wanted]
