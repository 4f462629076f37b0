"""What handlers find in the application: one typed key for each thing that it is composed of."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.alerts.order_health import HealthMonitor
from gateway.api.answers import Heads, Memories, PreparedDocument
from gateway.api.docs.serving import ServedSite
from gateway.api.keyring import Caller, Keyring
from gateway.api.metrics import Metrics
from gateway.api.ratelimit import Limiter
from gateway.catalog.browse import Catalog
from gateway.kit.log import AccessLog
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from gateway.suppliers.accounts import check_accounts
from gateway.suppliers.deps import Deps

if TYPE_CHECKING:
    from redis.asyncio import Redis

SETTINGS = web.AppKey("settings", Settings)
CATALOG = web.AppKey("catalog", Catalog)
POOL = web.AppKey("pool", Pool)
DEPS = web.AppKey("deps", Deps)
HEALTH = web.AppKey("health", HealthMonitor)
REDIS: web.AppKey[Redis] = web.AppKey("redis")
KEYRING = web.AppKey("keyring", Keyring)
LIMITER = web.AppKey("limiter", Limiter)
MEMORIES = web.AppKey("memories", Memories)
METRICS = web.AppKey("metrics", Metrics)
ACCESS_LOG = web.AppKey("access_log", AccessLog)
HEADS = web.AppKey("heads", Heads)
CAPABILITIES = web.AppKey("capabilities", Mapping[str, tuple[str, ...]])
TOLERANCES = web.AppKey("tolerances", Mapping[str, Decimal])
DOCUMENTS = web.AppKey("documents", Mapping[str, PreparedDocument])  # by path
DOCS = web.AppKey("docs", ServedSite)

CALLER = web.RequestKey("caller", Caller)
REQUEST_ID = web.RequestKey("request_id", str)


def describe_accounts(app: web.Application, settings: Settings) -> None:
    """Keep what the settings say of each supplier. Raises ``ConfigurationError`` for one that is configured wrongly."""
    accounts = check_accounts(settings)
    app[CAPABILITIES] = {
        name: tuple(sorted(capability.value for capability in manifest.capabilities))
        for name, (manifest, _) in accounts.items()
    }
    app[TOLERANCES] = {name: manifest.tolerance(own) for name, (manifest, own) in accounts.items()}
