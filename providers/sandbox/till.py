"""A sandbox's till: one account's money, orders and eSIMs, exact and in memory.

A plugin's ``sandbox.py`` gives its ``TillRules`` to ``sandbox_app`` and its handlers do their business at
``till_of(request)``::

    async def new_order(request: web.Request) -> web.Response:
        body = await _body(request, wire.NewOrder)
        sale = await till_of(request).buy(
            request, Purchase(one(request, body.package_code), reference=body.external_order_id)
        )
        return web.json_response(in_our_words(sale), status=201)

What the till refuses is raised as ``TillRefusal`` and answered by the frame; what a trigger does to the
answer is done by the frame after the handler. Handlers need to know of neither.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from aiohttp import web

from providers.sandbox.sale import Esim, Move, Purchase, Sale, Why
from providers.sandbox.triggers import Spoil, TriggerBoard
from providers.sandbox.webhooks import WebhookRules, WebhookSender

# What the frame does to the answer of a request, and the sale that the request made.
SPOIL: web.RequestKey[Spoil] = web.RequestKey("spoil", Spoil)
SALE: web.RequestKey[Sale] = web.RequestKey("sale", Sale)


@dataclass(frozen=True)
class TillRules:
    """How a supplier keeps its till.

    ``opening`` is the first deposit; ``credit`` may be spent beyond the balance. ``surcharge`` is a share
    of the listed price that is charged on top, rounded half up to cents; ``refunds_listed`` gives back the
    listed price on a cancel, not what was charged. ``delivery_seconds`` 0 delivers in the answer itself.
    ``shows_codes`` is whether looking an order up shows its activation code. ``refusals`` has the status
    and the words for each reason that applies to the supplier.
    """

    opening: Decimal = Decimal(10_000)
    credit: Decimal = Decimal(0)
    currency: str = "USD"
    surcharge: Decimal = Decimal(0)
    refunds_listed: bool = False
    delivery_seconds: float = 0
    unique_references: bool = False
    shows_codes: bool = True
    order_id: Callable[[int], str] = lambda _number: str(uuid.uuid4())
    refusals: Mapping[Why, tuple[int, str]] = field(default_factory=dict)
    webhooks: WebhookRules | None = None


class Till:
    """One supplier's till. Everything that is seen through it is seen as the supplier itself shows it."""

    rules: TillRules
    triggers: TriggerBoard
    webhooks: WebhookSender

    def __init__(self, rules: TillRules, *, sell: Callable[[str], bool], seed: str) -> None:
        self.rules = rules

    async def buy(self, request: web.Request, purchase: Purchase) -> Sale:
        """Charge and book a purchase or top-up, and start its delivery. Raises ``TillRefusal``.

        Booked in one step: a caller who goes away is either charged or not. The sale may be final already.
        """
        raise NotImplementedError

    async def cancel(self, request: web.Request, iccid: str) -> Sale:
        """Take back an eSIM that was never installed and refund it; ``sale.refunded`` says how much. Raises ``TillRefusal``."""
        raise NotImplementedError

    def order(self, sale_id: str) -> Sale | None:
        """One sale as it stands now; this is a look at it."""
        raise NotImplementedError

    def orders(self, keep: Callable[[Sale], bool] | None = None) -> list[Sale]:
        """The sales that lists show now and ``keep`` accepts, newest first; this is a look at each of them."""
        raise NotImplementedError

    def esim(self, iccid: str) -> Esim | None:
        """An eSIM that was delivered."""
        raise NotImplementedError

    def esim_of(self, sale: Sale) -> Esim | None:
        """What a sale delivered, or topped up; None while it has not."""
        raise NotImplementedError

    @property
    def balance(self) -> Decimal:
        """The money that is there."""
        raise NotImplementedError

    @property
    def spendable(self) -> Decimal:
        """The balance and the credit."""
        raise NotImplementedError

    def moves(self) -> list[Move]:
        """Every movement of the balance, newest first."""
        raise NotImplementedError

    def deposit(self, amount: Decimal) -> None:
        """Pay in."""
        raise NotImplementedError
