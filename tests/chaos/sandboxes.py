"""The suppliers' sandboxes as one process, without rate limits, their records in a folder.

    python -m tests.chaos.sandboxes FOLDER

Prints their addresses as one line of JSON and serves until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from providers.loader import load_manifests
from providers.simulator import serve, world_for


async def main(folder: Path) -> None:
    manifests = load_manifests()
    world = world_for(manifests, enforce_rate_limits=False, records=folder)
    async with await serve(world, manifests, port=0) as served:
        print(json.dumps(served.urls), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
