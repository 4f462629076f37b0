"""Digital goods as an offer source: what an order for one asks for, held against it, and who could deliver it now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import msgspec
from msgspec import UNSET

from gateway.access.key_rows import Mode
from gateway.catalog.offer_lines import OfferLine, SupplierAnswer, with_states
from gateway.items import goods_rows
from gateway.items.goods_rows import GoodRow
from gateway.items.goods_rules import denominates, faults, is_recharge, measure, text_in, unit_cost, widest
from gateway.items.item_rules import VoucherItem
from gateway.kit.freshness import Freshness, FreshnessBounds, freshness
from gateway.kit.problem import Problem
from gateway.pricing.bounds import suspect_bounds
from gateway.pricing.pricing_rules import Subject
from gateway.pricing.suspect_rules import against_past
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas.good import Good
from schemas.money import Money
from schemas.order import GoodWanted
from schemas.order_requests import OrderForGood

NO_GOOD = "there is no such good"


async def asked_for(deps: Deps, mode: Mode, body: OrderForGood) -> tuple[VoucherItem, dict[str, str]] | Problem:
    """The good as it would be sold, and the answers; ``invalid`` names everything that its product does not allow."""
    rows = await goods_rows.of_goods(deps.pool, mode, [body.good_id])
    if not rows:
        return Problem("no_plan", NO_GOOD, (("/good_id", NO_GOOD),))
    quantity = 1 if body.quantity is UNSET else body.quantity
    amount = None if body.amount is UNSET else Money(Decimal(body.amount.amount), body.amount.currency)
    answers = {} if body.fields is UNSET else body.fields
    wrong = faults(widest([row.terms for row in rows]), quantity, amount, answers)
    if wrong:
        return Problem("invalid", f"{wrong[0][0].removeprefix('/')}: {wrong[0][1]}", tuple(wrong))
    return _item(rows[0], quantity, amount), {name: text for name, text in answers.items() if text.strip()}


class GoodSource(msgspec.Struct, frozen=True):
    """The offers of a voucher or recharge: one for each account that lists it."""

    mode: Mode
    item: VoucherItem
    capability = Capability.GOODS

    async def lines(self, deps: Deps) -> list[OfferLine]:
        """Those that have the amount of one's choice, where there is one."""
        rows, amount = await goods_rows.of_goods(deps.pool, self.mode, [self.item.id]), _amount(self.item)
        found = [line_of(deps, row, self.item.quantity, amount) for row in rows if denominates(row.custom, amount)]
        return await with_states(deps, found)

    async def missing(self, deps: Deps) -> Problem:  # noqa: ARG002 - by the protocol
        """No account lists it at present."""
        return Problem("no_stock", "none can be sold at present")

    async def ask(self, deps: Deps, line: OfferLine) -> SupplierAnswer | None:
        """None for another kind of denomination than was listed: the next walk tells whether it is so."""
        row = await _row(deps, line)
        if row is None:
            return None
        seen = await deps.accounts[line.supplier].provider.good(row.product_id, row.sku)
        moved = measure(seen.cost, seen.custom)
        if (seen.cost is None) != (row.cost is None) or moved.currency != row.measure.currency or moved.amount <= 0:
            return None
        amount = _amount(self.item)
        return SupplierAnswer(unit_cost(seen.cost, seen.custom, None if amount is None else amount.amount), seen)

    async def take_over(self, deps: Deps, line: OfferLine, answer: SupplierAnswer) -> OfferLine | None:
        """A price that cannot be right is suspect at once."""
        row, seen = await _row(deps, line), answer.item
        if row is None or not isinstance(seen, Good):
            return None
        moved = measure(seen.cost, seen.custom)
        suspect = against_past(moved.amount, row.good_measure, None, suspect_bounds(deps.settings.sync))
        if moved == row.measure:
            suspect = row.suspect
        async with deps.pool.acquire() as connection, connection.transaction():
            await goods_rows.observe(connection, row, seen, suspect, deps.clock())
        no_more = seen.max_per_order is not None and self.item.quantity > seen.max_per_order
        no_more = no_more or not denominates(seen.custom, _amount(self.item))
        return msgspec.structs.replace(
            line,
            cost=answer.cost,
            stock=0 if no_more else seen.stock,
            suspect=suspect is not None,
            needs_check=False,
        )


def line_of(deps: Deps, row: GoodRow, quantity: int, amount: Money | None) -> OfferLine:
    """What one account sells of a good, without its state.

    Without an amount where one is needed the cost is of 100 of its currency.
    """
    now, sync = deps.clock(), deps.settings.sync
    bounds = FreshnessBounds(sync.interval_seconds, sync.expire_after_seconds)
    seen = row.observed_at
    chosen = amount.amount if amount is not None else None
    cost = unit_cost(row.cost, row.custom, chosen)
    if cost is None and row.custom is not None and amount is None:
        cost = row.measure
    too_many = row.max_per_order is not None and quantity > row.max_per_order
    return OfferLine(
        supplier=row.supplier,
        key=row.sku,
        subject=Subject(row.supplier, row.good_id, row.countries, None, is_plan=False),
        cost=cost,
        wanted=GoodWanted(row.sku, quantity, amount, recharge=is_recharge(row.type)),
        units=quantity,
        stock=0 if too_many else row.stock,
        suspect=row.suspect is not None,
        expired=freshness(row.good_at, row.walk_state, now, bounds) is Freshness.EXPIRED,
        needs_check=seen is None or now - seen > timedelta(seconds=deps.settings.orders.price_check_seconds),
    )


def _item(row: GoodRow, quantity: int, amount: Money | None) -> VoucherItem:
    text = text_in(row.texts, None, row.locale)
    return VoucherItem(
        id=row.good_id,
        name=text.name,
        product_name=text.product_name,
        type=row.type,
        quantity=quantity,
        amount=None if amount is None else amount.amount,
        currency=None if amount is None else amount.currency,
        field_names=tuple(field.name for field in row.fields),
    )


def _amount(item: VoucherItem) -> Money | None:
    return None if item.amount is None or item.currency is None else Money(item.amount, item.currency)


async def _row(deps: Deps, line: OfferLine) -> GoodRow | None:
    rows: Sequence[GoodRow] = await goods_rows.of_account(deps.pool, line.supplier, line.key)
    return next(iter(rows), None)
