"""Syncs that people ask for, and what they decide of one that is quarantined."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.kit.jobs import SyncJob, enqueue_sync
from gateway.kit.pages import PageRequest, columns, price_of
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.prices.changes import percent_of
from gateway.sync import quarantine_rows, sync_run_rows
from gateway.sync.quarantine_rows import KINDS, QuarantineRow
from schemas.api_changes import DifferencePage, DifferenceRow, Quarantine, SyncRunDetail
from schemas.money import Money


async def ask_for_sync(
    pool: Pool, configured: Collection[str], only: Sequence[str], accepts: Sequence[str], by: Visitor | str
) -> str:
    """Note a run and its job together, and give its id: what was answered is there, what is there is worked on.

    Without ``only`` it covers all that are configured.
    """
    run_id = sync_run_rows.new_id()
    async with pool.acquire() as connection, connection.transaction():
        await sync_run_rows.insert(connection, run_id, list(only) or sorted(configured), accepts, waiting=True)
        await enqueue_sync(connection, SyncJob(tuple(only), tuple(accepts), run_id))
        if isinstance(by, Visitor) and not accepts:
            await audit_rows.record(connection, by, "sync.asked", f"sync:{run_id}", {"suppliers": list(only)})
    return run_id


async def detail(pool: Pool, run_id: str) -> SyncRunDetail | None:
    """One run in full, None when there is none."""
    found = await sync_run_rows.detail(pool, run_id)
    if found is None:
        return None
    quarantines = await quarantine_rows.of_run(pool, run_id)
    return SyncRunDetail(**found, quarantines=[_quarantine(row) for row in quarantines])


async def waiting(pool: Pool, mode: str | None = None) -> list[Quarantine]:
    """Every quarantined walk that waits for an operator, the oldest first."""
    return [_quarantine(row) for row in await quarantine_rows.waiting(pool, mode)]


async def difference(
    pool: Pool, run_id: str, supplier: str, page_request: PageRequest, *, kind: str | None = None
) -> DifferencePage | None:
    """A quarantined walk and a page of how it differs; None when the run did not quarantine this supplier.

    ``kind``: only prices that moved, offers that are gone, or new ones; each the largest first.
    """
    quarantined = await quarantine_rows.find(pool, run_id, supplier)
    if quarantined is None:
        return None
    passed, number = page_request.after(str, int)
    kinds = [kind] if kind else _kinds_from(passed)
    rows = await quarantine_rows.rows(pool, run_id, supplier, kinds, number, page_request.fetch)
    page = page_request.page(rows, columns("kind", "n")).map(_difference)
    return DifferencePage(quarantine=_quarantine(quarantined), **msgspec.structs.asdict(page))


async def accept(
    pool: Pool, configured: Collection[str], run_id: str, supplier: str, by: Visitor | str, why: str = ""
) -> str | Problem:
    """Start a sync that takes over what this supplier says; the id of its run.

    Problems: not_found (no such run, no such account), conflict (the run did not quarantine it).
    """
    problem = await _decidable(pool, configured, run_id, supplier)
    if problem is not None:
        return problem
    accepted = await ask_for_sync(pool, configured, (supplier,), (supplier,), by)
    await note_accepted(pool, run_id, supplier, by, accepted, why)
    return accepted


async def note_accepted(
    pool: Pool, run_id: str, supplier: str, by: Visitor | str, accepted: str | None = None, why: str = ""
) -> None:
    """Note who takes over what waits; ``accepted`` is the run that does it, where it is known already."""
    async with pool.acquire() as connection, connection.transaction():
        await quarantine_rows.decide(connection, run_id, supplier, "accepted", _name(by), why, accepted)
        detail = {"supplier": supplier, **({"run": accepted} if accepted else {}), **({"why": why} if why else {})}
        await audit_rows.record(connection, by, "quarantine.accepted", f"sync:{run_id}", detail)


async def refuse(
    pool: Pool, configured: Collection[str], run_id: str, supplier: str, by: Visitor | str, why: str
) -> Problem | None:
    """Leave what stands as it is, with who said so and why; None when that is noted.

    While the supplier goes on saying the very same it is not asked again. Problems: not_found, conflict (the
    run did not quarantine it, or it was decided before, or overtaken by a later sync).
    """
    problem = await _decidable(pool, configured, run_id, supplier)
    if problem is not None:
        return problem
    async with pool.acquire() as connection, connection.transaction():
        if not await quarantine_rows.decide(connection, run_id, supplier, "refused", _name(by), why):
            quarantined = await quarantine_rows.find(connection, run_id, supplier)
            state = "is not kept any more" if quarantined is None else f"is {quarantined.state} already"
            return Problem("conflict", f"what {supplier} brought {state}")
        await audit_rows.record(
            connection, by, "quarantine.refused", f"sync:{run_id}", {"supplier": supplier, "why": why}
        )
    return None


async def _decidable(pool: Pool, configured: Collection[str], run_id: str, supplier: str) -> Problem | None:
    run = await sync_run_rows.read(pool, run_id)
    if run is None:
        return Problem("not_found", "there is no such sync run")
    states = {part.supplier: part.state for part in run.suppliers}
    if states.get(supplier) != "quarantined":
        return Problem("conflict", f"{supplier} was not quarantined in this run")
    if supplier not in configured:
        return Problem("not_found", f"no supplier {supplier} is configured")
    return None


def _kinds_from(kind: str | None) -> list[str]:
    """The kinds of differences from that of a cursor on, "" being the first page's; none for what is no kind."""
    return list(KINDS if kind == "" else KINDS[KINDS.index(kind) :] if kind in KINDS else ())


def _difference(row: Mapping[str, Any]) -> DifferenceRow:
    return DifferenceRow(
        kind=row["kind"],
        n=row["n"],
        supplier_plan_id=row["supplier_plan_id"],
        plan_id=row["plan_id"],
        offer_id=row["offer_id"],
        name=row["name"],
        old=price_of(None if row["old"] is None else Money(row["old"], row["old_currency"])),
        new=price_of(None if row["new"] is None else Money(row["new"], row["new_currency"])),
        percent=percent_of(row["moved"]),
    )


def _name(by: Visitor | str) -> str:
    return by.name if isinstance(by, Visitor) else by


def _quarantine(row: QuarantineRow) -> Quarantine:
    return Quarantine(**{name: getattr(row, name) for name in row.__struct_fields__})
