"""One call of the API: the request that it sends, and the result or the exception that its answer becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote
from uuid import uuid4

import httpx
import msgspec

from .decoding import decode
from .errors import ApiError, NoAnswerError
from .models import Problem
from .problems import BY_CODE
from .retries import Outcome, retry_after

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """What an operation sends, and the type of its answer. What is None in query and body is left out.

    ``wait`` is for how many seconds the answer may be waited for. ``is_harmless``: a POST that changes nothing.
    """

    method: str
    path: str
    answer: type[T]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    idempotency_key: str | None = None
    wait: int | None = None
    is_harmless: bool = False

    @property
    def is_repeatable(self) -> bool:
        """Whether sending it twice does the same as sending it once."""
        return self.method == "GET" or self.is_harmless or self.idempotency_key is not None

    def request(self) -> dict[str, Any]:
        """The arguments of httpx for it, but for the address and the key."""
        headers = {}
        if self.idempotency_key is not None:
            headers["Idempotency-Key"] = self.idempotency_key
        if self.wait is not None:
            headers["Prefer"] = f"wait={self.wait}"
        content = None
        if self.body is not None:
            content = msgspec.json.encode(_sent(self.body))
            headers["Content-Type"] = "application/json"
        query = {name: _text(value) for name, value in _sent(self.query).items()}
        return {"method": self.method, "params": query, "content": content, "headers": headers}

    def result(self, outcome: Outcome) -> T:
        """The answer. Raises what a problem or the lack of an answer becomes."""
        if isinstance(outcome, httpx.RequestError):
            raise NoAnswerError(f"no answer: {type(outcome).__name__} {outcome}", self.idempotency_key) from outcome
        if not outcome.is_success:
            raise self._error(outcome)
        if self.answer is bytes:
            return cast("T", outcome.content)
        try:
            return decode(outcome.content, self.answer)
        except ValueError as error:
            raise NoAnswerError(f"an answer that cannot be read: {error}", self.idempotency_key) from error

    def _error(self, response: httpx.Response) -> ApiError | NoAnswerError:
        try:
            problem = decode(response.content, Problem)
        except ValueError:
            message = f"status {response.status_code} that is not from the gateway; check base_url and proxies"
            return NoAnswerError(message, self.idempotency_key)
        return BY_CODE.get(problem.code, ApiError)(problem, retry_after(response), self.idempotency_key)


def new_idempotency_key() -> str:
    """A key for one purchase."""
    return str(uuid4())


def path_of(template: str, *parts: str) -> str:
    """A path with ids in the places of ``{}``. Raises ``ValueError`` for text that cannot be an id."""
    if not all(part.strip(".") for part in parts):
        raise ValueError("an id is empty or nothing but dots")
    return template.format(*(quote(part, safe="") for part in parts))


def _sent(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _text(value: Any) -> Any:
    """A value of a query. httpx writes the rest as the API reads it: ``true``, and lists as repeated parameters."""
    return value.isoformat() if isinstance(value, datetime) else value
