"""The gateway's features, bottom up: each is a domain of its own folder and may import those above it in this list.

A face (``api``, ``console``, ``cli``) finds what it has of a feature by name: ``gateway.api.orders`` is the API of
``gateway.orders``. What a feature does again and again in a worker is declared in its own ``jobs.py``, what it counts
for Prometheus in its ``metrics.py``. So a new feature is a folder, a file in each face that it uses, a migration, and a
line here.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from prometheus_client.registry import Collector


class Feature(NamedTuple):
    """A domain. ``also`` are further names under which faces have files of it."""

    name: str
    also: tuple[str, ...] = ()


FEATURES = (
    Feature(
        "access",
        (
            *("entry", "second_factor", "storefronts", "storefront_keys", "users"),
            *("keys", "audit", "saved_filters", "mandates"),
        ),
    ),
    Feature("webhooks", ("storefront_webhooks",)),
    Feature("pricing", ("rates",)),
    Feature("suppliers"),
    Feature("catalog", ("quotes",)),
    Feature("items", ("goods", "other_goods")),
    Feature("selling"),
    Feature("inventory", ("esims", "storefront_esims", "numbers")),
    Feature("orders", ("order_batches", "orders_by_hand", "storefront_orders")),
    Feature("prices", ("plans", "compare", "history", "need_history", "changes", "margins")),
    Feature("sync", ("sync_runs", "suspects", "unmapped", "mappings", "quarantine")),
    Feature("checkouts"),
    Feature("ledger", ("money",)),
    Feature("alerts"),
    Feature("intake"),
    Feature("travellers"),
    Feature("privacy"),
    Feature("operations", ("home", "jobs", "settings", "running", "health", "config")),
)


def face_modules(face: str) -> Iterator[ModuleType]:
    """The modules of a face (``api``, ``console``, ``cli``), in the order of the features."""
    for feature in FEATURES:
        for name in (feature.name, *feature.also):
            yield from _module(f"gateway.{face}.{name}")


def domain_modules(name: str) -> Iterator[ModuleType]:
    """The modules of this name in the folders of the features, in their order."""
    for feature in FEATURES:
        yield from _module(f"gateway.{feature.name}.{name}")


def domain_metrics() -> Iterator[Collector]:
    """What the features count, in whatever process it happens."""
    for module in domain_modules("metrics"):
        yield from module.METRICS


def _module(name: str) -> Iterator[ModuleType]:
    if find_spec(name) is not None:
        yield import_module(name)
