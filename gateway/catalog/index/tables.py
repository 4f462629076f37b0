"""The columns and tables of a snapshot, worked out from what a builder has gathered.

Names of arrays, by what they are indexed with:

- row (an offer): plan, cover, supplier, kind, data, network, feature, cost, listed, why, stock, text_at
- plan (in the order of ids): plan_cover, plan_rows_at, plan_at, updated
- cover (a set of countries): cover_countries_at, cover_rows_at, cover_at, cover_region
- kind: kind_mb, kind_per, kind_full_mb, kind_full_per, kind_goes_on, kind_days, kind_scope, kind_trigger, kind_rows_at
- feature (what an offer can do): feature_at
- network (the networks of an offer): network_at, and members_at into member_country and member, which is a place in
  each_network_at, the distinct networks
- list (each country, then each region): list_covers_at into list_covers

``by_data``, ``by_-data``, ``by_days`` and ``by_-days`` are all rows in these orders of lists.
What begins in ``…_rows_at`` are the rows of each, ascending, in ``…_rows``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from gateway.catalog.index import fragments
from gateway.catalog.index.build import SnapshotBuilder
from gateway.catalog.index.intern import grouped, narrow, ragged, starts_of
from gateway.catalog.index.layout import Array
from gateway.catalog.index.name_index import index_terms
from schemas.plan import BOUNDLESS, DAYS_PER_MONTH, Period, Scope

LIMB = 10**18
NO_COST = -1
NO_COUNTRY = -1
SCOPES = tuple(scope.value for scope in Scope)
PERIODS = tuple(Period)
_SECOND = 1_000_000
_DAY, _MONTH = PERIODS.index(Period.DAY), PERIODS.index(Period.MONTH)


class Blob:
    """Text of the snapshot, piece after piece."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, pieces: Sequence[bytes]) -> Array:
        """Append the pieces; where each begins, and where the last ends."""
        at = starts_of(np.fromiter((len(piece) for piece in pieces), dtype=np.int64, count=len(pieces))) + self.size
        self.parts.extend(pieces)
        self.size = int(at[-1])
        return at


def finish(
    built: SnapshotBuilder,
    touched: Mapping[str, int],
    gone: Mapping[str, int],
    successors: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[dict[str, Any], dict[str, Array]]:
    """(meta, arrays) of the snapshot of what was gathered.

    ``touched`` and ``gone`` are by plan id, in microseconds since 1970: when each plan last changed, and when each plan
    that has no offers left was last there. ``successors`` are the plans that the offers of such a plan are now.
    """
    return Tables(built, touched, gone, successors or {}).everything()


class Tables:
    """One use: ``everything()`` gives a snapshot's meta and arrays."""

    def __init__(
        self,
        built: SnapshotBuilder,
        touched: Mapping[str, int],
        gone: Mapping[str, int],
        successors: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.built = built
        self.touched = touched
        self.gone = gone
        self.successors = successors
        self.blob = Blob()
        self.arrays: dict[str, Array] = {}
        self.rows = len(built.keys)
        self.region_codes = tuple(region.code for region in built.geography.regions)

    def everything(self) -> tuple[dict[str, Any], dict[str, Array]]:
        built = self.built
        suppliers, supplier = self._renumbered("supplier", built.suppliers)
        plans, plan = self._renumbered("plan", built.plans)
        covers, cover = self._renumbered("cover", built.coverages)
        kinds, kind = self._renumbered("kind", built.kinds)
        data_pieces, data = self._renumbered("data", built.data_pieces)
        network_pieces, network = self._renumbered("network", built.network_pieces)
        feature_pieces, feature = self._renumbered("feature", built.feature_pieces)
        costs, cost = self._costs()
        why = np.frombuffer(built.columns["why"], dtype=np.int64)
        by_name = np.array(sorted(range(self.rows), key=built.keys.__getitem__), dtype=np.int64)
        segment = np.where(why == 0, 0, np.where(cost != NO_COST, 1, 2))
        order = by_name[np.lexsort((supplier[by_name], cost[by_name], segment[by_name]))]
        sizes = np.bincount(segment, minlength=3)

        self._row("plan", plan[order], np.int32)
        self._row("cover", narrow(cover[order]))
        self._row("supplier", narrow(supplier[order]))
        self._row("kind", narrow(kind[order]))
        self._row("data", narrow(data[order]))
        self._row("network", narrow(network[order]))
        self._row("feature", narrow(feature[order]))
        self._row("cost", cost[order], np.int32)
        listed = self._listed(order)
        self._row("why", why[order], np.uint16)
        self._row("stock", np.frombuffer(built.columns["stock"], dtype=np.int64)[order], np.int32)
        place = np.empty(self.rows, dtype=np.int64)
        place[order] = np.arange(self.rows)
        self._keys(place[by_name[np.argsort(supplier[by_name], kind="stable")]])
        self._row("text_at", self.blob.add([built.texts[at] for at in order.tolist()]))

        self._plans(plans)
        self._covers(covers)
        self._kinds(kinds)
        self._networks(network_pieces)
        self._lists()
        self._row("data_at", self.blob.add(data_pieces))
        self._row("network_at", self.blob.add(network_pieces))
        self._row("feature_at", self.blob.add(feature_pieces))
        self._row("listed_at", self.blob.add([text.encode() for text in listed]))
        scale = self._cost_tables(costs)
        name_index = self._name_index(covers, kinds)
        self._gone()
        self._row("blob", np.frombuffer(b"".join(self.blob.parts), dtype=np.uint8))
        meta = {
            "mode": built.mode,
            "base": built.terms.rates.base,
            "rates": {currency: str(rate) for currency, rate in built.terms.rates.worth.items()},
            "suppliers": suppliers,
            "tolerance": {
                n: str(share) for n, share in sorted(built.terms.tolerance.items()) if n in suppliers and share
            },
            "assumed_mb_per_day": built.terms.assumed_mb_per_day,
            "countries": self.country_codes,
            "country_names": [built.geography.country_name(code) for code in self.country_codes],
            "regions": [[r.code, r.name, list(r.countries)] for r in built.geography.regions],
            "segments": sizes.tolist(),
            "scale": scale,
            "words": name_index,
        }
        return meta, self.arrays

    def _gone(self) -> None:
        """The plans that are no longer here, with what took their place."""
        known = self.built.plans.numbers
        gone = sorted((at, plan_id) for plan_id, at in self.gone.items() if plan_id not in known)
        self._row("gone_when", np.array([at for at, _ in gone], dtype=np.int64))
        self._row("gone_at", self.blob.add([plan_id.encode() for _, plan_id in gone]))
        successors = (" ".join(self.successors.get(plan_id, ())) for _, plan_id in gone)
        self._row("gone_successors_at", self.blob.add([ids.encode() for ids in successors]))

    def _row(self, name: str, values: Array, kind: Any = None) -> None:
        self.arrays[name] = values if kind is None else values.astype(kind)

    def _renumbered(self, column: str, numbered: Any) -> tuple[list[Any], Array]:
        values, place = numbered.in_order()
        raw = np.frombuffer(self.built.columns[column], dtype=np.int64)
        return values, place[raw] if self.rows else raw

    def _keys(self, by_key: Array) -> None:
        """Rows in the order of (supplier, supplier_plan_id), and each row's place in it, which breaks ties."""
        rank = np.empty(self.rows, dtype=np.int64)
        rank[by_key] = np.arange(self.rows)
        self._row("by_key", by_key, np.int32)
        self._row("key_rank", rank, np.int32)

    def _listed(self, order: Array) -> list[str]:
        """The suppliers' own amounts, sorted, and each row's place among them."""
        listed, place = self.built.listed.in_order()
        money = np.frombuffer(self.built.columns["money"], dtype=np.int64)[order]
        self._row("listed", np.append(place, NO_COST)[money], np.int32)
        return listed

    def _costs(self) -> tuple[list[Any], Array]:
        """Distinct costs in base currency, ascending, and each row's place among them."""
        base = self.built.base_costs()
        distinct = sorted({cost for cost in base if cost is not None})
        place = {cost: at for at, cost in enumerate(distinct)}
        by_listed = np.array([NO_COST if cost is None else place[cost] for cost in base] + [NO_COST], dtype=np.int64)
        return distinct, by_listed[np.frombuffer(self.built.columns["money"], dtype=np.int64)]

    def _cost_tables(self, costs: list[Any]) -> int:
        """Costs as whole numbers of 10**-scale in two limbs."""
        scale = max((max(0, -cost.as_tuple().exponent) for cost in costs), default=0)
        whole = [int(cost.scaleb(scale)) for cost in costs]
        self._row("cost_high", np.array([value // LIMB for value in whole], dtype=np.int64))
        self._row("cost_low", np.array([value % LIMB for value in whole], dtype=np.int64))
        return scale

    def _plans(self, plans: list[str]) -> None:
        built = self.built
        starts, rows = grouped(self.arrays["plan"], len(plans))
        self._row("plan_rows_at", starts)
        self._row("plan_rows", rows)
        updated = np.fromiter((self.touched.get(plan, 0) for plan in plans), dtype=np.int64, count=len(plans))
        self._row("updated", updated)
        self._row("by_updated", np.argsort(updated, kind="stable"), np.int32)
        names = [built.plan_names[built.plans.numbers[plan]] for plan in plans]
        pieces = [
            fragments.plan_piece(plan, name, at // _SECOND)
            for plan, name, at in zip(plans, names, updated.tolist(), strict=True)
        ]
        self._row("plan_at", self.blob.add(pieces))
        self._row("plan_cover", self.arrays["cover"][rows[starts[:-1]]] if plans else self.arrays["cover"][:0])

    def _covers(self, covers: list[tuple[str, ...]]) -> None:
        self.country_codes = sorted({code for codes in covers for code in codes})
        number = {code: at for at, code in enumerate(self.country_codes)}
        starts, members = ragged([number[code] for code in codes] for codes in covers)
        self._row("cover_countries_at", starts)
        self._row("cover_countries", members)
        starts, rows = grouped(self.arrays["cover"], len(covers))
        self._row("cover_rows_at", starts)
        self._row("cover_rows", rows)
        self._row("cover_at", self.blob.add([fragments.coverage_piece(codes) for codes in covers]))
        regions = [self.built.geography.region_of(codes) for codes in covers]
        self._row(
            "cover_region", np.array([-1 if r is None else self.region_codes.index(r) for r in regions], dtype=np.int16)
        )

    def _kinds(self, kinds: list[Any]) -> None:
        self._row("kind_mb", np.array([kind.mb for kind in kinds], dtype=np.int64))
        self._row("kind_per", np.array([PERIODS.index(kind.per) for kind in kinds], dtype=np.uint8))
        self._row("kind_full_mb", np.array([kind.full_mb for kind in kinds], dtype=np.int64))
        self._row("kind_full_per", np.array([PERIODS.index(kind.full_per) for kind in kinds], dtype=np.uint8))
        self._row("kind_goes_on", np.array([kind.goes_on for kind in kinds], dtype=np.bool_))
        self._row("kind_days", np.array([kind.days for kind in kinds], dtype=np.int64))
        self._row("kind_scope", np.array([SCOPES.index(kind.scope) for kind in kinds], dtype=np.uint8))
        self._row("kind_trigger", np.array([kind.trigger for kind in kinds], dtype=np.bool_))
        self._kind_orders()
        starts, rows = grouped(self.arrays["kind"], len(kinds))
        self._row("kind_rows_at", starts)
        self._row("kind_rows", rows)

    def _kind_orders(self) -> None:
        """Rows by what their kind has of data and days, up and down, then by plan."""
        days = self.arrays["kind_days"]
        full = over(self.arrays["kind_full_mb"], self.arrays["kind_full_per"], days)
        rows = self.arrays["plan_rows"]
        kinds = self.arrays["kind"][rows]
        for name, values in (
            ("data", np.where(full < 0, self.built.terms.assumed_mb_per_day * days, full)),
            ("days", days),
        ):
            ranks = np.unique(values, return_inverse=True)[1].astype(np.int32)[kinds]
            self._row(f"by_{name}", rows[np.argsort(ranks, kind="stable")])
            self._row(f"by_-{name}", rows[np.argsort(-ranks, kind="stable")])

    def _networks(self, pieces: list[bytes]) -> None:
        """The distinct networks, and which of them each set of networks has, with their countries."""
        sets = [fragments.networks_of(piece) for piece in pieces]
        distinct = sorted({network for networks in sets for network in networks}, key=msgspec.json.encode)
        number = {network: at for at, network in enumerate(distinct)}
        country = {code: at for at, code in enumerate(self.country_codes)}
        starts, members = ragged([number[network] for network in networks] for networks in sets)
        self._row("members_at", starts)
        self._row("member", members)
        countries = [country.get(network.country, NO_COUNTRY) for networks in sets for network in networks]
        self._row("member_country", np.array(countries, dtype=np.int32))
        self._row("each_network_at", self.blob.add([msgspec.json.encode(network) for network in distinct]))

    def _lists(self) -> None:
        having: list[list[int]] = [[] for _ in range(len(self.country_codes) + len(self.region_codes))]
        for at, (start, end) in enumerate(pairwise(self.arrays["cover_countries_at"].tolist())):
            for country in self.arrays["cover_countries"][start:end].tolist():
                having[country].append(at)
            region = int(self.arrays["cover_region"][at])
            if region >= 0:
                having[len(self.country_codes) + region].append(at)
        starts, members = ragged(having)
        self._row("list_covers_at", starts)
        self._row("list_covers", members)

    def _name_index(self, covers: list[tuple[str, ...]], kinds: list[Any]) -> str:
        """The word index as JSON: [words, members] of coverages, then of kinds."""
        geography = self.built.geography
        names = {region.code: region.name for region in geography.regions}
        places: dict[int, Iterable[str]] = {}
        for at, codes in enumerate(covers):
            region = int(self.arrays["cover_region"][at])
            named = [] if region < 0 else [names[self.region_codes[region]]]
            places[at] = [geography.place_name(codes), *codes, *map(geography.country_name, codes), *named]
        amounts = {at: [kind.rest_of_name] for at, kind in enumerate(kinds)}
        return msgspec.json.encode((index_terms(places), index_terms(amounts))).decode()


def over(mb: Array, per: Array, days: Array | int) -> Array:
    """Amounts of each kind over so many days; what is no amount (negative, or boundless) stays as it is."""
    months = np.maximum(1, np.asarray(days) // DAYS_PER_MONTH)
    times = np.where(per == _DAY, days, np.where(per == _MONTH, months, 1))
    return np.where((mb < 0) | (mb >= BOUNDLESS), mb, mb * times)
