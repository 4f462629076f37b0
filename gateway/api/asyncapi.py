"""AsyncAPI 3, made from the types of the events: what the gateway sends to the webhook endpoints of storefronts."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import orjson

from gateway.api.components import CODES, REF, components_of
from gateway.api.descriptions import first_sentence, text_of
from gateway.api.examples import example_of
from gateway.api.openapi import SIGNATURE
from schemas.events import EVENTS

_DESCRIPTION = """
What the gateway sends to a storefront's webhook endpoints, signed as Standard Webhooks says. Endpoints are made by
`POST /v1/webhook-endpoints` of the API, whose description is `/openapi.json`.

An event that is not answered with 2xx within 15 seconds is tried again, ten times within three days. It can come more
than once and events can overtake each other: `webhook-id` is the same each time.
"""


def document() -> bytes:
    """The document as JSON."""
    messages = {name: _message(name) for name in EVENTS}
    schemas = components_of(EVENTS.values())
    text = orjson.dumps(schemas).decode()
    codes = {name: code for name, code in CODES.items() if f'"{REF.format(name=name)}"' in text}
    return orjson.dumps(
        {
            "asyncapi": "3.0.0",
            "info": {
                "title": "eSIM gateway events",
                "version": metadata.version("esim-gateway"),
                "description": _DESCRIPTION.strip(),
                "contact": {"name": "The operator of this gateway"},
                "license": {"name": "Apache-2.0"},
                "tags": [{"name": "events", "description": "What is sent to your webhook endpoints."}],
            },
            "defaultContentType": "application/json",
            "channels": {
                "webhookEndpoint": {
                    "address": None,
                    "title": "Webhook endpoint",
                    "description": "The URL of one of your webhook endpoints, by HTTP POST.",
                    "messages": {_key(name): {"$ref": f"#/components/messages/{_key(name)}"} for name in messages},
                }
            },
            "operations": {
                f"send{_key(name)}": {
                    "action": "send",
                    "channel": {"$ref": "#/channels/webhookEndpoint"},
                    "summary": message["summary"],
                    "description": message["description"],
                    "messages": [{"$ref": f"#/channels/webhookEndpoint/messages/{_key(name)}"}],
                }
                for name, message in messages.items()
            },
            "components": {
                "messages": {_key(name): message for name, message in messages.items()},
                "schemas": schemas | codes,
            },
        }
    )


def _key(name: str) -> str:
    """A key of the document: ``OrderFulfilled`` for ``order.fulfilled``."""
    return "".join(word.capitalize() for word in name.replace(".", "_").split("_"))


def _message(name: str) -> dict[str, Any]:
    kind = EVENTS[name]
    text = text_of(kind)
    headers = {
        header: {"type": "string", "description": meaning, "examples": [value]}
        for header, (meaning, value) in SIGNATURE.items()
    }
    return {
        "name": name,
        "title": name,
        "summary": first_sentence(text).rstrip("."),
        "description": text,
        "contentType": "application/json",
        "headers": {"type": "object", "required": list(headers), "properties": headers},
        "payload": {"$ref": REF.format(name=kind.__name__)},
        "examples": [
            {
                "name": _key(name),
                "headers": {header: value for header, (_, value) in SIGNATURE.items()},
                "payload": example_of(kind, {}),
            }
        ],
    }
