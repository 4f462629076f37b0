"""``esim-gateway users``: who may use the console."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from gateway.cli.connected import cli_actor, run_on_database
from gateway.cli.state import StateDir
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.access.user_rows import User
    from gateway.kit.pool import Pool

R = TypeVar("R")

app = typer.Typer(help="Users of the console.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="What they log in with.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command()
def create(
    name: Name,
    role: Annotated[
        Literal["viewer", "operator", "admin", "storefront"],
        typer.Option(help="viewer sees, operator changes, admin makes users, storefront sees what is its own."),
    ] = "viewer",
    storefront: Annotated[
        str | None, typer.Option(help="With the role storefront: the name of the one the user belongs to.")
    ] = None,
    password_stdin: FromStdin = False,
    state_dir: StateDir = None,
) -> None:
    """Create a user. Without a password one is generated and shown only once."""
    from gateway.access import users
    from gateway.access.passwords import new_password

    password = _given() if password_stdin else new_password()
    must_change = not password_stdin
    made = _run(
        state_dir,
        lambda pool: users.create(
            pool, cli_actor(), name, role, password, must_change=must_change, storefront=storefront
        ),
    )
    print(f"{made.name} is {_role(made)}")
    if not password_stdin:
        _show(password)


@app.command()
def password(name: Name, password_stdin: FromStdin = False, state_dir: StateDir = None) -> None:
    """Change a user's password and end their sessions. Without a password one is generated and shown once."""
    from gateway.access import users
    from gateway.access.passwords import new_password

    text = _given() if password_stdin else new_password()
    must_change = not password_stdin
    _run(state_dir, lambda pool: users.set_password(pool, cli_actor(), name, text, must_change=must_change))
    print(f"{name} has another password")
    if not password_stdin:
        _show(text)


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, state_dir: StateDir = None
) -> None:
    """Show every user."""
    import msgspec

    from gateway.access.user_rows import all_users

    found = _run(state_dir, all_users)
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    for user in found:
        seen = "never seen" if user.last_seen_at is None else f"last seen {user.last_seen_at:%Y-%m-%d %H:%M} UTC"
        state = f"disabled {user.disabled_at:%Y-%m-%d}" if user.disabled_at is not None else seen
        print(f"{user.name}  {_role(user)}  {state}")


@app.command()
def disable(name: Name, state_dir: StateDir = None) -> None:
    """Shut a user out, at once and everywhere."""
    from gateway.access import users

    _run(state_dir, lambda pool: users.set_disabled(pool, cli_actor(), name, disabled=True))
    print(f"{name} is disabled")


@app.command()
def enable(name: Name, state_dir: StateDir = None) -> None:
    """Let a user in again."""
    from gateway.access import users

    _run(state_dir, lambda pool: users.set_disabled(pool, cli_actor(), name, disabled=False))
    print(f"{name} is let in again")


@app.command("reset-totp")
def reset_totp(name: Name, state_dir: StateDir = None) -> None:
    """Turn off the second factor of a user who lost it, which ends their sessions."""
    from gateway.access import users

    _run(state_dir, lambda pool: users.reset_totp(pool, cli_actor(), name))
    print(f"{name} has no second factor any more and logs in with the password alone")


@app.command()
def unlock(name: Name, state_dir: StateDir = None) -> None:
    """Let a user log in at once, whatever log-ins have failed."""
    from gateway.access import users

    failures = _run(state_dir, lambda pool: users.unlock(pool, cli_actor(), name))
    print(f"{name} can log in at once; {failures} failed attempts are forgotten")


def _role(user: User) -> str:
    return user.role if user.storefront is None else f"{user.role} of {user.storefront}"


def _given() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _show(text: str) -> None:
    print(f"\n{text}\n\nKeep it now: it cannot be shown again. It must be changed at the first log-in.")


def _run(state_dir: StateDir, action: Callable[[Pool], Awaitable[R]]) -> R:
    from gateway.access.users import UserError

    try:
        return run_on_database(state_dir, action)
    except UserError as error:
        raise ConfigurationError(str(error)) from None
