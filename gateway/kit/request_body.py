"""Reading a request's body: what arrived whole, or why it did not.

A client that hangs up makes aiohttp raise ``ConnectionResetError``, and one that is too slow a ``TimeoutError``. The
database raises the same two, so both are turned into ``BodyError`` here, the only place that reads a body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

BodyFault = Literal["malformed", "request_timeout", "too_large", "client_closed_request"]


_STATUSES: Mapping[BodyFault, int] = {
    "malformed": 400,
    "request_timeout": 408,
    "too_large": 413,
    "client_closed_request": 499,  # as nginx logs it; nobody receives it
}


class BodyError(Exception):
    """The body cannot be had. ``code`` is a problem's code, the text says what the client can do."""

    def __init__(self, code: BodyFault, detail: str) -> None:
        super().__init__(detail)
        self.code: BodyFault = code
        self.status = _STATUSES[code]
        self.client_is_gone = code == "client_closed_request"


async def receive_body(request: web.Request) -> bytes:
    """The whole body, at most ``request.client_max_size`` bytes. Raises ``BodyError``. May be called again."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise BodyError("too_large", f"Send a body of at most {request.client_max_size} bytes.") from None
    except TimeoutError:
        raise BodyError("request_timeout", "The body was not received in time. Send the request again.") from None
    except ConnectionError:
        raise BodyError("client_closed_request", "The client closed the connection.") from None
    except RequestPayloadError:
        raise BodyError("malformed", "The body is not framed as its headers say. Check its chunks.") from None
