"""What other pricing rules would do to the whole catalogue, and which offers each rule prices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from gateway.access.key_rows import Mode
from gateway.catalog.index import Index
from gateway.catalog.index.effect import Effect, Example, Spread, effect
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.kit.settings import Settings
from gateway.pricing import pricing_rule_rows
from gateway.pricing.edit_rules import Draft, in_order, with_rule, without
from gateway.pricing.price_rules import NoRate
from gateway.pricing.pricing import sets_now
from gateway.pricing.pricing_rules import RuleSet
from gateway.pricing.rates import no_rate
from schemas.api import Price
from schemas.api_pricing import PreviewRequest, PricedBy, PriceMove, PricingExample, PricingPreview
from schemas.money import Money

_NAME = 200
Find = Callable[[Mode], Index]


async def preview(
    pool: Pool, settings: Settings, index_of: Find, request: PreviewRequest, mode: Mode
) -> PricingPreview | Problem:
    """The effect of a change of rules that is not made. ``index_of`` gives the catalogue of a mode.

    Looked at now, or when the rule that it is about comes into force.
    """
    storefronts = {name: storefront_id for storefront_id, name in (await pricing_rule_rows.storefronts(pool)).items()}
    if request.storefront is not None and request.storefront not in storefronts:
        what = f"there is no storefront {request.storefront}"
        return Problem("not_found", what, (("/storefront", what),))
    stood = [stored.rule for stored in await pricing_rule_rows.every(pool)]
    draft = await _draft(pool, settings, request)
    if isinstance(draft, Problem):
        return draft
    storefront = storefronts[request.storefront] if request.storefront is not None else _storefront_of(draft)
    now = datetime.now(UTC)
    begins = draft.about.valid_from if draft.about is not None else None
    at = max(now, begins) if begins is not None else now
    before, after = (sets_now(rules, settings, at).of(storefront) for rules in (stood, draft.rules))
    index = index_of(mode)
    currency = request.currency or index.base_currency
    try:
        index.snapshot.rates.of(currency)
    except NoRate as error:
        return no_rate(error)
    names = {storefront_id: name for name, storefront_id in storefronts.items()}
    return await asyncio.to_thread(_presented, index, (before, after), currency, at, names.get(storefront or ""))


def _presented(
    index: Index, sets: tuple[RuleSet, RuleSet], currency: str, at: datetime, storefront: str | None
) -> PricingPreview:
    before, after = (Index(index.snapshot, index.standing, rules, index) for rules in sets)
    found = effect(before, after, currency)
    return PricingPreview(
        at=at,
        storefront=storefront,
        mode="live" if index.mode == "live" else "test",
        currency=currency,
        same=found.same,
        rise=_move(found.rises, currency),
        fall=_move(found.falls, currency),
        begin=found.begin,
        end=found.end,
        thin_before=found.thin[0],
        thin_after=found.thin[1],
        at_floor=found.bounds["floor"],
        at_ceiling=found.bounds["ceiling"],
        at_minimum_margin=found.bounds["minimum_margin"],
        priced_by=priced_by(after.rules, found),
        examples=[_example(example, before, after, currency) for example in found.examples],
    )


def priced_by(rules: RuleSet, found: Effect) -> list[PricedBy]:
    """How many offers each rule prices, in their order, the default last."""
    ids = [*(rule.id for rule in rules.rules), None]
    return [PricedBy(ids[number], rules.describe(number), count) for number, count in sorted(found.by_rule.items())]


async def _draft(pool: Pool, settings: Settings, request: PreviewRequest) -> Draft | Problem:
    if request.rule is not None:
        return await with_rule(pool, settings, request.rule, request.id)
    stood = [stored.rule for stored in await pricing_rule_rows.every(pool)]
    if request.order is not None:
        return in_order(stood, request.order)
    if request.id is not None and request.remove:
        return without(stood, request.id)
    what = "say a rule, an id to remove, or an order"
    return Problem("conflict", what, (("/rule", what),))


def _storefront_of(draft: Draft) -> str | None:
    """The storefront whose prices the change is about."""
    rule = draft.about or draft.before
    return None if rule is None else rule.when.storefront


def _move(spread: Spread | None, currency: str) -> PriceMove:
    if spread is None:
        return PriceMove(0, None, None, None, None)
    median, most = (_price(minor, currency) for minor in (spread.median, spread.most))
    return PriceMove(spread.count, median, spread.median_percent, most, spread.most_percent)


def _example(example: Example, before: Index, after: Index, currency: str) -> PricingExample:
    snapshot = after.snapshot
    row = example.row_after if example.row_after is not None else example.row_before
    if row is None:
        raise LookupError("an example is sold before or after")
    reasons = after.reasons(row) if example.row_after is None else ()
    base = snapshot.base_text(int(snapshot.cost[row])).split(" ")
    return PricingExample(
        plan_id=snapshot.plan_id(example.plan),
        name=snapshot.plan_name(example.plan)[:_NAME],
        supplier=snapshot.suppliers[int(snapshot.supplier[row])],
        cost_base=Price(base[0], base[1]),
        before=None if example.before is None else _price(example.before, currency),
        after=None if example.after is None else _price(example.after, currency),
        percent=example.percent,
        rule_before=None if example.row_before is None else before.price_words(example.row_before),
        rule_after=None if example.row_after is None else after.price_words(example.row_after),
        why_not=reasons[0].value if reasons else None,
    )


def _price(minor: int, currency: str) -> Price:
    return Price(f"{Money.from_minor(minor, currency).padded().amount:f}", currency)
