"""The clients in front of a real gateway that sells what the sandboxes sell."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.gateway.api.conftest import Shop, make_api, shop
from tests.gateway.conftest import receiver, suppliers
from tests.kit.dropping_proxy import DroppingProxy, dropping_proxy

__all__ = ["make_api", "receiver", "shop", "suppliers"]

PLAN = "bv-1gb-2d-06d3e3e4ddb9"  # pikasim's: it takes eSIMs back and adds data
LIMIT_PER_MINUTE = 60  # of a key that is soon over its limit: as many at once, then one a second


@pytest.fixture
def url(shop: Shop) -> str:
    """Where the gateway is."""
    return str(shop.api.client.make_url(""))


@pytest.fixture
async def proxy(shop: Shop) -> AsyncIterator[DroppingProxy]:
    """What breaks connections to the gateway."""
    server = shop.api.client.server
    async with dropping_proxy(server.host, server.port) as opened:
        yield opened
