"""Pricing rules: in order, with what each prices; worded, tried out on the whole catalogue, then kept. For admins."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from gateway.catalog.index.effect import offers_under
from gateway.console.filters import clean
from gateway.console.forms import Form, form_data
from gateway.console.margins import index_of
from gateway.console.pages import Csv, Hit, Pages, View, deps_of, invalid, mode, see_other, visitor
from gateway.kit.problem import Problem
from gateway.prices import pricing_preview
from gateway.pricing import edit_rules
from gateway.pricing import pricing_rule_rows as store
from gateway.pricing.pricing import countries_by_region, sets_now
from gateway.pricing.pricing_tables import conditions, data, of_rules
from gateway.pricing.rates import rates_now
from gateway.suppliers import supplier_rows
from providers.kit import places
from schemas.api_pricing import PreviewRequest, PricingPreview, PricingRule, RuleBody
from schemas.money import Money
from schemas.plan import NOMINAL_MB_PER_GB, Scope, asked_mb

pages = Pages()
_LIST = "/console/pricing-rules"
_ROUNDING = (("currency", "up to the currency's digits"), (".99", "up to the next .99"))
_SCOPES = (("country", "one country"), ("region", "regional"), ("global", "global (100 countries or more)"))
_UNLIMITED = (("yes", "unlimited only"), ("no", "limited only"))
_AMOUNTS = ("fixed", "minimum_margin", "floor", "ceiling")
_FIELDS = {"min_data_mb": "min_data", "max_data_mb": "max_data"}
_DATA = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*(gb|mb|)\Z", re.IGNORECASE)
_PLAN = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}\Z")
_STEPS = {"up": -1, "down": 1, "top": -1000, "bottom": 1000}
_SEEN = 24


@pages("GET", _LIST, nav="Pricing rules")
async def list_(request: web.Request) -> View:
    """All rules in the order in which they are asked, and the default behind them."""
    deps = deps_of(request)
    found = await edit_rules.every(deps.pool, deps.settings)
    counts = await _counts(request, found.data)
    context = {
        "rules": [(rule, conditions(rule), rule.words.partition(": ")[2], counts.get(rule.id)) for rule in found.data],
        "default": found.default,
        "default_count": counts.get(None),
    }
    sheet = of_rules(found)
    return View("pricing_rules.html", context, title="Pricing rules", csv=Csv("pricing-rules", *sheet))


@pages("GET", _LIST + "/new", role="admin", nav="Pricing rules")
async def new(request: web.Request) -> View:
    """The form for a new rule."""
    return await _form(request, None, {"rounding": "currency", "enabled": "1", "fixed": "0"})


@pages("POST", _LIST + "/new", role="admin", nav="Pricing rules")
async def create(request: web.Request) -> View | web.Response:
    """What a new rule would do; the rule itself, once that was seen."""
    return await _try_or_keep(request, None)


@pages("GET", _LIST + "/{id}", role="admin", nav="Pricing rules")
async def edit(request: web.Request) -> View:
    """The form with a rule in it."""
    rule = await _rule(request)
    return await _form(request, rule, _typed(rule))


@pages("POST", _LIST + "/{id}", role="admin", nav="Pricing rules")
async def change(request: web.Request) -> View | web.Response:
    """What another wording would do; that wording, once this was seen."""
    return await _try_or_keep(request, await _rule(request))


@pages("POST", _LIST + "/{id}/move", role="admin", nav="Pricing rules")
async def move(request: web.Request) -> web.Response:
    """One place up or down, or to an end; told with what that does."""
    form, rule = await form_data(request), await _rule(request)
    deps, way = deps_of(request), form.choice("to", _STEPS)
    if not form:
        raise web.HTTPBadRequest
    ids = [each.id for each in (await edit_rules.every(deps.pool, deps.settings)).data]
    found = await _effect(request, PreviewRequest(order=edit_rules.moved(ids, rule.id, _STEPS[way])))
    await edit_rules.move(deps.pool, visitor(request), rule.id, _STEPS[way])
    moved = await _rule(request)
    does = "" if isinstance(found, Problem) else f" {found.rise.count} prices rise, {found.fall.count} fall."
    return see_other(request, f"{_LIST}#{rule.id}", message=f"{_short(moved.name)} is rule {moved.position} now.{does}")


@pages("GET", _LIST + "/{id}/remove", role="admin", nav="Pricing rules")
async def ask_to_remove(request: web.Request) -> View:
    """What taking a rule out would do."""
    rule = await _rule(request)
    found = await _effect(request, PreviewRequest(id=rule.id, remove=True))
    if isinstance(found, Problem):
        raise web.HTTPNotFound
    context = {"rule": rule, "about": conditions(rule), **_shown(found)}
    return View("pricing_rule_remove.html", context, title=f"Remove {_short(rule.name)}")


@pages("POST", _LIST + "/{id}/remove", role="admin", nav="Pricing rules")
async def remove(request: web.Request) -> web.Response:
    """Take a rule out."""
    rule = await _rule(request)
    await edit_rules.remove(deps_of(request).pool, visitor(request), rule.id)
    return see_other(request, _LIST, message=f"{_short(rule.name)} is removed.")


@pages.finds("Pricing rules")
async def find(request: web.Request, question: str) -> list[Hit]:
    """Rules by a part of their name, or by their id."""
    deps = deps_of(request)
    found = (await edit_rules.every(deps.pool, deps.settings)).data
    wanted = question.lower()
    hits = [rule for rule in found if wanted in rule.name.lower() or wanted == rule.id]
    return [
        Hit(_short(rule.name), f"{_LIST}#{rule.id}", clean(rule.words)[:200], only=rule.id == wanted)
        for rule in hits[:10]
    ]


# -- a rule in a form


async def _try_or_keep(request: web.Request, rule: PricingRule | None) -> View | web.Response:
    """A rule is kept only as it was tried out: what was seen stands beside the form as a digest of its content."""
    form = await form_data(request)
    view = await _form(request, rule, form.typed)
    body = _body(form)
    if body is None:
        return invalid(view, form)
    seen = _digest(body)
    deps = deps_of(request)
    if form.typed.get("do") == "keep" and form.typed.get("seen") == seen:
        if rule is None:
            made = await edit_rules.create(deps.pool, deps.settings, visitor(request), body)
        else:
            made = await edit_rules.replace(deps.pool, deps.settings, visitor(request), rule.id, body)
        if not isinstance(made, Problem):
            return see_other(request, f"{_LIST}#{made.id}", message=f"Kept: {clean(made.words)}.")
        return invalid(view, _pointed(form, made))
    found = await _effect(request, PreviewRequest(rule=body, id=None if rule is None else rule.id))
    if isinstance(found, Problem):
        return invalid(view, _pointed(form, found))
    context = {**view.context, **_shown(found), "seen": seen, "typed": form.typed}
    return View(view.template, context, title=view.title)


async def _form(request: web.Request, rule: PricingRule | None, typed: dict[str, str]) -> View:
    deps = deps_of(request)
    base = deps.settings.base_currency
    known = (await rates_now(deps.pool, deps.settings)).worth
    regions = sorted(((region.code, region.name) for region in places.regions()), key=lambda region: region[1])
    names = await supplier_rows.last_good(deps.pool)
    chosen = typed.get("supplier", "")
    suppliers = sorted(names.keys() | ({chosen} if chosen else set()))
    context = {
        "rule": rule,
        "typed": typed,
        "count": await store.count(deps.pool),
        "storefronts": list((await store.storefronts(deps.pool)).values()),
        "suppliers": suppliers,
        "regions": regions,
        "scopes": _SCOPES,
        "unlimited": _UNLIMITED,
        "rounding": _ROUNDING,
        "currencies": [base, *sorted(known.keys() - {base})],
        "effect": None,
        "seen": "",
    }
    title = "New pricing rule" if rule is None else f"Pricing rule {_short(rule.name)}"
    return View("pricing_rule.html", context, title=title)


def _body(form: Form) -> RuleBody | None:
    """The rule that the form says; None when something of it is wrong."""
    values: dict[str, Any] = {
        "name": form.text("name", required=True, most=100),
        "percent": _plain(form.decimal("percent", required=True, least=0, most=1000)),
        "rounding": form.choice("rounding", (".99", "currency")),
        "enabled": form.ticked("enabled"),
        "countries": _countries(form),
        "plan_ids": _plans(form),
        "min_data_mb": _megabytes(form, "min_data"),
        "max_data_mb": _megabytes(form, "max_data"),
        "unlimited": {"yes": True, "no": False}.get(form.choice("unlimited", ("yes", "no"), required=False)),
        "scope": form.choice("scope", [scope.value for scope in Scope], required=False) or None,
        "region": form.choice("region", list(countries_by_region()), required=False) or None,
        "valid_from": form.moment("valid_from"),
        "valid_until": form.moment("valid_until"),
        "position": form.whole("position", least=1, most=200),
    }
    values |= {name: _plain(form.decimal(name, least=0, most=10**9)) for name in _AMOUNTS}
    values["fixed"] = values["fixed"] or "0"
    values |= {name: form.text(name) or None for name in ("storefront", "supplier", "currency")}
    if not form:
        return None
    try:
        return msgspec.convert(values, RuleBody)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$.")
        form.wrong(_FIELDS.get(path.strip("`").partition("[")[0], path.strip("`").partition("[")[0]), text)
        return None


def _typed(rule: PricingRule) -> dict[str, str]:
    """A rule as it would be typed."""
    typed = {
        name: str(value)
        for name in ("name", "percent", "rounding", "currency", "storefront", "supplier", "region", *_AMOUNTS)
        if (value := getattr(rule, name)) is not None
    }
    typed |= {
        "scope": "" if rule.scope is None else rule.scope.value,
        "enabled": "1" if rule.enabled else "",
        "countries": " ".join(rule.countries),
        "plan_ids": " ".join(rule.plan_ids),
        "min_data": "" if rule.min_data_mb is None else data(rule.min_data_mb),
        "max_data": "" if rule.max_data_mb is None else data(rule.max_data_mb),
        "unlimited": {True: "yes", False: "no", None: ""}[rule.unlimited],
        "valid_from": _local(rule.valid_from),
        "valid_until": _local(rule.valid_until),
        "position": str(rule.position),
    }
    return typed


def _countries(form: Form) -> list[str]:
    """The countries typed, by code or name, with commas or (between codes) spaces between them."""
    text = form.text("countries", most=5000)
    found: list[str] = []
    for part in (code.strip() for code in text.split(",")):
        if not part:
            continue
        whole = places.country(part)
        codes = [whole] if whole else [places.country(word.upper()) for word in part.split()]
        if None in codes:
            form.wrong("countries", f"{part[:60]} is not a known country")
        found += [code for code in codes if code is not None]
    return sorted(set(found))


def _plans(form: Form) -> list[str]:
    """The plans typed, by id, with spaces or commas between them."""
    found = form.text("plan_ids", most=9000).replace(",", " ").split()
    for plan_id in found:
        if not _PLAN.match(plan_id):
            form.wrong("plan_ids", f"{plan_id[:60]} is not a plan ID")
    return found


def _megabytes(form: Form, name: str) -> int | None:
    text = form.text(name, most=20)
    if not text:
        return None
    found = _DATA.match(text)
    if found is None:
        form.wrong(name, "is not an amount of data. Use for example 5 GB or 500 MB")
        return None
    number = Decimal(found[1])
    return asked_mb(round(number * NOMINAL_MB_PER_GB)) if found[2].lower() == "gb" else round(number)


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else f"{number.normalize():f}"


def _short(name: str) -> str:
    """A rule's name as it may stand in a sentence."""
    return clean(name)[:60]


def _local(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%dT%H:%M}"


def _digest(body: RuleBody) -> str:
    return hashlib.blake2b(msgspec.json.encode(body), digest_size=_SEEN // 2).hexdigest()


def _pointed(form: Form, problem: Problem) -> Form:
    for pointer, why in problem.errors or (("/", problem.detail),):
        name = pointer.strip("/").partition("/")[0]
        form.wrong(_FIELDS.get(name, name), why)
    return form


# -- what it does


async def _rule(request: web.Request) -> PricingRule:
    found = await edit_rules.find(deps_of(request).pool, request.match_info["id"])
    if found is None:
        raise web.HTTPNotFound
    return found


async def _effect(request: web.Request, preview_request: PreviewRequest) -> PricingPreview | Problem:
    deps = deps_of(request)
    if deps.index is None:
        raise web.HTTPServiceUnavailable
    return await pricing_preview.preview(deps.pool, deps.settings, deps.index, preview_request, mode(request))


def _shown(found: PricingPreview) -> dict[str, Any]:
    """An effect as the page draws it."""
    moves = [
        (word, side, *(None if p is None else Money.of(p.amount, p.currency) for p in (side.median, side.most)))
        for word, side in (("rise", found.rise), ("fall", found.fall))
    ]
    return {"effect": found, "moves": moves, "now": datetime.now(UTC)}


async def _counts(request: web.Request, rules: list[PricingRule]) -> dict[str | None, int]:
    """How many offers for sale each rule prices, by its id (None: the default); a storefront's among its own prices."""
    deps = deps_of(request)
    index = index_of(request, None)
    sets = sets_now(await store.rules(deps.pool), deps.settings, datetime.now(UTC))
    ids = {name: storefront_id for storefront_id, name in (await store.storefronts(deps.pool)).items()}
    storefront_of_rule = {rule.id: rule.storefront for rule in rules}
    found: dict[str | None, int] = {}
    for storefront in {*storefront_of_rule.values(), None}:
        ruling = sets.of(None if storefront is None else ids.get(storefront))
        counts = offers_under(index, ruling)
        numbered = enumerate([*(rule.id for rule in ruling.rules), None])
        found |= {
            rule: counts.get(number, 0) for number, rule in numbered if storefront_of_rule.get(rule or "") == storefront
        }
    return found
