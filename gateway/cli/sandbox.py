"""``esim-gateway sandbox``: the suppliers as they document themselves, for trying out and for tests."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from providers.contract import Manifest
    from providers.simulator import ServedSandboxes

DEFAULT_PORT = 8081
DEFAULT_SEED = 7


def sandbox(
    host: Annotated[str, typer.Option(help="Where the sandboxes listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Their port; 0 takes a free one.", min=0, max=65535)] = DEFAULT_PORT,
    market: Annotated[
        Path | None,
        typer.Option(help="A market price list (CSV) to sell instead of made-up plans.", exists=True, dir_okay=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed makes up another catalogue.")] = DEFAULT_SEED,
    records: Annotated[
        Path | None,
        typer.Option("--books", help="A folder in which orders, eSIMs and money outlive the process.", file_okay=False),
    ] = None,
) -> None:
    """Serve every supplier's sandbox until Ctrl-C, and say what to configure to use them.

    They sell made-up plans, the same for the same seed, and change only when told to by their control routes.
    """
    asyncio.run(_serve(host, port, market, seed, records))


async def _serve(host: str, port: int, market: Path | None, seed: int, records: Path | None) -> None:
    from providers.loader import load_manifests
    from providers.simulator import serve, world_for

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(ending, ended.set)
    manifests = load_manifests()
    async with await serve(world_for(manifests, seed, market, records=records), manifests, host, port) as served:
        print(_greeting(served, manifests), flush=True)
        await ended.wait()


def _greeting(served: ServedSandboxes, manifests: Mapping[str, Manifest]) -> str:
    """What to put into a configuration file, and how to make things go wrong."""
    lines = [
        "# The suppliers' sandboxes are up. These accounts, in the file that GATEWAY_CONFIG names, work with them:"
    ]
    for name, url in served.urls.items():
        sells = f"{len(served.world.items(name))} items" if name in served.world.suppliers else "takes payments"
        lines += ["", f"[suppliers.{name}]  # {manifests[name].title}, {sells}"]
        account = {"provider": name, "mode": "test", "base_url": url, **manifests[name].sandbox_settings}
        lines += [f"{key} = {_toml(value)}" for key, value in account.items()]
    if selling := [name for name in served.urls if name in served.world.suppliers]:
        name, url = selling[0], served.urls[selling[0]]
        control = f"{url}/_sandbox"
        fault = '{"kind": "html", "calls": 3}'
        trigger = '{"kind": "charge_then_hang"}'
        lines += [
            "",
            f"# Let {name} answer 3 calls with a web page, end all faults, move some prices, see how it stands:",
            f"#   curl -X POST {control}/faults -d '{fault}'",
            f"#   curl -X DELETE {control}/faults",
            f'#   curl -X POST {control}/drift -d \'{{"share": 0.05, "by": 0.1}}\'',
            f"#   curl {control}/state",
            f"# Other kinds: {', '.join(_fault_kinds())}.",
            "# Let its next order be charged and not answered, pay in, see what really happened:",
            f"#   curl -X POST {control}/triggers -d '{trigger}'",
            f'#   curl -X POST {control}/till -d \'{{"deposit": "500"}}\'',
            f"#   curl {control}/truth",
            "# Other routes: GET items?place=japan, POST price, POST stock, POST remove, POST reset.",
        ]
    return "\n".join(lines)


def _fault_kinds() -> list[str]:
    from providers.simulator import FaultKind

    return [kind.value for kind in FaultKind]


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value) if isinstance(value, bool | int | float) else json.dumps(str(value), ensure_ascii=False)
