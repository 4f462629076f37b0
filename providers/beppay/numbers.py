"""BepPay's virtual numbers in the gateway's words. Pure, with the tables of ``orders``.

A purchase carries no word of ours, and its answer names no order. The history tells country, tier and time: what
became of an attempt is the one row of that kind, dated like the call, that belongs to nobody else. Where it could be
one of two nobody here chooses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from providers.beppay import wire
from providers.beppay.orders import CLOCKS_APART, PRICES, charged, money, order_state, utc
from providers.contract import NUMBER_CLOCKS_APART
from providers.kit.amounts import is_amount, without_float_tail
from providers.kit.places import is_country
from providers.kit.text import clean_text
from schemas.account import NumberCountry, NumberTier
from schemas.money import Money
from schemas.order import NumberDelivery, NumberWanted, PurchaseRequest, SupplierOrder, SupplierOrderState

# eSIM orders and number orders are counted apart, and both count from 1.
ORDER_PREFIX = "number-"
MOST_DAYS = 3660
MOST_TEXT = 100
_TELLING_DIGITS = 7

_COUNTRY = msgspec.json.Decoder(wire.NumberCountry, strict=False)
_TIER = msgspec.json.Decoder(wire.NumberTier, strict=False)
_ROW = msgspec.json.Decoder(wire.HistoryNumber, strict=False)
_PURCHASED = msgspec.json.Decoder(wire.Charged[wire.PurchasedNumber], strict=False)
_NUMBER_ONLY = msgspec.json.Decoder(wire.NumberOnly, strict=False)
_log = structlog.get_logger("providers.beppay")


def countries(raws: Iterable[msgspec.Raw]) -> list[NumberCountry]:
    """The countries in which numbers are sold; a row that names none is left out and written down."""
    found: dict[str, NumberCountry] = {}
    for raw in raws:
        try:
            number_country = country(_COUNTRY.decode(raw))
        except (ValueError, RecursionError):
            number_country = None
        if number_country is None:
            _log.warning("number_row_skipped", what="country")
        else:
            found.setdefault(number_country.code, number_country)
    return list(found.values())


def country(row: wire.NumberCountry) -> NumberCountry | None:
    """One country, None when its code is none. The name stays as it is written: a purchase repeats it."""
    code = row.code.strip().upper()
    if not is_country(code) or not row.name.strip() or len(row.name) > MOST_TEXT or not row.name.isprintable():
        return None
    return NumberCountry(code=code, name=row.name)


def tiers(raws: Iterable[msgspec.Raw]) -> list[NumberTier]:
    """How long numbers are held; a row without days or price is left out, as are two of one id that differ."""
    found: dict[str, NumberTier] = {}
    twice: set[str] = set()
    for raw in raws:
        try:
            number_tier = tier(_TIER.decode(raw))
        except (ValueError, RecursionError):
            number_tier = None
        if number_tier is None:
            _log.warning("number_row_skipped", what="tier")
        elif found.setdefault(number_tier.id, number_tier) != number_tier:
            twice.add(number_tier.id)
    if twice:
        _log.warning("number_row_skipped", what="tier told twice", rows=len(twice))
    return [number_tier for number_tier in found.values() if number_tier.id not in twice]


def tier(row: wire.NumberTier) -> NumberTier | None:
    """One tier, its price in USD; None when it cannot be sold as it is written."""
    plain = 0 < len(row.id) <= MOST_TEXT and row.id.isprintable() and row.id == row.id.strip()
    if not plain or not 0 < row.days <= MOST_DAYS or not is_amount(row.price_usd) or row.price_usd <= 0:
        return None
    name = clean_text(row.name, MOST_TEXT) or row.id
    return NumberTier(id=row.id, name=name, days=row.days, cost=Money(without_float_tail(row.price_usd), PRICES))


def purchase_answer(body: bytes, wanted: NumberWanted) -> SupplierOrder:
    """What a purchase gave, out of its whole answer. Raises ``ValueError`` when there is no reading it."""
    try:
        return purchased(_PURCHASED.decode(body), wanted)
    except (ValueError, RecursionError):
        bare = _NUMBER_ONLY.decode(body)
        return purchased(wire.Charged(data=wire.PurchasedNumber(phone_number=bare.data.phone_number)), wanted)


def purchased(answer: wire.Charged[wire.PurchasedNumber], wanted: NumberWanted) -> SupplierOrder:
    """What a purchase gave. Without a number it is pending; a number of another kind is PARTIAL, for an operator."""
    purchase = answer.data
    order = SupplierOrder(
        supplier_order_id=None, reference=None, state=SupplierOrderState.PENDING, charged=charged(answer.meta)
    )
    if not purchase.phone_number:
        return order
    number = NumberDelivery(
        phone_number=purchase.phone_number.strip(),
        expires_at=None if purchase.expires_at is None else utc(purchase.expires_at),
    )
    order = msgspec.structs.replace(order, state=SupplierOrderState.COMPLETED, number=number)
    other = purchase.country_code is not None and purchase.country_code.strip().upper() != wanted.country
    if other or (purchase.tier is not None and purchase.tier.id != wanted.tier_id):
        error = "the number is of another country or tier than was bought"
        return msgspec.structs.replace(order, state=SupplierOrderState.PARTIAL, error=error)
    return order


def history(raws: Iterable[msgspec.Raw], wanted: NumberWanted | None) -> list[wire.HistoryNumber]:
    """The rows that can be read. Raises ``ValueError`` for one that cannot and could be a number like ``wanted``."""
    rows: list[wire.HistoryNumber] = []
    for raw in raws:
        try:
            rows.append(_ROW.decode(raw))
        except (ValueError, RecursionError):
            text = bytes(raw)
            if wanted is None or (wanted.country.encode() in text and wanted.tier_id.encode() in text):
                raise ValueError("a row that could be this number's cannot be read") from None
    return rows


def attempt_s_own(
    rows: Sequence[wire.HistoryNumber],
    request: PurchaseRequest,
    supplier_order_id: str | None,
    taken: Collection[str],
    seconds: float,
) -> wire.HistoryNumber | None:
    """The row that this attempt made, None when no row could be; ``seconds`` is how long its call may have taken.

    Raises ``ValueError`` when more than one could be, or when one only could be if clocks were further apart than
    they should be.
    """
    wanted = request.number
    assert wanted is not None  # noqa: S101 - a request of this kind
    if supplier_order_id is not None:
        known = next((row for row in rows if order_id(row) == supplier_order_id), None)
        if known is not None and not _is_like(known, wanted):
            raise ValueError("the order is of another country or tier")
        return known
    free = [row for row in rows if _is_like(row, wanted) and not _is_taken(row, taken)]
    first = request.signed_at - NUMBER_CLOCKS_APART
    last = request.deadline + timedelta(seconds=seconds) + NUMBER_CLOCKS_APART
    dated = [row for row in free if row.created_at is not None]
    near = [row for row in dated if first <= _at(row) <= last]
    undated = len(free) - len(dated)
    if len(near) + undated > 1 or (undated and not near):
        raise ValueError(f"{len(near) + undated} orders of this country and tier could be this attempt's")
    if near:
        return near[0]
    if any(first - CLOCKS_APART <= _at(row) <= last + CLOCKS_APART for row in dated):
        raise ValueError("an order of this country and tier is nobody's, and is dated otherwise than the call")
    return None


def reaches_back(rows: Sequence[wire.HistoryNumber], count: int, total: int | None, since: datetime) -> bool:
    """Whether a history of ``count`` rows without an attempt's order says something.

    It does when it is whole, or begins before the attempt.
    """
    if total is None or total <= count:
        return True
    return any(row.created_at is not None and _at(row) < since - CLOCKS_APART for row in rows)


def from_history(row: wire.HistoryNumber) -> SupplierOrder:
    """One row of the history of numbers."""
    number = None
    if row.phone_number:
        number = NumberDelivery(
            phone_number=row.phone_number.strip(),
            expires_at=None if row.expires_at is None else utc(row.expires_at),
            autorenew=row.autorenew,
            status=clean_text(row.status, MOST_TEXT) or None,
        )
    return SupplierOrder(
        supplier_order_id=order_id(row),
        reference=None,
        state=order_state(row.status),
        charged=money(row.cost_usd, row.currency),
        created_at=None if row.created_at is None else utc(row.created_at),
        number=number,
    )


def order_id(row: wire.HistoryNumber) -> str:
    """The order's number, told apart from those of eSIM orders."""
    return f"{ORDER_PREFIX}{row.id}"


def _is_like(row: wire.HistoryNumber, wanted: NumberWanted) -> bool:
    country = None if row.country_code is None else row.country_code.strip().upper()
    return country in {None, wanted.country} and row.tier_id in {None, wanted.tier_id}


def _is_taken(row: wire.HistoryNumber, taken: Collection[str]) -> bool:
    digits = "".join(letter for letter in row.phone_number or "" if letter.isdigit())
    # A history may write a number without its country's code that the answer told with it, or the other way round.
    return order_id(row) in taken or any(
        digits.endswith(other) or other.endswith(digits)
        for other in taken
        if min(len(digits), len(other)) >= _TELLING_DIGITS and other.isdigit()
    )


def _at(row: wire.HistoryNumber) -> datetime:
    assert row.created_at is not None  # noqa: S101 - the callers leave out what has none
    return utc(row.created_at)
