"""What all suppliers sell: generated from a seed, or dealt out from a market price list."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from providers.simulator.account import SandboxAccount
from providers.simulator.catalog import deal_items, generate_items
from providers.simulator.engine import Simulator
from providers.simulator.items import Item
from providers.simulator.sales import PageExamples, SupplierRules
from providers.simulator.supplier import SupplierSimulator
from providers.simulator.trigger_plans import trigger_plans
from providers.simulator.triggers import DisruptionList, Fault

DEFAULT_SEED = 7
_CENT = Decimal("0.01")
S = TypeVar("S", bound=Simulator[Any])


@dataclass(slots=True)
class _SupplierState:
    """One supplier's items, what was changed about them, and what is wrong with the supplier."""

    original: dict[str, Item]
    current: dict[str, Item]
    faults: DisruptionList[Fault] = field(default_factory=DisruptionList)
    calls: Counter[str] = field(default_factory=Counter)
    drifts: int = 0
    simulator: Simulator[Any] | None = None
    account: SandboxAccount | None = None
    examples: Mapping[str, Item] = field(default_factory=dict)


class SandboxWorld:
    """The items of every supplier, and what was changed about them since.

    Nothing changes by itself: two looks without a control call between them see the same. The same
    suppliers, seed and market file give the same items in every process. ``market`` is a CSV with the
    columns date, competitor, country, data, days, price_usd, source_url; each of its brands
    belongs to one supplier, the same in every list. Raises ``ConfigurationError`` for a file that is no such list.

    ``enforce_rate_limits`` False never refuses a caller for the rate, nor speaks of one. ``records`` is a
    folder in which what the suppliers sold outlives the process; without it that is in memory alone.
    """

    def __init__(
        self,
        suppliers: Iterable[str],
        seed: int = DEFAULT_SEED,
        market: Path | None = None,
        *,
        enforce_rate_limits: bool = True,
        records: Path | None = None,
    ) -> None:
        self.suppliers = tuple(sorted(suppliers))
        self.seed = seed
        self.market = market
        self.enforce_rate_limits = enforce_rate_limits
        self.records = records
        sold = _made_up(self.suppliers, seed) if market is None else deal_items(market, self.suppliers)
        originals = {name: {item.key: item for item in items} for name, items in sold.items()}
        self._suppliers = {name: _SupplierState(items, dict(items)) for name, items in originals.items()}

    def items(self, supplier: str) -> list[Item]:
        """What the supplier has now, in a stable order: after drift, new prices, stock and removals."""
        return list(self._suppliers[supplier].current.values())

    def item(self, supplier: str, key: str) -> Item | None:
        """One item as it is now, or one that the page names; None when there is none of that key or it was removed."""
        state = self._suppliers[supplier]
        return state.current.get(key) or state.examples.get(key)

    def examples(self, supplier: str) -> list[Item]:
        """What the supplier's page names in its examples, which stands in no list."""
        return list(self._suppliers[supplier].examples.values())

    def set_price(self, supplier: str, key: str, price: Decimal) -> None:
        """Give one item another price (USD). Raises ``KeyError`` for an unknown key."""
        self._change(supplier, key, price=price)

    def set_stock(self, supplier: str, key: str, stock: int | None) -> None:
        """Give one item another stock; None is plenty. Raises ``KeyError`` for an unknown key."""
        self._change(supplier, key, stock=stock)

    def _change(self, supplier: str, key: str, **fields: Any) -> None:
        current = self._suppliers[supplier].current
        current[key] = msgspec.structs.replace(current[key], **fields)

    def rename(self, supplier: str, key: str, new: str) -> None:
        """Give one item another key. Raises ``KeyError`` for an unknown one."""
        state = self._suppliers[supplier]
        item = msgspec.structs.replace(state.current[key], key=new)
        renamed = [item if old.key == key else old for old in state.current.values()]
        state.current = {kept.key: kept for kept in renamed}

    def remove(self, supplier: str, keys: Iterable[str]) -> None:
        """Take items out of the catalogue. Raises ``KeyError`` for an unknown key, and then removes none."""
        state = self._suppliers[supplier]
        gone = set(keys)
        if missing := sorted(gone - state.current.keys()):
            raise KeyError(missing[0])
        state.current = {key: item for key, item in state.current.items() if key not in gone}

    def drift(self, supplier: str, *, share: float = 0.05, by: float = 0.10) -> list[str]:
        """Move the prices of a ``share`` of the items by up to ``by`` either way; the keys that moved.

        Each call moves others, the same ones in the same order for the same seed.
        """
        state = self._suppliers[supplier]
        state.drifts += 1
        chance = random.Random(f"{self.seed}|{supplier}|drift {state.drifts}")
        priced = [item for item in state.current.values() if item.price]
        moved: list[str] = []
        for item in chance.sample(priced, min(len(priced), round(len(priced) * share))):
            price = _moved(item.price or _CENT, chance.uniform(-by, by))
            if price != item.price:
                self._change(supplier, item.key, price=price)
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
        state = self._suppliers[supplier]
        state.current = {key: msgspec.structs.replace(item, triggers=()) for key, item in state.current.items()}

    def open_supplier(self, supplier: str, rules: SupplierRules, examples: PageExamples) -> SupplierSimulator:
        """The supplier's simulator with these rules; one that is open keeps what it has."""
        state = self._suppliers[supplier]
        state.examples = {item.key: item for item in examples.items}
        return self.open_simulator(
            supplier,
            lambda file: SupplierSimulator(
                supplier,
                rules,
                sell=lambda key: self.sell(supplier, key),
                seed=f"{self.seed}|{supplier}|triggers",
                file=file,
                examples=examples,
                account=state.account,
            ),
        )

    def open_simulator(self, supplier: str, make: Callable[[Path | None], S]) -> S:
        """The simulator of a supplier; one that is open keeps what it has.

        ``make`` gets the file in which it outlives the process, None where nothing does.
        """
        state = self._suppliers.setdefault(supplier, _SupplierState({}, {}))
        if state.simulator is None:
            state.simulator = make(None if self.records is None else self.records / f"{supplier}.jsonl")
        return cast("S", state.simulator)

    def simulator(self, supplier: str) -> SupplierSimulator:
        """The supplier's simulator. Raises ``KeyError`` before its sandbox was made, or for one that sells nothing."""
        found = self._suppliers[supplier].simulator
        if not isinstance(found, SupplierSimulator):
            raise KeyError(supplier)
        return found

    def open_account(self, supplier: str, key: str, secret: str = "") -> SandboxAccount:
        """The account that callers have: its first key, and the secret of signatures. One that is open is kept."""
        state = self._suppliers[supplier]
        if state.account is None:
            file = None if self.records is None else self.records / f"{supplier}.keys.json"
            state.account = SandboxAccount(key, secret, file)
        return state.account

    def account(self, supplier: str) -> SandboxAccount | None:
        """The supplier's account; None where its sandbox keeps none."""
        return self._suppliers[supplier].account

    def reset(self, supplier: str) -> None:
        """Undo every change, lift every fault, put the account right and begin the records anew."""
        state = self._suppliers[supplier]
        for kept in (state.account, state.simulator):
            if kept is not None:
                kept.reset()
        state.current, state.faults, state.calls, state.drifts = dict(state.original), DisruptionList(), Counter(), 0

    def changes(self, supplier: str) -> int:
        """How many items differ from what the world began with, those that were removed included."""
        state = self._suppliers[supplier]
        return sum(state.current.get(key) != item for key, item in state.original.items())

    def faults(self, supplier: str) -> DisruptionList[Fault]:
        """The supplier's faults, to be added to and cleared."""
        return self._suppliers[supplier].faults

    def calls(self, supplier: str) -> Counter[str]:
        """How often each path (below the base URL, without its query) was called since the start or a reset."""
        return self._suppliers[supplier].calls

    def add_fault(self, supplier: str, fault: Fault) -> None:
        """Put a fault in force, besides those that are."""
        self.faults(supplier).add(fault)

    def clear_faults(self, supplier: str) -> None:
        """Lift every fault of the supplier."""
        self.faults(supplier).clear()


@functools.lru_cache(maxsize=8)
def _made_up(suppliers: tuple[str, ...], seed: int) -> Mapping[str, Sequence[Item]]:
    """Every supplier's items, which nobody changes: a world that is asked to change one puts another in its place."""
    special = trigger_plans(suppliers)
    return {name: [*items, *special[name]] for name, items in generate_items(suppliers, seed).items()}


def _moved(price: Decimal, by: float) -> Decimal:
    """The price moved by a share, in whole cents, never below one."""
    return max(_CENT, (price * (1 + Decimal(repr(round(by, 6))))).quantize(_CENT))
