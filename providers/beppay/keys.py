"""BepPay's keys in the gateway's words. Pure."""

from __future__ import annotations

from providers.beppay import wire
from providers.kit.text import clean_text
from schemas.account import NewSupplierKey, SupplierKey

_LONGEST_KEY = 500
_LONGEST_PREFIX = 16  # it is shown and logged: no supplier's idea of a prefix may be the key


def key(row: wire.ApiKey) -> SupplierKey:
    """One key of the list."""
    return SupplierKey(
        id=str(row.id),
        name=clean_text(row.name),
        prefix=clean_text(row.key_prefix, _LONGEST_PREFIX),
        active=row.is_active,
        last_used_at=row.last_used_at,
        created_at=row.created_at,
    )


def created(made: wire.CreatedKey) -> NewSupplierKey:
    """The key that was made. Raises ``ValueError`` for one that no header can carry."""
    if not (0 < len(made.api_key) <= _LONGEST_KEY and made.api_key.isascii() and made.api_key.isprintable()):
        raise ValueError("the new key is no text that a header can carry")
    return NewSupplierKey(
        secret=made.api_key, prefix=clean_text(made.key_prefix, _LONGEST_PREFIX), created_at=made.created_at
    )
