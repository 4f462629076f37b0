"""Fixtures of the flows' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.kit.pool import Pool
from tests.kit.counter import Counter
from tests.kit.counter import counter as open_counter
from tests.kit.receiver import Receiver, receiving
from tests.kit.sandboxed import Town, town


@pytest.fixture
async def counter(pool: Pool, database_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    """Everything that an order needs, on real servers."""
    async with open_counter(pool, database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def suppliers() -> AsyncIterator[Town]:
    """All suppliers' sandboxes, without rate limits."""
    async with town() as made:
        yield made


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Where webhooks go."""
    async with receiving() as made:
        yield made
