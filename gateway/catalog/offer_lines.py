"""What one supplier sells of one thing, whatever its kind: the line that the selling engine judges, and its source.

A plan, a top-up, a virtual number and a digital good differ in where their offers stand and in how a supplier is asked
for the price of one. That is an ``OfferSource``. Everything else is ``gateway.selling.engine``, the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import msgspec

from gateway.kit.problem import Problem
from gateway.pricing.pricing_rules import Subject
from gateway.suppliers import fund_rows, selling_rows
from gateway.suppliers.deps import Deps
from gateway.suppliers.spendable_rules import Funds
from providers.contract import Capability
from schemas.features import Wanted
from schemas.money import Money
from schemas.order import GoodWanted, NumberWanted
from schemas.plan import Features, Network

Line = TypeVar("Line", bound="OfferLine")


class OfferLine(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier's offer as it stands.

    ``key`` is its name in attempts, marks and stops; ``subject`` is what rules of price ask of it. ``cost`` is of one
    unit, None where it has none; ``stock`` counts units. ``wanted`` is what the supplier is asked for where that is
    no eSIM, all units of it. ``marks``, ``quarantined``, ``paused``, ``no_balance`` and ``funds`` are the state of
    offer and supplier. ``features`` and ``networks`` are those of a plan. ``needs_check``: observed so long ago that
    the supplier is asked before anything is sold at this price.
    """

    supplier: str
    key: str
    subject: Subject
    cost: Money | None
    units: int = 1
    wanted: NumberWanted | GoodWanted | None = None
    stock: int | None = None
    visible: bool = True
    suspect: bool = False
    expired: bool = False
    marks: tuple[str, ...] = ()
    quarantined: bool = False
    paused: bool = False
    no_balance: bool = False
    funds: Funds | None = None
    features: Features | None = None
    networks: tuple[Network, ...] = ()
    needs_check: bool = False


class SupplierAnswer(msgspec.Struct, frozen=True):
    """What a supplier says of one offer now: the cost of a unit, and ``item`` as the provider read it."""

    cost: Money | None
    item: Any


class Limits(msgspec.Struct, frozen=True):
    """What an order asks of an offer: features, and which suppliers it may go to."""

    wanted: Wanted = Wanted()
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


class OfferSource(Protocol):
    """The offers of one thing that is sold. ``capability`` is what a supplier needs to sell it."""

    @property
    def capability(self) -> Capability:
        """What a supplier needs to sell it."""
        ...

    async def lines(self, deps: Deps) -> Sequence[OfferLine]:
        """Every offer of it, sellable or not, with its state and its supplier's."""
        ...

    async def missing(self, deps: Deps) -> Problem:
        """What to say where it has no line at all."""
        ...

    async def ask(self, deps: Deps, line: OfferLine) -> SupplierAnswer | None:
        """Price and stock as the supplier tells them now; None where it cannot tell.

        Raises ``NotFound`` where the supplier does not have it any more, any ``GatewayError`` where it was not asked.
        """
        ...

    async def take_over(self, deps: Deps, line: OfferLine, answer: SupplierAnswer) -> OfferLine | None:
        """Keep what the supplier told, and the line as it is now; None where the answer is of no use."""
        ...


async def with_states(deps: Deps, lines: Sequence[Line]) -> list[Line]:
    """The lines with their marks, their suppliers' state and our funds there, from PostgreSQL."""
    suppliers = sorted({line.supplier for line in lines})
    marks = await selling_rows.marks(deps.pool, [(line.supplier, line.key) for line in lines])
    states = await selling_rows.selling_states(deps.pool, suppliers)
    funds = await fund_rows.load(deps.pool, suppliers)
    return [
        msgspec.structs.replace(
            line,
            marks=marks.get((line.supplier, line.key), ()),
            paused=states[line.supplier].paused,
            no_balance=states[line.supplier].no_balance,
            funds=funds.get(line.supplier),
        )
        for line in lines
    ]


async def mark_sold_out(deps: Deps, line: OfferLine, note: str) -> OfferLine:
    """Keep an offer from sale for as long as the settings say; the line without stock."""
    until = deps.clock() + timedelta(seconds=deps.settings.orders.out_of_stock_seconds)
    async with deps.pool.acquire() as connection:
        await selling_rows.mark_out_of_stock(connection, line.supplier, line.key, until, note)
    return msgspec.structs.replace(line, stock=0, needs_check=False)
