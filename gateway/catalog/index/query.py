"""What may be asked of the catalogue, and the shape of its answers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from schemas.features import Wanted
from schemas.money import Money
from schemas.plan import Scope

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
SORTS = ("price", "price_per_gb", "price_per_day", "data", "days")


class QueryError(ValueError):
    """The catalogue cannot answer this question; ``parameter`` is the query's field that is wrong.

    ``code`` is the API's error code.
    """

    def __init__(self, parameter: str, detail: str, code: str = "invalid") -> None:
        super().__init__(f"{parameter}: {detail}")
        self.parameter = parameter
        self.detail = detail
        self.code = code


class InStock(StrEnum):
    """Which plans are listed: those that can be sold now, those that cannot, or both."""

    TRUE = "true"
    FALSE = "false"
    ANY = "any"


class PlanQuery(msgspec.Struct, frozen=True):
    """A list of plans. Every filter narrows; ``countries`` are all covered by each plan.

    ``currency`` None is the base currency. ``max_price`` is an amount of ``currency``. ``min_data_mb`` asks for data at
    full speed, as a number of MB is read (``nominal_mb``). ``unlimited`` asks for plans whose data goes on after that,
    be it slower, or for the others; None asks for nothing. ``sort`` is one of ``SORTS``, turned round by a ``-`` before
    it. Equal sort values go by plan id, ascending, whichever way the sort goes. ``triggers`` lists the plans on which a
    sandbox goes wrong on purpose, too; only test mode has such. ``networks`` are most of a plan's bytes, so they come
    only when asked for.
    """

    countries: tuple[str, ...] = ()
    region: str | None = None
    scope: Scope | None = None
    min_data_mb: int | None = None
    unlimited: bool | None = None
    min_days: int | None = None
    max_days: int | None = None
    wanted: Wanted = Wanted()
    max_price: Decimal | None = None
    currency: str | None = None
    in_stock: InStock = InStock.TRUE
    q: str | None = None
    updated_since: datetime | None = None
    sort: str = "price"
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    triggers: bool = False
    networks: bool = False


class PlanPage(msgspec.Struct, frozen=True):
    """One page. ``body`` is the whole JSON answer of ``GET /v1/plans``, ready to send."""

    body: bytes
    count: int
    next_cursor: str | None = None

    @property
    def has_more(self) -> bool:
        return self.next_cursor is not None


class Gone(msgspec.Struct, frozen=True):
    """A plan that was in the catalogue once: its page answers 410. ``successors`` are what its offers are now."""

    plan_id: str
    gone_at: datetime
    successors: tuple[str, ...] = ()
    nearest: tuple[tuple[bytes, tuple[Missed, ...]], ...] = ()


class Need(msgspec.Struct, frozen=True):
    """What a traveller needs, or one plan by ``plan_id``.

    Met by every plan that covers all ``countries``, holds at least ``data_mb`` at full speed for at least ``days``
    and has what is ``wanted``; regional and unlimited plans compete with local ones. With ``unlimited`` data goes on
    after that. ``triggers`` lets the plans
    compete on which a sandbox goes wrong on purpose; one that is asked for by its id needs no such word.
    """

    countries: tuple[str, ...] = ()
    data_mb: int | None = None
    days: int | None = None
    unlimited: bool = False
    wanted: Wanted = Wanted()
    plan_id: str | None = None
    currency: str | None = None
    triggers: bool = False


class Choice(msgspec.Struct, frozen=True):
    """The cheapest plan in stock that meets a need.

    ``plan`` is its JSON as in a list. ``cost_base`` is what the chosen offer costs us and ``minimum_margin``
    what its rule wants above that, in base currency: never shown to a storefront. ``next_best`` is the
    plan that would have been chosen next. ``assumed``: the plan does not say how much of it runs at full speed, and
    counted by what is assumed.
    """

    plan_id: str
    plan: bytes
    price: Money
    cost_base: Money
    minimum_margin: Decimal
    considered: int
    in_stock: int
    rule: str = "cheapest_in_stock"
    next_best: tuple[str, Money] | None = None
    assumed: bool = False


class Missed(msgspec.Struct, frozen=True):
    """A thing of a need that a plan does not have: what was asked for, and what it has instead."""

    what: str
    wanted: Any
    has: Any


class NoMatch(msgspec.Struct, frozen=True):
    """Nothing meets the need. ``missing`` says in one sentence what there was none of.

    ``code`` is no_plan when no plan would do and no_stock when one would but none can be sold now;
    ``gone`` is set when the plan asked for by id has left the catalogue, ``successors`` are what its offers are now.
    ``nearest`` are plans in stock, as their JSON, that come near the need, each with what it misses.
    """

    code: str
    missing: str
    considered: int = 0
    gone: bool = False
    successors: tuple[str, ...] = ()
    nearest: tuple[tuple[bytes, tuple[Missed, ...]], ...] = ()
