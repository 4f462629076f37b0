"""Reads of one account at PikaSim: its orders and transactions, one by one and through their numbered pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from providers.kit.transport import Params, Priority, Transport, segment
from providers.pikasim import mapping, orders, wire
from providers.pikasim.history import MOST_PAGES, MOST_PAGES_OF_STATEMENT, History
from schemas.errors import NotFound, UnreadableAnswer
from schemas.order import PurchaseRequest

T = TypeVar("T")

PER_PAGE = 100  # the page's maximum for transactions; for orders it gives none
# Orders that only the transactions know of: more of them than this in one look would cost a minute's rate.
MOST_CANDIDATES = 10


class AccountReader:
    """Reads of one account. Every method raises ``SupplierError`` when it could not look."""

    def __init__(self, transport: Transport, headers: Mapping[str, str], supplier: str) -> None:
        self._transport = transport
        self._headers = headers
        self._supplier = supplier

    async def read(self, path: str, kind: type[wire.Answer[T]], priority: Priority, params: Params | None = None) -> T:
        """The ``data`` of one GET."""
        answer = await self._transport.read(
            path, kind, params=params, headers=self._headers, refusal=mapping.refusal, priority=priority, lax=True
        )
        return answer.data

    async def order(self, order_id: str) -> wire.Order | None:
        """One order by the supplier's id; None when it knows none of that id."""
        try:
            found = await self.read(f"/orders/{segment(order_id)}", wire.Answer[wire.Order], Priority.SETTLE)
        except NotFound:
            return None
        if found.order_id != order_id:
            raise self.unreadable("asked for one order, got another")
        return found

    async def orders_of(self, request: PurchaseRequest) -> list[wire.Order]:
        """Every order with exactly an attempt's reference: in the list since then, else behind a transaction."""
        since = request.signed_at - orders.CLOCKS_APART
        history = History(since)
        own: dict[str, wire.Order] = {}
        listed: set[str] = set()
        while (number := history.following) is not None:
            page = await self._page("/orders", wire.Answer[wire.OrderPage], number)
            with self.reading():
                rows = orders.rows(page.orders, request.reference)
                unread = [None] * (len(page.orders) - len(rows))
                history.take(number, page.pagination, [*(row.created_at for row in rows), *unread])
            listed.update(row.order_id for row in rows)
            own.update((row.order_id, row) for row in rows if row.external_order_id == request.reference)
        return list(own.values()) or await self._unlisted(request, listed)

    async def orders_since(self, since: datetime) -> AsyncGenerator[wire.Order, None]:
        """The orders in the list up to the page that reaches beyond ``since``, none of them twice."""
        history = History(since, MOST_PAGES_OF_STATEMENT)
        seen: set[str] = set()
        while (number := history.following) is not None:
            page = await self._page("/orders", wire.Answer[wire.OrderPage], number)
            with self.reading():
                rows = orders.rows(page.orders, "")
                history.take(number, page.pagination, [row.created_at for row in rows])
            for row in rows:
                if row.order_id not in seen:
                    seen.add(row.order_id)
                    yield row

    async def ledger(
        self, since: datetime, most: int = MOST_PAGES_OF_STATEMENT
    ) -> AsyncGenerator[wire.LedgerEntry, None]:
        """The transactions, newest first, up to the page that reaches beyond ``since``, none of them twice."""
        history = History(since, most)
        seen: set[str] = set()
        while (number := history.following) is not None:
            page = await self._page("/transactions", wire.Answer[wire.LedgerPage], number)
            with self.reading():
                entries = orders.entries(page)
                history.take(number, page.pagination, [entry.created_at for entry in entries])
            for entry in entries:
                if str(entry.id) not in seen:
                    seen.add(str(entry.id))
                    yield entry

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What cannot be read in here is an unreadable answer."""
        try:
            yield
        except (ValueError, RecursionError) as error:
            raise self.unreadable(str(error)) from None

    def unreadable(self, detail: str) -> UnreadableAnswer:
        """The error for an answer that is not what was asked for."""
        return UnreadableAnswer(self._transport.redact(detail), supplier=self._supplier)

    async def _unlisted(self, request: PurchaseRequest, listed: set[str]) -> list[wire.Order]:
        """The attempt's order among the charges that the list does not show yet, those nearest in time first."""
        since = request.signed_at - orders.CLOCKS_APART
        moved = [entry async for entry in self.ledger(since, MOST_PAGES)]
        charged = [entry for entry in moved if entry.amount < 0 and entry.order_id not in listed]
        charged.sort(key=lambda entry: abs(orders.utc(entry.created_at) - request.signed_at))
        candidates = [name for name in dict.fromkeys(entry.order_id for entry in charged) if name]
        for order_id in candidates[:MOST_CANDIDATES]:
            found = await self.order(order_id)
            if found is not None and found.external_order_id == request.reference:
                return [found]
        if len(candidates) > MOST_CANDIDATES:
            raise self.unreadable(f"{len(candidates)} charges whose orders are not listed yet: too many to look at")
        return []

    async def _page(self, path: str, kind: type[wire.Answer[T]], number: int) -> T:
        return await self.read(path, kind, Priority.SETTLE, {"page": number, "limit": PER_PAGE})
