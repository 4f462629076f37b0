"""The one HTTP client of every supplier: time-outs, size caps, rate, redaction, one mapping of failures.

A read is retried, bounded, when nothing speaks against it. A write is sent once, on a connection of
its own, and never again by anyone: what became of it is looked up.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import aiohttp
import msgspec
import stamina
import stamina.instrumentation
import structlog
from yarl import URL

from providers.kit import recording
from providers.kit.answers import RefusalTable, fault_of_status, read_answer
from providers.kit.body import ENCODINGS, read_capped
from providers.kit.call_log import CallRecorder
from providers.kit.rate_limiter import MemoryRateLimiter
from providers.kit.redaction import Redactor
from providers.kit.supplier_rate import (
    LONGEST_WAIT,
    Priority,
    RateReport,
    SupplierRateLimiter,
    faults_are_apart,
    http_date,
    is_outage,
    lowered,
)
from providers.kit.urls import Params, check_base_url, joined, segment
from schemas.errors import (
    ConnectionLost,
    DeadlinePassed,
    NotReached,
    RateLimited,
    SupplierError,
    TimedOut,
    UnreadableAnswer,
)

__all__ = [
    "ClockSeen",
    "MemoryRateLimiter",
    "Params",
    "Priority",
    "RateReport",
    "RefusalTable",
    "SupplierRateLimiter",
    "Transport",
    "check_base_url",
    "segment",
]

T = TypeVar("T")

READ_ATTEMPTS = 3
CONNECT_SECONDS = 10.0
READ_CONNECTIONS = 32
# A write takes as long as the supplier does: what bounds them is its rate, and how many orders are processed at once.
WRITE_CONNECTIONS = 256
REFUSAL_BYTES = 1024 * 1024
# Keeping count may take so long; the answer that came is worth more.
COUNT_SECONDS = 2.0
# A supplier that comes and goes writes one pair of lines in this time, not one per call.
QUIET_SECONDS = 300.0
# What makes the hooks that trace a supplier's session, by the account's name; nothing where nothing is traced.
TRACES: list[Callable[[str], aiohttp.TraceConfig]] = []

# Retries are our own business: they show in the breaker's row and in the one line about a failing supplier.
stamina.instrumentation.set_on_retry_hooks(())

_log = structlog.get_logger("providers.transport")
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class ClockSeen:
    """How far a supplier's clock is ahead of ours, in seconds, by an answer's Date header: give or take ``within``."""

    ahead: float
    within: float

    @classmethod
    def of(cls, headers: Mapping[str, str], began: float, ended: float) -> ClockSeen | None:
        """The clock that an answer tells of, which was asked for at ``began`` and came at ``ended`` (Unix seconds)."""
        at = http_date(headers.get("Date", ""))
        if at is None:
            return None
        # A date is cut off to its second, and written at any moment in between.
        seconds = at.timestamp() + 0.5
        return cls(seconds - (began + ended) / 2, 0.5 + max(0.0, ended - began) / 2)


@dataclass(slots=True)
class _Sending:
    """How far a send came: whether a connection stood. Nothing may be sent from ``deadline`` on."""

    connected: bool = False
    deadline: datetime | None = None

    def check(self) -> None:
        """Raise ``DeadlinePassed`` from the deadline on."""
        if self.deadline is not None and datetime.now(UTC) >= self.deadline:
            raise DeadlinePassed("not sent: its deadline passed before the first byte could go")


class _Request(aiohttp.ClientRequest):
    """A request that looks at the clock once more when its connection stands and nothing has been sent."""

    sending: _Sending | None = None

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        if self.sending is not None:
            self.sending.connected = True
            self.sending.check()
        return await super().send(conn)


class Transport:
    """HTTP to one supplier account.

    ``base_url`` may have a path of its own; ``secrets`` never appear in an error or a log line;
    ``max_body_bytes`` caps one answer after decompression. ``clock`` is the supplier's clock beside ours, as
    the last answer with a date told. Raises ``ConfigurationError`` for a base URL that cannot be used.
    """

    def __init__(
        self,
        supplier: str,
        base_url: str,
        *,
        timeout_seconds: float = 30,
        max_body_bytes: int = 32 * 1024 * 1024,
        secrets: tuple[str, ...] = (),
        limiter: SupplierRateLimiter | None = None,
    ) -> None:
        self.supplier = supplier
        self.base_url = check_base_url(supplier, base_url)
        self._base_path = URL(self.base_url).raw_path.rstrip("/")
        self.redact = Redactor(secrets)
        self._limiter = limiter if limiter is not None else MemoryRateLimiter(supplier)
        self._max_body_bytes = max_body_bytes
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(CONNECT_SECONDS, timeout_seconds))
        self._reads: aiohttp.ClientSession | None = None
        self._writes: aiohttp.ClientSession | None = None
        self._health = _Health(supplier)
        self.clock: ClockSeen | None = None

    async def read(
        self,
        path: str,
        type: type[T],  # noqa: A002 - named as in msgspec
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        refusal: RefusalTable | None = None,
        priority: Priority = Priority.SYNC,
        lax: bool = False,
    ) -> T:
        """GET ``path`` below the base URL and decode the answer into ``type``.

        Retried when the supplier was not reached, broke off, was too slow, had a fault or asked for a
        short wait. ``lax`` also takes "5" for 5 where the page is not strict; Decimals are exact
        either way. ``bytes`` gives the body as it came. Ids in ``path`` go through ``segment``.
        Raises ``SupplierError``.
        """
        priority = lowered(priority)
        if self._reads is None:
            self._reads = self._session(aiohttp.TCPConnector(limit=READ_CONNECTIONS))
        async for attempt in stamina.retry_context(
            on=partial(_pause_before_retry, priority),
            attempts=READ_ATTEMPTS,
            timeout=None,
            wait_initial=0.2,
            wait_max=5,
            wait_jitter=0.5,
        ):
            with attempt:
                return await self._once(
                    self._reads, "GET", joined(self.base_url, path, params), type,
                    body=None, headers=headers, refusal=refusal, priority=priority, lax=lax, write=False,
                )  # fmt: skip
        raise AssertionError("unreachable")

    async def write(
        self,
        method: str,
        path: str,
        type: type[T],  # noqa: A002 - named as in msgspec
        *,
        json: Any = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        refusal: RefusalTable | None = None,
        priority: Priority = Priority.PURCHASE,
        lax: bool = False,
        deadline: datetime | None = None,
    ) -> T:
        """Send ``json`` once, on a fresh connection, and decode the answer into ``type``.

        ``json`` is encoded with exact numbers; ``bytes`` go out as they are (for signed bodies); None
        sends no body. From ``deadline`` on nothing is sent: it is looked at after waiting for the rate and
        again when the connection stands. Raises ``SupplierError``, whose ``outcome`` alone says whether it
        may have happened.
        """
        if self._writes is None:
            self._writes = self._session(aiohttp.TCPConnector(limit=WRITE_CONNECTIONS, force_close=True))
        body = json if isinstance(json, bytes) or json is None else _encoder.encode(json)
        return await self._once(
            self._writes, method, joined(self.base_url, path, params), type,
            body=body, headers=headers, refusal=refusal, priority=priority, lax=lax, write=True, deadline=deadline,
        )  # fmt: skip

    async def close(self) -> None:
        """Close the connections; the next call would open new ones."""
        for session in (self._reads, self._writes):
            if session is not None:
                await session.close()
        self._reads = self._writes = None

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept": "application/json", "Accept-Encoding": ENCODINGS, "User-Agent": "esim-gateway"},
            request_class=_Request,
            trace_configs=[make(self.supplier) for make in TRACES],
        )

    async def _send_once(
        self, sending: _Sending, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        # aiohttp sends GET, PUT and DELETE again by itself when the connection drops (seen in 3.14.5). It
        # looks for its own errors only, so a drop leaves here as ours: one admission is one send.
        if isinstance(request, _Request):
            request.sending = sending
        try:
            return await handler(request)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise ConnectionLost(f"the connection dropped: {self.redact(error, 120)}") from None

    async def _once(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: URL,
        type: type[T],  # noqa: A002
        *,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        refusal: RefusalTable | None,
        priority: Priority,
        lax: bool,
        write: bool,
        deadline: datetime | None = None,
    ) -> T:
        if write and recording.is_playing_back():
            return self._read_again(method, url, type, refusal, lax=lax)
        if (again := recording.played_back(method, url.raw_path_qs)) is not None:
            return read_answer(again.status, again.body, type, refusal=refusal, redact=self.redact, lax=lax)
        await self._limiter.admit(priority, write=write)
        try:
            with CallRecorder(method, url, body, self.redact, self._base_path) as recorder:
                status, answer = await self._exchange(session, method, url, body, headers, deadline)
                recorder.answered(status, answer)
            value = read_answer(status, answer, type, refusal=refusal, redact=self.redact, lax=lax)
        except DeadlinePassed as error:
            error.supplier = self.supplier  # says nothing of the supplier, so the limiter is told nothing
            raise
        except SupplierError as error:
            error.supplier = self.supplier
            await self._report(error, write=write)
            raise
        await self._report(None, write=write)
        return value

    def _read_again(
        self,
        method: str,
        url: URL,
        type: type[T],  # noqa: A002
        refusal: RefusalTable | None,
        *,
        lax: bool,
    ) -> T:
        """Read the recorded answer of a call that spends; one that was not recorded is never sent."""
        again = recording.played_back(method, url.raw_path_qs)
        if again is None:
            raise UnreadableAnswer("its answer was not recorded; nothing was sent", supplier=self.supplier)
        return read_answer(again.status, again.body, type, refusal=refusal, redact=self.redact, lax=lax)

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: URL,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        deadline: datetime | None,
    ) -> tuple[int, bytes]:
        """One request on the wire. Every way in which it can break is named here, once."""
        sending = _Sending(deadline=deadline)
        sending.check()
        sent = dict(headers or {})
        began = time.time()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        try:
            async with session.request(
                method,
                url,
                data=body,
                headers=sent,
                allow_redirects=False,
                middlewares=(partial(self._send_once, sending),),
            ) as response:
                self.clock = ClockSeen.of(response.headers, began, time.time()) or self.clock
                await self._observed(response)
                if fault := fault_of_status(response.status, response.headers, datetime.now(UTC)):
                    raise fault
                cap = self._max_body_bytes if response.ok else min(REFUSAL_BYTES, self._max_body_bytes)
                answer = await read_capped(response, cap)
                recording.record(method, url.raw_path_qs, response.status, response.headers, answer)
                return response.status, answer
        except SupplierError:
            raise
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._broken(error, sending) from None  # its text may repeat what was sent

    def _broken(self, error: Exception, sending: _Sending) -> SupplierError:
        detail = self.redact(str(error) or type(error).__name__, 200)
        if not sending.connected:
            return NotReached(f"no connection: {detail}")
        if isinstance(error, TimeoutError):
            return TimedOut(f"no whole answer within {self._timeout.total:g} s")
        if isinstance(error, aiohttp.ClientResponseError):
            return UnreadableAnswer(f"not HTTP: {detail}")
        return ConnectionLost(f"the connection broke: {detail}")

    async def _observed(self, response: aiohttp.ClientResponse) -> None:
        try:
            async with asyncio.timeout(COUNT_SECONDS):
                await self._limiter.observed(response.headers, response.status)
        except Exception as error:  # noqa: BLE001 - keeping count must not lose an answer that came
            _log.warning("supplier_rate_record_failed", supplier=self.supplier, error=self.redact(error, 120))

    async def _report(self, error: SupplierError | None, *, write: bool) -> None:
        outage = error is not None and is_outage(error)
        if outage and faults_are_apart():
            return
        self._health.saw(error if outage else None)
        try:
            async with asyncio.timeout(COUNT_SECONDS):
                if error is not None and outage:
                    await self._limiter.failed(error, write=write)
                else:
                    await self._limiter.succeeded()
        except Exception as fault:  # noqa: BLE001 - as above
            _log.warning("breaker_record_failed", supplier=self.supplier, error=self.redact(fault, 120))


def _pause_before_retry(priority: Priority, error: Exception) -> bool | float:
    """Whether a failed read is tried again: False, True (backing off), or after so many seconds."""
    if not isinstance(error, RateLimited) and not (isinstance(error, SupplierError) and is_outage(error)):
        return False
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= LONGEST_WAIT[priority] else False
    return True


class _Health:
    """Writes one line when a supplier starts failing and one when it is back, never one per call."""

    def __init__(self, supplier: str) -> None:
        self._supplier = supplier
        self._failing = False
        self._announced = False
        self._last = -math.inf

    def saw(self, outage: SupplierError | None) -> None:
        """Take note of one finished call."""
        if outage is not None and not self._failing:
            self._failing = True
            now = time.monotonic()
            self._announced = now - self._last >= QUIET_SECONDS
            if self._announced:
                self._last = now
                _log.warning("supplier_failing", supplier=self._supplier, code=outage.code, detail=outage.detail)
        elif outage is None and self._failing:
            self._failing = False
            if self._announced:
                _log.info("supplier_recovered", supplier=self._supplier)
