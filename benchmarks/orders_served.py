"""A gateway with a synced catalogue and its own servers, until standard input ends.

python -m benchmarks.orders_served SUPPLIER_SECONDS

Its first line says as JSON where it listens, with which key and plans, and whose CPU time is its.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from pathlib import Path

import uvloop

from benchmarks.orders_gateway import gateway_on, open_setting
from gateway.kit import log
from gateway.runtime.embedded_servers import DATABASE


async def main(folder: Path) -> None:
    log.configure("error")
    with contextlib.ExitStack() as stack:
        setting = await open_setting(stack, folder, float(sys.argv[1]), {})
        service = await gateway_on(stack, setting, DATABASE)
        pids = [*service.pids, setting.servers.postgres.pid]
        plans = [plan for plan, _ in setting.plans]
        print(json.dumps({"url": service.url, "key": setting.key, "plans": plans, "pids": pids}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="bench-served-") as directory:
        uvloop.run(main(Path(directory)))
