"""What all suppliers sell: generated from a seed, or dealt out from a market price list."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from providers.simulator.account import SandboxAccount
from providers.simulator.catalog import generate
from providers.simulator.examples import PageExamples
from providers.simulator.faults import Fault, FaultBoard
from providers.simulator.items import Item
from providers.simulator.market import deal
from providers.simulator.rules import TillRules
from providers.simulator.supplier import SupplierSimulator
from providers.simulator.trigger_plans import magic

DEFAULT_SEED = 7
_CENT = Decimal("0.01")


class Kept(Protocol):
    """What a sandbox keeps in the world beside items, till and account, such as a payment desk."""

    def reset(self) -> None:
        """Begin again."""


D = TypeVar("D", bound=Kept)


@dataclass(slots=True)
class _Shelf:
    """One supplier's items, what was changed about them, and what is wrong with the supplier."""

    original: dict[str, Item]
    current: dict[str, Item]
    faults: FaultBoard = field(default_factory=FaultBoard)
    calls: Counter[str] = field(default_factory=Counter)
    drifts: int = 0
    till: SupplierSimulator | None = None
    account: SandboxAccount | None = None
    desk: Kept | None = None
    examples: Mapping[str, Item] = field(default_factory=dict)


class SandboxWorld:
    """The items of every supplier, and what was changed about them since.

    Nothing changes by itself: two looks without a control call between them see the same. The same
    suppliers, seed and market file give the same items in every process. ``market`` is a CSV with the
    columns date, competitor, country, data, days, price_usd, source_url; its brands, sorted, are dealt
    round-robin to the suppliers, sorted. Raises ``ConfigurationError`` for a file that is no such list.

    ``enforce_rate_limits`` False never refuses a caller for the rate, nor speaks of one. ``books`` is a
    folder in which the suppliers' tills outlive the process; without it they are in memory alone.
    """

    def __init__(
        self,
        suppliers: Iterable[str],
        seed: int = DEFAULT_SEED,
        market: Path | None = None,
        *,
        enforce_rate_limits: bool = True,
        books: Path | None = None,
    ) -> None:
        self.suppliers = tuple(sorted(suppliers))
        self.seed = seed
        self.market = market
        self.enforce_rate_limits = enforce_rate_limits
        self.books = books
        dealt = _made_up(self.suppliers, seed) if market is None else deal(market, self.suppliers)
        self._shelves = {name: _shelf(items) for name, items in dealt.items()}

    def items(self, supplier: str) -> list[Item]:
        """What the supplier has now, in a stable order: after drift, new prices, stock and removals."""
        return list(self._shelves[supplier].current.values())

    def item(self, supplier: str, key: str) -> Item | None:
        """One item as it is now, or one that the page names; None when there is none of that key or it was removed."""
        shelf = self._shelves[supplier]
        return shelf.current.get(key) or shelf.examples.get(key)

    def examples(self, supplier: str) -> list[Item]:
        """What the supplier's page names in its examples, which stands in no list."""
        return list(self._shelves[supplier].examples.values())

    def set_price(self, supplier: str, key: str, price: Decimal) -> None:
        """Give one item another price (USD). Raises ``KeyError`` for an unknown key."""
        shelf = self._shelves[supplier]
        shelf.current[key] = msgspec.structs.replace(shelf.current[key], price=price)

    def set_stock(self, supplier: str, key: str, stock: int | None) -> None:
        """Give one item another stock; None is plenty. Raises ``KeyError`` for an unknown key."""
        shelf = self._shelves[supplier]
        shelf.current[key] = msgspec.structs.replace(shelf.current[key], stock=stock)

    def rename(self, supplier: str, key: str, new: str) -> None:
        """Give one item another key. Raises ``KeyError`` for an unknown one."""
        shelf = self._shelves[supplier]
        item = msgspec.structs.replace(shelf.current[key], key=new)
        shelf.current = {item.key if at == key else at: item if at == key else one for at, one in shelf.current.items()}

    def remove(self, supplier: str, keys: Iterable[str]) -> None:
        """Take items out of the catalogue. Raises ``KeyError`` for an unknown key, and then removes none."""
        shelf = self._shelves[supplier]
        gone = set(keys)
        if missing := sorted(gone - shelf.current.keys()):
            raise KeyError(missing[0])
        shelf.current = {key: item for key, item in shelf.current.items() if key not in gone}

    def drift(self, supplier: str, *, share: float = 0.05, by: float = 0.10) -> list[str]:
        """Move the prices of a ``share`` of the items by up to ``by`` either way; the keys that moved.

        Each call moves others, the same ones in the same order for the same seed.
        """
        shelf = self._shelves[supplier]
        shelf.drifts += 1
        chance = random.Random(f"{self.seed}|{supplier}|drift {shelf.drifts}")
        priced = [item for item in shelf.current.values() if item.price]
        moved: list[str] = []
        for item in chance.sample(priced, min(len(priced), round(len(priced) * share))):
            price = _moved(item.price or _CENT, chance.uniform(-by, by))
            if price != item.price:
                shelf.current[item.key] = msgspec.structs.replace(item, price=price)
                moved.append(item.key)
        return moved

    def sell(self, supplier: str, key: str) -> bool:
        """Take one of an item's stock; False when it is gone or sold out."""
        item = self.item(supplier, key)
        if item is None or not item.in_stock:
            return False
        if item.stock is not None:
            self.set_stock(supplier, key, item.stock - 1)
        return True

    def disarm(self, supplier: str) -> None:
        """Let nothing go wrong by itself with any plan."""
        shelf = self._shelves[supplier]
        shelf.current = {key: msgspec.structs.replace(item, triggers=()) for key, item in shelf.current.items()}

    def open_till(self, supplier: str, rules: TillRules, examples: PageExamples) -> SupplierSimulator:
        """The supplier's till, opened with these rules; one that is open keeps what it has."""
        shelf = self._shelves[supplier]
        if shelf.till is None:
            shelf.examples = {item.key: item for item in examples.items}
            shelf.till = SupplierSimulator(
                rules,
                sell=lambda key: self.sell(supplier, key),
                seed=f"{self.seed}|{supplier}|till",
                file=None if self.books is None else self.books / f"{supplier}.jsonl",
                examples=examples,
            )
        return shelf.till

    def till(self, supplier: str) -> SupplierSimulator:
        """The supplier's till. Raises ``KeyError`` before its sandbox was made."""
        till = self._shelves[supplier].till
        if till is None:
            raise KeyError(supplier)
        return till

    def open_desk(self, supplier: str, make: Callable[[Path | None], D]) -> D:
        """What takes the place of a till at one who sells none of the items.

        ``make`` gets the file in which it outlives the process, None where nothing does.
        """
        shelf = self._shelves.setdefault(supplier, _shelf(()))
        made = make(None if self.books is None else self.books / f"{supplier}.jsonl")
        shelf.desk = made
        return made

    def open_account(self, supplier: str, key: str, secret: str = "") -> SandboxAccount:
        """The account that callers have: its first key, and the secret of signatures. One that is open is kept."""
        shelf = self._shelves[supplier]
        if shelf.account is None:
            file = None if self.books is None else self.books / f"{supplier}.keys.json"
            shelf.account = SandboxAccount(key, secret, file)
        return shelf.account

    def account(self, supplier: str) -> SandboxAccount | None:
        """The supplier's account; None where its sandbox keeps none."""
        return self._shelves[supplier].account

    def reset(self, supplier: str) -> None:
        """Undo every change, lift every fault, put the account right and begin the till anew."""
        shelf = self._shelves[supplier]
        if shelf.account is not None:
            shelf.account.reset()
        if shelf.till is not None:
            shelf.till.reset()
        if shelf.desk is not None:
            shelf.desk.reset()
        self._shelves[supplier] = replace(
            shelf, current=dict(shelf.original), faults=FaultBoard(), calls=Counter(), drifts=0
        )

    def changes(self, supplier: str) -> int:
        """How many items differ from what the world began with, those that were removed included."""
        shelf = self._shelves[supplier]
        return sum(shelf.current.get(key) != item for key, item in shelf.original.items())

    def faults(self, supplier: str) -> FaultBoard:
        """The supplier's faults, to be added to and cleared."""
        return self._shelves[supplier].faults

    def calls(self, supplier: str) -> Counter[str]:
        """How often each path (below the base URL, without its query) was called since the start or a reset."""
        return self._shelves[supplier].calls

    def add_fault(self, supplier: str, fault: Fault) -> None:
        """Put a fault in force, besides those that are."""
        self.faults(supplier).add(fault)

    def clear_faults(self, supplier: str) -> None:
        """Lift every fault of the supplier."""
        self.faults(supplier).clear()


@functools.lru_cache(maxsize=8)
def _made_up(suppliers: tuple[str, ...], seed: int) -> Mapping[str, Sequence[Item]]:
    """Every supplier's items, which nobody changes: a world that is asked to change one puts another in its place."""
    special = magic(suppliers)
    return {name: [*items, *special[name]] for name, items in generate(suppliers, seed).items()}


def _shelf(items: Sequence[Item]) -> _Shelf:
    original = {item.key: item for item in items}
    return _Shelf(original, dict(original))


def _moved(price: Decimal, by: float) -> Decimal:
    """The price moved by a share, in whole cents, never below one."""
    return max(_CENT, (price * (1 + Decimal(repr(round(by, 6))))).quantize(_CENT))
