"""Why a flow does not do what it was asked: a code of the public API and words for people."""

from __future__ import annotations

import msgspec

from providers.contract import Capability

_LACKING = {
    Capability.CANCEL: "this eSIM cannot be given back",
    Capability.ESIM_STATUS: "the usage of this eSIM cannot be read",
    Capability.TOPUP: "data cannot be added to this eSIM",
}


class Problem(msgspec.Struct, frozen=True):
    """A refusal. ``code`` is one of the API's error codes; ``errors`` are (pointer, detail) pairs.

    ``successors`` are the ids of the plans that took the place of one that was replaced.
    Codes: no_plan, no_stock, price_changed, quote_expired, not_found, gone, plan_replaced, invalid,
    duplicate_reference, idempotency_mismatch, spend_limit, not_cancellable, not_supported, unavailable.
    """

    code: str
    detail: str
    errors: tuple[tuple[str, str], ...] = ()
    successors: tuple[str, ...] = ()


def not_supported(capability: Capability) -> Problem:
    """What a storefront is told of an action that the supplier of its eSIM has no call for (501).

    It names the capability. The manifest's own note is for operators: it may name the supplier.
    """
    return Problem("not_supported", f"{capability.value}: {_LACKING[capability]}")
