"""Commands made from declared operations: arguments and options from what a route takes, a table from its answer.

A declaration names the operation and what differs. Its route is imported when the command is named, so that
``esim-gateway --help`` stays quick.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from gateway.cli.connected import print_json
from gateway.cli.operation_client import A_PAGE, Gateway, decoded, route_of, run_at_gateway
from gateway.cli.sheets import print_csv, print_rows
from gateway.cli.state import StateDir
from gateway.kit.sheet import Columns

if TYPE_CHECKING:
    from msgspec import inspect as msgspec_inspect

    from gateway.api.spec import Route

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ModeOption = Annotated[
    Literal["live", "test"] | None, typer.Option("--mode", help="Mode of the suppliers; live where there are some.")
]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
_PAGING = ("limit", "cursor")


class Option(NamedTuple):
    """How an option differs from the field that it is made from.

    ``parse`` makes what is sent of what was typed (a text, or ``kind``), and may raise ``ConfigurationError``.
    ``default`` stands for what is not typed; None sends nothing.
    """

    flag: str | None = None
    help: str | None = None
    parse: Callable[[Any], Any] | None = None
    default: Any = inspect.Parameter.empty
    kind: Any = None
    metavar: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command that calls an operation ("orders.list_ops_orders").

    ``table`` are the columns of its rows, or where they are declared ("module:NAME"); ``nothing`` is printed when there
    are none. ``show`` prints the answer in their place, and ``csv`` ("module:function") makes a sheet of it.
    ``options`` are by field. ``limit`` and ``most`` are for ``--limit``; without them a list is read whole, in pages of
    ``page`` rows. ``then`` goes on with the answer as it came, and gives what ``show`` and ``--json`` then get.
    ``json`` is what is printed of the answer as it came; the rows, when it holds nothing else. ``code`` gives the exit
    code.
    """

    operation: str
    help: str
    table: Columns | str = ()
    csv: str = ""
    nothing: str = ""
    show: Callable[[Any], None] | None = None
    options: Mapping[str, Option] = field(default_factory=dict)
    limit: int = 50
    most: int | None = None
    page: int = A_PAGE
    then: Callable[[Gateway, Any], Awaitable[Any]] | None = None
    json: Callable[[Any], Any] | None = None
    code: Callable[[Any], int] | None = None
    with_catalog: bool = False


def command_group(help_text: str, commands: Mapping[str, Command]) -> typer.Typer:
    """A group of declared commands, to which others may be added as to any typer app."""

    class Group(TyperGroup):
        declared = commands
        lists = False  # for its own help, which needs no route

        def format_help(self, ctx: Any, formatter: Any) -> None:
            self.lists = True
            super().format_help(ctx, formatter)

        def list_commands(self, ctx: Any) -> list[str]:
            return [*commands, *super().list_commands(ctx)]

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            declared = commands.get(cmd_name)
            if declared is None:
                return super().get_command(ctx, cmd_name)
            return (
                TyperCommand(cmd_name, help=inspect.cleandoc(declared.help))
                if self.lists
                else _built(cmd_name, declared)
            )

    app = typer.Typer(cls=Group, help=help_text, no_args_is_help=True)
    app.callback()(lambda: None)
    return app


def _built(name: str, declared: Command) -> Any:
    """The command as typer runs it."""
    route = route_of(declared.operation)

    def run(**typed: Any) -> None:
        _run(declared, route, typed)

    parameters = [
        *(_argument(part, description) for part, (_, description) in route.parts.items()),
        *(
            _option(field, declared.options.get(field.name, Option()))
            for field in _fields(route)
            if field.name not in _PAGING
        ),
        *_common(declared),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)
    app.command(name, help=declared.help)(run)
    return typer.main.get_command(app)


def _run(declared: Command, route: Route, typed: dict[str, Any]) -> None:
    as_json, as_csv, state_dir = typed.pop("as_json"), typed.pop("as_csv", False), typed.pop("state_dir")
    parsed = {name for name, option in declared.options.items() if option.parse is not None and typed[name] is not None}
    for name in parsed:
        typed[name] = declared.options[name].parse(typed[name])  # type: ignore[misc]
    parts = {name: typed.pop(name) for name in route.parts}
    fields = {field.name: field.encode_name for field in _fields(route)}
    values = {
        fields[name]: value
        for name, value in typed.items()
        if name != "limit" and (value is not False or name in parsed) and value != []
    }

    async def act(gateway: Gateway) -> Any:
        if "cursor" in fields:
            most = typed.get("limit")
            answer = await gateway.walk(declared.operation, parts, most=most, page_size=declared.page, **values)
        else:
            answer = await gateway.call(declared.operation, parts, **values)
        return answer if declared.then is None else await declared.then(gateway, answer)

    raw = run_at_gateway(state_dir, act, declared.operation.partition(".")[0], with_catalog=declared.with_catalog)
    answer = raw if declared.then is not None else decoded(raw, route.answer)
    if as_json:
        print_json(declared.json(raw) if declared.json is not None else _rows_alone(raw))
    elif as_csv and declared.csv:
        print_csv(resolve_name(declared.csv)(answer))
    elif as_csv or declared.show is None:
        columns = resolve_name(declared.table) if isinstance(declared.table, str) else declared.table
        print_rows(columns, answer.data, declared.nothing, as_csv=as_csv)
    else:
        declared.show(answer)
    if declared.code is not None and (code := declared.code(answer)):
        raise typer.Exit(code)


def _rows_alone(raw: Any) -> Any:
    return raw["data"] if isinstance(raw, dict) and raw.keys() <= {"data", "has_more", "next_cursor"} else raw


def _fields(route: Route) -> Sequence[msgspec_inspect.Field]:
    """What the operation takes beside its path."""
    from msgspec import inspect as types

    found: list[types.Field] = []
    for kind in (route.parameters, *route.bodies):
        info = types.type_info(kind)
        found += info.fields if isinstance(info, types.StructType) else ()
    return found


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _argument(name: str, help_text: str) -> inspect.Parameter:
    return _parameter(name, Annotated[str, typer.Argument(metavar=name.upper(), help=help_text)])


def _option(field: msgspec_inspect.Field, option: Option) -> inspect.Parameter:
    """The option of a field. A switch is sent when it is set."""
    import msgspec

    kind, description, bounds = _kind(field.type)
    if option.parse is not None:
        kind, bounds = option.kind or (kind if kind == list[str] else str), {}
    default = option.default
    if default is inspect.Parameter.empty and not field.required:
        default = None if field.default in (msgspec.NODEFAULT, msgspec.UNSET) else field.default
        default = bool(default) if kind is bool else default
    flag = option.flag or "--" + field.encode_name.replace("_", "-")
    typer_option = typer.Option(flag, help=option.help or description, metavar=option.metavar, **bounds)
    return _parameter(field.name, Annotated[kind | None if default is None else kind, typer_option], default)


def _kind(field_type: Any, description: str = "") -> tuple[Any, str, dict[str, Any]]:
    """What an option takes, its description, and the bounds of a number."""
    from msgspec import inspect as types

    kind: Any = str
    bounds: dict[str, Any] = {}
    match field_type:
        case types.Metadata():
            return _kind(field_type.type, description or (field_type.extra_json_schema or {}).get("description", ""))
        case types.UnionType():
            return _kind(field_type.types[0], description)
        case types.LiteralType(values=(True,)) | types.BoolType():
            kind = bool
        case types.LiteralType():
            kind = Literal[tuple(field_type.values)]
        case types.EnumType():
            kind = Literal[tuple(member.value for member in field_type.cls)]
        case types.IntType():
            kind, bounds = int, {"min": field_type.ge, "max": field_type.le}
        case types.ListType():
            kind, description = list[str], description or _kind(field_type.item_type)[1]
    return kind, description, bounds


def _common(declared: Command) -> Iterator[inspect.Parameter]:
    if declared.most is not None:
        limit_option = typer.Option(help="How many at most.", min=1, max=declared.most)
        yield _parameter("limit", Annotated[int, limit_option], declared.limit)
    if declared.table or declared.csv:
        yield _parameter("as_csv", AsCsv, False)
    yield _parameter("as_json", AsJson, False)
    yield _parameter("state_dir", StateDir, None)
