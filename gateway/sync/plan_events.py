"""Telling storefronts what a sync did to plans: other prices, and nothing left to sell.

The catalogue before is held against the one after, both under what is marked and paused now, so what is told is what
the suppliers changed; each storefront is told its own prices, by its rules now. Nothing is compared for a mode in
which no endpoint asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import structlog

from gateway.access.key_rows import Mode
from gateway.catalog import snapshot_files as files
from gateway.catalog import snapshot_rows
from gateway.catalog.index import Gone, Index
from gateway.catalog.index.affordable import standing_in
from gateway.catalog.index.overlay import Overlay
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.publish import Published, publish
from gateway.kit.freshness import FreshnessBounds
from gateway.kit.pool import Pool
from gateway.kit.sealing import Seal
from gateway.kit.settings import Settings
from gateway.pricing import pricing_rule_rows
from gateway.pricing.pricing import sets_now
from gateway.pricing.pricing_rules import RuleSet
from gateway.webhooks import event_rows
from gateway.webhooks.notify import emit_event
from schemas.api import Price
from schemas.events import EventData, PlanOutOfStockData, PlanPriceChangedData, RepricedPlan, SoldOutPlan
from schemas.notice import NoticeType

log = structlog.get_logger(__name__)
P = TypeVar("P", RepricedPlan, SoldOutPlan)

MOST_PLANS = 500  # in one event
# A plan may have been touched by a transaction that was committed only after the last catalogue was published.
_OVERLAP = timedelta(minutes=15)
_MODES: tuple[Mode, ...] = ("live", "test")


class Offered(msgspec.Struct, frozen=True):
    """A plan as far as it is told of."""

    id: str
    name: str
    in_stock: bool
    price: Price | None


async def publish_and_tell(pool: Pool, redis: Any | None, settings: Settings) -> Published:
    """``publish``, and tell storefronts that ask what became of plans. Telling never makes publishing fail."""
    before = (await snapshot_rows.state(pool)).newest
    since = await snapshot_rows.published_at(pool)
    done = await publish(pool, redis, settings)
    if done.changed and before is not None and since is not None:
        try:
            for mode in _MODES:
                await _send_events(
                    pool, settings, mode, (before.versions.get(mode), done.versions.get(mode)), since - _OVERLAP
                )
        except Exception:
            log.exception("plan_events_not_sent")
    return done


def changes(
    before: Mapping[str, Offered], after: Mapping[str, Offered], replaced: Collection[str] = ()
) -> tuple[list[RepricedPlan], list[SoldOutPlan]]:
    """The plans with other prices and those sold out. A plan not for sale before, or replaced, is in neither."""
    moved, out = [], []
    for plan_id, was in sorted(before.items()):
        now = after.get(plan_id)
        if not was.in_stock or plan_id in replaced:
            continue
        if now is None or not now.in_stock:
            out.append(SoldOutPlan(was.id, was.name))
        elif now.price != was.price:
            moved.append(RepricedPlan(now.id, now.name, now.price, was.price))
    return moved, out


async def _send_events(
    pool: Pool, settings: Settings, mode: Mode, versions: tuple[str | None, str | None], since: datetime
) -> None:
    types = (NoticeType.PLAN_PRICE_CHANGED, NoticeType.PLAN_OUT_OF_STOCK)
    subscribers = {kind: await event_rows.storefronts_asking(pool, mode, kind) for kind in types}
    if not any(subscribers.values()):
        return
    touched = await snapshot_rows.touched_since(pool, since)
    async with pool.acquire() as connection:
        overlay = await snapshot_rows.overlay(connection)
        sets = sets_now(await pricing_rule_rows.rules(connection), settings, datetime.now(UTC))
    seal = Seal.from_settings(settings)
    storefronts = {subscriber for kind in types for subscriber in subscribers[kind]}
    for rules in {sets.of(storefront).digest: sets.of(storefront) for storefront in storefronts}.values():
        read = [await asyncio.to_thread(_read, settings, mode, v, overlay, touched, rules) for v in versions]
        if read[0] is None or read[1] is None:
            return
        (before, _), (after, replaced) = read[0], read[1]
        moved, out = changes(before, after, replaced)
        events: dict[NoticeType, list[EventData]] = {
            NoticeType.PLAN_PRICE_CHANGED: [PlanPriceChangedData(plans) for plans in _in_parts(moved)],
            NoticeType.PLAN_OUT_OF_STOCK: [PlanOutOfStockData(plans) for plans in _in_parts(out)],
        }
        for kind, parts in events.items():
            for storefront_id in subscribers[kind]:
                if sets.of(storefront_id).digest == rules.digest:
                    await _send(pool, seal, storefront_id, mode, kind, parts)


def _in_parts(plans: list[P]) -> list[list[P]]:
    return [plans[at : at + MOST_PLANS] for at in range(0, len(plans), MOST_PLANS)]


async def _send(
    pool: Pool, seal: Seal, storefront_id: str, mode: Mode, kind: NoticeType, parts: Sequence[EventData]
) -> None:
    async with pool.acquire() as connection, connection.transaction():
        for data in parts:
            await emit_event(connection, seal, storefront_id=storefront_id, mode=mode, type=kind, data=data)


def _read(
    settings: Settings, mode: Mode, version: str | None, overlay: Overlay, plan_ids: Sequence[str], rules: RuleSet
) -> tuple[dict[str, Offered], set[str]] | None:
    """Those plans as one version of the catalogue has them, priced by the rules, and those that it has replaced.

    None when its file is not here.
    """
    file = files.open_or_refuse(files.path_of(settings.state_dir, mode, version)) if version is not None else None
    if file is None:
        return None
    bounds = FreshnessBounds(settings.sync.interval_seconds, settings.sync.expire_after_seconds)
    snapshot = Snapshot(file)
    index = Index(snapshot, standing_in(snapshot, overlay, datetime.now(UTC), bounds), rules)
    found = {plan_id: index.plan(plan_id) for plan_id in plan_ids}
    plans = {
        plan_id: msgspec.json.decode(body, type=Offered) for plan_id, body in found.items() if isinstance(body, bytes)
    }
    return plans, {plan_id for plan_id, gone in found.items() if isinstance(gone, Gone) and gone.successors}
