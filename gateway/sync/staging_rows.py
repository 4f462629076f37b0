"""What a walk found new or changed, kept on disk until the walk is whole, then copied in one go.

Rows are written as PostgreSQL's COPY text while the pages come in, so memory stays flat however large a
catalogue is, no connection is held while a slow supplier is walked, and replacing costs no more work here.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from gateway.catalog.diff_rules import offer_id
from gateway.kit.pool import Connection
from schemas.money import Money
from schemas.plan import Offer, SetAside

COPY_SECONDS = 600
_CHUNK = 256 * 1024

INCOMING = """
CREATE TEMP TABLE incoming (
    id text, supplier_plan_id text, plan_id text, name text, description text, coverage text[], data jsonb,
    days integer, starts text, networks jsonb, features jsonb, cost numeric, currency text, stock integer,
    visible boolean, digest bytea, supplier_product_id text, good_cost numeric, good_currency text, suspect text,
    suspect_against text,
    measure bytea GENERATED ALWAYS AS (offer_measure(plan_id, coverage, data, days)) STORED
) ON COMMIT DROP;
CREATE TEMP TABLE incoming_aside (
    supplier_plan_id text, name text, reason text, detail text, raw text, about text, words text[], cost numeric,
    currency text
) ON COMMIT DROP;
CREATE TEMP TABLE incoming_digest (id text, digest bytea) ON COMMIT DROP;
"""
_OFFER_COLUMNS = (
    *("id", "supplier_plan_id", "plan_id", "name", "description", "coverage", "data", "days", "starts"),
    *("networks", "features", "cost", "currency", "stock", "visible", "digest", "supplier_product_id"),
    *("good_cost", "good_currency"),
)
_ASIDE_COLUMNS = ("supplier_plan_id", "name", "reason", "detail", "raw", "about", "words", "cost", "currency")
_NULL = "\\N"
_NUL = re.compile(r"(\\\\)|\\u0000")  # an escaped backslash before u0000 is text
_json = msgspec.json.Encoder()


class Staging:
    """The rows of one walk. Make it in a folder on a real disk, close it when done."""

    def __init__(self, folder: Path | None = None) -> None:
        self._offers = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - closed by close()
        self._aside = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - closed by close()
        self._digests = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - closed by close()
        self._aside_ids: set[str] = set()
        self._dropped: list[str] = []
        self.offers = 0
        self.digests = 0
        self.reasons: Counter[str] = Counter()

    def add(self, offer: Offer, key: bytes, digest: bytes) -> None:
        """Keep an offer that is new or changed."""
        self._offers.write(_line(offer_row(offer, key, digest)))
        self.offers += 1

    def add_digest(self, key: bytes, digest: bytes) -> None:
        """Keep the digest of an offer that says what it said, from an item that was recognised by other means."""
        self._digests.write(_line([offer_id(key), "\\\\x" + digest.hex()]))
        self.digests += 1

    def add_aside(self, item: SetAside) -> bool:
        """Keep an item that no rule understood; False when it was met before in this walk."""
        if item.supplier_plan_id in self._aside_ids:
            return False
        self._aside_ids.add(item.supplier_plan_id)
        self.reasons[item.reason.value] += 1
        raw = item.raw.decode("utf-8", "replace")
        row = (item.supplier_plan_id, item.name, item.reason.value, item.detail, raw, item.about.value)
        unknown_words = _text("{" + ",".join(map(_element, item.words)) + "}")
        self._aside.write(_line([*(_text(value) for value in row), unknown_words, *_cost(item.cost)]))
        return True

    def is_aside(self, supplier_plan_id: str) -> bool:
        """Whether the item was unmapped in this walk."""
        return supplier_plan_id in self._aside_ids

    def drop(self, key: bytes, *, staged: bool) -> None:
        """Write nothing of an offer; ``staged``: it was added as new or changed."""
        self._dropped.append(offer_id(key))
        self.offers -= staged

    @property
    def aside(self) -> int:
        """How many items were unmapped."""
        return len(self._aside_ids)

    async def copy_to(self, connection: Connection, *, first_of: str | None = None, at: datetime | None = None) -> None:
        """Make the temporary tables ``incoming`` and ``incoming_aside`` of this transaction, and fill them.

        The offers of a supplier of which none is stored (``first_of``) go straight into ``offers``, first seen ``at``;
        ``incoming`` stays empty.
        """
        await connection.execute(INCOMING)
        await connection.execute("SET LOCAL default_statistics_target = 10")
        if first_of is None:
            await self._copy(connection, "incoming", _OFFER_COLUMNS, self._offers)
            await self._copy(connection, "incoming_digest", ("id", "digest"), self._digests)
        else:
            more = {"supplier": _text(first_of), "first_seen_at": str(at), "changed_at": str(at)}
            await self._copy(connection, "offers", _OFFER_COLUMNS, self._offers, more)
        await self._copy(connection, "incoming_aside", _ASIDE_COLUMNS, self._aside)

    async def _copy(
        self,
        connection: Connection,
        table: str,
        columns: tuple[str, ...],
        file: BinaryIO,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Copy the rows of a file; ``more`` are columns that are the same in all of them."""
        if not file.tell():
            return
        file.seek(0)
        rows = file if more is None else _with_columns(file, more.values())
        columns = (*columns, *(more or ()))
        await connection.copy_to_table(table, source=rows, columns=columns, format="text", timeout=COPY_SECONDS)
        if "id" in columns and self._dropped:
            await connection.execute(f"DELETE FROM {table} WHERE id = ANY($1::text[])", self._dropped)  # noqa: S608 - our own tables
        if more is None:
            await connection.execute(f"ANALYZE {table} ({columns[0]})")

    def close(self) -> None:
        """Give the disk back."""
        self._offers.close()
        self._aside.close()
        self._digests.close()


def offer_row(offer: Offer, key: bytes, digest: bytes) -> list[str]:
    """An offer's columns as COPY text, escaped. Its cost is good until it is found suspect."""
    cost = _cost(offer.cost)
    return [
        offer_id(key),
        _text(offer.supplier_plan_id),
        offer.plan_id,
        _text(offer.name),
        _text(offer.description),
        "{" + ",".join(offer.coverage) + "}",
        _document(offer.data),
        str(offer.validity.days),
        offer.validity.starts.value,
        _document(offer.networks),
        _document(offer.features),
        *cost,
        _NULL if offer.stock is None else str(offer.stock),
        "t" if offer.visible else "f",
        "\\\\x" + digest.hex(),
        _NULL if offer.supplier_product_id is None else _text(offer.supplier_product_id),
        *cost,
    ]


async def _with_columns(file: BinaryIO, values: Iterable[str]) -> AsyncIterator[bytes]:
    """The lines of a file with more values at their ends. In COPY's text a newline is nothing but the end of a row."""
    end = "".join(f"\t{value}" for value in values).encode() + b"\n"
    while chunk := file.read(_CHUNK):
        yield chunk.replace(b"\n", end)


def _line(row: list[str]) -> bytes:
    return ("\t".join(row) + "\n").encode()


def _cost(cost: Money | None) -> tuple[str, str]:
    return (_NULL, _NULL) if cost is None else (format(cost.amount, "f"), _text(cost.currency))


def _element(word: str) -> str:
    """An element of an array's text."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _document(value: Any) -> str:
    # jsonb holds no NUL, and a plugin from elsewhere may let one through.
    text = _json.encode(value).decode()
    if "\\" not in text:
        return text
    return _NUL.sub(lambda found: found[1] or " ", text).replace("\\", "\\\\")


def _text(value: str) -> str:
    if "\\" not in value and value.isprintable():
        return value
    value = value.replace("\\", "\\\\").replace("\0", " ")
    return value.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
