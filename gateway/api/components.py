"""The schemas of a document: those that msgspec makes of the types, with what generators of clients need beside.

Each property has a description and, where it is a time, its format. A field of an answer that is always there is
required. No field of a request has a ``default``: generators take such fields for required; its description names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import msgspec
import orjson
from msgspec import inspect
from msgspec import json as msgspec_json

from gateway.api.descriptions import class_of, field_texts, text_of, text_of_type
from schemas.patterns import as_ecmascript

REF = "#/components/schemas/{name}"
_PAGE_OF = re.compile(r"Page_(\w+)_")
_CODES = {"^[A-Z]{2}$": "CountryCode", "^[A-Z]{3,4}$": "CurrencyCode"}
CODES: Mapping[str, dict[str, Any]] = {
    "CountryCode": {
        "type": "string", "pattern": "^[A-Z]{2}$", "examples": ["JP"],
        "description": "A country, as ISO 3166-1 alpha-2 in capitals; `XK` is Kosovo.",
    },
    "CurrencyCode": {
        "type": "string", "pattern": "^[A-Z]{3,4}$", "examples": ["USD"],
        "description": "A currency, as ISO 4217 in capitals; in a request any that has an exchange rate.",
    },
}  # fmt: skip
_NAMED = (inspect.StructType, inspect.EnumType)


def component_name(kind: Any) -> str:
    """The name of a type in the document: ``Page[Order]`` is ``OrderPage``."""
    (row,) = get_args(kind) or (None,)
    return str(kind.__name__ if row is None else f"{row.__name__}Page")


def components_of(kinds: Iterable[Any], bodies: Iterable[Any] = ()) -> dict[str, dict[str, Any]]:
    """The schemas of these types and of all within them, by name. Requests are made of ``bodies``."""
    everything = sorted({*kinds, *bodies}, key=component_name)
    raw = as_ecmascript(msgspec_json.schema_components(everything, ref_template=REF)[1])
    types = dict(_named_types(everything))
    request_names = {name for name, _ in _named_types(bodies)}
    return {
        name: _component(schema, name, types[name], is_request=name in request_names)
        for name, schema in ((_own_name(raw_name), schema) for raw_name, schema in raw.items())
    }


def parameters_of(kind: type[msgspec.Struct]) -> Iterator[dict[str, Any]]:
    """The parameters of a query that is checked against this type."""
    components = as_ecmascript(msgspec_json.schema_components([kind], ref_template=REF)[1])
    described = components[kind.__name__]
    texts = field_texts(kind)
    for field in _fields(kind):
        schema = refined(described["properties"][field.encode_name], field.type)
        schema.pop("description", None)
        parameter = {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "description": texts.get(field.name) or text_of_type(field.type),
            "schema": schema,
        }
        yield parameter | ({"style": "form", "explode": True} if schema.get("type") == "array" else {})


def enumerations_of(kind: type[msgspec.Struct]) -> Iterator[type]:
    """The enumerations in a query's type, which its parameters refer to."""
    for field in _fields(kind):
        for found in _within(field.type):
            if isinstance(found, inspect.EnumType):
                yield found.cls


def refined(schema: Any, kind: inspect.Type | None = None) -> Any:
    """A schema with the names of codes, constants and formats in the place of what msgspec writes."""
    if isinstance(schema, list):
        return [refined(part, kind) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if (name := _CODES.get(str(schema.get("pattern")))) is not None:
        rest = {key: schema[key] for key in ("description", "default") if key in schema}
        return {"$ref": REF.format(name=name)} | rest
    made = {key: refined(value, kind) if key in {"anyOf", "items"} else value for key, value in schema.items()}
    if isinstance(made.get("additionalProperties"), dict):
        made["additionalProperties"] = refined(made["additionalProperties"])
    if (values := made.get("enum")) is not None:
        if all(isinstance(value, str) for value in values):
            made["type"] = "string"
        if len(values) == 1:  # generators of clients know a constant, and no enum of booleans
            made["const"] = made.pop("enum")[0]
            made.setdefault("type", "boolean")
    if kind is not None and made.get("type") == "string" and _is_time(kind):
        made["format"] = "date-time"
    return made


def _component(schema: dict[str, Any], name: str, kind: inspect.Type, *, is_request: bool) -> dict[str, Any]:
    made = refined({key: value for key, value in schema.items() if key != "properties"})
    if isinstance(kind, _NAMED):
        made["description"] = text_of(kind.cls)
    if not isinstance(kind, inspect.StructType):
        return dict(made)
    made["title"] = name
    texts, cls = field_texts(kind.cls), class_of(kind.cls)
    if kind.tag_field is not None:
        tag = refined(schema["properties"][kind.tag_field])
        made["properties"] = {kind.tag_field: {"description": texts.get(kind.tag_field, ""), **tag}}
    made.setdefault("properties", {})
    for field in kind.fields:
        raw = schema["properties"][field.encode_name]
        made["properties"][field.encode_name] = _property(raw, field, texts.get(field.name), is_request=is_request)
    omits = cls.__struct_config__.omit_defaults  # type: ignore[attr-defined]
    if not is_request and not omits and kind.fields:
        always = [field.encode_name for field in kind.fields if _is_always_there(field)]
        made["required"] = ([kind.tag_field] if kind.tag_field is not None else []) + always
    return dict(made)


def _property(schema: dict[str, Any], field: inspect.Field, text: str | None, *, is_request: bool) -> dict[str, Any]:
    made = refined(schema, field.type)
    default = made.pop("default", None)
    for choice in made.get("anyOf", ()):
        choice.pop("description", None)
    made.pop("description", None)
    text = text or text_of_type(field.type)
    if is_request and default not in (None, [], {}, ""):
        text = f"{text} `{orjson.dumps(default).decode()}` by default."
    return {"description": text, **made}


def _is_always_there(field: inspect.Field) -> bool:
    """Whether an answer has the field: what may be unset has no default that msgspec tells of."""
    return field.required or any(default is not msgspec.NODEFAULT for default in (field.default, field.default_factory))


def _fields(kind: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(kind)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{kind.__name__} is no struct")
    return info.fields


def _own_name(raw_name: str) -> str:
    """A component's name in the document, where msgspec writes ``Page_Order_``."""
    row = _PAGE_OF.fullmatch(raw_name)
    return raw_name if row is None else f"{row[1]}Page"


def _named_types(kinds: Iterable[Any]) -> Iterator[tuple[str, inspect.Type]]:
    """Every struct and enumeration in these types, by its name in the document."""
    seen: set[Any] = set()
    for kind in inspect.multi_type_info(list(kinds)):
        for found in _within(kind, seen):
            if isinstance(found, _NAMED):
                yield component_name(found.cls), found


def _within(kind: inspect.Type, seen: set[Any] | None = None) -> Iterator[inspect.Type]:
    """A type and all within it."""
    seen = set() if seen is None else seen
    if isinstance(kind, inspect.StructType):
        if kind.cls in seen:
            return
        seen.add(kind.cls)
    yield kind
    inner: list[inspect.Type] = []
    match kind:
        case inspect.Metadata():
            inner = [kind.type]
        case inspect.UnionType():
            inner = list(kind.types)
        case inspect.ListType() | inspect.VarTupleType():
            inner = [kind.item_type]
        case inspect.DictType():
            inner = [kind.key_type, kind.value_type]
        case inspect.StructType():
            inner = [field.type for field in kind.fields]
    for part in inner:
        yield from _within(part, seen)


def _is_time(kind: inspect.Type) -> bool:
    match kind:
        case inspect.Metadata():
            return _is_time(kind.type)
        case inspect.UnionType():
            return any(map(_is_time, kind.types))
        case inspect.ListType():
            return _is_time(kind.item_type)
        case _:
            return isinstance(kind, inspect.DateTimeType)
