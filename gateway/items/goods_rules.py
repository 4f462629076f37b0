"""Digital goods: what one costs, how its price is watched, and whether an order asks for it rightly. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal

import msgspec

from schemas.good import CustomPrice, Good, GoodField
from schemas.money import Money, currency_digits

PREFIX = "good_"
RECHARGE = "recharge"
LONGEST_ANSWER = 200
# A denomination of one's choice is watched by what so many of it cost.
MEASURED_AMOUNT = Decimal(100)
_EXACT = Context(prec=60)
_PERCENT = Decimal(100)

Faults = list[tuple[str, str]]
"""JSON pointer and what is wrong there."""


class Texts(msgspec.Struct, frozen=True):
    """What a good is called in one language; ``labels`` are of its fields, by their names."""

    name: str
    product_name: str = ""
    description: str = ""
    category: str | None = None
    attributes: dict[str, str] = {}
    labels: dict[str, str] = {}


class Terms(msgspec.Struct, frozen=True):
    """What an order for a good is held against."""

    denomination: str
    max_per_order: int | None
    custom: CustomPrice | None
    fields: tuple[GoodField, ...]


def good_id(provider: str, sku: str) -> str:
    """The public id of a good: the same at every account of a provider."""
    return PREFIX + hashlib.blake2b(f"{provider}\0{sku}".encode(), digest_size=12).hexdigest()


def texts_of(good: Good) -> Texts:
    """What a good is called in its language."""
    labels = {field.name: field.label for field in good.fields}
    return Texts(good.name, good.product_name, good.description, good.category, good.attributes, labels)


def text_in(texts: Mapping[str, Texts], wanted: str | None, own: str) -> Texts:
    """The texts in the language that is wanted, else in the account's own."""
    return texts.get(wanted or own) or texts.get(own) or next(iter(texts.values()))


def is_recharge(kind: str) -> bool:
    """Whether a type of good is put somewhere by the supplier, so that no code comes of it."""
    return kind.startswith(RECHARGE)


def unit_cost(cost: Money | None, custom: CustomPrice | None, amount: Decimal | None) -> Money | None:
    """What one costs. Of a denomination of one's choice its rate and markups, rounded up to the currency's digits.

    Up, because a supplier that rounds takes at most that. None without an amount where one is needed, and for
    what would come to nothing.
    """
    if custom is None or amount is None:
        return cost if custom is None else None
    exact = Money(_custom(custom, amount), custom.cost_currency).rounded_up()
    return exact if exact.amount > 0 else None


def measure(cost: Money | None, custom: CustomPrice | None) -> Money:
    """What tells a move of its price: its cost, or that of 100 of the denomination's currency, exact."""
    if cost is not None:
        return cost
    if custom is None:
        raise ValueError("a good has a cost or a rate")
    return Money(_custom(custom, MEASURED_AMOUNT), custom.cost_currency)


def faults(
    terms: Terms, quantity: int, amount: Money | None, answers: Mapping[str, str], pointer: str = "/fields"
) -> Faults:
    """What is wrong with an order for this good, each with a pointer; empty when it may be placed."""
    found: Faults = []
    if terms.max_per_order is not None and quantity > terms.max_per_order:
        found.append(("/quantity", f"at most {terms.max_per_order} in one order"))
    found += _amount_faults(terms.custom, amount)
    named = {field.name: field for field in terms.fields}
    found += [(_pointer(pointer, name), "is not asked for") for name in answers if name not in named]
    for field in terms.fields:
        if (fault := _answer_fault(field, answers.get(field.name))) is not None:
            found.append((_pointer(pointer, field.name), fault))
    return found


def denominates(custom: CustomPrice | None, amount: Money | None) -> bool:
    """Whether a denomination that was sold is one that is on offer here; what is listed may have changed since."""
    return not _amount_faults(custom, amount)


def widest(terms: Sequence[Terms]) -> Terms:
    """What at least one of several accounts allows; they sell the same product, so all else is the first's."""
    bounds = [term.max_per_order for term in terms]
    return msgspec.structs.replace(
        terms[0],
        max_per_order=None if None in bounds else max(bound for bound in bounds if bound is not None),
    )


def _custom(custom: CustomPrice, amount: Decimal) -> Decimal:
    share = _EXACT.add(Decimal(1), _EXACT.divide(custom.markup_percent, _PERCENT))
    return _EXACT.add(_EXACT.multiply(_EXACT.multiply(amount, custom.rate), share), custom.markup_fixed)


def _amount_faults(custom: CustomPrice | None, amount: Money | None) -> Faults:  # noqa: PLR0911 - one for each fault
    if custom is None:
        return [] if amount is None else [("/amount", "this good has a denomination of its own")]
    if amount is None:
        return [("/amount", f"is required: an amount of {custom.currency}")]
    if amount.currency != custom.currency:
        return [("/amount/currency", f"must be {custom.currency}")]
    if amount.amount <= 0:
        return [("/amount/amount", "must be more than 0")]
    if -int(amount.amount.as_tuple().exponent) > currency_digits(custom.currency):
        return [("/amount/amount", f"{custom.currency} has {currency_digits(custom.currency)} digits after the point")]
    if custom.least is not None and amount.amount < custom.least:
        return [("/amount/amount", f"at least {custom.least:f}")]
    if custom.most is not None and amount.amount > custom.most:
        return [("/amount/amount", f"at most {custom.most:f}")]
    return []


def _answer_fault(field: GoodField, answer: str | None) -> str | None:
    if answer is None or not answer.strip():
        return "is required" if field.required else None
    if len(answer) > LONGEST_ANSWER:
        return f"has more than {LONGEST_ANSWER} characters"
    if not answer.isprintable():
        return "has characters that cannot be printed"
    if field.options and answer not in field.options:
        return "must be one of the options"
    if field.pattern is not None and re.search(f"(?:{field.pattern})", answer) is None:
        return f"does not fit the pattern {field.pattern}"
    return None


def _pointer(base: str, name: str) -> str:
    return f"{base}/{name.replace('~', '~0').replace('/', '~1')}"
