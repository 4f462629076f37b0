"""One catalogue as a serving process sees it now: a snapshot, the overlay on it and the rules of its prices."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import orjson

from gateway.catalog.index import choice, places, render
from gateway.catalog.index.affordable import short
from gateway.catalog.index.build import WHY_NOT
from gateway.catalog.index.featured import MOST_BYTES, Featured
from gateway.catalog.index.filters import filter_of
from gateway.catalog.index.layout import Array
from gateway.catalog.index.nearest import nearest
from gateway.catalog.index.overlay import OverlayState, SupplierNow
from gateway.catalog.index.page import After, Found, Search
from gateway.catalog.index.query import (
    MAX_LIMIT,
    SORTS,
    Choice,
    Gone,
    InStock,
    Missed,
    Need,
    NoMatch,
    PlanPage,
    PlanQuery,
    QueryError,
)
from gateway.catalog.index.row_order import order_of, sort_keys
from gateway.catalog.index.rule_prices import rule_prices_of
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.stock import NONE, Stock
from gateway.catalog.index.views import NULL, PriceView, view_of
from gateway.kit.pages import PageRequest, write_cursor
from gateway.pricing.price_rules import NoRate
from gateway.pricing.pricing_rules import RuleSet
from schemas.money import Money
from schemas.plan import WhyNot

# The sort value in a cursor, and the word for a plan that has none.
_VALUE, _NO_VALUE = re.compile("[0-9]{1,18}"), "x"


class Index:
    """Answers about one mode's catalogue. Immutable; every method is quick and does no I/O.

    Bodies are JSON as in the API, ready to send. ``version`` changes with everything that changes an
    answer (snapshot, stock marks, stops, staleness, pricing rules, rates) and is equal on every process
    that holds the same. ``currency`` None means ``base_currency``; one without a rate raises
    ``QueryError("currency", …)``. From the index ``before`` is taken what stands as it did.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        now: OverlayState,
        rules: RuleSet,
        before: Index | None = None,
        featured_bytes: int = MOST_BYTES,
    ) -> None:
        self.snapshot = snapshot
        self.standing = now
        self.rules = rules
        self.rule_prices = rule_prices_of(snapshot, rules)
        self.mode = snapshot.mode
        self.key = (snapshot.mode, rules.digest)
        self.base_currency = snapshot.rates.base
        self.offer_count = snapshot.rows
        self.plan_count = snapshot.plans
        self.synced_at: datetime | None = now.synced_at
        self.stale: bool = now.stale
        made_of = f"{snapshot.digest}|{now.digest.hex()}|{rules.digest}".encode()
        self.version = hashlib.blake2b(made_of, digest_size=10).hexdigest()
        self._states = {state.name: state for state in now.suppliers}
        self._marks: dict[int, int] = {}
        for supplier, supplier_plan_id, why in now.marks:
            row = snapshot.find_row(supplier, supplier_plan_id)
            if row is not None:
                self._marks[row] = self._marks.get(row, 0) | _bit(WhyNot(why))
        too_dear = short(snapshot, now)
        self._short = None if too_dear is None else too_dear.rows(snapshot)
        self._held = np.array([self._against(name) for name in snapshot.suppliers], dtype=np.uint16)
        states = [self._states.get(name) for name in snapshot.suppliers]
        self.stock: Stock = Stock(snapshot, self._live(), self.version, None if before is None else before.stock)
        self.featured = Featured(self.stock, featured_bytes)
        self._render = render.Renderer(
            snapshot, np.array([status is None or status.stale for status in states], dtype=np.bool_)
        )
        self._note = render.note(self.version, self.synced_at, stale=self.stale)

    def plans(self, query: PlanQuery) -> PlanPage:
        """A page of plans, each with its cheapest offer under the filters. Raises ``QueryError``."""
        if query.sort.removeprefix("-") not in SORTS:
            raise QueryError("sort", f"one of {', '.join(SORTS)}, or with - before it")
        page_request = PageRequest(max(1, min(query.limit, MAX_LIMIT)), query.cursor)
        view = self._view(query.currency)
        after = self._after(page_request, down=query.sort.startswith("-"))
        within = NULL if query.max_price is None else view.whole(query.max_price)
        if within >= view.highest and query.in_stock is InStock.TRUE:
            within = NULL
        gone = None
        if query.updated_since is not None and query.cursor is None:
            gone = [plan_id for plan_id, _ in self.snapshot.gone_since(query.updated_since)]
        found = filter_of(self.snapshot, query)
        if found is None:
            return PlanPage(render.page((), self._note, None, gone), 0)
        search = Search(self.snapshot, view, self.stock, found, query.in_stock, within, self.featured)
        seen = search.first(query.sort, after, page_request.fetch)
        ahead = None
        if len(seen) > page_request.limit:
            seen = seen.take(slice(page_request.limit))
            key = int(sort_keys(view, query.sort, query.min_days, seen.rows[-1:])[0])
            last = self.snapshot.plan_id(int(self.snapshot.plan[seen.rows[-1]]))
            ahead = write_cursor(_NO_VALUE if key == NULL else abs(key), last)
        pieces = self._render.plans(seen, view, query.min_days, networks=query.networks)
        return PlanPage(render.page(pieces, self._note, ahead, gone), len(seen), ahead)

    def plan(self, plan_id: str, currency: str | None = None) -> bytes | Gone | None:
        """One plan's JSON; ``Gone`` when it has left the catalogue, None when it never was in it."""
        view = self._view(currency)
        plan = self.snapshot.find_plan(plan_id)
        if plan is None:
            return self._gone(plan_id)
        rows, counts, _ = self.stock.all
        return b"".join(self._render.plans(Found(rows[plan : plan + 1], counts[plan : plan + 1]), view, None))

    def offers(self, plan_id: str, currency: str | None = None) -> bytes | Gone | None:
        """The JSON list of a plan's offers with their costs (ops only), the selectable ones first."""
        view = self._view(currency)
        plan = self.snapshot.find_plan(plan_id)
        if plan is None:
            return self._gone(plan_id)
        snapshot = self.snapshot
        rows = snapshot.rows_of_plans(np.array([plan])).tolist()
        why = {row: self._why_not(row) for row in rows}
        costs = {row: int(snapshot.cost[row]) for row in rows}
        rows.sort(key=lambda row: (why[row] != 0, costs[row] if costs[row] >= 0 else NULL, row))
        fragments = [self._render.offer(row, view, why[row], observed_at=self._observed_at(row)) for row in rows]
        return b'{"data":[' + b",".join(fragments) + b"]}"

    def countries(self, currency: str | None = None) -> bytes:
        """The JSON list of countries with plans in stock, by code."""
        view, snapshot = self._view(currency), self.snapshot
        plans, lowest = self._counts(view)
        data = [
            {"code": code, "name": name, "plan_count": count, "from_price": self._from(view, minor)}
            for code, name, count, minor in zip(
                snapshot.country_codes, snapshot.country_names, plans.tolist(), lowest.tolist(), strict=False
            )
            if count
        ]
        return orjson.dumps({"data": data})

    def regions(self, currency: str | None = None) -> bytes:
        """The JSON list of regions with plans in stock, by code."""
        view, snapshot = self._view(currency), self.snapshot
        plans, lowest = self._counts(view)
        first = len(snapshot.country_codes)
        listed = zip(snapshot.regions, plans[first:].tolist(), lowest[first:].tolist(), strict=True)
        data = [
            {"code": code, "name": name, "countries": codes, "plan_count": count, "from_price": self._from(view, minor)}
            for (code, name, codes), count, minor in sorted(listed)
            if count
        ]
        return orjson.dumps({"data": data})

    def choose(self, need: Need) -> Choice | NoMatch:
        """The cheapest plan in stock that meets the need, or what was missing. Raises ``QueryError``."""
        view, snapshot = self._view(need.currency), self.snapshot
        if need.plan_id is not None and snapshot.find_plan(need.plan_id) is None:
            gone = need.plan_id in snapshot.gone
            successors = snapshot.successors(need.plan_id) if gone else ()
            return NoMatch("no_plan", f"no plan {need.plan_id}", gone=gone, successors=successors)
        meeting = choice.meeting(snapshot, view, self.stock, need)
        if meeting is None:
            what = "the plan has no offer with these features"
            if need.plan_id is None:
                what = choice.what_is_missing(snapshot, view, self.stock, need)
            return NoMatch("no_plan", what, nearest=self._nearest(need, view))
        if not meeting.in_stock:
            return NoMatch("no_stock", "every plan that would do is out of stock", considered=meeting.considered)
        row, *others = meeting.best.rows.tolist()
        next_best = None
        if others:
            next_best = (snapshot.plan_id(int(snapshot.plan[others[0]])), view.money(others[0]))
        return Choice(
            plan_id=snapshot.plan_id(int(snapshot.plan[row])),
            plan=b"".join(self._render.plans(meeting.best.take(slice(1)), view, need.days)),
            price=view.money(row),
            minimum_margin=self.rule_prices.margin_of(int(view.slots[row])),
            cost_base=Money.of(snapshot.base_text(int(snapshot.cost[row])).split(" ")[0], self.base_currency),
            considered=meeting.considered,
            in_stock=meeting.in_stock,
            next_best=next_best,
            assumed=need.data_mb is not None and int(snapshot.kind_full_mb[snapshot.kind[row]]) < 0,
        )

    def _nearest(self, need: Need, view: PriceView) -> tuple[tuple[bytes, tuple[Missed, ...]], ...]:
        near = nearest(self.snapshot, view, need, self.selectable)
        return tuple((self._in_stock(plan, row, view, need.days), missed) for plan, row, missed in near)

    def _in_stock(self, plan: int, row: int, view: PriceView, days: int | None) -> bytes:
        """A plan's JSON, sold by this row of it."""
        found = Found(np.array([row]), self.stock.all.counts[plan : plan + 1])
        return b"".join(self._render.plans(found, view, days))

    @property
    def has_plan_for_sale(self) -> bool:
        """Whether there is any plan that can be sold now."""
        return bool(self.selectable.any())

    @property
    def selectable(self) -> Array:
        """Of each row whether it can be sold now."""
        return self.stock.live

    @cached_property
    def why_not(self) -> Array:
        """Of each row a bit for each reason that keeps it from sale now, in the order of ``WHY_NOT``."""
        why = self.snapshot.why.astype(np.uint16) | self._held[self.snapshot.supplier]
        if self._short is not None:
            why[self._short] |= _bit(WhyNot.NO_BALANCE)
        for row, bits in self._marks.items():
            why[row] |= bits
        return why

    def stands(self) -> Array:
        """Of each plan the row that is sold for it now, -1 where none is."""
        return np.where(self.stock.all.counts > 0, self.stock.all.rows, NONE)

    def view(self, currency: str | None = None) -> PriceView:
        """The prices of all rows in a currency. Raises ``QueryError``."""
        return self._view(currency)

    def reasons(self, row: int) -> tuple[WhyNot, ...]:
        """What keeps a row from sale now, in the fixed order."""
        why = self._why_not(row)
        return tuple(reason for at, reason in enumerate(WHY_NOT) if why >> at & 1) if why else ()

    def price_of(self, row: int) -> Money | None:
        """What a customer pays for a row, in base currency; None where its cost is not known."""
        return None if self.snapshot.cost[row] < 0 else self._view(None).money(row)

    def price_words(self, row: int) -> str | None:
        """How the price of a row comes about, for operators; None where its cost is not known."""
        return self._view(None).explanation(int(self.rule_prices.slots[row]))

    def supplier_now(self, name: str) -> SupplierNow | None:
        """How a supplier of the snapshot stands now; None when the database does not know it."""
        return self._states.get(name)

    def warm(self) -> None:
        """Work out beforehand what the first questions would have to wait for."""
        view = self._view(None)
        self._counts(view)
        snapshot = self.snapshot
        _ = snapshot.sizes, snapshot.kinds_together, snapshot.features, snapshot.networks, snapshot.name_index
        for in_stock in InStock:
            self.stock.mask(in_stock, standing=True)
        for sort in SORTS:
            order_of(view, sort)
            order_of(view, f"-{sort}")

    def warm_as(self, before: Index) -> None:
        """Work out the prices and orders of lists that another index was asked for."""
        for currency, known in [*before.rule_prices.views.items()]:
            with suppress(QueryError):
                view = self._view(currency)
                for sort, days in [*known.orders]:
                    order_of(view, sort, days)

    # -- what answers are made of

    def _view(self, currency: str | None) -> PriceView:
        """Prices in a currency, made when first asked for; the least used of too many is let go."""
        try:
            return view_of(self.rule_prices, currency or self.base_currency)
        except NoRate as error:
            raise QueryError("currency", error.advice, "no_rate") from None

    def _after(self, page_request: PageRequest, *, down: bool) -> After | None:
        """Behind which sort key and plan a page begins; prices are the customer's, in minor units."""
        if page_request.cursor is None:
            return None
        value, plan_id = page_request.after(str, str)
        if value == _NO_VALUE:
            return After(NULL, self.snapshot.plan_after(plan_id))
        if value is None or _VALUE.fullmatch(value) is None:
            return After(NULL, self.snapshot.plans)
        key = min(int(value), NULL - 1)
        return After(-key if down else key, self.snapshot.plan_after(plan_id))

    def _gone(self, plan_id: str) -> Gone | None:
        at = self.snapshot.gone.get(plan_id)
        return None if at is None else Gone(plan_id, at, self.snapshot.successors(plan_id))

    def _against(self, supplier: str) -> int:
        """What speaks against a supplier's offers as a whole; one that the database does not know is not sold."""
        now = self._states.get(supplier)
        if now is None:
            return _bit(WhyNot.SUPPLIER_PAUSED)
        conditions = (
            (WhyNot.EXPIRED, now.expired),
            (WhyNot.QUARANTINED, now.quarantined),
            (WhyNot.SUPPLIER_PAUSED, now.paused),
            (WhyNot.NO_BALANCE, now.no_balance),
        )
        return sum(_bit(reason) for reason, holds in conditions if holds)

    def _live(self) -> Array:
        """The rows that can be sold: neither a mark, the supplier, the price nor our money there keeps them from it."""
        snapshot = self.snapshot
        live = np.arange(snapshot.rows) < snapshot.sold_end
        if self._held.any():
            live &= ~self._held.astype(np.bool_).take(snapshot.supplier)
        live[list(self._marks)] = False
        for rows in (self.rule_prices.thin, self.rule_prices.unrated, self._short):
            if rows is not None:
                live &= ~rows
        return live

    def _why_not(self, row: int) -> int:
        snapshot = self.snapshot
        why = int(snapshot.why[row]) | int(self._held[snapshot.supplier[row]]) | self._marks.get(row, 0)
        if self._short is not None and self._short[row]:
            why |= _bit(WhyNot.NO_BALANCE)
        if self.rule_prices.thin is not None and self.rule_prices.thin[row]:
            why |= _bit(WhyNot.THIN_MARGIN)
        if self.rule_prices.unrated is not None and self.rule_prices.unrated[row]:
            why |= _bit(WhyNot.NO_RATE)
        return why

    def _observed_at(self, row: int) -> datetime | None:
        now = self._states.get(self.snapshot.suppliers[int(self.snapshot.supplier[row])])
        return None if now is None or now.last_good_at is None else now.last_good_at.astimezone(UTC)

    def _counts(self, view: PriceView) -> tuple[Array, Array]:
        """Plans in stock of each country and region, and their lowest prices."""
        key = ("counts", self.standing.digest, self.rules.digest, view.currency)
        return self.snapshot.memo(key, lambda: places.counts(self.snapshot, view, self.stock))

    def _from(self, view: PriceView, minor: int) -> orjson.Fragment | None:
        return None if minor == places.NO_PRICE else orjson.Fragment(view.price_json(minor))


def _bit(reason: WhyNot) -> int:
    return 1 << WHY_NOT.index(reason)
