"""Answers of the API: read as a type, or as the problem that they are."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import ClientResponse


async def read(answer: ClientResponse, kind: Any = Any, status: int = 200) -> Any:
    """The body of an answer of this status."""
    body = await answer.read()
    assert answer.status == status, body
    return msgspec.json.decode(body, type=kind)


async def problem(answer: ClientResponse, status: int, code: str) -> Any:
    """The body of a problem, of which everything that all problems have is as it should be."""
    found = await read(answer, status=status)
    assert answer.content_type == "application/problem+json"
    assert (found["status"], found["code"]) == (status, code)
    assert found["request_id"] == answer.headers["X-Request-Id"]
    assert found["type"].endswith(f"/errors/{code}")
    return found
