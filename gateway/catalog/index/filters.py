"""From a query's filters to what the scan needs: which kinds, which coverages, and where to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gateway.catalog.index import feature_masks
from gateway.catalog.index.intern import spans
from gateway.catalog.index.layout import Array
from gateway.catalog.index.listing import All, Listing
from gateway.catalog.index.name_index import MAX_WORDS, terms_of
from gateway.catalog.index.query import PlanQuery, QueryError
from gateway.catalog.index.snapshot import Snapshot, micros, over
from gateway.catalog.index.tables import SCOPES
from gateway.catalog.index.views import Within
from schemas.plan import BOUNDLESS, Scope, nominal_mb

FEW = 4096
LEAST_SHARE = 1 / 32


class Kinds(NamedTuple):
    """The filters that a kind answers by itself."""

    scope: Scope | None
    min_data_mb: int | None
    unlimited: bool | None
    min_days: int | None
    max_days: int | None
    several: bool = False  # more than one country is asked for
    triggers: bool = False  # plans on which a sandbox goes wrong are wanted, too


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look for and where.

    ``kinds``, ``features``, ``networks`` and ``covers`` tell for each kind, set of features, set of networks and
    coverage whether it will do; ``covers`` is what the ``source`` does not hold already, ``all_covers`` the whole
    condition. None asks for nothing.
    ``closed`` means that the source is a condition itself: only its rows may be looked at.
    ``since`` is in microseconds since 1970. A word that names a place as well as an amount is in
    ``either``: one of the two must do. ``share`` is about which part of the source's rows of these
    kinds everything else allows.
    """

    source: Listing | All
    kinds: Array
    features: Array | None = None
    networks: Array | None = None
    covers: Array | None = None
    all_covers: Array | None = None
    since: int | None = None
    either: tuple[tuple[Array, Array], ...] = ()
    within: Within | None = None
    days: int | None = None
    closed: bool = False
    share: float = 1.0

    def narrow(self, snapshot: Snapshot, rows: Array) -> Array:
        """Those of the rows, already of the right kinds, that everything else allows too."""
        if self.features is not None:
            rows = rows.compress(self.features.take(snapshot.feature.take(rows)))
        if self.covers is not None:
            rows = rows.compress(self.covers.take(snapshot.cover.take(rows)))
        if self.networks is not None:
            rows = rows.compress(self.networks.take(snapshot.network.take(rows)))
        if self.since is not None:
            rows = rows.compress(snapshot.updated.take(snapshot.plan.take(rows)) >= self.since)
        for covers, kinds in self.either:
            rows = rows.compress(covers.take(snapshot.cover.take(rows)) | kinds.take(snapshot.kind.take(rows)))
        if self.within is not None:
            rows = rows.compress(self.within.holds(rows))
        return rows

    def offers(self, snapshot: Snapshot, rows: Array) -> Array:
        """Of rows of plans that will do, which offers will: a mask."""
        mask = self.kinds.take(snapshot.kind.take(rows))
        if self.features is not None:
            mask &= self.features.take(snapshot.feature.take(rows))
        if self.networks is not None:
            mask &= self.networks.take(snapshot.network.take(rows))
        if self.within is not None:
            mask &= self.within.holds(rows)
        return mask

    def elsewhere(self, source: Listing) -> Filter:
        """The same filter over other rows."""
        return replace(self, source=source, covers=self.all_covers)


def filter_of(snapshot: Snapshot, query: PlanQuery, within: Within | None) -> Filter | None:
    """The filter of a query; None when nothing can meet it. Raises ``QueryError``.

    ``within`` is what ``max_price`` allows.
    """
    several = len(set(query.countries)) > 1
    kinds_query = Kinds(
        query.scope, query.min_data_mb, query.unlimited, query.min_days, query.max_days, several, query.triggers
    )
    if query.region is not None and snapshot.region(query.region) is None:
        raise QueryError("region", f"no region {query.region!r}")
    numbers = places(snapshot, query.countries, query.region)
    if numbers is None:
        return None
    terms = tuple(terms_of(query.q)[:MAX_WORDS]) if query.q is not None else ()
    if query.q is not None and query.q.strip() and not terms:
        return None
    kinds, named, either = _spoken(snapshot, kinds_of(snapshot, kinds_query), terms)
    features = feature_masks.of_features(snapshot, query.wanted)
    networks = feature_masks.of_networks(snapshot, query.wanted, query.countries)
    if not all(mask.any() for mask in (kinds, features, networks) if mask is not None):
        return None
    found = Filter(snapshot.all, kinds, features, networks, either=either, within=within, days=query.min_days)
    if query.updated_since is not None:
        touched = snapshot.plans_since(query.updated_since)
        if len(touched) <= FEW:
            covers = _together(snapshot, numbers, named)
            rows = snapshot.rows_of(snapshot.rows_of_plans(np.sort(touched)))
            return replace(found, source=rows, covers=covers, all_covers=covers, closed=True)
        found = replace(found, since=micros(query.updated_since))
    if not numbers and not named:
        few = _named(snapshot, kinds, either) if either else _few(snapshot, kinds, features, networks)
        return found if few is None else replace(found, source=few, closed=True)
    source, covers, all_covers = where(snapshot, numbers, terms, named)
    share = 1.0
    if features is not None:
        share *= int(snapshot.rows_of_feature.compress(features).sum()) / snapshot.rows
    if covers is not None:
        share *= int(snapshot.rows_of_cover.compress(covers).sum()) / len(source)
    share = max(share, LEAST_SHARE)
    return replace(found, source=source, covers=covers, all_covers=all_covers, share=share)


def _named(snapshot: Snapshot, kinds: Array, either: tuple[tuple[Array, Array], ...]) -> Listing | None:
    """The rows that the most telling word names, of these kinds or in its places, where they are few."""
    sizes = np.diff(snapshot.columns["kind_rows_at"])
    covers, alike = min(
        either, key=lambda pair: snapshot.rows_of_cover.compress(pair[0]).sum() + sizes.compress(pair[1] & kinds).sum()
    )
    both = kinds & alike
    if int(snapshot.rows_of_cover.compress(covers).sum() + sizes.compress(both).sum()) > 4 * FEW:
        return None
    there = snapshot.rows_of_covers(np.flatnonzero(covers))
    there = there.compress(kinds.take(snapshot.kind.take(there)))
    return snapshot.rows_of(np.union1d(there, snapshot.all.between(both, 0, snapshot.rows)))


def _few(snapshot: Snapshot, kinds: Array, features: Array | None, networks: Array | None) -> Listing | None:
    """All rows of these kinds and features, or networks, where they are so few that they are best looked at."""
    columns = snapshot.columns
    if networks is not None and int(snapshot.rows_of_network.compress(networks).sum()) <= FEW:
        rows = np.flatnonzero(networks.take(snapshot.network))
        return snapshot.rows_of(rows.compress(kinds.take(snapshot.kind.take(rows))))
    if features is None:
        starts, members = columns["kind_rows_at"], columns["kind_rows"]
        wanted = kinds
    else:
        starts, members = columns["pair_rows_at"], columns["pair_rows"]
        wanted = kinds.take(columns["pair_kind"]) & features.take(columns["pair_feature"])
    if int(np.diff(starts).compress(wanted).sum()) > FEW:
        return None
    at = np.flatnonzero(wanted)
    rows = members.take(spans(starts[at], starts[at + 1]))
    rows.sort()
    return snapshot.rows_of(rows)


def places(snapshot: Snapshot, countries: Sequence[str], region: str | None) -> tuple[int, ...] | None:
    """The numbers of the lists asked for, shortest first; None when one of them has no plan at all."""
    found = [snapshot.country(code) for code in dict.fromkeys(countries)]
    if region is not None:
        found.append(snapshot.region(region))
    numbers = [number for number in found if number is not None]
    if len(numbers) < len(found):
        return None
    return tuple(sorted(numbers, key=lambda number: (snapshot.list_length(number), number)))


def kinds_of(snapshot: Snapshot, kinds_query: Kinds) -> Array:
    """For each kind, whether it will do."""
    return snapshot.memo(kinds_query, lambda: _kinds_of(snapshot, kinds_query))


def _kinds_of(snapshot: Snapshot, kinds_query: Kinds) -> Array:
    will = np.ones(snapshot.kinds, dtype=np.bool_) if kinds_query.triggers else ~snapshot.kind_trigger
    if kinds_query.scope is not None:
        will &= snapshot.columns["kind_scope"] == SCOPES.index(kinds_query.scope.value)
    if kinds_query.several:  # the coverages say so too, but later
        will &= snapshot.columns["kind_scope"] != SCOPES.index(Scope.COUNTRY.value)
    if kinds_query.min_data_mb is not None:
        will &= counted(snapshot, kinds_query.min_days) >= nominal_mb(kinds_query.min_data_mb)
    if kinds_query.unlimited is not None:
        will &= snapshot.kind_goes_on == kinds_query.unlimited
    if kinds_query.min_days is not None:
        will &= snapshot.kind_days >= kinds_query.min_days
    if kinds_query.max_days is not None:
        will &= snapshot.kind_days <= kinds_query.max_days
    return will


def totals(snapshot: Snapshot, days: int | None) -> Array:
    """Nominal MB of each kind, -1 when unlimited: a day's or month's amount counts for ``days``, or the plan's own."""
    if days is None:
        return snapshot.kind_total
    return snapshot.memo(("totals", days), lambda: over(snapshot.kind_mb, snapshot.kind_per, days))


def full_speed(snapshot: Snapshot, days: int | None) -> Array:
    """The same of the data at full speed: -1 where that is not stated, ``BOUNDLESS`` where nothing limits it."""
    those = snapshot.kind_days if days is None else days
    return snapshot.memo(("full speed", days), lambda: over(snapshot.kind_full_mb, snapshot.kind_full_per, those))


def counted(snapshot: Snapshot, days: int | None) -> Array:
    """The same as it counts against a need: what is assumed where nothing is stated."""
    those = snapshot.kind_days if days is None else days
    full = full_speed(snapshot, days)
    return snapshot.memo(("counted", days), lambda: np.where(full < 0, snapshot.assumed_mb_per_day * those, full))


def per_gb(snapshot: Snapshot, days: int | None) -> Array:
    """What a price per GB is of: the data at full speed; 0 or less where it has none."""
    full = full_speed(snapshot, days)
    return snapshot.memo(("per gb", days), lambda: np.where(full >= BOUNDLESS, -1, full))


def where(
    snapshot: Snapshot, numbers: tuple[int, ...], terms: tuple[str, ...], named: list[Array]
) -> tuple[Listing | All, Array | None, Array | None]:
    """(source, what it leaves open, the whole condition) for coverages in these lists that these words name."""
    if not numbers and not named:
        return snapshot.all, None, None
    if len(numbers) == 1 and not named:
        return snapshot.listing(numbers[0]), None, snapshot.covering(numbers[0])
    return snapshot.memo(("where", numbers, terms), lambda: _where(snapshot, numbers, named))


def _where(
    snapshot: Snapshot, numbers: tuple[int, ...], named: list[Array]
) -> tuple[Listing | All, Array | None, Array | None]:
    covers = _together(snapshot, numbers, named)
    if covers is None:
        raise AssertionError("some place was asked for")
    if int(snapshot.rows_of_cover[covers].sum()) <= FEW:
        rows = snapshot.rows_of_covers(np.flatnonzero(covers))
        return snapshot.rows_of(rows), None, covers
    around = numbers[:1] or _list_around(snapshot, covers)
    if not around:
        return snapshot.all, covers, covers
    same = bool((snapshot.covering(around[0]) == covers).all())
    return snapshot.listing(around[0]), None if same else covers, covers


def _list_around(snapshot: Snapshot, covers: Array) -> tuple[int, ...]:
    """The shortest country list that holds all of these coverages, if one does."""
    first = int(np.flatnonzero(covers)[0])
    start, end = snapshot.columns["cover_countries_at"][first : first + 2].tolist()
    countries = snapshot.columns["cover_countries"][start:end].tolist()
    for country in sorted(countries, key=snapshot.list_length):
        if not (covers & ~snapshot.covering(country)).any():
            return (country,)
    return ()


def _together(snapshot: Snapshot, numbers: tuple[int, ...], named: list[Array]) -> Array | None:
    conditions = [*(snapshot.covering(number) for number in numbers), *named]
    return np.logical_and.reduce(conditions) if conditions else None


def _spoken(
    snapshot: Snapshot, kinds: Array, terms: tuple[str, ...]
) -> tuple[Array, list[Array], tuple[tuple[Array, Array], ...]]:
    """The words laid upon kinds and coverages: (kinds, conditions on coverages, either-or conditions)."""
    named: list[Array] = []
    either: list[tuple[Array, Array]] = []
    for at, word in enumerate(terms):
        covers, alike = _word(snapshot, word, begins=at == len(terms) - 1)
        if alike.compress(kinds).all():
            continue
        if not covers.any():
            kinds = kinds & alike
        elif not alike.any():
            named.append(covers)
        else:
            either.append((covers, alike))
    return kinds, named, tuple(either)


def _word(snapshot: Snapshot, word: str, *, begins: bool) -> tuple[Array, Array]:
    return snapshot.memo(("word", word, begins), lambda: _find_word(snapshot, word, begins=begins))


def _find_word(snapshot: Snapshot, word: str, *, begins: bool) -> tuple[Array, Array]:
    places, amounts = snapshot.name_index
    covers = np.zeros(snapshot.covers, dtype=np.bool_)
    covers[list(places.having(word, begins=begins))] = True
    kinds = np.zeros(snapshot.kinds, dtype=np.bool_)
    kinds[list(amounts.having(word, begins=begins))] = True
    return covers, kinds
