"""Mandates in the database: what a key may spend at most, and until when."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from gateway.kit.pool import Connection, Pool

_COLUMNS = "key_id, per_order, per_day, per_month, currency, ends_at, updated_at"


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """What a key may spend at most: for each order, each UTC day and each UTC month, until ``ends_at``.

    ``currency`` was the base currency when the mandate was set.
    """

    key_id: str
    per_order: Decimal
    per_day: Decimal
    per_month: Decimal
    currency: str
    ends_at: datetime
    updated_at: datetime


async def find(connection: Connection | Pool, key_id: str) -> Mandate | None:
    """A key's mandate, None when it has none."""
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM mandates WHERE key_id = $1", key_id)  # noqa: S608
    return None if row is None else Mandate(**dict(row))


async def of_storefront(connection: Connection | Pool, storefront_id: str) -> dict[str, Mandate]:
    """The mandates of a storefront's keys, by the keys' ids."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM mandates"  # noqa: S608 - the words above
        " WHERE key_id IN (SELECT id FROM api_keys WHERE storefront_id = $1)",
        storefront_id,
    )
    return {row["key_id"]: Mandate(**dict(row)) for row in rows}


async def lock(connection: Connection, key_id: str) -> Mandate | None:
    """The same, held until the end of the caller's transaction: orders of the key go one after the other."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM mandates WHERE key_id = $1 FOR UPDATE",  # noqa: S608 - the words above
        key_id,
    )
    return None if row is None else Mandate(**dict(row))


async def put(
    connection: Connection,
    key_id: str,
    *,
    per_order: Decimal,
    per_day: Decimal,
    per_month: Decimal,
    currency: str,
    ends_at: datetime,
) -> Mandate:
    """Give a key a mandate, or another one. What was spent under the one before counts on."""
    row = await connection.fetchrow(
        f"""INSERT INTO mandates (key_id, per_order, per_day, per_month, currency, ends_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (key_id) DO UPDATE SET per_order = $2, per_day = $3, per_month = $4, currency = $5,
                ends_at = $6, updated_at = now()
            RETURNING {_COLUMNS}""",  # noqa: S608 - the words above
        key_id,
        per_order,
        per_day,
        per_month,
        currency,
        ends_at,
    )
    if row is None:
        raise LookupError(f"the mandate of {key_id} was not written")
    return Mandate(**dict(row))


async def remove(connection: Connection, key_id: str) -> Mandate | None:
    """Take a key's mandate away; what it was, None when there was none."""
    row = await connection.fetchrow(f"DELETE FROM mandates WHERE key_id = $1 RETURNING {_COLUMNS}", key_id)  # noqa: S608
    return None if row is None else Mandate(**dict(row))
