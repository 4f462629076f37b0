"""``esim-gateway keys``: who may ask, and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from gateway.cli.connected import run_on_database, who
from gateway.cli.state import StateDir
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.access.key_rows import ApiKey

R = TypeVar("R")

app = typer.Typer(help="Keys of storefronts and operators.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def create(
    storefront: Annotated[str, typer.Option(help="Whose key it is; a new name makes a new storefront.")],
    mode: Annotated[Literal["live", "test"], typer.Option(help="Which suppliers it sees.")] = "test",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="catalog, storefront, routing, goods, ops:read or ops; may be repeated [storefront]."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the key is for; shown in lists.")] = None,
    per_minute: Annotated[int | None, typer.Option(help="Its own rate limit.", min=1)] = None,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Make a key. Its text is shown now and never again."""
    from gateway.kit.problem import Problem
    from gateway.operations.storefronts import make_key

    made = run_on_database(
        state_dir,
        lambda pool: make_key(
            pool,
            who(),
            storefront=storefront,
            mode=mode,
            scopes=scope or ["storefront"],
            name=name,
            per_minute=per_minute,
        ),
    )
    if isinstance(made, Problem):
        raise ConfigurationError(made.detail)
    if as_json:
        _print(made)
    else:
        print(f"{made.key}\n\n{made.id}: {made.storefront}, {made.mode}, {', '.join(made.scopes)}")
        print("Keep it now: it cannot be shown again.")


@app.command("list")
def list_(as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Show every key, never its text."""
    from gateway.access.key_rows import list_keys

    keys = run_on_database(state_dir, list_keys)
    if as_json:
        _print(keys)
        return
    for key in keys:
        owner = key.storefront if key.name is None else f"{key.storefront}: {key.name}"
        print(f"{key.id}  {key.prefix}…  {owner}  {', '.join(key.scopes)}  {_state(key)}")


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID")], state_dir: StateDir = None) -> None:
    """Refuse a key for good, everywhere within five seconds."""
    from gateway.operations.storefronts import revoke_key

    if not run_on_database(state_dir, lambda pool: revoke_key(pool, who(), key_id)):
        raise ConfigurationError(f"there is no key {key_id}; esim-gateway keys list shows their ids")
    print(f"{key_id} is revoked")


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    return "never used" if key.last_used_at is None else f"last used {key.last_used_at:%Y-%m-%d %H:%M} UTC"


def _print(value: object) -> None:
    import msgspec

    print(msgspec.json.encode(value).decode())
