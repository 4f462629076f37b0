"""The Python types of schemas: of answers as msgspec decodes them, and of what a caller hands over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clients.generate.described import Schema

_PLAIN = {"integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_FORMATS = {"date-time": "datetime", "date": "date", "binary": "bytes"}
_NUMBER = re.compile(r"\^-?\??\[0-9\].*\\\.")  # the pattern of a text that is an exact number


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
            return f"{self.models}Event"
        if (choices := schema.get("anyOf") or schema.get("oneOf")) is not None:
            return _union(self._type(choice, is_sent=is_sent) for choice in choices)
        if "const" in schema:
            return _constant(schema["const"], is_sent=is_sent)
        if "enum" in schema:
            return self.models + self.choices[tuple(schema["enum"])]
        return self._plain(schema, is_sent=is_sent)

    def _plain(self, schema: Schema, *, is_sent: bool) -> str:
        match schema.get("type"):
            case "string":
                return self._text(schema, is_sent=is_sent)
            case "array":
                item = self._type(schema["items"], is_sent=is_sent)
                return f"Sequence[{item}]" if is_sent else f"list[{item}]"
            case "object":
                value = schema.get("additionalProperties")
                item = self._type(value, is_sent=is_sent) if isinstance(value, Mapping) else "Any"
                return f"Mapping[str, {item}]" if is_sent else f"dict[str, {item}]"
            case kind:
                return _PLAIN.get(str(kind), "Any")

    def _text(self, schema: Schema, *, is_sent: bool) -> str:
        if _NUMBER.match(schema.get("pattern", "")):
            return "Decimal | str" if is_sent else "Decimal"
        return _FORMATS.get(schema.get("format", ""), "str")


def _constant(value: object, *, is_sent: bool) -> str:
    if isinstance(value, bool) and not is_sent:
        return "bool"  # msgspec decodes no literal that is a boolean
    return f'Literal["{value}"]' if isinstance(value, str) else f"Literal[{value}]"


def _union(kinds: Iterable[str]) -> str:
    found = list(dict.fromkeys(kinds))
    return " | ".join(sorted(found, key=lambda kind: kind == "None"))
