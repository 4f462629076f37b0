"""What operators set in the database, written to a file and applied from one: all of it, or nothing.

A plan is an application that is undone: it finds whatever the flows of operators would refuse.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NoReturn

import msgspec

from gateway.access import audit_rows
from gateway.alerts import channels
from gateway.kit.pool import Connection, transaction_as_pool
from gateway.kit.problem import Problem
from gateway.operations.configuration_file import Configuration
from gateway.operations.configuration_rules import Change, plan
from gateway.operations.configuration_sections import SECTIONS, Section, Stored
from gateway.suppliers import supplier_rows
from gateway.suppliers.accounts import Account
from gateway.suppliers.deps import Deps
from gateway.suppliers.supplier_rows import Configured


class Exported(msgspec.Struct, frozen=True):
    """A configuration, and what of it has to be set again where it is applied."""

    configuration: Configuration
    left_out: list[str]


class Applied(msgspec.Struct, frozen=True):
    """What was changed, or would be. ``secrets`` are new ones of webhooks, by channel; ``to_do`` is left to operators.

    ``faults`` are refusals: while there is one, nothing is changed.
    """

    applied: bool
    changes: list[Change]
    faults: list[str]
    secrets: dict[str, str]
    to_do: list[str]


class _Undone(Exception):  # noqa: N818 - no error: it ends a transaction
    pass


async def export(deps: Deps, actor: str) -> Exported:
    """Everything that operators set, without secrets."""
    async with _in_transaction(deps) as (inside, _):
        found = {section.name: [row.entry for row in await section(inside, actor).read()] for section in SECTIONS}
        secret = [row.name for row in await channels.all_channels(inside.pool) if row.kind != "email"]
    left_out = ["keys and webhook endpoints of storefronts", "users of the console", "rotated keys of suppliers"]
    left_out += [f'the secret of the alert channel "{name}"' for name in sorted(secret)]
    return Exported(Configuration(**found), left_out)


async def apply(deps: Deps, wanted: Configuration, actor: str, *, keep: bool) -> Applied:
    """Make the gateway as the file says; without ``keep`` nothing stays changed, and the answer says what would be."""
    changes: list[Change] = []
    faults: list[str] = []
    secrets: dict[str, str] = {}
    to_do: list[str] = []
    try:
        async with _in_transaction(deps) as (inside, connection):
            # A gateway that never synced knows its suppliers from the settings alone: rules and pauses name them.
            await supplier_rows.register_new(connection, [_configured(account) for account in deps.accounts.values()])
            for kind in SECTIONS:
                section = kind(inside, actor)
                entries = getattr(wanted, section.name)
                if entries is not None:
                    done, refused = await _apply(section, [section.normalized(entry) for entry in entries])
                    changes += done
                    faults += refused
                secrets |= section.secrets
                to_do += section.to_do
            if changes and not faults and keep:
                counts = {kind.name: sum(change.section == kind.name for change in changes) for kind in SECTIONS}
                detail = {name: count for name, count in counts.items() if count}
                await audit_rows.record(connection, actor, "configuration.applied", "configuration", detail)
            else:
                _undo()
    except _Undone:
        return Applied(applied=False, changes=changes, faults=faults, secrets={}, to_do=to_do)
    return Applied(applied=True, changes=changes, faults=faults, secrets=secrets, to_do=to_do)


def _configured(account: Account) -> Configured:
    return Configured(account.name, account.manifest.name, account.settings.mode)


def _undo() -> NoReturn:
    raise _Undone


async def _apply(section: Section[Any], entries: Sequence[Any]) -> tuple[list[Change], list[str]]:
    """Change one section; what was changed, and what of it was refused."""
    stored = await section.read()
    before = dict(zip(section.keys([row.entry for row in stored]), stored, strict=True))
    after = dict(zip(section.keys(entries), entries, strict=True))
    stored_by: dict[Hashable, Any] = dict(before)
    wanted_by: dict[Hashable, Any] = dict(after)
    titles: dict[Hashable, str] = {key: section.title(row.entry) for key, row in before.items()}
    titles |= {key: section.title(entry) for key, entry in after.items()}
    changes = plan(
        section.name,
        {key: row.entry for key, row in before.items()},
        after,
        titles,
        ordered=section.ordered,
        kept=section.kept,
    )
    faults = [f'{section.name} "{titles[key]}" stands twice' for key in after if section.unique and key[1] > 1]
    if faults:
        return [], faults
    for key, change in changes.items():
        problem = await _do(section, change, stored_by.get(key), wanted_by.get(key))
        if problem is not None:
            faults.append(f'{section.name} "{change.name}": {problem.detail}')
    if changes and not faults and (problem := await section.finish(entries)) is not None:
        faults.append(f"{section.name}: {problem.detail}")
    return list(changes.values()), faults


async def _do(section: Section[Any], change: Change, stored: Stored[Any] | None, entry: Any) -> Problem | None:
    if change.action == "remove" and stored is not None:
        return await section.remove(stored)
    if change.action == "change" and stored is not None:
        return await section.change(stored, entry)
    return await section.add(entry) if change.action == "add" else None


@asynccontextmanager
async def _in_transaction(deps: Deps) -> AsyncIterator[tuple[Deps, Connection]]:
    """The same with a pool of one connection: what flows commit on it stands once this transaction does."""
    async with deps.pool.acquire() as connection, connection.transaction():
        yield replace(deps, pool=transaction_as_pool(connection)), connection
