"""What stands for each plan among the offers with certain features or networks, of those often asked for.

It takes milliseconds to work out, so that is done beside the answers; until then each answer finds it for its own rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from gateway.catalog.index.feature_masks import FeatureFilter, offers_with
from gateway.catalog.index.stock import Stock

OFTEN = 8  # so many questions make it worth while
MOST_BYTES = 2**25  # of what stands; what is asked most comes first
_MOST_COUNTED = 256  # of these that are counted at a time


class Featured:
    """Made of the stock of all offers, for features that are often asked for."""

    def __init__(self, stock: Stock) -> None:
        self._stock = stock
        self._most = MOST_BYTES // max(1, 4 * stock.snapshot.rows + 12 * stock.snapshot.plans)
        self._questions: Counter[FeatureFilter] = Counter()
        self._made: dict[FeatureFilter, Stock] = {}

    def stock(self, features: FeatureFilter) -> Stock | None:
        """The stock among these offers, where it is known."""
        if len(self._questions) >= _MOST_COUNTED and features not in self._questions:
            self._questions = _halved(self._questions)
        self._questions[features] += 1
        return self._made.get(features)

    @property
    def ready(self) -> set[FeatureFilter]:
        """What is known."""
        return {*self._made}

    @property
    def lacking(self) -> list[FeatureFilter]:
        """What is asked for often and not known yet, the most often first."""
        more = max(0, self._most - len(self._made))
        questions = [(count, features) for features, count in [*self._questions.items()]]
        often = [pair for pair in questions if pair[0] >= OFTEN and pair[1] not in self._made]
        return [features for _, features in sorted(often, key=lambda pair: -pair[0])][:more]

    def make(self, lacking: Iterable[FeatureFilter], known: Mapping[FeatureFilter, Stock] | None = None) -> None:
        """Work these out, from what was ``known`` where little changed; answers may be given meanwhile."""
        stock = self._stock
        for features in lacking:
            before = None if known is None else known.get(features)
            only = offers_with(stock.snapshot, features)
            self._made[features] = Stock(stock.snapshot, stock.live, (stock.key, features), before, only)

    def make_as(self, before: Featured) -> None:
        """Work out what another knew; what is asked for no longer counts less each time, until it is let go."""
        self._questions = _halved(before._questions)
        self.make([features for features in before.ready if features in self._questions], before._made)


def _halved(questions: Counter[FeatureFilter]) -> Counter[FeatureFilter]:
    return Counter({features: count // 2 for features, count in [*questions.items()] if count > 1})
