"""Prepare the API description for schemathesis: real ids in its examples, and codes that exist.

schemathesis builds requests from the examples of a description and from its patterns. The ids in the examples exist in
no gateway, so every answer would be 404. Most codes that the pattern of a country or region allows name none, so every
answer would be 422.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# The codes that examples and sandboxes use.
_COUNTRIES = ["AD", "BV", "JP", "KR", "US"]
_REGIONS = ["africa", "europe"]
# Whether a text is a list of exchange rates, no schema expresses.
_FREE_TEXT = {"/v1/ops/rates/import"}
_REQUEST_PARTS = {"parameters", "requestBody"}
# What schemathesis 4 expects by default.
_ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "429", "5xx"]
_NO_FAULT = ["2xx", "3xx", "4xx"]


def use_real_ids(document: dict[str, Any], ids: Mapping[str, str], examples: Mapping[str, str]) -> dict[str, Any]:
    """A copy of the document whose requests use ids that exist.

    ``ids`` maps a path that ends with a parameter to the id for that parameter, there and in longer paths; a method
    before the path (``DELETE /v1/…/{id}``) narrows it. ``examples`` maps a text of the examples to its replacement.
    """
    text = json.dumps(document)
    for example, real in examples.items():
        text = text.replace(json.dumps(example), json.dumps(real))
    copy: dict[str, Any] = json.loads(text)
    # Answers contain every country, so requests get schemas of their own.
    schemas = copy["components"]["schemas"]
    schemas |= {f"Request{name}": _for_request(schema) for name, schema in schemas.items()}
    for path, operations in copy["paths"].items():
        for method, operation in operations.items():
            operation |= {part: _for_request(operation[part]) for part in _REQUEST_PARTS & operation.keys()}
            for parameter in operation.get("parameters", ()):
                before, placeholder, _ = path.partition(f"{{{parameter['name']}}}")
                prefix = before + placeholder
                real = ids.get(f"{method.upper()} {prefix}", ids.get(prefix))
                if parameter["in"] == "path" and real is not None:
                    parameter["example"] = real
    return copy


def schemathesis_toml(document: dict[str, Any]) -> str:
    """The configuration for a document: which documented refusals of a valid request are no failure.

    They depend on the state of a thing, which no schema expresses: 410 ``gone``, 422 ``idempotency_mismatch`` and
    ``no_rate``, 501 ``not_supported``. Each is expected only of the operations that document it.
    """
    # Ids taken from answers would differ from run to run.
    phases = ("examples", "coverage", "fuzzing")
    lines = [f"phases.{phase}.extra-data-sources.responses = false" for phase in phases]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            why_invalid = answers.get("422", {}).get("description", "")
            of_its_state = any(code in why_invalid for code in ("idempotency_mismatch", "no_rate"))
            refusals = ["410"] * ("410" in answers) + ["422"] * (of_its_state or path in _FREE_TEXT)
            missing = ["501"] * ("501" in answers)
            lines += [
                f"[[operations]]\ninclude-name = {json.dumps(f'{method.upper()} {path}')}",
                f"checks.positive_data_acceptance.expected-statuses = {json.dumps(_ACCEPTED + refusals)}",
                f"checks.not_a_server_error.expected-statuses = {json.dumps(_NO_FAULT + missing)}",
            ]
    return "\n".join(lines)


def _for_request(schema: Any) -> Any:
    refs = json.dumps(schema).replace('"#/components/schemas/', '"#/components/schemas/Request')
    return _with_known_codes(json.loads(refs))


def _with_known_codes(schema: Any, name: str = "") -> Any:
    """The schema with the codes that exist in place of the patterns of countries and regions."""
    if isinstance(schema, list):
        return [_with_known_codes(part, name) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("pattern") == "^[A-Z]{2}$":
        return {"type": "string", "enum": _COUNTRIES}
    if name == "region" and schema.get("type") == "string":
        return {"type": "string", "enum": _REGIONS}
    # A parameter stands under the name in it; what may be null, too, under the name of both.
    return {
        key: _with_known_codes(part, schema.get("name", name) if key in {"schema", "anyOf"} else key)
        for key, part in schema.items()
    }
