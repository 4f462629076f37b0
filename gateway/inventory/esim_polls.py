"""Looking at delivered eSIMs by schedule: what is active, slower for what moves slowly, under a share of the rate.

Usage comes late with suppliers (by hours with some), and a look comes up to six hours after it: an event about
usage says what was seen, not what is.
"""

from __future__ import annotations

import asyncio
import math
from datetime import datetime, timedelta

import structlog

from gateway.inventory import esim_life_rules, esim_rows
from gateway.inventory.esim_rows import Esim
from gateway.inventory.esims import code_of, poll
from gateway.kit.pool import DATABASE_DOWN
from gateway.suppliers.deps import Deps
from schemas.errors import NotFound, NotSupported, SupplierError

log = structlog.get_logger(__name__)

POLL_EVERY_SECONDS = 15.0
# What is looked at in a minute at suppliers that name no rate, before the share is taken.
PER_MINUTE = 60
POLLS_AT_ONCE = 4
POLLING_SECONDS = 60.0
# What somebody looks at is asked for anew when it is older than this.
OLD = timedelta(minutes=10)


async def keep_polling(deps: Deps, stop: asyncio.Event, seconds: float = POLL_EVERY_SECONDS) -> None:
    """Look at what is due every so many seconds until ``stop`` is set. A database that is away is waited for."""
    while not stop.is_set():
        try:
            await poll_due(deps, seconds)
        except DATABASE_DOWN as error:
            log.warning("esim_polls_failed", error=type(error).__name__)
        except Exception:  # whatever it was, the next look is due all the same
            log.exception("esim_polls_failed")
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            continue


async def poll_due(deps: Deps, seconds: float) -> int:
    """Look at eSIMs that are due, of each supplier as many as its share of ``seconds`` allows; how many were seen.

    Any number of processes may do so at once: they share what is allowed, and each eSIM is claimed by one. One that
    could not be seen is due again when its claim runs out.
    """
    counts = await asyncio.gather(
        *(
            _poll_supplier(deps, supplier, seconds)
            for supplier in await esim_rows.suppliers_due(deps.pool, deps.clock())
            if supplier in deps.accounts
        )
    )
    return sum(counts)


def polls_allowed(per_minute: int | None, share: float, seconds: float) -> int:
    """How many looks a supplier's rate leaves within ``seconds``; one at least, so that nothing stands still."""
    return max(1, math.floor((per_minute or PER_MINUTE) * share * seconds / 60))


async def _poll_supplier(deps: Deps, supplier: str, seconds: float) -> int:
    account = deps.accounts[supplier]
    rate = account.settings.requests_per_minute or account.manifest.limits.requests_per_minute
    most = polls_allowed(rate, deps.settings.esim.poll_share, seconds)
    claimed = await esim_rows.claim_due(deps.pool, supplier, deps.clock(), most, seconds)
    slots = asyncio.Semaphore(POLLS_AT_ONCE)

    async def poll_esim(esim_id: str) -> bool:
        async with slots:
            try:
                return await _poll_one(deps, esim_id)
            except DATABASE_DOWN:
                raise
            except Exception:  # one eSIM that cannot be read must not keep the others from being looked at
                log.exception("esim_poll_failed", supplier=supplier, esim=esim_id)
                return False

    return sum(await asyncio.gather(*(poll_esim(esim_id) for esim_id in claimed)))


async def _poll_one(deps: Deps, esim_id: str) -> bool:
    esim = await esim_rows.get(deps.pool, deps.seal, esim_id)
    if esim is None:
        return False
    try:
        async with asyncio.timeout(POLLING_SECONDS):
            await poll(deps, esim)
    except NotSupported:
        await esim_rows.set_poll_at(deps.pool, esim_id, None)
        return False
    except NotFound:
        await esim_rows.set_poll_at(deps.pool, esim_id, deps.clock() + esim_life_rules.MISSING)
        return False
    except (SupplierError, TimeoutError) as error:
        log.info("esim_status_read_failed", supplier=esim.supplier, esim=esim_id, error=code_of(error))
        return False
    return True


async def poll_soon(deps: Deps, esim_id: str, at: datetime | None = None) -> None:
    """Have an eSIM looked at at that time, by default as soon as there is room: after a top-up, say."""
    await esim_rows.set_poll_at(deps.pool, esim_id, at or deps.clock())


async def poll_if_old(deps: Deps, esim: Esim) -> None:
    """Have an eSIM that somebody looks at polled soon when what is known of it is old, by the worker and its share.

    One that is polled no more, or was never seen, is left as it is.
    """
    now = deps.clock()
    if esim.observed_at is None or esim.next_poll_at is None or now - esim.observed_at < OLD:
        return
    if esim.next_poll_at > now:
        await poll_soon(deps, esim.id)
