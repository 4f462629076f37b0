"""What people change about storefronts: keys, spend limit, webhook endpoints; each noted with who did it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Literal

from gateway.access import audit_rows, key_rows, mandate_rows, storefront_rows
from gateway.access.key_rows import InvalidKeyError, Mode, NewKey
from gateway.access.mandate_rows import Mandate
from gateway.access.user_rows import Visitor
from gateway.kit.pool import Connection, Pool
from gateway.kit.problem import Problem
from gateway.webhooks import endpoint_rows
from gateway.webhooks.endpoint_rows import Owner


async def make_key(
    pool: Pool,
    by: Visitor | str,
    *,
    storefront: str,
    mode: Mode,
    scopes: Collection[str],
    name: str | None,
    per_minute: int | None,
    storefront_id: str | None = None,
) -> NewKey | Problem:
    """A key for the storefront of that name, which is made too when it is new. Its text can never be shown again.

    With ``storefront_id`` it is made for that storefront and no other one.
    """

    async def noted(connection: Connection, made: NewKey) -> None:
        detail = {
            "name": made.name,
            "storefront": made.storefront,
            "mode": mode,
            "scopes": list(made.scopes),
            "per_minute": per_minute,
        }
        await audit_rows.record(connection, by, "key.created", f"key:{made.id}", detail)

    try:
        return await key_rows.create_key(
            pool,
            storefront=storefront,
            mode=mode,
            scopes=scopes,
            name=name,
            per_minute=per_minute,
            storefront_id=storefront_id,
            also=noted,
        )
    except InvalidKeyError as error:
        return Problem("invalid", str(error))


async def revoke_key(pool: Pool, by: Visitor | str, key_id: str, storefront_id: str | None = None) -> bool:
    """Refuse a key for good, everywhere within seconds. Revoking it again changes nothing and is not noted.

    False when there is no key of that id, or with ``storefront_id`` when it is another storefront's.
    """
    async with pool.acquire() as connection, connection.transaction():
        key = await key_rows.one_key(connection, key_id)
        if key is None or storefront_id not in {None, key.storefront_id}:
            return False
        if key.revoked_at is None:
            await key_rows.revoke_key(connection, key_id)
            await audit_rows.record(connection, by, "key.revoked", f"key:{key_id}", {"storefront": key.storefront_id})
    return True


async def make_storefront(pool: Pool, by: Visitor | str, name: str) -> str:
    """A new storefront without keys; its id. No other may have that name."""
    async with pool.acquire() as connection, connection.transaction():
        made = await storefront_rows.create(connection, name)
        await audit_rows.record(connection, by, "storefront.created", f"storefront:{made}", {"name": name})
    return made


async def set_mandate(
    pool: Pool,
    by: Visitor | str,
    key_id: str,
    *,
    per_order: Decimal,
    per_day: Decimal,
    per_month: Decimal,
    currency: str,
    ends_at: datetime,
) -> Mandate | None:
    """Bound what a key may spend, in base currency, from its next order on; None when there is no key of that id."""
    async with pool.acquire() as connection, connection.transaction():
        if await key_rows.one_key(connection, key_id) is None:
            return None
        before = await mandate_rows.lock(connection, key_id)
        after = await mandate_rows.put(
            connection,
            key_id,
            per_order=per_order,
            per_day=per_day,
            per_month=per_month,
            currency=currency,
            ends_at=ends_at,
        )
        detail = {"before": _of_mandate(before), "after": _of_mandate(after)}
        await audit_rows.record(connection, by, "key.mandate_set", f"key:{key_id}", detail)
    return after


async def remove_mandate(pool: Pool, by: Visitor | str, key_id: str) -> Mandate | None:
    """Take a key's mandate away, and with it its bounds; None when it had none."""
    async with pool.acquire() as connection, connection.transaction():
        before = await mandate_rows.remove(connection, key_id)
        if before is not None:
            detail = {"before": _of_mandate(before)}
            await audit_rows.record(connection, by, "key.mandate_removed", f"key:{key_id}", detail)
    return before


async def set_limit(pool: Pool, by: Visitor | str, storefront_id: str, limit: Decimal | None) -> None:
    """What a UTC day may come to, in base currency; None for no limit. In force with the next order."""
    async with pool.acquire() as connection, connection.transaction():
        before = await storefront_rows.set_limit(connection, storefront_id, limit)
        detail = {"before": _text(before), "after": _text(limit)}
        await audit_rows.record(connection, by, "storefront.limit_set", f"storefront:{storefront_id}", detail)


async def switch_endpoint(
    pool: Pool, by: Visitor | str, owner: Owner, endpoint_id: str, status: Literal["enabled", "disabled"]
) -> bool:
    """Send an endpoint events again, or none any more; False when the storefront has none of that id."""

    async def noted(connection: Connection) -> None:
        await audit_rows.record(connection, by, f"endpoint.{status}", f"endpoint:{endpoint_id}")

    changed = await endpoint_rows.change(
        pool, owner, endpoint_id, url=None, events=None, description=None, status=status, also=noted
    )
    return changed is not None


async def replay(pool: Pool, by: Visitor | str, owner: Owner, endpoint_id: str, delivery_id: str) -> Problem | None:
    """Send an event once more to the endpoint. Problems: not_found, conflict (the endpoint is disabled)."""

    async def noted(connection: Connection) -> None:
        await audit_rows.record(
            connection, by, "delivery.replayed", f"delivery:{delivery_id}", {"endpoint": endpoint_id}
        )

    endpoint = await endpoint_rows.find(pool, owner, endpoint_id)
    if endpoint is None:
        return Problem("not_found", "there is no such endpoint")
    if endpoint.status != "enabled":
        return Problem("conflict", "this endpoint is disabled; enable it first")
    if await endpoint_rows.replay(pool, endpoint_id, delivery_id, also=noted) is None:
        return Problem("not_found", "this endpoint has no such delivery")
    return None


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _of_mandate(mandate: Mandate | None) -> dict[str, str | None] | None:
    if mandate is None:
        return None
    return {
        "per_order": _text(mandate.per_order),
        "per_day": _text(mandate.per_day),
        "per_month": _text(mandate.per_month),
        "currency": mandate.currency,
        "ends_at": mandate.ends_at.isoformat(),
    }
