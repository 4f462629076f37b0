"""The app of every supplier's sandbox: authentication, rate limit and faults around its own routes."""

from __future__ import annotations

import asyncio
import functools
import gzip
import struct
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import formatdate
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from providers.simulator.control import (
    CONTROL_PREFIX,
    MOUNT,
    SIMULATOR,
    SUPPLIER,
    WORLD,
    control_routes,
    json_response,
    simulator_of,
)
from providers.simulator.deposits import add_deposit_page
from providers.simulator.engine import SPOIL, Simulator
from providers.simulator.items import Item, Listing
from providers.simulator.sales import PageExamples, RefusalReason, SupplierRefusal, SupplierRules
from providers.simulator.supplier import SALE
from providers.simulator.supplier_control import supplier_control_routes
from providers.simulator.triggers import Fault, FaultKind, SpoiltAnswer, UnansweredRequest
from providers.simulator.world import SandboxWorld

Authenticate = Callable[[web.Request], str | None]
ErrorBody = Callable[[int, str], Any]
T = TypeVar("T")

_FAULTS: web.RequestKey[Mapping[FaultKind, Fault]] = web.RequestKey("faults", dict)
_LISTING: web.RequestKey[Listing] = web.RequestKey("listing", Listing)
_WINDOW_SECONDS = 60
_BOMB_BYTES = 256 * 1024 * 1024
_BOMB_BLOCK = 1024 * 1024
_TOO_MANY_IN_TOTAL = 137
_CENT = Decimal("0.01")
_LONGEST_HANG = 3600.0
_NO_LINGER = struct.pack("ii", 1, 0)
# For a supplier that gives a reason no status of its own.
_REFUSALS: Mapping[RefusalReason, tuple[int, str]] = {
    RefusalReason.NO_SUCH_ITEM: (404, "No such plan"),
    RefusalReason.NO_SUCH_ESIM: (404, "No such eSIM"),
    RefusalReason.OUT_OF_STOCK: (409, "Out of stock"),
    RefusalReason.NO_BALANCE: (402, "Insufficient balance"),
    RefusalReason.DUPLICATE_REFERENCE: (409, "The reference was used before"),
    RefusalReason.BLOCKED: (403, "Account suspended"),
    RefusalReason.NOT_RENEWABLE: (400, "The eSIM cannot be topped up"),
    RefusalReason.NOT_CANCELLABLE: (400, "The eSIM cannot be cancelled"),
}
_PAGE = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def sandbox_app(
    world: SandboxWorld,
    supplier: str,
    routes: Iterable[web.RouteDef],
    *,
    authenticate: Authenticate,
    error_body: ErrorBody,
    rate_limit: int | None = None,
    rules: SupplierRules | None = None,
    examples: PageExamples | None = None,
    simulator: Simulator[Any] | None = None,
) -> web.Application:
    """A supplier's sandbox: ``routes`` (paths below its base URL) inside what is common to all.

    ``authenticate`` answers None to let a request in, else the message of its 401; it is asked for every
    path, so public ones are its business. ``error_body`` is the JSON of an error with that status and
    message; it is used for 401, 404, 405, 429 and 500, and for a ``web.HTTPException`` that a
    handler raises. ``rate_limit`` is in requests a minute for each caller and adds ``X-RateLimit-*``
    headers, where the world enforces such limits. ``rules`` says how the supplier keeps its orders and its
    money, ``examples`` is what its page names; one that sells nothing brings a ``simulator`` of its own. Control
    routes stand under ``/_sandbox/`` and need no authentication.
    """
    rules = rules or SupplierRules()
    sells = simulator is None
    opened = simulator or world.open_supplier(supplier, rules, examples or PageExamples())
    window = _Window(rate_limit) if rate_limit else None
    frame = _Frame(world, supplier, opened, authenticate, error_body, window, {**_REFUSALS, **rules.refusals})
    app = web.Application(middlewares=[frame.middleware])
    app[WORLD], app[SUPPLIER], app[SIMULATOR] = world, supplier, opened
    app.add_routes([*routes, *control_routes(opened)])
    if sells:
        app.add_routes(supplier_control_routes())
        add_deposit_page(app)

    async def close(_app: web.Application) -> None:
        await opened.close()

    app.on_cleanup.append(close)
    return app


def listing(request: web.Request, keep: Callable[[Item], bool] | None = None) -> Listing:
    """The items that this request may show: the world's that ``keep`` accepts, with the request's faults."""
    faults = request.get(_FAULTS, {})
    items = request.app[WORLD].items(request.app[SUPPLIER])
    if FaultKind.VANISH_HALF in faults:
        items = items[::2]
    if keep is not None:
        items = [item for item in items if keep(item)]
    if FaultKind.PRICE_OFF_BY_TEN in faults:
        items = [_off_by_ten(item) for item in items]
    found = Listing(
        items,
        total=len(items) + (_TOO_MANY_IN_TOTAL if FaultKind.WRONG_TOTAL in faults else 0),
        empty_from=(len(items) + 1) // 2 if FaultKind.EMPTY_PAGES in faults else None,
    )
    request[_LISTING] = found
    return found


def item_of(request: web.Request, key: str) -> Item | None:
    """One item as this request may show it; None when the supplier has none of that key."""
    item = request.app[WORLD].item(request.app[SUPPLIER], key)
    return _off_by_ten(item) if item is not None and FaultKind.PRICE_OFF_BY_TEN in request.get(_FAULTS, {}) else item


async def body_of(request: web.Request, kind: type[T], message: str = "") -> T:
    """The request's JSON. Raises a 400 with ``message``, or else with what is wrong with it."""
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.MsgspecError as error:
        raise web.HTTPBadRequest(text=message or f"Invalid parameters: {error}") from None


@dataclass(slots=True)
class _Window:
    """Requests of each caller in the running minute of the clock."""

    per_minute: int
    minute: int = 0
    used: dict[str, int] = field(default_factory=dict)

    def take(self, caller: str, now: float) -> tuple[bool, dict[str, str]]:
        """Whether one more is allowed, and the headers that say how it stands."""
        minute = int(now) // _WINDOW_SECONDS
        if minute != self.minute:
            self.minute = minute
            self.used.clear()
        used = self.used.get(caller, 0) + 1
        self.used[caller] = used
        reset = (minute + 1) * _WINDOW_SECONDS
        headers = {
            "X-RateLimit-Limit": str(self.per_minute),
            "X-RateLimit-Remaining": str(max(0, self.per_minute - used)),
            "X-RateLimit-Reset": str(reset),
        }
        return used <= self.per_minute, headers


@dataclass(slots=True)
class _Frame:
    world: SandboxWorld
    supplier: str
    simulator: Simulator[Any]
    authenticate: Authenticate
    error_body: ErrorBody
    window: _Window | None
    refusals: Mapping[RefusalReason, tuple[int, str]]

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def frame(request: web.Request, handler: Handler) -> web.StreamResponse:
            path = request.path.removeprefix(request.app.get(MOUNT, ""))
            if path.startswith(CONTROL_PREFIX):
                return await handler(request)
            self.world.calls(self.supplier)[path] += 1
            struck = self.world.faults(self.supplier).strike(lambda fault: path.startswith(fault.path))
            faults = {fault.kind: fault for fault in struck}
            request[_FAULTS] = faults
            return await self._answer(request, handler, faults)

        return frame

    async def _answer(
        self, request: web.Request, handler: Handler, faults: Mapping[FaultKind, Fault]
    ) -> web.StreamResponse:
        if slow := faults.get(FaultKind.SLOW):
            await asyncio.sleep(slow.seconds)
        if FaultKind.DOWN in faults:
            return _hang_up(request)
        limited, headers = self._limit(request, faults.get(FaultKind.RATE_LIMITED))
        response = limited or self._spoilt(faults) or await self._own_answer(request, handler)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if (account := self.simulator.account) is not None and account.clock_seconds:
            response.headers["Date"] = formatdate(account.now(), usegmt=True)
        if spoil := request.get(SPOIL):
            return await self._unanswered(request, response, spoil)
        listing = request.get(_LISTING)
        midway = (
            FaultKind.VANISH_MIDWAY in faults
            and listing is not None
            and listing.reached > (len(listing.items) + 1) // 2
        )
        if midway or FaultKind.TRUNCATED in faults:
            return await _cut_off(request, response)
        if (sale := request.get(SALE)) is not None and response.status < 400 and _still_there(request):  # noqa: PLR2004
            simulator_of(request).answered(sale)
        return response

    def _limit(self, request: web.Request, fault: Fault | None) -> tuple[web.Response | None, dict[str, str]]:
        """The refusal of a caller who asks too often, and the headers for any answer."""
        now = time.time()
        window = self.window if self.world.enforce_rate_limits else None  # what is stated is heeded, so it is left out
        allowed, headers = window.take(_caller(request), now) if window else (True, {})
        seconds = None
        if fault is not None:
            seconds = fault.seconds
            if headers:
                headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(now + seconds))}
        elif not allowed:
            seconds = _WINDOW_SECONDS - now % _WINDOW_SECONDS
        if seconds is None:
            return None, headers
        return self._error(429, "Too many requests"), headers | {"Retry-After": str(max(0, round(seconds + 0.5)))}

    def _spoilt(self, faults: Mapping[FaultKind, Fault]) -> web.Response | None:
        """The answer of a supplier that is out of order, whatever was asked."""
        if FaultKind.UNAUTHORISED in faults:
            return self._error(401, "Invalid API key")
        if FaultKind.MOVED in faults:
            return self._error(404, "404: Not Found")  # in the words of a path that never was
        if FaultKind.SERVER_ERROR in faults:
            return self._error(500, "Internal server error")
        if FaultKind.HTML in faults:
            return web.Response(body=_PAGE, content_type="text/html")
        if FaultKind.GZIP_BOMB in faults:
            return web.Response(body=_bomb(), content_type="application/json", headers={"Content-Encoding": "gzip"})
        return None

    async def _own_answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if (refusal := self.authenticate(request)) is not None:
            return self._error(401, refusal)
        try:
            return await handler(request)
        except SupplierRefusal as refused:
            return self._error(*self.refusals[refused.reason])
        except UnansweredRequest as unanswered:
            request[SPOIL] = unanswered.spoil
            return web.Response()
        except web.HTTPException as error:
            if error.status < 400:  # noqa: PLR2004 - a redirect is no error
                raise
            return self._error(error.status, error.text or error.reason)

    async def _unanswered(
        self, request: web.Request, response: web.StreamResponse, spoil: SpoiltAnswer
    ) -> web.StreamResponse:
        """What the caller gets instead of the answer."""
        if spoil is SpoiltAnswer.ERROR_500:
            return self._error(500, "Internal server error")
        if spoil is SpoiltAnswer.HTML:
            return web.Response(body=_PAGE, content_type="text/html")
        if spoil is SpoiltAnswer.TRUNCATED:
            return await _cut_off(request, response)
        if spoil is SpoiltAnswer.HANG:
            await asyncio.sleep(_LONGEST_HANG)  # ends with the caller who waits
        return _hang_up(request, reset=True)

    def _error(self, status: int, message: str) -> web.Response:
        return json_response(self.error_body(status, message), status)


def _caller(request: web.Request) -> str:
    return request.headers.get("X-API-Key") or request.headers.get("Authorization") or request.remote or ""


def _off_by_ten(item: Item) -> Item:
    if item.price is None:
        return item
    return msgspec.structs.replace(item, price=(item.price / 10).quantize(_CENT))


def _still_there(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _hang_up(request: web.Request, *, reset: bool = False) -> web.StreamResponse:
    """Close the connection without a byte of an answer; with ``reset`` tear it down (RST)."""
    if request.transport is not None:
        socket = request.transport.get_extra_info("socket")
        if reset and socket is not None:
            socket.setsockopt(SOL_SOCKET, SO_LINGER, _NO_LINGER)
        request.transport.abort()
    return web.Response()


async def _cut_off(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Announce the whole body, send half of it and close the connection."""
    body = response.body if isinstance(response, web.Response) else b""
    whole = bytes(body) if isinstance(body, bytes | bytearray) else b""
    cut = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    cut.content_length = max(2, len(whole))
    await cut.prepare(request)
    await cut.write(whole[: max(1, len(whole) // 2)] or b"{")
    if request.transport is not None:
        request.transport.close()
    return cut


@functools.cache
def _bomb() -> bytes:
    """A quarter of a gigabyte of spaces inside a JSON text, compressed: one block, repeated."""
    times, spaces = _BOMB_BYTES // _BOMB_BLOCK, b" " * _BOMB_BLOCK
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    begin = packer.compress(b'{"data": "') + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(spaces) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.compress(b'"}') + packer.flush()
    check = zlib.crc32(b'{"data": "')
    for _ in range(times):
        check = zlib.crc32(spaces, check)
    trailer = struct.pack("<II", zlib.crc32(b'"}', check), len(b'{"data": ""}') + _BOMB_BYTES)
    return gzip.compress(b"")[:10] + begin + block * times + end + trailer
