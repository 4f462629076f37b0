"""Requests that are no HTTP: a problem like every other, instead of aiohttp's page that quotes the request.

aiohttp answers these below every application and has no hook for it, so its method is replaced.
"""

from __future__ import annotations

import secrets

import structlog
from aiohttp import web

from gateway.web.answers import SECURITY_HEADERS
from gateway.web.problems import Refusal, render


def install() -> None:
    """Answer unreadable requests with problems, in this process."""
    web.RequestHandler.handle_error = _answer  # type: ignore[method-assign,assignment]


def _answer(
    _connection: web.RequestHandler,
    request: web.BaseRequest,
    status: int = 500,
    exc: BaseException | None = None,
    message: str | None = None,  # noqa: ARG001 - it quotes what was sent, keys included
) -> web.StreamResponse:
    if request.writer.output_size > 0:
        raise ConnectionError("an answer was begun already")
    request_id = f"req_{secrets.token_hex(8)}"
    logger = structlog.get_logger()
    if status >= 500:  # noqa: PLR2004 - HTTP
        logger.error("unexpected fault outside every route", request_id=request_id, exc_info=exc)
    else:
        logger.info("unreadable request", request_id=request_id, status=status, kind=type(exc).__name__)
    response = render(Refusal("internal" if status >= 500 else "malformed"), request_id)  # noqa: PLR2004 - HTTP
    response.headers.update(SECURITY_HEADERS)
    response.headers["X-Request-Id"] = request_id
    response.headers["Server"] = "esim-gateway"
    response.force_close()
    return response
