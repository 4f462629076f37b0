"""An operation as a call: in curl, with the Python client and with the TypeScript client."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from gateway.api.client_names import VERSION, group_of, method_of
from gateway.api.docs.reference import Operation, Reference

_WIDTH = 62
_KEY = "Idempotency-Key"
_SECONDS = 30
# What a sample asks for beside what an operation requires.
_QUERIES: Mapping[str, Mapping[str, Any]] = {
    "list_plans": {"country": ["JP"], "min_data_mb": 3072, "min_days": 7},
    "list_orders": {"status": "fulfilled"},
    "list_events": {"type": "order.fulfilled"},
    "list_number_tiers": {"country": "US"},
    "list_goods": {"q": "gift card"},
}
_EXAMPLES: Mapping[str, Any] = {"country": "JP", "data_mb": 3072, "days": 7, "currency": "EUR"}
_CAMEL = re.compile(r"_(\w)")


def samples_of(operation: Operation, reference: Reference) -> list[tuple[str, str]]:
    """Pairs of language and source. The clients have no calls for operators."""
    made = [("sh", _curl(operation, reference))]
    if operation.path.startswith(VERSION) and not operation.path.startswith(f"{VERSION}ops/"):
        made += [("python", _python(operation, reference)), ("typescript", _typescript(operation, reference))]
    return made


def example_query(operation: Operation) -> dict[str, Any]:
    """What a sample asks for, by parameter."""
    query = dict(_QUERIES.get(operation.id, {}))
    for field in operation.parameters.get("query", ()):
        if field.is_required and field.name not in query:
            query[field.name] = field.choices[0] if field.choices else _EXAMPLES.get(field.name, "…")
    return query


def _headers(operation: Operation) -> list[str]:
    return [field.name for field in operation.parameters.get("header", ())]


def _curl(operation: Operation, reference: Reference) -> str:
    query = urlencode(example_query(operation), doseq=True)
    url = f"$ESIM_GATEWAY_URL{reference.example_path(operation)}{'?' if query else ''}{query}"
    lines = [f'curl "{url}"']
    if operation.method != "GET":
        lines[0] = f'curl -X {operation.method} "{url}"'
    if not operation.is_public:
        lines.append('-H "Authorization: Bearer $ESIM_GATEWAY_KEY"')
    if _KEY in _headers(operation):
        lines.append(f"-H '{_KEY}: cart-8812'")
    if "Prefer" in _headers(operation) and operation.method == "POST":
        lines.append(f"-H 'Prefer: wait={_SECONDS}'")
    if operation.body_example is not None:
        lines += ["-H 'Content-Type: application/json'", f"-d '{_json(operation.body_example)}'"]
    if operation.answer_type.startswith("image/"):
        lines.append(f"-o esim.{operation.path.rpartition('.')[2]}")
    return " \\\n  ".join(lines)


def _python(operation: Operation, reference: Reference) -> str:
    group, method = _names(operation)
    arguments = [_python_value(part) for part in _parts(operation, reference)]
    arguments += [f"{name}={_python_value(value)}" for name, value in _arguments(operation)]
    if _KEY in _headers(operation):
        arguments.append('idempotency_key="cart-8812"')
    if "Prefer" in _headers(operation) and operation.method == "POST":
        arguments.append(f"wait={_SECONDS}")
    row, ending = _row_name(operation), operation.path.rpartition(".")[2]
    if operation.answer_type.startswith("image/"):
        before, after = f'Path("esim.{ending}").write_bytes(', ")"
    elif operation.is_list:
        before, after = f"for {row} in ", f":\n    print({row})"
    else:
        before, after = f"{_answer_name(operation)} = " if operation.answer is not None else "", ""
    call = f"gateway.{group}.{method}({', '.join(arguments)})"
    if len(before) + len(call) > _WIDTH:
        call = f"gateway.{group}.{method}(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"
    return before + call + after


def _typescript(operation: Operation, reference: Reference) -> str:
    group, method = map(_camel, _names(operation))
    arguments = [_json(part) for part in _parts(operation, reference)]
    objects = [operation.body_example or {}, example_query(operation), _options(operation)]
    expected = [bool(operation.bodies), "query" in operation.parameters, True]
    passed = [made for made, is_expected in zip(objects, expected, strict=True) if is_expected]
    while passed and not passed[-1]:
        passed.pop()  # what may be left out at the end
    row, ending = _camel(_row_name(operation)), operation.path.rpartition(".")[2]
    if operation.answer_type.startswith("image/"):
        before, after = f'await writeFile("esim.{ending}", await ', ");"
    elif operation.is_list:
        before, after = f"for await (const {row} of ", f") {{\n  console.log({row});\n}}"
    else:
        name = _camel(_answer_name(operation))
        before, after = f"const {name} = await " if operation.answer is not None else "await ", ";"
    call = f"gateway.{group}.{method}({', '.join([*arguments, *map(_script_value, passed)])})"
    if len(before) + len(call) > _WIDTH:
        parts = [*arguments, *(_script_object(made) for made in passed)]
        call = f"gateway.{group}.{method}({', '.join(parts)})"
    return before + call + after


def _options(operation: Operation) -> dict[str, Any]:
    """What the TypeScript client takes beside the body and the query."""
    options: dict[str, Any] = {}
    if _KEY in _headers(operation):
        options["idempotencyKey"] = "cart-8812"
    if "Prefer" in _headers(operation) and operation.method == "POST":
        options["wait"] = _SECONDS
    return options


def _names(operation: Operation) -> tuple[str, str]:
    return group_of(operation.path), method_of(operation.id, operation.path, [operation.tag])


def _parts(operation: Operation, reference: Reference) -> Iterator[str]:
    """Examples of the parts of its path."""
    passed = reference.example_path(operation).split("/")
    for segment, example in zip(operation.path.split("/"), passed, strict=True):
        if segment.startswith("{"):
            yield example


def _arguments(operation: Operation) -> Iterator[tuple[str, Any]]:
    yield from example_query(operation).items()
    yield from (operation.body_example or {}).items()


def _answer_name(operation: Operation) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation.answer or "answer").lower()


def _row_name(operation: Operation) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation.row or "Event").lower()


def _python_value(value: Any) -> str:
    """A JSON value as Python writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_json(name)}: {_python_value(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_python_value, value)) + "]"
    return _json(value) if isinstance(value, str) else repr(value)


def _script_value(value: Any) -> str:
    """A JSON value as TypeScript writes it."""
    if isinstance(value, dict):
        inner = ", ".join(
            f"{name if name.isidentifier() else _json(name)}: {_script_value(part)}" for name, part in value.items()
        )
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_script_value, value)) + "]"
    return _json(value)


def _script_object(value: Mapping[str, Any]) -> str:
    """An object of TypeScript over several lines, where it is long."""
    line = _script_value(value)
    if len(line) <= _WIDTH // 2:
        return line
    fields = "".join(f"  {name}: {_script_value(part)},\n" for name, part in value.items())
    return f"{{\n{fields}}}"


def _camel(name: str) -> str:
    return _CAMEL.sub(lambda found: found[1].upper(), name)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
