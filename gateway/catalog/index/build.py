"""Making a snapshot: offers in any order come in, numbered and sorted columns go out.

Rows are numbered in the order of choice: the selectable offers by cost in base currency, supplier
and supplier_plan_id, then the others that have a cost, in the same order, then those
without. So the lowest of several rows is the one to buy, and rows ascending are prices ascending.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from gateway.catalog.index import fragments
from gateway.catalog.index.geography import Geography
from gateway.catalog.index.intern import Numbered
from gateway.catalog.selectable_rules import why_not
from gateway.pricing.price_rules import NoRate, Rates
from schemas.money import Money
from schemas.plan import BOUNDLESS, DataAllowance, Features, Network, Period, WhyNot, is_trigger, scope_of

WHY_NOT = tuple(WhyNot)
NO_COST = -1
UNSAID = -1


class Terms(msgspec.Struct, frozen=True):
    """What decides costs and selection besides the offers themselves; prices are views, and no part of a snapshot.

    ``tolerance`` is, by supplier, the share by which it may charge more than it lists. ``assumed_mb_per_day`` is
    how much of an unlimited plan counts against a need where it does not say how much runs at full speed.
    """

    rates: Rates
    tolerance: Mapping[str, Decimal] = msgspec.field(default_factory=dict)
    assumed_mb_per_day: int = 1000


class Kind(msgspec.Struct, frozen=True, order=True):
    """What all plans of one amount, duration and scope have in common.

    ``mb`` is nominal, per ``per``, and -1 when unlimited. ``full_mb`` is what runs at full speed, ``UNSAID`` where that
    is not stated and ``BOUNDLESS`` where nothing limits it. Plans on which sandboxes go wrong (``is_trigger``) are of
    kinds of their own: leaving them out of a list is a matter of its kinds, and costs nothing where there are none.
    """

    rest_of_name: str
    mb: int
    per: Period
    full_mb: int
    full_per: Period
    goes_on: bool
    days: int
    scope: str
    trigger: bool = False


class SnapshotBuilder:
    """Takes offers one by one, then gives the snapshot's ``meta`` and ``arrays``."""

    def __init__(self, mode: str, terms: Terms, geography: Geography) -> None:
        self.mode = mode
        self.terms = terms
        self.geography = geography
        self.suppliers: Numbered[str] = Numbered()
        self.plans: Numbered[str] = Numbered()
        self.coverages: Numbered[tuple[str, ...]] = Numbered()
        self.kinds: Numbered[Kind] = Numbered()
        self.data_pieces: Numbered[bytes] = Numbered()
        self.network_pieces: Numbered[bytes] = Numbered()
        self.feature_pieces: Numbered[bytes] = Numbered()
        self.listed: Numbered[str] = Numbered()
        self.columns = {name: array("q") for name in _COLUMNS}
        self.keys: list[str] = []
        self.texts: list[bytes] = []
        self.plan_names: dict[int, str] = {}
        self._costs: dict[tuple[str, str], tuple[int, Decimal | None]] = {}
        self._base: list[Decimal | None] = []
        self._data: dict[tuple[str, int, str], tuple[int, DataAllowance]] = {}
        self._networks: dict[str, int] = {}
        self._features: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._places: dict[int, tuple[str, str, bool]] = {}
        self._kinds: dict[tuple[int, tuple[str, ...], str, bool], tuple[int, str]] = {}
        self._why: dict[tuple[Any, ...], int] = {}
        self._add = tuple(self.columns[name].append for name in _COLUMNS)

    def add(
        self,
        supplier: str,
        supplier_plan_id: str,
        name: str,
        plan_id: str,
        coverage: tuple[str, ...],
        data: str,
        days: int,
        starts: str,
        networks: str,
        features: str,
        cost: str | None,
        currency: str | None,
        stock: int | None,
        visible: bool,
        suspect: bool,
    ) -> None:
        """One mapped offer as the database has it: JSON texts, and ``cost`` as text."""
        piece, allowance = self._data.get((data, days, starts)) or self._new_data(data, days, starts)
        feature, included = self._features.get(features) or self._new_features(features)
        network = self._networks.get(networks)
        if network is None:
            network = self._new_networks(networks)
        cover = self.coverages.number(coverage)
        place, scope, trigger = self._places.get(cover) or self._new_place(cover, coverage)
        alike = (piece, included, scope, trigger)
        known = self._kinds.get(alike)
        if known is None:
            rest = self.geography.rest_of_name(allowance, days, included)
            known = self._kinds[alike] = self.kinds.number(_kind(rest, allowance, days, scope, trigger)), rest
        kind, rest = known
        plan = self.plans.number(plan_id)
        if plan not in self.plan_names:
            self.plan_names[plan] = place + rest
        money = NO_COST
        if cost is not None and currency is not None:
            money = (self._costs.get((cost, currency)) or self._new_cost(cost, currency))[0]
        facts = (money, visible, stock is not None and stock <= 0, suspect)
        why = self._why.get(facts)
        if why is None:
            why = self._why[facts] = self._judge(*facts)
        self.keys.append(supplier_plan_id)
        self.texts.append(f"{supplier_plan_id}\0{name}".encode())
        values = (plan, cover, self.suppliers.number(supplier), kind, piece, network, feature, money, why)
        for append, value in zip(self._add, (*values, UNSAID if stock is None else stock), strict=True):
            append(value)

    def _new_data(self, data: str, days: int, starts: str) -> tuple[int, DataAllowance]:
        allowance = msgspec.json.decode(data, type=DataAllowance)
        piece = self.data_pieces.number(fragments.data_piece(allowance, days, starts))
        self._data[data, days, starts] = known = (piece, allowance)
        return known

    def _new_networks(self, networks: str) -> int:
        reached = msgspec.json.decode(networks, type=tuple[Network, ...])
        self._networks[networks] = piece = self.network_pieces.number(fragments.network_piece(reached))
        return piece

    def _new_features(self, features: str) -> tuple[int, tuple[str, ...]]:
        stated = msgspec.json.decode(features, type=Features)
        piece = self.feature_pieces.number(fragments.feature_piece(stated))
        self._features[features] = known = (piece, stated.included)
        return known

    def _new_place(self, cover: int, coverage: tuple[str, ...]) -> tuple[str, str, bool]:
        place, scope = self.geography.place_name(coverage), scope_of(coverage).value
        self._places[cover] = known = (place, scope, is_trigger(self.mode, coverage))
        return known

    def _new_cost(self, cost: str, currency: str) -> tuple[int, Decimal | None]:
        listed = Money.of(cost, currency)
        try:
            base = self.terms.rates.to_base(listed).amount
        except NoRate:
            base = None
        self._costs[cost, currency] = known = (self.listed.number(f"{listed.padded().amount:f} {currency}"), base)
        if known[0] == len(self._base):
            self._base.append(base)
        return known

    def _judge(self, money: int, visible: bool, sold_out: bool, suspect: bool) -> int:
        """The reasons that stand in the snapshot, a bit for each; a thin margin is a matter of the rules."""
        reasons = why_not(
            visible=visible,
            stock=0 if sold_out else None,
            cost_base=None if money == NO_COST else self._base[money],
            has_cost=money != NO_COST,
            suspect=suspect,
        )
        return sum(1 << WHY_NOT.index(reason) for reason in reasons)

    def base_costs(self) -> list[Decimal | None]:
        """The cost in base currency of each listed amount, None where there is no rate."""
        return self._base


def _kind(rest: str, data: DataAllowance, days: int, scope: str, trigger: bool) -> Kind:
    mb, per, full_mb, full_per = UNSAID, Period.TOTAL, UNSAID, Period.TOTAL
    if (full := data.full_speed) is not None:
        full_mb, full_per = (BOUNDLESS, Period.TOTAL) if full.mb is None else (full.mb, full.per)
    if data.mb is not None:
        mb, per = full_mb, full_per
    return Kind(rest, mb, per, full_mb, full_per, data.goes_on, days, scope, trigger)


_COLUMNS = (
    "plan",
    "cover",
    "supplier",
    "kind",
    "data",
    "network",
    "feature",
    "money",
    "why",
    "stock",
)
