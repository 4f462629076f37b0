"""Answers as JSON, put together from pieces that were rendered before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import repeat

import numpy as np
import orjson

from gateway.catalog.diff_rules import offer_id, offer_key
from gateway.catalog.index.amounts import per_gb
from gateway.catalog.index.build import WHY_NOT
from gateway.catalog.index.fragments import STAMP_LENGTH
from gateway.catalog.index.layout import Array
from gateway.catalog.index.page import Found
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.views import PlanState, PriceView


class Renderer:
    """Renders plans and offers of one snapshot; ``stale`` is by supplier number."""

    def __init__(self, snapshot: Snapshot, stale: Array) -> None:
        self.snapshot = snapshot
        self.stale = stale

    def plans(self, found: Found, view: PriceView, days: int | None, *, networks: bool = True) -> list[bytes]:
        """The JSON of each plan. ``days`` is what daily amounts count for in ``price_per_gb``."""
        stale = self.stale.take(self.snapshot.supplier.take(found.rows)).tolist()
        full = per_gb(self.snapshot, days).take(self.snapshot.kind.take(found.rows)).tolist()
        states = zip(found.rows.tolist(), found.counts.tolist(), stale, full, repeat(networks))
        return view.ready([*states], partial(self._render, view))

    def _render(self, view: PriceView, plans: list[PlanState]) -> Iterator[bytes]:
        snapshot, blob = self.snapshot, self.snapshot.file.memory
        rows = np.array([row for row, *_ in plans])
        for (_, count, stale, full_mb, networks), piece, where, amount, network, feature, slot, days in zip(
            plans,
            self._spans("plan_at", snapshot.plan[rows]),
            self._spans("cover_at", snapshot.cover[rows]),
            self._spans("data_at", snapshot.columns["data"][rows]),
            self._spans("network_at", snapshot.columns["network"][rows]),
            self._spans("feature_at", snapshot.columns["feature"][rows]),
            view.slots[rows].tolist(),
            snapshot.kind_days[snapshot.kind[rows]].tolist(),
            strict=True,
        ):
            stamp = piece[1] - STAMP_LENGTH
            yield b"".join(
                (
                    blob[piece[0] : stamp],
                    blob[slice(*where)],
                    blob[slice(*amount)],
                    blob[slice(*network)] if networks else b"",
                    blob[slice(*feature)],
                    view.piece(slot, full_mb, days),
                    b'"in_stock":%b,"offer_count":%d,' % (b"true" if count else b"false", count),
                    b'"stale":true,' if stale else b'"stale":false,',
                    blob[stamp : piece[1]],
                )
            )

    def _spans(self, table: str, numbers: Array) -> list[list[int]]:
        """From where to where each of these pieces lies in the file."""
        starts = self.snapshot.columns[table]
        both = np.stack((starts[numbers], starts[1:][numbers]), axis=1) + self.snapshot.file.blob_at
        spans: list[list[int]] = both.tolist()
        return spans

    def offer(self, row: int, view: PriceView, why: int, *, observed_at: datetime | None) -> bytes:
        """One offer's JSON for operators; ``why`` has a bit for each reason against it."""
        snapshot = self.snapshot
        supplier_plan_id, name = snapshot.offer_text(row)
        listed, cost, stock = int(snapshot.columns["listed"][row]), int(snapshot.cost[row]), int(snapshot.stock[row])
        supplier, slot = int(snapshot.supplier[row]), int(view.slots[row])
        reason = next((why_not.value for at, why_not in enumerate(WHY_NOT) if why >> at & 1), None)
        fields = {
            "id": offer_id(offer_key(snapshot.suppliers[supplier], supplier_plan_id)),
            "plan_id": snapshot.plan_id(int(snapshot.plan[row])),
            "supplier": snapshot.suppliers[supplier],
            "supplier_plan_id": supplier_plan_id,
            "name": name,
            "cost": None if listed < 0 else _money(snapshot.piece("listed_at", listed).decode()),
            "cost_base": None if cost < 0 else _money(snapshot.base_text(cost)),
            "price": orjson.Fragment(view.priced(slot)),
            "price_rule": view.explanation(slot),
            "stock": None if stock < 0 else stock,
            "in_stock": reason != "out_of_stock",
            "stale": bool(self.stale[supplier]),
            "observed_at": observed_at,
            "selectable": why == 0,
            "why_not": reason,
        }
        return orjson.dumps(fields, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)


def page(plans: Sequence[bytes], note: bytes, cursor: str | None, gone: Sequence[str] | None) -> bytes:
    """The whole answer of a list of plans; ``note`` is the catalogue's."""
    end = b"null" if cursor is None else b'"' + cursor.encode() + b'"'
    left = b"" if gone is None else b',"gone":' + orjson.dumps(gone)
    more = b"false" if cursor is None else b"true"
    first, *others = plans or (b"",)
    head = b'],"has_more":%b,"next_cursor":%b,"catalog":%b%b}' % (more, end, note, left)
    parts = [b'{"data":[' + first, *others]
    parts[-1] += head
    return b",".join(parts)  # the only copy of what is long


def note(version: str, synced_at: datetime | None, *, stale: bool) -> bytes:
    """Which catalogue answers, as JSON."""
    fields = {"version": version, "synced_at": synced_at, "stale": stale}
    return orjson.dumps(fields, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)


def _money(text: str) -> dict[str, str]:
    amount, currency = text.split(" ")
    return {"amount": amount, "currency": currency}
