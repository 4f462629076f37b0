"""The rate limit of each key: a token bucket in this process, settled with the others' once a second.

A request only ever looks at numbers in memory. In the background each process tells Redis what its
keys spent since the last time, and takes over what is left for all of them together. Redis frozen or
gone changes nothing for a request: each process then counts for itself until it is back.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from time import monotonic
from typing import Any

import structlog

from gateway.kit.tasks import end

SETTLE_SECONDS = 1.0
_PATIENCE = 0.8

# KEYS: one bucket each. ARGV: for each key its capacity, tokens per second, and tokens spent here.
# Answers how many tokens are left of each; debt counts, but never more than one bucket of it.
_SETTLE = """
local now = redis.call('TIME')
now = tonumber(now[1]) + tonumber(now[2]) / 1000000
local left = {}
for i, key in ipairs(KEYS) do
  local capacity, rate, spent = tonumber(ARGV[3*i-2]), tonumber(ARGV[3*i-1]), tonumber(ARGV[3*i])
  local had = redis.call('HMGET', key, 't', 'a')
  local tokens = capacity
  if had[1] then
    tokens = math.min(capacity, tonumber(had[1]) + math.max(0, now - tonumber(had[2])) * rate)
  end
  tokens = math.max(-capacity, tokens - spent)
  redis.call('HSET', key, 't', tostring(tokens), 'a', tostring(now))
  redis.call('EXPIRE', key, math.ceil(2 * capacity / rate) + 10)
  left[i] = tostring(tokens)
end
return left
"""


class Bucket:
    """Tokens of one key: ``per_minute`` at most, refilled evenly. One request takes one."""

    __slots__ = ("capacity", "rate", "refilled_at", "spent", "tokens")

    def __init__(self, per_minute: int, now: float) -> None:
        self.capacity = per_minute
        self.rate = per_minute / 60
        self.tokens = float(per_minute)
        self.refilled_at = now
        self.spent = 0  # since the last settling

    def take(self, now: float) -> bool:
        """Take a token; False when there is none."""
        tokens = self.tokens + (now - self.refilled_at) * self.rate
        if tokens > self.capacity:
            tokens = float(self.capacity)
        self.refilled_at = now
        if tokens < 1:
            self.tokens = tokens
            return False
        self.tokens = tokens - 1
        self.spent += 1
        return True

    def wait(self) -> int:
        """Whole seconds until there is a token again, at least one."""
        return max(1, math.ceil((1 - self.tokens) / self.rate))

    def full_in(self) -> int:
        """Whole seconds until the bucket is full again."""
        return math.ceil((self.capacity - self.tokens) / self.rate)

    def remaining(self) -> int:
        """Whole tokens that are left."""
        return max(0, int(self.tokens))


class Limiter:
    """The buckets of all keys that this process has seen, and the task that settles them."""

    def __init__(self, redis: Any | None, prefix: str = "gateway:rate:") -> None:
        self._redis = redis
        self._prefix = prefix
        self._buckets: dict[str, Bucket] = {}
        self._script = redis.register_script(_SETTLE) if redis is not None else None
        self._task: asyncio.Task[None] | None = None
        self._failing = False

    def bucket(self, key_id: str, per_minute: int) -> Bucket:
        """The bucket of a key; a new one when its rate was changed."""
        bucket = self._buckets.get(key_id)
        if bucket is None or bucket.capacity != per_minute:
            bucket = self._buckets[key_id] = Bucket(per_minute, monotonic())
        return bucket

    def forget(self, key_id: str) -> None:
        """Drop the bucket of a key that is not served any more."""
        self._buckets.pop(key_id, None)

    @property
    def failing(self) -> bool:
        """Whether the last settling did not work."""
        return self._failing

    def start(self) -> None:
        """Begin to settle every second, where there is a Redis."""
        if self._script is not None:
            self._task = asyncio.create_task(self._settle_for_ever(), name="rate limits")

    async def close(self) -> None:
        """Stop settling."""
        if self._task is not None:
            await end(self._task)

    async def settle(self) -> None:
        """Tell Redis what was spent here, and take over what is left. Raises what Redis raises."""
        if self._script is None:
            return
        # A full bucket that nobody touched has nothing to tell and nothing to learn.
        active = {k: b for k, b in self._buckets.items() if b.spent or b.tokens < b.capacity}
        if not active:
            return
        spent = {key_id: bucket.spent for key_id, bucket in active.items()}
        arguments: list[float] = []
        for key_id, bucket in active.items():
            arguments += (bucket.capacity, bucket.rate, spent[key_id])
        async with asyncio.timeout(_PATIENCE):
            answer = await self._script(keys=[self._prefix + key_id for key_id in active], args=arguments)
        self._take_over(active, spent, [float(left) for left in answer])

    def _take_over(self, active: Mapping[str, Bucket], spent: Mapping[str, int], left: list[float]) -> None:
        now = monotonic()
        for (key_id, bucket), tokens in zip(active.items(), left, strict=True):
            bucket.spent -= spent[key_id]  # what was spent while Redis was asked is told the next time
            bucket.tokens = tokens - bucket.spent
            bucket.refilled_at = now

    async def _settle_for_ever(self) -> None:
        from redis.exceptions import RedisError  # noqa: PLC0415 - slow to load, and not every gateway has a Redis

        log = structlog.get_logger()
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            try:
                await self.settle()
            except (RedisError, OSError, TimeoutError, ValueError) as error:
                for bucket in self._buckets.values():
                    bucket.spent = 0  # counted here already; an old debt is not told to the others later
                if not self._failing:
                    log.warning("rate limits are counted in each process alone", error=str(error))
                self._failing = True
            else:
                if self._failing:
                    log.info("rate limits are settled between processes again")
                self._failing = False
