"""Virtual numbers as storefronts and operators see them: from PostgreSQL, at the prices of now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from gateway.access import audit_rows
from gateway.access.key_rows import Mode
from gateway.access.user_rows import Visitor
from gateway.catalog.offer_lines import Limits, with_states
from gateway.inventory import number_rows
from gateway.inventory.number_rows import Number
from gateway.items import number_list_rows
from gateway.items.item_rules import NumberItem, item_of
from gateway.items.number_list_rows import ListState, NumberLine
from gateway.items.number_source import agreed, lines_of
from gateway.kit.pages import PageRequest, price_of
from gateway.kit.problem import Problem
from gateway.pricing.price_rules import NoRate
from gateway.pricing.pricing import Prices
from gateway.pricing.rates import no_rate
from gateway.selling import engine
from gateway.selling.choosing_rules import Candidate
from gateway.selling.sold_rules import api_price
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from providers.kit.places import country_name
from schemas.api_numbers import (
    NumberCountryList,
    NumberCountryShown,
    NumberTierList,
    NumberTierShown,
    OpsNumberTier,
    VirtualNumber,
)
from schemas.money import Money
from schemas.orders import NumberTierSold
from schemas.page import Page

Priced = tuple[NumberLine, Money | None]


async def countries(
    deps: Deps, storefront_id: str, mode: Mode, currency: str | None = None
) -> NumberCountryList | Problem:
    """Where numbers are sold, by name. Problems: no_rate."""
    try:
        priced = await _priced(deps, storefront_id, mode, currency)
    except NoRate as error:
        return no_rate(error)
    found: dict[str, list[Money]] = defaultdict(list)
    for line, price in priced:
        found[line.country] += [] if price is None else [price]
    found_countries = [
        NumberCountryShown(code, country_name(code), price_of(_least(prices)), bool(prices))
        for code, prices in found.items()
    ]
    return NumberCountryList(sorted(found_countries, key=lambda country: (country.name, country.code)))


async def tiers(
    deps: Deps, storefront_id: str, mode: Mode, country: str | None = None, currency: str | None = None
) -> NumberTierList | Problem:
    """How long numbers are held, the shortest first; with a country as they are there. Problems: as ``countries``."""
    try:
        priced = await _priced(deps, storefront_id, mode, currency, country)
    except NoRate as error:
        return no_rate(error)
    found: dict[str, list[Priced]] = defaultdict(list)
    for line, price in priced:
        found[line.tier_id].append((line, price))
    return NumberTierList(sorted((_tier(rows) for rows in found.values()), key=lambda tier: (tier.days, tier.id)))


async def page(deps: Deps, storefront_id: str, mode: Mode, page_request: PageRequest) -> Page[VirtualNumber]:
    """The storefront's numbers, the newest first."""
    found = await number_rows.newest_first(deps.pool, deps.seal, storefront_id, mode, page_request)
    return found.map(lambda row: _present(deps, row))


async def find(deps: Deps, storefront_id: str, mode: Mode, number_id: str) -> VirtualNumber | None:
    """The storefront's number of that id; None when it has none."""
    found = await number_rows.find(deps.pool, deps.seal, storefront_id, mode, number_id)
    return None if found is None else _present(deps, found)


async def ops_tiers(deps: Deps) -> list[OpsNumberTier]:
    """Every account's tiers, priced as for a storefront without rules of its own."""
    prices = await engine.prices(deps, "")
    states = {status.supplier: status for status in await number_list_rows.states(deps.pool)}
    found: list[OpsNumberTier] = []
    for mode in ("live", "test"):
        lines = await number_list_rows.lines(deps.pool, mode)
        judged = await _judged(deps, lines, prices)
        by_tier: dict[tuple[str, str], list[NumberLine]] = defaultdict(list)
        for line in lines:
            by_tier[line.supplier, line.tier_id].append(line)
        for (supplier, _), same in by_tier.items():
            own = {line.country: judged[supplier, line.key] for line in same}
            # What is said of every country is the tier's; what is said of some is theirs.
            common = set.intersection(*(set(candidate.why_not) for candidate in own.values()))
            state, first = states[supplier], same[0]
            found.append(
                OpsNumberTier(
                    supplier=supplier,
                    mode=mode,
                    tier_id=first.tier_id,
                    name=first.tier_name,
                    days=first.days,
                    cost=api_price(first.cost),
                    price=price_of(_least(_prices(own.values(), prices, prices.rates.base))),
                    countries=len(same),
                    stopped=sorted(code for code, candidate in own.items() if set(candidate.why_not) - common),
                    why_not=sorted(common),
                    suspect=first.suspect,
                    last_good_at=state.last_good_at,
                    error=state.error,
                )
            )
    return sorted(found, key=lambda tier: (tier.supplier, tier.days, tier.tier_id))


async def lists(deps: Deps) -> list[ListState]:
    """When each account's lists were read, and why that failed if it did."""
    return await number_list_rows.states(deps.pool)


async def release(deps: Deps, supplier: str, tier_id: str, cost: Decimal, by: Visitor | str) -> Problem | None:
    """Let a tier be sold at its cost of now, and lift the stops on it. Problems: conflict (it costs something else)."""
    async with deps.pool.acquire() as connection, connection.transaction():
        if not await number_list_rows.release_tier(connection, supplier, tier_id, cost):
            return Problem("conflict", f"{supplier} has no tier {tier_id} at that cost; reload it")
        detail = {"tier": tier_id, "cost": f"{cost:f}"}
        await audit_rows.record(connection, by, "number_tier.released", f"supplier:{supplier}", detail)
    return None


async def _priced(
    deps: Deps, storefront_id: str, mode: Mode, currency: str | None, country: str | None = None
) -> list[Priced]:
    """Each line with its price, None where it cannot be sold. Raises ``NoRate`` for the currency."""
    prices = await engine.prices(deps, storefront_id)
    wanted = currency or prices.rates.base
    prices.rates.of(wanted)
    lines = _agreed(await number_list_rows.lines(deps.pool, mode, country))
    judged = await _judged(deps, lines, prices)
    return [(line, _least(_prices([judged[line.supplier, line.key]], prices, wanted))) for line in lines]


def _agreed(lines: Iterable[NumberLine]) -> list[NumberLine]:
    by_tier: dict[tuple[str, str], list[NumberLine]] = defaultdict(list)
    for line in lines:
        by_tier[line.country, line.tier_id].append(line)
    return [line for same in by_tier.values() for line in agreed(same)]


async def _judged(deps: Deps, lines: Sequence[NumberLine], prices: Prices) -> dict[tuple[str, str], Candidate]:
    known = await with_states(deps, lines_of(deps, lines))
    found = engine.judged(deps, known, prices, Limits(), Capability.NUMBERS)
    return {(candidate.supplier, candidate.supplier_plan_id): candidate for candidate in found}


def _prices(found: Iterable[Candidate], prices: Prices, currency: str) -> list[Money]:
    # Many countries cost the same and are priced alike: each price is reckoned once.
    able = {
        (candidate.cost_base, candidate.units, candidate.rule): candidate
        for candidate in found
        if not candidate.why_not and candidate.unfit is None
    }
    return [engine.price_of(candidate, prices.rates, currency) for candidate in able.values()]


def _least(prices: Sequence[Money]) -> Money | None:
    return min(prices, key=lambda money: money.amount, default=None)


def _tier(rows: Sequence[Priced]) -> NumberTierShown:
    # Countries may differ in what they call it; the days are those that an order for it would have.
    days = min(line.days for line, _ in rows)
    able = [(line, price) for line, price in rows if price is not None]
    return NumberTierShown(
        id=rows[0][0].tier_id,
        name=next(line.tier_name for line, _ in rows if line.days == days),
        days=days,
        price=price_of(_least([price for _, price in able])),
        countries=sorted({line.country for line, _ in able}),
        in_stock=bool(able),
    )


def _present(deps: Deps, number: Number) -> VirtualNumber:
    item = item_of(number.plan)
    assert isinstance(item, NumberItem)  # noqa: S101 - a number's order is for a number
    over = number.expires_at is not None and number.expires_at <= deps.clock()
    return VirtualNumber(
        id=number.id,
        order_id=number.order_id,
        phone_number=number.phone_number,
        country=item.country,
        country_name=item.country_name,
        tier=NumberTierSold(item.tier_id, item.tier_name, item.days),
        state="expired" if over else "active",
        expires_at=number.expires_at,
        autorenew=number.autorenew,
        observed_at=number.observed_at,
        created_at=number.created_at,
    )
