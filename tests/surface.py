"""Everything that a user can name: routes, commands and their options, settings, events, metrics and console pages.

    python -m tests.surface > before.txt     (in one tree)
    python -m tests.surface > after.txt      (in another)
    diff before.txt after.txt

One line each, sorted: what a change took away or renamed stands in the difference.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

import pydantic
import typer

from gateway import app
from gateway.cli import app as commands
from gateway.console import all_pages
from gateway.kit.settings import Settings
from schemas.notice import NoticeType
from tests.kit.scraped import declared


def routes() -> Iterator[str]:
    """Operations of the API with the scope that each needs and its parameters."""
    for route in app.all_routes():
        fields = () if route.parameters is None else route.parameters.__struct_fields__
        yield f"route {route.method} {route.path} ({route.access}) {' '.join(sorted(fields))}".rstrip()


def options(command: Any, name: str) -> Iterator[str]:
    """Commands below this one, with their arguments and options; some are made when they are asked for."""
    if hasattr(command, "list_commands"):
        context = command.context_class(command, info_name=name)
        for word in command.list_commands(context):
            yield from options(command.get_command(context, word), f"{name} {word}".strip())
        return
    yield f"command {name}"
    for parameter in command.params:
        yield f"command {name}: {' '.join(sorted((*parameter.opts, *parameter.secondary_opts)))}"


def settings(model: type[pydantic.BaseModel], prefix: str = "") -> Iterator[str]:
    """Settings with their sections."""
    for name, field in model.model_fields.items():
        kinds = [kind for kind in (field.annotation, *typing.get_args(field.annotation)) if isinstance(kind, type)]
        inner = [kind for kind in kinds if issubclass(kind, pydantic.BaseModel)]
        if inner:
            yield from settings(inner[0], f"{prefix}{name}.")
        else:
            yield f"setting {prefix}{name}"


def metrics() -> Iterator[str]:
    """Metrics of serving processes and of workers, with their labels."""
    for metric in declared().values():
        yield f"metric {metric.name} {' '.join(metric.labels)}".rstrip()


def surface() -> list[str]:
    """All of it, sorted."""
    pages = (f"page {page.method} {page.path} ({page.role})" for page in all_pages())
    events = (f"event {kind.value}" for kind in NoticeType)
    command = typer.main.get_command(commands)
    return sorted({*routes(), *options(command, ""), *settings(Settings), *events, *metrics(), *pages})


if __name__ == "__main__":
    print(*surface(), sep="\n")
