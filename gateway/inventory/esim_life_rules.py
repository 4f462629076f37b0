"""Decisions of an eSIM's life after it was delivered: what is worth telling, and when to look again. Pure.

What a supplier says comes late (hours, with some), so a threshold is told when it was seen to be passed.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from schemas.esim import DataUsage, EsimStatus, ProfileState, ServiceState

THRESHOLDS = (75, 90, 100)
SOONEST = timedelta(minutes=10)
LATEST = timedelta(hours=6)
# A supplier that does not know an eSIM of ours may know it tomorrow.
MISSING = timedelta(hours=24)
_OVER = frozenset({ServiceState.REVOKED, ServiceState.EXPIRED})
# What an eSIM is before anybody heard of it: no news when it is first seen.
AT_FIRST = "released/not_active"


class News(msgspec.Struct, frozen=True):
    """What a look brought. ``threshold`` and ``state`` are None when there is nothing to tell of them.

    ``usage_notified`` and ``state_notified`` are to be remembered; ``previous`` is the state that was told before.
    """

    usage_notified: int
    state_notified: str
    threshold: int | None = None
    state: str | None = None
    previous: str | None = None


def used_mb(data: DataUsage | None) -> int | None:
    """How many MB are used, as the supplier says or by what it says is left; None when neither is known."""
    if data is None or data.used_mb is not None:
        return None if data is None else data.used_mb
    if data.total_mb is None or data.remaining_mb is None:
        return None
    return data.total_mb - data.remaining_mb


def used_percent(data: DataUsage | None) -> int | None:
    """How much of the data is used, 0 to 100, rounded down; None when the supplier does not say."""
    if data is None or not data.total_mb:
        return None
    used = used_mb(data)
    return None if used is None else max(0, min(100, used * 100 // data.total_mb))


def news(status: EsimStatus, usage_notified: int, state_notified: str | None) -> News:
    """The news in a status, after those that were notified before.

    Of several thresholds passed at once the highest is notified. More data (a top-up) resets it, so that it is notified
    again. A state that the supplier does not know keeps what was known of it.
    """
    before = state_notified or AT_FIRST
    state = _state(status, before)
    percent = used_percent(status.data)
    if percent is None and status.service_state is ServiceState.DEPLETED:
        percent = 100
    reached = usage_notified if percent is None else max((at for at in THRESHOLDS if at <= percent), default=0)
    return News(
        usage_notified=reached,
        state_notified=state,
        threshold=reached if reached > usage_notified else None,
        state=state if state != before else None,
        previous=before,
    )


def next_poll(status: EsimStatus, before: EsimStatus | None) -> timedelta | None:
    """How long to wait until the supplier is asked again; None when nothing can come any more.

    At the pace since the last look, a quarter of the way to the next threshold; while nothing moves, twice as long
    as the last time.
    """
    if status.service_state in _OVER or status.profile_state is ProfileState.DELETED:
        return None
    if before is None or before.observed_at >= status.observed_at:
        return SOONEST
    elapsed = status.observed_at - before.observed_at
    if _moved(status, before):
        return _clamped(_quarter_way(status, before, elapsed))
    return _clamped(elapsed * 2)


def _quarter_way(status: EsimStatus, before: EsimStatus, elapsed: timedelta) -> timedelta:
    now, then = status.data, before.data
    if now is None or then is None or not now.total_mb or now.total_mb != then.total_mb:
        return SOONEST
    if now.used_mb is None or then.used_mb is None or now.used_mb <= then.used_mb:
        return SOONEST
    thresholds = (now.total_mb * at / 100 for at in THRESHOLDS)
    left = min((at - now.used_mb for at in thresholds if at > now.used_mb), default=0.0)
    return elapsed * (left / (now.used_mb - then.used_mb) / 4)


def _moved(status: EsimStatus, before: EsimStatus) -> bool:
    return (status.data, status.service_state, status.profile_state) != (
        before.data,
        before.service_state,
        before.profile_state,
    )


def _clamped(wait: timedelta) -> timedelta:
    return min(max(wait, SOONEST), LATEST)


def _state(status: EsimStatus, before: str) -> str:
    profile, _, service = before.partition("/")
    if status.profile_state is not ProfileState.UNKNOWN:
        profile = status.profile_state.value
    if status.service_state is not ServiceState.UNKNOWN:
        service = status.service_state.value
    return f"{profile}/{service}"
