"""A catalogue as its first sync left it: later tests of the same run get its rows instead of a sync of their own.

The sandboxes of one seed always list the same, so the rows are those that a sync would write; only the moments are
moved to the present.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from gateway.catalog.publish import publish
from gateway.catalog.snapshot_files import folder
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from tests.kit.made_once import alone

_ITEMS = ("number_lists", "number_countries", "number_tiers")
_GOODS = ("goods", "goods_aside", "goods_categories", "goods_walks")
_TABLES = ("suppliers", "fx_rates", "plans", "offers", "set_aside", "sync_runs", "sync_run_suppliers", *_ITEMS, *_GOODS)
_MOVE = """
WITH moved AS (SELECT now() - max(last_good_at) AS by FROM suppliers)
UPDATE suppliers SET last_sync_at = last_sync_at + by, last_good_at = last_good_at + by FROM moved
"""
_MOVE_GOODS = "UPDATE goods_walks SET at = now(), good_at = now()"
_Rows = dict[str, bytes]  # by table, as COPY writes them
_Files = dict[str, bytes]  # by name
_rows: dict[tuple[str, ...], _Rows] = {}
_snapshots: dict[tuple[str, ...], tuple[str, _Files]] = {}  # what catalog_state says of them, and what they are
shared_folder: Path | None = None  # of all workers of a run; set by a fixture


async def synced(pool: Pool, suppliers: tuple[str, ...], sync: Callable[[], Awaitable[Any]]) -> None:
    """Fill an empty catalogue by ``sync``, or with what it brought the first time for these suppliers."""
    if shared_folder is None or await pool.fetchval("SELECT EXISTS (SELECT FROM offers)"):
        await sync()
        return
    if suppliers not in _rows:
        file = shared_folder / f"{'-'.join(suppliers)}.synced"
        async with alone(file):
            if not file.exists():
                await sync()
                file.write_bytes(msgspec.msgpack.encode(await _copied_from(pool)))
                return
        _rows[suppliers] = msgspec.msgpack.decode(file.read_bytes(), type=_Rows)
    await _copy_to(pool, _rows[suppliers])


async def _copied_from(pool: Pool) -> _Rows:
    copied: _Rows = {}
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        for table in _TABLES:
            rows = io.BytesIO()
            await connection.copy_from_table(table, output=rows, format="binary")
            copied[table] = rows.getvalue()
    return copied


async def _copy_to(pool: Pool, copied: _Rows) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM suppliers; DELETE FROM fx_rates")  # as the accounts' opening wrote them
        for table, rows in copied.items():
            await connection.copy_to_table(table, source=io.BytesIO(rows), format="binary")
        await connection.execute(_MOVE)
        await connection.execute(_MOVE_GOODS)
        await connection.execute("UPDATE number_lists SET last_good_at = now(), looked_at = now()")
        await connection.execute("UPDATE catalog_state SET content = content + 1")


async def published(pool: Pool, suppliers: tuple[str, ...], settings: Settings) -> None:
    """Publish a catalogue; one that is as it was the last time for these suppliers has its snapshots already."""
    place = folder(settings.state_dir)
    before = _snapshots.get(suppliers)
    if before is not None and not place.exists():
        place.mkdir(parents=True)
        for name, content in before[1].items():
            (place / name).write_bytes(content)
        await pool.execute("UPDATE catalog_state SET published = content, published_at = now(), digest = $1", before[0])
    await publish(pool, None, settings)
    digest = await pool.fetchval("SELECT digest FROM catalog_state")
    if before is None or digest != before[0]:
        _snapshots[suppliers] = digest, {file.name: file.read_bytes() for file in place.glob("*.snap")}
