"""One page of a list, in the API and in the code behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
U = TypeVar("U")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list.

    Attributes:
        data: The rows of this page.
        has_more: Whether another page follows.
        next_cursor: Send it as `cursor` for the next page; null on the last one.
    """

    data: list[T]
    has_more: bool
    next_cursor: str | None

    @classmethod
    def complete(cls, data: Iterable[T]) -> Page[T]:
        """A list that fits on one page."""
        return Page(list(data), has_more=False, next_cursor=None)

    def of(self, data: Iterable[U]) -> Page[U]:
        """The same page with these in place of its rows, such as the rows in another form."""
        return Page(list(data), self.has_more, self.next_cursor)

    def map(self, present: Callable[[T], U]) -> Page[U]:
        """The same page with each row in another form."""
        return self.of(map(present, self.data))
