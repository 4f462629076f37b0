"""The HTTP client for addresses that others name: it reaches the public internet by https, and nothing else.

The guard stands where a socket is made, with the address in hand that is about to be connected to. A literal, a
name that resolves to a private address, and one that does so only the second time all end there. Redirects are not
followed, proxies of the environment not used, and of the answer to a storefront's webhook only the status is read.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.kit.addresses import Network, fault_of_url, may_connect

TIMEOUT_SECONDS = 15.0
CONNECT_SECONDS = 5.0
AT_ONCE = 64
LOOKUPS_AT_ONCE = 64  # one that is given up goes on in its thread until the system gives it up too
_LONGEST_HEADER = 8190
_CHUNK = 64 * 1024


class AddressRefused(OSError):  # noqa: N818 - named after what happened
    """The address that a name stands for may not be connected to."""


class OwnThreads(AbstractResolver):
    """Looks names up as the system does, in threads that nobody else waits for.

    A storefront may name a host whose name servers never answer. The process has but a handful of threads for
    looking names up, and a supplier's name that is not found in time is a purchase that does not come about.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="names of storefronts")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses that the name stands for. Raises ``OSError`` when it stands for none."""
        ask = partial(
            socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=flags)
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Wait for no answer that has not come."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: an HTTP status, or a word for why none did; of a ``get`` the body, too."""

    status: int | None
    error: str | None = None
    body: bytes = b""


class GuardedHttpClient:
    """Posts to storefronts' URLs, and reads what the settings name.

    ``exceptions`` are private networks that may be reached, by http too. ``resolver`` and ``tls`` are the system's by
    default, names being looked up in threads of this client's own.
    """

    def __init__(
        self,
        exceptions: Sequence[Network],
        *,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._exceptions = tuple(exceptions)
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=CONNECT_SECONDS)
        resolver = resolver if resolver is not None else OwnThreads()
        # Two, because a socket's maker does not see the URL: what may be reached by http is less.
        self._sessions = {scheme: self._session(scheme, resolver, tls) for scheme in ("https", "http")}

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, most_bytes: int = 0) -> Reply:
        """Send once. Never raises for what the other side, its name or the network does.

        The answer's body is read when ``most_bytes`` is not 0; a longer one is "too_large".
        """
        return await self._send("POST", url, most_bytes=most_bytes, data=body, headers=headers)

    async def get(self, url: str, *, most_bytes: int) -> Reply:
        """Read once, a body of so many bytes at most ("too_large"). Never raises, as above."""
        return await self._send("GET", url, most_bytes=most_bytes, headers={"Accept-Encoding": "identity"})

    async def _send(self, method: str, url: str, *, most_bytes: int = 0, **request: Any) -> Reply:
        if fault_of_url(url, self._exceptions) is not None:
            return Reply(None, "address_refused")
        try:
            async with self._sessions[url.split(":", 1)[0].lower()].request(
                method, url, allow_redirects=False, timeout=self._timeout, **request
            ) as answer:
                if 300 <= answer.status < 400:  # noqa: PLR2004 - HTTP
                    return Reply(answer.status, "redirect")
                body = bytearray()
                while most_bytes and (chunk := await answer.content.read(_CHUNK)):
                    body += chunk
                    if len(body) > most_bytes:
                        return Reply(None, "too_large")
                return Reply(answer.status, None, bytes(body))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Reply(None, _word_for(error))

    async def close(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            await session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _session(self, scheme: str, resolver: AbstractResolver, tls: ssl.SSLContext | None) -> aiohttp.ClientSession:
        def guarded(info: Any) -> socket.socket:
            family, kind, protocol, _, address = info
            if not may_connect(str(address[0]), self._exceptions, encrypted=scheme == "https"):
                raise AddressRefused("this address may not be reached")
            return socket.socket(family, kind, protocol)

        connector = aiohttp.TCPConnector(
            limit=AT_ONCE,
            force_close=True,  # a kept connection would outlive what its name stands for
            use_dns_cache=False,
            resolver=resolver,
            ssl=tls if tls is not None else True,
            socket_factory=guarded,
        )
        return aiohttp.ClientSession(
            connector=connector,
            connector_owner=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )


_MESSAGES: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "name_not_found"),
    (aiohttp.ClientConnectorCertificateError, "certificate"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientConnectorError, "no_connection"),
    (aiohttp.InvalidURL, "address_refused"),
)


def _word_for(error: BaseException) -> str:
    """Why there is no answer, in a word that the delivery's log may show. An error's own text names addresses."""
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, AddressRefused):
        return "address_refused"
    return next((word for kind, word in _MESSAGES if isinstance(error, kind)), "disconnected")
