"""Traces, off unless the environment names where they go: then nothing of OpenTelemetry is imported.

``start`` is called once at the start of a process. Where ``active`` is None nothing is traced, and requests and
suppliers' calls go the way that they would without this module.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from aiohttp.typedefs import Middleware

from schemas.errors import ConfigurationError

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
# How OpenTelemetry spells that it is off: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
_DISABLED, _EXPORTER = "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"


class Tracing(Protocol):
    """What a process that traces has."""

    middleware: Middleware

    def span(
        self, name: str, parent: str | None, attributes: Mapping[str, str]
    ) -> AbstractContextManager[object, bool | None]:
        """A span within the current one; where there is none, within ``parent``, a W3C ``traceparent``."""

    def traceparent(self) -> str | None:
        """The current span as a W3C ``traceparent``; None outside of any."""

    def close(self) -> None:
        """Send what was not sent yet. Waits for the collector."""


active: Tracing | None = None


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names a collector for traces, by the standard variables of OpenTelemetry."""
    if environment.get(_DISABLED, "").strip().lower() == "true" or environment.get(_EXPORTER, "otlp") != "otlp":
        return False
    return any(environment.get(name, "").strip() for name in _ENDPOINTS)


def start(process: str) -> None:
    """Trace what this process does from now on, where that is wanted; ``process`` is "serve" or "worker".

    Raises ``ConfigurationError`` where it is wanted and the extra ``otel`` is not installed.
    """
    global active  # noqa: PLW0603 - one process, one exporter
    if active is not None or not is_wanted():
        return
    try:
        from gateway.kit.otel import Otel  # noqa: PLC0415 - only where it is wanted
    except ImportError as error:
        raise ConfigurationError(
            f"traces are wanted by {_ENDPOINTS[1]}, but {error.name} is missing: install esim-gateway[otel]"
        ) from None
    active = Otel.from_environment(process)


def stop() -> None:
    """End tracing, and send what was not sent yet. Waits for the collector."""
    global active
    ending, active = active, None
    if ending is not None:
        ending.close()
