"""What the storefronts' OpenAPI document says, in the words that a client is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.api.client_names import method_of
from gateway.api.openapi import STOREFRONTS, document
from gateway.app import all_routes

Schema = Mapping[str, Any]
_VERSION = "/v1/"
_JSON = "application/json"
_HARMLESS = frozenset({"create_quote", "validate_order"})  # they change nothing, so they may be sent twice


@dataclass(frozen=True)
class Argument:
    """A parameter or a field of a body."""

    name: str
    schema: Schema
    text: str
    is_required: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation. ``bodies`` are the kinds of body that it takes, each with its fields; ``body_names`` name them.

    ``group`` and ``name`` are what it is called by: ``orders`` and ``list_events`` for ``list_order_events``.
    ``answer`` is the name of the answer's schema, None for bytes; ``row`` that of a row, where the answer is a list.
    """

    id: str
    group: str
    name: str
    method: str
    path: str
    text: str
    parts: tuple[Argument, ...]
    query: tuple[Argument, ...]
    bodies: tuple[tuple[Argument, ...], ...]
    body_names: tuple[str, ...]
    headers: Mapping[str, str]
    answer: str | None
    row: str | None

    @property
    def is_harmless(self) -> bool:
        """Whether it is a POST that changes nothing."""
        return self.id in _HARMLESS


@dataclass(frozen=True)
class Description:
    """The document: operations in its order, schemas by name, and the names of events' schemas by their types.

    ``answer_names`` are the objects that answers and events are made of, ``body_names`` those within arguments.
    """

    operations: tuple[Operation, ...]
    schemas: Mapping[str, Schema]
    events: Mapping[str, str]
    answer_names: tuple[str, ...]
    body_names: tuple[str, ...]


def read_description() -> Description:
    """The document of this tree."""
    made = orjson.loads(document(all_routes(), STOREFRONTS))
    schemas = made["components"]["schemas"]
    operations = tuple(
        _operation(path, method, described, schemas)
        for path, methods in made["paths"].items()
        for method, described in methods.items()
        if path.startswith(_VERSION)
    )
    events = {
        name: _ref_name(webhook["post"]["requestBody"]["content"][_JSON]["schema"])
        for name, webhook in made["webhooks"].items()
    }
    answers = {operation.answer for operation in operations if operation.answer is not None}
    bodies = [
        argument.schema
        for operation in operations
        for arguments in (operation.query, *operation.bodies)
        for argument in arguments
    ]
    return Description(
        operations=operations,
        schemas=schemas,
        events=events,
        answer_names=_structs(schemas, {*answers, *events.values(), "Problem"}),
        body_names=_structs(schemas, _refs(bodies)),
    )


def _operation(path: str, method: str, described: Mapping[str, Any], schemas: Mapping[str, Schema]) -> Operation:
    segment = path.removeprefix(_VERSION).split("/")[0]
    answer = _answer(described["responses"])
    body_names = tuple(_body_names(described))
    parameters: dict[str, tuple[Argument, ...]] = {
        place: tuple(
            Argument(each["name"], each["schema"], each["description"], each["required"])
            for each in described["parameters"]
            if each["in"] == place
        )
        for place in ("path", "query", "header")
    }
    return Operation(
        id=described["operationId"],
        group=segment.replace("-", "_"),
        name=method_of(described["operationId"], path, described["tags"]),
        method=method.upper(),
        path=path,
        text=f"{described['summary']}.\n\n{described['description']}",
        parts=parameters["path"],
        query=parameters["query"],
        bodies=tuple(tuple(fields_of(schemas[name])) for name in body_names),
        body_names=body_names,
        headers={header.name: header.text for header in parameters["header"]},
        answer=answer,
        row=_row(described["operationId"], answer, schemas),
    )


def _answer(responses: Mapping[str, Any]) -> str | None:
    """The name of the schema of a good answer; None for a picture."""
    content = next(answer["content"] for status, answer in responses.items() if status.startswith("2"))
    return _ref_name(content[_JSON]["schema"]) if _JSON in content else None


def _row(operation_id: str, answer: str | None, schemas: Mapping[str, Schema]) -> str | None:
    if answer is None or not operation_id.startswith("list_"):
        return None
    row = schemas[answer]["properties"]["data"]["items"]
    return _ref_name(row) if "$ref" in row else "Event"


def _body_names(described: Mapping[str, Any]) -> Iterator[str]:
    if "requestBody" not in described:
        return
    schema = described["requestBody"]["content"][_JSON]["schema"]
    yield from map(_ref_name, schema.get("oneOf", [schema]))


def fields_of(schema: Schema) -> Iterator[Argument]:
    """The properties of an object."""
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        yield Argument(name, part, part["description"], name in required)


def choices_of(description: Description) -> dict[tuple[str, ...], str]:
    """A name for each choice of texts: that of its schema, or the shortest of the fields that hold it."""
    names: dict[tuple[str, ...], set[str]] = {}
    for owner, schema in description.schemas.items():
        for values in _enums(schema, at_top=True):
            names.setdefault(values, set()).add(owner)
        for argument in fields_of(schema):
            for values in _enums(argument.schema):
                names.setdefault(values, set()).add(owner + camel(argument.name))
    for operation in description.operations:
        for argument in operation.query:
            for values in _enums(argument.schema):
                names.setdefault(values, set()).add(camel(operation.id.removeprefix("list_")) + camel(argument.name))
    return {
        values: min(found, key=lambda name: (name not in description.schemas, len(name), name))
        for values, found in names.items()
    }


def camel(name: str) -> str:
    """``NoStock`` for ``no_stock``."""
    return "".join(word.capitalize() for word in name.split("_"))


def _enums(schema: Schema, *, at_top: bool = False) -> Iterator[tuple[str, ...]]:
    if "enum" in schema:
        yield tuple(schema["enum"])
    if at_top:
        return
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _enums(choice)
    for part in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, Mapping):
            yield from _enums(part)


def _structs(schemas: Mapping[str, Schema], names: set[str]) -> tuple[str, ...]:
    """These schemas and all that they refer to, as far as they are objects."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= _refs(schemas[name]) - found
    return tuple(sorted(name for name in found if "properties" in schemas[name]))


def _refs(part: Any) -> set[str]:
    if isinstance(part, Mapping):
        own = {_ref_name(part)} if "$ref" in part else set()
        return own.union(*map(_refs, part.values()))
    return set().union(*map(_refs, part)) if isinstance(part, list | tuple) else set()


def _ref_name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
