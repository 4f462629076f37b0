"""Log lines: one JSON object each, through orjson, with nothing secret in them.

Everything goes through ``structlog``, the standard library's loggers too. Request lines are collected
and written together, because a system call for each would cost more than the request.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

import orjson
import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
REDACTED = "[redacted]"

_SECRET_NAMES = frozenset(
    name.replace("_", "")  # as names are compared: suppliers write serialNumber, serial_number and Serial-Number
    for name in [
        "activation_code",
        "api_key",
        "authorization",
        "confirmation_code",
        "cookie",
        "email",
        "hash",
        "iccid",
        "key",
        "lpa",
        "matching_id",
        "msisdn",
        "partner_secret",
        "password",
        "phone",
        "phone_number",
        "pin",
        "pin_code",
        "qr",
        "qr_code",
        "secret",
        "secret_key",
        "serial",
        "serial_number",
        "set_cookie",
        "token",
        "voucher_code",
        "webhook_secret",
        "x_api_key",
    ]
)
_SECRET_TEXTS = re.compile(
    r"""gw_(?:live|test)_[0-9A-Za-z]+                # our keys
      | whsec_[0-9A-Za-z+/=_-]+                      # signing secrets
      | (?:LPA(?::|%3A))?1(?:\$|%24)[^\s"'$]{3,}(?:\$|%24)[^\s"']*   # activation codes
      | (?<!\d)89\d{16,20}(?!\d)                     # ICCIDs
      | \b[\w.+-]+@[\w-]+\.[\w.-]+\b                 # e-mail addresses
      | (?<![\w+])\+\d{8,15}(?!\d)                   # telephone numbers
      | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)              # user and password of a URL
      | (?<=[Bb]earer\s)[^\s"',]+                    # tokens of others
      | (?<=/e/)[\w-]{40,}                           # addresses of travellers' pages
      | (?<=[?&]key=)[^&\s"']+ | (?<=token=)[^&\s"']+ | (?<=secret=)[^&\s"']+
    """,
    re.VERBOSE,
)
_DATABASE_DETAIL = re.compile(r"^\s*(?:DETAIL|Key \(|HINT):?.*$", re.MULTILINE)
_DEEPEST = 6


def redact(value: Any, depth: int = 0) -> Any:
    """``value`` without secrets: whole values under names that promise one, and known shapes inside any text.

    What a database quotes of a row it could not write goes too.
    """
    if isinstance(value, str):
        if "\n" in value:
            value = _DATABASE_DETAIL.sub("", value)
        return _SECRET_TEXTS.sub(REDACTED, value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {
            str(name): REDACTED if _promises_secret(name) else redact(inner, depth + 1) for name, inner in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(inner, depth + 1) for inner in value]
    return redact(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value), depth + 1)


def configure(level: str = "info", write: Callable[[bytes], None] | None = None) -> None:
    """Send every log line of this process to ``write`` (stderr by default), from ``level`` on.

    structlog's and the standard library's loggers come out alike. May be called again.
    """
    sink = write or _to_stderr
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            _redacted,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: _Lines(sink),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(LEVELS[level])
    for noisy in ("asyncio", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, LEVELS[level]))


class AccessLog:
    """Request lines, gathered until ``flush`` or until there are many. ``write`` gets whole lines."""

    def __init__(self, write: Callable[[bytes], None] | None = None, most: int = 512) -> None:
        self._write = write or _to_stdout
        self._most = most
        self._lines: list[bytes] = []

    def line(self, fields: dict[str, Any]) -> None:
        """Add one line. The caller puts nothing in it that came from outside, but for its request id."""
        self._lines.append(orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))
        if len(self._lines) >= self._most:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered. A reader that went away loses lines; it does not stop requests."""
        lines, self._lines = self._lines, []
        if lines:
            try:
                self._write(b"".join(lines))
            except OSError as error:
                structlog.get_logger().warning("access lines lost", count=len(lines), error=str(error))


class _Lines:
    """What structlog writes to at the end of its chain."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write_line = write

    def msg(self, message: bytes) -> None:
        self._write_line(message + b"\n")

    debug = info = warning = warn = error = critical = exception = fatal = log = msg


class _Forward(logging.Handler):
    """Hands the standard library's records to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            fields["exc_info"] = record.exc_info
        method = log.error if record.levelno >= logging.ERROR else log.warning
        if record.levelno < logging.WARNING:
            method = log.info if record.levelno >= logging.INFO else log.debug
        method(record.getMessage(), **fields)


def _promises_secret(name: Any) -> bool:
    return str(name).lower().replace("-", "").replace("_", "") in _SECRET_NAMES


def _redacted(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {
        name: REDACTED if _promises_secret(name) and value is not None else redact(value)
        for name, value in event.items()
    }


def _dumps(event: Any, **_: Any) -> bytes:
    return orjson.dumps(event, default=str)


def _to_stderr(data: bytes) -> None:
    with suppress(OSError):  # a full disk loses lines; it does not fail the request that they tell of
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()


def _to_stdout(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]
