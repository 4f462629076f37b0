"""Whether a walk through PikaSim's numbered pages was whole. Pure.

The pages are fetched while the list may change. A walk counts only if every page agrees on the
totals, none repeats another, and all rows came.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from providers.kit.unmapped import UNNAMED
from providers.pikasim.wire import Pagination
from schemas.errors import UnreadableAnswer

# At 200 packages a page far more than any supplier has; a number beyond it is a fault.
MOST_PAGES = 10_000


class Walk:
    """One walk, opened by its first page. Its methods raise ``UnreadableAnswer`` once it cannot be whole."""

    def __init__(self, first: Pagination) -> None:
        if first.total < 0 or first.limit < 1:
            raise UnreadableAnswer(f"impossible pagination: {first}")
        needed = -(-first.total // first.limit)
        if first.pages not in (needed, max(1, needed)) or needed > MOST_PAGES:
            raise UnreadableAnswer(f"{first.total} packages do not fill {first.pages} pages of {first.limit}")
        self.total = first.total
        self.pages = max(1, needed)
        self._stated = first
        # Eight bytes a package: twenty walks at once hold a whole market between them.
        self._codes: dict[int, array[int]] = {}
        self._rows = 0

    def take(self, number: int, stated: Pagination, codes: Iterable[str]) -> None:
        """Count the packages of page ``number``.

        A code twice on one page is no fault of the walk, nor are equal packages without any code.
        """
        if stated.page != number:
            raise UnreadableAnswer(f"asked for page {number}, got page {stated.page}")
        if (stated.total, stated.pages, stated.limit) != (self._stated.total, self._stated.pages, self._stated.limit):
            raise UnreadableAnswer(f"the catalogue changed during the walk: {self._stated}, then {stated}")
        some = list(codes)
        self._rows += len(some)
        self._codes[number] = array("q", {hash(code) for code in some if not code.startswith(UNNAMED)})

    def finish(self) -> None:
        """Hold the number of rows against the total, and the pages against each other."""
        page_of: dict[int, int] = {}
        for number, codes in self._codes.items():
            for code in codes:
                if (before := page_of.setdefault(code, number)) != number:
                    raise UnreadableAnswer(f"a package stands on page {before} and on page {number}")
        if self._rows != self.total:
            raise UnreadableAnswer(f"the walk is not whole: {self._rows} packages of {self.total}")
