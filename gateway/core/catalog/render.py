"""Answers as JSON, put together from pieces that were rendered before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson

from gateway.core.catalog.build import WHY_NOT
from gateway.core.catalog.filters import totals
from gateway.core.catalog.fragments import STAMP_LENGTH
from gateway.core.catalog.layout import Array
from gateway.core.catalog.scan import Found
from gateway.core.catalog.snapshot import Snapshot
from gateway.core.catalog.views import PriceView
from gateway.core.diff import offer_id, offer_key

_TAILS = 4096


class Renderer:
    """Renders plans and offers of one snapshot; ``stale`` is by supplier number."""

    def __init__(self, snapshot: Snapshot, stale: Array) -> None:
        self.snapshot = snapshot
        self.stale = stale
        self._tails: dict[tuple[int, bool], bytes] = {}

    def plans(self, found: Found, view: PriceView, days: int | None) -> list[bytes]:
        """The plans' JSON in pieces, without commas between: eight and a separator for each.

        ``days`` is what daily amounts count for in ``price_per_gb``.
        """
        snapshot = self.snapshot
        rows, plans = found.rows, found.plans
        if not len(rows):
            return []
        columns, blob, base = snapshot.columns, snapshot.file.memory, snapshot.file.blob_at
        kinds = snapshot.kind[rows]
        covers, data, networks = snapshot.cover[rows], columns["data"][rows], columns["network"][rows]
        features = columns["feature"][rows]
        parts: list[bytes] = []
        add = parts.append
        for p0, p1, c0, c1, d0, d1, n0, n1, f0, f1, cost, total, day, count, stale in zip(
            (columns["plan_at"][plans] + base).tolist(),
            (columns["plan_at"][plans + 1] + base).tolist(),
            (columns["cover_at"][covers] + base).tolist(),
            (columns["cover_at"][1:][covers] + base).tolist(),
            (columns["data_at"][data] + base).tolist(),
            (columns["data_at"][1:][data] + base).tolist(),
            (columns["network_at"][networks] + base).tolist(),
            (columns["network_at"][1:][networks] + base).tolist(),
            (columns["feature_at"][features] + base).tolist(),
            (columns["feature_at"][1:][features] + base).tolist(),
            snapshot.cost[rows].tolist(),
            totals(snapshot, days)[kinds].tolist(),
            snapshot.kind_days[kinds].tolist(),
            found.counts.tolist(),
            self.stale[snapshot.supplier[rows]].tolist(),
            strict=True,
        ):
            stamp = p1 - STAMP_LENGTH
            add(blob[p0:stamp])
            add(blob[c0:c1])
            add(blob[d0:d1])
            add(blob[n0:n1])
            add(blob[f0:f1])
            add(view.piece(cost, total, day))
            add(self._tails.get((count, stale)) or self._tail(count, stale=stale))
            add(blob[stamp:p1])
            add(b",")
        parts.pop()
        return parts

    def _tail(self, count: int, *, stale: bool) -> bytes:
        if len(self._tails) >= _TAILS:
            self._tails.clear()
        in_stock, old = b"true" if count else b"false", b"true" if stale else b"false"
        tail = b'"in_stock":%b,"offer_count":%d,"stale":%b,' % (in_stock, count, old)
        self._tails[count, stale] = tail
        return tail

    def offer(self, row: int, view: PriceView, why: int, *, observed_at: datetime | None) -> bytes:
        """One offer's JSON for people who run the shop; ``why`` has a bit for each reason against it."""
        snapshot = self.snapshot
        supplier_plan_id, name = snapshot.offer_text(row)
        listed, cost, stock = int(snapshot.columns["listed"][row]), int(snapshot.cost[row]), int(snapshot.stock[row])
        supplier = int(snapshot.supplier[row])
        reason = next((one.value for at, one in enumerate(WHY_NOT) if why >> at & 1), None)
        shown = {
            "id": offer_id(offer_key(snapshot.suppliers[supplier], supplier_plan_id)),
            "plan_id": snapshot.plan_id(int(snapshot.plan[row])),
            "supplier": snapshot.suppliers[supplier],
            "supplier_plan_id": supplier_plan_id,
            "name": name,
            "cost": None if listed < 0 else _money(snapshot.piece("listed_at", listed).decode()),
            "cost_base": None if cost < 0 else _money(snapshot.base_text(cost)),
            "price": orjson.Fragment(view.priced(cost)),
            "stock": None if stock < 0 else stock,
            "in_stock": reason != "out_of_stock",
            "stale": bool(self.stale[supplier]),
            "observed_at": observed_at,
            "selectable": why == 0,
            "why_not": reason,
        }
        return orjson.dumps(shown, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)


def page(plans: Sequence[bytes], note: bytes, cursor: str | None, gone: Sequence[str] | None) -> bytes:
    """The whole answer of a list of plans; ``note`` is the catalogue's."""
    end = b"null" if cursor is None else b'"' + cursor.encode() + b'"'
    left = b"" if gone is None else b',"gone":' + orjson.dumps(gone)
    more = b"false" if cursor is None else b"true"
    head = b'],"has_more":%b,"next_cursor":%b,"catalog":%b%b}' % (more, end, note, left)
    return b"".join((b'{"data":[', *plans, head))


def note(version: str, synced_at: datetime | None, *, stale: bool) -> bytes:
    """Which catalogue answers, as JSON."""
    shown = {"version": version, "synced_at": synced_at, "stale": stale}
    return orjson.dumps(shown, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)


def _money(text: str) -> dict[str, str]:
    amount, currency = text.split(" ")
    return {"amount": amount, "currency": currency}
