"""The Python client's generated files: types of answers and of arguments, operations, and a class for each problem.

``openapi-python-client`` writes several hundred files of these documents; here it is one for each purpose
(docs/decisions/clients.md).
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from clients.generate.described import Argument, Description, Operation, camel, choices_of, fields_of
from clients.generate.python_types import Types
from gateway.api.problems import KINDS, Kind

PACKAGE = Path(__file__).parents[1] / "python" / "esim_gateway_client"
_WIDTH = 120
_IMPORTS = {
    r"Mapping\[": "from collections.abc import Mapping",
    r"Sequence\[": "from collections.abc import Sequence",
    r"\bdatetime\b": "from datetime import datetime",
    r"\bdate\b": "from datetime import date",
    r"\bDecimal\b": "from decimal import Decimal",
    r"\bTYPE_CHECKING\b": "from typing import TYPE_CHECKING",
    r"\bAny\b": "from typing import Any",
    r"\bLiteral\b": "from typing import Literal",
    r"\bTypeAlias\b": "from typing import TypeAlias",
    r"\bTypedDict\b": "from typing import TypedDict",
    r"\bNotRequired\b": "from typing import NotRequired",
    r"@overload": "from typing import overload",
    r"\bmsgspec\.": "import msgspec",
    r"\bbodies\.": "from . import bodies",
    r"\bmodels\.": "from . import models",
    r"\bCall\(": "from .calls import Call",
    r"\bnew_idempotency_key\(": "from .calls import new_idempotency_key",
    r"\bpath_of\(": "from .calls import path_of",
    r"\bApiError\b": "from .errors import ApiError",
    r"\bEventBase\b": "from .events import EventBase",
    r"\bUnknownEvent\b": "from .events import UnknownEvent",
    r"\bListing\b": "from .lists import Listing",
    r"\bSend\b": "from .lists import Send",
    r"\bAsyncListing\b": "from .lists import AsyncListing",
    r"\bAsyncSend\b": "from .lists import AsyncSend",
}


def files(description: Description) -> dict[Path, str]:
    """Every generated file with its text."""
    choices = choices_of(description)
    inside = Types(description.schemas, choices)
    outside = replace(inside, models="models.", bodies="bodies.")
    made = {
        "models": _models(description, inside),
        "bodies": _bodies(description, replace(inside, models="models.")),
        "problems": _problems(KINDS),
        "operations": _operations(description, outside, is_async=False),
        "async_operations": _operations(description, outside, is_async=True),
    }
    return {PACKAGE / f"{name}.py": _module(PACKAGE / f"{name}.py", "\n".join(lines)) for name, lines in made.items()}


def _module(path: Path, text: str) -> str:
    """A module with its imports, as ruff formats it."""
    title, _, body = text.partition("\n")
    code = re.sub(r'""".*?"""', "", body, flags=re.DOTALL)
    imports = [line for pattern, line in _IMPORTS.items() if re.search(pattern, code)]
    head = [f'"""{title}', "", "Made by `make clients` from the API's description. Do not edit.", '"""', ""]
    source = "\n".join([*head, "from __future__ import annotations", "", *imports, "", body])
    for command in (["check", "--fix", "--quiet", "--select=I"], ["format", "--quiet"]):
        source = subprocess.run(  # noqa: S603 - the commands are our own words
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(path), "-"],
            input=source,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return source


def _models(description: Description, types: Types) -> Iterator[str]:
    yield "What the API answers, and the events that it sends."
    yield "if TYPE_CHECKING:"
    names = sorted((name, values) for values, name in types.choices.items())
    for name, values in names:
        yield f"    {name} = Literal[{', '.join(map(_quoted, values))}]"
    yield "else:  # a newer gateway may send a value that is not listed here"
    yield from (f"    {name} = str" for name, _ in names)
    for name in description.answer_names:
        schema = description.schemas[name]
        bases = "EventBase, msgspec.Struct" if name in description.events.values() else "msgspec.Struct"
        yield f"class {name}({bases}, frozen=True, kw_only=True):"
        yield from _docstring(schema["description"], fields_of(schema), "Attributes", indent=4)
        for field in fields_of(schema):
            kind = types.answer(field.schema)
            if not field.is_required and not kind.endswith("None"):
                kind += " | None"
            yield f"    {field.name}: {kind}{' = None' if kind.endswith('None') else ''}"
    yield "if TYPE_CHECKING:"
    yield f"    Event: TypeAlias = {' | '.join(description.events.values())} | UnknownEvent"
    yield "else:"
    yield "    Event = EventBase"
    yield "EVENT_TYPES: Mapping[str, type[Event]] = {"
    yield from (f'    "{event}": {name},' for event, name in description.events.items())
    yield "}"


def _bodies(description: Description, types: Types) -> Iterator[str]:
    yield "What is handed to operations beside plain values: dicts with these keys."
    for name in description.body_names:
        schema = description.schemas[name]
        yield f"class {name}(TypedDict):"
        yield from _docstring(schema["description"], fields_of(schema), "Attributes", indent=4)
        for field in fields_of(schema):
            kind = types.sent(field.schema)
            yield f"    {field.name}: {kind if field.is_required else f'NotRequired[{kind}]'}"


def _problems(kinds: Mapping[str, Kind]) -> Iterator[str]:
    yield "A class for each error code of the API."
    for code, kind in kinds.items():
        yield f"class {camel(code)}Error(ApiError):"
        yield from _docstring(f"{kind.title}.\n\n{kind.cause} {kind.cure}", (), "", indent=4)
        yield f'    CODE = "{code}"'
    yield "BY_CODE: Mapping[str, type[ApiError]] = {"
    yield from (f"    {_quoted(code)}: {camel(code)}Error," for code in kinds)
    yield "}"


def _operations(description: Description, types: Types, *, is_async: bool) -> Iterator[str]:
    prefix = "Async" if is_async else ""
    yield f"The operations of the API{', for asyncio' if is_async else ''}."
    groups = {
        group: list(found)
        for group, found in groupby(sorted(description.operations, key=attrgetter("group")), attrgetter("group"))
    }
    for group, operations in groups.items():
        yield f"class {prefix}{camel(group)}:"
        yield f'    """The operations of ``{operations[0].path.split("{")[0].rstrip("/")}``."""'
        yield f"    def __init__(self, send: {prefix}Send) -> None:"
        yield "        self._send = send"
        for operation in operations:
            yield from _operation(operation, types, is_async=is_async)
    yield f"class {prefix}Operations:"
    yield '    """All operations, in groups."""'
    yield f"    def __init__(self, send: {prefix}Send) -> None:"
    yield from (f"        self.{group} = {prefix}{camel(group)}(send)" for group in groups)


def _operation(operation: Operation, types: Types, *, is_async: bool) -> Iterator[str]:
    define = "async def" if is_async and operation.row is None else "def"
    answer = "bytes" if operation.answer is None else f"models.{operation.answer}"
    returned = answer
    if operation.row is not None:
        returned = f"{'Async' if is_async else ''}Listing[models.{operation.row}, {answer}]"
    own = [f"{part.name}: str" for part in operation.parts]
    common = list(_common(operation))
    *variants, merged = operation.bodies or ((),)
    if variants:
        for fields in operation.bodies:
            arguments = [_parameter(field, types) for field in fields]
            yield "    @overload"
            yield f"    {define} {operation.name}({_signature(own, [*arguments, *common])}) -> {returned}: ..."
        keywords = [*common, "**body: Any"]
    else:
        keywords = [_parameter(field, types) for field in (*operation.query, *merged)] + common
    yield f"    {define} {operation.name}({_signature(own, keywords)}) -> {returned}:"
    yield from _docstring(operation.text, _explained(operation), "Args", indent=8)
    call = f"Call({', '.join(_call(operation, answer, is_merged=bool(variants)))})"
    if operation.row is not None:
        yield f"        return {returned.split('[')[0]}(self._send, {call})"
    else:
        yield f"        return {'await ' if is_async else ''}self._send({call})"


def _signature(own: list[str], keywords: list[str]) -> str:
    named = [] if not keywords else keywords if keywords[0].startswith("**") else ["*", *keywords]
    return ", ".join(["self", *own, *(["/"] if own else []), *named])


def _parameter(field: Argument, types: Types) -> str:
    kind = types.sent(field.schema)
    return f"{field.name}: {kind}" if field.is_required else f"{field.name}: {kind} | None = None"


def _common(operation: Operation) -> Iterator[str]:
    if "Idempotency-Key" in operation.headers:
        yield "idempotency_key: str | None = None"
    if "Prefer" in operation.headers:
        yield "wait: int | None = None"


def _explained(operation: Operation) -> list[Argument]:
    """The arguments of an operation with what each is for."""
    fields = {field.name: field for fields in reversed(operation.bodies) for field in fields}
    found = [*operation.parts, *operation.query, *fields.values()]
    if "Idempotency-Key" in operation.headers:
        text = f"{operation.headers['Idempotency-Key']} A new one is made without it."
        found.append(Argument("idempotency_key", {}, text))
    if "Prefer" in operation.headers:
        found.append(Argument("wait", {}, "For how many seconds, at most 30, to wait for the order to be answered."))
    return found


def _call(operation: Operation, answer: str, *, is_merged: bool) -> Iterator[str]:
    yield f'method="{operation.method}"'
    parts = "".join(f", {part.name}" for part in operation.parts)
    path = re.sub(r"\{\w+\}", "{}", operation.path)
    yield f'path=path_of("{path}"{parts})' if parts else f'path="{path}"'
    yield f"answer={answer}"
    for name, fields in (("query", operation.query), ("body", () if is_merged else sum(operation.bodies, ()))):
        if fields:
            yield f"{name}={{{', '.join(f'{_quoted(field.name)}: {field.name}' for field in fields)}}}"
    if is_merged:
        yield "body=body"
    if "Idempotency-Key" in operation.headers:
        yield "idempotency_key=idempotency_key or new_idempotency_key()"
    if "Prefer" in operation.headers:
        yield "wait=wait"
    if operation.is_harmless:
        yield "is_harmless=True"


def _docstring(text: str, fields: Iterable[Argument], title: str, *, indent: int) -> Iterator[str]:
    """A docstring with a section on fields, wrapped."""
    first, *more = text.replace("\\", "\\\\").split("\n\n")
    margin = " " * indent
    lines = _wrapped(f'"""{first}', margin, margin)
    for paragraph in more:
        lines += ["", *_wrapped(paragraph, margin, margin)]
    if listed := list(fields):
        lines += ["", f"{margin}{title}:"]
        for field in listed:
            words = field.text.replace("\\", "\\\\").replace("\n", " ")
            lines += _wrapped(f"{field.name}: {words}", margin + " " * 4, margin + " " * 8)
    if len(lines) == 1 and len(lines[0]) + 3 <= _WIDTH:
        yield f'{lines[0]}"""'
    else:
        yield from lines
        yield f'{margin}"""'


def _wrapped(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )


def _quoted(text: str) -> str:
    return f'"{text}"'
