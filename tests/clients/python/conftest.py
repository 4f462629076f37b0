"""The Python client in front of a real gateway that sells what the sandboxes sell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from esim_gateway_client import AsyncGateway, Gateway
from tests.gateway.api.conftest import Shop, make_api, shop
from tests.gateway.conftest import receiver, suppliers
from tests.kit.dropping_proxy import DroppingProxy, dropping_proxy

__all__ = ["make_api", "receiver", "shop", "suppliers"]


@pytest.fixture
def url(shop: Shop) -> str:
    """Where the gateway is."""
    return str(shop.api.client.make_url(""))


@pytest.fixture
def gateway(shop: Shop, url: str) -> Iterator[Gateway]:
    """The client. It blocks, so a test calls it in a thread."""
    with Gateway(url, shop.api.key) as opened:
        yield opened


@pytest.fixture
async def async_gateway(shop: Shop, url: str) -> AsyncIterator[AsyncGateway]:
    """The client for asyncio."""
    async with AsyncGateway(url, shop.api.key) as opened:
        yield opened


@pytest.fixture
async def proxy(shop: Shop) -> AsyncIterator[DroppingProxy]:
    """What breaks connections to the gateway."""
    server = shop.api.client.server
    async with dropping_proxy(server.host, server.port) as opened:
        yield opened
