"""Scopes of API keys: which there are, what each includes, and which another one must accompany. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

KeyScope = Literal["catalog", "storefront", "routing", "goods", "ops:read", "ops"]

# In the order in which a key's scopes are kept and shown.
SCOPES: tuple[KeyScope, ...] = ("catalog", "storefront", "routing", "goods", "ops:read", "ops")
_INCLUDES: Mapping[str, str] = {"storefront": "catalog", "ops": "ops:read"}
_NEEDS: Mapping[str, str] = {"routing": "storefront", "goods": "storefront"}


SELF_SERVICE: frozenset[str] = frozenset({"catalog", "storefront"})
"""What the users of a storefront may give its keys; the other scopes are for operators to give."""
_OF_OPERATORS = frozenset({"ops:read", "ops"})


def is_for_operators(scopes: Collection[str]) -> bool:
    """Whether a key of these scopes opens what is not its storefront's own."""
    return not _OF_OPERATORS.isdisjoint(scopes)


def granted(scopes: Collection[str]) -> frozenset[str]:
    """Everything that a key of these scopes may do, as scopes.

    What a scope includes is added. `routing` and `goods` add to a storefront's routes: without `storefront` they
    grant nothing. Such keys exist, made before that was refused.
    """
    kept = {scope for scope in scopes if scope not in _NEEDS or _NEEDS[scope] in scopes}
    return frozenset(kept | {_INCLUDES[scope] for scope in kept if scope in _INCLUDES})


def fault_of_scopes(scopes: Collection[str]) -> str | None:
    """What is wrong with the scopes of a key that is to be made; None when nothing is."""
    if not scopes:
        return f"a key needs at least one scope of {', '.join(SCOPES)}"
    if unknown := sorted(set(scopes) - set(SCOPES)):
        return f"unknown scope {unknown[0]!r}: {', '.join(SCOPES)}"
    for scope in scopes:
        if scope in _NEEDS and _NEEDS[scope] not in scopes:
            return f"the scope {scope} needs the scope {_NEEDS[scope]} beside it"
    return None
