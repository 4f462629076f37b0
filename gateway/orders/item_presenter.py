"""Numbers and vouchers as their storefront, or an operator, sees them in an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.inventory import number_rows, voucher_code_rows
from gateway.inventory.number_rows import Number
from gateway.items.item_rules import ITEM_KINDS, NumberItem, VoucherItem, item_of
from gateway.orders.order_view_rows import OrderRow
from gateway.selling.sold_rules import api_price
from gateway.suppliers.deps import Deps
from schemas.money import Money
from schemas.order import VoucherCode
from schemas.orders import NumberTierSold, OrderedCode, OrderedNumber, OrderedVoucher


async def of_orders(
    deps: Deps, rows: Sequence[OrderRow], *, with_secrets: bool
) -> dict[str, OrderedNumber | OrderedVoucher]:
    """What each of these orders for a number or voucher is, by order; without secrets no number and no code."""
    wanted = [row for row in rows if row.kind in ITEM_KINDS]
    if not wanted:
        return {}
    ids = [row.id for row in wanted]
    numbers = await number_rows.of_orders(deps.pool, deps.seal, ids)
    codes = await voucher_code_rows.of_orders(deps.pool, deps.seal, ids) if with_secrets else {}
    return {row.id: _ordered_item(row.plan, numbers.get(row.id), codes.get(row.id, ()), with_secrets) for row in wanted}


def ordered_number(item: NumberItem, number: Number | None, *, with_secrets: bool = True) -> OrderedNumber:
    """A number in an order's JSON."""
    tier = NumberTierSold(item.tier_id, item.tier_name, item.days)
    if number is None:
        return OrderedNumber(item.country, item.country_name, tier, None, None, None, None, None)
    return OrderedNumber(
        country=item.country,
        country_name=item.country_name,
        tier=tier,
        id=number.id,
        phone_number=number.phone_number if with_secrets else None,
        expires_at=number.expires_at,
        autorenew=number.autorenew,
        observed_at=number.observed_at,
    )


def _ordered_item(
    frozen: dict[str, Any], number: Number | None, codes: Sequence[VoucherCode], with_secrets: bool
) -> OrderedNumber | OrderedVoucher:
    item = item_of(frozen)
    if isinstance(item, VoucherItem):
        return _voucher(item, codes)
    return ordered_number(item, number, with_secrets=with_secrets)


def _voucher(item: VoucherItem, codes: Sequence[VoucherCode]) -> OrderedVoucher:
    own = None if item.amount is None or item.currency is None else api_price(Money(item.amount, item.currency))
    return OrderedVoucher(
        good_id=item.id,
        name=item.name,
        product_name=item.product_name,
        type=item.type,
        quantity=item.quantity,
        amount=own,
        codes=[OrderedCode(code.pin, code.serial, code.expires_at, code.told) for code in codes],
    )
