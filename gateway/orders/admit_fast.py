"""Fast admission: chosen from memory, written with its first attempt in one statement, sent by this process.

It is taken where nothing has to be asked first: the offers, rules and rates are remembered and their version still
stands, funds are far from their end, no limit of a day has to be counted, the supplier's breaker is closed and it has
a token for us. Everything else takes the ordinary way, which is the same from the committed attempt on.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog

from gateway.access.key_rows import Mode
from gateway.kit.pool import DATABASE_DOWN
from gateway.kit.problem import Problem
from gateway.orders import admission_rows
from gateway.orders.admission_rows import Admission, Version
from gateway.orders.attempt_rows import NewAttempt, new_attempt
from gateway.orders.buy import LAST_MONEY, left_out
from gateway.orders.offer_memory import OFFERS_SECONDS, PRICES_SECONDS, RememberedOffers, RememberedPrices
from gateway.orders.order_rows import NewOrder
from gateway.orders.send import record_answer, start_send
from gateway.orders.settle import Known, Settled
from gateway.pricing.pricing import Prices, prices_with_version
from gateway.selling import candidate_rows, engine
from gateway.selling.candidate_rows import Stored
from gateway.selling.choosing_rules import Candidate
from gateway.selling.engine import Sale, SaleRequest
from gateway.selling.plan_source import PlanSource, plan_lines, sold_plan
from gateway.suppliers import fund_rows
from gateway.suppliers.accounts import Account
from gateway.suppliers.deps import Deps
from providers.kit.supplier_rate import faults_apart
from schemas import api
from schemas.errors import DeadlinePassed

log = structlog.get_logger(__name__)

# A token that is not leased yet comes within a round trip; who waits longer takes the ordinary way.
TOKEN_SECONDS = 0.25


@dataclass(slots=True)
class Ready:
    """What was chosen, with the version of the catalogue that it was chosen from, and a token of its supplier held."""

    plan: api.Plan
    sale: Sale
    version: Version
    account: Account
    attempt: NewAttempt | None = None
    known: Known | None = None

    @property
    def candidate(self) -> Candidate:
        """The offer that is bought."""
        return self.sale.terms.chosen.candidate

    def send(self, deps: Deps, order_id: str) -> asyncio.Task[Settled | None]:
        """Send the attempt that was written with the order, once."""
        if self.attempt is None:
            raise LookupError(f"order {order_id} was admitted without an attempt")
        with faults_apart(self.known is not None and self.known.order.is_trigger):
            return start_send(deps, self.account, self.attempt, None, known=self.known)


def may_be_fast(deps: Deps) -> bool:
    """Whether this process sends what it admits, and is not told to take the ordinary way."""
    return deps.inline and deps.settings.orders.fast_admission


async def chosen_from_memory(deps: Deps, request: SaleRequest) -> Ready | None:
    """The offer to buy now, its token held; None where the ordinary way has to be taken. Raises ``NoRate``."""
    if not isinstance(request.source, PlanSource):
        return None
    mode, plan_id = request.source.mode, request.source.plan_id
    remembered = await _remembered(deps, mode, plan_id, request.storefront_id)
    if remembered is None:
        return None
    stored, prices, version = remembered
    lines, admitted = plan_lines(deps, stored), request.quoted_price is not None
    found = engine.judged(deps, lines, prices, request.limits, request.source.capability, admitted=admitted)
    terms = engine.terms_of(request, found, prices.rates, ())
    if isinstance(terms, Problem):
        deps.memory.forget_offers(mode, plan_id)
        return None  # said by what stands in PostgreSQL
    candidate = terms.chosen.candidate
    account = deps.accounts[candidate.supplier]
    if engine.line_of(candidate, lines).needs_check or not _is_simple(deps, account, candidate):
        deps.memory.forget_offers(mode, plan_id)
        return None
    now, sale = deps.clock(), engine.sold(terms, found, lines, prices.rates)
    ready = Ready(sold_plan(deps, sale), sale, version, account)
    if account.limiter.purchase_blocked_for() > 0 or not await _token(account, request.storefront_id, now):
        return None
    return ready


async def write(deps: Deps, new: NewOrder, key: str, request: bytes, ready: Ready, now: datetime) -> Admission | None:
    """Write the order with its attempt, or say why not; None when the ordinary way has to be taken.

    The token is given back where nothing is sent. Raises ``asyncpg.UniqueViolationError`` as ``admission.admit``.
    """
    found: Admission | None = None
    candidate = ready.candidate
    chosen = ready.sale.terms.chosen
    attempt = new_attempt(new.id, "purchase", candidate, ready.account.settings, why=chosen.why, iccid=None, now=now)
    ops = {"supplier": candidate.supplier, "why": chosen.why, "left": left_out(chosen.left)}
    try:
        found = await admission_rows.admit(
            deps.group_commit, new, key, request, now,
            next_poll_at=attempt.deadline, max_open=deps.settings.orders.max_open,
            version=ready.version, attempt=attempt, ops=ops,
        )  # fmt: skip
    except DATABASE_DOWN as error:
        # The rows may be there although that was not confirmed. This run alone may send, and does not.
        task = asyncio.create_task(_never_sent(deps, attempt, error), name=f"unsent {attempt.id}")
        deps.running.add(task)
        task.add_done_callback(deps.running.discard)
        raise
    finally:
        if found is None or found.outcome != "admitted":
            ready.account.limiter.release()
    if found.outcome == "admitted":
        ready.attempt = attempt
        ready.known = Known(new.row(now, attempt.deadline), attempt.row(1))
        if candidate.most is not None:
            deps.memory.reserve(candidate.supplier, candidate.most)
        return found
    if found.outcome == "changed":
        deps.memory.forget()
    return found if found.outcome in {"known", "too_many_open"} else None


async def _never_sent(deps: Deps, attempt: NewAttempt, error: Exception) -> None:
    unsent = DeadlinePassed(f"not sent: {type(error).__name__} at the commit")
    try:
        await record_answer(deps, attempt.id, unsent, None)
    except DATABASE_DOWN as still:
        log.warning("attempt_not_recorded", attempt=attempt.id, error=type(still).__name__)


async def _remembered(
    deps: Deps, mode: Mode, plan_id: str, storefront_id: str
) -> tuple[list[Stored], Prices, Version] | None:
    """Offers with their funds, and prices, of one version; None where there are none."""
    memory, loop = deps.memory, asyncio.get_running_loop()
    found = memory.offers_of(mode, plan_id, loop.time())
    if found is None:
        found = await memory.once(("offers", mode, plan_id), lambda: _load_offers(deps, mode, plan_id))
    if found is None:
        return None
    prices = memory.prices_of(storefront_id, loop.time())
    if prices is None or prices.version != found.version:
        prices = await memory.once(("prices", storefront_id), lambda: _load_prices(deps, storefront_id))
    if prices is None:
        return None
    if prices.version != found.version:
        memory.forget()
        return None
    if not memory.funds_fresh(loop.time()):
        await memory.once("funds", lambda: _load_funds(deps))
    stored = [msgspec.structs.replace(row, funds=memory.funds.get(row.supplier)) for row in found.stored]
    return stored, prices.prices, found.version


async def _load_offers(deps: Deps, mode: Mode, plan_id: str) -> RememberedOffers | None:
    rows = await candidate_rows.of_plan_without_funds(deps.pool, mode, plan_id)
    if not rows:
        return None
    stands = min([OFFERS_SECONDS, *(row.stands_seconds for row in rows if row.stands_seconds is not None)])
    found = RememberedOffers(rows[0].version, asyncio.get_running_loop().time() + stands, tuple(rows))
    deps.memory.keep_offers(mode, plan_id, found)
    return found


async def _load_prices(deps: Deps, storefront_id: str) -> RememberedPrices | None:
    now = deps.clock()
    fresh, version = await prices_with_version(deps.pool, deps.settings, storefront_id, now)
    if version is None or fresh.changes_at is None:
        return None
    stands = min(PRICES_SECONDS, (fresh.changes_at - now).total_seconds())
    prices = RememberedPrices(version, asyncio.get_running_loop().time() + stands, fresh)
    deps.memory.keep_prices(storefront_id, prices)
    return prices


async def _load_funds(deps: Deps) -> None:
    deps.memory.keep_funds(await fund_rows.load_all(deps.pool), asyncio.get_running_loop().time())


def _is_simple(deps: Deps, account: Account, candidate: Candidate) -> bool:
    """Whether nothing has to be counted before this offer is bought."""
    reserved = deps.memory.reserved.get(candidate.supplier, 0)
    ample = (
        candidate.available_funds is None
        or candidate.most is None
        or candidate.available_funds - reserved >= candidate.most * LAST_MONEY
    )
    return ample and account.settings.daily_spend_limit is None


async def _token(account: Account, storefront_id: str, now: datetime) -> bool:
    limiter = account.limiter
    return limiter.try_acquire(storefront_id) or await limiter.acquire(storefront_id, now, TOKEN_SECONDS)
