"""Publishing the catalogue: from PostgreSQL to a file that every process of a host maps, and to Redis.

Run as a module it publishes once, for the settings that come in on standard input: so a serving
process has a snapshot made without lending its own threads to it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import pickle
import sys
import time
from typing import Any

import msgspec
import structlog

from gateway.catalog import snapshot_files as files
from gateway.catalog import snapshot_rows, successor_rows
from gateway.catalog.index import layout
from gateway.catalog.index.build import SnapshotBuilder, Terms
from gateway.catalog.index.geography import of_this_world
from gateway.catalog.index.overlay import Overlay
from gateway.catalog.index.tables import finish
from gateway.kit.pool import Connection, Pool, allow_long_work, open_pool
from gateway.kit.settings import Settings
from gateway.pricing import pricing_rule_rows
from gateway.pricing.pricing_rules import Rule
from gateway.pricing.rates import rates_now
from gateway.suppliers.accounts import check_accounts
from schemas.plan import nominal_mb

log = structlog.get_logger()

SLOWEST_SECONDS = 600
REDIS_SECONDS = 60


class Published(msgspec.Struct, frozen=True):
    """What was published: the snapshot's version and number of offers for each mode ("live", "test").

    ``changed`` is False when the newest snapshots held all of it already.
    """

    versions: dict[str, str]
    offers: dict[str, int]
    changed: bool
    seconds: float


class Basis(msgspec.Struct, frozen=True):
    """What a snapshot file tells of its making: what it was made from, and overlay and rules of that moment."""

    of: str
    overlay: Overlay
    rules: tuple[Rule, ...] = ()


async def publish(pool: Pool, redis: Any | None, settings: Settings) -> Published:
    """Build a snapshot for each mode from what PostgreSQL holds now, and make it known.

    ``redis`` is a ``redis.asyncio.Redis`` without ``decode_responses``; None or a failing one is only
    a warning. Raises what the database raises.
    """
    began = time.monotonic()
    async with files.only_one(settings.state_dir):
        versions, offers, changed = await _publish(pool, settings)
    if redis is not None:
        await _copy(redis, settings, versions, anew=changed)
    done = Published(versions, offers, changed, round(time.monotonic() - began, 3))
    log.info("catalog_published", versions=versions, offers=offers, changed=changed, seconds=done.seconds)
    return done


async def _publish(pool: Pool, settings: Settings) -> tuple[dict[str, str], dict[str, int], bool]:
    async with pool.acquire() as connection:
        transaction = connection.transaction(isolation="repeatable_read", readonly=True)
        await transaction.start()
        try:
            await allow_long_work(connection)
            now = await snapshot_rows.state(connection)
            terms = await _terms(connection, settings)
            basis = await _basis(connection, now.content, terms)
            current = _standing(settings, now, basis)
            if current is not None:
                return (*current, False)
            built = await _build(connection, terms)
            overlay = await snapshot_rows.overlay(connection)
            rules = tuple(await pricing_rule_rows.rules(connection))
        finally:
            await transaction.rollback()
        made_of = msgspec.json.encode(Basis(basis, overlay, rules)).decode()
        written = await asyncio.to_thread(_write, settings, built, made_of)
        versions = {mode: version for mode, (version, _) in written.items()}
        await snapshot_rows.published(connection, now.content, snapshot_rows.Published(basis, versions, now.rates))
        kept = set(versions.values()) | set(now.newest.versions.values() if now.newest is not None else ())
    await asyncio.to_thread(files.prune, settings.state_dir, kept)
    return versions, {mode: offers for mode, (_, offers) in written.items()}, True


async def _terms(connection: Connection, settings: Settings) -> Terms:
    tolerance = {name: manifest.tolerance(own) for name, (manifest, own) in check_accounts(settings).items()}
    assumed = nominal_mb(settings.needs.unstated_unlimited_mb_per_day)
    return Terms(await rates_now(connection, settings), tolerance, assumed)


async def _basis(connection: Connection, content: int, terms: Terms) -> str:
    """A digest of everything that a snapshot is made from."""
    modes = await snapshot_rows.supplier_modes(connection)
    made_of = (layout.LAYOUT, content, modes, msgspec.json.encode(terms, order="sorted").decode())
    return hashlib.blake2b(msgspec.json.encode(made_of, order="sorted"), digest_size=16).hexdigest()


def _standing(settings: Settings, now: snapshot_rows.State, basis: str) -> tuple[dict[str, str], dict[str, int]] | None:
    """The versions that stand already and hold all of it, with their numbers of offers."""
    if now.newest is None or now.newest.basis != basis:
        return None
    offers: dict[str, int] = {}
    for mode, version in now.newest.versions.items():
        file = files.open_or_refuse(files.path_of(settings.state_dir, mode, version))
        if file is None:
            return None
        offers[mode] = len(file.arrays["plan"])
    return now.newest.versions, offers


async def _build(connection: Connection, terms: Terms) -> dict[str, tuple[dict[str, Any], dict[str, layout.Array]]]:
    """Every mode's snapshot, from one walk through the offers."""
    geography = of_this_world()
    modes = await snapshot_rows.supplier_modes(connection)
    builders = {mode: SnapshotBuilder(mode, terms, geography) for mode in snapshot_rows.MODES}
    coverages: dict[str, tuple[str, ...]] = {}
    async for rows in snapshot_rows.offers(connection):
        for supplier, key, name, plan_id, codes, *rest in rows:
            coverage = coverages.get(codes)
            if coverage is None:
                coverage = coverages[codes] = tuple(sorted(set(codes.split(","))))
            builders[modes[supplier]].add(supplier, key, name, plan_id, coverage, *rest)
        await asyncio.sleep(0)
    touched = await snapshot_rows.touched(connection)
    gone = {mode: await snapshot_rows.gone(connection, mode) for mode in snapshot_rows.MODES}
    successors = {mode: await successor_rows.of_mode(connection, mode) for mode in snapshot_rows.MODES}
    return {
        mode: await asyncio.to_thread(finish, builder, touched, gone[mode], successors[mode])
        for mode, builder in builders.items()
    }


def _write(
    settings: Settings, built: dict[str, tuple[dict[str, Any], dict[str, layout.Array]]], basis: str
) -> dict[str, tuple[str, int]]:
    """Write each mode's file; its version and number of offers."""
    written: dict[str, tuple[str, int]] = {}
    for mode, (meta, arrays) in built.items():
        version, parts = layout.encode(meta, basis, arrays)
        layout.write(files.path_of(settings.state_dir, mode, version), parts)
        written[mode] = version, len(arrays["plan"])
    return written


async def _copy(redis: Any, settings: Settings, versions: dict[str, str], *, anew: bool) -> None:
    """Lay what Redis does not hold into it, and tell the serving processes."""
    try:
        async with asyncio.timeout(REDIS_SECONDS):
            lacking = [mode for mode, version in versions.items() if not await files.holds(redis, mode, version)]
            for mode in lacking:
                path = files.path_of(settings.state_dir, mode, versions[mode])
                packed, size = await asyncio.to_thread(files.pack, path)
                await files.push(redis, mode, versions[mode], packed, size)
            if anew or lacking:
                await files.publish_versions(redis, versions)
    except Exception as error:  # noqa: BLE001 - whatever Redis does, the catalogue stands in the files
        log.warning("catalog_upload_failed", error=f"{type(error).__name__}: {error}")


async def _once(settings: Settings) -> None:
    if settings.direct_url is None:
        return
    pool = await open_pool(settings.direct_url.get_secret_value(), max_size=2, name="esim-gateway publish")
    redis = None
    if settings.redis_url is not None:
        from redis.asyncio import Redis  # noqa: PLC0415 - not every gateway has one

        redis = Redis.from_url(settings.redis_url.get_secret_value(), socket_timeout=REDIS_SECONDS)
    try:
        async with asyncio.timeout(SLOWEST_SECONDS):
            await publish(pool, redis, settings)
    finally:
        await pool.close()
        if redis is not None:
            await redis.aclose()


if __name__ == "__main__":
    os.nice(10)
    try:
        asyncio.run(_once(pickle.load(sys.stdin.buffer)))  # noqa: S301 - our own parent's settings
    except OSError as failed:
        print(failed.strerror or type(failed).__name__, flush=True)  # noqa: T201 - the parent reads it
        sys.exit(os.EX_IOERR)
