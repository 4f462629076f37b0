"""Which of the keys that a supplier lists is which. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from schemas.account import SupplierKey

# A shorter prefix is the same for every key of a supplier.
SHORTEST_PREFIX = 9


def named(listed: Sequence[SupplierKey], name: str) -> list[SupplierKey]:
    """The keys of this name that are valid."""
    return [key for key in listed if key.name == name and key.active]


def made(listed: Sequence[SupplierKey], name: str, prefix: str | None) -> SupplierKey | Literal["none", "several"]:
    """The key that was made under this name. Names are unique, so a second one is nobody's."""
    found = named(listed, name)
    if not found:
        return "none"
    if len(found) > 1 or (prefix and found[0].prefix != prefix):
        return "several"
    return found[0]


def in_use(listed: Sequence[SupplierKey], secrets: Collection[str], known_id: str | None) -> str | None:
    """The supplier's id of the key that is in use: the one that is known, else the only one that begins as ours does.

    None when it cannot be told: nobody's key is revoked on a guess.
    """
    if known_id is not None:
        return known_id
    alike = [
        key.id
        for key in listed
        if key.active
        and len(key.prefix) >= SHORTEST_PREFIX
        and any(secret.startswith(key.prefix) for secret in secrets)
    ]
    return alike[0] if len(alike) == 1 else None
