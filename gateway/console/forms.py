"""A posted form, read field by field: what is wrong is gathered beside its field, what was typed is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl

from aiohttp import web

from gateway.kit.request_body import receive_body
from schemas.money import Money

LONGEST = 10_000
MOST_FIELDS = 10_000
CSRF_FIELD = "csrf"
_FORM_TYPE = "application/x-www-form-urlencoded"


class Form:
    """What was typed and what is wrong with it, both by field. Every reader gives None for what is not there."""

    def __init__(self, typed: Mapping[str, str], several: Mapping[str, list[str]] | None = None) -> None:
        # PostgreSQL has no text with a NUL in it, and nobody types one.
        self.typed = {name: value.replace("\0", "") for name, value in typed.items()}
        self.errors: dict[str, str] = {}
        self._several = several or {}

    def __bool__(self) -> bool:
        """Whether nothing is wrong."""
        return not self.errors

    def wrong(self, name: str, why: str) -> None:
        """Say what is wrong with a field; "" is the form as a whole. The first word stands."""
        self.errors.setdefault(name, why)

    def text(self, name: str, *, required: bool = False, most: int = 200) -> str:
        """A line of text, "" when there is none."""
        value = self.typed.get(name, "").strip()
        if required and not value:
            self.wrong(name, "is required")
        elif len(value) > most:
            self.wrong(name, f"is longer than {most:,} characters")
        return value

    def all(self, name: str) -> list[str]:
        """Every value of a field that stands there several times (boxes that were ticked)."""
        return self._several.get(name, [])

    def ticked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.typed.get(name))

    def choice(self, name: str, among: Collection[str], *, required: bool = True) -> str:
        """One of some words, "" when it is none of them."""
        value = self.typed.get(name, "").strip()
        if not value and not required:
            return ""
        if value not in among:
            self.wrong(name, f"must be one of {', '.join(among)}" if value else "is required")
            return ""
        return value

    def decimal(
        self,
        name: str,
        *,
        required: bool = False,
        least: Decimal | int | None = None,
        most: Decimal | int | None = None,
    ) -> Decimal | None:
        """An exact number."""
        value = self.text(name, required=required, most=40).replace(" ", "").replace(",", ".")
        if not value or name in self.errors:
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            self.wrong(name, "is not a number")
        elif least is not None and number < least:
            self.wrong(name, f"must be {least} or more")
        elif most is not None and number > most:
            self.wrong(name, f"must be {most} or less")
        else:
            return number
        return None

    def whole(
        self, name: str, *, required: bool = False, least: int | None = None, most: int | None = None
    ) -> int | None:
        """A whole number."""
        number = self.decimal(name, required=required, least=least, most=most)
        if number is None:
            return None
        if number != number.to_integral_value():
            self.wrong(name, "must be a whole number")
            return None
        return int(number)

    def money(self, name: str, currency: str, *, required: bool = False) -> Money | None:
        """An amount of that currency, not negative."""
        number = self.decimal(name, required=required, least=0)
        return None if number is None else Money(number, currency)

    def moment(self, name: str, *, required: bool = False) -> datetime | None:
        """A date, or a date and time, in UTC."""
        value = self.text(name, required=required, most=40)
        if not value or name in self.errors:
            return None
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.wrong(name, "is not a date")
            return None
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


class FormError(Exception):
    """The body of a request is no form. The text says what to send."""


async def form_data(request: web.Request, *, longest: int = LONGEST) -> Form:
    """The form that a request carries. Nothing of it is longer than ``longest`` characters.

    Raises ``FormError`` and ``BodyError``.
    """
    typed: dict[str, str] = {}
    several: dict[str, list[str]] = {}
    for name, value in await _fields(request):
        if name != CSRF_FIELD:
            typed.setdefault(name, value[:longest])
            several.setdefault(name, []).append(value[:longest])
    return Form(typed, several)


async def csrf_field(request: web.Request) -> str:
    """The token that a form carries, "" when there is none. Raises as ``form_data`` does."""
    return next((value for name, value in await _fields(request) if name == CSRF_FIELD), "")


async def _fields(request: web.Request) -> list[tuple[str, str]]:
    """The fields of a form as every page of ours sends one: URL-encoded, in UTF-8."""
    body = await receive_body(request)
    if request.content_type != _FORM_TYPE and body:
        raise FormError(f"Send the form as {_FORM_TYPE}.")
    if (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        raise FormError("Send the form in UTF-8.")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        raise FormError("The form is not valid UTF-8.") from None
    except ValueError:
        raise FormError(f"Send at most {MOST_FIELDS:,} fields.") from None


def query_form(request: web.Request) -> Form:
    """The filters of a page's address, read in the same way."""
    several = {name: request.query.getall(name) for name in request.query}
    return Form({name: values[0] for name, values in several.items()}, several)
