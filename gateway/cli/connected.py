"""What commands stand on: the database alone, or with suppliers' accounts and keys, opened and closed together."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.cli.state import database_url, settings_here
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.kit.pool import Pool
    from gateway.kit.problem import Problem
    from gateway.suppliers.deps import Deps

R = TypeVar("R")
ENV_URL = "GATEWAY_URL"
DRAIN_SECONDS = 35.0  # longer than a supplier may take to answer a purchase


def remote_url(state_dir: Path | None) -> str | None:
    """The gateway that ``GATEWAY_URL`` names; None for the database of this machine, as a ``--state-dir`` says too."""
    return (os.environ.get(ENV_URL) or None) if state_dir is None else None


def require_local(state_dir: Path | None) -> None:
    """Refuse what works on the database itself where a remote gateway is meant. Raises ``ConfigurationError``."""
    if remote_url(state_dir) is not None:
        raise ConfigurationError(
            f"this command works on the database itself: run it beside the gateway, without {ENV_URL}"
        )


def run_connected(state_dir: Path | None, action: Callable[[Deps], Awaitable[R]]) -> R:
    """What ``action`` gives. A database that is away is a line on stderr and exit code 2."""
    from gateway.kit import log
    from gateway.kit.pool import open_pool
    from gateway.kit.sealing import Seal
    from gateway.orders.process import drain
    from gateway.suppliers.accounts import check_accounts, close_accounts, connect_accounts, follow_keys
    from gateway.suppliers.deps import Deps
    from gateway.suppliers.payment_accounts import (
        check_payment_accounts,
        close_payment_accounts,
        connect_payment_accounts,
    )

    require_local(state_dir)
    settings = settings_here(state_dir)
    log.configure("error")
    url = database_url(settings)

    async def act() -> R:
        pool = await open_pool(url, max_size=4, name="esim-gateway command")
        accounts = await connect_accounts(check_accounts(settings), pool)
        payments = await connect_payment_accounts(check_payment_accounts(settings), pool)
        deps = Deps(pool, accounts, settings, Seal.from_settings(settings), inline=False, payments=payments)
        try:
            await follow_keys(accounts, pool, deps.seal)
            return await action(deps)
        finally:
            # What a command began to send goes on to its end, even when the command is broken off.
            await drain(deps, DRAIN_SECONDS)
            await close_accounts(accounts.values())
            await close_payment_accounts(payments.values())
            await pool.close()

    return _run(act)


def run_on_database(state_dir: Path | None, action: Callable[[Pool], Awaitable[R]]) -> R:
    """The same for what needs the database alone."""
    from gateway.kit.pool import open_pool

    require_local(state_dir)
    url = database_url(settings_here(state_dir))

    async def act() -> R:
        pool = await open_pool(url, max_size=1, name="esim-gateway command")
        try:
            return await action(pool)
        finally:
            await pool.close()

    return _run(act)


def _run(act: Callable[[], Coroutine[Any, Any, R]]) -> R:
    from gateway.kit.pool import DATABASE_DOWN

    try:
        return asyncio.run(act())
    except DATABASE_DOWN as error:
        raise ConfigurationError(f"the database cannot be reached: {str(error) or type(error).__name__}") from None


def agreed(found: R | Problem) -> R:
    """What a flow gave; a problem is one line on stderr and exit code 2."""
    from gateway.kit.problem import Problem

    if isinstance(found, Problem):
        raise ConfigurationError(found.detail)
    return found


def print_json(value: object) -> None:
    """A value for scripts."""
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def cli_actor() -> str:
    """Whose command it is, for the log of changes."""
    try:
        return f"command line, {getpass.getuser()}"
    except (OSError, KeyError):
        return "command line"
