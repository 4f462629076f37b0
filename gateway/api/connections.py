"""Connections of clients: how long a request may take to arrive, how many may be on their way, and what is no HTTP.

aiohttp has no limit for a head or a body that does not arrive, and none for their number. A request is *unfinished*
from the first byte of its head until its body is whole. It has ``ARRIVAL_SECONDS`` for the head and as long again for
the body. One address may have a few unfinished requests, all together a quarter of the process's file descriptors;
beyond that, and when time is up, the oldest is answered 408 and its connection closed.

A question that can be answered at once is answered where it arrives: a task and a router cost more than most answers.

It builds on parts of aiohttp that are not public (``_waiter``, ``_messages``, ``_ErrInfo``); requirements.lock pins the
version, and tests/gateway/api/test_connections.py fails where one of them changes.
"""

from __future__ import annotations

import asyncio
import resource
import secrets
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any, cast

import structlog
from aiohttp import StreamReader, web
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import RequestPayloadError, _ErrInfo

from gateway.api import state
from gateway.api.answers import SECURITY_HEADERS, ReadyResponse
from gateway.api.forwarded import address_group, client_behind, is_trusted
from gateway.api.gate import GATE
from gateway.api.problems import Refusal, render

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy

ARRIVAL_SECONDS = 10.0
LINGER_SECONDS = 0.5  # how long an unread body is read on after its answer, so that the client can read the answer
KEEP_ALIVE_SECONDS = 75.0
SHUTDOWN_SECONDS = 1.0  # requests were waited for before
_CODES = {400: "malformed", 408: "request_timeout"}
_LOOK_SECONDS = 0.25

log = structlog.get_logger(__name__)


class Connection(web.RequestHandler):
    """One client's connection. ``doors`` counts it while a request on it is unfinished."""

    __slots__ = ("_arriving", "_doors", "_peer", "address")

    def __init__(self, doors: FrontDoor, **options: Any) -> None:
        super().__init__(doors, **options)
        self._doors = doors
        self._arriving: StreamReader | None = None  # the body that is not whole
        self._peer = ""
        self.address = ""

    @property
    def idle(self) -> bool:
        """Whether nothing is asked on it: no request is running and none has begun."""
        return self._waiter is not None and not self._waiter.done() and self not in self._doors.unfinished

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the client's address; make room among idle connections where descriptors run short."""
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else ""
        # Whose head it is that a trusted proxy hands on is not known before it is whole.
        self.address = "" if is_trusted(self._peer, self._doors.trusted) else address_group(self._peer)
        super().connection_made(transport)
        self._doors.make_room()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget it."""
        self._doors.finish(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and note whether it leaves a request unfinished."""
        known, running = self._request_count, self._current_request is not None or bool(self._messages)
        waiter, self._waiter = self._waiter, None  # what is answered at once wakes nobody
        try:
            super().data_received(data)
        finally:
            self._waiter = waiter
        self._note_arrival(data, known, running=running)
        if waiter is not None and not waiter.done() and self._messages and not self._answer_at_once():
            waiter.set_result(None)

    def _note_arrival(self, data: bytes, known: int, *, running: bool) -> None:
        if self._force_close or self._close:
            return
        if self._request_count != known and self._messages:
            message, payload = self._messages[-1]
            self._doors.finish(self)
            if isinstance(message, _ErrInfo):
                self._body_is_broken(message.exc)
                self._arriving = None
            elif payload.is_eof():
                self._arriving = None
            else:
                self._arriving = payload
                self._doors.begin(self, self._sender(message.headers))
        elif self._arriving is not None:
            if self._arriving.is_eof():
                self._arriving = None
                self._doors.finish(self)
        elif data and not running and not self._upgraded:
            self._doors.begin(self, self.address)

    def _answer_at_once(self) -> bool:
        """Answer the request that waits, where it is the only one, without a task of its own; False: it needs one."""
        (message, payload), *more = self._messages
        if more or payload is not EMPTY_PAYLOAD or isinstance(message, _ErrInfo) or self._upgraded or self._paused:
            return False
        make_request: Any = self._request_factory
        if self.transport is None or self._parser is None or make_request is None:  # it is closed
            return False
        ready = self._doors.answer_now(make_request(message, payload, self, None, self._task_handler))
        if ready is None:
            return False
        self._messages.clear()
        self._parser.message_consumed()
        self._doors.requests_count += 1
        self._keepalive = True
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(self._next_keepalive_close_time, self._process_keepalive)
        self.transport.writelines(ready.parts)
        return True

    def time_out(self) -> None:
        """Answer 408 in place of the request that is not whole, and close."""
        late = TimeoutError("the request was not received in time")
        self._lingering_time = 0.0
        if self._arriving is not None:
            self._arriving.set_exception(late)
        elif self._current_request is None:
            self._messages.append((_ErrInfo(status=408, exc=late, message=""), EMPTY_PAYLOAD))
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)
        self._close = True  # whatever still comes is not read

    def _sender(self, headers: CIMultiDictProxy[str]) -> str:
        """Whose body it is: through a trusted proxy the client that it names."""
        if self.address:
            return self.address
        return address_group(client_behind(self._peer, headers, self._doors.trusted))

    def _body_is_broken(self, cause: BaseException) -> None:
        """Let a handler that reads the body know that no more of it can be understood."""
        if self._arriving is not None and not self._arriving.is_eof():
            self._arriving.set_exception(RequestPayloadError(str(cause)))

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes what was sent, keys included
    ) -> web.StreamResponse:
        """The problem for a request that no handler sees: no HTTP, too late, or a fault of aiohttp's own."""
        if isinstance(exc, ConnectionError):
            raise exc  # the client is gone: nobody reads an answer
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun already")
        request_id = f"req_{secrets.token_hex(8)}"
        code = _CODES.get(status, "internal")
        if code == "internal":
            log.error("request_failed_outside_routes", request_id=request_id, exc_info=exc)
        else:
            log.info("request_unreadable", request_id=request_id, status=status, kind=type(exc).__name__)
        response = render(Refusal(code), request_id, self._doors.base_url)
        response.headers.update(SECURITY_HEADERS)
        response.headers["X-Request-Id"] = request_id
        response.headers["Server"] = "esim-gateway"
        response.force_close()
        return response


class FrontDoor(web.Server):
    """Makes and counts the connections of a serving process.

    ``answer_now`` is asked before a request gets a task. ``per_address`` is how many unfinished requests one address
    may have. Heads that a trusted proxy hands on count for no address, only among all.
    """

    def __init__(
        self,
        handler: Any,
        *,
        answer_now: Callable[[web.Request], ReadyResponse | None],
        per_address: int,
        trusted: Sequence[IPv4Network | IPv6Network],
        base_url: str = "",
        **options: Any,
    ) -> None:
        super().__init__(handler, **options)
        self.answer_now = answer_now
        self.trusted = trusted
        self.base_url = base_url
        self.arrival_seconds = ARRIVAL_SECONDS
        self.unfinished: dict[Connection, tuple[float, str]] = {}  # since when and whose, the oldest first
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = max(1, descriptors // 4) if descriptors != resource.RLIM_INFINITY else 1 << 20
        self._per_address = per_address
        self._counts: dict[str, int] = {}
        self._sweep: asyncio.TimerHandle | None = None

    def __call__(self) -> Connection:
        """The protocol of a new connection."""
        return Connection(self, loop=self._loop, **self._kwargs)

    def begin(self, connection: Connection, address: str) -> None:
        """Count a connection whose request is unfinished for this address, "" where that is not known."""
        if connection in self.unfinished:
            return
        self.unfinished[connection] = (self._loop.time(), address)
        count = self._counts[address] = self._counts.get(address, 0) + 1
        if count > self._per_address and address:
            self._end(next(request for request, (_, theirs) in self.unfinished.items() if theirs == address))
        elif len(self.unfinished) > self._most:
            self._end(next(iter(self.unfinished)))
        if self._sweep is None:
            self._sweep = self._loop.call_later(_LOOK_SECONDS, self._end_late)

    def finish(self, connection: Connection) -> None:
        """Count it no longer."""
        counted = self.unfinished.pop(connection, None)
        if counted is None:
            return
        _, address = counted
        self._counts[address] -= 1
        if not self._counts[address]:
            del self._counts[address]

    def make_room(self) -> None:
        """Close the oldest idle connection where connections hold more than half of the descriptors."""
        if len(self._connections) > 2 * self._most:
            idle = next((connection for connection in self._connections if cast("Connection", connection).idle), None)
            if idle is not None:
                idle.force_close()

    def _end(self, connection: Connection) -> None:
        self.finish(connection)
        connection.time_out()

    def _end_late(self) -> None:
        self._sweep = None
        latest = self._loop.time() - self.arrival_seconds
        while self.unfinished:
            connection, (since, _) = next(iter(self.unfinished.items()))
            if since > latest:
                self._sweep = self._loop.call_later(_LOOK_SECONDS, self._end_late)
                return
            self._end(connection)


class FrontDoorRunner(web.AppRunner):
    """Runs an application of ``make_app`` behind a ``FrontDoor``. Bodies arrive as they were sent, never inflated.

    What the application's gate can answer at once is not routed, which would cost more than the answer does.
    """

    __slots__ = ("_gate", "_settings", "door")

    def __init__(self, app: web.Application) -> None:
        super().__init__(
            app,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            shutdown_timeout=SHUTDOWN_SECONDS,
            lingering_time=LINGER_SECONDS,
            auto_decompress=False,
        )
        self._settings, self._gate = app[state.SETTINGS], app[GATE]
        self.door: FrontDoor

    async def _make_server(self) -> web.Server:
        plain = await super()._make_server()
        self.door = FrontDoor(
            plain.request_handler,
            answer_now=self._gate.answer_now,
            request_factory=plain.request_factory,
            per_address=self._settings.connections.unfinished_per_address,
            trusted=self._settings.trusted_proxies,
            base_url=self._settings.public_base_url,
            **plain._kwargs,  # noqa: SLF001 - what aiohttp adds to ours
        )
        return self.door
