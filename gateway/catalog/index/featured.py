"""What stands for each plan among the offers with certain features or networks, of those often asked for.

It takes milliseconds to work out, so that is done beside the answers; until then each answer finds it for its own rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping

from gateway.catalog.index.feature_masks import FeatureFilter, offers_with
from gateway.catalog.index.stock import Stock

OFTEN = 8  # so many questions make it worth while
MOST_BYTES = 2**25  # of what stands for one mode, all rule sets together; what is asked most comes first
_WINDOW = 4096  # questions; what was asked before counts half
_MOST_COUNTED = 256  # filters that are counted at a time


class Featured:
    """Made of the stock of all offers, for features that are often asked for, within so many bytes.

    ``questions`` counts what was asked lately, ``made`` is what is known.
    """

    def __init__(self, stock: Stock, most_bytes: int = MOST_BYTES) -> None:
        self._stock = stock
        self._most = most_bytes // max(1, 4 * stock.snapshot.rows + 12 * stock.snapshot.plans)
        self.questions: Counter[FeatureFilter] = Counter()
        self._counted = 0
        self.made: dict[FeatureFilter, Stock] = {}

    def stock(self, features: FeatureFilter) -> Stock | None:
        """The stock among these offers, where it is known."""
        full = features not in self.questions and len(self.questions) >= _MOST_COUNTED
        if full or self._counted >= _WINDOW:
            self.questions, self._counted = _halved(self.questions), 0
        self.questions[features] += 1
        self._counted += 1
        return self.made.get(features)

    @property
    def lacking(self) -> list[FeatureFilter]:
        """What is asked for often and should be known, and is not, the most often first."""
        return [features for features in self._asked_most(self.made) if features not in self.made]

    def make(self, lacking: Iterable[FeatureFilter], known: Mapping[FeatureFilter, Stock] | None = None) -> None:
        """Work these out, from what was ``known`` where little changed; answers may be given meanwhile."""
        stock = self._stock
        for features in lacking:
            before = None if known is None else known.get(features)
            only = offers_with(stock.snapshot, features)
            self.made[features] = Stock(stock.snapshot, stock.live, (stock.key, features), before, only)
        if len(self.made) > self._most:
            asked_most = self._asked_most(self.made)
            self.made = {features: made for features, made in self.made.items() if features in asked_most}

    def take_over(self, before: Iterable[Featured]) -> None:
        """Work out what others knew that stood where this stands now; what they were asked counts half."""
        known: dict[FeatureFilter, Stock] = {}
        for other in before:
            self.questions.update(_halved(other.questions))
            known.update(other.made)
        self._counted = self.questions.total()
        self.make([features for features in self._asked_most(known) if features in known], known)

    def _asked_most(self, made: Container[FeatureFilter]) -> list[FeatureFilter]:
        """As many as there may be; what is made gives way to what is asked for twice as often."""
        ranks = {
            features: 2 * count if features in made else count
            for features, count in [*self.questions.items()]
            if features in made or count >= OFTEN
        }
        return sorted(ranks, key=lambda features: -ranks[features])[: self._most]


def _halved(questions: Counter[FeatureFilter]) -> Counter[FeatureFilter]:
    return Counter({features: count // 2 for features, count in [*questions.items()] if count > 1})
