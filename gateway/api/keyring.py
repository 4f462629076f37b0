"""Who asks: the keys that this process knows, kept true to the database every two seconds.

A key that was seen before is found in memory. One that was not is looked up once; what is no key at
all costs the database nothing, and guesses from one address are cut off. With PostgreSQL down known
keys go on, and an unknown one gets 503.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import monotonic

import asyncpg
import structlog

from gateway.access.key_rows import ApiKey, Mode, find_key, is_key_text, key_digest, mark_used, valid_keys
from gateway.access.scope_rules import granted
from gateway.api.problems import Refusal, unavailable
from gateway.api.ratelimit import Bucket, Limiter
from gateway.kit.addresses import counted_as
from gateway.kit.pool import DATABASE_DOWN, Pool
from gateway.kit.tasks import end

CHECK_SECONDS = 2.0
USED_SECONDS = 10.0
LOOKUP_SECONDS = 2.0
MOST_KNOWN = 10_000
MOST_UNKNOWN = 10_000
UNKNOWN_FOR_SECONDS = 60.0
GUESSES_PER_MINUTE = 60
LOOKUPS_AT_ONCE = 4


class Caller:
    """A key in use: what it may do, the bucket it spends from, and the ``actor`` that the audit log names."""

    __slots__ = ("actor", "browses", "bucket", "granted", "key", "mode", "sees_costs", "used")

    def __init__(self, key: ApiKey, bucket: Bucket, actor: str | None = None) -> None:
        self.key = key
        self.actor = actor or f"key {key.id} of {key.storefront}"[:200]
        self.mode: Mode = key.mode
        self.granted = granted(key.scopes)
        self.browses = "catalog" in self.granted
        self.sees_costs = "ops:read" in self.granted
        self.bucket = bucket
        self.used = False  # since last_used_at was written


class Keyring:
    """The keys of one process. ``known`` maps an Authorization header to who it is, for the quick path."""

    def __init__(
        self, pool: Pool | None, limiter: Limiter, per_minute: int, clock: Callable[[], float] = monotonic
    ) -> None:
        self.known: dict[str, Caller] = {}
        self._pool = pool
        self._limiter = limiter
        self._per_minute = per_minute
        self._clock = clock
        self._callers: dict[bytes, Caller] = {}
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._asked: dict[bytes, asyncio.Task[ApiKey | None]] = {}
        self._guesses: OrderedDict[str, Bucket] = OrderedDict()
        self._lookups = asyncio.Semaphore(LOOKUPS_AT_ONCE)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow the database."""
        self._task = asyncio.create_task(self._follow(), name="keys")

    async def close(self) -> None:
        """Stop following, and write what is left of when keys were used."""
        if self._task is not None:
            await end(self._task)
            await self._quietly(self._write_used)

    async def caller(self, text: str, address: str) -> Caller:
        """Who the key ``text`` belongs to; ``address`` is who tries.

        Raises ``Refusal``: 401 for no key, 429 for an address that guesses, 503 when it cannot be known now.
        """
        if not is_key_text(text):
            raise Refusal("unauthorized", "this is no key of this gateway")
        digest = key_digest(text)
        caller = self._callers.get(digest)
        if caller is None:
            key = await self._find(digest, address)
            caller = self._callers.get(digest) or self._remember(digest, key)  # another may have asked too
        self.known[f"Bearer {text}"] = caller
        return caller

    async def check(self) -> None:
        """Let go of keys that were revoked, and take over what else changed. Raises when the database is down."""
        if self._pool is None or not self._callers:
            return
        async with asyncio.timeout(LOOKUP_SECONDS):
            valid = await valid_keys(self._pool, [caller.key.id for caller in self._callers.values()])
        for digest, caller in list(self._callers.items()):
            current = valid.get(caller.key.id)
            if current is None:
                self._forget(digest, caller)
            elif (current.scopes, current.per_minute) != (caller.key.scopes, caller.key.per_minute):
                del self._callers[digest]
                self._drop_headers(caller)

    async def _find(self, digest: bytes, address: str) -> ApiKey:
        now = self._clock()
        until = self._unknown.get(digest)
        if until is not None and until > now:
            raise Refusal("unauthorized", "this key is unknown or revoked")
        counted = counted_as(address)
        guesses = self._guesses.get(counted)
        if guesses is None:
            guesses = self._guesses[counted] = Bucket(GUESSES_PER_MINUTE, now)
            if len(self._guesses) > MOST_UNKNOWN:
                self._guesses.popitem(last=False)
        if guesses.tokens + (now - guesses.refilled_at) * guesses.rate < 1:
            raise Refusal("rate_limited", "too many unknown keys", headers={"Retry-After": str(guesses.wait())})
        key = await self._look_up(digest)
        if key is None:
            guesses.take(now)
            self._unknown[digest] = now + UNKNOWN_FOR_SECONDS
            if len(self._unknown) > MOST_UNKNOWN:
                self._unknown.popitem(last=False)
            raise Refusal("unauthorized", "this key is unknown or revoked")
        return key

    async def _look_up(self, digest: bytes) -> ApiKey | None:
        """Ask the database, once for all who ask at the same time."""
        if self._pool is None:
            raise unavailable("keys cannot be looked up at present")
        task = self._asked.get(digest)
        if task is None:
            task = self._asked[digest] = asyncio.create_task(self._ask(self._pool, digest))
            task.add_done_callback(lambda _: self._asked.pop(digest, None))
        try:
            return await asyncio.shield(task)  # one who goes away does not take the others' answer along
        except DATABASE_DOWN as error:
            structlog.get_logger().warning("a key could not be looked up", error=str(error))
            raise unavailable("keys that were not seen before cannot be looked up at present") from None

    async def _ask(self, pool: Pool, digest: bytes) -> ApiKey | None:
        async with asyncio.timeout(LOOKUP_SECONDS), self._lookups:
            return await find_key(pool, digest)

    def _remember(self, digest: bytes, key: ApiKey) -> Caller:
        if len(self._callers) >= MOST_KNOWN:
            oldest = next(iter(self._callers))
            self._forget(oldest, self._callers[oldest])
        caller = Caller(key, self._limiter.bucket(key.id, key.per_minute or self._per_minute))
        self._callers[digest] = caller
        return caller

    def _forget(self, digest: bytes, caller: Caller) -> None:
        del self._callers[digest]
        self._drop_headers(caller)
        self._limiter.forget(caller.key.id)

    def _drop_headers(self, caller: Caller) -> None:
        for header in [header for header, known in self.known.items() if known is caller]:
            del self.known[header]

    async def _write_used(self) -> None:
        used = [caller for caller in self._callers.values() if caller.used]
        if self._pool is None or not used:
            return
        now = datetime.now(UTC)
        async with asyncio.timeout(LOOKUP_SECONDS):
            await mark_used(self._pool, {caller.key.id: now for caller in used})
        for caller in used:
            caller.used = False

    async def _follow(self) -> None:
        written = self._clock()
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            await self._quietly(self.check)
            if self._clock() - written >= USED_SECONDS:
                written = self._clock()
                await self._quietly(self._write_used)

    @staticmethod
    async def _quietly(action: Callable[[], Awaitable[None]]) -> None:
        """A database that is down changes nothing: keys go on as they were."""
        try:
            await action()
        except DATABASE_DOWN:
            return
        except asyncpg.PostgresError as error:
            structlog.get_logger().warning("keys could not be checked", error=str(error))
