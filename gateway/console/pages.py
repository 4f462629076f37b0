"""What a page of the console is made of, and what its handler may ask.

A page module holds ``pages = Pages()`` and handlers under ``@pages(method, path, role=…)``; it is found by its name
(``gateway.features``). A handler gives a ``View`` (or a response), and the guard in front of it has seen to session,
role and forgery by then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Literal, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from gateway.access.key_rows import Mode
from gateway.access.login import Step
from gateway.access.user_rows import Role, Session, StaffRole, Visitor
from gateway.console.forms import Form
from gateway.kit.pages import PageRequest, Sort, SortOrders
from gateway.orders.order_view_rows import StorefrontScope
from gateway.suppliers.deps import Deps
from schemas.page import Page

__all__ = [
    "SORTED",
    "ConsolePage",
    "Csv",
    "Hit",
    "NavEntry",
    "Notice",
    "Pages",
    "PendingDecision",
    "SortedList",
    "View",
    "deps_of",
    "here",
    "invalid",
    "is_htmx",
    "mode",
    "next_page",
    "page_request_of",
    "see_other",
    "visitor",
]


@dataclass(frozen=True, slots=True)
class Csv:
    """The table on the screen as a file: its name without ending, its columns, and rows of plain values."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class View:
    """A page to be drawn. With ``csv`` the page offers its table as a file, and ``?format=csv`` is that file."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    status: int = 200
    csv: Csv | None = None


Level = Literal["bad", "warn", "info"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing for the first page: what is the matter, how many of it, and where it is dealt with."""

    level: Level
    text: str
    url: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class PendingDecision:
    """One kind of thing that waits for an operator's decision, for the first page: its name, its page, how many."""

    name: str
    url: str
    count: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that a search found. ``only`` means that nothing else can be meant: the search goes there at once.

    ``country`` is the code of one that is a country.
    """

    title: str
    url: str
    detail: str = ""
    only: bool = False
    country: str | None = None


Answer = View | web.StreamResponse
Handler = Callable[[web.Request], Awaitable[Answer]]
StorefrontHandler = Callable[[web.Request, StorefrontScope], Awaitable[Answer]]
NoticeSource = Callable[[web.Request], Awaitable[Sequence[Notice]]]
DecisionSource = Callable[[web.Request], Awaitable[PendingDecision]]
Finds = Callable[[web.Request, str], Awaitable[Sequence[Hit]]]
H = TypeVar("H", bound=Callable[..., Awaitable[Any]])
S = TypeVar("S", bound=StorefrontHandler)


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """One route. ``role`` None lets anybody in, "user" whoever is logged in, "storefront" its users and no staff.

    ``own`` marks a change that touches nothing but one's own session or user.
    ``steps`` are those steps of a log-in during which it is open; nothing else is, until they are done.
    """

    method: str
    path: str
    handler: Handler
    role: Role | Literal["user"] | None
    nav: str
    own: bool
    steps: tuple[Step, ...] = ()


class NavEntry(NamedTuple):
    """A name in the navigation, in which group it stands, and the letter that follows "g" on the keyboard."""

    group: str
    name: str
    key: str


class Pages:
    """The pages of one module, what it has to say on the first page, and what it finds.

    ``entries`` stand in the navigation after those that ``gateway.console.navigation`` puts in order.
    """

    def __init__(self, *entries: NavEntry) -> None:
        self.entries = entries
        self.table: list[ConsolePage] = []
        self.notices: list[NoticeSource] = []
        self.decisions: list[DecisionSource] = []
        self.finders: list[tuple[str, Finds]] = []

    def __call__(
        self,
        method: str,
        path: str,
        *,
        role: StaffRole | Literal["user"] | None = "viewer",
        nav: str = "",
        own: bool = False,
        steps: tuple[Step, ...] = (),
    ) -> Callable[[H], H]:
        """Declare a page of staff. ``nav`` is its entry of the navigation; a GET without parts leads there.

        With the role "user" it is open to the users of storefronts, too; they see no other page declared here.
        Everything but a GET needs ``operator`` or above, unless it is marked ``own``.
        """
        if method != "GET" and not own and role not in {"operator", "admin"}:
            raise ValueError(f"{method} {path} changes something: it needs the role operator or admin")

        def declare(handler: H) -> H:
            self.table.append(ConsolePage(method, path, handler, role, nav, own, steps))
            return handler

        return declare

    def for_storefront(self, method: str, path: str, *, nav: str) -> Callable[[S], S]:
        """Declare a page of a storefront's own users. Its handler is given the scope whose rows it shows, no others."""

        def declare(handler: S) -> S:
            @wraps(handler)
            async def scoped(request: web.Request) -> Answer:
                return await handler(request, _scope_of(request))

            self.table.append(ConsolePage(method, path, scoped, "storefront", nav, own=False))
            return handler

        return declare

    def notice(self, source: NoticeSource) -> NoticeSource:
        """Declare what this module tells on the first page: ``async def (request) -> list[Notice]``."""
        self.notices.append(source)
        return source

    def decision(self, source: DecisionSource) -> DecisionSource:
        """Declare what operators decide on in this module: ``async def (request) -> PendingDecision``."""
        self.decisions.append(source)
        return source

    def finds(self, kind: str) -> Callable[[Finds], Finds]:
        """Declare what this module finds for the search: ``async def (request, q) -> list[Hit]``, some ten at most."""

        def declare(finds: Finds) -> Finds:
            self.finders.append((kind, finds))
            return finds

        return declare


# -- what a handler asks ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """What the application gives the console."""

    deps: Callable[[], Deps | None]
    address: Callable[[web.Request], str]
    origin: Callable[[web.Request], str]
    request_id: Callable[[web.Request], str]


class NoDatabaseError(Exception):
    """This process has no database at all."""


HOME = "/console"
CONTEXT = web.AppKey("console_context", ConsoleContext)
NOTICES: web.AppKey[tuple[NoticeSource, ...]] = web.AppKey("console_notices")
DECISIONS: web.AppKey[tuple[DecisionSource, ...]] = web.AppKey("console_decisions")
FINDERS: web.AppKey[tuple[tuple[str, Finds], ...]] = web.AppKey("console_finders")
SESSION = web.RequestKey("console_session", Session)
MESSAGE = web.RequestKey("console_message", str)
STEP: web.RequestKey[Step] = web.RequestKey("console_step")


class SortedList(NamedTuple):
    """The list on a page: by which columns it can be sorted, and how it is."""

    orders: SortOrders
    sort: Sort


SORTED = web.RequestKey("console_sorted_list", SortedList)


def deps_of(request: web.Request) -> Deps:
    """Pool, suppliers' accounts, settings, keys and catalogue index of this process."""
    found = request.app[CONTEXT].deps()
    if found is None:
        raise NoDatabaseError
    return found


def visitor(request: web.Request) -> Visitor:
    """Who asks."""
    return request[SESSION].visitor


def mode(request: web.Request) -> Mode:
    """The side that the visitor looks at, as the switch in the header says."""
    return request[SESSION].mode


def _scope_of(request: web.Request) -> StorefrontScope:
    """The storefront that the visitor belongs to, in the mode of the header."""
    own = visitor(request).storefront_id
    if own is None:
        raise web.HTTPNotFound
    return StorefrontScope(own, mode(request))


def is_htmx(request: web.Request) -> bool:
    """Whether htmx asks for a part of a page, and not a browser for the whole."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in headers


def here(request: web.Request, **changes: Any) -> str:
    """The address of this page with some of its query changed; None takes one out."""
    kept = [(name, value) for name, value in request.query.items() if name not in changes]
    kept += [(name, str(value)) for name, value in changes.items() if value is not None]
    return request.path + ("?" + urlencode(kept) if kept else "")


def page_request_of(request: web.Request, limit: int, orders: SortOrders | None = None) -> PageRequest:
    """Which page of the list on this page is asked for, and sorted by which of ``orders``.

    The heads of the list's columns (``head`` in templates) then lead to its other orders.
    """
    sort = None
    if orders is not None:
        sort = orders.find(request.query.get("sort", ""), request.query.get("direction", ""))
        request[SORTED] = SortedList(orders, sort or orders.own)
    return PageRequest(limit, request.query.get("cursor") or None, sort)


def next_page(request: web.Request, found: Page[Any]) -> str | None:
    """The address of the next page of the list on this page; None on its last."""
    return here(request, cursor=found.next_cursor) if found.has_more else None


def see_other(request: web.Request, url: str, *, message: str = "") -> web.Response:
    """Lead the browser to a page of ours after a change; ``message`` is shown there once."""
    if message:
        request[MESSAGE] = message[:500]
    return web.Response(status=303, headers={"Location": own_address(url)})


def own_address(url: str, otherwise: str = "/console") -> str:
    """``url`` when it is a page of the console, else ``otherwise``: an address in a form must not lead away."""
    parts = urlsplit(url.replace("\\", "/"))
    inside = parts.path == "/console" or parts.path.startswith("/console/")
    if parts.scheme or parts.netloc or not inside or any(ord(letter) <= ord(" ") for letter in url):
        return otherwise
    return url


def invalid(view: View, form: Form) -> View:
    """The page with a form again: 422, what was typed kept, what is wrong beside its field."""
    return replace(view, status=422, context={**view.context, "typed": form.typed, "errors": form.errors})
