"""A source of exchange rates on this machine: the European Central Bank's list, or a service's JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer


def ecb_xml(days: Mapping[str, Mapping[str, str]]) -> bytes:
    """The bank's list with these days, as it writes it."""
    cubes = "".join(
        f"<Cube time='{day}'>" + "".join(f"<Cube currency='{c}' rate='{r}'/>" for c, r in rates.items()) + "</Cube>"
        for day, rates in days.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<gesmes:Envelope xmlns:gesmes="urn:gesmes" xmlns="urn:eurofxref">'
        "<gesmes:subject>Reference rates</gesmes:subject>"
        f"<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender><Cube>{cubes}</Cube>"
        "</gesmes:Envelope>"
    ).encode()


@dataclass
class RateSource:
    """What it answers, and how often it was asked."""

    url: str = ""
    body: bytes = b""
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def publishes(self, day: object, **rates: str) -> None:
        """Answer with the bank's list of one day."""
        self.body, self.status = ecb_xml({str(day): rates}), 200

    def settings(self, kind: str = "ecb", **more: Any) -> dict[str, Any]:
        """``[rates]`` of a gateway that fetches from here."""
        return {"sources": [{"kind": kind, "url": self.url, **more}]}


@asynccontextmanager
async def rate_source() -> AsyncIterator[RateSource]:
    """A source that answers until the test ends."""
    source = RateSource()

    async def answer(request: web.Request) -> web.Response:
        source.asked.append(request.path)
        return web.Response(status=source.status, body=source.body)

    app = web.Application()
    app.router.add_get("/daily.xml", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        source.url = str(server.make_url("/daily.xml"))
        yield source
