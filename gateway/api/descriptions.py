"""What the documents say of a type and its fields: the docstring of its class, read when a document is made.

A class describes its fields in an ``Attributes:`` section, for those that inherit them too. A field that has no line
there is described by its type: by ``Meta(description=…)``, or by the first sentence of the struct or enumeration in it.
"""

from __future__ import annotations

import inspect as python_inspect
import re
from typing import Any, get_origin

from msgspec import inspect

_SECTION = re.compile(r"^Attributes:[ ]*\n", re.MULTILINE)
_LINE = re.compile(r"^    (?P<name>\w+): (?P<text>.+(?:\n {5,}.+)*)", re.MULTILINE)
_SENTENCE = re.compile(r".+?\.(?=\s|\Z)", re.DOTALL)


def class_of(kind: Any) -> type:
    """The class itself, also of ``Page[Order]``."""
    found: type = get_origin(kind) or kind
    return found


def text_of(kind: Any) -> str:
    """What a class is, without the section on its fields; empty without a docstring of its own."""
    return _paragraphs(_SECTION.split(_docstring(class_of(kind)), maxsplit=1)[0])


def field_texts(kind: Any) -> dict[str, str]:
    """What the docstrings of a class and of its bases say of fields, by their names; the class itself goes first."""
    texts: dict[str, str] = {}
    for base in reversed(class_of(kind).__mro__):
        _, *section = _SECTION.split(_docstring(base), maxsplit=1)
        for line in _LINE.finditer("".join(section)):
            texts[line["name"]] = _paragraphs(line["text"])
    return texts


def text_of_type(kind: inspect.Type) -> str:
    """What a field's type says of it; empty where it says nothing."""
    match kind:
        case inspect.Metadata():
            own: str = (kind.extra_json_schema or {}).get("description", "")
            return own or text_of_type(kind.type)
        case inspect.UnionType():
            return next(filter(None, map(text_of_type, kind.types)), "")
        case inspect.StructType() | inspect.EnumType():
            return first_sentence(text_of(kind.cls))
        case inspect.ListType() | inspect.VarTupleType():
            return text_of_type(kind.item_type)
        case _:
            return ""


def first_sentence(text: str) -> str:
    """The first sentence of a text."""
    found = _SENTENCE.match(text)
    return found[0] if found else text


def _docstring(cls: type) -> str:
    return python_inspect.cleandoc(cls.__dict__.get("__doc__") or "") + "\n"


def _paragraphs(text: str) -> str:
    """The text with one line for each paragraph, and with Markdown's code marks in place of Sphinx's."""
    return "\n\n".join(" ".join(part.split()) for part in text.replace("``", "`").split("\n\n") if part.strip())
