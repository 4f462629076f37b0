"""A plugin and its sandbox, talking over HTTP, with a hand between them that can spoil what passes."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from providers.checks import check_settings
from providers.contract import Capability, Manifest, PaymentProvider, Provider
from providers.kit.transport import MemoryRateLimiter
from providers.loader import open_payment, open_provider
from providers.simulator import Item, SandboxWorld, base_url, sandbox_site
from providers.simulator.control import CONTROL_PREFIX
from schemas.errors import SupplierError
from schemas.plan import Network, Offer, SetAside, nominal_mb

WALK_SECONDS = 60
PRIVATE = (
    "LPA:1$smdp.example.com$K2-SECRET-CODE",
    "8944422711108338982",
    "traveller@example.org",
    "Bearer abc.def.ghi",
)
# What a supplier may write into any text that it gives.
NASTY = (
    "<script>alert(1)</script>",
    "x" * 10_000,
    "\u202eevil\u202c \u200f\u2067",
    "nul\x00and\x1bescape",
    "&lt;img src=x onerror=alert(1)&gt;",
    "'; DROP TABLE offers; --",
    "<<b>b>" * 2_000,
    "{{7*7}} %s %(x)s \\u0000",
)
Tamper = Callable[[web.Request, bytes], web.Response | bytes]


def amount_of(item: Item) -> int | None:
    """An item's amount as offers have it, in nominal MB."""
    return None if item.mb is None else nominal_mb(item.mb)


@dataclass(frozen=True)
class Walk:
    """What one walk through a catalogue gave."""

    offers: tuple[Offer, ...]
    set_aside: tuple[SetAside, ...]
    other_products: int
    recalled: int = 0
    raws: tuple[bytes, ...] = ()

    @property
    def accounted(self) -> int:
        return len(self.offers) + len(self.set_aside) + self.recalled

    @property
    def size(self) -> int:
        return self.accounted + self.other_products

    @property
    def keys(self) -> list[str]:
        return [row.supplier_plan_id for row in (*self.offers, *self.set_aside)]

    def texts(self) -> Iterator[str]:
        """Every text that came from the supplier and will be shown."""
        for offer in self.offers:
            yield from (offer.name, offer.description, offer.supplier_plan_id)
            yield from (network.operator for network in offer.networks)
        for row in self.set_aside:
            yield from (row.name, row.detail, row.supplier_plan_id)


@dataclass
class Shop:
    """An open plugin, its sandbox's world, and what passed between them.

    ``seen`` is the first answer of each path, ``sent`` the method and path of every request in turn.
    """

    provider: Provider
    world: SandboxWorld
    tamper: Tamper | None = None
    seen: dict[str, bytes] = field(default_factory=dict)
    sent: list[tuple[str, str]] = field(default_factory=list)

    def rewrite(self, path: str, change: Callable[[Any], object]) -> None:
        """Change the JSON of the answers that have this in their path."""

        def tamper(request: web.Request, body: bytes) -> bytes:
            if path not in request.path:
                return body
            whole = msgspec.json.decode(body)
            change(whole)
            return msgspec.json.encode(whole)

        self.tamper = tamper

    async def walk(self) -> Walk:
        """One walk through the catalogue; it must end by itself."""
        offers: list[Offer] = []
        set_aside: list[SetAside] = []
        raws: list[bytes] = []
        other = recalled = 0
        async with asyncio.timeout(WALK_SECONDS):
            async for page in self.provider.catalog():
                offers += page.offers
                set_aside += page.set_aside
                other += page.other_products
                recalled += page.recalled
                raws += page.raws
        return Walk(tuple(offers), tuple(set_aside), other, recalled, tuple(raws))

    async def complaint(self) -> list[str]:
        """Everything that the plugin says of a walk and a look-up that fail: texts and tracebacks."""
        said: list[str] = []
        for call in (self.walk, self._look_up):
            try:
                await call()
            except SupplierError as error:
                said += [str(error), repr(error.args), error.detail, "".join(traceback.format_exception(error))]
        return said

    async def _look_up(self) -> None:
        if Capability.PLAN_LOOKUP in self.provider.manifest.capabilities:
            await self.provider.plan(self.world.items(self.provider.manifest.name)[0].key, "a-product")


@asynccontextmanager
async def open_shop(manifest: Manifest, world: SandboxWorld, **settings: Any) -> AsyncIterator[Shop]:
    """The plugin with its sandbox's settings, and the sandbox on a port that the kernel chose."""
    site = sandbox_site(world, {manifest.name: manifest})

    @web.middleware
    async def between(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        if CONTROL_PREFIX not in request.path:
            shop.sent.append((request.method, request.path))
        response: web.StreamResponse = await handler(request)
        if CONTROL_PREFIX in request.path or not isinstance(response, web.Response) or response.prepared:
            return response
        body = bytes(response.body) if isinstance(response.body, bytes | bytearray) else b""
        shop.seen.setdefault(request.path, body)
        if shop.tamper is None:
            return response
        answer = shop.tamper(request, body)
        if isinstance(answer, web.Response):
            return answer
        return web.Response(status=response.status, body=answer, content_type="application/json")

    site.middlewares.append(between)
    runner = web.AppRunner(site, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = int(runner.addresses[0][1])
    values = {
        "provider": manifest.name,
        "mode": "test",
        "base_url": base_url("127.0.0.1", port, manifest.name),
        "timeout_seconds": 20,
        **manifest.sandbox_settings,
        **settings,
    }
    name = f"{manifest.name}-account"
    opening: Any = open_payment if issubclass(manifest.provider, PaymentProvider) else open_provider
    provider = opening(manifest, name, check_settings(manifest, name, values), MemoryRateLimiter(name))
    shop = Shop(provider, world)
    try:
        yield shop
    finally:
        await provider.close()
        await runner.cleanup()


class HostileWorld(SandboxWorld):
    """The same world, but every text in it is one that a hostile supplier would write."""

    def __init__(self, world: SandboxWorld, supplier: str) -> None:
        vars(self).update(vars(world))
        self._texts = {item.key: NASTY[place % len(NASTY)] for place, item in enumerate(world.items(supplier))}

    def items(self, supplier: str) -> list[Item]:
        return [self._poisoned(item) for item in super().items(supplier)]

    def item(self, supplier: str, key: str) -> Item | None:
        found = super().item(supplier, key)
        return None if found is None else self._poisoned(found)

    def _poisoned(self, item: Item) -> Item:
        text = self._texts[item.key]
        return msgspec.structs.replace(
            item,
            place=f"{item.place} {text}",
            region=item.region and f"{item.region} {text}",
            data_text=f"{item.data_text} {text}",
            networks=tuple(Network(n.country, f"{n.operator} {text}", n.generation) for n in item.networks),
        )


@contextmanager
def echoing(shop: Shop, status: int) -> Iterator[None]:
    """The supplier answers every call with a refusal that repeats the request's headers and private texts."""

    def repeat(request: web.Request, _body: bytes) -> web.Response:
        said = " ".join([*(f"{name}: {value}" for name, value in request.headers.items()), *PRIVATE])
        text = json.dumps({"success": False, "error": said, "message": said})
        return web.Response(status=status, text=text, content_type="application/json")

    shop.tamper = repeat
    try:
        yield
    finally:
        shop.tamper = None


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()


@dataclass(frozen=True)
class Place:
    """One field in one answer: the path of the call and the way to its first occurrence."""

    path: str
    way: tuple[str | int, ...]
    value: Any

    def __str__(self) -> str:
        return f"{self.path} {'.'.join(str(step) for step in self.way)}"


def places(shop: Shop) -> list[Place]:
    """Every field of the answers that were seen, each once, however many items have it."""
    found: dict[tuple[str, tuple[str, ...]], Place] = {}
    for path, body in shop.seen.items():
        for way, value in _leaves(msgspec.json.decode(body), ()):
            kind = (path, tuple("*" if isinstance(step, int) else step for step in way))
            found.setdefault(kind, Place(path, way, value))
    return list(found.values())


@contextmanager
def spoilt(shop: Shop, place: Place, wrong: Any) -> Iterator[None]:
    """Every answer to the place's call has ``wrong`` there, if it has the place at all."""

    def spoil(request: web.Request, body: bytes) -> bytes:
        if request.path != place.path or not body:
            return body
        whole = msgspec.json.decode(body)
        try:
            _put(whole, place.way, wrong)
        except (KeyError, IndexError, TypeError):
            return body
        return msgspec.json.encode(whole)

    shop.tamper = spoil
    try:
        yield
    finally:
        shop.tamper = None


def _leaves(value: Any, way: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    inside: Sequence[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    for step, below in inside:
        if isinstance(step, str):
            yield (*way, step), below
        yield from _leaves(below, (*way, step))


def _put(whole: Any, way: tuple[str | int, ...], wrong: Any) -> None:
    for step in way[:-1]:
        whole = whole[step]
    whole[way[-1]]
    if wrong is MISSING:
        del whole[way[-1]]
    else:
        whole[way[-1]] = wrong
