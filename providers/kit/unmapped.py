"""Items that cannot be a plan: kept with the reason, the words that were not understood, and as they came."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec
import numpy as np
from msgspec import Raw

from providers.kit.amounts import without_float_tail
from providers.kit.first_values import FirstValues, Numbers
from providers.kit.text import ID_LENGTH, clean_text, is_supplier_id, raw_json
from providers.kit.units import MOST_MB, declared_text, over_days
from schemas.money import Money
from schemas.plan import About, DataAllowance, Offer, SetAside, SetAsideReason

MAX_COST = Decimal(100_000)
MAX_DECIMALS = 8
MOST_WORDS = 20
UNNAMED = "unnamed-"

_FIELD = re.compile(r"at `\$\.(\w+)")


class Unmapped(Exception):  # noqa: N818 - a decision on its way up, not a fault
    """Why an item cannot be a plan. Mapping functions raise it, the one for a whole item turns it into a row."""

    def __init__(
        self, reason: SetAsideReason, detail: str, about: About = About.NOTHING, words: Iterable[str] = ()
    ) -> None:
        """``words`` are those ``about`` which nothing is known, as the supplier writes them."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.about = about
        self.words = tuple(words)

    def row(self, raw: Raw, supplier_plan_id: str | None, name: str, cost: Money | None = None) -> SetAside:
        """The item as a set-aside row. One without an id gets a stand-in that is stable for its JSON."""
        return SetAside(
            supplier_plan_id or UNNAMED + hashlib.blake2b(raw, digest_size=8).hexdigest(),
            name,
            self.reason,
            clean_text(self.detail),
            raw_json(raw),
            self.about,
            tuple(filter(None, map(clean_text, self.words[:MOST_WORDS]))),
            cost,
        )


def unreadable(
    raw: Raw, error: Exception, *, id_fields: tuple[str, ...], reasons: Mapping[str, SetAsideReason]
) -> SetAside:
    """Set an item aside whose JSON has another shape than the page's.

    ``reasons`` gives the reason by the name of the field that spoilt it; NO_NAME for all others.
    """
    field = _FIELD.search(str(error))
    reason = reasons.get(field[1] if field else "", SetAsideReason.NO_NAME)
    try:
        fields = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        fields = None
    known = fields if isinstance(fields, dict) else {}
    ids = [id_or_none(known[name]) for name in id_fields if isinstance(known.get(name), str | int)]
    name = known.get("name")
    return Unmapped(reason, f"not readable: {error}").row(
        raw, next(filter(None, ids), None), clean_text(name) if isinstance(name, str) else ""
    )


def id_or_none(value: str | int | None) -> str | None:
    """A supplier's id exactly as it came; None where there is none, or none that can be kept."""
    text = "" if value is None else str(value)
    return text if is_supplier_id(text) else None


def id_of(value: str | int | None, missing: str) -> str:
    """The same. Raises ``Unmapped`` with the reason; ``missing`` is the detail where the supplier gave no id."""
    found = id_or_none(value)
    if found is not None:
        return found
    text = "" if value is None else str(value)
    if not text.strip():
        raise Unmapped(SetAsideReason.NO_NAME, missing)
    if len(text) > ID_LENGTH:
        raise Unmapped(SetAsideReason.NO_NAME, f"an id of {len(text)} characters; at most {ID_LENGTH} can be kept")
    raise Unmapped(SetAsideReason.NO_NAME, f"an id with unprintable characters: {text!a}")


def cost_of(amount: Decimal | None, currency: str, most: Decimal = MAX_COST) -> Money:
    """A price as money. Raises ``Unmapped`` for one that is missing, not positive or beyond all reason.

    ``most`` is what is beyond reason, in ``currency``: 100,000 dollars are, as many dong are not. A price within 10^-9
    of a number with at most six decimals is that number.
    """
    if amount is None or not amount.is_finite() or not 0 < amount <= most:
        raise Unmapped(SetAsideReason.NO_PRICE, f"price {amount}")
    amount = without_float_tail(amount)
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_DECIMALS:
        raise Unmapped(SetAsideReason.NO_PRICE, f"price with {-exponent} digits after the point")
    return Money(amount, currency)


def amount_of(data: DataAllowance, days: int) -> DataAllowance:
    """An amount as an offer of so many days has it.

    Raises ``Unmapped`` for one that no supplier sells to one traveller.
    """
    stated = data.full_speed.mb if data.full_speed is not None else None
    if stated is not None and stated > MOST_MB:
        raise Unmapped(SetAsideReason.UNLIKELY_AMOUNT, f"data {declared_text(stated)}", About.DATA)
    return over_days(data, days)


def cost_if_any(amount: Decimal | None, currency: str) -> Money | None:
    """The price of an item that is unmapped, for the sake of knowing what hangs on it; None when there is none."""
    try:
        return cost_of(amount, currency)
    except Unmapped:
        return None


class Once:
    """Sees to it that no id of a walk stands for two items: one that comes again with other content is unmapped.

    The sync then sells nothing under that id. An item that comes again as it came passes, and counts once.
    """

    def __init__(self) -> None:
        self._seen = FirstValues()  # hashes: the texts themselves would be most of a walk's memory

    def contradict(self, ids: Sequence[str], raws: Sequence[Raw]) -> list[bool]:
        """Remember the items of a page: of which of them the id stood for other content before."""
        keys, contents = _hashes(ids), _hashes(map(bytes, raws))
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        _, before = self._seen.add(keys[first], contents[first])
        found: list[bool] = (before[which] != contents).tolist()
        return found

    def __call__(self, found: Sequence[Offer | SetAside], raws: Sequence[Raw]) -> list[Offer | SetAside]:
        """The items of a page themselves, or that their id stood for other content before."""
        contradict = self.contradict([item.supplier_plan_id for item in found], raws)
        return [
            contradictory(item, raw) if contradicts else item
            for item, raw, contradicts in zip(found, raws, contradict, strict=True)
        ]


def contradictory(item: Offer | SetAside, raw: Raw) -> SetAside:
    """An item whose id stood for other content before."""
    plan_id = item.supplier_plan_id
    why = Unmapped(SetAsideReason.CONTRADICTORY, f"the id {plan_id} stands more than once, with different content")
    return why.row(raw, plan_id, item.name, item.cost)


def _hashes(values: Iterable[str | bytes]) -> Numbers:
    return np.fromiter(map(hash, values), dtype=np.int64).view(np.uint64)
