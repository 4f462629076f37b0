"""The clerk brings every sale to its end: sends it, looks what became of it, and looks again.

Everything is in the book, so a shop that was killed at any moment goes on where it was. Events of the gateway only
make a sale due; what is so is what the gateway answers when it is asked.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any, Literal
from weakref import WeakValueDictionary

from esim_gateway_client import ApiError, AsyncGateway, NoAnswerError, models

from .book import Book, Sale, State

log = logging.getLogger(__name__)

# The older a sale, the more rarely it is looked at: after eight minutes every two, for a month.
_SOONEST_SECONDS, _AGE_PER_LOOK, _LONGEST_SECONDS = 2.0, 4, 30 * 86400.0
_IDLE_SECONDS = 1.0
WAIT_SECONDS = 5  # most orders are delivered by then, and the customer's page has the eSIM at once
# Not the sale's fault: the key is wrong or asks too often. It stays as it is until somebody has put that right.
_OURS = frozenset({401, 403, 408, 425, 429})

_OF_ORDERS: dict[str, State] = {
    "pending": "preparing",
    "fulfilled": "ready",
    "failed": "failed",
    "needs_review": "in_review",
    "cancel_pending": "preparing",
    "cancelled": "cancelled",
}
# Before there is an order. Money that comes late or twice goes to an operator of the gateway, who may still place it.
_OF_CHECKOUTS: dict[str, State] = {
    "creating": "sending",
    "open": "to_pay",
    "paid": "preparing",
    "needs_review": "in_review",
    "expired": "expired",
    "failed": "refused",
    "closed": "cancelled",
}


class Clerk:
    """Works on the sales that are due, one after the other, until it is stopped."""

    def __init__(self, book: Book, gateway: AsyncGateway) -> None:
        self._book, self._gateway = book, gateway
        self._bell = asyncio.Event()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def ring(self) -> None:
        """Something is due."""
        self._bell.set()

    async def run(self) -> None:
        while True:
            self._bell.clear()
            for sale in self._book.due():
                try:
                    await self.attend(sale)
                except Exception:
                    log.exception("sale %s is looked at again later", sale.reference)
            try:
                await asyncio.wait_for(self._bell.wait(), _IDLE_SECONDS)
            except TimeoutError:
                continue

    async def attend(self, sale: Sale) -> Sale:
        """Take a sale one step on, one at a time: send it, or ask what became of it."""
        lock = self._locks.setdefault(sale.id, asyncio.Lock())
        async with lock:
            now = time.time()
            age = now - sale.made_at
            wait = max(age / _AGE_PER_LOOK, _SOONEST_SECONDS) if age < _LONGEST_SECONDS else _LONGEST_SECONDS
            # Before the look, not after it: an event that comes meanwhile makes the sale due once more.
            sale = self._book.change(sale.id, look_at=now + wait)
            try:
                return await self._step(sale)
            except NoAnswerError as silence:
                log.warning("sale %s: %s", sale.reference, silence)
            except ApiError as problem:
                if sale.state == "sending" and problem.is_outcome_known and problem.status not in _OURS:
                    return self._book.change(sale.id, state="refused", detail=problem.detail or "", body="")
                log.error("sale %s: %s", sale.reference, problem)  # noqa: TRY400 - all is said
            return sale

    async def _step(self, sale: Sale) -> Sale:
        if sale.order_id is None and sale.checkout_id is not None:
            sale = self._paying(sale, await self._gateway.checkouts.get(sale.checkout_id))
        elif sale.order_id is None and sale.state == "sending":
            # The first time or the tenth: the same body under the same key is the same sale.
            body, key = json.loads(sale.body), sale.reference
            if sale.operation != "checkout":
                return self._ordered(sale, await self._order(sale.operation, body, key))
            sale = self._paying(sale, await self._gateway.checkouts.create(**body, idempotency_key=key))
        if sale.order_id is not None:
            return self._ordered(sale, await self._gateway.orders.get(sale.order_id))
        return sale

    async def _order(self, operation: Literal["order", "topup"], body: dict[str, Any], key: str) -> models.Order:
        if operation == "order":
            return await self._gateway.orders.create(**body, idempotency_key=key, wait=WAIT_SECONDS)
        esim_id = body.pop("esim_id")
        return await self._gateway.esims.top_up(esim_id, **body, idempotency_key=key, wait=WAIT_SECONDS)

    def _paying(self, sale: Sale, checkout: models.Checkout) -> Sale:
        return self._book.change(
            sale.id,
            **_terms(checkout),
            checkout_id=checkout.id,
            payment_url=checkout.payment_url or "",
            order_id=checkout.order_id,
            state="preparing" if checkout.order_id else _OF_CHECKOUTS.get(checkout.status, "in_review"),
        )

    def _ordered(self, sale: Sale, order: models.Order) -> Sale:
        return self._book.change(
            sale.id,
            **_terms(order),
            order_id=order.id,
            state=_OF_ORDERS.get(order.status, "in_review"),
            detail=(order.failure.detail if order.failure else None) or "",
        )


def _terms(answer: models.Checkout | models.Order) -> dict[str, str]:
    """What was sold for how much, in the gateway's words. What was sent is there now, so the e-mail address goes."""
    title = answer.plan.name if answer.plan else ""
    return {"title": title, "price": f"{answer.price.amount} {answer.price.currency}", "body": ""}
