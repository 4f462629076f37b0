"""Examples of requests and answers, made from their types and from the examples beside the fields (``schemas``)."""

from __future__ import annotations

from functools import cache
from typing import Any

from msgspec import UNSET, inspect

from schemas.examples import AT

_LISTS = (inspect.ListType, inspect.VarTupleType)
_SHOWN = (inspect.StructType, inspect.DictType, *_LISTS)  # also when they may be null
_PLAIN: dict[type[inspect.Type], Any] = {
    inspect.BoolType: False, inspect.IntType: 0, inspect.FloatType: 0.0, inspect.DecimalType: "0",
    inspect.DateTimeType: AT, inspect.DateType: AT[:10],
}  # fmt: skip


def example_of(kind: Any, own_values: Any = UNSET) -> Any:
    """The example of a type, as JSON. What is ``given`` takes the place of what would be made, also deep within.

    A field is shown with the example beside it, otherwise with that of its type: a list has one row, a dict none, an
    enumeration its first value. Without an example of its own a field with a default is left out, and what may be null
    is null unless it is a struct, a list or a dict. Raises ``LookupError`` for text and for a choice of literals that
    have no example, and for a given field that the type does not have.
    """
    return _example(_type_info(kind), own_values, str(kind))


_type_info = cache(inspect.type_info)


def _example(kind: inspect.Type, own_values: Any, where: str) -> Any:
    if isinstance(kind, inspect.Metadata):
        return _example(kind.type, _merged(_own(kind), own_values), where)
    if isinstance(kind, inspect.UnionType):
        return _optional(kind, own_values, where)
    if isinstance(kind, inspect.StructType):
        return _struct(kind, {} if own_values is UNSET else own_values)
    if isinstance(kind, _LISTS):
        return [_example(kind.item_type, row, where) for row in ([UNSET] if own_values is UNSET else own_values)]
    return _plain(kind, where) if own_values is UNSET else own_values


def _optional(kind: inspect.UnionType, own_values: Any, where: str) -> Any:
    value = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    if own_values is UNSET and kind.includes_none and not isinstance(value, _SHOWN) and _own(value) is UNSET:
        return None
    return None if own_values is None else _example(value, own_values, where)


def _struct(kind: inspect.StructType, own_values: dict[str, Any]) -> dict[str, Any]:
    name = kind.cls.__name__
    if unknown := own_values.keys() - {field.encode_name for field in kind.fields}:
        raise LookupError(f"{name} has no field {', '.join(sorted(unknown))}")
    tag = {} if kind.tag_field is None else {kind.tag_field: kind.tag}
    return tag | {
        field.encode_name: _example(field.type, own_values.get(field.encode_name, UNSET), f"{name}.{field.name}")
        for field in kind.fields
        if field.required or field.encode_name in own_values or _is_shown(field.type)
    }


def _is_shown(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.Metadata) and "example" in (kind.extra or {})


def _own(kind: inspect.Type) -> Any:
    """The example beside a type, or the first one of its JSON schema."""
    if not isinstance(kind, inspect.Metadata):
        return UNSET
    (first, *_) = (kind.extra_json_schema or {}).get("examples", [UNSET])
    return (kind.extra or {}).get("example", first)


def _merged(own: Any, own_values: Any) -> Any:
    if isinstance(own, dict) and isinstance(own_values, dict):
        return own | {name: _merged(own.get(name, UNSET), value) for name, value in own_values.items()}
    return own if own_values is UNSET else own_values


def _plain(kind: inspect.Type, where: str) -> Any:
    if isinstance(kind, inspect.LiteralType) and len(kind.values) == 1:
        return kind.values[0]
    if isinstance(kind, inspect.EnumType):
        return next(iter(kind.cls)).value
    if isinstance(kind, inspect.DictType):
        return {}
    if type(kind) not in _PLAIN:
        raise LookupError(f'{where} needs an example: Annotated[…, example("…")] of schemas.examples')
    return _PLAIN[type(kind)]
