"""Events from the gateway: verified as Standard Webhooks says, noted once, answered at once, and then acted on."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from aiohttp import web

from esim_gateway_client import AsyncGateway, WebhookVerificationError, models, read_webhook

from .book import Book
from .clerk import Clerk

log = logging.getLogger(__name__)

PATH = "/gateway-events"
EVENTS: Sequence[models.NoticeType] = (
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

    def __init__(self, book: Book, gateway: AsyncGateway, clerk: Clerk, url: str) -> None:
        self._book, self._gateway, self._clerk, self._url = book, gateway, clerk, url

    async def ask_for_events(self) -> None:
        """Have the gateway send its events here.

        The secret is shown once and kept in the book. Where it was lost (another book, the same address) the
        endpoint gets a new one. Raises what the gateway's client raises; without events the shop polls.
        """
        there = {each.url: each.id async for each in self._gateway.webhook_endpoints.list()}
        kept = self._book.endpoint(self._url)
        if kept is not None and there.get(self._url) == kept[0]:
            return
        if self._url in there:
            made = await self._gateway.webhook_endpoints.rotate_secret(there[self._url])
        else:
            made = await self._gateway.webhook_endpoints.create(url=self._url, events=EVENTS)
        self._book.keep_endpoint(self._url, made.id, made.secret)

    async def hear(self, request: web.Request) -> web.Response:
        """One event. Nothing that it says is believed but that there is something to look at."""
        body = await request.read()
        kept = self._book.endpoint(self._url)
        if kept is None:
            return web.Response(status=503)  # it is sent again
        try:
            event = read_webhook(body, request.headers, kept[1])
        except WebhookVerificationError as error:
            log.warning("an event is refused: %s", error)
            return web.Response(status=401)
        if self._book.heard(event.id, list(_names(event))):
            self._clerk.ring()
        return web.Response(status=204)


def _names(event: models.Event) -> Iterator[str]:
    """What an event names of ours: order, checkout, reference."""
    for field in ("order_id", "checkout_id", "reference"):
        if (name := getattr(event.data, field, None)) is not None:
            yield name
