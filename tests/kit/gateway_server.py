"""The API on a free port, behind the same front door as ``serve``."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.api.connections import FrontDoorRunner


class GatewayServer(TestServer):
    """Serves an application of ``make_app``."""

    __test__ = False

    async def _make_runner(self, **_: Any) -> web.AppRunner:
        self.door_runner = FrontDoorRunner(self.app)
        return self.door_runner
