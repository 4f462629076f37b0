"""The plugin at its sandbox."""

import pytest

from tests.providers.s2s.market import account


@pytest.fixture
async def here():
    """An account at S2S's sandbox."""
    async with account() as opened:
        yield opened
