"""Quotes: the price of a plan, held for a while in a sealed token that only this gateway can read."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gateway.core.catalog import Index, Need, NoMatch
from gateway.core.catalog.query import Wanted
from gateway.settings import Settings
from schemas.money import Money


class Quote(msgspec.Struct, frozen=True):
    """A held price. ``body`` is the JSON answer of ``POST /v1/quotes``."""

    id: str
    body: bytes
    expires_at: datetime


class HeldPrice(msgspec.Struct, frozen=True):
    """What a quote's token holds. ``max_cost`` is the most an order under it may cost us, in base currency."""

    plan_id: str
    price: Money
    max_cost: Money
    wanted: Wanted
    expires_at: datetime


class QuoteExpired(Exception):  # noqa: N818 - a fact about the quote, not a fault
    """The quote was good once; answer 409 ``quote_expired``."""


class QuoteUnknown(Exception):  # noqa: N818 - as above
    """No quote of this storefront and mode; answer 404."""


def make_quote(
    index: Index, need: Need, settings: Settings, *, storefront: str, mode: str, now: datetime
) -> Quote | NoMatch:
    """The cheapest plan in stock for a need with its price held, or what was missing. Raises ``QueryError``."""
    raise NotImplementedError


def open_quote(token: str, settings: Settings, *, storefront: str, mode: str, now: datetime) -> HeldPrice:
    """What a quote's id holds. Raises ``QuoteExpired`` or ``QuoteUnknown``."""
    raise NotImplementedError
