"""When a webhook is sent, and what an answer to it means. Pure."""

from __future__ import annotations

from typing import Literal

WAITS: tuple[float, ...] = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each try, counted from the one before it: three days and a bit in all."""

JITTER = 0.1
GONE = 410

DeliveryOutcome = Literal["delivered", "failed", "gone"]


def wait_before_next(tries: int, draw: float) -> float | None:
    """Seconds until the next try after so many, None when that was the last.

    Up to a tenth more than ``WAITS`` says, by ``draw`` (0 to 1): what failed together does not come back together.
    """
    if tries >= len(WAITS):
        return None
    return WAITS[tries] * (1 + JITTER * draw)


def meaning(status: int | None) -> DeliveryOutcome:
    """What an HTTP status says of a delivery; None is an answer that never came.

    Only 2xx took it: a redirect is not followed, so it is a failure. 410 asks for no more of them, ever.
    """
    if status is not None and 200 <= status < 300:  # noqa: PLR2004 - the HTTP class itself
        return "delivered"
    return "gone" if status == GONE else "failed"
