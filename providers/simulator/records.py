"""What a simulator has written down, in memory and, if wanted, in a file that outlives a process that is killed.

Each change is one line of JSON, written before anybody is answered; of what stands in several lines the last one
counts, and a line that was cut off never happened.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from decimal import Decimal
from io import BufferedWriter
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from providers.simulator.sales import Esim, Sale, StatementLine, StatementLineKind, UnchargedRequest
from schemas.errors import ConfigurationError

T = TypeVar("T", bound=msgspec.Struct)
_UNCHARGED_KEPT = 10_000


class JsonLines(Generic[T]):
    """One file's lines, each a ``kind``. Without a file nothing is kept."""

    def __init__(self, file: Path | None, kind: type[T]) -> None:
        self._file = file
        self._kind = kind
        self._open: BufferedWriter | None = None

    def read(self) -> list[T]:
        """Every whole line; a half one at the end goes. Raises ``ConfigurationError`` for a file of something else."""
        if self._file is None or not self._file.exists():
            return []
        try:
            whole, _, cut_off = self._file.read_bytes().rpartition(b"\n")
            lines = [msgspec.json.decode(line, type=self._kind) for line in whole.splitlines()]
        except OSError as error:
            raise ConfigurationError(f"{self._file}: {error.strerror}") from None
        except msgspec.MsgspecError as error:
            raise ConfigurationError(
                f"{self._file}: these are no records of a sandbox ({error}); delete the file"
            ) from None
        if cut_off:
            self._file.write_bytes(whole + b"\n" if whole else b"")
        return lines

    def write(self, line: T) -> None:
        """Add a line; it is with the operating system when this returns."""
        if self._file is None:
            return
        if self._open is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._open = self._file.open("ab")
        self._open.write(msgspec.json.encode(line) + b"\n")
        self._open.flush()

    def clear(self) -> None:
        """Begin with an empty file."""
        self.close()
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        if self._open is not None:
            self._open.close()
            self._open = None


class _Line(msgspec.Struct, omit_defaults=True):
    moves: list[StatementLine] = []
    sales: list[Sale] = []
    esims: list[Esim] = []
    uncharged: list[UnchargedRequest] = []


class SupplierRecords:
    """One supplier's sales, eSIMs and statement. ``write`` follows each change of them.

    Raises ``ConfigurationError`` for a file that holds no records.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.sales: dict[str, Sale] = {}
        self.esims: dict[str, Esim] = {}
        self.statement: list[StatementLine] = []
        self.uncharged: deque[UnchargedRequest] = deque(maxlen=_UNCHARGED_KEPT)
        self.references: set[str] = set()
        self._lines = JsonLines(file, _Line)
        for line in self._lines.read():
            self.statement += line.moves
            self.uncharged += line.uncharged
            self.esims |= {esim.iccid: esim for esim in line.esims}
            for sale in line.sales:
                self.add(sale)
        self._written = len(self.statement)

    @property
    def balance(self) -> Decimal:
        return self.statement[-1].balance_after if self.statement else Decimal(0)

    def add(self, sale: Sale) -> None:
        """A new sale; it is written down by the ``write`` that follows."""
        self.sales[sale.id] = sale
        if sale.reference is not None:
            self.references.add(sale.reference)

    def move(self, kind: StatementLineKind, amount: Decimal, sale: Sale | None = None) -> StatementLine:
        """Money moves, by ``amount`` with its sign; it is written down by the ``write`` that follows."""
        line = StatementLine(
            number=len(self.statement) + 1,
            kind=kind,
            amount=amount,
            balance_after=self.balance + amount,
            at=datetime.now(UTC),
            sale_id=sale.id if sale else None,
            sale_kind=sale.kind if sale else None,
        )
        self.statement.append(line)
        return line

    def write(self, sale: Sale | None = None, esim: Esim | None = None) -> None:
        """Write down how these stand, and every movement of money since the last time, as one change."""
        moved = self.statement[self._written :]
        self._lines.write(_Line(moved, [sale] if sale else [], [esim] if esim else []))
        self._written = len(self.statement)

    def refuse(self, uncharged: UnchargedRequest, why: str) -> None:
        """Write down what was asked for and not done."""
        uncharged = msgspec.structs.replace(uncharged, why=why)
        self.uncharged.append(uncharged)
        self._lines.write(_Line(uncharged=[uncharged]))

    def clear(self) -> None:
        """Begin new records."""
        self._lines.clear()
        for kept in (self.sales, self.esims, self.statement, self.uncharged, self.references):
            kept.clear()
        self._written = 0

    def close(self) -> None:
        """Close the file; the next change opens it again."""
        self._lines.close()
