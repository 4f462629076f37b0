"""``esim-gateway serve``: the API, in as many processes as asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.state import StateDir, settings_here


def serve(
    workers: Annotated[int, typer.Option(help="How many processes answer.", min=1, max=256)] = 1,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 8080,
    state_dir: StateDir = None,
    worker_socket: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve the API. Needs neither Redis nor, once a catalogue was published, PostgreSQL to start."""
    settings = settings_here(state_dir)
    if worker_socket is not None:
        from gateway.serving import serve_on

        serve_on(settings, worker_socket)
        return
    from gateway.runtime.supervisor import Supervisor

    raise typer.Exit(Supervisor(settings, host=host, port=port, workers=workers).run())
