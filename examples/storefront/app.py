"""The shop as an aiohttp application: its settings, its parts, and what runs beside the pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import aiohttp_jinja2
import jinja2
from aiohttp import web

from esim_gateway_client import ApiError, AsyncGateway, NoAnswerError, Retries

from . import hooks, pages
from .book import Book
from .clerk import Clerk
from .pages import Shop

log = logging.getLogger(__name__)

_HERE = Path(__file__).parent
_ASK_AGAIN_SECONDS = 30.0
_RETRIES = Retries(most=2, seconds=5)  # a customer waits; what spends is sent again by the clerk, too
_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # a customer's address is the permission to see the eSIM
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Settings:
    """``payment``: link, by the gateway's checkouts; none, orders are placed at once (money comes another way).

    ``url`` is where customers and the gateway reach this shop.
    """

    gateway_url: str
    gateway_key: str
    url: str = "http://127.0.0.1:8082"
    book: Path = Path("storefront.sqlite")
    payment: Literal["link", "none"] = "link"
    currency: str = ""
    language: str = "en"

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """From ``SHOP_GATEWAY_URL``, ``SHOP_GATEWAY_KEY`` and so on. Raises ``SystemExit`` saying what is missing."""
        values = {
            name: value for name in cls.__dataclass_fields__ if (value := environment.get(f"SHOP_{name.upper()}", ""))
        }
        if missing := [f"SHOP_{name.upper()}" for name in ("gateway_url", "gateway_key") if name not in values]:
            raise SystemExit(f"set {' and '.join(missing)}")
        if values.get("payment", "link") not in {"link", "none"}:
            raise SystemExit("SHOP_PAYMENT is link or none")
        return cls(**{**values, "book": Path(values.get("book", cls.book))})  # type: ignore[arg-type]


def make_app(settings: Settings) -> web.Application:
    """The shop. It opens its book and begins its work when the application starts."""
    app = web.Application(middlewares=[_around], client_max_size=64 * 1024)
    app[pages.SETTINGS] = settings
    environment = aiohttp_jinja2.setup(
        app, loader=jinja2.FileSystemLoader(_HERE / "templates"), undefined=jinja2.StrictUndefined
    )
    environment.filters.update(pages.FILTERS)
    app.router.add_static("/static/", _HERE / "static")
    app.add_routes(pages.ROUTES)
    app.router.add_post(hooks.PATH, _hear)
    app.cleanup_ctx.append(_at_work)
    return app


async def _at_work(app: web.Application) -> AsyncIterator[None]:
    settings: Settings = app[pages.SETTINGS]
    book, gateway = Book(settings.book), AsyncGateway(settings.gateway_url, settings.gateway_key, retries=_RETRIES)
    clerk = Clerk(book, gateway)
    app[pages.SHOP] = Shop(book, gateway, clerk)
    app[pages.EAR] = ear = hooks.Ear(book, gateway, clerk, settings.url.rstrip("/") + hooks.PATH)
    tasks = [asyncio.create_task(clerk.run()), asyncio.create_task(_ask_for_events(ear))]
    yield
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await gateway.close()
    book.close()


async def _ask_for_events(ear: hooks.Ear) -> None:
    """Until it is done: a shop opens although its gateway is away."""
    while True:
        try:
            return await ear.ask_for_events()
        except (ApiError, NoAnswerError) as error:
            log.warning("no events yet, so the shop asks by itself: %s", error)
        await asyncio.sleep(_ASK_AGAIN_SECONDS)


async def _hear(request: web.Request) -> web.Response:
    return await request.app[pages.EAR].hear(request)


@web.middleware
async def _around(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """What every page has in common: no form of another site, words for what went wrong, and careful headers."""
    try:
        if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "same-origin") == "cross-site":
            raise web.HTTPForbidden(text="This form came from another site.")
        answer = await handler(request)
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004 - a redirection
            raise
        answer = pages.message(request, error.status, error.reason, error.text or "")
    except ApiError as problem:
        answer = pages.problem(request, problem)
    except NoAnswerError as silence:
        log.warning("%s", silence)
        answer = pages.message(request, 503, "One moment, please", "Our shop is busy. Please try again in a minute.")
    answer.headers.update(_SECURITY)
    if not request.path.startswith("/static/"):
        answer.headers.setdefault("Cache-Control", "no-store")
    return answer
