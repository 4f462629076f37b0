"""Commands of the gateway, run in the test's own process by what ``python -m gateway`` runs.

A process for each would import the gateway anew, which takes longer than the command. What only a process has (signals,
its end, its streams) is tested by starting one, as ``tests/gateway/cli/test_command_line.py`` does.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest.mock import patch

import pytest

from gateway.cli import main
from gateway.kit.settings import Settings
from tests.kit.secret_keys import SECRET_KEY

_alone = threading.Lock()  # the environment and the standard streams belong to the whole process


class Finished(NamedTuple):
    """A command that ended: its exit code, and what it printed."""

    code: int
    out: str
    err: str


Command = Callable[..., Awaitable[Finished]]


def environment_with(**variables: str) -> dict[str, str]:
    """The environment of a gateway's process: this one's, and of what configures a gateway only ``variables``."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")} | variables


def environment_of(settings: Settings, **variables: str) -> dict[str, str]:
    """The same for a gateway with these servers, state folder and suppliers."""
    assert settings.database_url is not None
    given = {
        "GATEWAY_DATABASE_URL": settings.database_url.get_secret_value(),
        "GATEWAY_SECRET_KEY": SECRET_KEY,
        "GATEWAY_STATE_DIR": str(settings.state_dir),
        "GATEWAY_SUPPLIERS": json.dumps(settings.suppliers, default=str),
    }
    if settings.redis_url is not None:
        given["GATEWAY_REDIS_URL"] = settings.redis_url.get_secret_value()
    return environment_with(**given | variables)


def run_command(environment: Mapping[str, str], *words: str, typed: str = "") -> Finished:
    """Run a command to its end, where no loop runs. ``typed`` is its standard input."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        _alone,
        patch.dict(os.environ, environment, clear=True),
        patch("sys.argv", ["esim-gateway", *words]),
        patch("sys.stdin", io.StringIO(typed)),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    return Finished(int(ended.value.code or 0), *(stream.buffer.getvalue().decode() for stream in (out, err)))


def command_with(environment: Mapping[str, str], *first: str) -> Command:
    """Commands of this environment that begin with these words, while the test's loop serves what they ask."""

    async def command(*words: str, typed: str = "") -> Finished:
        return await asyncio.to_thread(run_command, environment, *first, *words, typed=typed)

    return command
