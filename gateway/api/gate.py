"""The one middleware: request id, key, rate limit, remembered answers, errors, headers, figures, request line.

It is one piece because a chain of small ones costs more than what they do. A question about the catalogue is not even
routed: the front door asks ``answer_now`` first.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from datetime import UTC, datetime
from time import monotonic, perf_counter, time
from typing import Any, cast

import structlog
from aiohttp import HttpVersion11, hdrs, web
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

from gateway.api import state
from gateway.api.answers import SECURITY_HEADERS, Answer, Memories, ReadyResponse
from gateway.api.forwarded import client_address, is_https
from gateway.api.keyring import Caller, Keyring
from gateway.api.metrics import Metrics
from gateway.api.problems import Refusal, of_status, render, unavailable
from gateway.api.reading import require_no_nul
from gateway.api.spec import Result, Route
from gateway.catalog.browse import Catalog, CatalogNotLoadedError
from gateway.kit.pool import is_database_down
from gateway.kit.request_body import BodyError
from gateway.kit.settings import Settings

Inner = Callable[[web.Request], Awaitable[Result]]

# It is written into the log as it is, so nothing is taken that looks like a key, a signing secret or an ICCID.
_REQUEST_ID = re.compile(r"(?!.*(?:gw_(?:live|test)_|whsec_|LPA:|(?<!\d)89\d{16,20}(?!\d)))[A-Za-z0-9._:/+=-]{1,128}\Z")
_READS = ("GET", "HEAD")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SERVER = "esim-gateway"
_EXPOSED = "ETag, Retry-After, X-Request-Id, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
_ASKABLE = "Authorization, X-API-Key, Content-Type, Idempotency-Key, If-None-Match, Prefer, X-Request-Id"
_LINES = b"Date: %b\r\nX-Request-Id: %b\r\nRateLimit-Limit: %d\r\nRateLimit-Remaining: %d\r\nRateLimit-Reset: %d\r\n"
_HSTS = "max-age=31536000"  # a browser that came by https once comes by https for a year
UNMATCHED = "unmatched"


class Gate:
    """Stands before every handler. ``routes`` are by method and path template, ``pages`` further templates."""

    def __init__(
        self, settings: Settings, routes: Mapping[tuple[str, str], Route], pages: Collection[str] = ()
    ) -> None:
        self._settings = settings
        self._routes = routes
        self._templates = {*(path for _, path in routes), *pages}
        self._origins = frozenset(settings.cors_origins)
        self._ids = map(f"req_{secrets.token_hex(5)}{{:06x}}".format, itertools.count(1))
        self.running = 0  # requests that a handler has not answered yet
        self._date = b""
        self._date_at = 0
        vary = "Accept-Encoding, Authorization, X-API-Key" + (", Origin" if self._origins else "")
        self.fixed = {"Vary": vary, "Server": _SERVER, **SECURITY_HEADERS}

    async def open(self, app: web.Application) -> None:
        """Take hold of what the application opened; the last step of its start."""
        self._catalog: Catalog = app[state.CATALOG]
        self._keyring: Keyring = app[state.KEYRING]
        self._known = self._keyring.known
        self._memories: Memories = app[state.MEMORIES]
        self._metrics: Metrics = app[state.METRICS]
        self._line = app[state.ACCESS_LOG].line
        self._direct = self._find_direct(app) if len(app.middlewares) == 1 else {}  # another one wants to see them all

    def _find_direct(self, app: web.Application) -> dict[str, UrlMappingMatchInfo]:
        """How the router would match each path of the catalogue that has no parts. Their handlers never wait."""
        paths = {
            path for (_, path), route in self._routes.items()
            if route.cached and route.access == "catalog" and not route.parts
        }  # fmt: skip
        found = {}
        for route in app.router.routes():
            if route.method == "GET" and route.resource is not None and route.resource.canonical in paths:
                match = found[route.resource.canonical] = UrlMappingMatchInfo({}, route)
                match.add_app(app)
                match.freeze()
        return found

    async def __call__(self, request: web.Request, handler: Inner) -> web.StreamResponse:
        """Let the handler answer, with all that stands around it."""
        began = perf_counter()
        if _is_encoded(request):
            return self._refuse_encoding(request, began)
        caller = self._known.get(request.headers.get(hdrs.AUTHORIZATION, ""))
        found = self._from_memory(request, caller, began)
        return found if found is not None else await self._long_way(request, handler, caller, began)

    def answer_now(self, request: web.Request) -> ReadyResponse | None:
        """What is answered to a question about the catalogue at once, without router and task; None: let it be routed.

        It was answered before, or it is worked out now. What is refused, and what fails, is routed.
        """
        began, headers = perf_counter(), request.headers
        caller = self._known.get(headers.get(hdrs.AUTHORIZATION, ""))
        if caller is None or not _is_plain(request) or hdrs.EXPECT in headers or _is_encoded(request):
            return None
        try:
            found = self._from_memory(request, caller, began) or self._work_out(request, caller, began)
        except Exception:  # noqa: BLE001 - whatever it is, it happens again on the long way, which tells of it
            return None
        return cast("ReadyResponse | None", found)

    def _from_memory(self, request: web.Request, caller: Caller | None, began: float) -> web.StreamResponse | None:
        """The answer to a question that this caller may ask and that was answered before."""
        if caller is None or not caller.browses or request.method not in _READS:
            return None
        try:
            index = self._catalog.index(caller.mode, caller.key.storefront_id)
        except CatalogNotLoadedError:
            return None
        answer = self._memories.of(index).answers.get(request.raw_path)
        if answer is None or not caller.bucket.take(monotonic()):
            return None
        self._metrics.remembered.inc()
        return self._send(request, answer, caller, self._request_id(request), began)

    def _work_out(self, request: web.Request, caller: Caller, began: float) -> web.StreamResponse | None:
        """The answer of a handler that does not wait, where its route is known beforehand."""
        match = self._direct.get(request.raw_path.partition("?")[0])
        if match is None or not caller.browses or not caller.bucket.remaining():
            return None
        request._match_info = match  # noqa: SLF001 - as the router would
        request[state.CALLER] = caller
        answer = _ended(cast("Coroutine[Any, Any, Answer]", match.handler(request)))
        caller.bucket.take(monotonic())
        return self._send(request, answer, caller, self._request_id(request), began, first=True)

    def _send(
        self,
        request: web.Request,
        answer: Answer,
        caller: Caller,
        request_id: str,
        began: float,
        *,
        first: bool = False,
    ) -> web.StreamResponse:
        """A catalogue answer: 304 for who holds it, else in the form that suits.

        The ``first`` time it goes out plain: compressing costs more than answering does, so that is
        for what is asked again.
        """
        headers, caller.used = request.headers, True
        form, status, tag = answer.plain, 200, None
        if (holds := headers.get(hdrs.IF_NONE_MATCH)) is not None and (tag := answer.matching_etag(holds)) is not None:
            status = 304
        elif not first:
            form, added = answer.form(headers.get(hdrs.ACCEPT_ENCODING))
            if added:
                self._memories.of(self._catalog.index(caller.mode, caller.key.storefront_id)).grew(added)
        if _is_plain(request):
            lines = self._lines(request, caller, request_id)
            parts = (form.head, lines, form.body if request.method == "GET" else b"")
            if tag is not None:
                parts = (answer.heads.not_modified, f"ETag: {tag}\r\n".encode(), lines)
            response = ReadyResponse(status, parts).as_response()
        elif tag is not None:
            response = web.Response(status=304, headers={**answer.heads.kept, "ETag": tag})
            self._dress(request, response, caller, request_id)
        else:
            response = web.Response(body=form.body, headers=form.headers)
            self._dress(request, response, caller, request_id)
        self._note(request.method, answer.route, status, caller, request_id, began)
        return response

    def _lines(self, request: web.Request, caller: Caller, request_id: str) -> bytes:
        """The end of a head: what differs from answer to answer."""
        bucket = caller.bucket
        lines = _LINES % (
            self._now(),
            request_id.encode(),
            bucket.capacity,
            bucket.remaining(),
            bucket.full_in(),
        )
        if is_https(request, self._settings.trusted_proxies):
            lines += f"Strict-Transport-Security: {_HSTS}\r\n".encode()
        if self._origins:
            lines += b"".join(f"{name}: {value}\r\n".encode() for name, value in self._cors(request).items())
        return lines + b"\r\n"

    async def _long_way(
        self, request: web.Request, handler: Inner, known: Caller | None, began: float
    ) -> web.StreamResponse:
        request_id = request[state.REQUEST_ID] = self._request_id(request)
        template, route = self._route(request)
        caller: Caller | None = None
        self.running += 1
        try:
            if request.method == "OPTIONS":
                response: web.StreamResponse = self._options(request)
            else:
                if route is not None and route.access != "public":
                    caller = await self._admit(request, route, known)
                result = await handler(request)
                if isinstance(result, Answer) and caller is not None:
                    return self._send(request, result, caller, request_id, began, first=True)
                response = cast("web.StreamResponse", result)
        except Refusal as refusal:
            response = self._render(refusal, request_id)
            caller = request.get(state.CALLER)
        except web.HTTPException as error:
            response = error if error.status < 400 else self._render(of_status(error), request_id)  # noqa: PLR2004 - HTTP
        except BodyError as error:
            response = self._body_problem(error, request_id)
        except CatalogNotLoadedError as error:
            response = self._render(unavailable(str(error), retry_after=2), request_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a problem and the log the cause
            response = self._fault(error, template, request_id)
        finally:
            self.running -= 1
        self._dress(request, response, caller, request_id)
        self._note(request.method, template, response.status, caller, request_id, began)
        return response

    def _render(self, refusal: Refusal, request_id: str) -> web.Response:
        return render(refusal, request_id, self._settings.public_base_url)

    def _fault(self, error: Exception, template: str, request_id: str) -> web.Response:
        logger = structlog.get_logger()
        if is_database_down(error):
            reason = f"{type(error).__name__}: {error}"
            logger.warning("database down", route=template, request_id=request_id, error=reason)
            return self._render(unavailable("this needs the database, which cannot be reached"), request_id)
        logger.error("unexpected fault", route=template, request_id=request_id, exc_info=error)
        return self._render(Refusal("internal"), request_id)

    def _refuse_encoding(self, request: web.Request, began: float) -> web.StreamResponse:
        """415 for a body that would have to be decoded: before key, route and signature are looked at."""
        request_id = self._request_id(request)
        refusal = Refusal("unsupported_media_type", "Send the body as it is, without Content-Encoding.")
        response = self._render(refusal, request_id)
        self._dress(request, response, None, request_id)
        self._note(request.method, self._route(request)[0], response.status, None, request_id, began)
        return response

    def _body_problem(self, error: BodyError, request_id: str) -> web.Response:
        if error.client_is_gone:
            return web.Response(status=error.status)  # for the log and the figures
        response = self._render(Refusal(error.code, str(error)), request_id)
        response.force_close()
        return response

    async def _admit(self, request: web.Request, route: Route, known: Caller | None) -> Caller:
        """Key, rate limit, scope, in this order. Raises ``Refusal``."""
        caller = known if known is not None else await self._who(request)
        request[state.CALLER] = caller
        caller.used = True
        if not caller.bucket.take(monotonic()):
            self._metrics.limited.inc()
            wait = str(caller.bucket.wait())
            detail = f"this key may send {caller.bucket.capacity} requests a minute"
            raise Refusal("rate_limited", detail, headers={"Retry-After": wait})
        if route.access != "any key" and route.access not in caller.granted:
            raise Refusal("forbidden", f"this needs a key with the scope {route.access}")
        for name, text in request.match_info.items():
            require_no_nul(f"/{name}", text)
        return caller

    async def _who(self, request: web.Request) -> Caller:
        scheme, _, text = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer":
            text = request.headers.get("X-API-Key", "")
        if not text:
            raise Refusal("unauthorized", "send the key as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'")
        return await self._keyring.caller(text.strip(), client_address(request, self._settings.trusted_proxies))

    async def expect(self, request: web.Request) -> web.StreamResponse | None:
        """An Expect header that is not 100-continue cannot be met."""
        if _is_encoded(request):
            return None  # it is refused without its body
        if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
            request_id = self._request_id(request)
            response = self._render(Refusal("expectation_failed"), request_id)
            self._dress(request, response, None, request_id)
            return response
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return None

    def _route(self, request: web.Request) -> tuple[str, Route | None]:
        resource = request.match_info.route.resource
        if resource is None:
            return UNMATCHED, None
        method = "GET" if request.method == "HEAD" else request.method
        return resource.canonical, self._routes.get((method, resource.canonical))

    def _options(self, request: web.Request) -> web.Response:
        error = request.match_info.http_exception
        if not isinstance(error, web.HTTPMethodNotAllowed):
            raise error or web.HTTPNotFound
        allowed = ", ".join(sorted({*error.allowed_methods, "OPTIONS"}))
        headers = {"Allow": allowed}
        if self._cors(request) and "Access-Control-Request-Method" in request.headers:
            headers |= {
                "Access-Control-Allow-Methods": allowed,
                "Access-Control-Allow-Headers": _ASKABLE,
                "Access-Control-Max-Age": "600",
            }
        return web.Response(status=204, headers=headers)

    def _dress(
        self, request: web.Request, response: web.StreamResponse, caller: Caller | None, request_id: str
    ) -> None:
        headers = response.headers
        for name, value in self.fixed.items():
            headers.setdefault(name, value)
        headers.setdefault("Cache-Control", "no-store")
        headers["X-Request-Id"] = request_id
        if is_https(request, self._settings.trusted_proxies):
            headers["Strict-Transport-Security"] = _HSTS
        if caller is not None:
            bucket = caller.bucket
            headers["RateLimit-Limit"] = str(bucket.capacity)
            headers["RateLimit-Remaining"] = str(bucket.remaining())
            headers["RateLimit-Reset"] = str(bucket.full_in())
        if self._origins:
            headers.update(self._cors(request))

    def _cors(self, request: web.Request) -> dict[str, str]:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or (origin not in self._origins and "*" not in self._origins):
            return {}
        allowed = "*" if "*" in self._origins else origin
        return {"Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": _EXPOSED}

    def _request_id(self, request: web.Request) -> str:
        sent_id = request.headers.get("X-Request-Id")
        return sent_id if sent_id is not None and _REQUEST_ID.match(sent_id) else next(self._ids)

    def _now(self) -> bytes:
        second = int(time())
        if second != self._date_at:
            self._date_at = second
            self._date = datetime.fromtimestamp(second, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").encode()
        return self._date

    def _note(
        self, method: str, template: str, status: int, caller: Caller | None, request_id: str, began: float
    ) -> None:
        """One observation and one line. Both name the route by its template."""
        if method not in _METHODS:
            method = "other"
        seconds = perf_counter() - began
        self._metrics.request(method, template if template in self._templates else UNMATCHED, status).observe(seconds)
        fields: dict[str, Any] = {
            "event": "request",
            "at": datetime.now(UTC),
            "method": method,
            "route": template,
            "status": status,
            "ms": round(seconds * 1000, 3),
            "request_id": request_id,
        }
        if caller is not None:
            fields["key_id"] = caller.key.id
        self._line(fields)


def _is_plain(request: web.Request) -> bool:
    """Whether ready bytes are an answer to it: a read of HTTP/1.1 whose connection stays open."""
    return request.method in _READS and request.version == HttpVersion11 and request.keep_alive


def _ended(running: Coroutine[Any, Any, Answer]) -> Answer:
    """What a coroutine returns that waits for nothing."""
    try:
        running.send(None)
    except StopIteration as end:
        return cast("Answer", end.value)
    running.close()
    raise RuntimeError("a handler of the catalogue waits for something")


def _is_encoded(request: web.Request) -> bool:
    return request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity"


GATE = web.AppKey("gate", Gate)
