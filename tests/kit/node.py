"""Node.js, which runs TypeScript as it is: the one within Playwright, so of the version that the lock names."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

CLIENT = Path(__file__).parents[2] / "clients/typescript"


async def run_node(program: Path, **variables: str) -> None:
    """Run a program of ``node:test``. It fails, with what the program printed, when one of the program's tests does.

    The package ``esim-gateway-client`` is its source, for what stands beside ``install_client``.
    """
    node, _ = compute_driver_executable()
    process = await asyncio.create_subprocess_exec(
        node,
        "--conditions=source",
        program,
        env=variables,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, printed.decode()


def install_client(folder: Path) -> None:
    """Make the client a package that programs in this folder can import."""
    modules = folder / "node_modules"
    modules.mkdir()
    (modules / "esim-gateway-client").symlink_to(CLIENT)
