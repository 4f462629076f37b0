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

import asyncio
import copy
import random
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from aiohttp import web

from providers.simulator import profiles
from providers.simulator.examples import PageExamples
from providers.simulator.records import Books
from providers.simulator.rules import TillRules
from providers.simulator.sales import (
    ENDINGS,
    REFUSALS,
    Esim,
    Move,
    MoveKind,
    Purchase,
    Sale,
    SaleState,
    TillRefusal,
    Uncharged,
    Why,
)
from providers.simulator.triggers import AFTERWARDS, INSTEAD, Act, Spoil, Trigger, TriggerBoard, TriggerKind, Unanswered
from providers.simulator.webhooks import WebhookSender
from schemas.esim import ProfileState, ServiceState
from schemas.order import OrderKind

Struck = Mapping[TriggerKind, Trigger]

_CENT = Decimal("0.01")
_PROCESSING_SECONDS = 0.2  # of an order that is to go wrong while it is processed, where others are done at once
_FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)

# What the frame does to the answer of a request, and the sale that the request made.
SPOIL: web.RequestKey[Spoil] = web.RequestKey("spoil", Spoil)
SALE: web.RequestKey[Sale] = web.RequestKey("sale", Sale)


class SupplierSimulator:
    """One supplier's till. Everything that is seen through it is seen as the supplier itself shows it.

    ``delivery_seconds`` is how long an order is processed, None for ever; with ``delivery_looks`` it is
    done at that look at the latest.
    """

    def __init__(
        self,
        rules: TillRules,
        *,
        sell: Callable[[str], bool],
        seed: str,
        file: Path | None = None,
        examples: PageExamples | None = None,
    ) -> None:
        self.rules = rules
        self._examples = examples or PageExamples()
        self.books = Books(file)
        self._sell = sell
        self._seed = seed
        self._tasks: set[asyncio.Task[Any]] = set()
        self.webhooks = WebhookSender(rules.webhooks, self._spawn, self._draw)
        self._chance = random.Random()  # what is sold must differ from what an earlier process sold
        # As must its number.
        earlier = max((sale.number for sale in self.books.sales.values()), default=0)
        self._number = max(earlier, int((_now() - _FIRST_DAY).total_seconds()))
        self._begin()

    def reset(self) -> None:
        """Begin again: the opening deposit, no orders, no triggers, no notifications."""
        for task in self._tasks:
            task.cancel()
        self.webhooks.reset()
        self.books.clear()
        self._begin()

    def _begin(self) -> None:
        self.delivery_seconds: float | None = self.rules.delivery_seconds
        self.delivery_looks: int | None = None
        self.credit = self.rules.credit
        self.triggers = TriggerBoard(chance=random.Random(self._seed))
        self._example_sales = {sale.id: copy.deepcopy(sale) for sale in self._examples.sales}
        self._example_esims = {esim.iccid: copy.deepcopy(esim) for esim in self._examples.esims}
        if not self.books.moves:
            self.deposit(self.rules.opening)

    async def buy(self, request: web.Request, purchase: Purchase) -> Sale:
        """Charge and book a purchase or top-up, and start its delivery. Raises ``TillRefusal``.

        Booked in one step: a caller who goes away is either charged or not. The sale may be final already.
        """
        act = Act.TOPUP if purchase.kind is OrderKind.TOPUP else Act.ORDER
        item = purchase.item
        key = item.key if item else purchase.key
        struck = self.triggers.strike(act, key, item.triggers if item else purchase.triggers)
        asked = Uncharged(act, key, purchase.reference, purchase.iccid, purchase.details, _now(), "")
        sale = await self._done(request, asked, struck, lambda: self._book(purchase, key, struck))
        if TriggerKind.DUPLICATE_REFERENCE in struck and purchase.reference is not None:
            raise TillRefusal(Why.DUPLICATE_REFERENCE)
        return sale

    async def cancel(self, request: web.Request, iccid: str) -> Sale:
        """Take back an eSIM that was never installed, and refund it. Raises ``TillRefusal``.

        ``sale.refunded`` says how much came back.
        """
        esim = self.esim(iccid)
        item = esim.packages[0].item if esim else None
        key = item.key if item else ""
        struck = self.triggers.strike(Act.CANCEL, key, item.triggers if item else ())
        asked = Uncharged(Act.CANCEL, key, None, iccid, {}, _now(), "")
        return await self._done(request, asked, struck, lambda: self._take_back(iccid, struck))

    def order(self, sale_id: str) -> Sale | None:
        """One sale as it stands now; this is a look at it."""
        sale = self._sale(sale_id)
        if sale is not None:
            self._look(sale)
        return sale

    def orders(self, keep: Callable[[Sale], bool] | None = None) -> list[Sale]:
        """The sales that lists show now and ``keep`` accepts, newest first; this is a look at each of them."""
        now = _now()
        shown = [sale for sale in reversed(self.books.sales.values()) if sale.shown_at <= now]
        if keep is not None:
            shown = [sale for sale in shown if keep(sale)]
        for sale in shown:
            self._look(sale)
        return shown

    def sales(self) -> list[Sale]:
        """Every sale, oldest first, without a look at any: for the truth, not for what a supplier shows."""
        return list(self.books.sales.values())

    def esim(self, iccid: str) -> Esim | None:
        """An eSIM that was delivered, or that the page names."""
        return self.books.esims.get(iccid) or self._example_esims.get(iccid)

    def esims(self) -> list[Esim]:
        """All of them, oldest first."""
        return list(self.books.esims.values())

    def esim_of(self, sale: Sale) -> Esim | None:
        """What a sale delivered, or topped up; None while it has not."""
        if sale.iccid is None or sale.state in {SaleState.PROCESSING, SaleState.FAILED, SaleState.PARTIAL}:
            return None
        return self.esim(sale.iccid)

    @property
    def balance(self) -> Decimal:
        """The money that is there."""
        return self.books.balance

    @property
    def spendable(self) -> Decimal:
        """The balance and the credit."""
        return self.balance + self.credit

    def moves(self) -> list[Move]:
        """Every movement of the balance, newest first."""
        return self.books.moves[::-1]

    def deposit(self, amount: Decimal) -> Move:
        """Pay in; less than nothing is an adjustment."""
        move = self.books.move(MoveKind.DEPOSIT if amount >= 0 else MoveKind.ADJUSTMENT, amount)
        self.books.note()
        return move

    def answered(self, sale: Sale) -> None:
        """The whole answer to the request that made this sale was written."""
        sale.answered = True
        self.books.note(sale)

    def use(self, esim: Esim, used_mb: int) -> None:
        """Let ``used_mb`` in all have been used of an eSIM: its first package first."""
        profiles.use(esim, used_mb)
        self.changed(esim)

    def changed(self, esim: Esim) -> None:
        """An eSIM has another state, with which its days may begin."""
        profiles.begin(esim, _now())
        self.books.note(esim=esim)

    async def close(self) -> None:
        """End what goes on in the background. What is being processed is looked at again when it is asked for."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.webhooks.close()
        self.books.close()

    # --- doing it, or not, and saying so, or not --------------------------------------------------------

    async def _done(self, request: web.Request, asked: Uncharged, struck: Struck, do: Callable[[], Sale]) -> Sale:
        for kind, spoil in INSTEAD.items():
            if kind in struck:
                self.books.refuse(asked.ended(kind.value))
                raise Unanswered(spoil)

        def booked() -> Sale:
            try:
                return do()
            except TillRefusal as refusal:
                self.books.refuse(asked.ended(refusal.why.value))
                raise

        async def later(seconds: float) -> Sale:
            await asyncio.sleep(seconds)
            return booked()

        slow = struck.get(TriggerKind.SLOW_CHARGE)
        # The caller who gives up ends the waiting, not what is waited for.
        sale = await asyncio.shield(self._spawn(later(slow.seconds))) if slow else booked()
        request[SALE] = sale
        for kind, spoil in AFTERWARDS.items():
            if kind in struck:
                request[SPOIL] = spoil
        return sale

    def _book(self, purchase: Purchase, key: str, struck: Struck) -> Sale:
        """Everything that a purchase changes, in one step without a wait."""
        item = purchase.item
        listed = purchase.price if item is None else item.price
        _refuse(struck)
        if listed is None:
            raise TillRefusal(Why.NO_SUCH_ITEM)
        charged = (listed * (1 + self.rules.surcharge)).quantize(_CENT, ROUND_HALF_UP)
        if more := struck.get(TriggerKind.CHARGED_MORE):
            charged = (charged * more.factor).quantize(_CENT, ROUND_HALF_UP)
        self._check(purchase, charged)
        if item is not None and not self._sell(key):
            raise TillRefusal(Why.OUT_OF_STOCK)
        self._number += 1
        now = _now()
        lag = struck.get(TriggerKind.LIST_LAG)
        sale = Sale(
            id=self.rules.order_id(self._number),
            number=self._number,
            kind=purchase.kind,
            key=key,
            item=item,
            reference=purchase.reference,
            listed=listed,
            charged=charged,
            created_at=now,
            shown_at=now + timedelta(seconds=lag.seconds) if lag else now,
            iccid=purchase.iccid,
            details=purchase.details,
            triggers=tuple(struck),
        )
        self.books.add(sale)
        self.books.move(MoveKind.CHARGE, -charged, sale)
        self._start(sale)
        self.books.note(sale, self.esim_of(sale))
        return sale

    def _check(self, purchase: Purchase, charged: Decimal) -> None:
        if self.rules.unique_references and purchase.reference in self.books.references:
            raise TillRefusal(Why.DUPLICATE_REFERENCE)
        if purchase.kind is OrderKind.TOPUP:
            esim = self.esim(purchase.iccid or "")
            if esim is None:
                raise TillRefusal(Why.NO_SUCH_ESIM)
            if not esim.renewable or esim.service is ServiceState.REVOKED:
                raise TillRefusal(Why.NOT_RENEWABLE)
        if charged > self.spendable:
            raise TillRefusal(Why.NO_BALANCE)

    def _take_back(self, iccid: str, struck: Struck) -> Sale:
        _refuse(struck)
        esim = self.esim(iccid)
        if esim is None:
            raise TillRefusal(Why.NO_SUCH_ESIM)
        if esim.profile is not ProfileState.RELEASED or esim.service is not ServiceState.NOT_ACTIVE:
            raise TillRefusal(Why.NOT_CANCELLABLE)
        sale = self._sale(esim.sale_id)
        if sale is None:
            raise TillRefusal(Why.NOT_CANCELLABLE)
        self._refund(sale, sale.listed if self.rules.refunds_listed else sale.charged)
        sale.state = SaleState.CANCELLED
        esim.service = ServiceState.REVOKED
        self.books.note(sale, esim)
        return sale

    # --- what becomes of an order -----------------------------------------------------------------------

    def _start(self, sale: Sale) -> None:
        if TriggerKind.NEVER_PROVISIONED in sale.triggers:
            return
        seconds = self.delivery_seconds
        if seconds == 0 and not ENDINGS.keys().isdisjoint(sale.triggers):
            seconds = _PROCESSING_SECONDS
        if seconds == 0:
            self._end(sale)
        elif seconds is not None:
            sale.due_at = sale.created_at + timedelta(seconds=seconds)
            self._spawn(self._end_later(sale, seconds))

    async def _end_later(self, sale: Sale, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._end(sale)

    def _look(self, sale: Sale) -> None:
        if sale.ended_at is not None or TriggerKind.NEVER_PROVISIONED in sale.triggers:
            return
        sale.looks += 1
        looked = self.delivery_looks is not None and sale.looks >= self.delivery_looks
        if looked or (sale.due_at is not None and sale.due_at <= _now()):
            self._end(sale)

    def _end(self, sale: Sale) -> None:
        """Processing is over, by the clock or by a look."""
        if sale.ended_at is not None:
            return
        sale.ended_at = _now()
        sale.state = next((ENDINGS[kind] for kind in sale.triggers if kind in ENDINGS), SaleState.COMPLETED)
        if sale.state is SaleState.COMPLETED:
            self._deliver(sale)
        elif sale.state is SaleState.PARTIAL:
            sale.error = "Delivered in part"
        elif TriggerKind.FAILED_WITHOUT_REFUND not in sale.triggers:
            self._refund(sale, sale.charged)
        if sale.state in {SaleState.FAILED, SaleState.CANCELLED}:
            sale.error = "The operator did not deliver"
        self.books.note(sale, self.esim_of(sale))
        if sale.final:
            self.webhooks.announce(sale)

    def _deliver(self, sale: Sale) -> None:
        item = sale.item
        if item is None:
            return
        package = profiles.new_package(sale, item, _now())
        if sale.kind is OrderKind.TOPUP:
            esim = self.esim(sale.iccid or "")
            if esim is None:
                return
            esim.packages.append(package)
            if esim.service in {ServiceState.DEPLETED, ServiceState.EXPIRED}:
                esim.service = ServiceState.ACTIVE
        elif sale.kind is OrderKind.ESIM:
            esim = profiles.new_esim(sale, package, self._chance)
            self.books.esims[esim.iccid] = esim
            sale.iccid = esim.iccid
        else:
            return
        profiles.begin(esim, package.bought_at)

    # --- money ------------------------------------------------------------------------------------------

    def _refund(self, sale: Sale, amount: Decimal) -> None:
        sale.refunded += amount
        self.books.move(MoveKind.REFUND, amount, sale)

    def _sale(self, sale_id: str) -> Sale | None:
        return self.books.sales.get(sale_id) or self._example_sales.get(sale_id)

    def _draw(self) -> float:
        return self.triggers.chance.random()

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and not isinstance(error := task.exception(), TillRefusal | None):
            raise error  # reaches the loop's exception handler, which writes it down


def _refuse(struck: Struck) -> None:
    for kind, why in REFUSALS.items():
        if kind in struck:
            raise TillRefusal(why)


def _now() -> datetime:
    return datetime.now(UTC)
