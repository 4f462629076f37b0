"""The supplier that ``benchmarks.orders`` buys from: S2S's sandbox, which takes so many seconds over every order.

python -m benchmarks.orders_supplier SECONDS
"""

from __future__ import annotations

import asyncio
import gc
import sys
from decimal import Decimal

import uvloop

from providers.loader import load_manifests
from providers.simulator import Trigger, TriggerKind, serve, world_for

SUPPLIER = "s2s"


async def run(seconds: float) -> None:
    """Serve on a free port, say its address, until standard input ends."""
    manifests = {SUPPLIER: load_manifests()[SUPPLIER]}
    world = world_for(manifests, enforce_rate_limits=False)
    async with await serve(world, manifests, port=0) as served:
        simulator = world.simulator(SUPPLIER)
        simulator.delivery_seconds = 0
        simulator.deposit(Decimal(10**8))
        for item in world.items(SUPPLIER):
            if item.in_stock:
                world.set_stock(SUPPLIER, item.key, None)
        simulator.triggers.add(Trigger(TriggerKind.SLOW_CHARGE, seconds=seconds, calls=None))
        gc.collect()
        gc.freeze()
        print(served.urls[SUPPLIER], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    uvloop.run(run(float(sys.argv[1])))
