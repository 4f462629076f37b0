"""Syncing a supplier's digital goods beside its plans: a whole walk replaces what stands, or nothing does."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from gateway.items import goods_walk_rows
from gateway.items.goods_walk_rows import Change, Outcome, Written
from gateway.items.goods_walk_rules import Difference, Met, difference, together
from gateway.kit.database_retry import retry_while_database_down
from gateway.kit.pool import Pool, allow_long_work
from gateway.kit.settings import Settings
from gateway.pricing.bounds import quarantine_bounds, suspect_bounds
from gateway.pricing.rates import rates_now
from gateway.suppliers.accounts import Account
from providers.contract import Capability, Provider
from schemas.errors import GatewayError, UnreadableAnswer
from schemas.good import Good, GoodCategory
from schemas.plan import SetAside, SetAsideReason

log = structlog.get_logger(__name__)

MOST_GOODS = 500_000
_json = msgspec.json.Encoder()


class Walked(msgspec.Struct, frozen=True):
    """Everything that one walk brought."""

    met: dict[str, Met]
    aside: list[SetAside]
    warnings: list[str]
    categories: dict[str, list[GoodCategory]]
    locale: str


async def sync_goods(pool: Pool, account: Account, run_id: str, settings: Settings, *, accepted: bool) -> list[str]:
    """Walk an account's goods and take them over; what an operator should know of it, in a few words.

    A fault of the supplier's leaves everything as it was and is told; it never keeps its plans from being synced.
    Nothing is done for an account that sells none.
    """
    if Capability.GOODS not in account.manifest.capabilities:
        return []
    began = datetime.now(UTC)
    try:
        walked = await _walk(account.provider)
        outcome = await retry_while_database_down(_replace)(
            pool, account, run_id, settings, walked, began, accepted=accepted
        )
    except Exception as error:  # noqa: BLE001 - the supplier's plans do not depend on its goods
        message = str(error) if isinstance(error, GatewayError) else f"{type(error).__name__} while syncing"
        log.warning("goods_sync_failed", supplier=account.name, error=message)
        await retry_while_database_down(goods_walk_rows.end)(
            pool, account.name, Outcome(run_id=run_id, at=began, state="failed", error=message)
        )
        return [f"goods: {message}"]
    log.info("goods_synced", supplier=account.name, state=outcome.state, total=outcome.total)
    problems = [] if outcome.error is None else [f"goods quarantined: {outcome.error}"]
    return problems + [f"goods: {warning}" for warning in walked.warnings]


async def _walk(provider: Provider) -> Walked:
    goods: list[Good] = []
    aside: list[SetAside] = []
    warnings: list[str] = []
    walk: Any = provider.goods()
    async with aclosing(walk):
        async for page in walk:
            goods += page.goods
            aside += page.set_aside
            warnings += page.warnings
            if len(goods) + len(aside) > MOST_GOODS:
                raise UnreadableAnswer("the pages of the goods do not end", supplier=provider.name)
    met, wrong = together(goods)
    aside += [
        SetAside(good.sku, good.name, SetAsideReason.NO_PRICE, "the cost is nothing or less", _json.encode(good))
        for good in wrong
    ]
    locales = dict.fromkeys(good.locale or "" for good in goods)
    own = next(iter(locales), "")
    categories = {locale: await provider.good_categories(locale or None) for locale in locales or [own]}
    return Walked(met, aside, warnings[:20], categories, own)


async def _replace(
    pool: Pool,
    account: Account,
    run_id: str,
    settings: Settings,
    walked: Walked,
    began: datetime,
    *,
    accepted: bool,
) -> Outcome:
    """In one transaction; called again after a lost connection it writes the same once more."""
    supplier, at = account.name, datetime.now(UTC)
    async with pool.acquire() as connection, connection.transaction():
        await allow_long_work(connection)
        stored = await goods_walk_rows.stored(connection, supplier)
        rates = await rates_now(connection, settings)
        bounds = quarantine_bounds(settings.sync), suspect_bounds(settings.sync)
        found = difference(account.manifest.name, walked.met, stored, rates, bounds, accepted=accepted)
        outcome = Outcome(
            run_id=run_id,
            at=began,
            state="ok" if found.quarantined is None else "quarantined",
            error=found.quarantined,
            total=len(walked.met) + len(walked.aside),
            mapped=len(walked.met),
            new=found.new,
            changed=len(found.judged) - sum(judged.before is None for judged in found.judged),
            gone=len(found.gone),
        )
        if found.quarantined is None:
            await goods_walk_rows.put(connection, supplier, _written(found), at)
            await goods_walk_rows.retire(connection, supplier, found.gone, at)
            if stored:
                await goods_walk_rows.note(connection, supplier, run_id, _changes(found, stored), at)
            await goods_walk_rows.put_aside(connection, supplier, walked.aside)
            await goods_walk_rows.put_categories(connection, supplier, walked.categories, walked.locale)
            await goods_walk_rows.lift_confirmed_stops(connection, supplier, account.tolerance)
        await goods_walk_rows.end(connection, supplier, outcome)
    return outcome


def _written(found: Difference) -> list[Written]:
    return [
        Written(
            good=judged.met.good,
            good_id=judged.good_id,
            texts=judged.met.texts,
            measure=judged.met.measure,
            good_measure=judged.good_measure,
            suspect=judged.suspect,
            digest=judged.met.digest,
        )
        for judged in found.judged
    ]


def _changes(found: Difference, stored: dict[str, goods_walk_rows.Stored]) -> list[Change]:
    """What came, moved in price and went."""
    changes: list[Change] = []
    for judged in found.judged:
        sku, now, before = judged.met.good.sku, judged.met.measure, stored.get(judged.met.good.sku)
        if before is None or before.gone:
            changes.append(Change(sku, judged.good_id, "new", None, now.amount, now.currency))
        elif before.measure != now:
            old = before.measure.amount if before.measure.currency == now.currency else None
            changes.append(Change(sku, judged.good_id, "price", old, now.amount, now.currency))
    for sku in found.gone:
        last = stored[sku]
        changes.append(Change(sku, last.good_id, "gone", last.measure.amount, None, last.measure.currency))
    return changes
