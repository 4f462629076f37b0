"""The catalogue as one would write it without a thought for speed: what the index must agree with."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
from msgspec import UNSET

from gateway.catalog.index import InStock, Need, PlanQuery
from gateway.catalog.index.name_index import terms_of
from gateway.catalog.index.overlay import state_of
from gateway.catalog.selectable_rules import why_not
from gateway.pricing.price_rules import NoRate, margin_of, price
from gateway.pricing.pricing_rules import Subject
from gateway.suppliers.spendable_rules import available_funds_by_supplier, insufficient
from schemas.money import Money
from schemas.plan import Network, Offer, WhyNot, nominal_mb, scope_of, shown_mb
from tests.kit.made_up_market import BOUNDS, GEOGRAPHY, NOW, REGIONS, Item, Market


@dataclass
class Judged:
    item: Item
    base: Decimal | None
    why: tuple[WhyNot, ...]
    stale: bool

    @property
    def choice(self) -> tuple[Any, ...]:
        return (self.base is None, self.base or 0, self.item.supplier, self.item.offer.supplier_plan_id)


class Naive:
    def __init__(self, market: Market, now: datetime = NOW) -> None:
        self.market = market
        self._prices: dict[tuple[str, ...], Money | None] = {}
        self.now = state_of(market.overlay, market.mode, now, BOUNDS)
        states = {one.name: one for one in self.now.suppliers}
        marks: dict[tuple[str, str], set[str]] = defaultdict(set)
        for supplier, key, why in self.now.marks:
            marks[supplier, key].add(why)
        self.plans: dict[str, list[Judged]] = defaultdict(list)
        terms = market.terms
        funds = {known.supplier: known for known in market.overlay.funds}
        left = available_funds_by_supplier(funds, terms.rates, terms.tolerance)
        for item in market.items:
            offer = item.offer
            base = None
            if offer.cost is not None:
                try:
                    base = terms.rates.to_base(offer.cost).amount
                except NoRate:
                    base = None
            rule = market.rules.of(subject_of(item))
            held = None if base is None else price(Money(base, "USD"), rule, terms.rates, "USD")
            state = states.get(item.supplier)
            tolerance = terms.tolerance.get(item.supplier, Decimal(0))
            why = why_not(
                visible=offer.visible,
                stock=offer.stock,
                cost_base=base,
                has_cost=offer.cost is not None,
                suspect=item.suspect,
                expired=state is not None and state.expired,
                marks=marks[item.key],
                quarantined=state is not None and state.quarantined,
                paused=state is None or state.paused,
                no_balance=insufficient(left.get(item.supplier), base, tolerance),
                tolerance=tolerance,
                max_cost_base=None if held is None else held.amount - margin_of(rule, terms.rates),
            )
            self.plans[offer.plan_id].append(Judged(item, base, why, state is None or state.stale))

    def price(self, judged: Judged, currency: str) -> Money | None:
        known = (*judged.item.key, currency)
        if known not in self._prices:
            self._prices[known] = self._price(judged, currency)
        return self._prices[known]

    def _price(self, judged: Judged, currency: str) -> Money | None:
        if judged.base is None:
            return None
        rule = self.market.rules.of(subject_of(judged.item))
        return price(Money(judged.base, "USD"), rule, self.market.terms.rates, currency)

    def listed(self, query: PlanQuery) -> list[dict[str, Any]]:
        """Every plan of a query, in order, in the few fields that decide."""
        currency = query.currency or "USD"
        found = []
        for plan_id, judged in self.plans.items():
            if not self._plan_fits(plan_id, judged[0].item, query):
                continue
            will = [one for one in judged if self._offer_fits(one, query, currency)]
            live = [one for one in will if not one.why]
            if query.in_stock is InStock.TRUE and not live:
                continue
            if query.in_stock is InStock.FALSE and live:
                continue
            if not will:
                continue
            # Nothing for sale: the lowest cost that is not suspect, or of all offers where every one is suspect.
            shown = live or [one for one in will if not one.item.suspect] or will
            stands = min(shown, key=lambda one: one.choice)
            found.append(self._shown(plan_id, stands, len(live), query, currency))
        key, down = query.sort.removeprefix("-"), query.sort.startswith("-")

        def order(shown: dict[str, Any]) -> tuple[Any, ...]:
            value = shown["sort"][key]
            return (value is None, 0 if value is None else -value if down else value, shown["id"])

        return sorted(found, key=order)

    def meeting(self, need: Need) -> tuple[list[str], list[tuple[str, Judged]]]:
        """(plans considered, plans in stock with the offer chosen, the first the one to choose)."""
        query = PlanQuery(
            countries=need.countries,
            min_data_mb=need.data_mb,
            min_days=need.days,
            unlimited=True if need.unlimited else None,
            wanted=need.wanted,
        )
        considered, live = [], []
        for plan_id, judged in self.plans.items():
            if need.plan_id not in (None, plan_id) or not self._plan_fits(plan_id, judged[0].item, query):
                continue
            will = [one for one in judged if self._offer_fits(one, query, "USD")]
            if will:
                considered.append(plan_id)
            good = sorted((one for one in will if not one.why), key=lambda one: one.choice)
            if good:
                live.append((plan_id, good[0]))
        return considered, sorted(live, key=lambda pair: (self._amount(pair[1], need), *pair[1].choice))

    def nearest(self, need: Need) -> list[tuple[str, list[tuple[str, Any, Any]]]]:
        """At most three plans that miss one thing or two, each with what it misses: (what, asked, has)."""
        found = []
        for plan_id, judged in self.plans.items():
            near = []
            for one in judged:
                missed = self._missed(one.item, need)
                covered = set(need.countries) & set(one.item.offer.coverage)
                things = len(missed) + len(set(need.countries)) - len(covered)
                if need.countries and len(covered) < len(set(need.countries)):
                    asked = list(dict.fromkeys(need.countries))
                    missed.insert(0, ("countries", asked, [code for code in asked if code in covered]))
                if not one.why and 0 < things < 3 and (covered or not need.countries):
                    near.append(((things, self._amount(one, need), *one.choice), missed))
            if near:
                found.append((*min(near, key=lambda pair: pair[0]), plan_id))
        found.sort(key=lambda entry: entry[0])
        return [(plan_id, missed) for _, missed, plan_id in found[:3]]

    def _missed(self, item: Item, need: Need) -> list[tuple[str, Any, Any]]:
        offer, wanted = item.offer, need.wanted
        features, counted = offer.features, self._counted(item, need.days)
        things = [
            ("unlimited", True, False, need.unlimited and not offer.data.goes_on),
            ("days", need.days, offer.validity.days, offer.validity.days < (need.days or 0)),
            ("data_mb", need.data_mb, shown_mb(counted), counted < nominal_mb(need.data_mb or 0)),
        ]
        for name in wanted.__struct_fields__:
            if (asked := getattr(wanted, name)) is not UNSET:
                has = _SHOWN.get(name, name)
                stands = None if has is None else getattr(features, has)
                things.append((name, asked, stands, not _has(item, name, asked, need.countries)))
        return [(what, asked, has) for what, asked, has, is_missed in things if is_missed]

    def _amount(self, judged: Judged, need: Need) -> Decimal:
        money = self.price(judged, need.currency or "USD")
        return Decimal(0) if money is None else money.amount

    def _shown(self, plan_id: str, stands: Judged, count: int, query: PlanQuery, currency: str) -> dict[str, Any]:
        offer = stands.item.offer
        money = self.price(stands, currency)
        full = self._full(stands.item, query.min_days) or None
        per_gb = None if money is None or full is None else _half_up(Fraction(money.amount) * 1000 / full, currency)
        per_day = None if money is None else _half_up(Fraction(money.amount) / offer.validity.days, currency)
        return {
            "id": plan_id,
            "price": None if money is None else money.amount,
            "price_per_gb": per_gb,
            "price_per_day": per_day,
            "offer_count": count,
            "stale": stands.stale,
            "features": offer.features,
            "declared": offer.data.declared,
            "sort": {
                "price": None if money is None else money.amount,
                "price_per_gb": None if money is None or full is None else _fine(money, 1000, full),
                "price_per_day": None if money is None else _fine(money, 1, offer.validity.days),
                "data": Decimal(self._counted(stands.item, query.min_days)),
                "days": Decimal(offer.validity.days),
            },
        }

    def _full(self, item: Item, days: int | None) -> int | None:
        """The data at full speed: None where it is not known, or nothing limits it."""
        full = item.offer.data.full_speed
        return None if full is None else full.over(days or item.offer.validity.days)

    def _counted(self, item: Item, days: int | None) -> int:
        return item.offer.data.counted_mb(days or item.offer.validity.days, self.market.terms.assumed_mb_per_day)

    def _plan_fits(self, plan_id: str, item: Item, query: PlanQuery) -> bool:
        offer = item.offer
        counted = self._counted(item, query.min_days)
        region = GEOGRAPHY.region_of(offer.coverage)
        since = query.updated_since
        return (
            set(query.countries) <= set(offer.coverage)
            and query.region in (None, region)
            and query.scope in (None, scope_of(offer.coverage))
            and (query.min_data_mb is None or counted >= nominal_mb(query.min_data_mb))
            and (query.min_days is None or offer.validity.days >= query.min_days)
            and (query.max_days is None or offer.validity.days <= query.max_days)
            and (since is None or self.market.touched[plan_id] >= since)
            and (query.q is None or self._named(item, query.q))
        )

    def _named(self, item: Item, q: str) -> bool:
        offer = item.offer
        region = GEOGRAPHY.region_of(offer.coverage)
        named = [_name(offer), *offer.coverage]
        named += [GEOGRAPHY.country_name(code) for code in offer.coverage]
        named += [r.name for r in REGIONS if r.code == region]
        having = {word for text in named for word in terms_of(text)}
        asked = terms_of(q)
        return all(word in having for word in asked[:-1]) and any(w.startswith(asked[-1]) for w in having)

    def _offer_fits(self, judged: Judged, query: PlanQuery, currency: str) -> bool:
        offer, wanted = judged.item.offer, query.wanted
        money = self.price(judged, currency)
        return (
            all(
                _has(judged.item, name, asked, query.countries)
                for name, asked in msgspec.structs.asdict(wanted).items()
                if asked is not UNSET
            )
            and query.unlimited in (None, offer.data.goes_on)
            and (query.max_price is None or (money is not None and money.amount <= query.max_price))
        )


def _name(offer: Offer) -> str:
    return GEOGRAPHY.plan_name(offer.coverage, offer.data, offer.validity.days, offer.features.included)


def subject_of(item: Item) -> Subject:
    """What rules ask of an item."""
    offer = item.offer
    return Subject(item.supplier, offer.plan_id, offer.coverage, offer.data.total_mb(offer.validity.days))


# What a plan has of a feature stands in another field, or is not told.
_SHOWN = {"network": None, "operator": None, "not_exit_country": "exit_country"}


def _has(item: Item, name: str, asked: Any, countries: tuple[str, ...]) -> bool:
    features, networks = item.offer.features, item.offer.networks
    if name in {"network", "operator"}:
        good = [n for n in networks if (n.generation == asked if name == "network" else _is_operator(n, asked))]
        return _reaches({network.country for network in good}, countries)
    if name == "not_exit_country":
        known = features.exit_country is not None
        return all(c != features.exit_country and (known or c in features.not_exit_countries) for c in asked.split(","))
    if name in {"voice_minutes", "sms_count"}:
        endless = features.voice_unlimited if name == "voice_minutes" else features.sms_unlimited
        return endless is True or (getattr(features, name) or 0) >= asked
    return getattr(features, name) == asked


def _reaches(there: set[str], countries: tuple[str, ...]) -> bool:
    return set(countries) <= there if countries else bool(there)


def _is_operator(network: Network, asked: str) -> bool:
    return network.mcc_mnc == asked or all(word in network.operator.lower().split() for word in asked.lower().split())


def _fine(money: Money, times: int, below: int) -> Decimal:
    """The ratio to a thousandth of the minor unit: what tells plans of equal figures apart."""
    return Decimal(money.to_minor() * times * 1000 // below)


def _half_up(value: Fraction, currency: str) -> Decimal:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    digits = Money(exact, currency).rounded_half_up().amount
    scale = Fraction(10 ** -digits.as_tuple().exponent)
    return Decimal(int(value * scale + Fraction(1, 2))) / Decimal(int(scale)) if value >= 0 else digits
