"""The TypeScript types of schemas: of answers as their JSON is, and of what a caller hands over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clients.generate.described import Schema

EVENT = "GatewayEvent"  # the DOM has an Event of its own, which an import that is forgotten would mean
_PLAIN = {"integer": "number", "number": "number", "boolean": "boolean", "null": "null", "string": "string"}


@dataclass(frozen=True)
class Types:
    """Writes types. ``choices`` are the names of choices of texts by their values.

    ``models`` and ``bodies`` stand before the names of answers, of choices and of what is sent.
    """

    schemas: Mapping[str, Schema]
    choices: Mapping[tuple[str, ...], str]
    models: str = ""
    bodies: str = ""

    def answer(self, schema: Schema) -> str:
        """The type of a part of an answer."""
        return self._type(schema, is_sent=False)

    def sent(self, schema: Schema) -> str:
        """The type of an argument."""
        return self._type(schema, is_sent=True)

    def _type(self, schema: Schema, *, is_sent: bool) -> str:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            owner = self.bodies if is_sent else self.models
            target = self.schemas[name]
            return f"{owner}{name}" if "properties" in target else self._type(target, is_sent=is_sent)
        if "discriminator" in schema:  # only the types of events differ by a field
            return self.models + EVENT
        if (choices := schema.get("anyOf") or schema.get("oneOf")) is not None:
            return _union(self._type(choice, is_sent=is_sent) for choice in choices)
        if "const" in schema:
            return json.dumps(schema["const"])
        if "enum" in schema:
            return self.models + self.choices[tuple(schema["enum"])]
        return self._plain(schema, is_sent=is_sent)

    def _plain(self, schema: Schema, *, is_sent: bool) -> str:
        match schema.get("type"):
            case "string" if is_sent and schema.get("format") == "date-time":
                return "Date | string"
            case "array":
                item = self._type(schema["items"], is_sent=is_sent)
                items = f"({item})[]" if "|" in item else f"{item}[]"
                return f"readonly {items}" if is_sent else items
            case "object":
                value = schema.get("additionalProperties")
                item = self._type(value, is_sent=is_sent) if isinstance(value, Mapping) else "unknown"
                record = f"Record<string, {item}>"
                return f"Readonly<{record}>" if is_sent else record
            case kind:
                return _PLAIN.get(str(kind), "unknown")


def _union(kinds: Iterable[str]) -> str:
    found = list(dict.fromkeys(kinds))
    return " | ".join(sorted(found, key=lambda kind: kind == "null"))
