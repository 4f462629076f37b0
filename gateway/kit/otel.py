"""Traces by OpenTelemetry's SDK, sent as OTLP over HTTP. Imported by ``gateway.kit.tracing`` alone, where wanted.

A span names routes by template and suppliers by account, never a path, a query or a body: those hold ICCIDs, activation
codes and keys. Errors are named by their type. No header of ours goes to a supplier.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from providers.kit import transport

_PROBES = frozenset({"/livez", "/readyz"})
_PROPAGATOR = TraceContextTextMapPropagator()
_SERVER_ERROR = 500


class Otel:
    """Tracing in one process. Sessions to suppliers that are opened from now on are traced."""

    def __init__(self, process: str, processor: SpanProcessor) -> None:
        named = {"service.version": version("esim-gateway"), "esim.process": process}
        self._provider = TracerProvider(resource=Resource.create(named))
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("esim-gateway", version("esim-gateway"))
        self.middleware = _middleware(self._tracer)
        transport.TRACES.append(self._trace_config)

    @classmethod
    def from_environment(cls, process: str) -> Otel:
        """Where the environment says: exporter, processor, sampler and resource read it themselves."""
        if "service.name=" not in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
            os.environ.setdefault("OTEL_SERVICE_NAME", "esim-gateway")
        return cls(process, BatchSpanProcessor(OTLPSpanExporter()))

    @contextmanager
    def span(self, name: str, parent: str | None, attributes: Mapping[str, str]) -> Iterator[None]:
        """A span within the current one; where there is none, within ``parent``, a W3C ``traceparent``."""
        with self._tracer.start_as_current_span(
            name,
            context=None if _is_current() else _context_of(parent),
            attributes=dict(attributes),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                _failed(span, type(error).__name__)
                raise

    def traceparent(self) -> str | None:
        """The current span as a W3C ``traceparent``; None outside of any."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get("traceparent")

    def close(self) -> None:
        """Send what was not sent yet. Waits for the collector."""
        transport.TRACES.remove(self._trace_config)
        self._provider.shutdown()

    def _trace_config(self, supplier: str) -> aiohttp.TraceConfig:
        """What traces the calls of one supplier's session."""
        config = aiohttp.TraceConfig()

        async def started(_: Any, call: SimpleNamespace, sent: aiohttp.TraceRequestStartParams) -> None:
            call.span = self._tracer.start_span(
                f"{sent.method} {supplier}",
                kind=SpanKind.CLIENT,
                attributes={
                    "http.request.method": sent.method,
                    "server.address": sent.url.host or "",
                    "server.port": sent.url.port or 0,
                    "esim.supplier": supplier,
                },
            )

        async def ended(_: Any, call: SimpleNamespace, got: aiohttp.TraceRequestEndParams) -> None:
            status = got.response.status
            call.span.set_attribute("http.response.status_code", status)
            if status >= 400:  # noqa: PLR2004 - HTTP; to a client every one is an error
                _failed(call.span, str(status))
            call.span.end()

        async def broke(_: Any, call: SimpleNamespace, got: aiohttp.TraceRequestExceptionParams) -> None:
            _failed(call.span, type(got.exception).__name__)
            call.span.end()

        config.on_request_start.append(started)
        config.on_request_end.append(ended)
        config.on_request_exception.append(broke)
        return config


def _middleware(tracer: Tracer) -> Middleware:
    @web.middleware
    async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in _PROBES:
            return await handler(request)
        resource = request.match_info.route.resource
        route = "" if resource is None else resource.canonical
        with tracer.start_as_current_span(
            f"{request.method} {route}".strip(),
            context=_PROPAGATOR.extract(request.headers),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": request.method} | ({"http.route": route} if route else {}),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                response = await handler(request)
            except BaseException as error:
                _failed(span, type(error).__name__)
                raise
            span.set_attribute("http.response.status_code", response.status)
            if response.status >= _SERVER_ERROR:
                _failed(span, str(response.status))
            return response

    return traced


def _failed(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)


def _is_current() -> bool:
    return trace.get_current_span().get_span_context().is_valid


def _context_of(parent: str | None) -> Context | None:
    return None if parent is None else _PROPAGATOR.extract({"traceparent": parent})
