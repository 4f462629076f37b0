"""An eSIM after it was delivered: its status when asked, a look by schedule, and what of that is told."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime, timedelta

import structlog

from gateway.core import delivery, esim_life, page_address
from gateway.flows.deps import Deps
from gateway.flows.notify import announce
from gateway.flows.problem import Problem
from gateway.store import esims
from gateway.store.esims import Esim
from gateway.store.keys import Mode
from providers.contract import Capability
from schemas.errors import NotFound, NotSupported, SupplierError
from schemas.esim import EsimStatus
from schemas.notice import NoticeType
from schemas.orders import OrderedEsim

log = structlog.get_logger(__name__)

# Whoever asks waits no longer than this for the supplier; after it he gets what was known before.
ASKING_SECONDS = 10.0
# A look by schedule at suppliers that name no rate.
PER_MINUTE = 60
LOOKS_AT_ONCE = 4
LOOKING_SECONDS = 60.0


def ordered_esim(deps: Deps, esim: Esim, *, with_code: bool = True) -> OrderedEsim:
    """The ``esim`` of an order's JSON, for its owner; without its code (for a top-up, for operators) as asked."""
    code = esim.activation_code if with_code else None
    page = page_url(deps, esim) if code is not None else None
    return delivery.ordered_esim(
        esim.id,
        esim.iccid,
        code,
        confirmation_code_required=esim.confirmation_code_required,
        page_url=page,
    )


def page_url(deps: Deps, esim: Esim) -> str:
    """The address of the traveller's page, good for a while from now."""
    settings = deps.settings.esim
    return page_address.url_for(deps.seal, esim.id, deps.clock(), settings.page_days, settings.page_base_url)


async def with_status(deps: Deps, storefront_id: str, mode: Mode, name: str, *, fresh: bool = False) -> Esim | Problem:
    """The storefront's eSIM with a status that is not older than the cache allows, or the last known one.

    ``fresh`` asks the supplier in any case. Problems: not_found, not_supported (the supplier has no status),
    unavailable (nothing is known yet and the supplier did not tell).
    """
    esim = await esims.find(deps.pool, deps.seal, storefront_id, mode, name)
    if esim is None:
        return Problem("not_found", "there is no such eSIM")
    account = deps.accounts.get(esim.supplier)
    if account is not None and Capability.ESIM_STATUS not in account.manifest.capabilities:
        note = account.manifest.capability_notes.get(Capability.ESIM_STATUS, "")
        reason = f"this eSIM's supplier does not offer {Capability.ESIM_STATUS.value}" + (f": {note}" if note else "")
        return Problem("not_supported", reason)
    age = None if esim.observed_at is None else deps.clock() - esim.observed_at
    if account is not None and (fresh or age is None or age > timedelta(seconds=deps.settings.esim.cache_seconds)):
        try:
            async with asyncio.timeout(ASKING_SECONDS):
                return await look(deps, esim)
        except (SupplierError, TimeoutError) as error:
            log.info("esim_not_seen", supplier=esim.supplier, esim=esim.id, error=_code(error))
    if esim.status is None:
        return Problem("unavailable", "the supplier has not told the state of this eSIM yet")
    return esim


async def look(deps: Deps, esim: Esim) -> Esim:
    """Ask the supplier and record the answer. Raises ``SupplierError`` and ``NotSupported``."""
    status = await deps.accounts[esim.supplier].provider.esim_status(esim.iccid)
    return await record(deps, esim.id, status)


async def record(deps: Deps, esim_id: str, status: EsimStatus) -> Esim:
    """Write what a supplier said of an eSIM and tell the storefront what is news, in one transaction.

    An answer that is older than what is known changes nothing. Raises ``LookupError`` for an unknown id.
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        esim = await esims.lock(connection, deps.seal, esim_id)
        if esim is None:
            raise LookupError(f"no eSIM {esim_id}")
        if esim.observed_at is not None and esim.observed_at >= status.observed_at:
            return esim
        news = esim_life.news(status, esim.usage_told, esim.state_told)
        wait = esim_life.next_look(status, esim.status)
        await esims.observe(
            connection,
            deps.seal,
            esim_id,
            status,
            next_poll_at=None if wait is None else deps.clock() + wait,
            usage_told=news.usage_told,
            state_told=news.state_told,
        )
        for kind, data in told(esim, status, news):
            await announce(
                connection,
                deps.seal,
                storefront_id=esim.storefront_id,
                mode=esim.mode,
                type=kind,
                data=data,
                order_id=esim.order_id,
            )
        seen = await esims.get(connection, deps.seal, esim_id)
    if seen is None:
        raise LookupError(f"no eSIM {esim_id}")
    return seen


def told(esim: Esim, status: EsimStatus, news: esim_life.News) -> list[tuple[NoticeType, dict[str, object]]]:
    """The events that a look gives. The ICCID may stand in them, for they go to its owner."""
    about: dict[str, object] = {"esim_id": esim.id, "iccid": esim.iccid, "order_id": esim.order_id}
    about["observed_at"] = status.observed_at
    found: list[tuple[NoticeType, dict[str, object]]] = []
    if news.state is not None:
        profile, _, service = news.state.partition("/")
        was_profile, _, was_service = (news.previous or "").partition("/")
        states: dict[str, object] = {
            "profile_state": profile,
            "service_state": service,
            "previous": {"profile_state": was_profile, "service_state": was_service},
        }
        found.append((NoticeType.ESIM_STATE_CHANGED, about | states))
    if news.threshold is not None:
        found.append((NoticeType.ESIM_USAGE_LOW, about | {"threshold": news.threshold, "data": status.data}))
    return found


# -- by schedule ---------------------------------------------------------------------------------------------------


async def look_at_due(deps: Deps, seconds: float) -> int:
    """Look at eSIMs that are due, of each supplier as many as its share of ``seconds`` allows; how many were seen.

    Any number of processes may do so at once: each eSIM is claimed by one. One that could not be seen is due again
    when its claim runs out.
    """
    counts = await asyncio.gather(
        *(
            _look_at_supplier(deps, supplier, seconds)
            for supplier in await esims.suppliers_due(deps.pool, deps.clock())
            if supplier in deps.accounts
        )
    )
    return sum(counts)


def looks_allowed(per_minute: int | None, share: float, seconds: float) -> int:
    """How many looks a supplier's rate leaves within ``seconds``; one at least, so that nothing stands still."""
    return max(1, math.floor((per_minute or PER_MINUTE) * share * seconds / 60))


async def _look_at_supplier(deps: Deps, supplier: str, seconds: float) -> int:
    account = deps.accounts[supplier]
    rate = account.settings.requests_per_minute or account.manifest.limits.requests_per_minute
    most = looks_allowed(rate, deps.settings.esim.poll_share, seconds)
    claimed = await esims.claim_due(deps.pool, supplier, deps.clock(), most)
    room = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def one(esim_id: str) -> bool:
        async with room:
            return await _look_at_one(deps, esim_id)

    return sum(await asyncio.gather(*(one(esim_id) for esim_id in claimed)))


async def _look_at_one(deps: Deps, esim_id: str) -> bool:
    esim = await esims.get(deps.pool, deps.seal, esim_id)
    if esim is None:
        return False
    try:
        async with asyncio.timeout(LOOKING_SECONDS):
            await look(deps, esim)
    except NotSupported:
        await esims.look_at(deps.pool, esim_id, None)
        return False
    except NotFound:
        await esims.look_at(deps.pool, esim_id, deps.clock() + esim_life.MISSING)
        return False
    except (SupplierError, TimeoutError) as error:
        log.info("esim_not_seen", supplier=esim.supplier, esim=esim_id, error=_code(error))
        return False
    return True


async def look_soon(deps: Deps, esim_id: str, at: datetime | None = None) -> None:
    """Have an eSIM looked at at that time, by default as soon as there is room: after a top-up, say."""
    await esims.look_at(deps.pool, esim_id, at or deps.clock())


def _code(error: Exception) -> str:
    return error.code if isinstance(error, SupplierError) else type(error).__name__
