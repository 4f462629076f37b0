"""Digital goods as storefronts browse them: from PostgreSQL, in one language, at the prices of now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import groupby

import msgspec

from gateway.access.key_rows import Mode
from gateway.catalog.offer_lines import Limits, with_states
from gateway.items import goods_rows
from gateway.items.good_source import line_of
from gateway.items.goods_rows import GoodRow, Wanted
from gateway.items.goods_rules import faults, text_in, widest
from gateway.kit.freshness import Freshness, FreshnessBounds, freshness
from gateway.kit.pages import PageRequest, price_of
from gateway.kit.problem import Problem
from gateway.pricing.price_rules import NoRate
from gateway.pricing.pricing import Prices
from gateway.pricing.rates import no_rate
from gateway.selling import engine
from gateway.selling.choosing_rules import Candidate, in_order
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas.api_goods import (
    DigitalGood,
    GoodAttributeName,
    GoodCategoryList,
    GoodCategoryName,
    GoodCategoryShown,
    GoodDenomination,
    GoodFieldAsked,
)
from schemas.money import Money
from schemas.page import Page


class Asker(msgspec.Struct, frozen=True):
    """Who asks, in which currency and language; None is the gateway's and the supplier's own."""

    storefront_id: str
    mode: Mode
    currency: str | None = None
    locale: str | None = None


async def page(deps: Deps, asker: Asker, wanted: Wanted, page_request: PageRequest) -> Page[DigitalGood] | Problem:
    """Goods by name. Problems: no_rate."""
    found = await goods_rows.listed(deps.pool, asker.mode, wanted, page_request)
    rows = await goods_rows.of_goods(deps.pool, asker.mode, found.data)
    by_id = {good_id: list(same) for good_id, same in groupby(rows, key=lambda row: row.good_id)}
    try:
        priced = await _priced(deps, asker, [by_id[good_id] for good_id in found.data if good_id in by_id], None)
    except NoRate as error:
        return no_rate(error)
    return found.of(priced)


async def find(deps: Deps, asker: Asker, good_id: str, amount: Decimal | None) -> DigitalGood | Problem:
    """One good, with its price for an amount of one's choice.

    Problems: not_found, conflict (an amount that it cannot have), no_rate.
    """
    rows = await goods_rows.of_goods(deps.pool, asker.mode, [good_id])
    if not rows:
        return Problem("not_found", "there is no such good")
    custom = rows[0].custom
    chosen = None if amount is None else Money(amount, custom.currency if custom is not None else "")
    if chosen is not None:
        terms = msgspec.structs.replace(widest([row.terms for row in rows]), fields=())
        if wrong := faults(terms, 1, chosen, {}):
            return Problem("conflict", f"amount: {wrong[0][1]}", (("/amount", wrong[0][1]),))
    try:
        (found,) = await _priced(deps, asker, [rows], chosen)
    except NoRate as error:
        return no_rate(error)
    return found


async def categories(deps: Deps, mode: Mode, locale: str | None) -> GoodCategoryList:
    """The categories in which goods may stand, with how many do."""
    counts = await goods_rows.counted(deps.pool, mode)
    return GoodCategoryList(
        [
            GoodCategoryShown(
                id=category.id,
                name=category.name,
                parent_id=category.parent_id,
                attributes=[
                    GoodAttributeName(a.code, a.name, a.type, "product" if a.target == "product" else "sku")
                    for a in category.attributes
                ],
                goods=counts.get(category.id, 0),
            )
            for category in await goods_rows.categories(deps.pool, mode, locale)
        ]
    )


async def _priced(
    deps: Deps, asker: Asker, found: Sequence[Sequence[GoodRow]], amount: Money | None
) -> list[DigitalGood]:
    prices = await engine.prices(deps, asker.storefront_id)
    prices.rates.of(asker.currency or prices.rates.base)
    judged = await candidates(deps, [row for same in found for row in same], prices, amount)
    return [_digital_good(deps, asker, same, judged, prices, amount) for same in found]


async def candidates(
    deps: Deps, rows: Iterable[GoodRow], prices: Prices, amount: Money | None = None
) -> dict[tuple[str, str], Candidate]:
    """Each row judged as an order for one of it would judge it, by supplier and SKU."""
    lines = await with_states(deps, [line_of(deps, row, 1, amount) for row in rows])
    judged = engine.judged(deps, lines, prices, Limits(), Capability.GOODS)
    return {(candidate.supplier, candidate.supplier_plan_id): candidate for candidate in judged}


def _digital_good(
    deps: Deps,
    asker: Asker,
    same: Sequence[GoodRow],
    judged: dict[tuple[str, str], Candidate],
    prices: Prices,
    amount: Money | None,
) -> DigitalGood:
    """One good as it would be sold: by the cheapest account that can, else by the cheapest at all."""
    known = [judged[row.supplier, row.sku] for row in same if (row.supplier, row.sku) in judged]
    able = [candidate for candidate in known if not candidate.why_not and candidate.unfit is None]
    best = next(iter(in_order(able or known)), None)
    row = next((row for row in same if best is not None and row.supplier == best.supplier), same[0])
    text = text_in(row.texts, asker.locale, row.locale)
    price = None
    if best is not None and best.cost_base is not None and (row.custom is None or amount is not None):
        price = engine.price_of(best, prices.rates, asker.currency or prices.rates.base)
    sync = deps.settings.sync
    bounds = FreshnessBounds(sync.interval_seconds, sync.expire_after_seconds)
    age = freshness(row.good_at, row.walk_state, deps.clock(), bounds)
    locale = asker.locale if asker.locale in row.texts else row.locale
    return DigitalGood(
        id=row.good_id,
        type=row.type,
        name=text.name,
        product_name=text.product_name,
        description=text.description,
        image=row.image,
        category=None if row.category_id is None else GoodCategoryName(row.category_id, text.category),
        countries=list(row.countries),
        attributes=text.attributes,
        denomination=_denomination(row),
        fields=[
            GoodFieldAsked(
                field.name, text.labels.get(field.name, field.label), field.required, field.pattern, list(field.options)
            )
            for field in row.fields
        ],
        max_per_order=widest([each.terms for each in same]).max_per_order,
        price=price_of(price),
        in_stock=bool(able),
        stale=age is not Freshness.FRESH,
        locale=locale or None,
        updated_at=row.changed_at,
    )


def _denomination(row: GoodRow) -> GoodDenomination:
    custom = row.custom
    if custom is None:
        return GoodDenomination("fixed", price_of(row.face_value), None, None, None)
    return GoodDenomination(
        kind="custom",
        face_value=None,
        currency=custom.currency,
        least=None if custom.least is None else f"{custom.least:f}",
        most=None if custom.most is None else f"{custom.most:f}",
    )
