"""How far a search through PikaSim's numbered lists of orders and transactions has to go. Pure.

Its page does not say in which order they come. As long as they come newest first, a search ends with the
page that reaches beyond the time that is looked back to; otherwise it goes to the end, which counts only
when every row came that the list says it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from providers.pikasim.orders import utc
from providers.pikasim.wire import Pagination

# At 100 rows a page; a search that finds no end by then says so. A statement may be longer: a month of a busy shop.
MOST_PAGES = 100
MOST_PAGES_OF_STATEMENT = 1_000


class History:
    """One search back to ``since``. ``following`` is the page to ask for next, None when it is over."""

    def __init__(self, since: datetime, most: int = MOST_PAGES) -> None:
        self.following: int | None = 1
        self._most = most
        self._since = since
        self._last: datetime | None = None
        self._newest_first = True
        self._rows = 0

    def take(self, number: int, stated: Pagination, times: Iterable[datetime | None]) -> None:
        """Take note of page ``number``. Raises ``ValueError`` when it is another page, rows lack or there is no end.

        Rows that come in while the list is walked move others to the next page, so none is missed.
        """
        if stated.page != number:
            raise ValueError(f"asked for page {number}, got page {stated.page}")
        if stated.limit < 1 or stated.total > stated.limit * stated.pages:
            raise ValueError(f"{stated.total} rows do not fit {stated.pages} pages of {stated.limit}")
        before = self._rows
        for at in times:
            self._rows += 1
            moment = None if at is None else utc(at)
            if moment is None or (self._last is not None and moment > self._last):
                self._newest_first = False
            self._last = moment
        reached = self._newest_first and self._last is not None and self._last < self._since
        if reached:
            self.following = None
        elif self._rows == before and number <= stated.pages:
            raise ValueError(f"page {number} of {stated.pages} is empty")
        elif number >= stated.pages:
            if self._rows < stated.total:
                raise ValueError(f"{self._rows} rows of {stated.total}")
            self.following = None
        elif number >= self._most:
            raise ValueError(f"no end after {self._most} pages")
        else:
            self.following = number + 1
