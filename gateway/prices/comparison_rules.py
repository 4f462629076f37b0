"""Offers side by side, line by line, in words, and which lines tell them apart: for the console and the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from providers.kit.places import country_name
from schemas.api import PlanNetwork, Price
from schemas.api_prices import ComparedOffer
from schemas.plan import MB_PER_GB, Period, Reset, Starts

_SPELT_OUT = 3
_NOT_SAID = "not said"
_STARTS = {
    Starts.INSTALL: "with installation",
    Starts.FIRST_USE: "with first use",
    Starts.PURCHASE: "with purchase",
    Starts.UNKNOWN: _NOT_SAID,
}
_GENERATIONS = ("2G", "3G", "4G", "5G", "6G")


class Line(msgspec.Struct, frozen=True):
    """One line of a comparison: a value of each offer, and the places of the lowest figure where there is one.

    ``differ`` is never set where offers differ by what they are: supplier, names, ids.
    """

    name: str
    label: str
    values: tuple[str, ...]
    differ: bool = False
    best: tuple[int, ...] = ()


def lines(offers: Sequence[ComparedOffer], country: str | None = None) -> list[Line]:
    """The comparison. Networks are those of ``country`` where one is given that an offer covers."""
    return [
        *(Line(name, label, tuple(say(offer) for offer in offers)) for name, label, say in _IDENTITY),
        *(_line(name, label, [say(offer) for offer in offers]) for name, label, say in _TERMS),
        _line("networks", "Networks", [_networks(offer, country) for offer in offers]),
        _line("generation", "Generation", [_generation(offer, country) for offer in offers]),
        *(_line(name, label, [say(offer) for offer in offers]) for name, label, say in _FEATURES),
        *(_priced(name, label, [price(offer) for offer in offers]) for name, label, price in _MONEY),
        *(_line(name, label, [say(offer) for offer in offers]) for name, label, say in _STANDING),
    ]


def _line(name: str, label: str, values: Sequence[str]) -> Line:
    return Line(name, label, tuple(values), differ=len(set(values)) > 1)


def _priced(name: str, label: str, prices: Sequence[Price | None]) -> Line:
    known = [Decimal(price.amount) for price in prices if price is not None]
    alike = len({price.currency for price in prices if price is not None}) == 1
    best: tuple[int, ...] = ()
    if alike and len(set(known)) > 1:
        low = min(known)
        best = tuple(at for at, price in enumerate(prices) if price is not None and Decimal(price.amount) == low)
    values = ["not known" if price is None else f"{price.amount} {price.currency}" for price in prices]
    return msgspec.structs.replace(_line(name, label, values), best=best)


def _data(offer: ComparedOffer) -> str:
    data = offer.data
    if data.reset is not Reset.NEVER and data.total_mb is not None:
        return f"{data.declared} ({_amount(data.total_mb)} in all)"
    return data.declared


def _full_speed(offer: ComparedOffer) -> str:
    full, after = offer.data.full_speed, offer.data.after
    parts = []
    if offer.data.unlimited and full is not None:
        each = "" if full.per is Period.TOTAL else f" a {full.per.value}"
        parts.append("all at full speed" if full.mb is None else f"{_amount(full.mb)}{each} at full speed")
    if after.kbps is not None:
        parts.append(f"then {after.kbps} kbps")
    elif after.cut_off is not None:
        parts.append("then cut off" if after.cut_off else "then throttled")
    return ", ".join(parts) or "none stated"


def _amount(mb: int) -> str:
    return f"{mb} MB" if mb < MB_PER_GB else f"{(Decimal(mb) / MB_PER_GB).quantize(Decimal('0.1')).normalize():f} GB"


def _countries(offer: ComparedOffer) -> str:
    names = [country_name(code) for code in offer.countries]
    return ", ".join(names) if len(names) <= _SPELT_OUT else f"{len(names)} countries: {', '.join(names)}"


def _networks(offer: ComparedOffer, country: str | None) -> str:
    found = _there(offer, country)
    if not found:
        return _NOT_SAID
    named: dict[str, list[str]] = {}
    for network in found:
        named.setdefault(network.country, []).append(_network(network))
    if len(offer.countries) == 1 or country in offer.countries:
        return ", ".join(sorted(names for group in named.values() for names in group))
    return "; ".join(f"{code}: {', '.join(sorted(names))}" for code, names in sorted(named.items()))


def _network(network: PlanNetwork) -> str:
    number = f"({network.mcc_mnc})" if network.mcc_mnc else None
    return " ".join(filter(None, (network.operator, network.generation, number)))


def _generation(offer: ComparedOffer, country: str | None) -> str:
    best: dict[str, int] = {}
    for network in _there(offer, country):
        if network.generation in _GENERATIONS:
            rank = _GENERATIONS.index(network.generation)
            best[network.country] = max(rank, best.get(network.country, 0))
    if not best:
        return _NOT_SAID
    top = max(best.values())
    having = sum(rank == top for rank in best.values())
    where = len(offer.countries) if country not in offer.countries else 1
    return _GENERATIONS[top] if having == where else f"{_GENERATIONS[top]} in {having} of {where} countries"


def _there(offer: ComparedOffer, country: str | None) -> list[PlanNetwork]:
    if country not in offer.countries:
        return offer.networks
    return [network for network in offer.networks if network.country == country]


def _yes_or_no(value: bool | None) -> str:
    return _NOT_SAID if value is None else "yes" if value else "no"


def _number(value: int | None, unlimited: bool | None = None) -> str:
    return "unlimited" if unlimited else _NOT_SAID if value is None else str(value)


def _exit(offer: ComparedOffer) -> str:
    code, others = offer.features.exit_country, offer.features.not_exit_countries
    if code is None and others:
        return f"not {' or '.join(country_name(other) for other in others)}"
    return _NOT_SAID if code is None else country_name(code)


def _sold(offer: ComparedOffer) -> str:
    return "yes" if offer.why_not is None else f"no: {offer.why_not.value.replace('_', ' ')}"


def _seen(offer: ComparedOffer) -> str:
    at = "never" if offer.observed_at is None else f"{offer.observed_at:%Y-%m-%d %H:%M} UTC"
    return f"{at}, stale" if offer.stale else at


_Say = tuple[tuple[str, str, Callable[[ComparedOffer], str]], ...]
_IDENTITY: _Say = (
    ("supplier", "Supplier", lambda offer: offer.supplier),
    ("name", "Name", lambda offer: offer.name),
    ("supplier_plan_id", "Supplier's id", lambda offer: offer.supplier_plan_id),
    ("offer_id", "Offer", lambda offer: offer.offer_id),
)
_TERMS: _Say = (
    ("plan", "Plan", lambda offer: offer.plan_name),
    ("data", "Data", _data),
    ("full_speed", "Full speed", _full_speed),
    ("tier", "Tier", lambda offer: offer.data.tier or _NOT_SAID),
    ("days", "Days", lambda offer: str(offer.days)),
    ("starts", "Days begin", lambda offer: _STARTS[offer.validity.starts]),
    ("countries", "Countries", _countries),
)
_FEATURES: _Say = (
    ("exit_country", "Exit country", _exit),
    ("topup", "Top-up", lambda offer: _yes_or_no(offer.features.topup)),
    ("voice", "Voice", lambda offer: _yes_or_no(offer.features.voice)),
    ("sms", "SMS", lambda offer: _yes_or_no(offer.features.sms)),
    ("voice_minutes", "Minutes included", lambda o: _number(o.features.voice_minutes, o.features.voice_unlimited)),
    ("sms_count", "SMS included", lambda o: _number(o.features.sms_count, o.features.sms_unlimited)),
    ("hotspot", "Hotspot", lambda offer: _yes_or_no(offer.features.hotspot)),
    ("phone_number", "Phone number", lambda offer: _yes_or_no(offer.features.phone_number)),
    ("kyc_required", "Identification required", lambda offer: _yes_or_no(offer.features.kyc_required)),
    ("install_within_days", "Install within days", lambda offer: _number(offer.features.install_within_days)),
    ("usage", "Usage reported", lambda offer: _yes_or_no(offer.features.usage)),
    ("refundable", "Refundable while unused", lambda offer: _yes_or_no(offer.features.refundable)),
)
_MONEY: tuple[tuple[str, str, Callable[[ComparedOffer], Price | None]], ...] = (
    ("cost", "Cost", lambda offer: offer.cost),
    ("cost_base", "Cost, base currency", lambda offer: offer.cost_base),
    ("per_gb", "Cost per GB", lambda offer: offer.per_gb),
    ("per_day", "Cost per day", lambda offer: offer.per_day),
    ("price", "Price", lambda offer: offer.price),
)
_STANDING: _Say = (
    ("priced_by", "Price made by", lambda offer: offer.priced_by or _NOT_SAID),
    ("stock", "Stock", lambda offer: _NOT_SAID if offer.stock is None else str(offer.stock)),
    ("sold", "Can be sold", _sold),
    ("observed_at", "Last seen", _seen),
)
