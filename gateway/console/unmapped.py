"""Unmapped: what no rule understood, word by word; what a word means, told here, its effect seen first."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from gateway.console.filters import clean
from gateway.console.forms import Form, form_data, query_form
from gateway.console.history import as_money
from gateway.console.pages import (
    Csv,
    Hit,
    Pages,
    PendingDecision,
    View,
    deps_of,
    invalid,
    mode,
    next_page,
    page_request_of,
    see_other,
    visitor,
)
from gateway.console.saved_filters import with_saved_filters
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.kit.sheet import Column, columns, sheet_of
from gateway.sync import mappings
from gateway.sync import unmapped_rows as store
from gateway.sync.unmapped_rows import Scope
from providers.kit import places
from providers.kit.term_mappings import TermMapping
from schemas.api_mappings import MappingRequest, UnmappedGroup
from schemas.money import Money
from schemas.plan import About, SetAsideReason

pages = Pages()
_LIST, _WORD, _MAPPINGS = "/console/unmapped", "/console/unmapped/at", "/console/unmapped/told"
_PAGE, _ITEMS = 50, 25
_RAW = 4_000
_FIELDS = {"/word": "word", "/means": "means", "/provider": "applies_to"}
_GROUPS = columns(
    "supplier, reason, about, word, offers, priced, cost in all=cost_total:amount",
    "cost in the middle=cost_median:amount",
    Column("example", lambda group: group.examples[0] if group.examples else ""),
    "since=first_seen_at",
)
_MAPPING_COLUMNS = columns("provider, supplier, about, word, means, note, by=created_by, at=created_at, applied")
ATTRIBUTES = (("country", "the countries"), ("data", "the amount of data"), ("days", "the number of days"))


@pages("GET", _LIST, nav="Unmapped")
@with_saved_filters
async def unmapped(request: web.Request) -> View:
    """What was not understood, that first on which most money hangs."""
    deps, form = deps_of(request), query_form(request)
    reasons = [reason.value for reason in SetAsideReason]
    scope = Scope(
        mode=mode(request),
        supplier=form.text("supplier", most=40) or None,
        reason=form.choice("reason", reasons, required=False) or None,
        about=form.choice("about", [about.value for about in About if about], required=False) or None,
    )
    base = deps.settings.base_currency
    found = await mappings.groups(deps.pool, deps.settings, scope, page_request_of(request, _PAGE))
    context = {
        "groups": [
            (group, as_money(group.cost_total), as_money(group.cost_median), _url(group)) for group in found.data
        ],
        "next": next_page(request, found),
        "totals": await store.totals(deps.pool, mode(request)),
        "scope": scope,
        "suppliers": [
            name for name, account in sorted(deps.accounts.items()) if account.settings.mode == mode(request)
        ],
        "reasons": [(reason, reason.replace("_", " ")) for reason in reasons],
        "abouts": [(about.value, about.value.replace("_", " ")) for about in About if about],
        "currency": base,
    }
    return View("unmapped.html", context, title="Unmapped", csv=Csv("unmapped", *sheet_of(_GROUPS, found.data)))


@pages("GET", _WORD + "/{supplier}", nav="Unmapped")
async def word(request: web.Request) -> View:
    """The items of one word, and the form to tell what it means; with a meaning in the address, what that would do."""
    form = query_form(request)
    view = await _word(request, form, request.match_info["supplier"])
    if not form.text("means", most=2000):
        return view
    meaning = _meaning(request, form, request.match_info["supplier"])
    if meaning is None:
        return invalid(view, form)
    deps = deps_of(request)
    effect = await mappings.preview(deps.pool, deps.accounts, meaning)
    examples = [(example, as_money(example.cost)) for example in effect.examples]
    context = {
        **view.context,
        "effect": effect,
        "examples": examples,
        "typed": form.typed,
        "countries": _countries(meaning),
    }
    return View(view.template, context, title=view.title)


@pages("POST", _MAPPINGS, role="operator", nav="Unmapped")
async def add_mapping(request: web.Request) -> View | web.Response:
    """Keep what a word means."""
    form = await form_data(request)
    supplier = form.text("supplier", most=40)
    meaning = _meaning(request, form, supplier)
    note = form.text("note", most=500)
    if meaning is None or not form:
        return invalid(await _word(request, form, supplier), form)
    await mappings.add_mapping(deps_of(request).pool, meaning, note, visitor(request))
    message = f"{meaning.word} means {meaning.means} from the next sync on."
    return see_other(request, _MAPPINGS, message=message)


@pages("GET", _MAPPINGS, nav="Unmapped")
async def list_mappings(request: web.Request) -> View:
    """The mappings of operators, the newest first; to remove, to apply now, and to download as a file."""
    deps = deps_of(request)
    found = await mappings.listed(deps.pool, page_request_of(request, _PAGE))
    context = {
        "rows": found.data,
        "next": next_page(request, found),
        "waiting": [mapping for mapping in found.data if not mapping.applied],
    }
    sheet = sheet_of(_MAPPING_COLUMNS, found.data)
    return View("unmapped_mappings.html", context, title="Mappings", csv=Csv("mappings", *sheet))


@pages("POST", _MAPPINGS + "/{id}/forget", role="operator", nav="Unmapped")
async def forget(request: web.Request) -> web.Response:
    """Take a meaning back."""
    was = await mappings.forget(deps_of(request).pool, request.match_info["id"], visitor(request))
    if was is None:
        raise web.HTTPNotFound
    return see_other(request, _MAPPINGS, message=f"{was.word} is unmapped from the next sync on.")


@pages("GET", "/console/unmapped/mappings.toml")
async def download(request: web.Request) -> web.Response:
    """All meanings in force as the file for ``config/``."""
    text = await mappings.toml(deps_of(request).pool)
    headers = {"Content-Disposition": 'attachment; filename="mappings.toml"'}
    return web.Response(text=text or "# No mappings yet.\n", content_type="application/toml", headers=headers)


@pages.decision
async def to_map(request: web.Request) -> PendingDecision:
    """Words whose meaning an operator can tell."""
    return PendingDecision("Unmapped names", _LIST, await mappings.words_to_map(deps_of(request).pool, mode(request)))


@pages.finds("Unmapped terms")
async def find(request: web.Request, question: str) -> list[Hit]:
    """Words that are not understood and hold the question."""
    deps = deps_of(request)
    found = await mappings.groups(deps.pool, deps.settings, Scope(mode=mode(request)), PageRequest(200))
    return [
        Hit(group.word, _url(group), f"{group.offers} offers of {group.supplier}")
        for group in found.data
        if question.lower() in group.word.lower()
    ][:10]


async def _word(request: web.Request, form: Form, supplier: str) -> View:
    deps = deps_of(request)
    reason = form.text("reason", most=40)
    about, text = form.text("about", most=40), clean(form.typed.get("word", "")[:200])
    account = deps.accounts.get(supplier)
    if account is None:
        raise web.HTTPNotFound
    items = await store.of_group(deps.pool, supplier, reason, about, text, page_request_of(request, _ITEMS))
    known = {each.value: each for each in About}.get(about, About.NOTHING)
    context = {
        "supplier": supplier,
        "provider": account.manifest.name,
        "provider_title": account.manifest.title,
        "reason": reason,
        "about": about,
        "word": text,
        "items": [(item, _cost(item), item.raw[:_RAW], len(item.raw) > _RAW) for item in items.data],
        "next": next_page(request, items),
        "can_be_told": mappings.can_be_told(known, text),
        "attributes": ATTRIBUTES,
        "regions": [(region.name, f"{region.name} ({len(region.countries)})") for region in places.regions()],
        "scopes": _scopes(supplier, account.manifest.title, about),
        "applies_to": _applies_to(form),
        "effect": None,
        "examples": [],
        "countries": [],
    }
    return View("unmapped_word.html", context, title=text[:80] or reason.replace("_", " "))


def _meaning(request: web.Request, form: Form, supplier: str) -> TermMapping | None:
    """What the form tells; None when something of it is wrong, which then stands beside its field."""
    deps = deps_of(request)
    account = deps.accounts.get(supplier)
    about = form.choice("about", ("place", "unit", "attribute"))
    text, means = form.text("word", required=True), form.text("means", required=True, most=2000)
    applies_to = _applies_to(form)
    if account is None or not form:
        return None
    if about == "place":
        means = mappings.codes_in(means)
    provider = None if applies_to == "everywhere" else account.manifest.name
    only = supplier if applies_to == "supplier" else None
    found = mappings.meaning_of(deps.accounts, MappingRequest(about, text, means, provider, only))  # type: ignore[arg-type]
    if isinstance(found, Problem):
        for pointer, why in found.errors:
            form.wrong(_FIELDS.get(pointer, "means"), why)
        return None
    return found


def _applies_to(form: Form) -> str:
    """Which items a word is for: of one account, of its provider, of every provider."""
    return form.choice("applies_to", ("supplier", "provider", "everywhere"), required=False) or "provider"


def _scopes(supplier: str, title: str, about: str) -> list[tuple[str, str]]:
    everywhere = [("everywhere", "every provider")] if about != About.ATTRIBUTE else []
    return [("provider", f"every account at {title}"), ("supplier", f"{supplier} only"), *everywhere]


def _countries(meaning: TermMapping) -> list[str]:
    """The countries that a place means; none for anything else."""
    return meaning.means.split() if meaning.about is About.PLACE else []


def _cost(item: store.Item) -> Money | None:
    return None if item.cost is None or item.currency is None else Money(item.cost, item.currency)


def _url(group: UnmappedGroup) -> str:
    query = {"reason": group.reason.value, "about": group.about.value, "word": group.word}
    return f"{_WORD}/{group.supplier}?{urlencode(query)}"
