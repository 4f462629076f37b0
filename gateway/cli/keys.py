"""``esim-gateway keys``: who may ask, and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.cli.connected import print_json, run_on_database
from gateway.cli.declared import AsJson, Command, Option, command_group
from gateway.cli.state import StateDir

if TYPE_CHECKING:
    from gateway.access.key_rows import ApiKey


def _show_made(made: Any) -> None:
    print(f"{made.key}\n\n{made.id}: {made.storefront}, {made.mode}, {', '.join(made.scopes)}")
    print("Keep it now: it cannot be shown again.")


def _show_mandate(mandate: Any) -> None:
    for name in ("per_order", "per_day", "per_month", "spent_today", "spent_this_month"):
        price = getattr(mandate, name)
        print(f"{name.replace('_', ' '):<16}  {price.amount} {price.currency}")
    print(f"{'ends at':<16}  {mandate.ends_at:%Y-%m-%d %H:%M} UTC")


def _end(text: str) -> str:
    """A moment for the API, of which a date stands for its beginning in UTC."""
    return f"{text}T00:00:00Z" if len(text) == len("2026-12-31") else text


app = command_group(
    "Keys of storefronts and operators.",
    {
        "create": Command(
            operation="keys.make_key",
            help="Make a key. Its text is shown now and never again.",
            options={
                "storefront": Option(help="Whose key it is; a new name makes a new storefront."),
                "mode": Option(help="Which suppliers it sees.", default="test"),
                "scopes": Option(
                    "--scope",
                    "catalog, storefront, routing, goods, ops:read or ops; may be repeated.",
                    default=["storefront"],
                ),
                "name": Option(help="What the key is for; shown in lists."),
                "per_minute": Option(help="Its own rate limit."),
            },
            show=_show_made,
        ),
        "revoke": Command(
            operation="keys.revoke_key",
            help="Refuse a key for good, everywhere within five seconds.",
            show=lambda key: print(f"{key.id} is revoked"),
        ),
        "mandate": Command(
            operation="keys.get_key_mandate", help="Show what a key may spend and has spent.", show=_show_mandate
        ),
        "set-mandate": Command(
            operation="keys.set_key_mandate",
            help="Bound what a key may spend, in base currency; an agent buys only with such a key.",
            options={"ends_at": Option("--until", "Its end, such as 2026-12-31 or 2026-12-31T12:00:00Z.", parse=_end)},
            show=_show_mandate,
        ),
        "remove-mandate": Command(
            operation="keys.remove_key_mandate",
            help="Take a key's mandate away: agents buy no more with it, and nothing bounds it at the API.",
            show=lambda _: print("the key has no mandate any more"),
        ),
    },
)


@app.command("list")
def list_(as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Show every key, never its text."""
    from gateway.access.key_rows import list_keys

    keys = run_on_database(state_dir, list_keys)
    if as_json:
        print_json(keys)
        return
    for key in keys:
        owner = key.storefront if key.name is None else f"{key.storefront}: {key.name}"
        print(f"{key.id}  {key.prefix}…  {owner}  {', '.join(key.scopes)}  {_state(key)}")


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    return "never used" if key.last_used_at is None else f"last used {key.last_used_at:%Y-%m-%d %H:%M} UTC"
