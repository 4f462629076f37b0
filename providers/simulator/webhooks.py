"""A supplier's webhooks: made and signed by the supplier's own rules, sent in the background, spoilt when told to."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import aiohttp
import msgspec

from providers.simulator.triggers import Share

Seconds = Annotated[float, msgspec.Meta(ge=0, le=30 * 86400)]

_LOG_LENGTH = 1000
_AT_ONCE = 8
_WAITING = 2000
_OVERTAKEN_SECONDS = 5.0
_FACTS = ("iccid", "code", "lpa", "url", "pin", "address", "matching")
_SIGNATURE = re.compile(r"[0-9A-Za-z+/=_-]{40,}")
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class WebhookRules:
    """How a supplier notifies.

    ``sign(secret, body, encoded, at)`` gives the headers; ``secret`` is the account's. ``retries`` are the waits
    before further tries of one that got no 2xx in time, in seconds.
    """

    sign: Callable[[str, Mapping[str, Any], bytes, datetime], Mapping[str, str]]
    retries: tuple[float, ...] = ()
    timeout_seconds: float = 10


class WebhookPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where notifications go, and what is done to them. Without ``url`` none are sent.

    Each is sent ``copies`` times, ``delay_seconds`` after it was made; a share of them is ``lost``. With
    ``reorder`` every second one overtakes the one before it. ``forged`` sends one with a wrong signature
    beside each, ``altered`` one whose data was changed after it was signed. ``events`` are those that are sent, by
    the body's ``event``; None is all. ``age_seconds`` makes and signs
    them as of so long ago. ``retry_scale`` shortens (or lengthens) the supplier's waits between tries.
    """

    url: str | None = None
    events: tuple[str, ...] | None = None
    copies: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    delay_seconds: Seconds = 0
    lost: Share = 0
    reorder: bool = False
    forged: bool = False
    altered: bool = False
    age_seconds: Seconds = 0
    retry_scale: Annotated[float, msgspec.Meta(ge=0, le=10)] = 1


class SentWebhook(msgspec.Struct, frozen=True):
    """One delivery, for the log. ``what`` is genuine, copy, forged or altered; ``status`` None when none was read."""

    sale_id: str | None
    what: str
    at: datetime
    status: int | None
    error: str | None = None


class WebhookSender:
    """Sends in the background; ``spawn`` keeps the tasks, ``draw`` gives numbers from 0 to 1."""

    def __init__(
        self,
        rules: WebhookRules | None,
        secret: Callable[[], str],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[Any]],
        draw: Callable[[], float],
    ) -> None:
        self.rules = rules
        self.plan = WebhookPlan()
        self.log: deque[SentWebhook] = deque(maxlen=_LOG_LENGTH)
        self._secret = secret
        self._spawn = spawn
        self._draw = draw
        self._waiting = 0
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._overtaken: asyncio.Event | None = None
        self._http: aiohttp.ClientSession | None = None

    def now(self) -> datetime:
        """The time as of which notifications are made and signed."""
        return datetime.now(UTC) - timedelta(seconds=self.plan.age_seconds)

    def send(self, body: Mapping[str, Any], sale_id: str | None = None, **spoilt: Any) -> asyncio.Task[Any] | None:
        """Sign and send this body, such as a supplier's test notification; ``spoilt`` is this one's own plan.

        What ends when it was sent, None when it is not.
        """
        if self.rules is None or self.plan.url is None:
            return None
        if self._waiting >= _WAITING:
            self._note(sale_id, "dropped", None, "too many are waiting")
            return None
        self._waiting += 1
        return self._spawn(self._deliver(self.rules, msgspec.structs.replace(self.plan, **spoilt), body, sale_id))

    def reset(self) -> None:
        """Send nothing more, and forget what was sent."""
        self.plan = WebhookPlan()
        self.log.clear()
        self._overtaken = None

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()
            self._http = None
        self._waiting = 0

    async def _deliver(
        self, rules: WebhookRules, plan: WebhookPlan, body: Mapping[str, Any], sale_id: str | None
    ) -> None:
        encoded = _encoder.encode(body)

        async def post(what: str, sent: bytes = encoded) -> bool:
            headers = dict(rules.sign(self._secret(), body, encoded, self.now()))
            if what == "forged":
                headers = {name: _broken(value) for name, value in headers.items()}
            return await self._post(rules, plan.url or "", sent, headers, sale_id, what)

        try:
            if plan.lost and self._draw() < plan.lost:
                self._note(sale_id, "lost", None)
                return
            await asyncio.sleep(plan.delay_seconds)
            overtakes = await self._in_order(plan)
            if plan.forged:
                await post("forged")
            if plan.altered:
                await post("altered", _encoder.encode(altered(body)))
            for wait in (0, *rules.retries):
                await asyncio.sleep(wait * plan.retry_scale)
                if await post("genuine"):
                    break
            for _ in range(plan.copies - 1):
                await post("copy")
            if overtakes is not None:
                overtakes.set()
        finally:
            self._waiting -= 1

    async def _in_order(self, plan: WebhookPlan) -> asyncio.Event | None:
        """Let one that waits be overtaken by the next: what to set when the overtaking one was sent."""
        if (waiting := self._overtaken) is not None:
            self._overtaken = None
            return waiting
        if not plan.reorder:
            return None
        self._overtaken = mine = asyncio.Event()
        with suppress(TimeoutError):
            await asyncio.wait_for(mine.wait(), _OVERTAKEN_SECONDS)
        if self._overtaken is mine:
            self._overtaken = None
        return None

    async def _post(
        self, rules: WebhookRules, url: str, sent: bytes, headers: Mapping[str, str], sale_id: str | None, what: str
    ) -> bool:
        """Send once; whether the receiver took it."""
        if self._http is None:
            self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        timeout = aiohttp.ClientTimeout(total=rules.timeout_seconds)
        headers = {"Content-Type": "application/json", **headers}
        try:
            async with (
                self._at_once,
                self._http.post(url, data=sent, headers=headers, timeout=timeout, allow_redirects=False) as answer,
            ):
                self._note(sale_id, what, answer.status)
                return 200 <= answer.status < 300  # noqa: PLR2004 - the HTTP class itself
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self._note(sale_id, what, None, type(error).__name__)
            return False

    def _note(self, sale_id: str | None, what: str, status: int | None, error: str | None = None) -> None:
        self.log.append(SentWebhook(sale_id, what, datetime.now(UTC), status, error))


def altered(body: Any) -> Any:
    """The same with other facts: every state failed, every number doubled, every ICCID and code another's.

    What names the event and the order stays, so that a signature over those still fits.
    """
    if isinstance(body, Mapping):
        return {name: _other(name, value) for name, value in body.items()}
    if isinstance(body, list | tuple):
        return [altered(part) for part in body]
    return body


def _other(name: str, value: Any) -> Any:
    word = name.casefold()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return value * 2
    if isinstance(value, str):
        if word == "status":
            return "completed" if value == "failed" else "failed"
        return value[::-1] if any(part in word for part in _FACTS) else value
    return altered(value)


def _broken(signature: str) -> str:
    """The same header with another signature, if it is one."""
    if not _SIGNATURE.fullmatch(signature):
        return signature
    return ("0" if signature[0] != "0" else "1") + signature[1:]
