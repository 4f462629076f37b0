"""The codes of delivered vouchers: PIN, serial and what a recharge says are sealed, a PIN is found by its digest."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from gateway.kit.pool import Connection, Pool
from gateway.kit.sealing import Seal
from schemas.order import VoucherCode

PREFIX = "vch_"


async def add(
    connection: Connection, seal: Seal, order_id: str, supplier: str, codes: Sequence[VoucherCode], now: datetime
) -> None:
    """Write an order's codes; an order that has them keeps them. In the caller's transaction."""
    if await connection.fetchval("SELECT true FROM voucher_codes WHERE order_id = $1 LIMIT 1", order_id):
        return
    await connection.executemany(
        """INSERT INTO voucher_codes (id, order_id, n, supplier, pin, pin_digest, serial, serial_digest, told,
                                      expires_at, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        [
            (
                PREFIX + secrets.token_hex(12),
                order_id,
                n,
                supplier,
                _sealed(seal, code.pin),
                None if code.pin is None else seal.digest(code.pin),
                _sealed(seal, code.serial),
                None if code.serial is None else seal.digest(code.serial),
                _sealed(seal, code.told),
                code.expires_at,
                now,
            )
            for n, code in enumerate(codes, 1)
        ],
    )


async def holder_of(
    connection: Connection, seal: Seal, supplier: str, codes: Sequence[VoucherCode], order_id: str
) -> str | None:
    """Another order that has one of these PINs, with the same serial where both have one: a PIN is sold once.

    Where neither has a PIN the serial is what is sold.
    """
    by_digest = {digest: code for code in codes if code.pin is not None for digest in seal.digests(code.pin)}
    rows = await connection.fetch(
        "SELECT order_id, pin_digest, serial FROM voucher_codes"
        " WHERE pin_digest = ANY($1::bytea[]) AND supplier = $2 AND order_id <> $3",
        list(by_digest),
        supplier,
        order_id,
    )
    bare = [digest for code in codes if code.pin is None and code.serial for digest in seal.digests(code.serial)]
    other: str | None = await connection.fetchval(
        "SELECT order_id FROM voucher_codes"
        " WHERE pin IS NULL AND serial_digest = ANY($1::bytea[]) AND supplier = $2 AND order_id <> $3 LIMIT 1",
        bare,
        supplier,
        order_id,
    )
    if other is not None:
        return other
    for row in rows:
        mine = by_digest[row["pin_digest"]].serial
        theirs = None if row["serial"] is None else seal.open_text(row["serial"])
        if mine is None or theirs is None or mine == theirs:
            return str(row["order_id"])
    return None


async def of_orders(
    pool: Pool | Connection, seal: Seal, order_ids: Sequence[str]
) -> dict[str, tuple[VoucherCode, ...]]:
    """The codes of these orders, by order id; the caller has seen to it that the orders may be seen."""
    rows = await pool.fetch(
        "SELECT order_id, pin, serial, told, expires_at FROM voucher_codes"
        " WHERE order_id = ANY($1) ORDER BY order_id, n",
        list(order_ids),
    )
    found: dict[str, tuple[VoucherCode, ...]] = {}
    for row in rows:
        code = VoucherCode(
            pin=_opened(seal, row["pin"]),
            serial=_opened(seal, row["serial"]),
            expires_at=row["expires_at"],
            told=_opened(seal, row["told"]),
        )
        found[row["order_id"]] = (*found.get(row["order_id"], ()), code)
    return found


def _sealed(seal: Seal, text: str | None) -> bytes | None:
    return None if text is None else seal.seal(text)


def _opened(seal: Seal, sealed: bytes | None) -> str | None:
    return None if sealed is None else seal.open_text(sealed)


async def lock_deliveries_of(connection: Connection, supplier: str) -> None:
    """Have what this supplier delivers, numbers and codes, settled one after the other until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('delivered by ' || $1, 0))", supplier)
