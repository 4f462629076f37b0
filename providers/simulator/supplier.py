"""The supplier simulator: one account's money, orders and eSIMs, exact and in memory.

A plugin gives its ``SupplierRules`` to ``sandbox_app`` and its handlers do their business at
``simulator_of(request)``::

    async def new_order(request: web.Request) -> web.Response:
        body = await body_of(request, wire.NewOrder)
        sale = await simulator_of(request).buy(
            request, Purchase(item_of(request, body.package_code), reference=body.external_order_id)
        )
        return json_response(in_our_words(sale), 201)

What is refused is raised as ``SupplierRefusal`` and answered by ``sandbox_app``; what a trigger does to the
answer is done after the handler. Handlers need to know of neither.
"""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web

from providers.simulator import profiles
from providers.simulator.account import SandboxAccount
from providers.simulator.engine import Simulator, refuse_unanswered, spoil_answer
from providers.simulator.records import SupplierRecords
from providers.simulator.sales import (
    ENDINGS,
    REFUSALS,
    Esim,
    PageExamples,
    Purchase,
    RefusalReason,
    Sale,
    SaleState,
    StatementLine,
    StatementLineKind,
    SupplierRefusal,
    SupplierRules,
    UnchargedRequest,
)
from providers.simulator.triggers import Act, Trigger, TriggerKind, UnansweredRequest
from schemas.esim import ProfileState, ServiceState
from schemas.order import OrderKind

Struck = dict[TriggerKind, Trigger]

_CENT = Decimal("0.01")
_PROCESSING_SECONDS = 0.2  # of an order that is to go wrong while it is processed, where others are done at once
_FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
# What a trigger of one order does to its own notification alone.
_SPOILT_WEBHOOKS: dict[TriggerKind, dict[str, Any]] = {
    TriggerKind.WEBHOOK_DUPLICATE: {"copies": 3},
    TriggerKind.WEBHOOK_REORDERED: {"reorder": True},
    TriggerKind.WEBHOOK_FORGED: {"forged": True},
    TriggerKind.WEBHOOK_ALTERED: {"altered": True},
}

# The sale that a request made.
SALE: web.RequestKey[Sale] = web.RequestKey("sale", Sale)


class SupplierSimulator(Simulator[Trigger]):
    """One supplier. Everything that is seen through it is seen as the supplier itself shows it.

    ``delivery_seconds`` is how long an order is processed, None for ever; with ``delivery_looks`` it is
    done at that look at the latest.
    """

    trigger_type: ClassVar[type[Trigger]] = Trigger

    def __init__(
        self,
        name: str,
        rules: SupplierRules,
        *,
        sell: Callable[[str], bool],
        seed: str,
        file: Path | None = None,
        examples: PageExamples | None = None,
        account: SandboxAccount | None = None,
    ) -> None:
        super().__init__(rules.webhooks, account, seed)
        self.name = name
        self.rules = rules
        self.records = SupplierRecords(file)
        self._examples = examples or PageExamples()
        self._sell = sell
        self._chance = random.Random()  # what is sold must differ from what an earlier process sold
        # As must its number.
        earlier = max((sale.number for sale in self.records.sales.values()), default=0)
        self._number = max(earlier, int((_now() - _FIRST_DAY).total_seconds()))
        self._begin()

    def reset(self) -> None:
        """Begin again: the opening deposit, no orders, no triggers, no notifications."""
        super().reset()
        self.records.clear()
        self._begin()

    def _begin(self) -> None:
        self.delivery_seconds: float | None = self.rules.delivery_seconds
        self.delivery_looks: int | None = None
        self.credit = self.rules.credit
        self._example_sales = {sale.id: copy.deepcopy(sale) for sale in self._examples.sales}
        self._example_esims = {esim.iccid: copy.deepcopy(esim) for esim in self._examples.esims}
        if not self.records.statement:
            self.deposit(self.rules.opening)

    async def buy(self, request: web.Request, purchase: Purchase) -> Sale:
        """Charge and book a purchase or top-up, and start its delivery. Raises ``SupplierRefusal``.

        Booked in one step: a caller who goes away is either charged or not. The sale may be final already.
        """
        act = Act.TOPUP if purchase.kind is OrderKind.TOPUP else Act.ORDER
        item = purchase.item
        key = item.key if item else purchase.key
        struck = self._strike(act, key, item.triggers if item else purchase.triggers)
        uncharged = UnchargedRequest(act, key, purchase.reference, purchase.iccid, purchase.details, _now())
        sale = await self._carry_out(request, uncharged, struck, lambda: self._book(purchase, key, struck))
        if TriggerKind.DUPLICATE_REFERENCE in struck and purchase.reference is not None:
            raise SupplierRefusal(RefusalReason.DUPLICATE_REFERENCE)
        return sale

    async def cancel(self, request: web.Request, iccid: str) -> Sale:
        """Take back an eSIM that was never installed, and refund it. Raises ``SupplierRefusal``.

        ``sale.refunded`` says how much came back.
        """
        esim = self.esim(iccid)
        key, own = (esim.packages[0].item.key, esim.packages[0].item.triggers) if esim else ("", ())
        struck = self._strike(Act.CANCEL, key, own)
        uncharged = UnchargedRequest(Act.CANCEL, key, None, iccid, {}, _now())
        return await self._carry_out(request, uncharged, struck, lambda: self._take_back(esim))

    def order(self, sale_id: str) -> Sale | None:
        """One sale as it stands now; this is a look at it."""
        sale = self._sale(sale_id)
        if sale is not None:
            self._poll(sale)
        return sale

    def orders(self, keep: Callable[[Sale], bool] = lambda _sale: True) -> list[Sale]:
        """The sales that lists show now and ``keep`` accepts, newest first; this is a look at each of them."""
        now = _now()
        visible = [sale for sale in reversed(self.records.sales.values()) if sale.shown_at <= now and keep(sale)]
        for sale in visible:
            self._poll(sale)
        return visible

    def sales(self) -> list[Sale]:
        """Every sale, oldest first, without a look at any: for checks, not for what a supplier shows."""
        return list(self.records.sales.values())

    def esim(self, iccid: str) -> Esim | None:
        """An eSIM that was delivered, or that the page names."""
        return self.records.esims.get(iccid) or self._example_esims.get(iccid)

    def esims(self) -> list[Esim]:
        """All of them, oldest first."""
        return list(self.records.esims.values())

    def esim_of(self, sale: Sale) -> Esim | None:
        """What a sale delivered, or topped up; None while it has not."""
        if sale.iccid is None or sale.state in {SaleState.PROCESSING, SaleState.FAILED, SaleState.PARTIAL}:
            return None
        return self.esim(sale.iccid)

    @property
    def balance(self) -> Decimal:
        """The money that is there."""
        return self.records.balance

    @property
    def available(self) -> Decimal:
        """The balance and the credit."""
        return self.balance + self.credit

    def statement(self) -> list[StatementLine]:
        """Every movement of the balance, newest first."""
        return self.records.statement[::-1]

    def deposit(self, amount: Decimal) -> StatementLine:
        """Pay in; less than nothing is an adjustment."""
        line = self.records.move(StatementLineKind.DEPOSIT if amount >= 0 else StatementLineKind.ADJUSTMENT, amount)
        self.records.write()
        return line

    def answered(self, sale: Sale) -> None:
        """The whole answer to the request that made this sale was written."""
        sale.answered = True
        self.records.write(sale)

    def use(self, esim: Esim, used_mb: int) -> None:
        """Let ``used_mb`` in all have been used of an eSIM: its first package first."""
        profiles.use(esim, used_mb)
        self.changed(esim)

    def changed(self, esim: Esim) -> None:
        """An eSIM has another state, with which its days may begin."""
        profiles.begin(esim, _now())
        self.records.write(esim=esim)

    async def close(self) -> None:
        """End what goes on in the background. What is being processed is looked at again when it is asked for."""
        await super().close()
        self.records.close()

    # --- doing it, or not, and saying so, or not --------------------------------------------------------

    def _strike(self, act: Act, key: str, own: tuple[Trigger, ...]) -> Struck:
        """Count one call; the triggers that hit it, the item's ``own`` among them."""
        struck = self.triggers.strike(lambda trigger: trigger.key in {None, key} and act in trigger.acts)
        hit = [trigger for trigger in struck if trigger.share >= 1 or self._random.random() < trigger.share]
        return {trigger.kind: trigger for trigger in (*(mine for mine in own if act in mine.acts), *hit)}

    async def _carry_out(
        self, request: web.Request, uncharged: UnchargedRequest, struck: Struck, act: Callable[[], Sale]
    ) -> Sale:
        def booked() -> Sale:
            try:
                _refuse(struck)
                return act()
            except (SupplierRefusal, UnansweredRequest) as refusal:
                self.records.refuse(uncharged, str(refusal))
                raise

        async def later(seconds: float) -> Sale:
            await asyncio.sleep(seconds)
            return booked()

        slow = struck.get(TriggerKind.SLOW_CHARGE)
        # The caller who gives up ends the waiting, not what is waited for.
        sale = await asyncio.shield(self._spawn(later(slow.seconds))) if slow else booked()
        request[SALE] = sale
        spoil_answer(request, struck)
        return sale

    def _book(self, purchase: Purchase, key: str, struck: Struck) -> Sale:
        """Everything that a purchase changes, in one step without a wait."""
        item = purchase.item
        listed = purchase.price if item is None else item.price
        if listed is None:
            raise SupplierRefusal(RefusalReason.NO_SUCH_ITEM)
        charged = (listed * (1 + self.rules.surcharge)).quantize(_CENT, ROUND_HALF_UP)
        if more := struck.get(TriggerKind.CHARGED_MORE):
            charged = (charged * more.factor).quantize(_CENT, ROUND_HALF_UP)
        self._check(purchase, charged)
        if item is not None and not self._sell(key):
            raise SupplierRefusal(RefusalReason.OUT_OF_STOCK)
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
        self.records.add(sale)
        self.records.move(StatementLineKind.CHARGE, -charged, sale)
        self._start(sale)
        self.records.write(sale, self.esim_of(sale))
        return sale

    def _check(self, purchase: Purchase, charged: Decimal) -> None:
        if self.rules.unique_references and purchase.reference in self.records.references:
            raise SupplierRefusal(RefusalReason.DUPLICATE_REFERENCE)
        if purchase.kind is OrderKind.TOPUP:
            esim = self.esim(purchase.iccid or "")
            if esim is None:
                raise SupplierRefusal(RefusalReason.NO_SUCH_ESIM)
            if not esim.renewable or esim.service is ServiceState.REVOKED:
                raise SupplierRefusal(RefusalReason.NOT_RENEWABLE)
        if charged > self.available:
            raise SupplierRefusal(RefusalReason.NO_BALANCE)

    def _take_back(self, esim: Esim | None) -> Sale:
        if esim is None:
            raise SupplierRefusal(RefusalReason.NO_SUCH_ESIM)
        sale = self._sale(esim.sale_id)
        unused = esim.profile is ProfileState.RELEASED and esim.service is ServiceState.NOT_ACTIVE
        if sale is None or not unused:
            raise SupplierRefusal(RefusalReason.NOT_CANCELLABLE)
        self._refund(sale, sale.listed if self.rules.refunds_listed else sale.charged)
        sale.state = SaleState.CANCELLED
        esim.service = ServiceState.REVOKED
        self.records.write(sale, esim)
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

    def _poll(self, sale: Sale) -> None:
        if sale.ended_at is not None or TriggerKind.NEVER_PROVISIONED in sale.triggers:
            return
        sale.polls += 1
        polled = self.delivery_looks is not None and sale.polls >= self.delivery_looks
        if polled or (sale.due_at is not None and sale.due_at <= _now()):
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
        self.records.write(sale, self.esim_of(sale))
        if sale.final:
            self._notify(sale)

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
            self.records.esims[esim.iccid] = esim
            sale.iccid = esim.iccid
        else:
            return
        profiles.begin(esim, package.bought_at)

    def _notify(self, sale: Sale) -> None:
        """Send the webhook of a sale that is final, if the supplier sends one and was told where."""
        plan = self.webhooks.plan
        if plan.url is None:
            return
        body = self.rules.notification(sale, self.esim_of(sale), self.webhooks.now())
        if body is not None and (plan.events is None or body.get("event") in plan.events):
            spoilt = [changes for kind, changes in _SPOILT_WEBHOOKS.items() if kind in sale.triggers]
            self.webhooks.send(body, sale.id, **{name: value for changes in spoilt for name, value in changes.items()})

    def _refund(self, sale: Sale, amount: Decimal) -> None:
        sale.refunded += amount
        self.records.move(StatementLineKind.REFUND, amount, sale)

    def _sale(self, sale_id: str) -> Sale | None:
        return self.records.sales.get(sale_id) or self._example_sales.get(sale_id)


def _refuse(struck: Struck) -> None:
    refuse_unanswered(struck)
    for kind, reason in REFUSALS.items():
        if kind in struck:
            raise SupplierRefusal(reason)


def _now() -> datetime:
    return datetime.now(UTC)
