"""What must hold of an order and the top-ups of its eSIM, whatever was done to them: checked after each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.orders.rules.states import FINAL, AttemptState
from gateway.suppliers import selling_rows
from schemas.order import OrderKind
from tests.kit.counter import Counter

SELLERS = ("pikasim", "s2s", "beppay")
OPEN = ("sending", "unknown", "accepted", "charged_undeliverable")
LATEST_POLL = timedelta(minutes=16)
# Where a status may go. Back go only a refused cancel, and what an operator or a late delivery settles.
STEPS = {
    "pending": {"fulfilled", "failed", "needs_review", "cancel_pending", "cancelled"},
    "needs_review": {"fulfilled", "failed", "cancel_pending", "cancelled"},
    "cancel_pending": {"fulfilled", "cancelled", "needs_review"},
    "fulfilled": {"cancel_pending", "cancelled", "needs_review"},  # several steps may lie between two looks
    "failed": set(),
    "cancelled": set(),
}


@dataclass
class Followed:
    """One order, and what the model remembers of it. ``sold_before`` are the sales that its suppliers had before."""

    id: str
    kind: OrderKind
    sold_before: dict[str, int]
    seen: list[str] = field(default_factory=lambda: ["pending"])
    purchases: int = 0
    cancel_asked: bool = False
    resolved: bool = False


@dataclass
class Model:
    """The order, its top-ups, and what was done from outside."""

    counter: Counter
    order: Followed
    topups: list[Followed] = field(default_factory=list)
    stopped: frozenset[str] = frozenset()
    refunded: bool = False

    @property
    def all(self) -> list[Followed]:
        return [self.order, *self.topups]

    async def check(self) -> None:
        """Raises ``AssertionError`` for what must not be."""
        stopped = await self._stopped()
        for one in self.all:
            order, tries = await self.counter.order(one.id), await self.counter.attempts(one.id)
            one.resolved = one.resolved or "resolved" in await self.counter.timeline(one.id)
            self._check_status(one, order, tries, stopped & self.stopped)
            self._check_next_poll(one, order, tries)
            self._check_purchases(one, order, tries, stopped & self.stopped)
            await self._check_money(one, order, tries)
        await self._check_topups()
        self.stopped = stopped

    async def ended(self) -> None:
        """What must hold besides, once nothing keeps the orders from going on and their schedules had their way."""
        for one in self.all:
            order = await self.counter.order(one.id)
            assert order.status not in {"pending", "cancel_pending"}, (one.seen, await self.counter.timeline(one.id))
            if not one.resolved:
                assert await self._unread(one) == 0

    def _check_status(self, one: Followed, order: OrderRow, tries: list[AttemptRow], stopped: frozenset[str]) -> None:
        """State moves one way, and nothing fails for a stop that stood through the step."""
        if order.status == one.seen[-1]:
            return
        assert order.status in STEPS[one.seen[-1]], (one.seen, order.status)
        one.seen.append(order.status)
        if order.status == "failed" and one is self.order and not one.resolved:
            tried = {attempt.supplier for attempt in tries}
            assert not (stopped - tried), "failed although an offer was only stopped"

    def _check_next_poll(self, one: Followed, order: OrderRow, tries: list[AttemptRow]) -> None:
        """An order that is not final is processed again from its own row, as long as there is something to learn."""
        waits = any(attempt.now.live and attempt.state is not AttemptState.SUCCEEDED for attempt in tries)
        if order.status in {"pending", "cancel_pending"} or (order.status == "needs_review" and waits):
            assert order.next_poll_at is not None, (one.seen, order.status)
            assert order.next_poll_at <= datetime.now(UTC) + self.counter.clock.ahead + LATEST_POLL
        else:
            assert order.next_poll_at is None, (one.seen, order.status)

    def _check_purchases(
        self, one: Followed, order: OrderRow, tries: list[AttemptRow], stopped: frozenset[str]
    ) -> None:
        """One attempt lives at most; none is begun during a stop, or after a cancel was asked for."""
        bought = [attempt for attempt in tries if attempt.kind != "cancel"]
        assert len([attempt for attempt in bought if attempt.now.live]) <= 1
        begun = bought[one.purchases :]
        assert not {attempt.supplier for attempt in begun} & stopped, "bought during a stop"
        assert not (begun and one.cancel_asked), "bought after a cancel was asked for"
        one.purchases = len(bought)
        one.cancel_asked = order.cancel_requested_at is not None

    async def _check_money(self, one: Followed, order: OrderRow, tries: list[AttemptRow]) -> None:
        """Never two purchases, never a delivery without a charge or the other way round; and the ledger agrees."""
        ours = {attempt.id for attempt in tries}
        sales = [
            sale
            for name in SELLERS
            for sale in self.counter.simulator(name).sales()[one.sold_before[name] :]
            if sale.kind is one.kind and (sale.reference in ours or not sale.reference)
        ]
        standing = [sale for sale in sales if sale.refunded == 0]
        assert len(standing) <= 1, "bought twice"
        named = [sale.reference for sale in sales if sale.reference]
        assert len(set(named)) == len(named)
        pool = self.counter.deps.pool
        esims = await pool.fetchval("SELECT count(*) FROM esims WHERE order_id = $1", order.id)
        if one.resolved:
            return
        if order.status == "fulfilled":
            assert len(standing) == 1, "delivered without a charge"
            assert esims == (one.kind is OrderKind.ESIM)
        elif order.status in FINAL:
            assert not standing, "charged and not delivered"
        charges = await pool.fetchval("SELECT count(*) FROM ledger WHERE order_id = $1 AND kind = 'charge'", order.id)
        assert charges >= esims, "delivered without a charge in the ledger"
        if not any(attempt.state in OPEN for attempt in tries):
            booked = await pool.fetchval(
                "SELECT coalesce(sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END), 0) FROM ledger"
                " WHERE order_id = $1", order.id,
            )  # fmt: skip
            assert booked == sum(sale.charged - sale.refunded for sale in sales)

    async def _check_topups(self) -> None:
        """An eSIM that is given back, or is to be, has no top-up that was delivered or may be."""
        order = await self.counter.order(self.order.id)
        if order.status != "cancelled" and order.cancel_requested_at is None:
            return
        for one in self.topups:
            status = (await self.counter.order(one.id)).status
            assert one.resolved or status in {"failed", "cancelled", "needs_review"}, (one.seen, order.status)

    async def _stopped(self) -> frozenset[str]:
        """The suppliers that are stopped or paused now."""
        found = await selling_rows.selling_states(self.counter.deps.pool, SELLERS)
        return frozenset(name for name in SELLERS if found[name].paused)

    async def _unread(self, one: Followed) -> int:
        """Answers that wait to be read and can be."""
        count: int = await self.counter.deps.pool.fetchval(
            "SELECT count(*) FROM supplier_answers s JOIN attempts a ON a.id = s.attempt_id"
            " WHERE a.order_id = $1 AND read_at IS NULL AND failures = 0",
            one.id,
        )
        return count
