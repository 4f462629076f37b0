"""What an answer means: a typed value, or the one error that it is. Pure.

The one place where an HTTP status and a body become the error tree. A write is definite only with
a readable refusal; whatever else is not a typed answer may have happened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from providers.kit.redaction import Redactor
from providers.kit.supplier_rate import RateReport
from schemas.errors import (
    InsufficientBalance,
    InvalidRequest,
    NotAuthorised,
    NotFound,
    RateLimited,
    Refused,
    ServerFault,
    SupplierError,
    UnreadableAnswer,
)

T = TypeVar("T")
_NONE: Any = type(None)

# A plugin's own table of documented refusals: status and body -> the error, None when it is not in the table.
RefusalTable = Callable[[int, bytes], SupplierError | None]

_REQUEST_TIMEOUT, _TOO_EARLY, _TOO_MANY, _CONFLICT = 408, 425, 429, 409
_KINDS: Mapping[int, type[Refused]] = {
    400: InvalidRequest,
    401: NotAuthorised,
    402: InsufficientBalance,
    403: NotAuthorised,
    404: NotFound,
    410: NotFound,
    422: InvalidRequest,
}
# Only a hit is read as an envelope. Looking through a page of 10 MB takes as long as half of decoding it, so
# in a long body only its ends are looked at: a refusal that long has its word at one of them.
_LONG = 128 * 1024
_ENDS = 4096
_SUCCESS_FALSE = re.compile(rb'"success"\s*:\s*(?:false|0\b|"(?:false|0)")', re.IGNORECASE)


class _Envelope(msgspec.Struct):
    success: bool | None = None
    error: Any = None
    message: Any = None

    def text(self) -> str:
        found = self.error or self.message
        if isinstance(found, dict):
            found = found.get("message") or found.get("code") or found
        return str(found) if found else "refused without a reason"


_envelope = msgspec.json.Decoder(_Envelope, strict=False)


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise ValueError("a number of no size that a number has") from None


@cache
def _decoder(type: Any, lax: bool) -> msgspec.json.Decoder[Any]:  # noqa: A002 - named as in msgspec
    return msgspec.json.Decoder(type, strict=not lax, float_hook=_exact)


def fault_of_status(status: int, headers: Mapping[str, str], now: datetime) -> SupplierError | None:
    """The error that a status is whatever the body says: 429, 5xx, 408, 425. None for all others."""
    if status == _TOO_MANY:
        return RateLimited("too many requests", status=status, retry_after=RateReport.of(headers, now).wait())
    if status >= 500 or status in (_REQUEST_TIMEOUT, _TOO_EARLY):  # noqa: PLR2004 - the HTTP class itself
        report = RateReport.of(headers, now)
        return ServerFault("the supplier reported a fault", status=status, retry_after=report.retry_after)
    return None


def read_answer(
    status: int,
    body: bytes,
    type: type[T],  # noqa: A002 - named as in msgspec
    *,
    refusal: RefusalTable | None,
    redact: Redactor,
    lax: bool = False,
) -> T:
    """The typed value in an answer whose status is no fault.

    Raises what the plugin's ``refusal`` table names, else ``Refused`` kinds for a readable
    ``success: false``, else ``UnreadableAnswer``. 409 is definite only where the table says so.
    """
    if status < 200:  # noqa: PLR2004 - the HTTP class itself
        raise UnreadableAnswer("no answer, but news of one", status=status)
    if status >= 300:  # noqa: PLR2004 - the HTTP class itself
        raise _refusal(status, body, refusal, redact) or UnreadableAnswer(
            f"not an answer that can be read: {_glimpse(body, redact)}", status=status
        )
    if _SUCCESS_FALSE.search(_ends(body)):
        if _says_twice(body):
            raise UnreadableAnswer("it says twice whether it succeeded", status=status)
        if refused := _refusal(status, body, refusal, redact):
            raise refused
    if type is bytes:
        return cast("T", body)
    if type is _NONE and not body.strip():
        return cast("T", None)
    try:
        return cast("T", _decoder(cast("Any", type), lax).decode(body))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        if refusal is not None and (refused := _refusal_of(refusal, status, body, redact)):
            raise refused from None
        # Goods may stand in it, under any name, so what was answered is not repeated when it is JSON.
        seen = "" if body.lstrip()[:1] in {b"{", b"["} else f": {_glimpse(body, redact)}"
        raise UnreadableAnswer(f"{redact(error, 120)}{seen}", status=status) from None


def _says_twice(body: bytes) -> bool:
    """Whether ``success`` stands in it more than once: then every reader takes another one for what is meant."""
    try:
        whole = json.loads(body, object_pairs_hook=_names)
    except (ValueError, RecursionError):
        return False
    return isinstance(whole, _Names) and whole.count("success") > 1


class _Names(list[str]):
    """The names in one JSON object, repeated ones too."""


def _names(pairs: list[tuple[str, Any]]) -> _Names:
    return _Names(name for name, _ in pairs)


def _refusal(status: int, body: bytes, refusal: RefusalTable | None, redact: Redactor) -> SupplierError | None:
    if _says_twice(body):
        return None
    if refusal is not None and (known := _refusal_of(refusal, status, body, redact)):
        return known
    try:
        envelope = _envelope.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if envelope.success is not False:
        return None
    detail = redact(envelope.text())
    if status == _CONFLICT or 300 <= status < 400:  # noqa: PLR2004 - the HTTP class itself
        # A conflict may mean that an earlier request of ours arrived; only the supplier's page can say. And a
        # redirect says nothing of what was asked, whatever its body says.
        return SupplierError(detail, status=status)
    return _KINDS.get(status, Refused)(detail, status=status)


def _refusal_of(refusal: RefusalTable, status: int, body: bytes, redact: Redactor) -> SupplierError | None:
    try:
        known = refusal(status, body)
    except Exception as error:  # noqa: BLE001 - a hostile body must not turn a doubt into a crash
        return UnreadableAnswer(f"the table of refusals failed on it: {redact(error, 120)}", status=status)
    if known is None:
        return None
    known.detail = redact(known.detail)
    known.args = (known.detail,)
    known.status = status
    return known


def _ends(body: bytes) -> bytes:
    return body if len(body) <= _LONG else body[:_ENDS] + body[-_ENDS:]


def _glimpse(body: bytes, redact: Redactor) -> str:
    if not body.strip():
        return "empty body"
    if body.lstrip()[:1] == b"<":
        return "HTML instead of JSON"
    return redact(body[:2000].decode("utf-8", "replace"), 120)
