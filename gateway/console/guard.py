"""What stands before every page: where the request comes from, whose session, which role; and what goes out with it.

It wraps each handler, so no page can be reached around it. Nothing of it is kept in a process or in Redis: a session
is a row, looked at with every request, so that a log-out or a disabled user holds everywhere at once.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from time import perf_counter
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from aiohttp import web

from gateway.access import user_rows
from gateway.access.login import Step, due_step
from gateway.access.passwords import RETRY_AFTER_SECONDS, PasswordsBusyError
from gateway.access.user_rows import Role, Session, Visitor
from gateway.console.decisions import pending_decisions
from gateway.console.forms import FormError, csrf_field
from gateway.console.navigation import Group, MenuEntry, menu
from gateway.console.pages import (
    CONTEXT,
    HOME,
    MESSAGE,
    SESSION,
    STEP,
    ConsolePage,
    NoDatabaseError,
    PendingDecision,
    View,
    deps_of,
    is_htmx,
)
from gateway.console.render import draw
from gateway.kit.pool import is_database_down
from gateway.kit.request_body import BodyError
from gateway.prices import supplier_states

_TOKEN_BYTES = 32
_MESSAGE_COOKIE = "gw_message"
_UNSOLD = web.RequestKey("console_unsold", str)
_DECISIONS: web.RequestKey[Sequence[PendingDecision | None]] = web.RequestKey("console_decisions_of_menu")
THEME_COOKIE = "gw_theme"
THEMES = ("system", "light", "dark")
_SESSION_COOKIE = "gw_session"
_DEVICE_COOKIE = "gw_device"
_LONGEST_DEVICE_COOKIE = 1000
_YEAR = 365 * 86400
_STEP_PAGES: dict[Step, str] = {
    "code": "/console/login",
    "password": "/console/password",
    "second_factor": "/console/second-factor",
}
_TITLES = {
    400: "Bad request",
    403: "Not allowed",
    404: "Page not found",
    405: "Method not allowed",
    408: "Request timed out",
    413: "Request too large",
    422: "Invalid request",
    500: "Internal error",
    503: "Database unavailable",
}

Wrapped = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Frame:
    """What the layout shows around a page. ``back`` is where the header's switches lead back to.

    ``step`` is the step of a log-in that is due: the page then stands alone.
    ``unsold`` says why no plan of the mode can be sold; empty while one can.
    """

    menu: tuple[MenuEntry, ...]
    theme: str
    nonce: str
    message: str
    back: str
    step: Step | None
    unsold: str


async def _unsold(request: web.Request) -> str:
    """Why nothing can be sold, for whole pages of staff. The database is asked only when that is so."""
    session = request.get(SESSION)
    if session is None or not session.visitor.may("viewer") or is_htmx(request):
        return ""
    return await supplier_states.nothing_sells(deps_of(request), session.mode)


async def _waiting(request: web.Request) -> Sequence[PendingDecision | None]:
    """What waits for a decision, for the menu of whole pages of staff."""
    session = request.get(SESSION)
    if session is None or not session.visitor.may("viewer") or STEP in request or is_htmx(request):
        return ()
    return await pending_decisions(request)


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A request that gets no page: a status and a sentence that says why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


_BUSY = "Too many passwords are being checked just now. Go back and try again in a few seconds."


class Guard:
    """Wraps handlers of pages. ``groups`` are the navigation."""

    def __init__(self, groups: tuple[Group, ...]) -> None:
        self._groups = groups

    def around(self, page: ConsolePage) -> Wrapped:
        """The handler as the router gets it."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            began = perf_counter()
            nonce = secrets.token_urlsafe(16)
            try:
                answer = await self._answer(request, page)
                if isinstance(answer, View):
                    request[_UNSOLD], request[_DECISIONS] = await asyncio.gather(_unsold(request), _waiting(request))
                response = self._drawn(request, page, nonce, answer)
            except Refused as refused:
                response = self._refusal(request, page, nonce, refused.status, refused.why)
            except FormError as error:
                response = self._refusal(request, page, nonce, 400, str(error))
            except BodyError as error:
                if error.client_is_gone:
                    raise
                response = self._refusal(request, page, nonce, error.status, str(error))
                response.force_close()
            except web.HTTPException as error:
                response = error if error.status < 400 else self._refusal(request, page, nonce, error.status, "")  # noqa: PLR2004 - HTTP
            except PasswordsBusyError:
                response = self._refusal(request, page, nonce, 503, _BUSY, title="Too many log-ins at once")
                response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it is, the person gets a page and the log the cause
                response = self._fault(request, page, nonce, error)
            self._dress(request, response, nonce, perf_counter() - began)
            return response

        return guarded

    async def _answer(self, request: web.Request, page: ConsolePage) -> View | web.StreamResponse:
        _require_no_nul(request)
        writes = request.method not in {"GET", "HEAD"}
        if writes:
            _from_here(request)
        session = await self._session(request)
        step = None if session is None else due_step(session, deps_of(request).settings)
        if step is not None:
            request[STEP] = step
        if page.role is None:
            return await page.handler(request)
        if session is None:
            return _to_login(request, writes=writes)
        if step is not None and step not in page.steps:
            return _to_login(request, writes=writes, target=_STEP_PAGES[step])
        if writes:
            await _meant(request)
        if page.role != "user" and not session.visitor.may(page.role):
            return self._elsewhere(session.visitor, page, page.role)
        if session.due and step is None:
            await user_rows.touch(deps_of(request).pool, session)
        return await page.handler(request)

    def _elsewhere(self, visitor: Visitor, page: ConsolePage, role: Role) -> web.Response:
        """Where a visitor is led whose role is not that of the page: nowhere, but from Home.

        A storefront's users do not learn what other pages there are.
        """
        if visitor.role != "storefront":
            raise Refused(403, f"This needs the role {role}; yours is {visitor.role}.")
        if page.path != HOME:
            raise web.HTTPNotFound
        first = menu(self._groups, visitor, "")[0].pages[0]
        return web.Response(status=303, headers={"Location": first.url})

    def _drawn(
        self, request: web.Request, page: ConsolePage, nonce: str, answer: View | web.StreamResponse
    ) -> web.StreamResponse:
        return draw(request, answer, self._base(request, page, nonce)) if isinstance(answer, View) else answer

    async def _session(self, request: web.Request) -> Session | None:
        token = request.cookies.get(session_cookie(request))
        if not token:
            return None
        found = await user_rows.session(deps_of(request).pool, token)
        if found is not None:
            request[SESSION] = found
        return found

    def _base(self, request: web.Request, page: ConsolePage, nonce: str) -> dict[str, Any]:
        """What every template knows. ``frame`` is the layout's own."""
        session, step = request.get(SESSION), request.get(STEP)
        inside = session is not None and step is None
        frame = Frame(
            menu=menu(self._groups, session.visitor, page.nav, request.get(_DECISIONS, ()))
            if session is not None and inside
            else (),
            theme=theme(request),
            nonce=nonce,
            message=_read_message(request),
            back=request.path_qs if request.method == "GET" else "/console",
            step=step,
            unsold=request.get(_UNSOLD, ""),
        )
        return {
            "frame": frame,
            "visitor": session.visitor if session is not None and inside else None,
            "mode": session.mode if session is not None else None,
            "csrf_token": csrf_token(request) if session is not None else "",
        }

    def _refusal(
        self, request: web.Request, page: ConsolePage, nonce: str, status: int, why: str, *, title: str = ""
    ) -> web.Response:
        context = {"status": status, "why": why, "request_id": request.app[CONTEXT].request_id(request)}
        view = View("error.html", context, title=title or _TITLES.get(status, "Request failed"), status=status)
        return draw(request, view, self._base(request, page, nonce))

    def _fault(self, request: web.Request, page: ConsolePage, nonce: str, error: Exception) -> web.Response:
        logger = structlog.get_logger()
        if isinstance(error, NoDatabaseError) or is_database_down(error):
            logger.warning("console: database down", page=page.path, error=f"{type(error).__name__}: {error}")
            response = self._refusal(request, page, nonce, 503, "")
            response.headers["Retry-After"] = "5"
            return response
        logger.error("console: unexpected fault", page=page.path, exc_info=error)
        return self._refusal(request, page, nonce, 500, "")

    def _dress(self, request: web.Request, response: web.StreamResponse, nonce: str, seconds: float) -> None:
        headers = response.headers
        headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
            "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        # No referrer at all would have browsers send "Origin: null" with our own forms.
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["X-Robots-Tag"] = "noindex, nofollow"
        headers.setdefault("Cache-Control", "no-store")
        headers["Server-Timing"] = f"app;dur={seconds * 1000:.1f}"
        message = request.get(MESSAGE)
        if message:
            _set(request, response, _message_cookie(request), _pack(message), 120)
        elif response.status == 200 and _message_cookie(request) in request.cookies:  # noqa: PLR2004 - HTTP
            _drop(request, response, _message_cookie(request))
        if is_htmx(request) and response.status == 303 and "Location" in headers:  # noqa: PLR2004 - HTTP
            # htmx would follow the redirection by itself and put the whole page into a part of this one.
            headers["HX-Redirect"] = headers.pop("Location")
            response.set_status(204)


# -- where a request comes from --------------------------------------------------------------------------------------


def _require_no_nul(request: web.Request) -> None:
    """Refuse an address with a NUL in it: PostgreSQL stores none, so nothing is called that or can be looked for."""
    if any("\0" in part for part in request.match_info.values()):
        raise web.HTTPNotFound
    if any("\0" in text for field in request.query.items() for text in field):
        raise Refused(422, "The address contains a NUL character. Remove it and try again.")


def _from_here(request: web.Request) -> None:
    """Refuse what another site sends. A browser says so itself, by Origin and Sec-Fetch-Site."""
    site = request.headers.get("Sec-Fetch-Site")
    if site not in {None, "same-origin"}:
        raise Refused(403, "This form came from another site, so nothing was done.")
    origin = request.headers.get("Origin")
    if origin is not None:
        own = urlsplit(request.app[CONTEXT].origin(request)).netloc
        if urlsplit(origin).netloc.lower() != own.lower():
            raise Refused(403, "This form came from another site, so nothing was done.")


async def _meant(request: web.Request) -> None:
    """Refuse a form that does not carry the session's own token."""
    token = request.headers.get("X-CSRF-Token")
    if token is None:
        token = await csrf_field(request)
    if not _is_token(request, token):
        raise Refused(403, "This form has expired. Go back, reload the page and submit it again.")


def csrf_token(request: web.Request) -> str:
    """The token of this session's forms. It looks different on each page, so that compressing pages tells nothing."""
    secret = _csrf_secret(request)
    mask = secrets.token_bytes(_TOKEN_BYTES)
    return base64.urlsafe_b64encode(mask + bytes(a ^ b for a, b in zip(mask, secret, strict=True))).decode()


def _is_token(request: web.Request, token: str) -> bool:
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii"))
    except ValueError:
        return False
    if len(raw) != 2 * _TOKEN_BYTES:
        return False
    found = bytes(a ^ b for a, b in zip(raw[:_TOKEN_BYTES], raw[_TOKEN_BYTES:], strict=True))
    return hmac.compare_digest(found, _csrf_secret(request))


def _csrf_secret(request: web.Request) -> bytes:
    token = request.cookies.get(session_cookie(request), "")
    return blake2b(token.encode(), digest_size=_TOKEN_BYTES, person=b"console csrf").digest()


def _to_login(request: web.Request, *, writes: bool, target: str = "/console/login") -> web.Response:
    """To the log-in or a step of it, and from there back to the page that the person is on."""
    target_path = request.path_qs
    if is_htmx(request):
        current = urlsplit(request.headers.get("HX-Current-URL", ""))
        target_path, writes = f"{current.path}?{current.query}".rstrip("?"), False
    if not writes and target_path not in {"", "/console"}:
        target += "?next=" + quote(target_path, safe="/")
    return web.Response(status=303, headers={"Location": target})


# -- cookies ---------------------------------------------------------------------------------------------------------


def is_https(request: web.Request) -> bool:
    """Whether the person's browser talks https, to us or to the proxy before us."""
    return request.app[CONTEXT].origin(request).startswith("https:")


def session_cookie(request: web.Request) -> str:
    """The name of the session's cookie; over https one that only this very host can set."""
    return f"__Host-{_SESSION_COOKIE}" if is_https(request) else _SESSION_COOKIE


def set_session(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Let the browser keep a session."""
    _set(request, response, session_cookie(request), token, int(user_rows.LONGEST.total_seconds()))


def drop_session(request: web.Request, response: web.StreamResponse) -> None:
    """Have the browser forget its session."""
    _drop(request, response, session_cookie(request))


def device_cookie(request: web.Request) -> str:
    """What says as whom this browser logged in before; "" when it never did."""
    return request.cookies.get(_device_cookie(request), "")[:_LONGEST_DEVICE_COOKIE]


def set_device(request: web.Request, response: web.StreamResponse, text: str) -> None:
    """Have the browser known again at its next log-ins, for a year."""
    if text:
        _set(request, response, _device_cookie(request), text, _YEAR)


def set_theme(request: web.Request, response: web.StreamResponse, chosen: str) -> None:
    """Keep light, dark, or as the system has it."""
    _set(request, response, THEME_COOKIE, chosen, _YEAR)


def theme(request: web.Request) -> str:
    """What was chosen: light, dark or system."""
    chosen = request.cookies.get(THEME_COOKIE, "system")
    return chosen if chosen in THEMES else "system"


def _device_cookie(request: web.Request) -> str:
    return f"__Host-{_DEVICE_COOKIE}" if is_https(request) else _DEVICE_COOKIE


def _message_cookie(request: web.Request) -> str:
    return f"__Host-{_MESSAGE_COOKIE}" if is_https(request) else _MESSAGE_COOKIE


def _read_message(request: web.Request) -> str:
    packed = request.cookies.get(_message_cookie(request), "")
    try:
        return base64.urlsafe_b64decode(packed.encode("ascii")).decode()[:500]
    except ValueError:
        return ""


def _pack(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode()


def _set(request: web.Request, response: web.StreamResponse, name: str, value: str, seconds: int) -> None:
    response.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="Lax", secure=is_https(request))


def _drop(request: web.Request, response: web.StreamResponse, name: str) -> None:
    response.del_cookie(name, path="/", httponly=True, samesite="Lax", secure=is_https(request))
