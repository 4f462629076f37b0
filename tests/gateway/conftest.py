"""Fixtures of the flows' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from gateway.access import passwords
from gateway.kit.pool import Pool
from tests.kit.counter import Counter
from tests.kit.counter import counter as open_counter
from tests.kit.receiver import Receiver, receiving
from tests.kit.sandboxed import Town, town

CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
_NOBODYS_HASH = CHEAP_HASHER.hash("nobody's password")


@pytest.fixture(autouse=True)
def _cheap_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost next to nothing, but where a test takes ``full_password_cost``."""
    if "full_password_cost" not in request.fixturenames:
        monkeypatch.setattr(passwords, "_hasher", lambda: CHEAP_HASHER)
        monkeypatch.setattr(passwords, "_nobodys_hash", lambda: _NOBODYS_HASH)


@pytest.fixture
def full_password_cost() -> None:
    """Passwords are hashed with the parameters of the product."""


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
