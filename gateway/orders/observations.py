"""What may be observed of an attempt: the supplier's answer, a poll that was sent or not, an operator's decision."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from gateway.items.item_rules import Delivered
from gateway.orders.rules.cancelling import CancelSeen
from schemas.errors import GatewayError
from schemas.order import Cancellation, SupplierOrder


class NotFoundAtSupplier(msgspec.Struct, frozen=True):
    """A poll of the supplier, begun at ``at``, that shows nothing of the attempt."""

    at: datetime


class LookupFailed(msgspec.Struct, frozen=True):
    """A poll without an answer; ``error`` says why, redacted. ``sent`` is whether it went to the supplier at all."""

    error: str
    sent: bool = True


class NoResponse(msgspec.Struct, frozen=True):
    """The run that was to send did not come back before the deadline."""


class OperatorDecision(msgspec.Struct, frozen=True):
    """What an operator found out about an order that needs review; ``orders.resolve`` checks it."""

    outcome: Literal["fulfilled", "failed", "refunded"]
    note: str
    delivery: Delivered | None = None


Observation = (
    SupplierOrder
    | GatewayError
    | Cancellation
    | CancelSeen
    | NotFoundAtSupplier
    | LookupFailed
    | NoResponse
    | OperatorDecision
)
