"""``esim-gateway suppliers``: what is known of each supplier, our accounts at them, and whether they answer now."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import money
from gateway.cli.connected import agreed, cli_actor, print_json, run_connected, run_on_database
from gateway.cli.declared import AsJson, Command, command_group
from gateway.cli.sheets import print_table
from gateway.cli.state import StateDir, settings_here
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.kit.pool import Pool
    from gateway.kit.settings import Settings
    from gateway.suppliers.deps import Deps
    from schemas.account import SupplierKey
    from schemas.api_accounts import CheckReport, KeyRotation, WebhookSetUp

Names = Annotated[list[str] | None, typer.Argument(help="Only these suppliers [all].", show_default=False)]
Name = Annotated[str, typer.Argument(help="The supplier's name in the configuration.")]
_LOOK_SECONDS = 1.0

app = command_group(
    "The suppliers: what is known of them, and whether they answer.",
    {
        "figures": Command(
            operation="suppliers.list_supplier_figures",
            help="Show how each supplier does: success, answers, rate left, what is open and stopped, our money there.",
            table="gateway.prices.supplier_tables:FIGURES",
            nothing="no supplier is configured",
        ),
        **money.COMMANDS,
    },
)
money.add_to(app)


class KeysAction(StrEnum):
    """What to do with a supplier's keys."""

    LIST = "list"
    ROTATE = "rotate"
    USE_CONFIGURED = "use-configured"


@app.command("list")
def list_(as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Show each supplier's state, last sync, offers and breaker, as they stand in the database."""
    rows = run_on_database(state_dir, lambda pool: _stored(pool, settings_here(state_dir)))
    if as_json:
        print_json(rows)
    else:
        print_table(rows, "no supplier is configured")


@app.command()
def check(names: Names = None, as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Look at each account: what it can do, and what is wrong with it, each with what to do. Nothing is bought.

    Credentials, clock, paths, signature, money, rate and webhooks are looked at by harmless calls. Exit code 0: all
    are good; 3: some; 4: none.
    """
    from gateway.sync.run_rules import EXIT_ALL, EXIT_NONE, EXIT_SOME

    async def run_checks(deps: Deps) -> list[CheckReport]:
        from gateway.suppliers import checkup

        return await checkup.check_all(deps, _known(deps, names))

    reports = run_connected(state_dir, run_checks)
    if as_json:
        print_json(reports)
    elif not reports:
        print("no supplier is configured")
    else:
        print("\n\n".join("\n".join(_page(report)) for report in reports))
    good = sum(report.answers for report in reports)
    raise typer.Exit(EXIT_ALL if reports and good == len(reports) else EXIT_SOME if good else EXIT_NONE)


@app.command()
def keys(
    name: Name,
    action: Annotated[KeysAction, typer.Argument(help="What to do.")] = KeysAction.LIST,
    wait: Annotated[bool, typer.Option(help="Wait until the old key is revoked.")] = True,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """List an account's keys at its supplier, or turn its key over.

    rotate has the supplier make a new key, keeps it encrypted, tries it, takes it into use everywhere, and revokes the
    old one. Broken off at any moment it leaves a key that works, and the worker, or the next call, goes on.
    use-configured lets the key of the configuration hold again, once the supplier was seen to take it.
    """
    match action:
        case KeysAction.LIST:
            _print_keys(run_connected(state_dir, lambda deps: _list(deps, name)), as_json=as_json)
        case KeysAction.ROTATE:
            rotation = run_connected(state_dir, lambda deps: _rotate(deps, name, wait=wait, quiet=as_json))
            _print_rotation(rotation, as_json=as_json)
        case KeysAction.USE_CONFIGURED:
            left = run_connected(state_dir, lambda deps: _use_configured(deps, name))
            print(f"{name}: the configured key is in force; revoke the stored one at the supplier (its id is {left})")


@app.command("setup-webhooks")
def setup_webhooks(
    names: Names = None,
    base_url: Annotated[
        str, typer.Option("--base-url", help="Where suppliers reach this gateway: https://gateway.example.com")
    ] = "",
    seconds: Annotated[float, typer.Option(help="How long to wait for a test.", min=1, max=600)] = 30,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Have suppliers send their webhooks here, and wait until a test of theirs has arrived.

    For suppliers without a call for that it says what to do by hand. Exit code 0: what was set has arrived; 4: not.
    """
    from gateway.sync.run_rules import EXIT_NONE

    if not base_url:
        raise ConfigurationError("name the address of this gateway with --base-url https://…")

    async def set_up(deps: Deps) -> list[WebhookSetUp]:
        from gateway.suppliers import webhook_setup

        done = []
        for name in _known(deps, names):
            if name in deps.accounts:
                result = await webhook_setup.set_up(
                    deps, name, base_url, cli_actor(), seconds=seconds, report=_progress(as_json)
                )
                done.append(agreed(result))
        return done

    done = run_connected(state_dir, set_up)
    if as_json:
        print_json(done)
    else:
        for webhook in done:
            print(
                f"{webhook.supplier}: {webhook.state.replace('_', ' ')}{': ' if webhook.detail else ''}{webhook.detail}"
            )
            if webhook.what_to_do:
                print(
                    f"  -> {webhook.what_to_do} ({webhook.url})"
                    if webhook.state == "by_hand"
                    else f"  -> {webhook.what_to_do}"
                )
    if any(webhook.state not in {"arrived", "by_hand"} for webhook in done):
        raise typer.Exit(EXIT_NONE)


# --- what they do ---------------------------------------------------------------------------------------


async def _stored(pool: Pool, settings: Settings) -> list[dict[str, Any]]:
    import msgspec

    from gateway.prices.supplier_states import of_settings
    from gateway.suppliers import supplier_rows
    from gateway.suppliers.state_rules import UNKNOWN

    rows, states = await supplier_rows.all_configured(pool), await of_settings(pool, settings)
    return [
        msgspec.to_builtins(row) | {"state": state.state, "reason": state.description or None}
        for row, state in ((row, states.get(row.name, UNKNOWN)) for row in rows)
    ]


async def _list(deps: Deps, name: str) -> list[SupplierKey]:
    from gateway.suppliers import key_rotation

    return list(agreed(await key_rotation.listed(deps, name)))


async def _rotate(deps: Deps, name: str, *, wait: bool, quiet: bool) -> KeyRotation:
    from gateway.suppliers import key_rotation

    rotation: KeyRotation = agreed(await key_rotation.rotate(deps, name, cli_actor()))
    report = _progress(quiet)
    if rotation.state == "switched":
        report(f"{name}: the new key is in force; the old one is valid until {rotation.revoke_at:%H:%M:%S} UTC")
    while wait and rotation.state == "switched":
        await asyncio.sleep(_LOOK_SECONDS)
        if rotation.look_at is not None and rotation.look_at > deps.clock():
            continue
        rotation = await key_rotation.go_on(deps, name) or rotation
    return rotation


async def _use_configured(deps: Deps, name: str) -> str:
    from gateway.suppliers import key_rotation

    return str(agreed(await key_rotation.use_configured(deps, name, cli_actor())))


def _known(deps: Deps, names: list[str] | None) -> list[str]:
    configured = sorted({*deps.accounts, *deps.payments})
    if unknown := sorted(set(names or ()) - set(configured)):
        raise ConfigurationError(f"no supplier is named {unknown[0]}; there are: {', '.join(configured) or 'none'}")
    return sorted(set(names)) if names else configured


def _progress(quiet: bool) -> Any:
    return (lambda _: None) if quiet else (lambda line: print(line, flush=True))


# --- how they say it ------------------------------------------------------------------------------------


def _page(report: CheckReport) -> list[str]:
    wrong = sum(finding.level == "bad" for finding in report.findings)
    verdict = "no problems found" if report.answers else f"problems found: {wrong}"
    lines = [f"{report.name}  ({report.provider}, {report.mode} mode): {verdict}"]
    lines.append(f"  can      {', '.join(report.capabilities)}")
    lines += [f"  cannot   {name}: {why}" for name, why in report.cannot.items() if why]
    for finding in report.findings:
        mark = {"ok": "ok", "warn": "warning", "bad": "WRONG", "unknown": "?"}[finding.level]
        lines.append(f"  {mark:<8} {finding.about}: {finding.detail}")
        if finding.what_to_do:
            lines.append(f"           -> {finding.what_to_do}")
    for key in report.keys or ():
        lines.append(f"  key      {_key_line(key)}")
    return lines


def _key_line(key: SupplierKey) -> str:
    used = f", last used {key.last_used_at:%Y-%m-%d %H:%M} UTC" if key.last_used_at is not None else ""
    return f"{key.id}  {key.prefix}…  {key.name}  {'valid' if key.active else 'revoked'}{used}"


def _print_keys(found: list[SupplierKey], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    for key in found:
        print(_key_line(key))


def _print_rotation(rotation: KeyRotation, *, as_json: bool) -> None:
    if as_json:
        print_json(rotation)
    else:
        text = {
            "done": "the new key is in force, and the old one is revoked",
            "switched": "the new key is in force; the worker revokes the old one",
            "undoing": "no new key; the created one is being revoked, and the old one stays in force",
            "undone": "no new key; the old one holds",
        }.get(rotation.state, f"{rotation.state}; the worker goes on")
        if rotation.state == "done" and rotation.error:
            text = "the new key is in force"
        print(f"{rotation.supplier}: {text}{': ' + rotation.error if rotation.error else ''}")
    if not rotation.in_force:
        raise typer.Exit(4)
