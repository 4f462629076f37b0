"""When a request is sent again, and after what pause. No I/O: both clients ask this."""

from __future__ import annotations

import random
from dataclasses import dataclass

import httpx

Outcome = httpx.Response | httpx.RequestError

NOT_PROCESSED = frozenset({408, 429})  # whatever was asked for, it did not happen
WORTH_ANOTHER_TRY = NOT_PROCESSED | {500, 502, 503, 504}
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is sent again at most, and how many seconds of waiting that may take in all.

    A longer ``Retry-After`` than is left of ``seconds`` is not waited for: the problem is raised at once.
    """

    most: int = 4
    seconds: float = 60.0


class Attempts:
    """One request, tried until it is answered. ``is_repeatable``: sending it twice does the same as sending it once."""

    def __init__(self, retries: Retries, *, is_repeatable: bool) -> None:
        self._retries = retries
        self._is_repeatable = is_repeatable
        self._done = 0
        self._waited = 0.0

    def pause_after(self, outcome: Outcome) -> float | None:
        """Seconds to wait before the request is sent again; None when this outcome stands."""
        if self._done >= self._retries.most or not self._is_worth_retrying(outcome):
            return None
        pause = retry_after(outcome) if isinstance(outcome, httpx.Response) else None
        if pause is None:
            longest = min(_FIRST_PAUSE_SECONDS * 2**self._done, _LONGEST_PAUSE_SECONDS)
            pause = random.uniform(longest / 2, longest)  # noqa: S311 - it spreads clients, and is no secret
        if self._waited + pause > self._retries.seconds:
            return None
        self._done += 1
        self._waited += pause
        return pause

    def _is_worth_retrying(self, outcome: Outcome) -> bool:
        if isinstance(outcome, httpx.Response):
            return outcome.status_code in (WORTH_ANOTHER_TRY if self._is_repeatable else NOT_PROCESSED)
        never_sent = isinstance(outcome, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        return self._is_repeatable or never_sent


def retry_after(response: httpx.Response) -> float | None:
    """The seconds of ``Retry-After``; None without one, or with a date in it, which the gateway does not send."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None
