"""The TypeScript client's generated files: types of answers and of arguments, operations, and a class for each problem.

They hold only syntax that can be erased, so that Node.js runs them as they are.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from clients.generate.described import Argument, Description, Operation, Schema, camel, choices_of, fields_of
from clients.generate.typescript_types import EVENT, Types
from gateway.api.problems import KINDS, Kind

PACKAGE = Path(__file__).parents[1] / "typescript"
_WIDTH = 120


def files(description: Description) -> dict[Path, str]:
    """Every generated file with its text."""
    inside = Types(description.schemas, choices_of(description))
    outside = replace(inside, models="models.", bodies="bodies.")
    made = {
        "models": _models(description, inside),
        "bodies": _bodies(description, replace(inside, models="models.")),
        "problems": _problems(KINDS),
        "operations": _operations(description, outside),
    }
    return {PACKAGE / "src" / f"{name}.ts": _module(*lines) for name, lines in made.items()}


def _module(title: str, *body: str) -> str:
    head = f"/** {title} Made by `make clients` from the API's description. Do not edit. */"
    return "\n".join([head, "", *body]).rstrip("\n") + "\n"


def _models(description: Description, types: Types) -> Iterator[str]:
    yield "What the API answers, and the events that it sends."
    yield "// A newer gateway may send a value, or an event, that is not listed here."
    yield ""
    for name, values in sorted((name, values) for values, name in types.choices.items()):
        yield from _union(name, [json.dumps(value) for value in values])
    for name in description.answer_names:
        schema = description.schemas[name]
        yield from _interface(name, schema["description"], fields_of(schema), types.answer)
    yield from _union(EVENT, list(description.events.values()))


def _bodies(description: Description, types: Types) -> Iterator[str]:
    yield "What is handed to operations."
    yield 'import type * as models from "./models.ts";'
    yield ""
    sent = {name for operation in description.operations for name in operation.body_names}
    for name in sorted({*sent, *description.body_names}):
        schema = description.schemas[name]
        yield from _interface(name, schema["description"], fields_of(schema), types.sent, " | undefined")
    for operation in description.operations:
        if operation.query:
            text = f"What `{camel_words(operation.group)}.{camel_words(operation.name)}` can be asked for."
            yield from _interface(_query_name(operation), text, operation.query, types.sent, " | undefined")


def _problems(kinds: Mapping[str, Kind]) -> Iterator[str]:
    yield "A class for each error code of the API."
    yield 'import { ApiError } from "./errors.ts";'
    yield ""
    for code, kind in kinds.items():
        yield from _comment(f"{kind.title}.\n\n{kind.cause} {kind.cure}", indent="")
        yield f"export class {camel(code)}Error extends ApiError {{"
        yield f'  static override readonly code = "{code}";'
        yield "}"
        yield ""
    yield "/** The classes by their codes. */"
    yield "export const BY_CODE: Readonly<Record<string, typeof ApiError>> = {"
    yield from (f"  {code}: {camel(code)}Error," for code in kinds)
    yield "};"


def _operations(description: Description, types: Types) -> Iterator[str]:
    yield "The operations of the API."
    yield 'import type * as bodies from "./bodies.ts";'
    yield 'import { pathOf, type KeyOptions, type Options, type Send, type WaitOptions } from "./calls.ts";'
    yield 'import { Listing } from "./lists.ts";'
    yield 'import type * as models from "./models.ts";'
    yield ""
    groups = {
        group: list(found)
        for group, found in groupby(sorted(description.operations, key=attrgetter("group")), attrgetter("group"))
    }
    for group, operations in groups.items():
        yield f"/** The operations of `{operations[0].path.split('{')[0].rstrip('/')}`. */"
        yield f"export class {camel(group)} {{"
        yield "  readonly #send: Send;"
        yield ""
        yield "  constructor(send: Send) {"
        yield "    this.#send = send;"
        yield "  }"
        for operation in operations:
            yield ""
            yield from _operation(operation, types)
        yield "}"
        yield ""
    yield "/** All operations, in groups. */"
    yield "export class Operations {"
    yield from (f"  readonly {camel_words(group)}: {camel(group)};" for group in groups)
    yield ""
    yield "  constructor(send: Send) {"
    yield from (f"    this.{camel_words(group)} = new {camel(group)}(send);" for group in groups)
    yield "  }"
    yield "}"


def _operation(operation: Operation, types: Types) -> Iterator[str]:
    answer = "Uint8Array" if operation.answer is None else types.models + operation.answer
    returned = f"Promise<{answer}>"
    if operation.row is not None:
        row = EVENT if operation.row == "Event" else operation.row
        returned = f"Listing<{types.models}{row}, {answer}>"
    yield from _comment(operation.text, operation.parts, indent="  ")
    name = camel_words(operation.name)
    parameters = list(_parameters(operation, types))
    line = f"  {name}({', '.join(parameters)}): {returned} {{"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield f"  {name}("
        yield from (f"    {parameter}," for parameter in parameters)
        yield f"  ): {returned} {{"
    call = f"{{ {', '.join(_call(operation))} }}"
    made = f"new Listing(this.#send, {call})" if operation.row is not None else f"this.#send({call})"
    if len(made) + len("    return ;") <= _WIDTH:
        yield f"    return {made};"
    else:
        yield f"    return {made.partition('{')[0]}{{"
        yield from (f"      {part}," for part in _call(operation))
        yield "    });"
    yield "  }"


def _parameters(operation: Operation, types: Types) -> Iterator[str]:
    yield from (f"{camel_words(part.name)}: string" for part in operation.parts)
    if operation.body_names:
        yield f"body: {' | '.join(types.bodies + name for name in operation.body_names)}"
    if operation.query:
        is_optional = not any(field.is_required for field in operation.query)
        yield f"query: {types.bodies}{_query_name(operation)}{' = {}' if is_optional else ''}"
    kinds = [
        kind
        for header, kind in (("Idempotency-Key", "KeyOptions"), ("Prefer", "WaitOptions"))
        if header in operation.headers
    ]
    yield f"options: {' & '.join(kinds or ['Options'])} = {{}}"


def _call(operation: Operation) -> Iterator[str]:
    yield f'method: "{operation.method}"'
    parts = "".join(f", {camel_words(part.name)}" for part in operation.parts)
    path = re.sub(r"\{\w+\}", "{}", operation.path)
    yield f'path: pathOf("{path}"{parts})' if parts else f'path: "{path}"'
    if operation.query:
        yield "query: { ...query }"
    if operation.body_names:
        yield "body"
    if operation.answer is None:
        yield "isBinary: true"
    if "Idempotency-Key" in operation.headers:
        yield "isSpending: true"
    if operation.is_harmless:
        yield "isHarmless: true"
    yield "options"


def camel_words(name: str) -> str:
    """``listEvents`` for ``list_events``."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _query_name(operation: Operation) -> str:
    return f"{camel(operation.id)}Query"


def _interface(
    name: str, text: str, fields: Iterable[Argument], type_of: Callable[[Schema], str], optional: str = ""
) -> Iterator[str]:
    yield from _comment(text, indent="")
    yield f"export interface {name} {{"
    for field in fields:
        yield from _comment(field.text, indent="  ")
        kind = type_of(field.schema)
        yield f"  {field.name}: {kind};" if field.is_required else f"  {field.name}?: {kind}{optional};"
    yield "}"
    yield ""


def _union(name: str, kinds: list[str]) -> Iterator[str]:
    line = f"export type {name} = {' | '.join(kinds)};"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield f"export type {name} ="
        yield from (f"  | {kind}" for kind in kinds[:-1])
        yield f"  | {kinds[-1]};"
    yield ""


def _comment(text: str, parts: Iterable[Argument] = (), *, indent: str) -> Iterator[str]:
    """A comment of documentation, wrapped."""
    safe = text.replace("*/", "*\\/")
    lines: list[str] = []
    for paragraph in safe.split("\n\n"):
        lines += ["", *_wrapped(paragraph, indent)] if lines else _wrapped(paragraph, indent)
    tags = [f"@param {camel_words(part.name)} {part.text}".replace("*/", "*\\/") for part in parts]
    if tags:
        lines.append("")
    for tag in tags:
        lines += _wrapped(tag, indent)
    if len(lines) == 1 and len(lines[0]) + len(indent) + len("/**  */") <= _WIDTH:
        yield f"{indent}/** {lines[0]} */"
        return
    yield f"{indent}/**"
    yield from (f"{indent} * {line}".rstrip() for line in lines)
    yield f"{indent} */"


def _wrapped(text: str, indent: str) -> list[str]:
    width = _WIDTH - len(indent) - len(" * ")
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
