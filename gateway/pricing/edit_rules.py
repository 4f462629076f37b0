"""Pricing rules: listed, changed with an entry in the audit log, and what a change would do, seen first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.kit.pool import Connection, Pool
from gateway.kit.problem import Problem
from gateway.kit.settings import Settings
from gateway.pricing import pricing_rule_rows
from gateway.pricing.price_rules import NoRate, PriceRule
from gateway.pricing.pricing import countries_by_region, default_rule
from gateway.pricing.pricing_rule_rows import StoredRule
from gateway.pricing.pricing_rules import MOST_RULES, Conditions, Rule, described, terms_text
from gateway.pricing.rates import rates_now
from providers.kit.places import is_country, unknown_country
from schemas.api_pricing import DefaultRule, PricingRule, PricingRulePage, RuleBody, RulePatch

Actor = Visitor | str


@dataclass(frozen=True, slots=True)
class Draft:
    """All rules as they would stand, in order, and the one that the change is about (None: their order)."""

    rules: tuple[Rule, ...]
    about: Rule | None = None
    before: Rule | None = None


async def every(pool: Pool, settings: Settings) -> PricingRulePage:
    """All rules in order, and the default behind them."""
    now = datetime.now(UTC)
    found = [present(stored, now) for stored in await pricing_rule_rows.every(pool)]
    return PricingRulePage(found, has_more=False, next_cursor=None, default=default_shown(settings))


async def find(pool: Pool, rule_id: str) -> PricingRule | None:
    """One rule, None when there is none."""
    found = await pricing_rule_rows.find(pool, rule_id)
    return None if found is None else present(found, datetime.now(UTC))


async def storefront_of(pool: Pool, name: str) -> str | None:
    """The id of a storefront by its name."""
    return await pricing_rule_rows.storefront_id(pool, name)


async def create(pool: Pool, settings: Settings, actor: Actor, body: RuleBody) -> PricingRule | Problem:
    """A new rule at its place, at the end when none is said."""
    async with pool.acquire() as connection, connection.transaction():
        await pricing_rule_rows.lock(connection)
        draft = await with_rule(connection, settings, body, None)
        if isinstance(draft, Problem):
            return draft
        made = _about(draft)
        await pricing_rule_rows.insert(connection, made)
        await _note(connection, actor, "created", made, {"after": body})
    return await _read(pool, made.id)


async def replace(pool: Pool, settings: Settings, actor: Actor, rule_id: str, body: RuleBody) -> PricingRule | Problem:
    """Another wording of a rule. It stays where it stands unless a place is said."""
    async with pool.acquire() as connection, connection.transaction():
        await pricing_rule_rows.lock(connection)
        return await _replace(connection, settings, actor, rule_id, body)


async def patch(pool: Pool, settings: Settings, actor: Actor, rule_id: str, sent: RulePatch) -> PricingRule | Problem:
    """Parts of a rule changed."""
    changes = {
        name: value
        for name in sent.__struct_fields__
        if not isinstance(value := getattr(sent, name), msgspec.UnsetType)
    }
    async with pool.acquire() as connection, connection.transaction():
        await pricing_rule_rows.lock(connection)
        stored = await pricing_rule_rows.find(connection, rule_id)
        if stored is None:
            return _NONE
        body = msgspec.structs.replace(body_of(stored), **changes)
        return await _replace(connection, settings, actor, rule_id, body)


async def remove(pool: Pool, actor: Actor, rule_id: str) -> bool:
    """Take a rule out; False when there is none."""
    async with pool.acquire() as connection, connection.transaction():
        await pricing_rule_rows.lock(connection)
        stored = await pricing_rule_rows.find(connection, rule_id)
        if stored is None:
            return False
        await pricing_rule_rows.remove(connection, rule_id)
        await _note(connection, actor, "removed", stored.rule, {"before": body_of(stored)})
    return True


async def put_in_order(pool: Pool, actor: Actor, ids: Sequence[str]) -> Problem | None:
    """Another order of all rules."""
    async with pool.acquire() as connection, connection.transaction():
        await pricing_rule_rows.lock(connection)
        stood = [stored.rule for stored in await pricing_rule_rows.every(connection)]
        draft = in_order(stood, ids)
        if isinstance(draft, Problem):
            return draft
        before = [rule.id for rule in stood]
        if before != list(ids):
            await pricing_rule_rows.put_in_order(connection, ids)
            detail = {"before": before, "after": list(ids)}
            await audit_rows.record(connection, actor, "pricing_rule.ordered", "pricing_rules", detail)
    return None


async def move(pool: Pool, actor: Actor, rule_id: str, by: int) -> Problem | None:
    """Move a rule so many places down, or up when negative; as far as it goes."""
    async with pool.acquire() as connection, connection.transaction():
        await pricing_rule_rows.lock(connection)
        ids = [stored.rule.id for stored in await pricing_rule_rows.every(connection)]
        if rule_id not in ids:
            return _NONE
        after = moved(ids, rule_id, by)
        if after != ids:
            await pricing_rule_rows.put_in_order(connection, after)
            places = {"from": ids.index(rule_id) + 1, "to": after.index(rule_id) + 1}
            await audit_rows.record(connection, actor, "pricing_rule.ordered", f"pricing_rule:{rule_id}", places)
    return None


def moved(ids: Sequence[str], rule_id: str, by: int) -> list[str]:
    """The ids with one of them so many places further down, or up when negative; as far as it goes."""
    others = [other_id for other_id in ids if other_id != rule_id]
    others.insert(max(0, min(len(others), ids.index(rule_id) + by)), rule_id)
    return others


# -- rules as they would stand


async def with_rule(
    connection: Connection | Pool, settings: Settings, body: RuleBody, rule_id: str | None
) -> Draft | Problem:
    """All rules with this one among them: a new one, or instead of the one with the id."""
    stood = [stored.rule for stored in await pricing_rule_rows.every(connection)]
    before = next((rule for rule in stood if rule.id == rule_id), None)
    if rule_id is not None and before is None:
        return _NONE
    if before is None and len(stood) >= MOST_RULES:
        return Problem("conflict", f"there are {MOST_RULES} rules already")
    errors = await _wrong(connection, settings, body)
    if errors:
        wrong = {at.split("/")[1] for at, _ in errors}
        detail = "; ".join(f"{at[1:]}: {what}" for at, what in errors)
        code = "no_rate" if wrong == {"currency"} else "invalid" if wrong & _CODES else "conflict"
        return Problem(code, detail, tuple(errors))
    others = [rule for rule in stood if rule.id != rule_id]
    place = min(body.position or (before.number if before is not None else len(stood) + 1), len(others) + 1)
    storefront = None if body.storefront is None else await pricing_rule_rows.storefront_id(connection, body.storefront)
    made = _rule(body, rule_id or pricing_rule_rows.new_id(), place, storefront, settings.base_currency)
    others.insert(place - 1, made)
    return Draft(_numbered(others), made, before)


def without(stood: Sequence[Rule], rule_id: str) -> Draft | Problem:
    """All rules but the one with this id."""
    before = next((rule for rule in stood if rule.id == rule_id), None)
    if before is None:
        return _NONE
    return Draft(_numbered([rule for rule in stood if rule.id != rule_id]), None, before)


def in_order(stood: Sequence[Rule], ids: Sequence[str]) -> Draft | Problem:
    """All rules in the order of these ids."""
    by_id = {rule.id: rule for rule in stood}
    if sorted(by_id) != sorted(ids):
        what = "must be the ids of all rules, each once"
        return Problem("conflict", f"ids: {what}; somebody may have changed them meanwhile", (("/ids", what),))
    return Draft(_numbered([by_id[rule_id] for rule_id in ids]))


# -- as JSON


def present(stored: StoredRule, now: datetime) -> PricingRule:
    """A rule as the API writes it."""
    rule = stored.rule
    if rule.in_force(now):
        state = "in_force"
    elif not rule.enabled:
        state = "off"
    else:
        state = "waiting" if rule.valid_from is not None and now < rule.valid_from else "over"
    fields = msgspec.structs.asdict(body_of(stored)) | {"currency": rule.price.currency, "position": rule.number}
    return PricingRule(
        **fields,
        id=rule.id,
        state=state,  # type: ignore[arg-type]
        words=described(rule),
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def default_shown(settings: Settings) -> DefaultRule:
    """``[pricing]`` of the settings as the API writes it."""
    rule = default_rule(settings)
    return DefaultRule(
        words=f"default: {terms_text(rule)}",
        percent=_text(rule.percent),
        fixed=_text(rule.fixed),
        minimum_margin=_text(rule.minimum_margin),
        rounding=rule.rounding,
        currency=settings.base_currency,
    )


def body_of(stored: StoredRule) -> RuleBody:
    """A rule as one would send it to make it again."""
    return _body(stored.rule, stored.storefront)


def _body(rule: Rule, storefront: str | None) -> RuleBody:
    when, price = rule.when, rule.price
    return RuleBody(
        name=rule.name,
        percent=_text(price.percent),
        fixed=_text(price.fixed),
        minimum_margin=_text(price.minimum_margin) if rule.own_margin else None,
        floor=None if price.floor is None else _text(price.floor),
        ceiling=None if price.ceiling is None else _text(price.ceiling),
        rounding=price.rounding,
        currency=price.currency,
        enabled=rule.enabled,
        storefront=storefront,
        supplier=when.supplier,
        countries=list(when.countries),
        region=when.region,
        scope=when.scope,
        min_data_mb=when.min_data_mb,
        max_data_mb=when.max_data_mb,
        unlimited=when.unlimited,
        plan_ids=list(when.plan_ids),
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
    )


def normalized(body: RuleBody, settings: Settings) -> RuleBody:
    """A rule as it would be read again once it is stored."""
    return _body(_rule(body, "", 0, None, settings.base_currency), body.storefront)


async def _replace(
    connection: Connection, settings: Settings, actor: Actor, rule_id: str, body: RuleBody
) -> PricingRule | Problem:
    stored = await pricing_rule_rows.find(connection, rule_id)
    draft = await with_rule(connection, settings, body, rule_id)
    if isinstance(draft, Problem) or stored is None:
        return draft if isinstance(draft, Problem) else _NONE
    made = _about(draft)
    await pricing_rule_rows.update(connection, made)
    await pricing_rule_rows.put_in_order(connection, [rule.id for rule in draft.rules])
    before, after = body_of(stored), msgspec.structs.replace(body, position=None)
    changed = {name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)}
    await _note(connection, actor, "changed", made, {"before": before, "after": after, "changed": sorted(changed)})
    return await _read(connection, rule_id)


async def _read(connection: Connection | Pool, rule_id: str) -> PricingRule | Problem:
    found = await pricing_rule_rows.find(connection, rule_id)
    return _NONE if found is None else present(found, datetime.now(UTC))


async def _note(connection: Connection, actor: Actor, what: str, rule: Rule, detail: dict[str, Any]) -> None:
    plain = {"name": rule.name, **{name: msgspec.to_builtins(value) for name, value in detail.items()}}
    await audit_rows.record(connection, actor, f"pricing_rule.{what}", f"pricing_rule:{rule.id}", plain)


async def _wrong(connection: Connection | Pool, settings: Settings, body: RuleBody) -> list[tuple[str, str]]:
    """What of a rule cannot be, by pointers."""
    errors: list[tuple[str, str]] = []
    if body.storefront is not None and await pricing_rule_rows.storefront_id(connection, body.storefront) is None:
        errors.append(("/storefront", f"there is no storefront {body.storefront}"))
    named = None if body.supplier in settings.suppliers else body.supplier
    if named is not None and not await pricing_rule_rows.has_supplier(connection, named):
        errors.append(("/supplier", f"there is no supplier {body.supplier}"))
    base = settings.base_currency
    if body.currency not in (None, base) and body.currency not in (await rates_now(connection, settings)).worth:
        errors.append(("/currency", NoRate(body.currency or base).advice))
    return errors + _wrong_places(body) + _wrong_figures(body)


def _wrong_places(body: RuleBody) -> list[tuple[str, str]]:
    errors = [
        (f"/countries/{at}", unknown_country(code)) for at, code in enumerate(body.countries) if not is_country(code)
    ]
    if body.region is not None and body.region not in countries_by_region():
        errors.append(("/region", f"there is no region {body.region}"))
    return errors


def _wrong_figures(body: RuleBody) -> list[tuple[str, str]]:
    bounds = {name: Decimal(amount) for name in ("floor", "ceiling") if (amount := getattr(body, name)) is not None}
    errors = [(f"/{name}", "must be above 0") for name, amount in bounds.items() if not amount]
    if Decimal(body.percent) > _MOST_PERCENT:
        errors.append(("/percent", f"at most {_MOST_PERCENT}"))
    if "floor" in bounds and bounds["floor"] > bounds.get("ceiling", bounds["floor"]):
        errors.append(("/ceiling", "is below the floor"))
    if body.max_data_mb is not None and (body.min_data_mb or 0) > body.max_data_mb:
        errors.append(("/max_data_mb", "is below the least"))
    if body.unlimited and body.max_data_mb is not None:
        errors.append(("/max_data_mb", "no unlimited plan has so little"))
    if body.valid_from is not None and body.valid_until is not None and body.valid_from >= body.valid_until:
        errors.append(("/valid_until", "is not after valid_from"))
    return errors


def _rule(body: RuleBody, rule_id: str, number: int, storefront: str | None, base: str) -> Rule:
    price = PriceRule(
        percent=Decimal(body.percent),
        fixed=Decimal(body.fixed),
        rounding=body.rounding,
        minimum_margin=Decimal(body.minimum_margin or 0),
        floor=None if body.floor is None else Decimal(body.floor),
        ceiling=None if body.ceiling is None else Decimal(body.ceiling),
        currency=body.currency or base,
    )
    when = Conditions(
        storefront=storefront,
        supplier=body.supplier,
        countries=tuple(sorted(set(body.countries))),
        region=body.region,
        scope=body.scope,
        min_data_mb=body.min_data_mb,
        max_data_mb=body.max_data_mb,
        unlimited=body.unlimited,
        plan_ids=tuple(sorted(set(body.plan_ids))),
    )
    return Rule(
        id=rule_id,
        number=number,
        name=" ".join(body.name.split()) or "-",
        when=when,
        price=price,
        enabled=body.enabled,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        own_margin=body.minimum_margin is not None,
    )


def _numbered(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    return tuple(msgspec.structs.replace(rule, number=number) for number, rule in enumerate(rules, 1))


def _about(draft: Draft) -> Rule:
    if draft.about is None:
        raise LookupError("a draft with a rule names it")
    return draft.about


def _text(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


_MOST_PERCENT = 1000
_CODES = {"countries", "region", "currency"}  # what must be a word of a list that is known to all
_NONE = Problem("not_found", "there is no such pricing rule")
