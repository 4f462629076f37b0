"""The plugin in whose folder a test stands, at its sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from providers.contract import Manifest
from providers.loader import load_manifests
from providers.simulator import SandboxWorld
from tests.providers.account import Account, account
from tests.providers.shop import Shop, open_shop

pytest.register_assert_rewrite(
    "tests.providers.checks",
    "tests.providers.market",
    "tests.providers.plugin_suite",
    "tests.providers.suite",
    "tests.providers.suite_orders",
)


@pytest.fixture
def manifest(request: pytest.FixtureRequest) -> Manifest:
    return load_manifests()[request.path.parent.name]


@pytest.fixture
def world(manifest: Manifest) -> SandboxWorld:
    """What the sandbox sells, without rate limits."""
    return SandboxWorld([manifest.name], enforce_rate_limits=False)


@pytest.fixture
async def shop(manifest: Manifest, world: SandboxWorld) -> AsyncIterator[Shop]:
    """The plugin, open."""
    async with open_shop(manifest, world) as opened:
        yield opened


@pytest.fixture
async def here(manifest: Manifest) -> AsyncIterator[Account]:
    """An account at the sandbox, which delivers at once."""
    async with account(manifest) as opened:
        yield opened
