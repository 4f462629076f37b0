"""The Python client in front of a gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from esim_gateway_client import AsyncGateway, Gateway
from tests.gateway.api.conftest import Shop


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
