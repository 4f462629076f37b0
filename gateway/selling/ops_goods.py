"""Digital goods as operators see them: by account, what keeps one from sale, what changed, what is unmapped."""

from __future__ import annotations

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.items import goods_walk_rows
from gateway.items.goods_rows import GoodRow
from gateway.items.goods_rules import text_in
from gateway.kit.pages import PageRequest, price_of
from gateway.kit.problem import Problem
from gateway.pricing.price_rules import NoRate
from gateway.pricing.pricing import Prices
from gateway.selling import engine, goods, goods_view_rows
from gateway.selling.choosing_rules import Candidate
from gateway.selling.goods_view_rows import Narrowed
from gateway.suppliers.deps import Deps
from schemas.api_goods import GoodChange, GoodCustomPrice, GoodReleased, GoodSetAside, GoodsWalk, OpsGood
from schemas.page import Page
from schemas.plan import WhyNot


async def page(deps: Deps, narrowed: Narrowed, page_request: PageRequest) -> Page[OpsGood]:
    """Goods by account, priced as for a storefront without rules of its own."""
    found = await goods_view_rows.by_account(deps.pool, narrowed, page_request)
    prices = await engine.prices(deps, "")
    judged = await goods.candidates(deps, found.data, prices)
    return found.map(lambda row: _ops_good(row, judged.get((row.supplier, row.sku)), prices))


async def walks(deps: Deps) -> list[GoodsWalk]:
    """What became of the last walk of each account that sells goods."""
    return await goods_view_rows.walks(deps.pool)


async def changes(deps: Deps, page_request: PageRequest, good_id: str | None = None) -> Page[GoodChange]:
    """What changed, the newest first."""
    return await goods_view_rows.changes(deps.pool, page_request, good_id)


async def set_aside(deps: Deps, page_request: PageRequest) -> Page[GoodSetAside]:
    """Goods that were not understood."""
    return await goods_view_rows.set_aside(deps.pool, page_request)


async def release(deps: Deps, good_id: str, by: Visitor | str) -> GoodReleased | Problem:
    """Let a good's present prices through, and lift its stops. Problems: not_found."""
    async with deps.pool.acquire() as connection, connection.transaction():
        if not await goods_view_rows.known(connection, good_id):
            return Problem("not_found", "there is no such good")
        released = await goods_walk_rows.release(connection, good_id)
        await audit_rows.record(connection, by, "good.released", f"good:{good_id}", {"held": released})
    return GoodReleased(good_id, released)


def _ops_good(row: GoodRow, candidate: Candidate | None, prices: Prices) -> OpsGood:
    text, custom = text_in(row.texts, None, row.locale), row.custom
    try:
        price = (
            None
            if candidate is None or custom is not None
            else engine.price_of(candidate, prices.rates, prices.rates.base)
        )
    except NoRate:
        price = None
    return OpsGood(
        id=row.good_id,
        supplier=row.supplier,
        sku=row.sku,
        type=row.type,
        name=text.name,
        product_name=text.product_name,
        cost=price_of(row.cost),
        custom=None
        if custom is None
        else GoodCustomPrice(
            currency=custom.currency,
            rate=f"{custom.rate:f}",
            cost_currency=custom.cost_currency,
            markup_percent=f"{custom.markup_percent:f}",
            markup_fixed=f"{custom.markup_fixed:f}",
            least=None if custom.least is None else f"{custom.least:f}",
            most=None if custom.most is None else f"{custom.most:f}",
        ),
        price=price_of(price),
        stock=row.stock,
        max_per_order=row.max_per_order,
        why_not=[WhyNot(reason) for reason in candidate.why_not] if candidate is not None else [WhyNot.NO_FIXED_PRICE],
        suspect=row.suspect,
        changed_at=row.changed_at,
        observed_at=row.observed_at,
    )
