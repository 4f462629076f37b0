"""Writing what a whole walk through a supplier's goods brought: rows, categories, changes, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.items.goods_rows import plain
from gateway.items.goods_rules import Texts
from gateway.kit.pool import Connection, Pool
from schemas.good import Good, GoodCategory
from schemas.money import Money
from schemas.plan import SetAside

MOST_CHANGES = 5_000
WRITE_SECONDS = 120.0
_LONGEST_NAME = 60  # by which a list goes on: its cursor has to fit into an address


class Stored(msgspec.Struct, frozen=True):
    """A good as a walk compares it. ``gone`` says that the last whole walk did not meet it."""

    digest: bytes
    good_id: str
    measure: Money
    good_measure: Decimal | None
    released: Decimal | None
    suspect: str | None
    gone: bool


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A good that is to be written: the first of its languages, all of its texts, and how its price is judged."""

    good: Good
    good_id: str
    texts: Mapping[str, Texts]
    measure: Money
    good_measure: Decimal | None
    suspect: str | None
    digest: bytes


class Change(msgspec.Struct, frozen=True):
    """One line of what changed."""

    sku: str
    good_id: str
    kind: str
    old: Decimal | None
    new: Decimal | None
    currency: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a walk ended. ``state``: ok, failed or quarantined."""

    run_id: str
    at: datetime
    state: str
    error: str | None = None
    total: int = 0
    mapped: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0


async def stored(connection: Connection | Pool, supplier: str) -> dict[str, Stored]:
    """All goods of an account that a walk ever met, by SKU."""
    rows = await connection.fetch(
        "SELECT sku, digest, good_id, measure, measure_currency, good_measure, released, suspect,"
        " gone_at IS NOT NULL AS gone FROM goods WHERE supplier = $1",
        supplier,
    )
    return {
        row["sku"]: Stored(
            row["digest"],
            row["good_id"],
            Money(row["measure"], row["measure_currency"]),
            row["good_measure"],
            row["released"],
            row["suspect"],
            row["gone"],
        )
        for row in rows
    }


async def put(connection: Connection, supplier: str, goods: Sequence[Written], at: datetime) -> None:
    """Write these goods over what stands."""
    await connection.executemany(
        """
        INSERT INTO goods AS g (supplier, sku, good_id, product_id, type, denomination, cost, currency, custom,
            face_value, face_currency, stock, max_per_order, category_id, image, countries, attributes, fields, texts,
            locale, sort_name, measure, measure_currency, good_measure, suspect, digest, first_seen_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26, $27, $27)
        ON CONFLICT (supplier, sku) DO UPDATE SET
            product_id = excluded.product_id, type = excluded.type, denomination = excluded.denomination,
            cost = excluded.cost, currency = excluded.currency, custom = excluded.custom,
            face_value = excluded.face_value, face_currency = excluded.face_currency, stock = excluded.stock,
            max_per_order = excluded.max_per_order, category_id = excluded.category_id, image = excluded.image,
            countries = excluded.countries, attributes = excluded.attributes, fields = excluded.fields,
            texts = excluded.texts, locale = excluded.locale, sort_name = excluded.sort_name,
            released = CASE WHEN g.measure_currency = excluded.measure_currency THEN g.released END,
            measure = excluded.measure, measure_currency = excluded.measure_currency,
            good_measure = excluded.good_measure, suspect = excluded.suspect, digest = excluded.digest,
            changed_at = excluded.changed_at, gone_at = NULL
        """,
        [_row(supplier, good, at) for good in goods],
        timeout=WRITE_SECONDS,
    )


async def retire(connection: Connection, supplier: str, skus: Sequence[str], at: datetime) -> None:
    """Mark goods that the whole walk did not meet."""
    await connection.execute(
        "UPDATE goods SET gone_at = $3, changed_at = $3 WHERE supplier = $1 AND sku = ANY($2)", supplier, list(skus), at
    )


async def note(connection: Connection, supplier: str, run_id: str, changes: Sequence[Change], at: datetime) -> None:
    """Record what changed, so many lines at most."""
    await connection.executemany(
        "INSERT INTO goods_changes (at, supplier, sku, good_id, kind, old, new, currency, run_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [
            (at, supplier, change.sku, change.good_id, change.kind, change.old, change.new, change.currency, run_id)
            for change in changes[:MOST_CHANGES]
        ],
    )


async def put_aside(connection: Connection, supplier: str, aside: Sequence[SetAside]) -> None:
    """Make these the account's goods that no rule understood."""
    await connection.execute("DELETE FROM goods_aside WHERE supplier = $1", supplier)
    rows = {
        item.supplier_plan_id: (supplier, item.supplier_plan_id, item.name, item.reason, item.detail, item.raw.decode())
        for item in aside
    }
    await connection.executemany(
        "INSERT INTO goods_aside (supplier, sku, name, reason, detail, raw) VALUES ($1, $2, $3, $4, $5, $6)",
        list(rows.values()),
    )


async def put_categories(
    connection: Connection, supplier: str, by_locale: Mapping[str, Sequence[GoodCategory]], own: str
) -> None:
    """Make these the account's categories; those that its own language names, in its order."""
    await connection.execute("DELETE FROM goods_categories WHERE supplier = $1", supplier)
    texts: dict[str, dict[str, Any]] = {}
    for locale in (own, *(name for name in by_locale if name != own)):
        for category in by_locale[locale]:
            if locale == own or category.id in texts:
                texts.setdefault(category.id, {})[locale] = plain(category)
    parents = {category.id: category.parent_id for category in by_locale[own]}
    await connection.executemany(
        "INSERT INTO goods_categories (supplier, id, n, parent_id, texts) VALUES ($1, $2, $3, $4, $5)",
        [(supplier, id_, n, parents[id_], text) for n, (id_, text) in enumerate(texts.items())],
    )


async def end(connection: Connection | Pool, supplier: str, outcome: Outcome) -> None:
    """Write how a walk ended; the time of the last good one stays with a bad one."""
    await connection.execute(
        """
        INSERT INTO goods_walks AS w (supplier, run_id, at, good_at, state, error, total, mapped, new, changed, gone)
        VALUES ($1, $2, $3, CASE WHEN $4 = 'ok' THEN $3::timestamptz END, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (supplier) DO UPDATE SET
            run_id = excluded.run_id, at = excluded.at, good_at = coalesce(excluded.good_at, w.good_at),
            state = excluded.state, error = excluded.error, total = excluded.total, mapped = excluded.mapped,
            new = excluded.new, changed = excluded.changed, gone = excluded.gone
        """,
        supplier,
        outcome.run_id,
        outcome.at,
        outcome.state,
        outcome.error,
        outcome.total,
        outcome.mapped,
        outcome.new,
        outcome.changed,
        outcome.gone,
    )


async def lift_confirmed_stops(connection: Connection, supplier: str, tolerance: Decimal) -> None:
    """Sell again what was stopped for a charge above its listed cost, where the walk now lists as much."""
    await connection.execute(
        """
        DELETE FROM offer_marks m USING goods g
        WHERE m.supplier = $1 AND m.why = 'stopped' AND m.charged IS NOT NULL AND g.supplier = m.supplier
          AND g.sku = m.supplier_plan_id AND g.gone_at IS NULL AND g.cost * (1 + $2::numeric) >= m.charged
        """,
        supplier,
        tolerance,
    )


async def release(connection: Connection, good_id: str) -> int:
    """Let the present prices of a good through at every account, and lift its stops; how many rows were held."""
    rows = await connection.fetch(
        "UPDATE goods SET suspect = NULL, good_measure = measure, released = measure, changed_at = now()"
        " WHERE good_id = $1 AND gone_at IS NULL AND suspect IS NOT NULL RETURNING supplier",
        good_id,
    )
    stopped = await connection.fetch(
        "DELETE FROM offer_marks m USING goods g WHERE g.good_id = $1 AND m.supplier = g.supplier"
        " AND m.supplier_plan_id = g.sku AND m.why = 'stopped' RETURNING m.supplier",
        good_id,
    )
    return len(rows) + len(stopped)


def _row(supplier: str, written: Written, at: datetime) -> tuple[Any, ...]:
    good = written.good
    own = written.texts[good.locale or ""]
    return (
        supplier,
        good.sku,
        written.good_id,
        good.product_id,
        good.type,
        good.denomination,
        None if good.cost is None else good.cost.amount,
        None if good.cost is None else good.cost.currency,
        None if good.custom is None else plain(good.custom),
        None if good.face_value is None else good.face_value.amount,
        None if good.face_value is None else good.face_value.currency,
        good.stock,
        good.max_per_order,
        good.category_id,
        good.image,
        list(good.countries),
        good.attributes,
        plain(good.fields),
        plain(dict(written.texts)),
        good.locale or "",
        f"{own.product_name} {own.name}".strip().casefold()[:_LONGEST_NAME],
        written.measure.amount,
        written.measure.currency,
        written.good_measure,
        written.suspect,
        written.digest,
        at,
    )
