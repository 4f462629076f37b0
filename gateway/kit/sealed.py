"""Every sealed column there is, and sealing it anew with the newest key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.kit.pool import Pool
from gateway.kit.sealing import Seal, Unsealable

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed bytes; ``digest`` is the column beside it that holds the keyed digest of the same value.

    ``folded`` says that the digest is of the text without regard to capitals: e-mail addresses;
    ``digits`` that it is of the digits alone: phone numbers.
    """

    table: str
    column: str
    digest: str | None = None
    folded: bool = False
    digits: bool = False


COLUMNS: tuple[SealedColumn, ...] = (
    SealedColumn("orders", "email", "email_digest", folded=True),
    SealedColumn("orders", "fields"),
    SealedColumn("attempts", "iccid"),
    SealedColumn("esims", "iccid", "iccid_digest"),
    SealedColumn("esims", "activation_code", "code_digest"),
    SealedColumn("esims", "status"),
    SealedColumn("numbers", "phone_number", "phone_digest", digits=True),
    SealedColumn("voucher_codes", "pin", "pin_digest"),
    SealedColumn("voucher_codes", "serial", "serial_digest"),
    SealedColumn("voucher_codes", "told"),
    SealedColumn("webhook_endpoints", "secret"),
    SealedColumn("webhook_endpoints", "old_secret"),
    SealedColumn("webhook_events", "body"),
    SealedColumn("supplier_answers", "body"),
    SealedColumn("alert_channels", "secret"),
    SealedColumn("checkouts", "email", "email_digest", folded=True),
    SealedColumn("payment_notices", "body"),
    SealedColumn("supplier_keys", "secret"),
    SealedColumn("users", "totp_secret"),
)
"""All of them; a test holds this list against the database."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of a column: values sealed anew, and values that no configured key opens."""

    table: str
    column: str
    sealed: int
    unopened: int


async def rotate(pool: Pool, seal: Seal, column: SealedColumn) -> Rotated:
    """Seal every value anew that an older key sealed.

    Safe beside a running gateway, and to do again: a value that changed meanwhile is left, for who wrote it sealed
    it with the newest key. Values that no key opens stay as they are and are counted.
    """
    sealed = unopened = 0
    after = ""
    while rows := await _older(pool, seal, column, after):
        after = rows[-1]["id"]
        for row in rows:
            try:
                plain = seal.open(row["value"])
            except Unsealable:
                unopened += 1
                continue
            sealed += await _write(pool, seal, column, row, plain)
    return Rotated(column.table, column.column, sealed, unopened)


async def _older(pool: Pool, seal: Seal, column: SealedColumn, after: str) -> list[Any]:
    name = column.column
    return await pool.fetch(
        f"SELECT id, {name} AS value FROM {column.table}"  # noqa: S608 - names of the list above
        f" WHERE {name} IS NOT NULL AND id > $1 AND substr({name}, 1, $2) <> $3 ORDER BY id LIMIT $4",
        after,
        len(seal.head),
        seal.head,
        ROWS_AT_ONCE,
    )


async def _write(pool: Pool, seal: Seal, column: SealedColumn, row: Any, plain: bytes) -> int:
    name, values = column.column, [row["id"], row["value"], seal.seal(plain)]
    digest = ""
    if column.digest is not None:
        # A row without one stays without: two eSIMs from before may have been delivered with one code.
        digest = f", {column.digest} = CASE WHEN {column.digest} IS NOT NULL THEN $4::bytea END"
        values.append(seal.digest(_as_digested(column, plain)))
    status = await pool.execute(
        f"UPDATE {column.table} SET {name} = $3{digest} WHERE id = $1 AND {name} = $2",  # noqa: S608 - as above
        *values,
    )
    return int(status.rpartition(" ")[2])


def _as_digested(column: SealedColumn, plain: bytes) -> bytes | str:
    if column.digits:
        return "".join(letter for letter in plain.decode() if letter.isdigit())
    return plain.decode().casefold() if column.folded else plain
