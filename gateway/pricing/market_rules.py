"""What other providers ask for the same plan, for less and for as much: one pass over arrays, whatever their number.

Within equal countries an offer is a point of data and days. The cheapest offer with at least so much of both is a
running minimum over the grid of the amounts and days that occur; what others ask for less is a running maximum of
that. Both are kept as ranks by cost, so that each figure leads back to the offer that asks it.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[Any]
Ranks: TypeAlias = npt.NDArray[Any]
Flags: TypeAlias = npt.NDArray[np.bool_]
Offers: TypeAlias = npt.NDArray[Any]
"""Rows of ``OFFER``."""

NOBODY = -1
_NOTHING = np.iinfo(np.int64).max
# `id` is the offer's key; `plan` and `coverage` are digests; `supplier` and `provider` are numbers of the caller's.
# `mb` is full-speed data over the whole validity, `cost` is in base currency. `stated`: the amount is the supplier's
# own word. `counts`: it could be sold if its price is right, so that others are measured by it. `judged`: no operator
# let this very cost through. `suspect`: what stands of it.
_FIELDS = (
    *(("id", "V12"), ("supplier", "i4"), ("provider", "i4"), ("plan", "i8"), ("coverage", "i8"), ("mb", "f8")),
    *(("days", "i4"), ("cost", "f8"), ("stated", "?"), ("counts", "?"), ("judged", "?"), ("suspect", "u1")),
)
OFFER = np.dtype(list(_FIELDS))
_KINDS = dict(_FIELDS)
_AS_SENT = ("id", "plan", "coverage", "mb", "days", "cost", "supplier", "provider", "counts", "judged", "suspect")
# The same as PostgreSQL sends it; from plan to days it is ``offers.measure``, with NaN MB where they are not stated.
SENT = np.dtype([(name, f">{_KINDS[name]}" if _KINDS[name][0] in "if" else _KINDS[name]) for name in _AS_SENT])
NOT_SUSPECT, BY_ITS_PAST, BESIDE_OTHERS = 0, 1, 2


class RivalPrices(NamedTuple):
    """What the others ask beside each offer of a list: costs, NaN where nobody does, and ranks in the market.

    ``median`` is of the cheapest offers of ``others`` providers for the same plan, ``middle`` the ranks of the one or
    two that it lies between. ``as_much`` is the cheapest offer over the same countries with at least its data and
    days. ``for_less`` is the dearest price at which the cheapest of them has at least as much as one that has no more.
    ``low_per_gb`` and ``high_per_gb`` are the providers' median costs of 1 GB over the same countries: the middle one,
    of an even number the lower and the higher of the two.
    """

    median: Floats
    others: Ranks
    middle: Ranks
    as_much: Floats
    for_less: Floats
    for_less_rank: Ranks
    low_per_gb: Floats
    high_per_gb: Floats


class _There(NamedTuple):
    """The offers over equal countries, the cheapest first."""

    ranks: Ranks
    providers: npt.NDArray[np.int32]
    mb: Floats
    days: npt.NDArray[np.int32]

    def without(self, provider: int) -> _There:
        kept = self.providers != provider
        return _There(self.ranks[kept], self.providers[kept], self.mb[kept], self.days[kept])


class Market:
    """The offers that others are measured by. Made once for many lists."""

    def __init__(self, offers: Offers, ranked: Ranks | None = None) -> None:
        """``ranked`` are the places of those that measure, as ``by_cost`` has them; None for all."""
        self._offers = offers
        self._ranked = ranked = by_cost(offers) if ranked is None else ranked
        self._costs, self._providers = offers["cost"][ranked], offers["provider"][ranked]
        mb, days, coverage = offers["mb"][ranked], offers["days"][ranked], offers["coverage"][ranked]
        self._there = {
            int(coverage[ranks[0]]): _There(ranks, self._providers[ranks], mb[ranks], days[ranks])
            for ranks in spans(coverage)
        }
        self._cheapest, self._plans = self._cheapest_of_plans()
        self._medians = _medians_per_gb(per_gb(offers)[ranked], coverage, self._providers)

    @property
    def keys(self) -> npt.NDArray[np.bytes_]:
        """The keys of its offers, by cost."""
        return keys(self._offers)[self._ranked]

    @property
    def suppliers(self) -> npt.NDArray[np.int32]:
        """The suppliers of its offers, by cost."""
        return np.asarray(self._offers["supplier"][self._ranked])

    def without(self, those: Flags) -> Market:
        """The market of its offers but for those."""
        return Market(self._offers, self._ranked[~those])

    def key(self, rank: int) -> bytes:
        """The key of the offer of that rank."""
        found: bytes = self._offers["id"][self._ranked[rank]].tobytes()
        return found

    def rival_prices(self, own: Offers, provider: int) -> RivalPrices:
        """Measure a list of this provider's by the offers of all others."""
        median, count, middle = self._same_plan(own, provider)
        as_much, for_less = self._over_the_same_countries(own, provider)
        low, high = self.per_gb(own, provider)
        return RivalPrices(median, count, middle, self._cost(as_much), self._cost(for_less), for_less, low, high)

    def _cost(self, ranks: Ranks) -> Floats:
        if not len(self._costs):
            return np.full(ranks.shape, np.nan)
        return np.where(ranks == NOBODY, np.nan, self._costs[ranks])

    def _cheapest_of_plans(self) -> tuple[Ranks, Ranks]:
        """The ranks of each provider's cheapest offer of each plan whose amount is stated, by plan and cost; plans."""
        stated = np.flatnonzero(self._offers["stated"][self._ranked])
        plan, provider = self._offers["plan"][self._ranked[stated]], self._providers[stated]
        order = np.lexsort((stated, provider, plan))
        cheapest = order[starts(plan[order], provider[order])]
        cheapest = cheapest[np.lexsort((stated[cheapest], plan[cheapest]))]
        return stated[cheapest], plan[cheapest]

    def _same_plan(self, own: Offers, provider: int) -> tuple[Floats, Ranks, Ranks]:
        kept = self._providers[self._cheapest] != provider
        cheapest, plans = self._cheapest[kept], self._plans[kept]
        first = np.searchsorted(plans, own["plan"], "left")
        count = np.where(own["stated"], np.searchsorted(plans, own["plan"], "right") - first, 0)
        middle = np.full((len(own), 2), NOBODY, dtype=np.int64)
        some = np.flatnonzero(count)
        for side, of in enumerate(((count[some] - 1) // 2, count[some] // 2)):
            middle[some, side] = cheapest[first[some] + of]
        return self._cost(middle).mean(axis=1), count, middle

    def _over_the_same_countries(self, own: Offers, provider: int) -> tuple[Ranks, Ranks]:
        """The ranks of ``as_much`` and ``for_less``."""
        as_much = np.full(len(own), NOBODY, dtype=np.int64)
        for_less = np.full(len(own), NOBODY, dtype=np.int64)
        mb, days = own["mb"].copy(), own["days"].copy()
        for mine in spans(own["coverage"]):
            there = self._there.get(int(own["coverage"][mine[0]]))
            if there is not None and len((others := there.without(provider)).ranks):
                as_much[mine], for_less[mine] = _on_grid(mb[mine], days[mine], others)
        return as_much, for_less

    def per_gb(self, own: Offers, provider: int) -> tuple[Floats, Floats]:
        """``low_per_gb`` and ``high_per_gb`` alone."""
        low, high = np.full(len(own), np.nan), np.full(len(own), np.nan)
        for mine in spans(own["coverage"]):
            there = self._medians.get(int(own["coverage"][mine[0]]), {})
            medians = sorted(median for other, median in there.items() if other != provider)
            if medians:
                low[mine], high[mine] = medians[(len(medians) - 1) // 2], medians[len(medians) // 2]
        return low, high


def keys(offers: Offers) -> npt.NDArray[np.bytes_]:
    """The offers' keys. Without the zeros at their end, which makes no two of them equal: all are as long."""
    return np.asarray(np.ascontiguousarray(offers["id"]).view("S12"))


def by_cost(offers: Offers, places: Ranks | None = None) -> Ranks:
    """These places, or all, the cheapest first; equal costs by key."""
    every = np.arange(len(offers)) if places is None else places
    return np.asarray(every[np.lexsort((keys(offers)[every], offers["cost"][every]))])


def per_gb(offers: Offers) -> Floats:
    """The cost of 1 GB of each; NaN where the amount is not stated or is none."""
    mb = offers["mb"]
    usable = offers["stated"] & (mb > 0)
    return np.asarray(np.divide(offers["cost"] * 1000, mb, out=np.full(len(offers), np.nan), where=usable))


def spans(*keys: npt.NDArray[Any]) -> list[Ranks]:
    """The places of the rows whose keys are equal, one array for each set of keys."""
    if not len(keys[0]):
        return []
    order = np.lexsort(keys[::-1])
    return np.split(order, starts(*(key[order] for key in keys))[1:])


def starts(*keys: npt.NDArray[Any]) -> Ranks:
    """Where other keys begin, in rows that are sorted by them."""
    begins = np.zeros(len(keys[0]), dtype=np.bool_)
    begins[:1] = True
    for key in keys:
        begins[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(begins)


def _medians_per_gb(rate: Floats, coverage: Offers, providers: Offers) -> dict[int, dict[int, float]]:
    """By coverage and provider the median cost of 1 GB."""
    known = np.flatnonzero(~np.isnan(rate))
    found: dict[int, dict[int, float]] = {}
    for places in spans(coverage[known], providers[known]):
        at = known[places]
        there = found.setdefault(int(coverage[at[0]]), {})
        there[int(providers[at[0]])] = float(np.median(rate[at]))
    return found


def _on_grid(mb: Floats, days: npt.NDArray[np.int32], there: _There) -> tuple[Ranks, Ranks]:
    """The ranks of ``as_much`` and ``for_less`` among offers over equal countries."""
    amounts, lengths = np.unique(there.mb), np.unique(there.days)
    cheapest = np.full((len(amounts) + 1, len(lengths) + 1), _NOTHING, dtype=np.int64)
    cells = np.searchsorted(amounts, there.mb) * cheapest.shape[1] + np.searchsorted(lengths, there.days)
    # The last write to a cell stands, and ranks ascend.
    cheapest.ravel()[cells[::-1]] = there.ranks[::-1]
    at_least = np.minimum.accumulate(np.minimum.accumulate(cheapest[::-1, ::-1], axis=0), axis=1)[::-1, ::-1]
    as_much = at_least[np.searchsorted(amounts, mb, "left"), np.searchsorted(lengths, days, "left")]
    sold = np.where(cheapest < _NOTHING, at_least, NOBODY)
    at_most = np.maximum.accumulate(np.maximum.accumulate(sold, axis=0), axis=1)
    row = np.searchsorted(amounts, mb, "right") - 1
    column = np.searchsorted(lengths, days, "right") - 1
    for_less = np.where((row < 0) | (column < 0), NOBODY, at_most[row, column])
    return np.where(as_much == _NOTHING, NOBODY, as_much), for_less
