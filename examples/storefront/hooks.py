"""Events from the gateway: verified as Standard Webhooks says, noted once, answered at once, and then acted on."""

from __future__ import annotations

import logging

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from .book import Book
from .clerk import Clerk
from .gateway import Gateway

log = logging.getLogger(__name__)

PATH = "/gateway-events"
EVENTS = (
    "checkout.paid",
    "checkout.expired",
    "checkout.needs_review",
    "order.fulfilled",
    "order.failed",
    "order.needs_review",
    "order.cancelled",
    "topup.completed",
)


class Ear:
    """Where the gateway's events come in."""

    def __init__(self, book: Book, gateway: Gateway, clerk: Clerk, url: str) -> None:
        self._book, self._gateway, self._clerk, self._url = book, gateway, clerk, url

    async def ask_for_events(self) -> None:
        """Have the gateway send its events here.

        The secret is shown once and kept in the book. Where it was lost (another book, the same address) the
        endpoint gets a new one. Raises what the gateway's client raises; without events the shop polls.
        """
        there = {each["url"]: each["id"] for each in (await self._gateway.get("/v1/webhook-endpoints"))["data"]}
        kept = self._book.endpoint(self._url)
        if kept is not None and there.get(self._url) == kept[0]:
            return
        if self._url in there:
            made = await self._gateway.post(f"/v1/webhook-endpoints/{there[self._url]}/rotate", None)
        else:
            made = await self._gateway.post("/v1/webhook-endpoints", {"url": self._url, "events": EVENTS})
        self._book.keep_endpoint(self._url, made["id"], made["secret"])

    async def hear(self, request: web.Request) -> web.Response:
        """One event. Nothing that it says is believed but that there is something to look at."""
        body = await request.read()
        kept = self._book.endpoint(self._url)
        if kept is None:
            return web.Response(status=503)  # it is sent again
        try:
            event = Webhook(kept[1]).verify(body, dict(request.headers))
        except (WebhookVerificationError, ValueError):  # of the second kind are headers of no known form
            log.warning("an event with a wrong signature")
            return web.Response(status=401)
        names = [value for value in event.get("data", {}).values() if isinstance(value, str)]
        if self._book.heard(request.headers["webhook-id"], names):
            self._clerk.ring()
        return web.Response(status=204)
