"""BepPay's plans in the gateway's words, and its refusals. Pure.

Rules of its page (seen 2026-11): ``countries_included`` is a string of names separated by ", ",
``countryIso2`` is "JP", "JP,KR" or "" for a region; prices are USD.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec
from msgspec import Raw

from providers.beppay import wire
from providers.kit import durations, places, plan_facts, plan_names, units
from providers.kit.mapping_overrides import MappingOverrides
from providers.kit.places import PlaceKind
from providers.kit.product_kinds import require_new_esim
from providers.kit.text import clean_text
from providers.kit.unmapped import Unmapped, amount_of, cost_if_any, cost_of, id_of, id_or_none, unreadable
from schemas.errors import (
    InsufficientBalance,
    InvalidRequest,
    NotAuthorised,
    NotFound,
    OutOfStock,
    Refused,
    SupplierError,
)
from schemas.plan import About, DataAllowance, Features, Offer, SetAside, SetAsideReason, Validity

PROVIDER = "beppay"
CURRENCY = "USD"
MAX_NAMES_LENGTH = 10_000

# The page has nothing but data plans, and no top-up call. It says nothing of calls or SMS.
FEATURES = Features(topup=False)

# Errors are {"success": false, "error": …} with these statuses (seen 2026-11, not on the page); 409 is "sold out".
REFUSALS: dict[int, type[SupplierError]] = {
    400: InvalidRequest,
    401: NotAuthorised,
    402: InsufficientBalance,
    403: NotAuthorised,
    404: NotFound,
    409: OutOfStock,
}

# Which reason an item gets when the field of that name is not what the page says.
UNREADABLE_FIELD: dict[str, SetAsideReason] = {
    "price": SetAsideReason.NO_PRICE,
    "days": SetAsideReason.NO_VALIDITY,
    "data": SetAsideReason.NO_DATA_AMOUNT,
    "countries_included": SetAsideReason.COVERAGE_UNKNOWN,
    "countryIso2": SetAsideReason.COVERAGE_UNKNOWN,
}

_PLAN = msgspec.json.Decoder(wire.Plan, strict=False)
_PROBLEM = msgspec.json.Decoder(wire.Problem)
_NO_ID = "neither plan_id nor id"


def item(raw: Raw, overrides: MappingOverrides | None = None) -> Offer | SetAside:
    """One plan of the list, mapped or unmapped with its reason; ``overrides`` map single terms. Never raises."""
    try:
        plan = _PLAN.decode(raw)
    except (ValueError, RecursionError) as error:
        return unreadable(raw, error, id_fields=("plan_id", "id"), reasons=UNREADABLE_FIELD)
    name = clean_text(plan.name)
    try:
        return _offer(plan, name, overrides)
    except Unmapped as why:
        return why.row(raw, id_or_none(_plan_id(plan)), name, cost_if_any(plan.price, CURRENCY))


def plan_id_of(raw: Raw) -> str:
    """The id alone of a plan that ``item`` mapped."""
    return id_of(_plan_id(_PLAN.decode(raw)), _NO_ID)


def refusal(status: int, body: bytes) -> SupplierError | None:
    """The refusal in an error answer or in a 200 that says ``success: false``; None when there is none."""
    try:
        problem = _PROBLEM.decode(body)
    except ValueError:
        return None
    if problem.success:
        return None
    kind = Refused if status < 300 else REFUSALS.get(status)  # noqa: PLR2004
    if kind is None:
        return None
    return kind(clean_text(problem.error or problem.message) or "refused without a reason", status=status)


def coverage(
    names: str | list[str] | None, iso2: str | None, overrides: MappingOverrides | None = None
) -> tuple[str, ...]:
    """The sorted countries of a plan. Raises ``Unmapped`` when they are not known or contradict each other.

    ``countries_included`` decides when it names more than ``countryIso2`` (see ``places.reconciled``); where no country
    can be read in it the codes do. A region's name gives no countries: its codes do, or its own list in
    ``config/regions.toml``.
    """
    text = ", ".join(names) if isinstance(names, list) else names or ""
    if (length := len(text) + len(iso2 or "")) > MAX_NAMES_LENGTH:
        raise Unmapped(SetAsideReason.NO_SUCH_COUNTRY, f"countries of {length} characters")
    return _coverage(text, iso2 or "", overrides)


def days(value: str | int | None, overrides: MappingOverrides | None = None) -> int:
    """The validity in days of "30", 30 or "30 Days". Raises ``Unmapped``."""
    text = clean_text(str(value)) if value is not None else ""
    found, strange = durations.stated(text, overrides.units if overrides is not None else None)
    if isinstance(found, SetAsideReason):
        raise Unmapped(found, f"days {text!r}", About.UNIT if strange else About.DAYS, filter(None, (strange,)))
    return found


def _offer(plan: wire.Plan, name: str, overrides: MappingOverrides | None) -> Offer:
    plan_id = id_of(_plan_id(plan), _NO_ID)
    if not name:
        raise Unmapped(SetAsideReason.NO_NAME, "no name")
    require_new_esim(name)
    cost = cost_of(plan.price, CURRENCY)
    validity = Validity(days(plan.days, overrides))
    text = clean_text(plan.data)
    data = _allowance(text, name)
    if data is None:
        raise Unmapped(SetAsideReason.NO_DATA_AMOUNT, f"data {text!r}", About.DATA, (text,))
    return Offer(
        supplier_plan_id=plan_id,
        name=name,
        coverage=coverage(plan.countries_included, plan.country_iso2, overrides),
        data=amount_of(data, validity.days),
        validity=validity,
        cost=cost,
        features=plan_facts.completed(FEATURES, plan_facts.facts_of(name)),
        visible=plan.is_visible is not False,
        provider=PROVIDER,
    )


@lru_cache(maxsize=4096)
def _allowance(text: str, name: str) -> DataAllowance | None:
    """The amount in ``data``; what follows it, or its tier, may stand in the name alone."""
    data, named = units.declared_from_text(text), plan_names.data_of(name)
    return data if data is None or named is None else units.completed(data, named) or data


@lru_cache(maxsize=4096)
def _coverage(names: str, iso2: str, overrides: MappingOverrides | None) -> tuple[str, ...]:
    codes = _codes(iso2)
    named = _named(names, overrides)
    if named.regions:
        return _of_region(named, codes, overrides)
    # Without codes a word that nobody knows may be another country, and a country beside a city the city's.
    if not codes and (named.strange or (named.islands and len(named.codes) <= 1)):
        unknown = named.strange + named.islands
        raise Unmapped(SetAsideReason.NO_SUCH_COUNTRY, "no such country: " + ", ".join(unknown), About.PLACE, unknown)
    covered = places.reconciled(codes, named.codes)
    if covered is None:
        detail = f"countryIso2 has {', '.join(sorted(codes))}, countries_included {', '.join(sorted(named.codes))}"
        raise Unmapped(SetAsideReason.CONTRADICTORY, detail, About.PLACE)
    if not covered:
        detail = f"no country in {iso2!r}" if iso2 else "names no country"
        raise Unmapped(SetAsideReason.COVERAGE_UNKNOWN, detail, About.PLACE)
    return tuple(sorted(covered))


def _of_region(named: _Named, codes: frozenset[str], overrides: MappingOverrides | None) -> tuple[str, ...]:
    if len(codes) > 1 and named.codes <= codes:
        return tuple(sorted(codes))
    if codes and not codes <= named.codes:
        detail = f"{', '.join(named.regions)} is more than {', '.join(sorted(codes))}"
        raise Unmapped(SetAsideReason.CONTRADICTORY, detail, About.PLACE)
    listed = {region: places.supplier_region(PROVIDER, region, overrides) for region in named.regions}
    if strange := [region for region, countries in listed.items() if countries is None]:
        detail = f"the countries of {', '.join(map(repr, strange))} are not given"
        raise Unmapped(SetAsideReason.COVERAGE_UNKNOWN, detail, About.PLACE, strange)
    return tuple(sorted(named.codes.union(*(countries or () for countries in listed.values()))))


class _Named(msgspec.Struct, frozen=True):
    """What a list of names holds; ``islands`` are known places that are no country."""

    codes: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ()
    islands: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()


def _named(text: str, overrides: MappingOverrides | None) -> _Named:
    if whole := places.codes_in(text) or places.place(text, overrides).codes:
        return _Named(frozenset(whole))
    if places.is_shared(text):  # the parts of "Hong Kong, China" are no list
        return _Named(strange=(text,))
    parts = [part for part in (clean_text(p) for p in text.split(",")) if part]
    codes: set[str] = set()
    others: dict[PlaceKind, list[str]] = {PlaceKind.REGION: [], PlaceKind.NO_COUNTRY: [], PlaceKind.UNKNOWN: []}
    at = 0
    while at < len(parts):
        # A name may hold a comma itself ("Korea, Republic of"), so two parts that are one country go first.
        pair = places.country(f"{parts[at]}, {parts[at + 1]}", overrides) if at + 1 < len(parts) else None
        if pair is not None:
            codes.add(pair)
            at += 2
            continue
        found = places.place(parts[at], overrides)
        codes.update(found.codes)
        if not found.codes:
            listed = places.supplier_region(PROVIDER, parts[at], overrides) is not None
            others[PlaceKind.REGION if listed else found.kind].append(parts[at])
        at += 1
    return _Named(frozenset(codes), *(tuple(unknown) for unknown in others.values()))


def _codes(text: str) -> frozenset[str]:
    """The countries among the codes; a region's word ("EU", "global") is none."""
    return frozenset(filter(None, map(places.code_of, re.split(r"[\s,;/|]+", text))))


def _plan_id(plan: wire.Plan) -> str | int | None:
    return plan.plan_id if plan.plan_id not in (None, "") else plan.id
