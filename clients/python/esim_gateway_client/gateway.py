"""The two clients: where the gateway is, with which key, and how a call is sent."""

from __future__ import annotations

import asyncio
import os
import time
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from .async_operations import AsyncOperations
from .calls import Call
from .operations import Operations
from .retries import Attempts, Outcome, Retries

T = TypeVar("T")

URL_VARIABLE, KEY_VARIABLE = "ESIM_GATEWAY_URL", "ESIM_GATEWAY_KEY"
TIMEOUT = httpx.Timeout(40.0, connect=5.0)  # an order can be waited for up to 30 seconds
RETRIES = Retries()


class Gateway(Operations):
    """A gateway and one storefront's key. Use it as a context manager, or close it.

    ``base_url`` and ``api_key`` can also come from ``ESIM_GATEWAY_URL`` and ``ESIM_GATEWAY_KEY``; ``ValueError`` where
    one is missing. ``http`` brings settings of your own, such as proxies; it is closed with the gateway.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        retries: Retries = RETRIES,
        http: httpx.Client | None = None,
    ) -> None:
        self._address = _Address(base_url, api_key)
        self._retries = retries
        self._http = http or httpx.Client(timeout=TIMEOUT)
        super().__init__(self._send)

    def _send(self, call: Call[T], /) -> T:
        attempts = Attempts(self._retries, is_repeatable=call.is_repeatable)
        while True:
            outcome: Outcome
            try:
                outcome = self._http.request(**self._address.request(call))
            except httpx.RequestError as error:
                outcome = error
            pause = attempts.pause_after(outcome)
            if pause is None:
                return call.result(outcome)
            time.sleep(pause)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncGateway(AsyncOperations):
    """The same for asyncio: ``await`` what a method returns, and iterate over lists with ``async for``."""

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        retries: Retries = RETRIES,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._address = _Address(base_url, api_key)
        self._retries = retries
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT)
        super().__init__(self._send)

    async def _send(self, call: Call[T], /) -> T:
        attempts = Attempts(self._retries, is_repeatable=call.is_repeatable)
        while True:
            outcome: Outcome
            try:
                outcome = await self._http.request(**self._address.request(call))
            except httpx.RequestError as error:
                outcome = error
            pause = attempts.pause_after(outcome)
            if pause is None:
                return call.result(outcome)
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


class _Address:
    """Where a gateway is, and the key for it."""

    def __init__(self, base_url: str | None, api_key: str | None) -> None:
        self._url = (base_url or _setting("base_url", URL_VARIABLE)).rstrip("/")
        if not self._url.startswith(("http://", "https://")):
            raise ValueError(f"base_url must begin with https:// or http://, not {self._url!r}")
        self._headers = {"Authorization": f"Bearer {api_key or _setting('api_key', KEY_VARIABLE)}"}

    def request(self, call: Call[Any]) -> dict[str, Any]:
        """All arguments of httpx for a call."""
        request = call.request()
        return {**request, "url": self._url + call.path, "headers": {**self._headers, **request["headers"]}}


def _setting(name: str, variable: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise ValueError(f"give {name}, or set {variable}")
    return value
