"""What is sent to buy a voucher or recharge, and the codes in what comes back. Pure.

The page writes a code's keys in two ways ("serialNumber" in an order, "serial_number" in a webhook), so they
are read in any spelling; a PIN is taken to the letter, for it is typed in somewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from msgspec import Raw

from providers.kit.text import clean_text
from providers.s2s import orders, wire
from schemas.order import GoodWanted, VoucherCode

# Each of these must be one that ``providers.kit.scrub`` takes for a secret: what was said to suppliers is kept.
PIN_KEYS = ("pin", "pincode", "vouchercode")
SERIAL_KEYS = ("serialnumber", "serial")
EXPIRY_KEYS = ("expiration", "expirationdate", "expiresat")
MESSAGE_KEYS = ("message", "status")

_LONGEST_CODE = 1000  # some PINs are links
_MOST_CODES = 1001  # one more than an order may have: too many are not taken for enough


def new_order(reference: str, good: GoodWanted, amount_field: str) -> wire.NewGoodOrder:
    """The body of an order. What the product asks for never takes the place of quantity and amount."""
    fields: dict[str, Any] = {**good.fields, "quantity": good.quantity}
    if good.amount is not None:
        fields[amount_field] = Raw(f"{good.amount.amount:f}".encode())
    return wire.NewGoodOrder(reference, wire.NewGoodItem(good.sku, fields))


def codes(answer: wire.Order, *, recharge: bool = False) -> tuple[VoucherCode, ...]:
    """Every code that an order delivered; of a ``recharge`` what the supplier says of it instead."""
    rows = (row for item in answer.items or () for row in _rows(item.delivery_data))
    found = (_code(row, recharge=recharge) for _, row in zip(range(_MOST_CODES), rows, strict=False))
    return tuple(code for code in found if code is not None)


def _rows(delivered: Any) -> Iterator[Mapping[str, Any]]:
    for row in delivered if isinstance(delivered, list) else [delivered]:
        if isinstance(row, dict):
            yield {key.casefold().replace("_", "").replace("-", ""): value for key, value in row.items()}


def _code(row: Mapping[str, Any], *, recharge: bool) -> VoucherCode | None:
    pin, serial = _secret(row, PIN_KEYS), _secret(row, SERIAL_KEYS)
    message = next(
        (text for key in MESSAGE_KEYS if isinstance(row.get(key), str) and (text := clean_text(row[key]))), None
    )
    if pin is None and serial is None:
        return VoucherCode(told=message) if recharge and message else None
    return VoucherCode(pin, serial, _expiry(row), message)


def _secret(row: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    """A text as it stands, but for blanks around it; None for one that nobody could type."""
    for key in keys:
        value = row.get(key)
        text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if text and len(text) <= _LONGEST_CODE and text.isprintable():
            return text
    return None


def _expiry(row: Mapping[str, Any]) -> datetime | None:
    """The last moment of a code; a date alone means the whole of that day."""
    text = next((row[key] for key in EXPIRY_KEYS if isinstance(row.get(key), str)), None)
    if text is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time(23, 59, 59), UTC)
    except ValueError:
        return orders.moment(text)
