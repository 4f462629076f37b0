"""The shop's book: every sale in one SQLite file, written down before the gateway is asked for it.

Of a sale it keeps what is sent to the gateway until the gateway has it (for then it can be sent again, to the
letter), and its ids there. It keeps no activation code and, once the gateway has taken the sale, no e-mail address.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Operation = Literal["checkout", "order", "topup"]
State = Literal["sending", "to_pay", "preparing", "ready", "in_review", "failed", "cancelled", "expired", "refused"]
OVER: frozenset[str] = frozenset({"ready", "failed", "cancelled", "refused"})
"""States that only an event makes the shop look at again. An operator may yet end one that is in review or expired."""

_TABLES = """
CREATE TABLE IF NOT EXISTS sales (
    id TEXT PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    operation TEXT NOT NULL,
    body TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    price TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'sending',
    detail TEXT NOT NULL DEFAULT '',
    checkout_id TEXT UNIQUE,
    payment_url TEXT NOT NULL DEFAULT '',
    order_id TEXT UNIQUE,
    of_sale TEXT REFERENCES sales,
    made_at REAL NOT NULL,
    look_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS sales_due ON sales (look_at);
CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS endpoint (url TEXT PRIMARY KEY, id TEXT NOT NULL, secret TEXT NOT NULL);
"""
_KEEP_EVENTS_SECONDS = 90 * 86400.0
_CHANGEABLE = frozenset(
    {"state", "detail", "body", "title", "price", "checkout_id", "payment_url", "order_id", "look_at"}
)


@dataclass(frozen=True)
class Sale:
    """One sale. ``id`` is the unguessable word in the customer's address, ``reference`` ours at the gateway.

    ``operation`` is what is asked of the gateway, ``body`` the arguments, as JSON.
    """

    id: str
    reference: str
    operation: Operation
    body: str
    plan_id: str
    made_at: float
    look_at: float
    of_sale: str | None = None
    title: str = ""
    price: str = ""
    state: State = "sending"
    detail: str = ""
    checkout_id: str | None = None
    payment_url: str = ""
    order_id: str | None = None

    @property
    def over(self) -> bool:
        return self.state in OVER


class Book:
    """The file. Each call is one transaction, short enough to be made where it is needed."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)  # it holds the secret that events are signed with
        self._db = sqlite3.connect(path)
        self._db.row_factory = sqlite3.Row
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + _TABLES)

    def close(self) -> None:
        self._db.close()

    def add(self, sale: Sale) -> Sale:
        """Write a sale down; the one that is there already when its id is (a form that was sent twice)."""
        names = list(Sale.__dataclass_fields__)
        with self._db:
            self._db.execute(
                f"INSERT INTO sales ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) ON CONFLICT DO NOTHING",  # noqa: S608 - our own names
                [getattr(sale, name) for name in names],
            )
        found = self.sale(sale.id)
        if found is None:
            raise ValueError("another sale has this reference")
        return found

    def change(self, sale_id: str, **values: Any) -> Sale:
        """Write down what is known now."""
        if not values.keys() <= _CHANGEABLE:
            raise ValueError(f"not to be changed: {values.keys() - _CHANGEABLE}")
        with self._db:
            self._db.execute(
                f"UPDATE sales SET {', '.join(f'{name} = ?' for name in values)} WHERE id = ?",  # noqa: S608 - as above
                [*values.values(), sale_id],
            )
        found = self.sale(sale_id)
        if found is None:
            raise KeyError(sale_id)
        return found

    def sale(self, sale_id: str) -> Sale | None:
        return next(iter(self._sales("id = ?", sale_id)), None)

    def added_to(self, sale_id: str) -> list[Sale]:
        """Top-ups of a sale's eSIM, the newest first."""
        return self._sales("of_sale = ? ORDER BY made_at DESC", sale_id)

    def due(self) -> list[Sale]:
        """Sales that it is time to look at: those that are not over, and any of which an event came."""
        marks = ", ".join("?" * len(OVER))
        return self._sales(f"look_at <= ? AND (look_at = 0 OR state NOT IN ({marks})) LIMIT 50", time.time(), *OVER)

    def heard(self, event_id: str, names: list[str]) -> bool:
        """Note an event, once, and make the sales that it names due; whether it is new."""
        marks = ", ".join("?" * len(names))
        now = time.time()
        with self._db:
            new = self._db.execute("INSERT INTO events VALUES (?, ?) ON CONFLICT DO NOTHING", [event_id, now]).rowcount
            if new:
                self._db.execute("DELETE FROM events WHERE at < ?", [now - _KEEP_EVENTS_SECONDS])
                self._db.execute(
                    f"UPDATE sales SET look_at = 0 WHERE order_id IN ({marks}) OR checkout_id IN ({marks})"  # noqa: S608 - only marks
                    f" OR reference IN ({marks})",
                    [*names, *names, *names],
                )
        return bool(new)

    def endpoint(self, url: str) -> tuple[str, str] | None:
        """The id and secret of the endpoint that the gateway has for this address."""
        row = self._db.execute("SELECT id, secret FROM endpoint WHERE url = ?", [url]).fetchone()
        return None if row is None else (row["id"], row["secret"])

    def keep_endpoint(self, url: str, endpoint_id: str, secret: str) -> None:
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO endpoint VALUES (?, ?, ?)", [url, endpoint_id, secret])

    def _sales(self, where: str, *values: Any) -> list[Sale]:
        with closing(self._db.execute(f"SELECT * FROM sales WHERE {where}", values)) as rows:  # noqa: S608 - as above
            return [Sale(**dict(row)) for row in rows]
