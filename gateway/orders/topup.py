"""More data on an eSIM: what can be added, and the order for it. Bound to the eSIM's supplier, never failed over."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from gateway.access.key_rows import Mode
from gateway.catalog.offer_lines import Limits, with_states
from gateway.inventory import esim_lock_rows, esim_rows
from gateway.inventory.esim_rows import Esim
from gateway.kit.problem import Problem, not_supported
from gateway.orders import attempt_rows
from gateway.orders.admit import (
    NOT_TOPUPABLE,
    Admitted,
    Offered,
    digest_of,
    keyed,
    max_price_of,
    new_order,
    one_at_a_time,
    place,
)
from gateway.orders.order_rows import Bound, NewOrder
from gateway.pricing.price_rules import NoRate
from gateway.pricing.rates import no_rate
from gateway.selling import candidate_rows, engine
from gateway.selling.candidate_rows import Stored
from gateway.selling.choosing_rules import in_order
from gateway.selling.engine import STOPPED, SaleRequest
from gateway.selling.plan_source import PlanLine, TopupSource, listed_offer, plan_lines, sold_plan
from gateway.suppliers import selling_rows
from gateway.suppliers.accounts import Account, account_of
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas.errors import GatewayError, NotFound, NotSupported
from schemas.money import Money
from schemas.order_requests import TopupForOption, TopupForPlan
from schemas.plan import WhyNot


class TopupOption(msgspec.Struct, frozen=True):
    """Something that can be added. ``id`` is its ``topup_plan_id``, ``price`` what the storefront pays."""

    id: str
    offer: Stored
    price: Money


async def topup_options(
    deps: Deps, storefront_id: str, mode: Mode, esim: str, currency: str | None = None
) -> list[TopupOption] | Problem:
    """What can be added to an eSIM (``esim_…`` or ICCID) now, cheapest first.

    Problems: not_found, not_supported (501, with the capability), unavailable.
    """
    found = await esim_rows.find(deps.pool, deps.seal, storefront_id, mode, esim)
    if found is None:
        return _NO_ESIM
    account = _account_for(deps, found)
    if isinstance(account, Problem):
        return account
    lines = await _listed(deps, found, account)
    return lines if isinstance(lines, Problem) else await _options(deps, found, lines, currency)


async def admit_topup(
    deps: Deps,
    storefront_id: str,
    mode: Mode,
    esim: str,
    body: TopupForPlan | TopupForOption,
    idempotency_key: str,
    *,
    key_id: str | None = None,
) -> Admitted | Problem:
    """As ``admit.admit``, for a top-up.

    Also not_topupable (409): a cancel of the eSIM was asked for or is done, or it is revoked or expired.
    """
    target = await esim_rows.find(deps.pool, deps.seal, storefront_id, mode, esim)
    if target is None:
        return _NO_ESIM
    request = digest_of(f"POST /v1/esims/{target.id}/topups", body)
    async with one_at_a_time(storefront_id, mode, idempotency_key):
        if (known := await keyed(deps, storefront_id, mode, idempotency_key, request)) is not None:
            return known
        account = _account_for(deps, target)
        if isinstance(account, Problem):
            return account
        # Seen early, before the supplier is asked what can be added. ``place`` looks again, under the lock.
        if await esim_lock_rows.topup_refusal(deps.pool, target.id) is not None:
            return await keyed(deps, storefront_id, mode, idempotency_key, request) or NOT_TOPUPABLE
        new = await _new_order(deps, target, account, body, key_id)
        if isinstance(new, Problem):
            return await keyed(deps, storefront_id, mode, idempotency_key, request) or new
        return await place(deps, new, idempotency_key, request, deps.clock())


def topup_plan_id(supplier: str, supplier_plan_id: str) -> str:
    """The public id of something that can be added; it names no supplier."""
    return "top_" + hashlib.blake2b(f"{supplier}\n{supplier_plan_id}".encode(), digest_size=12).hexdigest()


_NO_ESIM = Problem("not_found", "there is no such eSIM")


def _account_for(deps: Deps, esim: Esim) -> Account | Problem:
    """The account that data is bought at, or why none can be."""
    account = account_of(deps.accounts, esim.supplier, esim.mode)
    if account is None:
        return Problem("unavailable", "the supplier of this eSIM is not configured at present")
    if Capability.TOPUP not in account.manifest.capabilities:
        return not_supported(Capability.TOPUP)
    return account


async def _options(
    deps: Deps, esim: Esim, lines: Sequence[PlanLine], currency: str | None
) -> list[TopupOption] | Problem:
    """What can be sold of these, cheapest first. A paused supplier's stay listed: an order says that selling stops."""
    prices = await engine.prices(deps, esim.storefront_id)
    wanted = currency or prices.rates.base
    offers = {topup_plan_id(line.supplier, line.key): line.plan for line in lines}
    options: dict[str, tuple[Decimal, TopupOption]] = {}
    for candidate in in_order(engine.judged(deps, lines, prices, Limits(), Capability.TOPUP)):
        if candidate.unfit is not None or set(candidate.why_not) - {WhyNot.SUPPLIER_PAUSED}:
            continue
        try:
            price = engine.price_in(candidate, prices.rates, wanted)
        except NoRate as error:
            return no_rate(error)
        name = topup_plan_id(candidate.supplier, candidate.supplier_plan_id)
        if price is not None and candidate.cost_base is not None:
            options.setdefault(name, (candidate.cost_base, TopupOption(name, offers[name], price)))
    return [option for _, option in sorted(options.values(), key=lambda pair: (pair[0], pair[1].id))]


async def _listed(deps: Deps, esim: Esim, account: Account) -> list[PlanLine] | Problem:
    """What the supplier lists for the eSIM; where it lists none, its offers of the same coverage."""
    try:
        if account.manifest.topup_same_coverage:
            stored = await candidate_rows.of_coverage(deps.pool, esim.supplier, esim.supplier_plan_id)
            if stored:
                status = await account.provider.esim_status(esim.iccid)
                return [] if status.can_topup is False else plan_lines(deps, stored)
        listed = await account.provider.topup_plans(esim.iccid, esim.supplier_plan_id)
    except NotSupported:
        return not_supported(Capability.TOPUP)
    except NotFound:
        return []
    except GatewayError:
        return Problem("unavailable", "the supplier cannot be asked at present")
    now = deps.clock()
    return await with_states(deps, plan_lines(deps, [listed_offer(esim.supplier, offer, now) for offer in listed]))


async def _new_order(
    deps: Deps, esim: Esim, account: Account, body: TopupForPlan | TopupForOption, key_id: str | None
) -> NewOrder | Problem:
    if (await selling_rows.selling_states(deps.pool, [account.name]))[account.name].paused:
        return STOPPED  # the supplier is not even asked
    lines = await _listed(deps, esim, account)
    if isinstance(lines, Problem):
        return lines
    source = TopupSource(tuple(line for line in lines if _is(line, body)))
    try:
        found = await engine.sale(deps, SaleRequest(esim.storefront_id, source, max_price=max_price_of(body)))
    except NoRate as error:
        return no_rate(error, "/max_price/currency")
    if isinstance(found, Problem):
        return found
    if not await attempt_rows.may_sell(deps.pool, account.name):
        return Problem("unavailable", "nothing can be bought at present: the database may lose what it commits")
    line = found.line
    cost = found.terms.chosen.candidate.cost
    bound = Bound(line.supplier, line.key, cost.amount, cost.currency)
    offered = Offered("topup", sold_plan(deps, found), found)
    return new_order(deps, esim.storefront_id, esim.mode, body, offered, esim.id, bound, key_id=key_id)


def _is(line: PlanLine, body: TopupForPlan | TopupForOption) -> bool:
    if isinstance(body, TopupForOption):
        return topup_plan_id(line.supplier, line.key) == body.topup_plan_id
    return line.plan.plan_id == body.plan_id
