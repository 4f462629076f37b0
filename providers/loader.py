"""Finding the supplier plugins and opening one configured account.

Those in the tree are found by folder, third parties' by the entry-point group of ``contract.py``.
A plugin that cannot be imported stops the start: a supplier that is silently missing would be found
out by a customer.
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import providers
from providers.checks import check_manifest
from providers.contract import ENTRY_POINT_GROUP, Manifest, PaymentProvider, Provider, SupplierSettings
from providers.kit.transport import SupplierRateLimiter, Transport
from schemas.errors import ConfigurationError

# Folders under providers/ that are no suppliers.
_NOT_SUPPLIERS = frozenset({"kit", "scaffold", "simulator"})


def load_manifests() -> dict[str, Manifest]:
    """Every plugin's manifest by its name, sorted.

    Raises ``ConfigurationError`` naming the plugin and the cause: it cannot be imported, has no
    manifest, disagrees with its own manifest, or has the name of another.
    """
    found: dict[str, Manifest] = {}
    for where, manifest in (*_in_the_tree(), *_installed()):
        check_manifest(manifest)
        if manifest.name in found:
            raise ConfigurationError(f"{where}: there is another provider named {manifest.name!r}; rename one")
        found[manifest.name] = manifest
    return dict(sorted(found.items()))


def plugin_folders() -> list[str]:
    """The folders of ``providers`` that hold a plugin each."""
    found = pkgutil.iter_modules(providers.__path__)
    return [module.name for module in found if module.ispkg and module.name not in _NOT_SUPPLIERS]


def open_provider(manifest: Manifest, name: str, settings: SupplierSettings, limiter: SupplierRateLimiter) -> Provider:
    """One configured account, with connections of its own. The same provider may stand under several names.

    Raises ``ConfigurationError`` for a base URL that cannot be used, or when the plugin is no supplier of eSIMs.
    """
    cls: type[Any] = manifest.provider
    if not issubclass(cls, Provider):
        raise ConfigurationError(f"suppliers.{name}: {manifest.title} takes payments and sells nothing")
    return cls(manifest, name, settings, _transport(manifest, name, settings, limiter))


def open_payment(
    manifest: Manifest, name: str, settings: SupplierSettings, limiter: SupplierRateLimiter
) -> PaymentProvider:
    """One configured account at a payment supplier, with connections of its own.

    Raises ``ConfigurationError`` for a base URL that cannot be used, or when the plugin takes no payments.
    """
    cls: type[Any] = manifest.provider
    if not issubclass(cls, PaymentProvider):
        raise ConfigurationError(f"suppliers.{name}: {manifest.title} sells and takes no payments")
    return cls(manifest, name, settings, _transport(manifest, name, settings, limiter))


def _transport(manifest: Manifest, name: str, settings: SupplierSettings, limiter: SupplierRateLimiter) -> Transport:
    return Transport(
        name,
        settings.base_url,
        timeout_seconds=settings.timeout_seconds,
        max_body_bytes=manifest.limits.max_body_bytes,
        secrets=settings.secrets(),
        limiter=limiter,
    )


def _in_the_tree() -> Iterator[tuple[str, Manifest]]:
    for name in plugin_folders():
        where = f"providers/{name}"
        manifest = _manifest_of(where, _imported(where, f"providers.{name}"))
        if manifest.name != name:
            raise ConfigurationError(f"{where}: its MANIFEST is named {manifest.name!r}; folder and name must agree")
        yield where, manifest


def _installed() -> Iterator[tuple[str, Manifest]]:
    for point in _announced(tuple(sys.path)):
        where = f"entry point {point.name} = {point.value}"
        yield where, _manifest_of(where, _loaded(where, point))


@lru_cache(maxsize=1)
def _announced(_path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Plugins that installed packages announce; all packages on the path are looked through, which takes a while."""
    return tuple(entry_points(group=ENTRY_POINT_GROUP))


def _imported(where: str, module: str) -> Any:
    try:
        return import_module(module)
    except Exception as error:
        raise ConfigurationError(_cannot_import(where, error)) from error


def _loaded(where: str, point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        raise ConfigurationError(_cannot_import(where, error)) from error


def _cannot_import(where: str, error: Exception) -> str:
    return f"{where}: cannot be imported: {type(error).__name__}: {error}"


def _manifest_of(where: str, found: Any) -> Manifest:
    manifest = found if isinstance(found, Manifest) else getattr(found, "MANIFEST", None)
    if not isinstance(manifest, Manifest):
        raise ConfigurationError(f"{where}: has no MANIFEST of type providers.contract.Manifest")
    return manifest
