"""What maps a supplier's items: the code and tables that are installed, the account's settings, what people told.

An item that comes as it came is mapped as it was mapped only as long as all of these stand. A new
release, another table of places, another setting or a word's new meaning has every item mapped again, once.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from providers.contract import Provider
from providers.kit.mapping_overrides import MappingOverrides

_TABLES = ("places.toml", "regions.toml", "operators.toml", "territory_names.txt", "tiers.toml")


def mapping_of(provider: Provider, overrides: MappingOverrides | None = None) -> bytes:
    """16 bytes that stand for all that decides how this account's items are mapped. No secret is in them.

    ``overrides`` are the mappings of operators.
    """
    whole = hashlib.blake2b(digest_size=16)
    whole.update(_code(type(provider).__module__))
    whole.update(provider.settings.model_dump_json(exclude={"timeout_seconds", "requests_per_minute"}).encode())
    whole.update(overrides.digest if overrides is not None else b"")
    return whole.digest()


@cache
def _code(module: str) -> bytes:
    package = sys.modules[module].__package__ or module
    whole = hashlib.blake2b(digest_size=32)
    for name in dict.fromkeys((package, "providers", "providers.kit", "schemas")):
        for file in sorted(resources.files(name).iterdir(), key=lambda file: file.name):
            if file.name.endswith(".py"):
                _add(whole, file)
    for table in _TABLES:
        _add(whole, resources.files("config").joinpath(table))
    return whole.digest()


def _add(whole: hashlib.blake2b, file: Traversable) -> None:
    whole.update(file.name.encode())
    whole.update(file.read_bytes())
