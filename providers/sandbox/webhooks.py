"""A supplier's webhooks: made and signed by the supplier's own rules, sent in the background, spoilt when told to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import msgspec

from providers.sandbox.sale import Sale
from providers.sandbox.triggers import Share

Seconds = Annotated[float, msgspec.Meta(ge=0, le=30 * 86400)]

_LOG_LENGTH = 1000
_AT_ONCE = 8
_WAITING = 2000
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class WebhookRules:
    """How a supplier notifies.

    ``announce(sale, at)`` is the body for a sale that has just come to rest, in the supplier's words, with
    ``at`` (UTC) as its time; None when the supplier sends nothing for it. ``sign(body, encoded, at)``
    gives the headers. ``retries`` are the waits before further tries of one that got no 2xx in time.
    """

    announce: Callable[[Sale, datetime], Mapping[str, Any] | None]
    sign: Callable[[Mapping[str, Any], bytes, datetime], Mapping[str, str]]
    retries: tuple[float, ...] = ()
    timeout_seconds: float = 10


class WebhookPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where notifications go, and what is done to them. Without ``url`` none are sent.

    Each is sent ``copies`` times, ``delay_seconds`` after it was made; a share of them is ``lost``. With
    ``reorder`` every second one overtakes the one before it. ``forged`` sends one with a wrong signature
    beside each, ``altered`` one whose data was changed after it was signed. ``age_seconds`` makes and signs
    them as of so long ago.
    """

    url: str | None = None
    copies: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    delay_seconds: Seconds = 0
    lost: Share = 0
    reorder: bool = False
    forged: bool = False
    altered: bool = False
    age_seconds: Seconds = 0


class Sent(msgspec.Struct, frozen=True):
    """One delivery, for the log. ``what`` is genuine, copy, forged or altered; ``status`` None when none was read."""

    sale_id: str | None
    what: str
    at: datetime
    status: int | None
    error: str | None = None


@dataclass(slots=True)
class WebhookSender:
    """Sends in the background; ``spawn`` keeps the tasks, ``draw`` gives numbers from 0 to 1."""

    rules: WebhookRules | None
    spawn: Callable[..., None]
    draw: Callable[[], float]
    plan: WebhookPlan = WebhookPlan()
    log: deque[Sent] = field(default_factory=lambda: deque(maxlen=_LOG_LENGTH))

    def announce(self, sale: Sale) -> None:
        """Notify of a sale that has come to rest, if the supplier does so and was told where."""

    def send(self, body: Mapping[str, Any], sale_id: str | None = None) -> None:
        """Sign and send this body, such as a supplier's test notification."""

    async def close(self) -> None:
        """Close the connections."""
