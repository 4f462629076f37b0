"""A route as it is written beside its handler: what it needs, takes, answers, and how it is described."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

import msgspec
from aiohttp import web

from gateway.access.scope_rules import KeyScope
from gateway.api.answers import Answer

BYTES_TYPE = "application/octet-stream"
Access = KeyScope | Literal["any key", "public"]  # the scope that a key needs; any will do; no key is needed
Result = web.StreamResponse | Answer
Handler = Callable[[web.Request], Awaitable[Result]]
ServedHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ExpectHandler = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
H = TypeVar("H", bound=Callable[[web.Request], Awaitable[Any]])


@dataclass(frozen=True, slots=True)
class Header:
    """A header of a request: what it is for, and what it may be (a JSON schema beside its being text)."""

    description: str
    required: bool = False
    schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API.

    ``name`` is its operation id, ``parameters`` the type that the query is checked against, ``parts``
    the pattern and description of each part of the path, ``bodies`` the types that the body may be,
    ``narrow`` has the router itself hold those patterns, because a word of another route stands in the same place,
    ``answer`` the type of a good answer (None: something else than JSON of ours). ``also`` are further good
    statuses with the same answer, and what each means. ``headers`` are the request's own, by name.
    ``example`` and ``body_example`` hold what differs from the examples of the answer's and the body's type.
    ``problems`` are the codes beside those that every operation has. ``operators``: it needs no key and is for those
    who run the gateway.
    """

    name: str
    method: str
    path: str
    summary: str
    description: str
    access: Access
    tag: str
    operators: bool = False
    status: int = 200
    status_means: str = ""
    also: Mapping[int, str] = field(default_factory=dict)
    answer: type | None = None
    answer_type: str = "application/json"
    example: Mapping[str, Any] = field(default_factory=dict)
    parameters: type[msgspec.Struct] | None = None
    parts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    narrow: bool = False
    headers: Mapping[str, Header] = field(default_factory=dict)
    bodies: tuple[type[msgspec.Struct], ...] = ()
    body_optional: bool = False
    body_example: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    cached: bool = False

    @property
    def for_operators(self) -> bool:
        """Whether it is described to operators, not to storefronts."""
        return self.operators or self.access in {"ops", "ops:read"}


def served_path(route: Route) -> str:
    """The path as the router takes it."""
    path = route.path
    for name, (pattern, _) in route.parts.items() if route.narrow else ():
        path = path.replace(f"{{{name}}}", f"{{{name}:{pattern.strip('^$')}}}")
    return path


class Table:
    """The routes of one module, in the order in which they are written."""

    def __init__(self) -> None:
        self.routes: list[tuple[Route, Handler]] = []

    def __call__(self, method: str, path: str, **described: Any) -> Callable[[H], H]:
        """Declare the decorated handler as a route; its docstring is the description."""

        def declare(handler: H) -> H:
            lines = (handler.__doc__ or "").strip().split("\n\n", 1)
            text = " ".join(lines[1].split()) if len(lines) > 1 else ""
            self.routes.append(
                (Route(handler.__name__, method, path, lines[0].rstrip("."), text, **described), handler)
            )
            return handler

        return declare

    def add_to(self, router: web.UrlDispatcher, expect: ExpectHandler) -> None:
        """Have a router serve these routes; HEAD as GET."""
        for route, described in self.routes:
            handler = cast("ServedHandler", described)  # the middleware turns catalogue answers into responses
            for method in ("GET", "HEAD") if route.method == "GET" else (route.method,):
                router.add_route(method, served_path(route), handler, expect_handler=expect)
