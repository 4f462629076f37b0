"""Turning a supplier's key over, so that at every moment the stored key works or the old one does.

A row is committed before the supplier is asked for a key, and each step after it is one commit. Whoever finds a row
goes on from it: this call, the next one, or the schedule. What was sent and not answered is never sent again; a key
that was made and whose text was lost is revoked by its name. The old key is revoked last, by the new one, when every
process has had time to follow.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
import structlog

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.kit.database_retry import retry_while_database_down
from gateway.kit.problem import Problem
from gateway.kit.run_locks import run_locks
from gateway.kit.sealing import Unsealable
from gateway.suppliers import key_rotation_rules as listing
from gateway.suppliers import supplier_key_rows
from gateway.suppliers.accounts import Account, follow_keys
from gateway.suppliers.deps import Deps
from gateway.suppliers.supplier_key_rows import KeyRow
from providers.contract import Capability, Provider, SupplierSettings
from providers.loader import open_provider
from schemas.account import SupplierKey
from schemas.api_accounts import KeyRotation
from schemas.errors import ConfigurationError, GatewayError, NotAuthorised, Outcome, SupplierError

log = structlog.get_logger(__name__)
T = TypeVar("T")

LOCK = 7_310_577
SEND_SECONDS = 15.0  # from the committed row to the first byte
# From the switch to the old key's end: a process follows within 2 s, and a call may have waited 65 s for its rate.
FOLLOWED_SECONDS = 90.0
AGAIN_SECONDS = (5.0, 15.0, 60.0, 300.0)
# A new key that is not listed, or not taken, for so long will not be.
PATIENCE = timedelta(minutes=10)


async def rotate(deps: Deps, supplier: str, actor: Visitor | str) -> KeyRotation | Problem:
    """Have a supplier give a new key and take it into use, as far as that goes now.

    One that was begun before is gone on with, or put right, first. The schedule goes on with what is left to do.
    Problems: not_found, not_supported, conflict (with what is in the way). Raises what the database raises.
    """
    account = deps.accounts.get(supplier)
    if account is None:
        return Problem("not_found", f"no supplier {supplier} is configured")
    if Capability.KEYS not in account.manifest.capabilities:
        note = account.manifest.capability_notes.get(Capability.KEYS, "it has no call for keys")
        return Problem("not_supported", f"{account.manifest.title}: {note}")
    # Neither a visitor who leaves nor a shutdown breaks it off between a call and its commit.
    return await _whole(deps, _rotate(deps, supplier, actor))


async def go_on(deps: Deps, supplier: str) -> KeyRotation | None:
    """Go on with what was begun at a supplier; how it stands then. None when nothing ever was."""
    if supplier in deps.accounts:
        await _whole(deps, _continue(deps, supplier))
    row = await supplier_key_rows.newest(deps.pool, supplier)
    return None if row is None else present(row)


async def go_on_all(deps: Deps) -> None:
    """Go on with all that is due; a fault in one leaves the others."""
    for supplier in await supplier_key_rows.due(deps.pool, deps.clock()):
        if supplier not in deps.accounts:
            continue
        try:
            await go_on(deps, supplier)
        except Exception:
            log.exception("supplier_key_stuck", supplier=supplier)


async def use_configured(deps: Deps, supplier: str, actor: Visitor | str) -> str | Problem:
    """Let the configured key hold again, once the supplier was seen to take it; which stored key was let go.

    One that is being rotated is undone: where no stored key works any more it could not go on. Problems:
    not_found, conflict.
    """
    account = deps.accounts.get(supplier)
    if account is None or account.configured is None or account.key is None:
        return Problem("not_found", f"{supplier} has no stored key in force")
    async with _alone(deps, supplier) as alone:
        if not alone:
            return Problem("conflict", f"the key of {supplier} is being rotated just now")
        try:
            async with _way(account, account.configured) as configured:
                await configured.keys()
        except GatewayError as error:
            return Problem("conflict", f"the configured key was not accepted, so the stored one stays: {error}")
        try:
            left = await _let_go(deps, supplier, actor)
        except _MovedError:
            return Problem("conflict", f"the key of {supplier} is being rotated just now")
        await follow_keys(deps.accounts, deps.pool, deps.seal)
    return left or ""


async def _let_go(deps: Deps, supplier: str, actor: Visitor | str) -> str | None:
    async with deps.pool.acquire() as connection, connection.transaction():
        row = await supplier_key_rows.open_one(connection, supplier)
        if row is not None and row.state != "undoing":
            reason = "the configured key was put in force instead"
            if await supplier_key_rows.begin_undo(connection, row, reason, deps.clock()) is None:
                raise _MovedError
        left = await supplier_key_rows.take_out_of_force(connection, supplier) or (None if row is None else row.key_id)
        await audit_rows.record(connection, actor, "supplier_key.let_go", f"supplier:{supplier}", {"key": left})
        return left


async def listed(deps: Deps, supplier: str) -> list[SupplierKey] | Problem:
    """The keys as the supplier lists them. Problems: not_found, not_supported, unavailable."""
    account = deps.accounts.get(supplier)
    if account is None:
        return Problem("not_found", f"no supplier {supplier} is configured")
    if Capability.KEYS not in account.manifest.capabilities:
        note = account.manifest.capability_notes.get(Capability.KEYS, "it has no call for keys")
        return Problem("not_supported", f"{account.manifest.title}: {note}")
    try:
        return await account.provider.keys()
    except GatewayError as error:
        return Problem("unavailable", str(error))


def present(row: KeyRow) -> KeyRotation:
    """A row as people see it, without the key."""
    return KeyRotation(
        id=row.id,
        supplier=row.supplier,
        state=row.state,
        in_force=row.in_force,
        name=row.name,
        prefix=row.prefix,
        key_id=row.key_id,
        old_key_id=row.old_key_id,
        started_by=row.started_by,
        started_at=row.started_at,
        changed_at=row.changed_at,
        revoke_at=row.revoke_at,
        look_at=None if row.state in {"done", "undone"} else row.look_at,
        error=row.error,
    )


# --- one at a time -------------------------------------------------------------------------------------


async def _whole(deps: Deps, run: Coroutine[Any, Any, T]) -> T:
    """Run it to its end, whatever becomes of who asked for it."""
    task = asyncio.create_task(run, name="supplier key")
    deps.running.add(task)
    task.add_done_callback(deps.running.discard)
    return await asyncio.shield(task)


@asynccontextmanager
async def _alone(deps: Deps, supplier: str) -> AsyncIterator[bool]:
    """Whether nobody else is at this supplier's keys; then nobody is until the end of the block."""
    direct_url = deps.settings.database_direct_url
    async with run_locks(deps.pool, direct_url.get_secret_value() if direct_url else None) as locks:
        yield await locks.try_acquire((LOCK, supplier))


async def _rotate(deps: Deps, supplier: str, actor: Visitor | str) -> KeyRotation | Problem:
    async with _alone(deps, supplier) as alone:
        row = await supplier_key_rows.open_one(deps.pool, supplier)
        if not alone:
            return present(row) if row is not None else Problem("conflict", "another rotation is just starting")
        await follow_keys(deps.accounts, deps.pool, deps.seal)
        if row is None:
            return await _begin(deps, supplier, actor)
        row = await _on(deps, row)
        if row.state == "undoing":
            until = f"{row.quiet_at:%Y-%m-%d %H:%M:%S} UTC"
            message = f"the key that was asked for before is being put right until {until}: {row.error}"
            return Problem("conflict", message)
        return await _begin(deps, supplier, actor) if row.state == "undone" else present(row)


async def _continue(deps: Deps, supplier: str) -> None:
    async with _alone(deps, supplier) as alone:
        row = await supplier_key_rows.open_one(deps.pool, supplier)
        if alone and row is not None:
            await follow_keys(deps.accounts, deps.pool, deps.seal)
            await _on(deps, row)


# --- the steps -----------------------------------------------------------------------------------------


async def _begin(deps: Deps, supplier: str, actor: Visitor | str) -> KeyRotation | Problem:
    account, now = deps.accounts[supplier], deps.clock()
    try:
        _ = deps.seal.head  # without a key of ours nothing can be kept
        listed_keys = await account.provider.keys()
    except (GatewayError, ConfigurationError) as error:
        return Problem("conflict", f"no key was requested: {error}")
    stored = None if account.key is None else await supplier_key_rows.get(deps.pool, account.key)
    known = None if stored is None else stored.key_id
    key_id = f"sky_{secrets.token_hex(8)}"
    deadline = now + timedelta(seconds=SEND_SECONDS)
    grace = account.settings.timeout_seconds + account.settings.quiescence_seconds
    try:
        async with deps.pool.acquire() as connection, connection.transaction():
            row = await supplier_key_rows.begin(
                connection,
                key_id=key_id,
                supplier=supplier,
                name=f"esim-gateway {supplier} {key_id}",
                old_key_id=listing.in_use(listed_keys, account.settings.secrets(), known),
                started_by=actor.name if isinstance(actor, Visitor) else actor,
                now=now,
                deadline=deadline,
                quiet_at=deadline + timedelta(seconds=grace),
            )
            await audit_rows.record(connection, actor, "supplier_key.asked", f"supplier:{supplier}", {"id": key_id})
    except asyncpg.UniqueViolationError:
        return Problem("conflict", "another rotation is just starting")
    return present(await _ask(deps, account, row))


async def _ask(deps: Deps, account: Account, row: KeyRow) -> KeyRow:
    """Ask for the key: the one request, by the run that made the row, and by nobody else ever."""
    try:
        made = await account.provider.create_key(row.name, row.deadline)
    except GatewayError as error:
        if isinstance(error, SupplierError) and error.outcome is Outcome.UNKNOWN:
            error_text = f"what came of asking for it is not known: {error}"
            moved = await retry_while_database_down(supplier_key_rows.undo)(deps.pool, row, error_text, deps.clock())
            return row if moved is None else await _on(deps, moved)
        moved = await retry_while_database_down(supplier_key_rows.undone)(
            deps.pool, row, f"no key was made: {error}", deps.clock()
        )
        return moved or row
    sealed = deps.seal.seal(made.secret)
    await retry_while_database_down(supplier_key_rows.keep)(deps.pool, row, sealed, made.prefix, deps.clock())
    # A commit whose answer was lost is found by looking.
    kept = await retry_while_database_down(supplier_key_rows.get)(deps.pool, row.id)
    return row if kept is None else await _on(deps, kept)


async def _on(deps: Deps, row: KeyRow) -> KeyRow:
    """Go on as far as it goes now."""
    while (step := _STEPS.get(row.state)) is not None:
        try:
            moved = await step(deps, row)
        except (GatewayError, Unsealable, ConfigurationError) as error:
            await _later(deps, row, str(error))
            break
        if moved is None:
            break
        log.info("supplier_key", supplier=row.supplier, id=row.id, state=moved.state)
        row = moved
    return await supplier_key_rows.get(deps.pool, row.id) or row


async def _lost(deps: Deps, row: KeyRow) -> KeyRow | None:
    reason = "the process that asked for it ended before it had the key"
    return await supplier_key_rows.undo(deps.pool, row, reason, deps.clock())


async def _learn(deps: Deps, row: KeyRow) -> KeyRow | None:
    now = deps.clock()
    found = listing.made(await deps.accounts[row.supplier].provider.keys(), row.name, row.prefix)
    if isinstance(found, SupplierKey):
        return await supplier_key_rows.know(deps.pool, row, found.id, now)
    if found == "none" and now < row.changed_at + PATIENCE:
        raise SupplierError("it does not list the new key yet", supplier=row.supplier)
    reason = f"the supplier lists {found} of its name; look there for {row.name}"
    return await supplier_key_rows.undo(deps.pool, row, reason, now)


async def _verify(deps: Deps, row: KeyRow) -> KeyRow | None:
    account, now = deps.accounts[row.supplier], deps.clock()
    try:
        async with _way(account, account.provider.with_key(_open(deps, row))) as new:
            await new.keys()
    except NotAuthorised as error:
        if now < row.changed_at + PATIENCE:
            raise
        return await supplier_key_rows.undo(deps.pool, row, f"the supplier does not take it: {error}", now)
    return await supplier_key_rows.verify(deps.pool, row, now)


async def _switch(deps: Deps, row: KeyRow) -> KeyRow | None:
    now = deps.clock()
    async with deps.pool.acquire() as connection, connection.transaction():
        moved = await supplier_key_rows.switch(connection, row, now + timedelta(seconds=FOLLOWED_SECONDS), now)
        if moved is None:
            raise _MovedError
        await audit_rows.record(
            connection, row.started_by, "supplier_key.switched", f"supplier:{row.supplier}", {"id": row.id}
        )
    await follow_keys(deps.accounts, deps.pool, deps.seal)
    return moved


async def _revoke(deps: Deps, row: KeyRow) -> KeyRow | None:
    """Revoke the old key with the new one, when everybody has had time to follow. Refused, the old one comes back."""
    account, now = deps.accounts[row.supplier], deps.clock()
    # With the key of the row itself: an account whose stored key does not open goes with the old one still.
    async with _way(account, account.provider.with_key(_open(deps, row))) as new:
        try:
            await new.keys()
        except NotAuthorised as refused:
            return await _back(deps, row, refused)
        if row.revoke_at is not None and now < row.revoke_at:
            again = min(row.revoke_at, now + timedelta(seconds=AGAIN_SECONDS[0]))
            await supplier_key_rows.put_off(deps.pool, row, None, again)
            return None
        note = await _revoke_old(deps, row, account, new)
    async with deps.pool.acquire() as connection, connection.transaction():
        moved = await supplier_key_rows.finish(connection, row, note, deps.clock())
        if moved is None:
            raise _MovedError
        detail = {"id": row.id, "revoked": None if note else row.old_key_id}
        await audit_rows.record(
            connection, row.started_by, "supplier_key.turned_over", f"supplier:{row.supplier}", detail
        )
    return moved


async def _revoke_old(deps: Deps, row: KeyRow, account: Account, new: Provider) -> str | None:
    """The old key is valid no more; or why it was left, for an operator."""
    if row.old_key_id is None:
        return "the supplier's list does not tell which key was in use before: revoke it there by hand"
    if row.old_key_id == row.key_id:
        return "the old key and the new one have one id at the supplier: neither was revoked"
    old = set((await _before(deps, row, account)).secrets())
    others = [
        name for name, other in deps.accounts.items() if name != row.supplier and old & set(other.settings.secrets())
    ]
    if others:
        return f"the old key stays valid, for {', '.join(others)} goes with it too: turn that over as well"
    await _revoked(new, row.old_key_id)
    return None


async def _revoked(way: Provider, *key_ids: str) -> None:
    """Revoke these keys, and see that they are listed as valid no more."""
    for key_id in key_ids:
        await way.revoke_key(key_id)
    if any(key.id in key_ids and key.active for key in await way.keys()):
        raise SupplierError("a key is revoked, and still listed as valid", supplier=way.name)


async def _back(deps: Deps, row: KeyRow, refused: NotAuthorised) -> KeyRow | None:
    account = deps.accounts[row.supplier]
    async with _way(account, await _before(deps, row, account)) as old:
        await old.keys()
    reason = f"the supplier takes it no more, so the old one is in force again: {refused}"
    async with deps.pool.acquire() as connection, connection.transaction():
        moved = await supplier_key_rows.switch_back(connection, row, reason, deps.clock())
    await follow_keys(deps.accounts, deps.pool, deps.seal)
    return moved


async def _undo(deps: Deps, row: KeyRow) -> KeyRow | None:
    """Revoke what is valid of it. Of one whose answer was lost nothing may come any more before that is the end."""
    account, began = deps.accounts[row.supplier], deps.clock()
    found = {key.id for key in listing.named(await account.provider.keys(), row.name)}
    if ours := sorted(found | ({row.key_id} if row.key_id is not None else set())):
        await _revoked(account.provider, *ours)
    if row.secret is None and began < row.quiet_at:
        again = min(row.quiet_at, began + timedelta(seconds=AGAIN_SECONDS[2]))
        await supplier_key_rows.put_off(deps.pool, row, None, again)
        return None
    return await supplier_key_rows.undone(deps.pool, row, row.error, deps.clock())


_STEPS: Mapping[str, Callable[[Deps, KeyRow], Awaitable[KeyRow | None]]] = {
    "asked": _lost,
    "kept": _learn,
    "known": _verify,
    "verified": _switch,
    "switched": _revoke,
    "undoing": _undo,
}


class _MovedError(GatewayError):
    """Somebody else moved it meanwhile; what this one was about to commit is not committed."""


async def _later(deps: Deps, row: KeyRow, error: str) -> None:
    wait = AGAIN_SECONDS[min(row.failures, len(AGAIN_SECONDS) - 1)]
    log.warning("supplier_key_waits", supplier=row.supplier, id=row.id, state=row.state, error=error)
    await supplier_key_rows.put_off(deps.pool, row, error[:300], deps.clock() + timedelta(seconds=wait))


async def _before(deps: Deps, row: KeyRow, account: Account) -> SupplierSettings:
    """The settings with the key that this one replaces."""
    configured = account.configured or account.settings
    stored = None if row.replaces is None else await supplier_key_rows.get(deps.pool, row.replaces)
    return configured if stored is None else account.provider.with_key(_open(deps, stored))


def _open(deps: Deps, row: KeyRow) -> str:
    return deps.seal.open_text(row.secret or b"")


@asynccontextmanager
async def _way(account: Account, settings: SupplierSettings) -> AsyncIterator[Provider]:
    """The way to the account with other settings."""
    way = open_provider(account.manifest, account.name, settings, account.limiter)
    try:
        yield way
    finally:
        await way.close()
