"""An eSIM after it was delivered: its status when asked, and what of it is told."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from gateway.access import audit_rows
from gateway.access.key_rows import Mode
from gateway.access.user_rows import Visitor
from gateway.inventory import delivery_rules, esim_life_rules, esim_rows
from gateway.inventory.esim_rows import Esim
from gateway.inventory.traveller_link_rules import PAGE, PICTURE, url_of
from gateway.kit.problem import Problem, not_supported
from gateway.suppliers.accounts import account_of
from gateway.suppliers.deps import Deps
from gateway.webhooks.notify import emit_event
from providers.contract import Capability
from schemas import api_esims
from schemas.api_esims import QrLinks
from schemas.errors import GatewayError, NotFound, SupplierError
from schemas.esim import EsimStatus, ProfileState, ServiceState
from schemas.events import EsimStateChangedData, EsimStates, EsimUsageLowData, EventData
from schemas.notice import NoticeType
from schemas.orders import OrderedEsim

log = structlog.get_logger(__name__)

# Whoever asks waits no longer than this for the supplier; after it he gets what was known before.
ASKING_SECONDS = 10.0


def ordered_esim(deps: Deps, esim: Esim, *, with_code: bool = True) -> OrderedEsim:
    """The ``esim`` of an order's JSON, for its owner; without its code (for a top-up, for operators) as asked."""
    code = esim.activation_code if with_code else None
    page = page_url(deps, esim.id) if code is not None else None
    return delivery_rules.ordered_esim(
        esim.id,
        esim.iccid,
        code,
        confirmation_code_required=esim.confirmation_code_required,
        page_url=page,
        base_url=deps.settings.public_base_url,
    )


def page_url(deps: Deps, esim_id: str) -> str:
    """The address of the traveller's page of an eSIM, good for a while from now."""
    token = PAGE.token(deps.seal, esim_id, deps.clock(), deps.settings.esim.page_days)
    return url_of(token, deps.settings.page_base_url)


def qr_links(deps: Deps, esim_id: str) -> QrLinks:
    """Addresses of the code's pictures that need no key, good for a short while from now."""
    token = PICTURE.token(deps.seal, esim_id, deps.clock(), deps.settings.esim.qr_link_minutes)
    svg, png = (url_of(token, deps.settings.page_base_url, ending) for ending in (".svg", ".png"))
    return QrLinks(svg, png, PICTURE.expires_at(token))


async def with_status(deps: Deps, storefront_id: str, mode: Mode, name: str, *, fresh: bool = False) -> Esim | None:
    """The storefront's eSIM with a status that is not older than the cache allows, or with what is known of it.

    ``fresh`` asks the supplier in any case. ``status`` is None while nothing is known: the supplier cannot tell, did
    not answer yet, or is not configured any more. None when the storefront has no such eSIM.
    """
    esim = await esim_rows.find(deps.pool, deps.seal, storefront_id, mode, name)
    if esim is None or _lacks(deps, esim, Capability.ESIM_STATUS) is not False or not (fresh or _is_old(deps, esim)):
        return esim
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            return await poll(deps, esim)
    except (GatewayError, TimeoutError) as error:
        log.info("esim_status_read_failed", supplier=esim.supplier, esim=esim.id, error=code_of(error))
        return esim


async def with_usage(deps: Deps, storefront_id: str, mode: Mode, name: str, *, fresh: bool = False) -> Esim | Problem:
    """As ``with_status``, for its data; ``status`` is there.

    Problems: not_found, not_supported (the supplier cannot tell), unavailable (it has not told yet).
    """
    esim = await with_status(deps, storefront_id, mode, name, fresh=fresh)
    if esim is None:
        return Problem("not_found", "there is no such eSIM")
    if esim.status is not None:
        return esim
    if _lacks(deps, esim, Capability.ESIM_STATUS):
        return not_supported(Capability.ESIM_STATUS)
    return Problem("unavailable", "the supplier has not reported the state of this eSIM yet")


def can_topup(deps: Deps, esim: Esim) -> bool | None:
    """Whether data can be added: no where the supplier has no call for it, else as it told; None: it is not known."""
    if _lacks(deps, esim, Capability.TOPUP):
        return False
    return None if esim.status is None else esim.status.can_topup


def install_by(esim: Esim) -> datetime | None:
    """Until when it must be installed; None where the plan that was sold states no limit."""
    days = (esim.plan.get("features") or {}).get("install_within_days")
    return None if days is None else esim.created_at + timedelta(days=days)


def public_esim(deps: Deps, esim: Esim) -> api_esims.Esim:
    """An eSIM as its storefront sees it."""
    status = esim.status
    return api_esims.Esim(
        id=esim.id,
        iccid=esim.iccid,
        order_id=esim.order_id,
        plan_id=esim.plan_id,
        profile_state=status.profile_state if status is not None else ProfileState.UNKNOWN,
        service_state=status.service_state if status is not None else ServiceState.UNKNOWN,
        data=status.data if status is not None else None,
        expires_at=status.expires_at if status is not None else None,
        can_topup=can_topup(deps, esim),
        packages=status.packages if status is not None else (),
        coverage=status.coverage if status is not None else (),
        apn=status.apn if status is not None else None,
        msisdn=status.msisdn if status is not None else None,
        imsi=status.imsi if status is not None else None,
        install_by=install_by(esim),
        observed_at=esim.observed_at,
        created_at=esim.created_at,
    )


async def poll(deps: Deps, esim: Esim) -> Esim:
    """Ask the supplier and record the answer. Raises ``SupplierError`` and ``NotSupported``."""
    account = account_of(deps.accounts, esim.supplier, esim.mode)
    if account is None:
        raise NotFound("the account that sold this eSIM is not configured", supplier=esim.supplier)
    status = await account.provider.esim_status(esim.iccid)
    return await record(deps, esim.id, status)


async def poll_by_operator(deps: Deps, esim: Esim, by: Visitor | str) -> Esim | Problem:
    """Ask the supplier now because an operator wants to know; recorded with who asked.

    Problems: not_supported (the supplier cannot tell), unavailable (it did not answer, or has no account here).
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        await audit_rows.record(connection, by, "esim.polled", f"esim:{esim.id}")
    if _lacks(deps, esim, Capability.ESIM_STATUS):
        return not_supported(Capability.ESIM_STATUS)
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            return await poll(deps, esim)
    except (GatewayError, TimeoutError) as error:
        return Problem("unavailable", str(error) or "the supplier did not answer in time")


async def reveal(deps: Deps, esim_id: str, by: Visitor | str) -> tuple[Esim, OrderedEsim] | None:
    """An eSIM with its activation code and the traveller's link; the audit log has the visit before they are shown."""
    async with deps.pool.acquire() as connection, connection.transaction():
        esim = await esim_rows.get(connection, deps.seal, esim_id)
        if esim is None:
            return None
        await audit_rows.record(connection, by, "esim.code_shown", f"esim:{esim_id}")
    return esim, ordered_esim(deps, esim)


async def record(deps: Deps, esim_id: str, status: EsimStatus) -> Esim:
    """Write what a supplier said of an eSIM and tell the storefront what is news, in one transaction.

    An answer that is older than what is known changes nothing. Raises ``LookupError`` for an unknown id.
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        esim = await esim_rows.lock(connection, deps.seal, esim_id)
        if esim is None:
            raise LookupError(f"no eSIM {esim_id}")
        if esim.observed_at is not None and esim.observed_at >= status.observed_at:
            return esim
        news = esim_life_rules.news(status, esim.usage_notified, esim.state_notified)
        wait = esim_life_rules.next_poll(status, esim.status)
        await esim_rows.observe(
            connection,
            deps.seal,
            esim_id,
            status,
            next_poll_at=None if wait is None else deps.clock() + wait,
            usage_notified=news.usage_notified,
            state_notified=news.state_notified,
        )
        for kind, data in events_of(esim, status, news):
            await emit_event(
                connection,
                deps.seal,
                storefront_id=esim.storefront_id,
                mode=esim.mode,
                type=kind,
                data=data,
                order_id=esim.order_id,
            )
        seen = await esim_rows.get(connection, deps.seal, esim_id)
    if seen is None:
        raise LookupError(f"no eSIM {esim_id}")
    return seen


def events_of(esim: Esim, status: EsimStatus, news: esim_life_rules.News) -> list[tuple[NoticeType, EventData]]:
    """The events that a look gives. The ICCID may stand in them, for they go to its owner."""
    about = {"esim_id": esim.id, "iccid": esim.iccid, "order_id": esim.order_id}
    found: list[tuple[NoticeType, EventData]] = []
    if news.state is not None:
        now = _states(news.state)
        changed = EsimStateChangedData(
            **about,
            observed_at=status.observed_at,
            profile_state=now.profile_state,
            service_state=now.service_state,
            previous=_states(news.previous or esim_life_rules.AT_FIRST),
        )
        found.append((NoticeType.ESIM_STATE_CHANGED, changed))
    if news.threshold is not None:
        low = EsimUsageLowData(**about, observed_at=status.observed_at, threshold=news.threshold, data=status.data)
        found.append((NoticeType.ESIM_USAGE_LOW, low))
    return found


def _states(text: str) -> EsimStates:
    profile, _, service = text.partition("/")
    return EsimStates(ProfileState(profile), ServiceState(service))


def _lacks(deps: Deps, esim: Esim, capability: Capability) -> bool | None:
    """Whether the eSIM's supplier cannot do something at all; None where its account is not configured."""
    account = account_of(deps.accounts, esim.supplier, esim.mode)
    return None if account is None else capability not in account.manifest.capabilities


def _is_old(deps: Deps, esim: Esim) -> bool:
    """Whether the cache's time is over, or something happened that made the eSIM due: a top-up."""
    now = deps.clock()
    if esim.observed_at is None or (esim.next_poll_at is not None and esim.next_poll_at <= now):
        return True
    return now - esim.observed_at > timedelta(seconds=deps.settings.esim.cache_seconds)


def code_of(error: Exception) -> str:
    """A fault in one word, for a log line."""
    return error.code if isinstance(error, SupplierError) else type(error).__name__
