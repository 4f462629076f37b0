"""Which sets of features, and which sets of networks, have what is asked for; each is decided once and remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gateway.catalog.index.layout import Array
from gateway.catalog.index.snapshot import Snapshot
from schemas.features import FactRule, NetworkRule, Requirement, Wanted, requirements


class FeatureFilter(NamedTuple):
    """What is asked of an offer's features and networks; the latter in each of ``countries``, if any are named."""

    wanted: Wanted
    countries: tuple[str, ...]


def feature_filter(wanted: Wanted, countries: Sequence[str]) -> FeatureFilter | None:
    """Equal for questions that the same offers meet; None where any offer does."""
    rules = [requirement.rule for requirement in requirements(wanted)]
    of_networks = any(not isinstance(rule, FactRule) for rule in rules)
    return FeatureFilter(wanted, tuple(sorted(set(countries))) if of_networks else ()) if rules else None


def masks_of(snapshot: Snapshot, features: FeatureFilter) -> dict[str, Array]:
    """For each set of features ("feature") and of networks ("network"), where these matter, whether it will do."""
    found: dict[str, Array] = {}
    for requirement in requirements(features.wanted):
        name = "feature" if isinstance(requirement.rule, FactRule) else "network"
        mask = having(snapshot, requirement, features.countries)
        found[name] = found[name] & mask if name in found else mask
    return found


def offers_with(snapshot: Snapshot, features: FeatureFilter) -> Array:
    """For each row, whether its offer will do."""
    masks = [mask.take(snapshot.columns[name]) for name, mask in masks_of(snapshot, features).items()]
    return np.asarray(np.logical_and.reduce(masks))


def having(snapshot: Snapshot, requirement: Requirement, countries: Sequence[str]) -> Array:
    """For each set of features, or of networks where the rule is of these, whether it has what is asked for."""
    name, rule, value = requirement
    if isinstance(rule, FactRule):
        return snapshot.memo(("feature", name, value), lambda: _of_features(snapshot, rule, value))
    where = tuple(sorted(set(countries)))
    return snapshot.memo(("networks", name, value, where), lambda: _of_networks(snapshot, rule, value, where))


def _of_features(snapshot: Snapshot, rule: FactRule, value: Any) -> Array:
    stated = snapshot.features
    return np.fromiter((rule.met(features, value) for features in stated), dtype=np.bool_, count=len(stated))


def _of_networks(snapshot: Snapshot, rule: NetworkRule, value: Any, countries: tuple[str, ...]) -> Array:
    known, columns = snapshot.networks, snapshot.columns
    one_by_one = np.fromiter((rule.met(network, value) for network in known), dtype=np.bool_, count=len(known))
    starts = columns["members_at"]
    owner = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    good = one_by_one.take(columns["member"])
    if not countries:
        return _owners(owner[good], len(starts) - 1)
    everywhere = np.ones(len(starts) - 1, dtype=np.bool_)
    for code in countries:
        number = snapshot.country(code)
        there = good & (columns["member_country"] == number) if number is not None else np.zeros_like(good)
        everywhere &= _owners(owner[there], len(starts) - 1)
    return everywhere


def _owners(owners: Array, count: int) -> Array:
    mask = np.zeros(count, dtype=np.bool_)
    mask[owners] = True
    return mask
