"""The gateway's API as this shop calls it: one key, one way to ask, one way to send what spends."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

TRIES = 3
LONGEST_PAUSE_SECONDS = 5.0
WAIT = "wait=5"  # most orders are delivered by then, and the customer's page has the eSIM at once
TIMEOUT = aiohttp.ClientTimeout(total=40, connect=5)
TOO_MANY = 429
SERVER_ERROR = 500
NOT_MODIFIED = 304
ERROR = 400


class GatewayProblem(Exception):  # noqa: N818 - the gateway's own word for it
    """The gateway said no. ``code`` says why ("no_stock", "quote_expired"), ``detail`` in words for people."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail = status, code, detail


class NoAnswer(Exception):  # noqa: N818 - what there is instead of an answer
    """Nobody knows what became of the request. What spends is sent again under the same Idempotency-Key."""


class Gateway:
    """One storefront's key at one gateway."""

    def __init__(self, url: str, key: str) -> None:
        self._http = aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT)
        self._seen: dict[str, tuple[str, Any]] = {}

    async def close(self) -> None:
        await self._http.close()

    async def get(self, path: str, **query: Any) -> Any:
        """What stands at ``path``. Reading spends nothing, so it is tried again."""
        return (await self._again("GET", path, params=_given(query)))[1]

    async def catalogue(self, path: str, **query: Any) -> Any:
        """The same for plans and countries, by ETag: what has not changed is not sent a second time."""
        params = _given(query)
        name = f"{path}?{params}"
        tag, body = self._seen.get(name, ("", None))
        headers = {"If-None-Match": tag} if tag else {}
        answer, found = await self._again("GET", path, params=params, headers=headers)
        if answer.status == NOT_MODIFIED:
            return body
        if len(self._seen) > 1000:  # noqa: PLR2004 - enough for what is asked for often
            self._seen.clear()
        self._seen[name] = (answer.headers.get("ETag", ""), found)
        return found

    async def post(self, path: str, body: Any) -> Any:
        """Send what spends nothing (a quote), tried again like a read."""
        return (await self._again("POST", path, json=body))[1]

    async def spend(self, path: str, body: Any, key: str) -> Any:
        """Send what spends: once. Whoever gets ``NoAnswer`` sends the same body under the same key again.

        Under one Idempotency-Key the gateway answers the same order for ever, so that never buys twice. A
        ``GatewayProblem`` means that there is no order, and leaves the key free.
        """
        headers = {"Idempotency-Key": key, "Prefer": WAIT}
        return (await self._once("POST", path, json=body, headers=headers))[1]

    async def picture(self, path: str) -> bytes:
        """A QR code. It needs the key, so the customer's browser asks this shop for it."""
        return bytes((await self._again("GET", path, binary=True))[1])

    async def _again(self, method: str, path: str, **more: Any) -> tuple[aiohttp.ClientResponse, Any]:
        pause = 0.2
        for left in reversed(range(TRIES)):
            try:
                return await self._once(method, path, **more)
            except NoAnswer:
                if not left:
                    raise
            except GatewayProblem as problem:
                if problem.status != TOO_MANY or not left:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 4, LONGEST_PAUSE_SECONDS)
        raise AssertionError("the last try answers or raises")

    async def _once(
        self, method: str, path: str, *, binary: bool = False, **more: Any
    ) -> tuple[aiohttp.ClientResponse, Any]:
        try:
            async with self._http.request(method, path, **more) as answer:
                if answer.status >= SERVER_ERROR and answer.status != 501:  # noqa: PLR2004 - an answer: it cannot do that
                    raise NoAnswer(f"{method} {path}: {answer.status}")
                if answer.status == NOT_MODIFIED:
                    return answer, None
                if binary and answer.status < ERROR:
                    return answer, await answer.read()
                body = await answer.json(content_type=None)
                if answer.status >= ERROR:
                    text = body.get("detail") or body.get("title") or ""
                    raise GatewayProblem(answer.status, body.get("code", ""), text)
                return answer, body
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NoAnswer(f"{method} {path}: {type(error).__name__}") from error


def _given(query: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value}
