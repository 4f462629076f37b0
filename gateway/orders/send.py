"""Sending what was committed, once, and recording the answer so that no fault of ours can lose it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Literal

import asyncpg
import msgspec
import structlog

from gateway.items import item_rules
from gateway.kit.database_retry import retry_while_database_down
from gateway.kit.pool import DATABASE_DOWN
from gateway.orders import settling_rows
from gateway.orders.answers import answer_texts
from gateway.orders.attempt_rows import NewAttempt
from gateway.orders.observations import Observation
from gateway.orders.settle import Known, Settled, Source, record, record_sent
from gateway.suppliers import selling_rows
from gateway.suppliers.accounts import Account, follow_keys
from gateway.suppliers.call_log import record_calls
from gateway.suppliers.deps import Deps
from gateway.suppliers.metrics import observe_answer
from providers.contract import Provider
from providers.kit.recording import Recorded, recording
from providers.kit.supplier_rate import token_held
from schemas.errors import GatewayError, NotAuthorised, SupplierError, UnreadableAnswer
from schemas.order import GoodWanted, NumberWanted, OrderKind, PurchaseRequest, SupplierOrder

log = structlog.get_logger(__name__)

ASK_SECONDS = 5.0
ANSWER_KEPT_SECONDS = 3600.0  # how long an answer is kept in memory for a database that is away
READ_AGAIN = timedelta(seconds=2)
_PAUSE_SECONDS = 1.0
_TRIES = 300


async def send(
    deps: Deps,
    account: Account,
    new: NewAttempt,
    iccid: str | None,
    fields: Mapping[str, str] | None = None,
    known: Known | None = None,
) -> Settled | None:
    """Send what was committed, once, and record the answer; neither a disconnect nor a shutdown cancels it.

    ``fields`` are the answers to what a product asks, which no attempt keeps. Only for the run that wrote the
    attempt's row. A purchase's token was acquired before. ``known`` is what that run wrote.
    """
    return await asyncio.shield(start_send(deps, account, new, iccid, fields, known))


def start_send(
    deps: Deps,
    account: Account,
    new: NewAttempt,
    iccid: str | None,
    fields: Mapping[str, str] | None = None,
    known: Known | None = None,
) -> asyncio.Task[Settled | None]:
    """``send`` in a task of its own, which no disconnect cancels."""
    task = asyncio.create_task(_send(deps, account, new, iccid, fields or {}, known), name=f"send {new.id}")
    deps.running.add(task)
    task.add_done_callback(deps.running.discard)
    return task


async def _send(
    deps: Deps,
    account: Account,
    new: NewAttempt,
    iccid: str | None,
    fields: Mapping[str, str],
    known: Known | None,
) -> Settled | None:
    request = request_of(new, iccid, fields)
    with record_calls(deps, new.id, answer_texts(dict(fields))), recording() as heard:
        began = time.monotonic()
        if new.kind == "cancel":
            observation, read = await call(account, new.kind, request)
        else:
            with token_held() as token:
                observation, read = await call(account, new.kind, request)
            if not token.used:
                account.limiter.release()
        error_code = observation.code if isinstance(observation, SupplierError) else None
        observe_answer(account.settings.mode, account.name, new.kind, time.monotonic() - began, error_code)
    settled = await record_answer(deps, new.id, observation, heard.finished(), read=read, known=known)
    if isinstance(observation, NotAuthorised):
        await _ask_again(deps, account, observation)
    return settled


async def call(
    account: Account, kind: Literal["purchase", "topup", "cancel"], request: PurchaseRequest
) -> tuple[Observation, bool]:
    """What the supplier answers, and whether that could be read: otherwise the raw answer may say more."""
    try:
        if kind == "cancel":
            return await account.provider.cancel(request.iccid or "", deadline=request.deadline), True
        return await _sale(account.provider, request), True
    except UnreadableAnswer as error:
        return error, False
    except GatewayError as error:
        return error, True
    except Exception as error:
        log.exception("order_send_failed", supplier=account.name, attempt=request.reference)
        return SupplierError(f"a fault of ours: {type(error).__name__}", supplier=account.name), False


async def _sale(provider: Provider, request: PurchaseRequest) -> SupplierOrder:
    match request.kind:
        case OrderKind.TOPUP:
            return await provider.topup(request)
        case OrderKind.NUMBER:
            return await provider.purchase_number(request)
        case OrderKind.VOUCHER:
            return await provider.purchase_good(request)
        case _:
            return await provider.purchase(request)


async def record_answer(
    deps: Deps,
    attempt_id: str,
    observation: Observation,
    recorded: Recorded | None,
    *,
    read: bool = True,
    known: Known | None = None,
) -> Settled | None:
    """Write down what came of a send, however long the database is away: an answer comes once only.

    The raw answer is written together with what was read from it, and unread where it could not be read. Where
    settling fails for a fault of ours the raw answer is written alone; a worker then reads it again.
    """
    sealed = None if recorded is None else deps.seal.seal(msgspec.json.encode(recorded))
    source = Source(sent=True, answer=sealed, answer_read=read)
    for tried in range(_TRIES):
        try:
            return await _recorded(deps, attempt_id, observation, source, known)
        except DATABASE_DOWN:
            raise
        except Exception:
            log.exception("supplier_answer_record_failed", attempt=attempt_id, tried=tried + 1)
        if sealed is not None and await _kept_alone(deps, attempt_id, sealed):
            return None
        await asyncio.sleep(_PAUSE_SECONDS)
    return None


async def _record(
    deps: Deps, attempt_id: str, observation: Observation, source: Source, known: Known | None
) -> Settled | None:
    """By what this process knows, where that does; by what the database says otherwise."""
    settled = None if known is None else await record_sent(deps, known, observation, source)
    return settled or await record(deps, attempt_id, observation, source)


_recorded = retry_while_database_down(
    _record, seconds=ANSWER_KEPT_SECONDS, on=(*DATABASE_DOWN, asyncpg.PostgresIOError)
)
_kept = retry_while_database_down(settling_rows.keep_answer, seconds=ANSWER_KEPT_SECONDS)


async def _kept_alone(deps: Deps, attempt_id: str, sealed: bytes) -> bool:
    """Whether the raw answer is kept, for a worker to read it again."""
    now = deps.clock()
    try:
        await _kept(deps.pool, attempt_id, sealed, now, now + READ_AGAIN)
    except DATABASE_DOWN:
        raise
    except Exception:
        log.exception("supplier_answer_store_failed", attempt=attempt_id)
        return False
    return True


def request_of(new: NewAttempt, iccid: str | None, fields: Mapping[str, str]) -> PurchaseRequest:
    """What the supplier is asked for."""
    good = new.item if isinstance(new.item, GoodWanted) else None
    return PurchaseRequest(
        reference=new.id,
        supplier_plan_id=new.supplier_plan_id,
        signed_at=new.signed_at,
        deadline=new.deadline,
        email=new.email,
        iccid=iccid,
        kind=item_rules.kind_of(new.item, topup=new.kind == "topup"),
        number=new.item if isinstance(new.item, NumberWanted) else None,
        good=None if good is None else msgspec.structs.replace(good, fields=dict(fields)),
    )


async def _ask_again(deps: Deps, account: Account, refusal: NotAuthorised) -> None:
    """After 401 or 403: a read decides whether it is the account that is refused; then it is stopped.

    The key may have been rotated since: the read goes with the one that is in force now.
    """
    try:
        with suppress(*DATABASE_DOWN):
            await follow_keys(deps.accounts, deps.pool, deps.seal)
        async with asyncio.timeout(ASK_SECONDS):
            await deps.accounts[account.name].provider.balance()
    except NotAuthorised:
        await selling_rows.stop(deps.pool, account.name, "account", refusal.detail[:200])
        log.warning("supplier_stopped", supplier=account.name, why="our account is refused")
    except (GatewayError, TimeoutError):
        return
