"""What a till has written down: its sales, eSIMs and money, in memory and, if wanted, in a file.

The file outlives a process that is killed. Each change is one line, written before anybody is answered;
of what stands in several lines the last one counts, and a line that was cut off never happened.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from providers.simulator.lines import Lines
from providers.simulator.sales import Esim, Move, MoveKind, Sale, Uncharged

_UNCHARGED_KEPT = 10_000


class _Line(msgspec.Struct, omit_defaults=True):
    moves: list[Move] = []
    sales: list[Sale] = []
    esims: list[Esim] = []
    uncharged: list[Uncharged] = []


class Books:
    """One till's. What changes a sale or an eSIM is followed by ``note``, which writes it and new moves down.

    Raises ``ConfigurationError`` for a file that holds no books.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.sales: dict[str, Sale] = {}
        self.esims: dict[str, Esim] = {}
        self.moves: list[Move] = []
        self.uncharged: deque[Uncharged] = deque(maxlen=_UNCHARGED_KEPT)
        self.references: set[str] = set()
        self._lines = Lines(file, _Line)
        for line in self._lines.read():
            self._take(line)
        self._noted = len(self.moves)

    @property
    def balance(self) -> Decimal:
        return self.moves[-1].balance_after if self.moves else Decimal(0)

    def add(self, sale: Sale) -> None:
        """A new sale; it is written down by the ``note`` that follows."""
        self.sales[sale.id] = sale
        if sale.reference is not None:
            self.references.add(sale.reference)

    def move(self, kind: MoveKind, amount: Decimal, sale: Sale | None = None) -> Move:
        """Money moves, by ``amount`` with its sign; it is written down by the ``note`` that follows."""
        move = Move(
            number=len(self.moves) + 1,
            kind=kind,
            amount=amount,
            balance_after=self.balance + amount,
            at=datetime.now(UTC),
            sale_id=sale.id if sale else None,
            sale_kind=sale.kind if sale else None,
        )
        self.moves.append(move)
        return move

    def note(self, sale: Sale | None = None, esim: Esim | None = None) -> None:
        """Write down how these stand, and every move since the last time, as one change."""
        self._lines.write(
            _Line(self.moves[self._noted :], [sale] if sale is not None else [], [esim] if esim is not None else [])
        )
        self._noted = len(self.moves)

    def refuse(self, uncharged: Uncharged) -> None:
        """Write down what was asked for and not done."""
        self.uncharged.append(uncharged)
        self._lines.write(_Line(uncharged=[uncharged]))

    def clear(self) -> None:
        """Begin new books."""
        self._lines.clear()
        for shelf in (self.sales, self.esims, self.moves, self.uncharged, self.references):
            shelf.clear()
        self._noted = 0

    def close(self) -> None:
        """Close the file; the next change opens it again."""
        self._lines.close()

    def _take(self, line: _Line) -> None:
        self.moves += line.moves
        self.uncharged += line.uncharged
        for sale in line.sales:
            self.add(sale)
        for esim in line.esims:
            self.esims[esim.iccid] = esim
