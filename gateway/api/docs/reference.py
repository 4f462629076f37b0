"""The API's description as a reader wants it: operations by tag, with their fields, answers and error codes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from gateway.api.problems import PROBLEM_TYPE

Schema = Mapping[str, Any]
_JSON = "application/json"
_PART = re.compile(r"\{\w+\}")
_NOT_SHOWN = frozenset({"documentation"})  # tags: the reader is there


@dataclass(frozen=True, slots=True)
class Field:
    """A field or a parameter. ``fields`` are those within it, ``choices`` the values that it may have."""

    name: str
    kind: str
    text: str
    is_required: bool
    choices: Sequence[str] = ()
    fields: Sequence[Field] = ()


@dataclass(frozen=True, slots=True)
class Thing:
    """An object that operations answer with."""

    name: str
    text: str
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``bodies`` are the kinds of body that it takes; ``answer`` is the schema of a good answer.

    ``example`` is what it answers, None for bytes and for nothing; ``row`` the schema of a row, where all are of one.
    """

    id: str
    method: str
    path: str
    tag: str
    summary: str
    text: str
    is_public: bool
    parameters: Mapping[str, Sequence[Field]]
    bodies: Sequence[Thing]
    body_example: Any
    answer_type: str
    answer: str | None
    row: str | None
    example: Any
    statuses: Mapping[str, str]
    problems: Sequence[str]

    @property
    def is_list(self) -> bool:
        """Whether it answers with rows."""
        return self.id.startswith("list_")

    @property
    def searchable(self) -> str:
        """All that is said of it, for the search."""
        named = [*(field for fields in self.parameters.values() for field in fields)]
        named += [field for body in self.bodies for field in body.fields]
        parts = [f"{self.method} {self.path}", self.text, *(f"{field.name}: {field.text}" for field in named)]
        return " ".join([*parts, *self.statuses.values()])


@dataclass(frozen=True, slots=True)
class Event:
    """An event that is sent to webhook endpoints."""

    name: str
    summary: str
    text: str
    example: Any
    fields: Sequence[Field]


class Reference:
    """An OpenAPI document of ours."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._schemas: Mapping[str, Schema] = document["components"]["schemas"]

    @property
    def title(self) -> str:
        """The document's title."""
        return str(self._document["info"]["title"])

    @property
    def introduction(self) -> str:
        """What it says before all operations, in Markdown."""
        return str(self._document["info"]["description"])

    @cached_property
    def tags(self) -> Mapping[str, str]:
        """The tags that have operations, each with what it is about."""
        used = {operation.tag for operation in self.operations}
        return {tag["name"]: tag["description"] for tag in self._document["tags"] if tag["name"] in used}

    @cached_property
    def operations(self) -> Sequence[Operation]:
        """All operations, in the order of the document, but for those that lead to documentation."""
        made = (
            self._operation(path, method, described)
            for path, methods in self._document["paths"].items()
            for method, described in methods.items()
        )
        return [operation for operation in made if operation.tag not in _NOT_SHOWN]

    @cached_property
    def by_call(self) -> Mapping[str, Operation]:
        """Operations as a text names them: ``GET /v1/orders/{}``, whatever stands in the braces."""
        return {call_of(f"{operation.method} {operation.path}"): operation for operation in self.operations}

    @cached_property
    def events(self) -> Sequence[Event]:
        """The events of the document."""
        return [self._event(name, webhook["post"]) for name, webhook in self._document.get("webhooks", {}).items()]

    @cached_property
    def ids(self) -> Mapping[str, str]:
        """An example of an id for each collection: that of ``orders`` for ``/v1/orders/{id}``."""
        found: dict[str, str] = {}
        for operation in self.operations:
            rows = operation.example.get("data") if isinstance(operation.example, dict) else None
            example = rows[0] if isinstance(rows, list) and rows else operation.example
            if isinstance(example, dict) and isinstance(example.get("id"), str):
                found.setdefault(_PART.split(operation.path)[0].rstrip("/").rpartition("/")[2], example["id"])
                found.setdefault(_PART.sub("", operation.path).rstrip("/").rpartition("/")[2], example["id"])
        return found

    def of_tag(self, tag: str) -> list[Operation]:
        """The operations of a tag."""
        return [operation for operation in self.operations if operation.tag == tag]

    def things_of(self, operations: Sequence[Operation]) -> list[Thing]:
        """The objects that these answer with, each once."""
        names = dict.fromkeys(operation.row or operation.answer for operation in operations)
        return [self._thing(name) for name in names if name is not None]

    def example_path(self, operation: Operation) -> str:
        """The path with examples in its parts."""
        done, *segments = operation.path.split("/")
        made = [done]
        for before, segment in zip([done, *segments], segments, strict=False):
            made.append(self._example_part(segment.strip("{}"), before) if segment.startswith("{") else segment)
        return "/".join(made)

    def _example_part(self, name: str, collection: str) -> str:
        return {"country": "JP", "currency": "EUR"}.get(name) or self.ids.get(collection, name)

    def _operation(self, path: str, method: str, described: Mapping[str, Any]) -> Operation:
        responses = described["responses"]
        good = next(answer for status, answer in responses.items() if status.startswith("2"))
        content: Mapping[str, Any] = good.get("content", {})
        answer_type = next(iter(content), "")
        media: Mapping[str, Any] = content.get(answer_type, {})
        schema: Schema = media.get("schema", {})
        name = _ref_name(schema) if "$ref" in schema else None
        body: Mapping[str, Any] = described.get("requestBody", {"content": {}})["content"].get(_JSON, {})
        parameters: dict[str, list[Field]] = {}
        for parameter in described["parameters"]:
            field = self._field(parameter["name"], parameter["schema"], parameter["description"], (), deep=False)
            made = Field(field.name, field.kind, field.text, parameter["required"], field.choices)
            parameters.setdefault(parameter["in"], []).append(made)
        codes = _codes(responses, self._document["components"].get("responses", {}))
        return Operation(
            id=described["operationId"],
            method=method.upper(),
            path=path,
            tag=described["tags"][0],
            summary=described["summary"],
            text=described["description"],
            is_public=not described["security"],
            parameters=parameters,
            bodies=[self._thing(_ref_name(choice)) for choice in _choices(body.get("schema"))],
            body_example=body.get("example"),
            answer_type=answer_type,
            answer=name,
            row=self._row(name),
            example=media.get("example"),
            statuses={
                status: answer["description"]
                for status, answer in responses.items()
                if status.startswith(("2", "3")) and "description" in answer
            },
            problems=list(dict.fromkeys(codes)),
        )

    def _row(self, name: str | None) -> str | None:
        if name is None:
            return None
        rows: Schema = self._schemas[name].get("properties", {}).get("data", {})
        return _ref_name(rows["items"]) if "$ref" in rows.get("items", {}) else None

    def _event(self, name: str, described: Mapping[str, Any]) -> Event:
        content = described["requestBody"]["content"][_JSON]
        return Event(
            name=name,
            summary=described["summary"],
            text=described["description"],
            example=content["example"],
            fields=self._thing(_ref_name(content["schema"])).fields,
        )

    def _thing(self, name: str) -> Thing:
        schema = self._schemas[name]
        return Thing(name, str(schema.get("description", "")), self._fields(schema, (name,)))

    def _fields(self, schema: Schema, within: tuple[str, ...]) -> list[Field]:
        required = schema.get("required", ())
        made = []
        for name, part in schema.get("properties", {}).items():
            field = self._field(name, part, part.get("description", ""), within)
            made.append(Field(field.name, field.kind, field.text, name in required, field.choices, field.fields))
        return made

    def _field(self, name: str, schema: Schema, text: str, within: tuple[str, ...], *, deep: bool = True) -> Field:
        kind, choices, inner = self._kind(schema)
        fields: list[Field] = []
        if inner is not None and inner not in within and deep:
            fields = self._fields(self._schemas[inner], (*within, inner))
        return Field(name, kind, text, is_required=False, choices=choices, fields=fields)

    def _kind(self, schema: Schema) -> tuple[str, Sequence[str], str | None]:
        """The kind of a value in words, the values that it may have, and the name of the object that it is."""
        if "anyOf" in schema:
            some = [self._kind(choice) for choice in schema["anyOf"]]
            kinds = dict.fromkeys(kind for kind, _, _ in some)
            values = [value for _, of_one, _ in some for value in of_one]
            return " or ".join(kinds), values, next((inner for _, _, inner in some if inner is not None), None)
        if "$ref" in schema:
            name = _ref_name(schema)
            referred = self._schemas[name]
            if "properties" in referred:
                return "object", (), name
            return self._kind(referred)
        for key, name in (("items", "array"), ("additionalProperties", "map")):
            if isinstance(schema.get(key), dict):
                kind, choices, inner = self._kind(schema[key])
                return f"{name} of {kind}s", choices, inner
        return _plain_kind(schema), _values(schema), None


def call_of(text: str) -> str:
    """What names an operation in a text, with nothing in its braces and without a query."""
    return _PART.sub("{}", text.partition("?")[0])


def _plain_kind(schema: Schema) -> str:
    if "enum" in schema:
        return "string"
    kind = schema.get("type", "any")
    return str(schema.get("format", " or ".join(kind) if isinstance(kind, list) else kind))


def _values(schema: Schema) -> list[str]:
    """The values that there are, of a choice or a constant."""
    return [str(value) if isinstance(value, str) else orjson.dumps(value).decode() for value in _listed(schema)]


def _listed(schema: Schema) -> Sequence[Any]:
    listed: Sequence[Any] = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return listed


def _choices(schema: Schema | None) -> Sequence[Schema]:
    if schema is None:
        return ()
    found: Sequence[Schema] = schema.get("oneOf", [schema])
    return found


def _codes(responses: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[str]:
    """The error codes that an operation may answer."""
    for response in responses.values():
        whole = shared[_ref_name(response)] if "$ref" in response else response
        yield from whole.get("content", {}).get(PROBLEM_TYPE, {}).get("examples", {})


def _ref_name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
