"""What may be known of an attempt: the supplier's answer, a look that was made or could not be, a person's word."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from gateway.core.orders.cancelling import CancelSeen
from gateway.core.orders.items import Delivered
from schemas.errors import GatewayError
from schemas.order import Cancellation, SupplierOrder


class Absent(msgspec.Struct, frozen=True):
    """A look at the supplier, begun at ``at``, that shows nothing of the attempt."""

    at: datetime


class NotSeen(msgspec.Struct, frozen=True):
    """A look that could not be made; ``error`` says why, redacted."""

    error: str


class Lost(msgspec.Struct, frozen=True):
    """The run that was to send did not come back before the deadline."""


class Person(msgspec.Struct, frozen=True):
    """What somebody found out about an order that needs review; ``flows.resolve`` checks it."""

    outcome: Literal["fulfilled", "failed", "refunded"]
    note: str
    delivery: Delivered | None = None


Truth = SupplierOrder | GatewayError | Cancellation | CancelSeen | Absent | NotSeen | Lost | Person
