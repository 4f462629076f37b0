"""The error tree: what happened at a supplier, and whether the asked-for thing may have happened.

Every ``SupplierError`` says both. A failed read changes nothing; for a failed write
``outcome`` decides everything that follows: only ``Outcome.DID_NOT_HAPPEN`` allows the next
supplier to be tried, ``Outcome.UNKNOWN`` is resolved by looking up and never by sending again.

``ConfigurationError`` stands outside the tree, so that no handler of supplier faults swallows it.
"""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """Whether the supplier may have done what was asked."""

    DID_NOT_HAPPEN = "did_not_happen"
    UNKNOWN = "unknown"


class ConfigurationError(Exception):
    """The gateway was told something that cannot work; the message says what to change."""


class GatewayError(Exception):
    """Base of all faults that a handler may turn into an answer."""


class SupplierError(GatewayError):
    """A call to a supplier did not give what was asked.

    ``detail`` is redacted and short; ``status`` is the HTTP status if one was read;
    ``retry_after`` is in seconds, None when the supplier did not say.
    """

    outcome = Outcome.UNKNOWN
    code = "supplier_error"

    def __init__(
        self,
        detail: str,
        *,
        supplier: str = "",
        status: int | None = None,
        outcome: Outcome | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.supplier = supplier
        self.status = status
        self.retry_after = retry_after
        if outcome is not None:
            self.outcome = outcome

    def __str__(self) -> str:
        where = f"{self.supplier}: " if self.supplier else ""
        status = f" (HTTP {self.status})" if self.status is not None else ""
        return f"{where}{self.detail}{status}"


class NotReached(SupplierError):
    """No connection stood (name, TCP, TLS), so no byte was carried."""

    outcome = Outcome.DID_NOT_HAPPEN
    code = "not_reached"


class CircuitOpen(SupplierError):
    """The breaker of this supplier is open; nothing was sent."""

    outcome = Outcome.DID_NOT_HAPPEN
    code = "circuit_open"


class RateLimiterUnavailable(SupplierError):
    """What counts our calls to this supplier is away; nothing was sent."""

    outcome = Outcome.DID_NOT_HAPPEN
    code = "gate_unavailable"


class DeadlinePassed(SupplierError):
    """The time until which it might be sent was over before the first byte went; nothing was sent."""

    outcome = Outcome.DID_NOT_HAPPEN
    code = "deadline_passed"


class TimedOut(SupplierError):
    """The connection stood, the answer did not come in time."""

    code = "timed_out"


class ConnectionLost(SupplierError):
    """The connection broke after it stood and before the whole answer was read."""

    code = "connection_lost"


class ServerFault(SupplierError):
    """5xx, or 408 or 425: the supplier itself did not know."""

    code = "server_fault"


class UnreadableAnswer(SupplierError):
    """An answer that is not what the page describes: HTML, truncated, too large, another shape."""

    code = "unreadable_answer"


class RateLimited(SupplierError):
    """429: refused before it was looked at."""

    outcome = Outcome.DID_NOT_HAPPEN
    code = "rate_limited"


class Refused(SupplierError):
    """A documented, readable refusal: definite."""

    outcome = Outcome.DID_NOT_HAPPEN
    code = "refused"


class NotAuthorised(Refused):
    """401 or 403: credentials, signature, clock or a suspended account."""

    code = "not_authorised"


class NotFound(Refused):
    """404: the thing asked for is not there."""

    code = "not_found"


class OutOfStock(Refused):
    """The supplier has none of it now."""

    code = "out_of_stock"


class InsufficientBalance(Refused):
    """Our money at the supplier does not suffice."""

    code = "insufficient_balance"


class InvalidRequest(Refused):
    """The supplier calls the request itself wrong."""

    code = "invalid_request"


class DuplicateReference(SupplierError):
    """Our reference was used before: an earlier request of ours did arrive."""

    code = "duplicate_reference"


class NotSupported(GatewayError):
    """The supplier cannot do this at all. ``capability`` names what is missing."""

    def __init__(self, supplier: str, capability: str, reason: str = "") -> None:
        super().__init__(f"{supplier} does not offer {capability}" + (f": {reason}" if reason else ""))
        self.supplier = supplier
        self.capability = capability
        self.reason = reason
