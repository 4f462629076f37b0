"""Margins: of each offer cost, exchange rate, price, fees and what is left; one function for API, console, terminal."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec
import numpy as np

from gateway.catalog.diff_rules import offer_id, offer_key
from gateway.catalog.index import Index
from gateway.catalog.index.margins import Fees, MarginQuery, Ranked, rank_of, ranked, sorted_by
from gateway.kit.pages import PageRequest, Sort, SortKey, SortOrders, price_of
from gateway.kit.settings import Settings
from gateway.kit.sheet import Sheet, columns, sheet_of
from schemas.api import Price
from schemas.api_pricing import MarginPage, MarginSummary, OfferMargin
from schemas.money import Money

_NAME = 300
_MOST_LINES = 100_000
_PLACE = (SortKey("value", str), SortKey("supplier", str), SortKey("key", str))
# The offers are in memory: no index is needed.
SORTS = SortOrders(**{name: (SortKey("first", int), *_PLACE) for name in ("worst", "price", "margin", "percent")})


def fees_of(settings: Settings) -> Fees:
    """The fees that the settings state."""
    return Fees(settings.pricing.fee_percent, settings.pricing.fee_fixed)


def page(index: Index, fees: Fees, wanted: MarginQuery, page_request: PageRequest) -> MarginPage:
    """A page of offers by what is left of their prices, the negative and thin ones first, or as it is sorted."""
    found = _sorted(ranked(index, fees, wanted), page_request.sort)
    start, key = _start(index, found, SORTS.position(page_request)), SORTS.key(page_request)
    places = range(start, min(start + page_request.fetch, len(found.rows)))
    page = page_request.page(places, lambda place: key(_position(index, found, place)))
    return MarginPage(
        **msgspec.structs.asdict(page.map(lambda place: _margin(index, fees, int(found.rows[place])))),
        summary=_summary(index, found),
        fee_percent=f"{fees.percent.normalize():f}",
        fee_fixed=_price(Money(fees.fixed, index.base_currency)),
    )


MARGINS = columns(
    "offer=offer_id:csv, plan=plan_id:csv, name, supplier, supplier's id=supplier_plan_id:csv, cost:money:csv",
    "rate:number:csv, cost base=cost_base:amount, price:amount, fees:amount, margin:amount",
    "margin percent=margin_percent, currency=price.currency:csv, rule=price_rule, for sale=selectable:csv",
    "why not=why_not",
)


def sheet(index: Index, fees: Fees, query: MarginQuery, sort: Sort | None = None) -> Sheet:
    """The same as a table of plain values."""
    found = _sorted(ranked(index, fees, query), sort)
    return sheet_of(MARGINS, (_margin(index, fees, row) for row in found.rows[:_MOST_LINES].tolist()))


def _margin(index: Index, fees: Fees, row: int) -> OfferMargin:
    snapshot = index.snapshot
    key, _ = snapshot.offer_text(row)
    supplier = snapshot.suppliers[int(snapshot.supplier[row])]
    listed = Money.of(*snapshot.piece("listed_at", int(snapshot.columns["listed"][row])).decode().split(" "))
    base = Money.of(*snapshot.base_text(int(snapshot.cost[row])).split(" "))
    sold = index.price_of(row)
    if sold is None:
        raise LookupError("only offers with a price have a margin")
    charged = fees.of(sold)
    left = sold - charged - base
    reasons = index.reasons(row)
    return OfferMargin(
        offer_id=offer_id(offer_key(supplier, key)),
        plan_id=snapshot.plan_id(int(snapshot.plan[row])),
        name=snapshot.plan_name(int(snapshot.plan[row]))[:_NAME],
        supplier=supplier,
        supplier_plan_id=key,
        cost=_price(listed),
        rate=f"{snapshot.rates.of(listed.currency).normalize():f}",
        cost_base=_price(base),
        price=_price(sold),
        price_rule=index.price_words(row) or "",
        fees=_price(charged),
        margin=_price(left),
        margin_percent=_percent(left.amount, sold.amount),
        negative=left.amount < 0,
        selectable=not reasons,
        why_not=reasons[0].value if reasons else None,
    )


def _summary(index: Index, found: Ranked) -> MarginSummary:
    shares = found.margins / np.maximum(found.prices, 1e-9)
    thin = index.rule_prices.thin
    return MarginSummary(
        offers=len(found.rows),
        negative=int((found.margins < 0).sum()),
        thin=0 if thin is None else int(thin.take(found.rows).sum()),
        median_percent=round(float(np.median(shares)) * 100, 2) if len(shares) else None,
    )


def _sorted(found: Ranked, sort: Sort | None) -> Ranked:
    if sort is None or sort.column == "worst":
        return found
    return sorted_by(found, sort.column, descending=sort.descending)  # type: ignore[arg-type]


def _position(index: Index, found: Ranked, place: int) -> dict[str, str | int]:
    row = int(found.rows[place])
    supplier, key = index.snapshot.suppliers[int(index.snapshot.supplier[row])], index.snapshot.offer_text(row)[0]
    return {
        "first": int(found.first[place]),
        "value": repr(float(found.value[place])),
        "supplier": supplier,
        "key": key,
    }


def _start(index: Index, found: Ranked, position: tuple[Any, ...] | None) -> int:
    """The place behind a position; the end for one that cannot be."""
    if position is None:
        return len(found.rows)
    if not position:
        return 0
    first, value, supplier, key = position
    try:
        return rank_of(found, first, float(value), index.snapshot.find_row(supplier, key))
    except ValueError:
        return len(found.rows)


def _price(money: Money) -> Price:
    price = price_of(money)
    if price is None:
        raise LookupError("money is shown")
    return price


def _percent(part: Decimal, whole: Decimal) -> float:
    return float((part * 100 / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)) if whole else 0.0
