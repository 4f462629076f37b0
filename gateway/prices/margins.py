"""Margins: of each offer cost, exchange rate, price, fees and what is left; one function for API, console, terminal."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from gateway.catalog.diff_rules import offer_id, offer_key
from gateway.catalog.index import Index
from gateway.catalog.index.margins import Fees, MarginQuery, Ranked, behind, ranked
from gateway.kit.pages import price_of
from gateway.kit.settings import Settings
from gateway.kit.sheet import Sheet
from schemas.api import Price
from schemas.api_pricing import Margin, MarginPage, MarginSummary
from schemas.money import Money

_SEPARATOR = "\x1f"
_NAME = 300


def fees_of(settings: Settings) -> Fees:
    """The fees that the settings state."""
    return Fees(settings.pricing.fee_percent, settings.pricing.fee_fixed)


def page(index: Index, fees: Fees, asked: MarginQuery, limit: int, cursor: str | None = None) -> MarginPage:
    """A page of offers by what is left of their prices, the negative and thin ones first. Any cursor will do."""
    found = ranked(index, fees, asked)
    start = 0 if cursor is None else _start(index, found, cursor)
    rows = found.rows[start : start + limit].tolist()
    more = len(found.rows) > start + limit
    ahead = _write(index, found, start + limit - 1) if more else None
    return MarginPage(
        data=[_margin(index, fees, row) for row in rows],
        has_more=more,
        next_cursor=ahead,
        summary=_summary(index, found),
        fee_percent=f"{fees.percent.normalize():f}",
        fee_fixed=_price(Money(fees.fixed, index.base_currency)),
    )


def sheet(index: Index, fees: Fees, asked: MarginQuery, most: int = 100_000) -> Sheet:
    """The same as a table of plain values, of so many offers at most."""
    found = ranked(index, fees, asked)
    columns = ["offer", "plan", "name", "supplier", "supplier's id", "cost", "cost currency", "rate", "cost base"]
    columns += ["price", "fees", "margin", "margin percent", "currency", "rule", "for sale", "why not"]
    return Sheet(columns, list(_lines(index, fees, found.rows[:most].tolist())))


def _lines(index: Index, fees: Fees, rows: list[int]) -> Iterator[list[str | int | Decimal | None]]:
    for row in rows:
        one = _margin(index, fees, row)
        yield [
            *(one.offer_id, one.plan_id, one.name, one.supplier, one.supplier_plan_id),
            *(Decimal(one.cost.amount), one.cost.currency, Decimal(one.rate), Decimal(one.cost_base.amount)),
            *(Decimal(one.price.amount), Decimal(one.fees.amount), Decimal(one.margin.amount)),
            *(Decimal(str(one.margin_percent)), one.price.currency, one.price_rule),
            *("yes" if one.selectable else "no", one.why_not),
        ]


def _margin(index: Index, fees: Fees, row: int) -> Margin:
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
    return Margin(
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
    thin = index.ruled.thin
    return MarginSummary(
        offers=len(found.rows),
        negative=int((found.margins < 0).sum()),
        thin=0 if thin is None else int(thin.take(found.rows).sum()),
        median_percent=round(float(np.median(shares)) * 100, 2) if len(shares) else None,
    )


def _write(index: Index, found: Ranked, at: int) -> str:
    row = int(found.rows[at])
    supplier, key = index.snapshot.suppliers[int(index.snapshot.supplier[row])], index.snapshot.offer_text(row)[0]
    place = (str(int(found.first[at])), repr(float(found.margins[at])), supplier, key)
    return _SEPARATOR.join(place).encode().hex()


def _start(index: Index, found: Ranked, cursor: str) -> int:
    try:
        first, margin, supplier, key = bytes.fromhex(cursor).decode("utf-8", "replace").split(_SEPARATOR)
        return behind(found, int(first), float(margin), index.snapshot.find_row(supplier, key))
    except ValueError:
        return 0


def _price(money: Money) -> Price:
    shown = price_of(money)
    if shown is None:
        raise LookupError("money is shown")
    return shown


def _percent(part: Decimal, whole: Decimal) -> float:
    return float((part * 100 / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)) if whole else 0.0
