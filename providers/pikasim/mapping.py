"""PikaSim's packages in the gateway's words, and its refusals. Pure.

Rules of its page (seen 2026-11): ``price`` is cents, ``volume`` bytes, ``ipExport`` null means HK.
``location`` is a code, several separated by commas, or a region's name; ``locationNetworkList`` names
the countries with their operators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec import UNSET, Raw

from providers.kit import durations, places, plan_facts, plan_names, units
from providers.kit.mapping_overrides import MappingOverrides
from providers.kit.places import PlaceKind
from providers.kit.product_kinds import require_new_esim
from providers.kit.text import DESCRIPTION_LENGTH, NAME_LENGTH, clean_text
from providers.kit.unmapped import MAX_COST, Unmapped, amount_of, cost_if_any, cost_of, id_of, id_or_none, unreadable
from providers.pikasim import wire
from schemas.errors import (
    DuplicateReference,
    InsufficientBalance,
    InvalidRequest,
    NotAuthorised,
    NotFound,
    OutOfStock,
    Refused,
    SupplierError,
)
from schemas.money import Money
from schemas.plan import (
    NOT_STATED,
    About,
    AfterFullSpeed,
    Basis,
    DataAllowance,
    Features,
    FullSpeed,
    Network,
    Offer,
    Period,
    SetAside,
    SetAsideReason,
    Starts,
    Validity,
)

PROVIDER = "pikasim"
CURRENCY = "USD"
CENTS = 2  # decimal places of a price
BYTE_BASIS = Basis.BINARY  # of "volume", by the page's examples
BYTES_PER_GB = 2**30
MAX_NETWORKS = 1000
MAX_LOCATION = 2000
MAX_GB = 2**20
MAX_BYTES = MAX_GB * BYTES_PER_GB
MAX_CENTS = 100 * MAX_COST

# The page states 1 and 2; 3 and 4 were seen upstream (2026-11).
TOTAL, DAILY_THROTTLED, DAILY_CUT_OFF, UNLIMITED = 1, 2, 3, 4
DAILY: dict[int, AfterFullSpeed] = {
    DAILY_THROTTLED: AfterFullSpeed(cut_off=False),
    DAILY_CUT_OFF: AfterFullSpeed(cut_off=True),
}

# smsStatus 2 is SMS through the supplier's API only, which is no SMS to a traveller.
SMS: dict[int, bool] = {0: False, 1: True, 2: False}
NOT_EXITS = ("CN", "HK")  # of a package of maximum privacy
STARTS: dict[int, Starts] = {1: Starts.INSTALL, 2: Starts.FIRST_USE}
GENERATIONS: tuple[tuple[str, str], ...] = (("5G", "5G"), ("4G", "4G"), ("LTE", "4G"), ("3G", "3G"))

# The page's status table. 409 is not in it, so a conflict stays unknown.
REFUSALS: dict[int, type[SupplierError]] = {
    400: InvalidRequest,
    401: NotAuthorised,
    402: InsufficientBalance,
    403: NotAuthorised,
    404: NotFound,
}

# Which reason an item gets when the field of that name is not what the page says.
UNREADABLE_FIELD: dict[str, SetAsideReason] = {
    "price": SetAsideReason.NO_PRICE,
    "volume": SetAsideReason.NO_DATA_AMOUNT,
    "volumeGB": SetAsideReason.NO_DATA_AMOUNT,
    "dataType": SetAsideReason.UNKNOWN_DATA_TYPE,
    "duration": SetAsideReason.NO_VALIDITY,
    "durationUnit": SetAsideReason.UNKNOWN_UNIT,
    "location": SetAsideReason.COVERAGE_UNKNOWN,
    "locationNetworkList": SetAsideReason.COVERAGE_UNKNOWN,
}

_PACKAGE = msgspec.json.Decoder(wire.Package, strict=False)
_CODE = msgspec.json.Decoder(wire.PackageCode, strict=False)
_NESTED = msgspec.json.Decoder(wire.NestedPackage)
_PROBLEM = msgspec.json.Decoder(wire.Problem)
_REFUSED_CANCEL = msgspec.json.Decoder(wire.RefusedCancel)
_OPTIONS = msgspec.json.Decoder(wire.TopupOptions)
_OPTION_LIST = msgspec.json.Decoder(list[Raw])
_USED_BEFORE = re.compile(r"externalOrderId|duplicate|already (?:exists|used)", re.IGNORECASE)
# The page has no word for it. Which refusal it is called matters little: it is a refusal either way.
_SOLD_OUT = re.compile(r"out of stock|sold out|no stock|not available|unavailable", re.IGNORECASE)
_NO_CODE = "no packageCode"
# What HTTP itself makes doubtful, whatever the body says.
_DOUBTFUL = frozenset({408, 425, 429})


def item(raw: Raw, overrides: MappingOverrides | None = None) -> Offer | SetAside:
    """One package, mapped or unmapped with its reason; ``overrides`` say what single words mean. Never raises."""
    return _mapped(raw, overrides, new=True)


def _mapped(raw: Raw, overrides: MappingOverrides | None = None, *, new: bool) -> Offer | SetAside:
    """The same; ``new`` where a top-up is no package."""
    try:
        package = _PACKAGE.decode(raw)
    except (ValueError, RecursionError) as error:
        return unreadable(raw, error, id_fields=("packageCode",), reasons=UNREADABLE_FIELD)
    name = clean_text(package.name)
    try:
        if new:
            require_new_esim(name)
        return _offer(package, name, overrides)
    except Unmapped as why:
        return why.row(raw, id_or_none(package.package_code), name, _cost_if_any(package.price))


def code_of(raw: Raw) -> str:
    """The code alone of a package that ``item`` mapped."""
    return _CODE.decode(raw).package_code


def single(raw: Raw) -> Offer | SetAside:
    """The one package of GET /packages/:packageCode, be it the ``data`` itself or its ``package`` field."""
    try:
        return item(_NESTED.decode(raw).package)
    except (ValueError, RecursionError):
        return item(raw)


def refusal(status: int, body: bytes) -> SupplierError | None:
    """The refusal in an error answer or in a 200 that says ``success: false``; None when there is none.

    Whether a repeated ``externalOrderId`` is refused is not on the page; one that is was an order
    that arrived, so it is no refusal.
    """
    try:
        problem = _PROBLEM.decode(body)
    except ValueError:
        return None
    kind = Refused if status < 300 else REFUSALS.get(status)  # noqa: PLR2004 - the HTTP class itself
    if problem.success or kind is None:
        return None
    detail = clean_text(problem.error or problem.message) or "refused without a reason"
    if kind in (Refused, InvalidRequest) and _USED_BEFORE.search(detail):
        kind = DuplicateReference
    elif kind in (Refused, InvalidRequest, NotFound) and _SOLD_OUT.search(detail):
        kind = OutOfStock
    return kind(detail, status=status)


def cancel_refusal(status: int, body: bytes) -> SupplierError | None:
    """As ``refusal``, and the page's own answer to a cancel that is not allowed, which it gives without a status.

    That one names the eSIM's state, so with a 409 too it is a refusal and no doubt.
    """
    try:
        problem = _REFUSED_CANCEL.decode(body)
    except (ValueError, RecursionError):
        return refusal(status, body)
    answered = 200 <= status < 300 or 400 <= status < 500  # noqa: PLR2004 - the HTTP classes themselves
    if problem.success or not answered or status in _DOUBTFUL:
        return refusal(status, body)
    state = problem.current_status
    states = clean_text(f"{state.esim_status or '?'}/{state.smdp_status or '?'}", 60)
    detail = clean_text(problem.error or problem.message) or "cannot be cancelled"
    return REFUSALS.get(status, Refused)(f"{detail} ({states})", status=status)


def topup_options(data: Raw) -> list[Raw]:
    """The packages under ``topupPackages``, or near relatives of it. Raises ``ValueError`` for anything else."""
    try:
        return _OPTION_LIST.decode(data)
    except ValueError:
        options = _OPTIONS.decode(data)
    found = options.topup_packages if options.topup_packages is not None else options.packages
    if found is None:
        raise ValueError("no topupPackages")
    return found


def option(raw: Raw, covered: tuple[str, ...]) -> Offer | SetAside:
    """One top-up package; ``covered`` is where the eSIM works, for a package that names no place of its own."""
    found = _mapped(raw, new=False)
    if isinstance(found, Offer) or not covered or found.reason is not SetAsideReason.COVERAGE_UNKNOWN:
        return found
    try:
        package = _PACKAGE.decode(raw)
    except (ValueError, RecursionError):
        return found
    if package.location or package.region or package.location_network_list:
        return found
    package.location = ",".join(covered)
    return _mapped(Raw(msgspec.json.encode(package)), new=False)


def allowance(package: wire.Package) -> DataAllowance:
    """The declared amount. Raises ``Unmapped`` for no amount or a dataType that nobody stated.

    A ``volume`` of an unlimited package is its stated high-speed amount of a day (the upstream calls
    the type "daily unlimited"). ``volumeGB`` and the name are read beside the bytes.
    """
    gb, name = package.volume_gb, (package.name or "")[:NAME_LENGTH]
    usable = gb is not None and gb.is_finite() and 0 < gb <= MAX_GB
    data = _allowance(package.data_type, package.volume, gb if usable else None, _named_gb(name, package.data_type))
    # What follows the amount, and a tier, stand in the name alone.
    named = plan_names.data_of(name)
    return data if named is None else units.completed(data, named) or data


def coverage(package: wire.Package, overrides: MappingOverrides | None = None) -> tuple[str, ...]:
    """The sorted countries of a package. Raises ``Unmapped`` when they are not known or contradict each other.

    The longer of ``location`` and ``locationNetworkList`` decides when it holds the other whole; a state beside its
    coded territory does not count (see ``places.reconciled``), and otherwise they contradict each other. A region's
    name alone counts only where ``config/regions.toml`` lists its countries for this supplier.
    """
    names = tuple((entry.location_name or "")[:NAME_LENGTH] for entry in package.location_network_list or ())
    regional = bool(package.region) or bool(package.is_global_package)
    location = package.location or ""
    if len(location) > MAX_LOCATION:
        raise Unmapped(SetAsideReason.COVERAGE_UNKNOWN, f"location of {len(location)} characters")
    stated = location, names, (package.region or "")[:NAME_LENGTH], regional, overrides
    try:
        return _coverage(*stated)
    except Unmapped as why:
        operators = frozenset(
            _operator((operator.operator_name or "")[:NAME_LENGTH])
            for entry in (package.location_network_list or ())[:MAX_NETWORKS]
            for operator in (entry.operator_list or ())[:MAX_NETWORKS]
        ) - {""}
        if why.reason is not SetAsideReason.NO_SUCH_COUNTRY or not operators:
            raise
        return _coverage(*stated, operators)  # "Japan Docomo", where Docomo is one of the networks


def networks(
    package: wire.Package, covered: Iterable[str], overrides: MappingOverrides | None = None
) -> tuple[Network, ...]:
    """The operators in the covered countries, without repeats; the package's ``speed`` where one has no type."""
    inside = set(covered)
    found: dict[Network, None] = {}
    for entry in package.location_network_list or ():
        country = _country((entry.location_name or "")[:NAME_LENGTH], overrides)
        if country not in inside or country is None:
            continue
        for operator in entry.operator_list or ():
            name = _operator((operator.operator_name or "")[:NAME_LENGTH])
            newest = generation((operator.network_type or package.speed or "")[:NAME_LENGTH])
            if name and len(found) < MAX_NETWORKS:
                spelled, number = plan_facts.operator(name)
                found[Network(country, spelled, newest, number)] = None
    return tuple(found)


@lru_cache(maxsize=1024)
def generation(text: str | None) -> str | None:
    """The newest generation that a text names: "3G/4G/5G" is "5G", "4G/LTE" is "4G"."""
    spelled = clean_text(text).upper()
    return next((name for word, name in GENERATIONS if word in spelled), None)


def exit_country(package: wire.Package) -> str | None:
    """Where traffic reaches the internet; null is HK by the page.

    A package of maximum privacy never exits through Hong Kong or China, so null says nothing there.
    """
    if package.ip_export is UNSET:
        return None
    if not package.ip_export:
        return None if package.max_privacy else "HK"
    return _country(package.ip_export[:NAME_LENGTH])


def features(package: wire.Package, name: str) -> Features:
    """What a package states, and what its name says of the rest.

    The page lists what a package has, data and SMS: a package whose name says nothing of calls has none.
    """
    topup = package.support_top_up_type
    stated = Features(
        topup=topup if isinstance(topup, bool) else None,
        sms=SMS.get(package.sms_status) if package.sms_status is not None else None,
        exit_country=exit_country(package),
        not_exit_countries=NOT_EXITS if package.max_privacy else (),
    )
    found = plan_facts.completed(stated, plan_facts.facts_of(name))
    return found if found.voice is not None else msgspec.structs.replace(found, voice=False)


def _offer(package: wire.Package, name: str, overrides: MappingOverrides | None) -> Offer:
    code = id_of(package.package_code, _NO_CODE)
    if not name:
        raise Unmapped(SetAsideReason.NO_NAME, "no name")
    cents = package.price
    if cents is None or not cents.is_finite() or not 0 < cents <= MAX_CENTS:
        raise Unmapped(SetAsideReason.NO_PRICE, f"price {cents}")
    cost = cost_of(cents.scaleb(-CENTS), CURRENCY)
    data = allowance(package)
    unit = clean_text(package.duration_unit).upper()
    days = durations.days(package.duration, unit, overrides.units if overrides is not None else None)
    if isinstance(days, SetAsideReason):
        strange = (durations.unit_key(unit),) if days is SetAsideReason.UNKNOWN_UNIT else ()
        raise Unmapped(days, f"duration {package.duration} {unit}", About.UNIT if strange else About.DAYS, strange)
    covered = coverage(package, overrides)
    return Offer(
        supplier_plan_id=code,
        name=name,
        coverage=covered,
        data=amount_of(data, days),
        validity=Validity(days, STARTS.get(package.active_type or 0, Starts.UNKNOWN)),
        cost=cost,
        networks=networks(package, covered, overrides),
        features=features(package, name),
        description=clean_text(package.description, DESCRIPTION_LENGTH),
        provider=PROVIDER,
    )


@lru_cache(maxsize=4096)
def _named_gb(name: str, data_type: int | None) -> Decimal | None:
    """The amount in the name, where it is of the same kind as the bytes: of a day, or of all days."""
    daily = units.DAILY.search(name) is not None
    return units.stated_gb(name) if daily is (data_type in (UNLIMITED, *DAILY)) else None


@lru_cache(maxsize=4096)
def _allowance(kind: int | None, volume: int | None, gb: Decimal | None, named: Decimal | None) -> DataAllowance:
    if kind not in (TOTAL, UNLIMITED, *DAILY):
        raise Unmapped(SetAsideReason.UNKNOWN_DATA_TYPE, f"dataType {kind}", About.DATA_TYPE, (str(kind),))
    count = int(gb * BYTES_PER_GB) if volume is None and gb is not None else volume
    if kind == UNLIMITED and not count:
        return units.unlimited()
    detail = f"volume {volume}, volumeGB {gb}, named {named} GB"
    if count is None or not 0 < count <= MAX_BYTES:
        raise Unmapped(SetAsideReason.NO_DATA_AMOUNT, detail, About.DATA)
    stated = [number for number in (gb, named) if number is not None]
    data = units.declared_from_bytes(
        count, basis=BYTE_BASIS, stated=stated, daily=kind in DAILY, after=DAILY.get(kind, NOT_STATED)
    )
    if isinstance(data, SetAsideReason):
        raise Unmapped(data, detail, About.DATA)
    return units.unlimited(FullSpeed(data.mb, Period.DAY)) if kind == UNLIMITED else data


@lru_cache(maxsize=8192)
def _coverage(
    location: str,
    names: tuple[str, ...],
    region: str,
    regional: bool,
    overrides: MappingOverrides | None = None,
    operators: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    located, kind = _located(location, overrides, operators)
    named, others = _named(names, overrides, operators)
    if located:
        covered = located if named <= located else places.reconciled(located, named)
        if covered is not None:
            return tuple(sorted(covered))
        apart = ", ".join(sorted(located ^ named))
        detail = f"location and locationNetworkList differ in {apart}"
        raise Unmapped(SetAsideReason.CONTRADICTORY, detail, About.PLACE)
    if strange := others[PlaceKind.UNKNOWN]:
        detail = f"no such country: {', '.join(strange)}"
        raise Unmapped(SetAsideReason.NO_SUCH_COUNTRY, detail, About.PLACE, strange)
    if regions := [name for name in others[PlaceKind.REGION] if _listed(name, overrides) is None]:
        detail = f"the countries of {', '.join(regions)} are not given"
        raise Unmapped(SetAsideReason.COVERAGE_UNKNOWN, detail, About.PLACE, regions)
    named = named.union(*(_listed(name, overrides) or () for name in others[PlaceKind.REGION]))
    where = clean_text(location or region)
    if not where and not named and (islands := others[PlaceKind.NO_COUNTRY]):
        raise Unmapped(SetAsideReason.NO_SUCH_COUNTRY, f"no such country: {', '.join(islands)}", About.PLACE, islands)
    return _of_region(where, named, regional or kind is PlaceKind.REGION or not location, overrides)


def _of_region(
    where: str, named: frozenset[str], is_region: bool, overrides: MappingOverrides | None
) -> tuple[str, ...]:
    if named and (is_region or len(named) > 1):
        return tuple(sorted(named))
    if (listed := _listed(where, overrides)) is not None:
        return listed
    unknown = (where,) if where else ()
    if is_region:
        detail = f"the countries of {where!r} are not given"
        raise Unmapped(SetAsideReason.COVERAGE_UNKNOWN, detail, About.PLACE, unknown)
    raise Unmapped(SetAsideReason.NO_SUCH_COUNTRY, f"no such country: {where}", About.PLACE, unknown)


def _listed(where: str, overrides: MappingOverrides | None) -> tuple[str, ...] | None:
    return places.supplier_region(PROVIDER, where, overrides)


def _located(
    location: str, overrides: MappingOverrides | None, operators: frozenset[str]
) -> tuple[frozenset[str], PlaceKind]:
    """The countries of ``location``, and what it is when they are none."""
    parts = [part for part in map(clean_text, location.split(",")) if part]
    codes = list(map(places.code_of, parts))
    if codes and None not in codes:
        return frozenset(filter(None, codes)), PlaceKind.COUNTRIES
    found = places.place(clean_text(location), overrides, operators)
    return frozenset(found.codes), found.kind


def _named(
    names: tuple[str, ...], overrides: MappingOverrides | None, operators: frozenset[str]
) -> tuple[frozenset[str], dict[PlaceKind, list[str]]]:
    """The countries that network entries name, and by kind those of their names that are none."""
    codes: set[str] = set()
    others: dict[PlaceKind, list[str]] = {kind: [] for kind in PlaceKind}
    for name in filter(None, map(clean_text, names)):
        found = places.place(name, overrides, operators)
        codes.update(found.codes)
        if not found.codes:
            others[found.kind].append(name)
    return frozenset(codes), others


@lru_cache(maxsize=8192)
def _operator(text: str) -> str:
    return clean_text(text)


@lru_cache(maxsize=4096)
def _country(text: str, overrides: MappingOverrides | None = None) -> str | None:
    word = clean_text(text)
    return places.code_of(word) or places.country(word, overrides)


def _cost_if_any(cents: Decimal | None) -> Money | None:
    usable = cents is not None and cents.is_finite() and 0 < cents <= MAX_CENTS
    return cost_if_any(cents.scaleb(-CENTS), CURRENCY) if usable and cents is not None else None
