"""By how much a supplier may charge more than it lists."""

from __future__ import annotations

from decimal import Decimal

from gateway.suppliers.deps import Deps


def tolerance_of(deps: Deps, supplier: str) -> Decimal:
    """The share by which a supplier may charge more than it lists."""
    account = deps.accounts.get(supplier)
    if account is None:
        return Decimal(0)
    own = account.settings.charge_tolerance
    return own if own is not None else account.manifest.charge_tolerance
