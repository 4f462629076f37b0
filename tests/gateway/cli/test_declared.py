"""Commands that are declared: each names an operation that exists, and options that it takes."""

from __future__ import annotations

from pkgutil import resolve_name

import msgspec
import pytest
from msgspec import inspect
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.operation_client import route_of

GROUPS = {info.name: info.typer_instance.info.cls for info in app.registered_groups}
COMMANDS = {
    f"{group} {name}": command
    for group, cls in GROUPS.items()
    for name, command in getattr(cls, "declared", {}).items()
}


def fields(route) -> dict[str, inspect.Field]:
    kinds = [inspect.type_info(kind) for kind in (route.parameters, *route.bodies)]
    return {field.name: field for kind in kinds for field in kind.fields}


def test_there_are_declared_commands():
    assert {"orders list", "checkouts resolve", "keys create", "suppliers ledger"} <= COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_its_operation_its_options_and_its_tables_exist(name):
    command = COMMANDS[name]
    route = route_of(command.operation)
    taken = fields(route)
    assert command.options.keys() <= taken.keys()
    if command.table and isinstance(command.table, str):
        assert resolve_name(command.table)
    if command.csv:
        assert callable(resolve_name(command.csv))
    if "cursor" in taken:
        assert taken["limit"].type.type.le >= command.page
    else:
        assert command.most is None


@pytest.mark.parametrize("name", COMMANDS)
def test_its_help_names_what_the_operation_takes(name):
    route, hidden = route_of(COMMANDS[name].operation), {"limit", "cursor"}
    done = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    for field in fields(route).values():
        option = COMMANDS[name].options.get(field.name)
        flag = (option and option.flag) or "--" + field.encode_name.replace("_", "-")
        assert field.name in hidden or flag in done.output
    assert msgspec.UNSET.__class__.__name__ not in done.output
