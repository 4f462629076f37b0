"""Requests, checked: queries and JSON bodies become the types of ``schemas.api``, or a 422 that points."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import msgspec
import orjson
from aiohttp import web
from msgspec import inspect

from gateway.api.problems import Refusal, invalid
from gateway.kit.request_body import receive_body
from providers.kit.places import is_country, unknown_country
from schemas.patterns import pattern_as_ecmascript

T = TypeVar("T", bound=msgspec.Struct)
V = TypeVar("V")

DEEPEST = 32  # levels of objects and arrays in a body; what requests need is four
_INTEGER = re.compile(r"-?[0-9]{1,15}\Z")
_AT = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_FIELD = re.compile(r"(?:unknown|required) field `(?P<field>[^`]*)`")
_UNKNOWN_VALUE = re.compile(r"Invalid enum value (?P<value>.+)")
_NO_MATCH = re.compile(r"Expected `str` matching regex (?P<pattern>.+)")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
_TRUTH = {"true": True, "false": False}
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def read_query(request: web.Request, kind: type[T]) -> T:
    """The query as ``kind``. A name that is not a field of it, or stands twice, is refused like a wrong value."""
    shapes = _shapes(kind)
    values: dict[str, Any] = {}
    for name, text in request.query.items():
        require_no_nul(f"/{name}", text)
        shape = shapes.get(name)
        if shape is None:
            known = ", ".join(sorted(shapes))
            raise invalid(f"/{name}", f"unknown parameter; known are {known}" if known else "unknown parameter")
        if shape == "list":
            values.setdefault(name, []).append(text)
        elif name in values:
            raise invalid(f"/{name}", "is given more than once")
        else:
            values[name] = _scalar(name, shape, text)
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise _pointed(error, kind) from None


async def read_body(request: web.Request, *kinds: type[T], optional: bool = False) -> T:
    """The JSON body as the first of ``kinds`` that has a field in common with it, else as the last.

    Raises ``BodyError``, and ``Refusal``: 415 no JSON by its type, 400 no JSON by its text or nested too deep, 422 not
    as it should be.
    """
    raw = await receive_body(request)
    if not raw and optional:
        return kinds[-1]()
    if request.content_type != "application/json":
        raise Refusal("unsupported_media_type", "send Content-Type: application/json")
    try:
        sent = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refusal("malformed", f"the body is not valid JSON: {error.msg} at character {error.pos}") from None
    sent = _plain(sent, "")
    if not isinstance(sent, dict):
        raise invalid("", "must be a JSON object")
    *others, last = [kind.__struct_fields__[0] for kind in kinds]
    named = [kind for kind in kinds if kind.__struct_fields__[0] in sent]
    if others and not named:
        raise invalid(f"/{last}", f"is required, or one of {', '.join(others)}")
    kind = named[0] if named else kinds[-1]
    if len(named) > 1:
        raise invalid(f"/{named[-1].__struct_fields__[0]}", f"may not stand beside {kind.__struct_fields__[0]}")
    try:
        return msgspec.convert(sent, kind)
    except msgspec.ValidationError as error:
        raise _pointed(error, kind) from None


def require_country(code: str | msgspec.UnsetType) -> None:
    """Refuse an unknown country, where one was sent. Raises ``Refusal``."""
    if code is not msgspec.UNSET and not is_country(code):
        raise invalid("/country", unknown_country(code))


def require_no_nul(pointer: str, text: str) -> None:
    """Refuse text with a NUL in it, which PostgreSQL stores in no text. Raises ``Refusal``."""
    if "\0" in text:
        raise invalid(pointer.replace("\0", ""), "may not contain a NUL character")


def unset_to_none(value: V | msgspec.UnsetType) -> V | None:
    """What was sent, None when nothing was."""
    return None if value is msgspec.UNSET else value


def clamped(moment: datetime) -> datetime:
    """A time in UTC that every part can reckon with."""
    try:
        return max(moment.astimezone(UTC), _EARLIEST)
    except OverflowError:
        return _EARLIEST if moment.year < _EARLIEST.year else datetime.max.replace(tzinfo=UTC)


def pointer_of(path: str) -> str:
    """A JSON pointer for a path as msgspec writes it ("$.features.topup", without the $)."""
    return "".join(f"/{name or number or '*'}" for name, number in _STEP.findall(path))


def _plain(value: Any, pointer: str, depth: int = 0) -> Any:
    """The value with whole numbers for floats like 5.0, which JSON takes for 5.

    Refuses text with a NUL in it, and (400) values nested deeper than ``DEEPEST``.
    """
    if isinstance(value, str):
        require_no_nul(pointer, value)
    elif isinstance(value, float) and value.is_integer():
        return int(value)
    elif isinstance(value, (dict, list)) and depth >= DEEPEST:
        raise Refusal("malformed", f"Nest objects and arrays at most {DEEPEST} levels deep.")
    elif isinstance(value, dict):
        for name in value:
            require_no_nul(pointer, name)
        return {name: _plain(inner, f"{pointer}/{name}", depth + 1) for name, inner in value.items()}
    elif isinstance(value, list):
        return [_plain(inner, f"{pointer}/{place}", depth + 1) for place, inner in enumerate(value)]
    return value


_type_info = cache(inspect.type_info)


def _pointed(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> Refusal:
    text = str(error)
    at = _AT.search(text)
    detail = text[: at.start()] if at else text
    pointer = pointer_of(at["path"]) if at else ""
    if at and (expected := _expected(detail, _types_at(_type_info(kind), _STEP.findall(at["path"])))):
        return invalid(pointer, expected)
    if field := _FIELD.search(detail):
        pointer += f"/{field['field']}"
        detail = "is unknown" if "unknown" in field[0] else "is required"
    return invalid(pointer, detail.replace("`", "").removeprefix("Invalid "))


def _expected(detail: str, types: Iterable[inspect.Type]) -> str | None:
    """A fault of one value, as msgspec tells it, with what the types in its place allow; None for another fault."""
    if (form := _NO_MATCH.fullmatch(detail)) is not None:
        examples = (kind.extra_json_schema or {} for kind in types if isinstance(kind, inspect.Metadata))
        example = next((found["examples"][0] for found in examples if "examples" in found), None)
        such_as = "" if example is None else f", such as {_in_json(example)}"
        return f"Must match {pattern_as_ecmascript(literal_eval(form['pattern']))}{such_as}."
    if (unknown := _UNKNOWN_VALUE.fullmatch(detail)) is None:
        return None
    value = unknown["value"]
    choices = next(filter(None, map(_choices, types)), [])
    sent = f'"{value[1:-1]}"' if value[0] in "'\"" else value.lower()
    return f"Unknown value {sent}." + (f" Use {_alternatives(choices)}." if choices else "")


def _choices(kind: inspect.Type) -> list[str]:
    """The values of a literal or enumeration, as JSON; none of another type."""
    match kind:
        case inspect.LiteralType():
            return [_in_json(value) for value in kind.values]
        case inspect.EnumType():
            return [_in_json(member.value) for member in kind.cls]
        case _:
            return []


def _alternatives(texts: Sequence[str]) -> str:
    *others, last = texts
    return f"{', '.join(others)} or {last}" if others else last


def _in_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _types_at(kind: inspect.Type, steps: Sequence[tuple[str, str]]) -> Iterator[inspect.Type]:
    """The types that a value may have at a path within a type, each before those within it."""
    match kind:
        case inspect.UnionType():
            for part in kind.types:
                yield from _types_at(part, steps)
        case inspect.Metadata():
            if not steps:
                yield kind
            yield from _types_at(kind.type, steps)
        case _ if not steps:
            yield kind
        case inspect.StructType():
            for field in kind.fields:
                if field.encode_name == steps[0][0]:
                    yield from _types_at(field.type, steps[1:])
        case inspect.ListType():
            yield from _types_at(kind.item_type, steps[1:])


def _scalar(name: str, shape: str, text: str) -> Any:
    if shape == "int":
        if not _INTEGER.match(text):
            raise invalid(f"/{name}", "must be a whole number")
        return int(text)
    if shape == "bool":
        if text not in _TRUTH:
            raise invalid(f"/{name}", "must be true or false")
        return _TRUTH[text]
    if shape == "time":  # a + that was not escaped arrives as a space
        return re.sub(r" (\d\d:?\d\d)\Z", r"+\1", text)
    return text


@cache
def _shapes(kind: type[msgspec.Struct]) -> dict[str, str]:
    """How each parameter stands in a query: list, int, bool, time or text."""
    info = _type_info(kind)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{kind.__name__} is no struct")
    return {field.encode_name: _shape(field.type) for field in info.fields}


def _shape(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.UnionType):
        return _shape(kind.types[0])
    if isinstance(kind, inspect.Metadata):
        return _shape(kind.type)
    if isinstance(kind, inspect.LiteralType):
        return "bool" if kind.values == (True,) else "text"
    return next((shape for known, shape in _SHAPES if isinstance(kind, known)), "text")


_SHAPES: tuple[tuple[type[inspect.Type], str], ...] = (
    (inspect.ListType, "list"),
    (inspect.IntType, "int"),
    (inspect.DateTimeType, "time"),
    (inspect.BoolType, "bool"),
)
