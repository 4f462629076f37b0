"""A snapshot as the queries use it: columns by name, and lists of rows of a country, a region or all."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar, cast

import msgspec
import numpy as np

from gateway.catalog.index import fragments
from gateway.catalog.index.intern import spans
from gateway.catalog.index.layout import Array, SnapshotFile
from gateway.catalog.index.name_index import WordIndex
from gateway.catalog.index.tables import LIMB, over
from gateway.pricing.price_rules import Rates
from schemas.money import Money
from schemas.plan import Features, Network

T = TypeVar("T")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MEMO_SIZE = 512


class Snapshot:
    """One mapped snapshot. Immutable; what is worked out from it is remembered, bounded in number."""

    def __init__(self, file: SnapshotFile) -> None:
        self.file = file
        self.digest = file.header.digest
        meta = file.header.meta
        columns = file.arrays
        self.mode: str = meta["mode"]
        self.rates = Rates(meta["base"], {code: Decimal(rate) for code, rate in meta["rates"].items()})
        self.suppliers: list[str] = meta["suppliers"]
        self.tolerance = {name: Decimal(share) for name, share in meta["tolerance"].items()}
        self.country_codes: list[str] = meta["countries"]
        self.country_names: list[str] = meta["country_names"]
        self.regions: list[tuple[str, str, list[str]]] = meta["regions"]
        self.scale: int = meta["scale"]
        # Rows below `sold_end` could be sold when the snapshot was made; those below `priced_end` have a cost.
        self.sold_end = int(meta["segments"][0])
        self.priced_end = self.sold_end + int(meta["segments"][1])
        self.columns = columns
        self.plan, self.cover = columns["plan"], columns["cover"]
        self.kind, self.feature, self.network = columns["kind"], columns["feature"], columns["network"]
        self.supplier, self.cost, self.why = columns["supplier"], columns["cost"], columns["why"]
        self.stock = columns["stock"]
        # Rows in the order of (supplier, supplier_plan_id), and each row's place in it.
        self.by_key, self.key_rank = columns["by_key"], columns["key_rank"]
        self.plan_rows_at, self.plan_rows = columns["plan_rows_at"], columns["plan_rows"]
        self.plan_cover, self.updated = columns["plan_cover"], columns["updated"]

        self.kind_mb, self.kind_days = columns["kind_mb"], columns["kind_days"]
        self.kind_per, self.kind_trigger = columns["kind_per"], columns["kind_trigger"]
        self.kind_full_mb, self.kind_full_per = columns["kind_full_mb"], columns["kind_full_per"]
        self.kind_goes_on = columns["kind_goes_on"]
        self.assumed_mb_per_day: int = meta["assumed_mb_per_day"]
        self.kind_total = over(self.kind_mb, self.kind_per, self.kind_days)
        self.unlimited = self.kind_mb < 0
        self.rows = len(self.plan)
        self.plans = len(self.updated)
        self.covers = len(columns["cover_region"])
        self.kinds = len(self.kind_mb)
        self._country = {code: at for at, code in enumerate(self.country_codes)}
        self._region = {code: len(self.country_codes) + at for at, (code, _, _) in enumerate(self.regions)}
        self._memo: OrderedDict[Hashable, Any] = OrderedDict()

    def memo(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for this key before, or else now."""
        found = self._memo.get(key)
        if found is None:
            found = self._memo[key] = make()
            if len(self._memo) > MEMO_SIZE:
                self._memo.popitem(last=False)
        return cast("T", found)

    def forget(self) -> None:
        """Let go of what was remembered; answers stay the same."""
        self._memo.clear()

    # -- lists of rows

    def country(self, code: str) -> int | None:
        """The number of a country's list; None when no plan covers it."""
        return self._country.get(code)

    def region(self, code: str) -> int | None:
        """The number of a region's list; None when there is no such region."""
        return self._region.get(code)

    def rows_of_covers(self, covers: Array) -> Array:
        """The rows of these coverages, those of each ascending."""
        return self._rows_of("cover", covers)

    def rows_of_kinds(self, kinds: Array) -> Array:
        """The rows of these kinds, those of each ascending."""
        return self._rows_of("kind", kinds)

    def rows_of_plans(self, plans: Array) -> Array:
        """The rows of these plans, those of each ascending."""
        return self._rows_of("plan", plans)

    def _rows_of(self, what: str, numbers: Array) -> Array:
        starts, rows = self.columns[f"{what}_rows_at"], self.columns[f"{what}_rows"]
        return rows.take(spans(starts.take(numbers), starts.take(numbers + 1)))

    def covers_of(self, number: int) -> Array:
        """The coverages that hold a country, or are of a region."""
        start, end = self.columns["list_covers_at"][number : number + 2].tolist()
        return self.columns["list_covers"][start:end]

    def covering(self, number: int) -> Array:
        """For each coverage, whether it holds the country (or is of the region) with this list."""
        return self.memo(("covering", number), lambda: self._covering(number))

    def _covering(self, number: int) -> Array:
        covering = np.zeros(self.covers, dtype=np.bool_)
        covering[self.covers_of(number)] = True
        return covering

    @cached_property
    def sizes(self) -> dict[str, Array]:
        """How many rows have each coverage, kind, set of features and set of networks."""
        names = {"cover": "cover_at", "kind": "kind_rows_at", "feature": "feature_at", "network": "members_at"}
        values = {column: len(self.columns[table]) - 1 for column, table in names.items()}
        return {column: np.bincount(self.columns[column], minlength=count) for column, count in values.items()}

    @cached_property
    def kinds_together(self) -> tuple[Array, Array]:
        """Pairs of kinds that offers of one plan have: of what is not part of a plan's identity they may differ."""
        kinds, plans = self.kind.take(self.plan_rows), self.plan.take(self.plan_rows)
        differ = np.flatnonzero((plans[1:] == plans[:-1]) & (kinds[1:] != kinds[:-1]))
        pairs = np.unique(np.stack((kinds.take(differ), kinds.take(differ + 1))), axis=1)
        return pairs[0], pairs[1]

    # -- text

    @cached_property
    def features(self) -> list[Features]:
        """The distinct sets of features."""
        count = len(self.columns["feature_at"]) - 1
        return [fragments.features_of(self.piece("feature_at", number)) for number in range(count)]

    @cached_property
    def networks(self) -> list[Network]:
        """The distinct networks."""
        count = len(self.columns["each_network_at"]) - 1
        pieces = (self.piece("each_network_at", number) for number in range(count))
        return [msgspec.json.decode(piece, type=Network) for piece in pieces]

    @cached_property
    def name_index(self) -> tuple[WordIndex, WordIndex]:
        """Words of coverages, and words of kinds."""
        places, amounts = msgspec.json.decode(self.file.header.meta["words"])
        return WordIndex(*places), WordIndex(*amounts)

    def piece(self, name: str, number: int) -> bytes:
        """One piece of text by its table and number."""
        start, end = self.columns[name][number : number + 2].tolist()
        return self.file.text(start, end)

    def plan_id(self, plan: int) -> str:
        return fragments.plan_id_of(self.piece("plan_at", plan))

    def plan_name(self, plan: int) -> str:
        """A plan's name for people."""
        return fragments.plan_name_of(self.piece("plan_at", plan))

    def find_plan(self, plan_id: str) -> int | None:
        """A plan's number, which is its place in the order of ids."""
        at = bisect_left(_Lazy(self.plan_id, self.plans), plan_id)
        return at if at < self.plans and self.plan_id(at) == plan_id else None

    def plan_after(self, plan_id: str) -> int:
        """The number of the first plan whose id is greater."""
        at = bisect_left(_Lazy(self.plan_id, self.plans), plan_id)
        return at + 1 if at < self.plans and self.plan_id(at) == plan_id else at

    def offer_text(self, row: int) -> tuple[str, str]:
        """(supplier_plan_id, name) of a row."""
        supplier_plan_id, name = self.piece("text_at", row).decode().split("\0", 1)
        return supplier_plan_id, name

    def find_row(self, supplier: str, supplier_plan_id: str) -> int | None:
        """The row of a supplier's item."""
        if supplier not in self.suppliers:
            return None
        wanted = (self.suppliers.index(supplier), supplier_plan_id)
        by_key = self.by_key

        def key(at: int) -> tuple[int, str]:
            row = int(by_key[at])
            return int(self.supplier[row]), self.offer_text(row)[0]

        at = bisect_left(_Lazy(key, self.rows), wanted)
        return int(by_key[at]) if at < self.rows and key(at) == wanted else None

    # -- the rest

    @cached_property
    def whole_costs(self) -> list[int]:
        """The distinct costs in base currency, ascending, as whole numbers of 10**-scale."""
        high, low = self.columns["cost_high"].tolist(), self.columns["cost_low"].tolist()
        return [a * LIMB + b for a, b in zip(high, low, strict=True)]

    def base_text(self, cost: int) -> str:
        """A distinct cost as text with its currency, in base currency: "5.00 USD"."""
        return str(Money(Decimal(self.whole_costs[cost]).scaleb(-self.scale), self.rates.base))

    def plans_since(self, since: datetime) -> Array:
        """The plans that changed at or after this time, in no order."""
        by_updated = self.columns["by_updated"]
        wanted = micros(since)
        at = bisect_left(_Lazy(lambda at: int(self.updated[by_updated[at]]), self.plans), wanted)
        return by_updated[at:]

    def gone_since(self, since: datetime | None) -> list[tuple[str, datetime]]:
        """The plans that left at or after this time, the earliest first."""
        when = self.columns["gone_when"]
        at = 0 if since is None else int(np.searchsorted(when, micros(since)))
        return [
            (self.piece("gone_at", number).decode(), EPOCH + timedelta(microseconds=int(when[number])))
            for number in range(at, len(when))
        ]

    @cached_property
    def gone(self) -> dict[str, datetime]:
        """When each plan that is no longer here left."""
        return dict(self.gone_since(None))

    def successors(self, plan_id: str) -> tuple[str, ...]:
        """The plans that the offers of a plan that is no longer here are now; none where they are gone, too."""
        number = self._gone_numbers.get(plan_id)
        return () if number is None else tuple(self.piece("gone_successors_at", number).decode().split())

    @cached_property
    def _gone_numbers(self) -> dict[str, int]:
        return {plan_id: number for number, (plan_id, _) in enumerate(self.gone_since(None))}


def micros(moment: datetime) -> int:
    """Microseconds since 1970; a time without a zone is UTC."""
    return ((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - EPOCH) // timedelta(microseconds=1)


class _Lazy:
    """A sequence that is looked at only where a bisection asks."""

    def __init__(self, at: Callable[[int], Any], length: int) -> None:
        self.at = at
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, number: int) -> Any:
        return self.at(number)
