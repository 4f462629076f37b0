"""Exchange rates fetched from the configured sources; those that moved too far in a day wait for an operator."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import structlog

from gateway.access import audit_rows
from gateway.kit.addresses import LOOPBACK
from gateway.kit.guarded_http import GuardedHttpClient
from gateway.kit.pool import Connection, Pool
from gateway.kit.problem import Problem
from gateway.kit.settings import RateSource, Settings
from gateway.pricing import fx_rows
from gateway.pricing.edit_rates import Actor
from gateway.pricing.rate_files import RateList, RateListError, rates_of, read_ecb, read_json, shipped
from gateway.pricing.rate_rules import Rate, fetch_is_due, must_wait, rates_in_force
from gateway.pricing.rates import bounds_of, latest_rates, note_rates, today
from schemas.api_rates import FetchedSource, RateUpdate

log = structlog.get_logger(__name__)

MOST_BYTES = 1024 * 1024
HTTP_OK = 200


async def update_if_due(pool: Pool, settings: Settings) -> None:
    """Fetch where a source is due, and let come into force what the calendar alone brings."""
    names = [source.name for source in settings.rates.sources]
    states = {state.source: state for state in await fx_rows.sources(pool, names)}
    if any(fetch_is_due(states.get(name), datetime.now(UTC)) for name in names):
        await update(pool, settings)
    else:
        await note_rates(pool, settings)


async def update(pool: Pool, settings: Settings, actor: Actor | None = None) -> RateUpdate | Problem:
    """Fetch from every source now. None for ``actor`` is a worker's own doing, which is no entry of the audit log."""
    sources = settings.rates.sources
    if not sources:
        return Problem("conflict", "no source of exchange rates is configured: set [rates] sources")
    async with GuardedHttpClient(LOOPBACK) as client:
        answers = await asyncio.gather(*(fetch(client, source) for source in sources))
    async with pool.acquire() as connection, connection.transaction():
        await fx_rows.lock(connection)
        found = await _take(connection, settings, list(zip(sources, answers, strict=True)))
        changed = await note_rates(connection, settings)
        if actor is not None:
            detail = {fetched.source: fetched.error or f"{fetched.rates} rates" for fetched in found}
            await audit_rows.record(connection, actor, "rates.updated", "rates", detail)
    for fetched in found:
        if fetched.error is not None:
            log.warning("rate_fetch_failed", source=fetched.source, error=fetched.error)
        if fetched.waiting:
            log.warning("rate_move_held", source=fetched.source, currencies=fetched.waiting)
    log.info("rates_fetched", rates=sum(fetched.rates for fetched in found), changed=changed)
    return RateUpdate(found, changed)


async def fetch(client: GuardedHttpClient, source: RateSource) -> RateList | str:
    """The newest list of a source, or why there is none."""
    reply = await client.get(source.url.get_secret_value(), most_bytes=MOST_BYTES)
    if reply.error is not None or reply.status != HTTP_OK:
        return reply.error or f"HTTP {reply.status}"
    day = today()
    try:
        if source.kind == "ecb":
            found = read_ecb(reply.body)[-1]
        else:
            found = read_json(reply.body, source.base, source.rates, source.date, day)
    except RateListError as error:
        return str(error)
    if found.as_of > day + timedelta(days=1):  # where the source stands it may be tomorrow
        return f"its rates are of a later day, {found.as_of}"
    return msgspec.structs.replace(found, as_of=min(found.as_of, day))


async def _take(
    connection: Connection, settings: Settings, answers: Sequence[tuple[RateSource, RateList | str]]
) -> list[FetchedSource]:
    """Write what came: each currency from the first source that has it, those that moved too far to wait."""
    bounds, now = bounds_of(settings), datetime.now(UTC)
    rows = await latest_rates(connection, settings)
    before = {rate.currency: rate for rate in (*shipped(bounds.base), *rows)}
    in_force = rates_in_force(rows, shipped(bounds.base), now.date(), bounds)
    worth = {currency: rate.rate for currency, rate in in_force.items()}
    seen: set[str] = set()
    fetched: list[FetchedSource] = []
    for source, answer in answers:
        converted = answer if isinstance(answer, str) else _converted(answer, source, bounds.base, worth)
        error = converted if isinstance(converted, str) else None
        own = [rate for rate in (() if isinstance(converted, str) else converted) if rate.currency not in seen]
        moved = {rate.currency for rate in own if must_wait(before.get(rate.currency), rate, bounds)}
        good = [rate for rate in own if rate.currency not in moved]
        await fx_rows.write(connection, bounds.base, good)
        await fx_rows.hold(connection, bounds.base, [rate for rate in own if rate.currency in moved])
        as_of = None if isinstance(answer, str) or error is not None else answer.as_of
        await fx_rows.note_source(connection, source.name, now, as_of, error)
        fetched.append(FetchedSource(source.name, as_of, len(own), sorted(moved), error))
        seen |= {rate.currency for rate in own}
        worth |= {rate.currency: rate.rate for rate in good}
    return fetched


def _converted(came: RateList, source: RateSource, base: str, worth: Mapping[str, Decimal]) -> list[Rate] | str:
    """The rates of a list in base currency, or why they cannot be converted."""
    try:
        return rates_of(came, base, worth, source.name, "fetched")
    except RateListError as error:
        return str(error)
