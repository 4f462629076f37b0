"""The clerk brings every sale to its end: sends it, looks what became of it, and looks again.

Everything is in the book, so a shop that was killed at any moment goes on where it was. Events of the gateway only
make a sale due; what is so is what the gateway answers when it is asked.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

from .book import Book, Sale, State
from .gateway import Gateway, GatewayProblem, NoAnswer

log = logging.getLogger(__name__)

_SOONEST_SECONDS, _LATEST_SECONDS = 2.0, 900.0
_LOOKS_PER_AGE = 4  # the older a sale, the more rarely: after eight minutes every two
_IDLE_SECONDS = 1.0
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
_OF_CHECKOUTS: dict[str, State] = {
    "creating": "sending",
    "open": "to_pay",
    "paid": "preparing",
    "fulfilled": "preparing",
    "needs_review": "in_review",
    "expired": "expired",
    "closed": "cancelled",
}


class Clerk:
    """Works on the sales that are due, one after the other, until it is stopped."""

    def __init__(self, book: Book, gateway: Gateway) -> None:
        self._book, self._gateway = book, gateway
        self._bell = asyncio.Event()

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
        """Take a sale one step on: send it, or ask what became of it."""
        now = time.time()
        wait = min(max((now - sale.made_at) / _LOOKS_PER_AGE, _SOONEST_SECONDS), _LATEST_SECONDS)
        # Before the look, not after it: an event that comes meanwhile makes the sale due once more.
        sale = self._book.change(sale.id, look_at=now + wait)
        try:
            return await self._step(sale)
        except NoAnswer as silence:
            log.warning("sale %s: %s", sale.reference, silence)
        except GatewayProblem as problem:
            if sale.state == "sending" and problem.status not in _OURS:
                return self._book.change(sale.id, state="refused", detail=problem.detail, body="")
            log.error("sale %s: %s", sale.reference, problem)  # noqa: TRY400 - all is said
        return sale

    async def _step(self, sale: Sale) -> Sale:
        if sale.over:
            return sale
        if sale.state == "sending":
            # The first time or the tenth: the same body under the same key is the same sale.
            return self._told(sale, await self._gateway.spend(sale.path, json.loads(sale.body), sale.reference))
        if sale.order_id is None:
            return self._told(sale, await self._gateway.get(f"/v1/checkouts/{sale.checkout_id}"))
        return self._told(sale, await self._gateway.get(f"/v1/orders/{sale.order_id}"))

    def _told(self, sale: Sale, answer: dict[str, Any]) -> Sale:
        """Write down what the gateway says of a sale: its order, or the payment link that comes before it."""
        known: dict[str, Any] = {
            "title": answer["plan"]["name"],
            "price": f"{answer['price']['amount']} {answer['price']['currency']}",
            "body": "",  # the gateway has it now, the e-mail address included
        }
        if answer["id"].startswith("ord_"):
            known |= {"order_id": answer["id"], "state": _OF_ORDERS.get(answer["status"], "preparing")}
            known["detail"] = (answer["failure"] or {}).get("detail", "")
        else:
            known |= {"checkout_id": answer["id"], "payment_url": answer["payment_url"] or ""}
            known |= {"order_id": answer["order_id"], "state": _OF_CHECKOUTS.get(answer["status"], "to_pay")}
        return self._book.change(sale.id, **known)
