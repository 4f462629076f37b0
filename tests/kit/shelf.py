"""Puts made-up offers into a database, as a sync would."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec

from gateway.catalog.diff_rules import offer_id, offer_key
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings, load
from tests.kit.made_up_market import Item
from tests.kit.secret_keys import SECRET_KEY as SECRET


def settings_for(folder: Path, database_url: str, redis_url: str | None = None, **more: object) -> Settings:
    return load(state_dir=folder, database_url=database_url, redis_url=redis_url, secret_key=[SECRET], **more)


async def stock(pool: Pool, items: Iterable[Item], *, mode: str = "live", at: datetime | None = None) -> None:
    """Replace everything in the database by these offers, all suppliers well synced."""
    at = at or datetime.now(UTC) - timedelta(seconds=5)
    items = list(items)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "DELETE FROM offers WHERE supplier IN (SELECT name FROM suppliers WHERE mode = $1)", mode
        )
        await connection.executemany(
            """
            INSERT INTO suppliers (name, provider, mode, last_sync_at, last_good_at, last_sync_state)
            VALUES ($1, 'pikasim', $2, $3, $3, 'ok') ON CONFLICT (name) DO UPDATE SET last_good_at = $3
            """,
            [(name, mode, at) for name in sorted({item.supplier for item in items})],
        )
        await connection.execute(
            """
            INSERT INTO fx_rates (base, currency, rate, as_of, source, kind)
            VALUES ('USD', 'EUR', 1.08, (now() AT TIME ZONE 'UTC')::date, 'test', 'set'),
                   ('USD', 'EUR', 99, '2999-01-01', 'test', 'set')
            ON CONFLICT DO NOTHING
            """
        )
        for item in items:
            offer = item.offer
            await connection.execute(
                """
                INSERT INTO offers (id, supplier, supplier_plan_id, plan_id, name, coverage, data, days, starts,
                    networks, features, cost, currency, stock, visible, suspect, digest, first_seen_at, changed_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18)
                """,
                offer_id(offer_key(*item.key)),
                *item.key,
                offer.plan_id,
                offer.name,
                list(offer.coverage),
                msgspec.to_builtins(offer.data),
                offer.validity.days,
                offer.validity.starts.value,
                msgspec.to_builtins(offer.networks),
                msgspec.to_builtins(offer.features),
                None if offer.cost is None else Decimal(offer.cost.amount),
                None if offer.cost is None else offer.cost.currency,
                offer.stock,
                offer.visible,
                "too low" if item.suspect else None,
                hashlib.blake2b(repr(offer).encode(), digest_size=24).digest(),
                at,
            )
            await connection.execute(
                """
                INSERT INTO plans VALUES ($1, $2, NULL)
                ON CONFLICT (id) DO UPDATE SET updated_at = $2, gone_at = NULL
                """,
                offer.plan_id,
                at,
            )
        await connection.execute("UPDATE catalog_state SET content = content + 1")


async def take_away(pool: Pool, item: Item, at: datetime) -> None:
    """The offer is not in the last whole walk, and its plan has no other."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE offers SET gone_at = $1 WHERE supplier_plan_id = $2", at, item.key[1])
        await connection.execute("UPDATE plans SET gone_at = $1, updated_at = $1 WHERE id = $2", at, item.offer.plan_id)
        await connection.execute("UPDATE catalog_state SET content = content + 1")
