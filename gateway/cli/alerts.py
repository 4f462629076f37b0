"""``esim-gateway alerts``: what stands, and whether the channels work."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from gateway.cli.connected import print_json
from gateway.cli.declared import AsJson, Command, Option, command_group
from gateway.cli.operation_client import Gateway, run_at_gateway
from gateway.cli.state import StateDir
from schemas.errors import ConfigurationError

SOME_ARE_LOST = 3

app = command_group(
    "Alerts: list open alerts, test the channels.",
    {
        "list": Command(
            operation="alerts.list_alerts",
            help="Show the open alerts, the newest first.",
            table="gateway.alerts.alert_tables:ALERTS",
            nothing="no open alerts",
            options={
                "state": Option(
                    "--all",
                    "Those that are over, too.",
                    kind=bool,
                    default=False,
                    parse=lambda everything: None if everything else "standing",
                )
            },
            limit=200,
            most=10_000,
        )
    },
)


@app.command("secret")
def set_secret(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="Name or id.")],
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Set the Slack URL or the bot's token of a channel, read from the input; a webhook gets a new secret."""

    async def act(gateway: Gateway) -> dict[str, Any]:
        every = (await gateway.call("alerts.list_alert_channels"))["data"]
        found = next((row for row in every if channel in {row["id"], row["name"]}), None)
        if found is None:
            raise ConfigurationError(f"no channel is named {channel}")
        field = _SECRETS.get(found["kind"])
        sent = {} if field is None else {field: _typed(found["kind"])}
        made: dict[str, Any] = await gateway.call("alerts.set_alert_channel_secret", {"id": found["id"]}, **sent)
        return made

    made = run_at_gateway(state_dir, act, "alerts")
    if as_json:
        print_json(made)
    elif made["secret"] is not None:
        print(f"{made['name']}: webhooks are signed with this secret, which is shown only once: {made['secret']}")
    else:
        print(f"{made['name']}: stored; try it with esim-gateway alerts test")


_SECRETS = {"slack": "url", "telegram": "token"}


def _typed(kind: str) -> str:
    """A secret from the terminal, unseen, or from what is piped in."""
    prompt = "URL of the Slack webhook" if kind == "slack" else "Token of the Telegram bot"
    text: str = typer.prompt(prompt, hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    return text.strip()


@app.command("test")
def try_out(
    channel: Annotated[
        list[str] | None, typer.Argument(metavar="CHANNEL", help="Names or ids; every one by default.")
    ] = None,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Send a test to channels and report whether it arrived. Exit code 3: a test did not arrive."""

    async def send(gateway: Gateway) -> dict[str, Any]:
        every = (await gateway.call("alerts.list_alert_channels"))["data"]
        if unknown := [name for name in channel or () if not any(name in {c["id"], c["name"]} for c in every)]:
            raise ConfigurationError(f"no channel is named {unknown[0]}")
        return {
            row["name"]: await gateway.call("alerts.test_alert_channel", {"id": row["id"]})
            for row in every
            if not channel or row["id"] in channel or row["name"] in channel
        }

    tests = run_at_gateway(state_dir, send, "alerts")
    if as_json:
        print_json(tests)
    elif not tests:
        print("no channels yet; create one in the console under Alerts")
    else:
        for name, result in tests.items():
            print(
                f"{name}: {'arrived' if result['arrived'] else 'did not arrive'} ({result['said']}, {result['ms']} ms)"
            )
    if not all(result["arrived"] for result in tests.values()):
        raise typer.Exit(SOME_ARE_LOST)
