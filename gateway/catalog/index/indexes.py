"""One mode's catalogue for every storefront: an index for each rule set, those with equal rules sharing one."""

from __future__ import annotations

from collections import OrderedDict

from gateway.catalog.index.featured import MOST_BYTES
from gateway.catalog.index.index import Index
from gateway.catalog.index.overlay import OverlayState
from gateway.catalog.index.rule_prices import MAX_SETS
from gateway.catalog.index.snapshot import Snapshot
from gateway.pricing.pricing_rules import RuleSets


class Indexes:
    """``shared`` is for storefronts without rules of their own; the others' are made when first asked for.

    The least used of too many is let go.
    """

    def __init__(self, snapshot: Snapshot, now: OverlayState, sets: RuleSets, before: Indexes | None = None) -> None:
        self.snapshot = snapshot
        self.standing = now
        self.sets = sets
        rule_sets = {rules.digest for rules in (sets.shared, *sets.own.values())}
        self._featured_bytes = MOST_BYTES // min(len(rule_sets), MAX_SETS)
        known = None if before is None else before.shared
        self.shared: Index = Index(snapshot, now, sets.shared, known, self._featured_bytes)
        self._own: OrderedDict[str, Index] = OrderedDict()

    def of(self, storefront_id: str | None) -> Index:
        """The catalogue of a storefront."""
        if not self.sets.own:
            return self.shared
        rules = self.sets.own.get(storefront_id) if storefront_id is not None else None
        if rules is None or rules.digest == self.shared.rules.digest:
            return self.shared
        found = self._own.get(rules.digest)
        if found is None:
            found = self._own[rules.digest] = Index(
                self.snapshot, self.standing, rules, self.shared, self._featured_bytes
            )
            if len(self._own) > MAX_SETS - 1:
                self._own.popitem(last=False)
        else:
            self._own.move_to_end(rules.digest)
        return found

    @property
    def ready(self) -> tuple[Index, ...]:
        """Those that were asked for."""
        return (self.shared, *self._own.values())

    @property
    def used(self) -> tuple[str, ...]:
        """The storefronts with rules of their own whose catalogue stands ready."""
        return tuple(storefront_id for storefront_id, rules in self.sets.own.items() if rules.digest in self._own)

    def warm(self, before: Indexes | None = None) -> None:
        """Work out beforehand what the first questions would have to wait for, of all that was used ``before``."""
        self.shared.warm()
        if before is None:
            return
        followed: dict[Index, set[Index]] = {}  # many storefronts may have the same one
        for storefront in (None, *before.used):
            followed.setdefault(self.of(storefront), set()).add(before.of(storefront))
        for index, known in followed.items():
            for other in known:
                index.warm_as(other)
            index.featured.take_over(other.featured for other in known)
