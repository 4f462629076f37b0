"""A product's parameters as bePaid takes them, or what is wrong with each in its words. Pure; for the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from babel.numbers import list_currencies

from providers.bepaid.wire import TransactionType, VisibleField

REQUIRED = ("name", "description", "currency", "amount", "language")
_BLANK = "can't be blank"
_LONGEST = 255
_MOST = 10**12
_WHOLE = re.compile(r"\d{1,13}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d[+-]\d\d:\d\d)?")


class WrongParametersError(ValueError):
    """The faults of each parameter, by its name."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(". ".join(f"{_title(name)} {fault}" for name, faults in errors.items() for fault in faults))
        self.errors = errors


class _WrongError(ValueError):
    """The faults of one parameter."""


def checked(parameters: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    """The parameters with their types. Raises ``WrongParametersError``; those that nobody knows are passed over."""
    errors: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for name, check in _CHECKS.items():
        if name not in parameters or parameters[name] is None:
            if new and name in REQUIRED:
                errors[name] = [_BLANK]
            continue
        try:
            values[name] = check(parameters[name])
        except _WrongError as error:
            errors[name] = list(error.args)
    if parameters.get("infinite") is True and "quantity" in parameters:
        errors.setdefault("quantity", []).append("must not be sent when the product is infinite")
    if new and values.get("infinite") is not True and "quantity" not in parameters:
        errors["quantity"] = [_BLANK]
    if new and values.get("quantity") == 0:
        errors["quantity"] = ["must be greater than 0"]
    if errors:
        raise WrongParametersError(errors)
    return values


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _WrongError(_BLANK)
    if len(value) > _LONGEST:
        raise _WrongError(f"is too long (maximum is {_LONGEST} characters)")
    return value


def _currency(value: Any) -> str:
    code = _text(value)
    faults = [] if re.fullmatch("[A-Z]{3}", code) else ["is not in ISO 4217 Alpha-3 format"]
    if code not in list_currencies():
        faults.append("is unknown ISO 4217 Alpha-3 code")
    if faults:
        raise _WrongError(*faults)
    return code


def _whole(value: Any) -> int:
    """A whole number as text."""
    if not isinstance(value, str) or not _WHOLE.fullmatch(value) or int(value) > _MOST:
        raise _WrongError("is not a number")
    return int(value)


def _amount(value: Any) -> int:
    """Minor units: text in the page's creations, a number in its update."""
    amount = _whole(str(value) if type(value) is int else value)
    if amount == 0:
        raise _WrongError("must be greater than 0")
    return amount


def _must(accepts: Callable[[Any], bool], fault: str) -> Callable[[Any], Any]:
    """A check of a value that is taken as it is."""

    def check(value: Any) -> Any:
        if not accepts(value):
            raise _WrongError(fault)
        return value

    return check


def _moment(value: Any) -> datetime:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise _WrongError("is invalid")
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise _WrongError("is invalid") from None


def _are_fields(value: Any) -> bool:
    return isinstance(value, list) and all(name in list(VisibleField) for name in value)


def _url(value: Any) -> str:
    address = _text(value)
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not address.isprintable():
        raise _WrongError("is invalid")
    return address


_NOT_LISTED = "is not included in the list"
_FLAG = _must(lambda value: isinstance(value, bool), "is not a boolean")
_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "name": _text,
    "description": _text,
    "currency": _currency,
    "amount": _amount,
    "quantity": _whole,
    "infinite": _FLAG,
    "visible_fields": _must(_are_fields, _NOT_LISTED),
    "test": _FLAG,
    "immortal": _FLAG,
    "expired_at": _moment,
    "return_url": _url,
    "language": _must(lambda value: bool(re.fullmatch("[a-z]{2}", _text(value))), _NOT_LISTED),
    "transaction_type": _must(lambda value: value in list(TransactionType), _NOT_LISTED),
}


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
