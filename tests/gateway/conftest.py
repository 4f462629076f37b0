"""Fixtures of the flows' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.kit.pool import Pool
from tests.kit.counter import Counter
from tests.kit.counter import counter as open_counter


@pytest.fixture
async def counter(pool: Pool, database_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    """Everything that an order needs, on real servers."""
    async with open_counter(pool, database_url, tmp_path) as opened:
        yield opened
