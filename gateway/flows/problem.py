"""Why a flow does not do what it was asked: a code of the public API and words for people."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """A refusal. ``code`` is one of the API's error codes; ``errors`` are (pointer, detail) pairs.

    Codes: no_plan, no_stock, price_changed, quote_expired, not_found, gone, invalid, duplicate_reference,
    idempotency_mismatch, spend_limit, not_cancellable, not_supported, unavailable.
    """

    code: str
    detail: str
    errors: tuple[tuple[str, str], ...] = ()
