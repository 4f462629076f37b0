"""What the contract suite looks at, one finding at a time. Each message says what to fill in."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from pydantic import ValidationError

import providers
from providers.contract import Manifest
from providers.simulator import Fault, FaultKind, Item, SandboxWorld
from schemas.errors import SupplierError
from schemas.plan import Offer, SetAside
from tests.providers.shop import Walk

T = TypeVar("T")

LONGEST_TEXT = 500
IO = frozenset({"aiohttp", "asyncpg", "redis", "asyncio", "socket", "requests", "httpx", "urllib"})
PURE = frozenset({"wire.py", "mapping.py", "webhook.py", "notice.py"})
OURS = frozenset({"gateway", "providers", "schemas", "config", "tests"})
_PROVIDERS = Path(providers.__file__).parent
# Of providers/, a plugin may know every module but the one that knows all plugins, and no other plugin.
_NOT_ITS_BUSINESS = frozenset({"loader", *(path.parent.name for path in _PROVIDERS.glob("*/__init__.py"))}) - {
    "kit",
    "simulator",
}


def check_offers(offers: Sequence[Offer], shown: Sequence[Item]) -> None:
    """Every offer is complete, and its cost is one of the sandbox's own prices, to the digit."""
    prices = {item.price for item in shown}
    for offer in offers:
        assert offer.supplier_plan_id, f"mapping.py: {offer!r} has no id"
        assert offer.name, f"mapping.py: {offer!r} has no name"
        where = f"mapping.py: {offer.name}"
        assert offer.coverage, f"{where}: coverage is empty"
        assert list(offer.coverage) == sorted(set(offer.coverage)), f"{where}: coverage is not sorted, or repeats"
        assert all(len(code) == 2 and code.isalpha() and code.isupper() for code in offer.coverage), (
            f"{where}: coverage {offer.coverage} must be ISO 3166-1 alpha-2 codes"
        )
        assert offer.validity.days > 0, f"{where}: validity of {offer.validity.days} days"
        assert offer.data.unlimited == (offer.data.mb is None), f"{where}: {offer.data}"
        assert offer.data.mb is None or offer.data.mb > 0, f"{where}: {offer.data}"
        if offer.cost is not None:
            assert type(offer.cost.amount) is Decimal, f"{where}: {offer.cost!r} is not a Decimal"
            assert offer.cost.amount > 0, f"{where}: a cost of {offer.cost}; unknown is None"
            assert offer.cost.amount in prices, f"{where}: {offer.cost} is no price of the sandbox: use exact decimals"


def check_set_aside(rows: Sequence[SetAside]) -> None:
    """Everything set aside can be shown with its reason."""
    for row in rows:
        assert row.detail, f"mapping.py: {row.name}: {row.reason.value} without a detail"
        assert row.raw, f"mapping.py: {row.name}: raw is empty: keep the item's own JSON"
        assert row.supplier_plan_id, f"mapping.py: {row.name}: an id is needed to show it"


def check_ids(walk: Walk) -> None:
    """No id stands for two items, in a sandbox whose ids are all different."""
    repeated = [key for key, times in Counter(walk.keys).items() if times > 1]
    assert not repeated, f"mapping.py: supplier_plan_id {repeated[:3]} stands for several items: use unmapped.Once"


def check_texts(walk: Walk) -> None:
    """What a supplier wrote is short, on one line and without markup."""
    use = "use providers.kit.text.clean_text"
    for text in walk.texts():
        assert len(text) <= LONGEST_TEXT, f"mapping.py: a text of {len(text)} characters: {use}"
        assert "<" not in text, f"mapping.py: markup in {text[:60]!r}: {use}"
        assert text.isprintable(), f"mapping.py: control or RTL marks in {text[:60]!r}: {use}"
    assert all(b"\0" not in row.raw for row in walk.set_aside), (
        "mapping.py: NUL in raw: use providers.kit.text.raw_json"
    )


def check_imports(folder: Path) -> None:
    """A plugin knows the contract and its ground, no gateway and no other supplier; its pure files do no I/O."""
    for file in sorted(folder.rglob("*.py")):
        for module in _imported(file):
            top, *rest = module.split(".")
            if file.name in PURE:
                assert top not in IO, (
                    f"{folder.name}/{file.name} imports {module}: it is pure, so move that to client.py"
                )
            others = _NOT_ITS_BUSINESS - {folder.name}
            allowed = top == "schemas" or (top == "providers" and not others.intersection(rest[:1]))
            assert top not in OURS or allowed, (
                f"{folder.name}/{file.name} imports {module}: a plugin knows schemas, providers.contract and what is "
                "beside it, but no gateway and no other supplier"
            )


def unmapped(manifest: Manifest, walk: Walk) -> str:
    """What to fill in so that items become offers."""
    rows = [f"  {row.supplier_plan_id} {row.name!r}: {row.reason.value}: {row.detail}" for row in walk.set_aside[:5]]
    head = f"providers/{manifest.name}/mapping.py: fill in how these become offers:"
    return "\n".join([head, *(rows or ["  (the sandbox showed no items)"])])


def keep(world: SandboxWorld, supplier: str, wanted: Callable[[Item, int], bool]) -> None:
    """Take every item out of the world that is not wanted; each is asked for with its place in the list."""
    items = world.items(supplier)
    world.remove(supplier, [item.key for place, item in enumerate(items) if not wanted(item, place)])


def fault(kind: FaultKind, after: int = 0) -> Fault:
    """A fault from the call after so many on, until it is lifted."""
    return Fault(kind, after=after, seconds=5 if kind is FaultKind.SLOW else 0)


def without_raw(row: Offer | SetAside) -> Offer | SetAside:
    """A row as it is compared: the JSON of one plan may be laid out differently from that in a list."""
    return msgspec.structs.replace(row, raw=b"") if isinstance(row, SetAside) else row


def is_expected_failure(test: Any) -> bool:
    """Whether a test is marked as failing, with a reason."""
    return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in getattr(test, "pytestmark", ()))


def refuses(manifest: Manifest, values: Mapping[str, Any]) -> bool:
    """Whether the settings type refuses these values."""
    try:
        manifest.settings.model_validate(values)
    except ValidationError:
        return True
    return False


async def end_of(call: Awaitable[T]) -> T | SupplierError:
    """What a call gave, or the error of the tree that it ended in; any other error is the plugin's fault."""
    try:
        return await call
    except SupplierError as error:
        return error


async def error_of(method: Callable[..., Any]) -> BaseException | None:
    """What a method raises, called with nothing in particular."""
    arguments = [None] * len(inspect.signature(method).parameters)
    try:
        answer = method(*arguments)
        if inspect.isawaitable(answer):
            await answer
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller looks at it
        return error
    return None


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module == "providers":
                yield from (f"providers.{name.name}" for name in node.names)
            else:
                yield node.module
