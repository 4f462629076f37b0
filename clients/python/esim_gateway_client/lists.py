"""Lists of any length: iterate over the rows, and the pages are fetched as they are needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from .calls import Call


class Page(Protocol):
    """What every answer with a list holds."""

    @property
    def data(self) -> Sequence[Any]:
        """The rows."""


T = TypeVar("T")
RowT = TypeVar("RowT")
PageT = TypeVar("PageT", bound=Page)


class Send(Protocol):
    """Makes a call."""

    def __call__(self, call: Call[T], /) -> T:
        """The answer."""


class AsyncSend(Protocol):
    """Makes a call."""

    async def __call__(self, call: Call[T], /) -> T:
        """The answer."""


class Listing(Generic[RowT, PageT]):
    """The rows of a list. Nothing is fetched before the first one is asked for; each iteration begins anew."""

    def __init__(self, send: Send, call: Call[PageT]) -> None:
        self._send = send
        self._call = call

    def pages(self) -> Iterator[PageT]:
        """Page by page, with what stands beside the rows."""
        call: Call[PageT] | None = self._call
        while call is not None:
            page = self._send(call)
            yield page
            call = _next_call(call, page)

    def __iter__(self) -> Iterator[RowT]:
        for page in self.pages():
            yield from page.data


class AsyncListing(Generic[RowT, PageT]):
    """The rows of a list. Nothing is fetched before the first one is asked for; each iteration begins anew."""

    def __init__(self, send: AsyncSend, call: Call[PageT]) -> None:
        self._send = send
        self._call = call

    async def pages(self) -> AsyncIterator[PageT]:
        """Page by page, with what stands beside the rows."""
        call: Call[PageT] | None = self._call
        while call is not None:
            page = await self._send(call)
            yield page
            call = _next_call(call, page)

    async def __aiter__(self) -> AsyncIterator[RowT]:
        async for page in self.pages():
            for row in page.data:
                yield row


def _next_call(call: Call[PageT], page: PageT) -> Call[PageT] | None:
    """The call for the page behind this one; None behind the last. A list that is never cut has no cursor."""
    cursor = getattr(page, "next_cursor", None)
    return None if cursor is None else replace(call, query={**call.query, "cursor": cursor})
