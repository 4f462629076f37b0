"""The shelf of digital goods: what an order for one asks for, held against it, and who could deliver it now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import msgspec
import structlog
from msgspec import UNSET

from gateway.access.key_rows import Mode
from gateway.items import goods_rows
from gateway.items.goods_rows import GoodRow
from gateway.items.goods_rules import denominates, faults, is_recharge, measure, text_in, unit_cost, widest
from gateway.items.item_rules import Item, VoucherItem
from gateway.items.shelf import ItemBody, ItemRequest, Line, OfferSource
from gateway.kit.freshness import Freshness, FreshnessBounds, freshness
from gateway.kit.problem import Problem
from gateway.pricing.bounds import suspect_bounds
from gateway.pricing.suspect_rules import against_past
from gateway.suppliers import selling_rows
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas.errors import GatewayError, NotFound
from schemas.good import Good
from schemas.money import Money
from schemas.order import GoodWanted
from schemas.orders import OrderForGood

log = structlog.get_logger(__name__)

NO_GOOD = "there is no such good"


class GoodsShelf(OfferSource):
    """Vouchers and recharges."""

    capability = Capability.GOODS

    async def asked(self, deps: Deps, mode: Mode, body: ItemBody) -> ItemRequest | Problem:
        """The good as it would be sold; ``invalid`` names everything that its product does not allow."""
        if not isinstance(body, OrderForGood):
            raise TypeError("no order for a good")
        rows = await goods_rows.of_goods(deps.pool, mode, [body.good_id])
        if not rows:
            return Problem("no_plan", NO_GOOD, (("/good_id", NO_GOOD),))
        quantity = 1 if body.quantity is UNSET else body.quantity
        amount = None if body.amount is UNSET else Money(Decimal(body.amount.amount), body.amount.currency)
        answers = {} if body.fields is UNSET else body.fields
        wrong = faults(widest([row.terms for row in rows]), quantity, amount, answers)
        if wrong:
            return Problem("invalid", f"{wrong[0][0].removeprefix('/')}: {wrong[0][1]}", tuple(wrong))
        return ItemRequest(
            _item(rows[0], quantity, amount), {name: text for name, text in answers.items() if text.strip()}
        )

    async def lines(self, deps: Deps, mode: Mode, item: Item) -> list[Line]:
        """One for each account that lists it."""
        if not isinstance(item, VoucherItem):
            return []
        rows, amount = await goods_rows.of_goods(deps.pool, mode, [item.id]), _amount(item)
        return [line_of(deps, row, item.quantity, amount) for row in rows if denominates(row.custom, amount)]

    async def look(self, deps: Deps, line: Line) -> Line | None:
        """Price and stock as the supplier tells them now; a price that cannot be right is suspect at once."""
        account, wanted = deps.accounts.get(line.supplier), line.wanted
        if account is None or not isinstance(wanted, GoodWanted):
            return None
        row = await _row(deps, line)
        if row is None:
            return None
        try:
            seen = await account.provider.good(row.product_id, row.sku)
        except NotFound:
            until = deps.clock() + timedelta(seconds=deps.settings.orders.out_of_stock_seconds)
            async with deps.pool.acquire() as connection:
                note = "the supplier does not have it any more"
                await selling_rows.mark_out_of_stock(connection, line.supplier, line.key, until, note)
            return msgspec.structs.replace(line, stock=0, old=False)
        except GatewayError as error:
            log.info("price_not_checked", supplier=line.supplier, error=type(error).__name__)
            return None
        return await _taken_over(deps, row, seen, line, wanted)


def line_of(deps: Deps, row: GoodRow, quantity: int, amount: Money | None) -> Line:
    """What one account sells of a good. Without an amount where one is needed the cost is of 100 of its currency."""
    now, sync = deps.clock(), deps.settings.sync
    bounds = FreshnessBounds(sync.interval_seconds, sync.expire_after_seconds)
    seen = row.observed_at
    chosen = amount.amount if amount is not None else None
    cost = unit_cost(row.cost, row.custom, chosen)
    if cost is None and row.custom is not None and amount is None:
        cost = row.measure
    too_many = row.max_per_order is not None and quantity > row.max_per_order
    return Line(
        supplier=row.supplier,
        key=row.sku,
        cost=cost,
        wanted=GoodWanted(row.sku, quantity, amount, recharge=is_recharge(row.type)),
        units=quantity,
        countries=row.countries,
        stock=0 if too_many else row.stock,
        suspect=row.suspect is not None,
        expired=freshness(row.good_at, row.walk_state, now, bounds) is Freshness.EXPIRED,
        old=seen is None or now - seen > timedelta(seconds=deps.settings.orders.price_check_seconds),
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


async def _row(deps: Deps, line: Line) -> GoodRow | None:
    rows: Sequence[GoodRow] = await goods_rows.of_account(deps.pool, line.supplier, line.key)
    return next(iter(rows), None)


async def _taken_over(deps: Deps, row: GoodRow, seen: Good, line: Line, wanted: GoodWanted) -> Line | None:
    if (seen.cost is None) != (row.cost is None):
        return None  # another kind of denomination: the next walk tells whether it is so
    moved = measure(seen.cost, seen.custom)
    if moved.currency != row.measure.currency or moved.amount <= 0:
        return None
    suspect = against_past(moved.amount, row.good_measure, None, suspect_bounds(deps.settings.sync))
    if moved == row.measure:
        suspect = row.suspect
    async with deps.pool.acquire() as connection, connection.transaction():
        await goods_rows.observe(connection, row, seen, suspect, deps.clock())
    amount = None if wanted.amount is None else wanted.amount.amount
    no_more = seen.max_per_order is not None and wanted.quantity > seen.max_per_order
    no_more = no_more or not denominates(seen.custom, wanted.amount)
    return msgspec.structs.replace(
        line,
        cost=unit_cost(seen.cost, seen.custom, amount),
        stock=0 if no_more else seen.stock,
        suspect=suspect is not None,
        old=False,
    )
