"""The one door through which supplier truth changes an order."""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.flows.deps import Deps
from gateway.store.pool import Connection
from schemas.errors import GatewayError
from schemas.order import Cancellation, SupplierOrder


class Absent(msgspec.Struct, frozen=True):
    """A look at the supplier that shows nothing of the attempt."""


class NotSeen(msgspec.Struct, frozen=True):
    """A look that could not be made; ``error`` says why, redacted."""

    error: str


class Lost(msgspec.Struct, frozen=True):
    """The run that was to send did not come back before the deadline."""


class Person(msgspec.Struct, frozen=True):
    """What somebody found out about an order that needs review."""

    outcome: Literal["fulfilled", "failed", "refunded"]
    note: str
    activation_code: str | None = None
    iccid: str | None = None


Truth = SupplierOrder | GatewayError | Cancellation | Absent | NotSeen | Lost | Person


async def settle(deps: Deps, connection: Connection, attempt_id: str, truth: Truth, *, sent: bool = False) -> bool:
    """Record what is now known of an attempt; True when it changed something.

    Runs in the caller's transaction: attempt, ledger, order, timeline and outgoing event together. May be
    repeated. ``sent`` says that this is the answer to the very call that bought.
    """
    raise NotImplementedError
