"""From a query's filters to conditions on rows: which kinds, coverages, features, networks, words and times will do."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import NamedTuple

import numpy as np

from gateway.catalog.index import feature_masks
from gateway.catalog.index.amounts import counted
from gateway.catalog.index.feature_masks import FeatureFilter
from gateway.catalog.index.layout import Array
from gateway.catalog.index.name_index import MAX_WORDS, terms_of
from gateway.catalog.index.query import PlanQuery, QueryError
from gateway.catalog.index.row_order import Condition
from gateway.catalog.index.snapshot import Snapshot, micros
from gateway.catalog.index.tables import SCOPES
from schemas.plan import Scope, nominal_mb


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
    """What is asked of rows, and of that what offers of one plan may differ in: kinds, and what they include.

    ``kinds`` tells of each kind whether it will do; ``differs`` says that some plan may have offers of one that will
    and others of one that will not. ``included`` are the conditions on features and networks, those of ``features``.
    ``days`` is what daily amounts count for. ``shortest`` is the condition that lists the fewest rows, ``share`` about
    the part of all rows that meets the whole.
    """

    conditions: tuple[Condition, ...]
    included: tuple[Condition, ...]
    features: FeatureFilter | None
    shortest: Condition | None
    share: float
    kinds: Array
    differs: bool
    days: int | None

    def offers(self, snapshot: Snapshot, rows: Array) -> Array:
        """Of rows of plans that will do, which offers will: a mask."""
        mask = self.kinds.take(snapshot.kind.take(rows))
        for condition in self.included:
            mask &= condition.holds(rows)
        return mask


def filter_of(snapshot: Snapshot, query: PlanQuery) -> Filter | None:
    """The filter of a query, but for its price; None when nothing can meet it. Raises ``QueryError``."""
    if query.region is not None and snapshot.region(query.region) is None:
        raise QueryError("region", f"no region {query.region!r}")
    several = len(set(query.countries)) > 1
    kinds_query = Kinds(
        query.scope, query.min_data_mb, query.unlimited, query.min_days, query.max_days, several, query.triggers
    )
    key = (kinds_query, query.countries, query.region, query.q, query.wanted, query.updated_since)
    return snapshot.memo(("filter", *key), lambda: _filter_of(snapshot, query, kinds_query))


def _filter_of(snapshot: Snapshot, query: PlanQuery, kinds_query: Kinds) -> Filter | None:
    numbers = places(snapshot, query.countries, query.region)
    terms = tuple(terms_of(query.q)[:MAX_WORDS]) if query.q is not None else ()
    if numbers is None or (query.q is not None and query.q.strip() and not terms):
        return None
    kinds, named, either = _spoken(snapshot, kinds_of(snapshot, kinds_query), terms)
    where = [*(snapshot.covering(number) for number in numbers), *named]
    covers = reduce(and_, where) if where else None
    features = feature_masks.feature_filter(query.wanted, query.countries)
    masks = {} if features is None else feature_masks.masks_of(snapshot, features)
    if not all(mask.any() for mask in (kinds, covers, *masks.values()) if mask is not None):
        return None
    conditions = []
    if covers is not None:
        conditions.append(_on_covers(snapshot, ("covers", numbers, terms), covers))
    if not kinds.all():
        conditions.append(_on_kinds(snapshot, ("kinds", kinds_query, terms), kinds))
    conditions += [_either(snapshot, ("either", terms, at), *masks) for at, masks in enumerate(either)]
    if query.updated_since is not None:
        conditions.append(_since(snapshot, snapshot.plans_since(query.updated_since), micros(query.updated_since)))
    included = tuple(_on(snapshot, name, (name, features), mask) for name, mask in masks.items())
    first, second = snapshot.kinds_together
    differs = bool((kinds.take(first) != kinds.take(second)).any())
    lists = [condition for condition in conditions if condition.rows is not None]
    shortest = min(lists, key=lambda condition: condition.size, default=None)
    share = math.prod(condition.size / snapshot.rows for condition in (*conditions, *included))
    return Filter(tuple(conditions), included, features, shortest, share, kinds, differs, query.min_days)


def _on(snapshot: Snapshot, name: str, key: Hashable, mask: Array) -> Condition:
    column = snapshot.columns[name]
    size = int(snapshot.sizes[name].compress(mask).sum())
    return Condition(key, lambda rows: mask.take(column.take(rows)), size)


def _on_covers(snapshot: Snapshot, key: Hashable, mask: Array) -> Condition:
    return _on(snapshot, "cover", key, mask)._replace(rows=lambda: snapshot.rows_of_covers(np.flatnonzero(mask)))


def _on_kinds(snapshot: Snapshot, key: Hashable, mask: Array) -> Condition:
    return _on(snapshot, "kind", key, mask)._replace(rows=lambda: snapshot.rows_of_kinds(np.flatnonzero(mask)))


def _either(snapshot: Snapshot, key: Hashable, covers: Array, kinds: Array) -> Condition:
    """For a word that names a place as well as an amount: one of the two must do."""
    both = _on_covers(snapshot, key, covers), _on_kinds(snapshot, key, kinds)
    return Condition(
        key,
        lambda rows: both[0].holds(rows) | both[1].holds(rows),
        both[0].size + both[1].size,
        lambda: np.union1d(*(part.listed() for part in both)),
    )


def _since(snapshot: Snapshot, touched: Array, since: int) -> Condition:
    """``touched`` are the plans that changed since then."""
    return Condition(
        ("since", since),
        lambda rows: snapshot.updated.take(snapshot.plan.take(rows)) >= since,
        len(touched) * snapshot.rows // max(1, snapshot.plans),
        lambda: snapshot.rows_of_plans(np.sort(touched)),
    )


def places(snapshot: Snapshot, countries: Sequence[str], region: str | None) -> tuple[int, ...] | None:
    """The numbers of the lists asked for, ascending; None when one of them has no plan at all."""
    found = [snapshot.country(code) for code in dict.fromkeys(countries)]
    if region is not None:
        found.append(snapshot.region(region))
    numbers = [number for number in found if number is not None]
    if len(numbers) < len(found):
        return None
    return tuple(sorted(numbers))


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
