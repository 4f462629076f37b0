"""Reading a page of items, leaving out those that a sync mapped before and that came again as they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import Raw

from providers.contract import CatalogPage, Recall
from providers.kit.unmapped import Once, contradictory
from schemas.plan import Offer, SetAside


@dataclass(frozen=True, slots=True)
class Reading:
    """A page as it was read: what to yield of it, and the id of every item on it."""

    page: CatalogPage
    ids: tuple[str, ...]


class Reader:
    """Reads the pages of one walk.

    ``read`` maps an item and never raises; ``id_of`` is the id alone, as ``read`` would give it, and is
    asked only for items that were read before.
    """

    def __init__(self, read: Callable[[Raw], Offer | SetAside], id_of: Callable[[Raw], str], recall: Recall) -> None:
        self._read = read
        self._id_of = id_of
        self._recall = recall
        self._once = Once()

    def __call__(self, raws: Sequence[Raw], total: int | None = None) -> Reading:
        """The items of a page; an id that came before with other content is unmapped as ``Once`` does."""
        ids: list[str] = []
        found: list[Offer | SetAside | None] = []  # None: it was mapped before
        for raw, known in zip(raws, self._recall(raws), strict=True):
            item = None if known else self._read(raw)
            ids.append(self._id_of(raw) if item is None else item.supplier_plan_id)
            found.append(item)
        rows = [
            (contradictory(item, raw) if contradicts else item, raw)
            for item, raw, contradicts in zip(found, raws, self._once.contradict(ids, raws), strict=True)
            if item is not None
        ]
        offers = [(row, raw) for row, raw in rows if isinstance(row, Offer)]
        page = CatalogPage(
            offers=tuple(row for row, _ in offers),
            set_aside=tuple(row for row, _ in rows if isinstance(row, SetAside)),
            total=total,
            raws=tuple(bytes(raw) for _, raw in offers),
            recalled=len(raws) - len(rows),
        )
        return Reading(page, tuple(ids))
