"""What suppliers ask, side by side: one set of figures for the API, the console and the command line.

Everything comes from the index in memory; only an offer's id is looked up in the database.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np

from gateway.catalog.diff_rules import offer_id, offer_key
from gateway.catalog.index import Index, matrix
from gateway.catalog.index.amounts import per_gb, totals
from gateway.catalog.index.layout import Array
from gateway.catalog.index.matrix import Bucket, Per
from gateway.catalog.index.tables import SCOPES
from gateway.catalog.offer_key_rows import offer_keys
from gateway.kit.pages import PageRequest
from gateway.kit.pool import Pool
from schemas.api import CatalogNote, PlanData, PlanFeatures, PlanNetwork, PlanValidity, Price
from schemas.api_prices import ComparedOffer, Comparison, PriceColumn, PricedOffer, PriceLead, PriceMatrix, PriceRow
from schemas.money import currency_digits
from schemas.page import Page
from schemas.plan import NOMINAL_MB_PER_GB, Scope, shown_mb

MOST_COUNTRIES = 50
FEWEST_COMPARED, MOST_COMPARED = 2, 10


class Ask(msgspec.Struct, frozen=True):
    """Which part of the matrix: the countries asked for (else all), of a region when one is given."""

    bucket: Bucket = Bucket()
    per: Per = "plan"
    countries: tuple[str, ...] = ()
    region: str | None = None
    page: PageRequest = PageRequest(MOST_COUNTRIES)


def prices(index: Index, ask: Ask) -> PriceMatrix:
    """Some rows of the matrix, at most ``MOST_COUNTRIES``, by the countries' names."""
    snapshot = index.snapshot
    rows = matrix.places(snapshot, ask.region, ask.countries, triggers=ask.bucket.triggers)
    (last,) = ask.page.after(str)
    if last != "":
        passed = None if last is None else matrix.sort_key(last, matrix.name_of(snapshot, last))
        rows = [] if passed is None else [country for country in rows if matrix.sort_key(*country) > passed]
    page = ask.page.page(rows, lambda row: (row[0],))
    cells = matrix.cells(snapshot, index.selectable, ask.bucket, [code for code, _ in page.data])
    presenter = _OfferPresenter(index, ask.bucket.days)
    page_rows = [
        _row(presenter, ask, code, name, [row for row in found if row != matrix.NONE])
        for (code, name), found in zip(page.data, cells.tolist(), strict=True)
    ]
    return PriceMatrix(
        **msgspec.structs.asdict(page.of(page_rows)),
        per=ask.per,
        suppliers=[_column(index, name) for name in snapshot.suppliers],
        catalog=CatalogNote(index.version, index.synced_at, index.stale),
    )


def offers(
    index: Index, bucket: Bucket, country: str, supplier: str | None, page_request: PageRequest
) -> Page[PricedOffer]:
    """The offers that compete in a country, or in one cell of it: first those that can be sold, cheapest first."""
    rows = matrix.competing(index.snapshot, index.selectable, bucket, country, supplier)
    presenter = _OfferPresenter(index, bucket.days)
    start = 0 if page_request.cursor is None else presenter.rank_of(rows, page_request.after(str, str, str))
    return page_request.page(rows[start : start + page_request.fetch].tolist(), presenter.position).map(presenter.offer)


def plan_offers(index: Index, plan_id: str) -> list[PricedOffer]:
    """The offers of a plan: first those that can be sold, cheapest first. Empty when the catalogue has no such plan."""
    plan = index.snapshot.find_plan(plan_id)
    if plan is None:
        return []
    presenter = _OfferPresenter(index, None)
    rows = index.snapshot.rows_of_plans(np.array([plan])).tolist()
    return [presenter.offer(row) for row in sorted(rows, key=presenter.order)]


def priced_offer(index: Index, row: int) -> PricedOffer:
    """One offer of the index."""
    return _OfferPresenter(index, None).offer(row)


async def compare(pool: Pool, index: Index, ids: Sequence[str], days: int | None = None) -> Comparison:
    """Offers by id, in the order given, each once. Those that this mode's catalogue does not hold are ``missing``."""
    wanted = list(dict.fromkeys(ids))
    keys = await offer_keys(pool, wanted)
    rows = {each: index.snapshot.find_row(*keys[each]) for each in wanted if each in keys}
    presenter = _OfferPresenter(index, days)
    found = [presenter.compared(row) for row in (rows.get(each) for each in wanted) if row is not None]
    return Comparison(found, [each for each in wanted if rows.get(each) is None])


class _OfferPresenter:
    """Rows of one index in words and figures; what repeats is worked out once."""

    def __init__(self, index: Index, days: int | None) -> None:
        self.index = index
        self.snapshot = index.snapshot
        self.currency = index.base_currency
        self.digits = currency_digits(self.currency)
        self.totals = totals(self.snapshot, days).tolist()
        self.full = per_gb(self.snapshot, days).tolist()
        self.days = self.snapshot.kind_days.tolist()
        self.scopes = [Scope(SCOPES[at]) for at in self.snapshot.columns["kind_scope"].tolist()]
        states = [index.supplier_now(name) for name in self.snapshot.suppliers]
        self.stale = [state is None or state.stale for state in states]
        self._declared: dict[int, str] = {}
        self._offers: dict[int, PricedOffer] = {}

    def offer(self, row: int) -> PricedOffer:
        """One offer with its figures. A regional one stands in many cells."""
        known = self._offers.get(row)
        if known is None:
            known = self._offers[row] = PricedOffer(**self._figures(row))
        return known

    def compared(self, row: int) -> ComparedOffer:
        """One offer with everything that tells it from another."""
        snapshot = self.snapshot
        parts = [
            snapshot.piece("plan_at", int(snapshot.plan[row])).removesuffix(b"}") + b",",
            snapshot.piece("cover_at", int(snapshot.cover[row])),
            snapshot.piece("data_at", int(snapshot.columns["data"][row])),
            snapshot.piece("network_at", int(snapshot.columns["network"][row])),
            snapshot.piece("feature_at", int(snapshot.columns["feature"][row])),
        ]
        plan = msgspec.json.decode(b"".join(parts).removesuffix(b",") + b"}", type=_PlanJson)
        now = self.index.supplier_now(snapshot.suppliers[int(snapshot.supplier[row])])
        return ComparedOffer(
            **self._figures(row),
            supplier_plan_id=snapshot.offer_text(row)[0],
            plan_name=plan.name,
            countries=plan.countries,
            data=plan.data,
            validity=plan.validity,
            networks=plan.networks,
            features=plan.features,
            priced_by=self.index.price_words(row),
            observed_at=None if now is None else now.last_good_at,
        )

    def _figures(self, row: int) -> dict[str, Any]:
        snapshot = self.snapshot
        supplier, kind = int(snapshot.supplier[row]), int(snapshot.kind[row])
        key, name = snapshot.offer_text(row)
        total, full, days, stock = self.totals[kind], self.full[kind], self.days[kind], int(snapshot.stock[row])
        listed, cost = int(snapshot.columns["listed"][row]), int(snapshot.cost[row])
        reasons = self.index.reasons(row)
        whole, below = (snapshot.whole_costs[cost], 10**snapshot.scale) if cost >= 0 else (None, 1)
        price = self.index.price_of(row)
        return {
            "offer_id": offer_id(offer_key(snapshot.suppliers[supplier], key)),
            "supplier": snapshot.suppliers[supplier],
            "plan_id": snapshot.plan_id(int(snapshot.plan[row])),
            "name": name,
            "declared": self._declared_of(int(snapshot.columns["data"][row])),
            "total_mb": None if total < 0 else shown_mb(total),
            "days": days,
            "scope": self.scopes[kind],
            "cost": None if listed < 0 else Price(*snapshot.piece("listed_at", listed).decode().split(" ")),
            "cost_base": None if whole is None else Price(_text(whole, snapshot.scale, self.digits), self.currency),
            "per_gb": None if whole is None or full <= 0 else self._rounded(whole * NOMINAL_MB_PER_GB, full * below),
            "per_day": None if whole is None else self._rounded(whole, days * below),
            "price": None if price is None else Price(f"{price.amount:f}", price.currency),
            "stock": None if stock < 0 else stock,
            "stale": self.stale[supplier],
            "selectable": not reasons,
            "why_not": reasons[0] if reasons else None,
        }

    def difference(self, by: Fraction) -> Price:
        """A difference of figures: with every digit that the plan's cost has, else half up."""
        exact = by * 10**self.snapshot.scale
        if exact.denominator == 1:
            return Price(_text(int(exact), self.snapshot.scale, self.digits), self.currency)
        return self._rounded(by.numerator, by.denominator)

    # -- places in a list of offers

    def position(self, row: int) -> tuple[str, str, str]:
        """Where an offer stands in a list: held back or not, what it costs, which it is."""
        key = self._standing(row)
        supplier_plan_id, _ = self.snapshot.offer_text(row)
        supplier = self.snapshot.suppliers[int(self.snapshot.supplier[row])]
        cost = "" if key[1] is None else str(key[1])
        return str(int(key[0])), cost, offer_id(offer_key(supplier, supplier_plan_id))

    def order(self, row: int) -> tuple[bool, bool, Fraction]:
        """By what offers are sorted in a list."""
        return _order(self._standing(row))

    def rank_of(self, rows: Array, position: Sequence[str | None]) -> int:
        """How many of the rows a position has passed. One that has left is taken for the first of its cost."""
        blocked, cost, offer_id = position
        if blocked is None or cost is None:
            return len(rows)
        passed = blocked == "1", _cost(cost)
        listed = rows.tolist()
        at = bisect_left(listed, _order(passed), key=self.order)
        for ahead in range(at, len(listed)):
            if self._standing(listed[ahead]) != passed:
                break
            if self.position(listed[ahead])[2] == offer_id:
                return ahead + 1
        return at

    def _standing(self, row: int) -> tuple[bool, Fraction | None]:
        cost = matrix.figure(self.snapshot, row, "plan", None)
        return not self.index.selectable[row], None if cost is None else Fraction(*cost)

    def _declared_of(self, data: int) -> str:
        known = self._declared.get(data)
        if known is None:
            piece = self.snapshot.piece("data_at", data)
            amount = msgspec.json.decode(b"{" + piece.removesuffix(b",") + b"}", type=_Amount)
            known = self._declared[data] = amount.data.declared
        return known

    def _rounded(self, above: int, below: int) -> Price:
        minor = (2 * above * 10**self.digits + below) // (2 * below)
        return Price(_text(minor, self.digits, self.digits), self.currency)


class _Amount(msgspec.Struct):
    data: PlanData


class _PlanJson(msgspec.Struct):
    name: str
    countries: list[str]
    data: PlanData
    validity: PlanValidity
    networks: list[PlanNetwork]
    features: PlanFeatures


def _row(presenter: _OfferPresenter, ask: Ask, code: str, name: str, rows: list[int]) -> PriceRow:
    offers = {row: presenter.offer(row) for row in rows}
    first = matrix.lead([(row, matrix.figure(presenter.snapshot, row, ask.per, ask.bucket.days)) for row in rows])
    cheapest = None
    if first is not None:
        by = None if first.by is None else presenter.difference(first.by)
        percent = None if first.share is None else float(round(first.share * 100, 1))
        cheapest = PriceLead(offers[first.row].supplier, offers[first.row].offer_id, by, percent)
    return PriceRow(code, name, list(offers.values()), cheapest)


def _column(index: Index, name: str) -> PriceColumn:
    now = index.supplier_now(name)
    return PriceColumn(name, now is None or now.stale, None if now is None else now.last_good_at)


def _text(whole: int, scale: int, digits: int) -> str:
    """A number of 10**-scale with at least so many digits and no needless zeros, as ``Money.padded`` writes it."""
    text = str(whole).rjust(scale + 1, "0")
    above, below = (text[:-scale], text[-scale:]) if scale else (text, "")
    below = below.rstrip("0").ljust(digits, "0")
    return f"{above}.{below}" if below else above


def _order(position: tuple[bool, Fraction | None]) -> tuple[bool, bool, Fraction]:
    blocked, cost = position
    return blocked, cost is None, cost or Fraction(0)


def _cost(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
