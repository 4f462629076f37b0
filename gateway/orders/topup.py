"""More data on an eSIM: what can be added, and the order for it. Bound to the eSIM's supplier, never failed over."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import msgspec

from gateway.access.key_rows import Mode
from gateway.inventory import esim_lock_rows, esim_rows
from gateway.inventory.esim_rows import Esim
from gateway.kit.problem import Problem, not_supported
from gateway.orders import attempt_rows
from gateway.orders.admit import NOT_TOPUPABLE, Admitted, digest_of, keyed, new_id, one_at_a_time, place, sealed_email
from gateway.orders.order_rows import Bound, NewOrder
from gateway.pricing.price_rules import NoRate, margin_of, most_an_order_may_cost, price
from gateway.pricing.pricing import subject_of
from gateway.selling import candidate_rows, offers
from gateway.selling.choosing_rules import in_order
from gateway.selling.selling import STOPPED, plan_name
from gateway.selling.sold_rules import plan_sold
from gateway.suppliers import fund_rows, selling_rows
from gateway.suppliers.accounts import Account, account_of
from gateway.suppliers.deps import Deps
from gateway.suppliers.spendable_rules import available_funds, insufficient
from providers.contract import Capability
from schemas.errors import GatewayError, NotFound, NotSupported
from schemas.money import Money
from schemas.orders import TopupForOption, TopupForPlan
from schemas.plan import Offer, Starts, Validity


class TopupOption(msgspec.Struct, frozen=True):
    """Something that can be added.

    ``id`` is its ``topup_plan_id``, ``price`` what the storefront pays, ``max_cost`` what that leaves to buy it with,
    in base currency.
    """

    id: str
    offer: Offer
    price: Money
    max_cost: Money


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
    return await _options(deps, found, account, currency)


async def admit_topup(
    deps: Deps, storefront_id: str, mode: Mode, esim: str, body: TopupForPlan | TopupForOption, idempotency_key: str
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
        new = await _new_order(deps, target, account, body)
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


async def _options(deps: Deps, esim: Esim, account: Account, currency: str | None) -> list[TopupOption] | Problem:
    try:
        told = await _told(deps, esim, account)
    except NotSupported:
        return not_supported(Capability.TOPUP)
    except NotFound:
        return []
    except GatewayError:
        return Problem("unavailable", "the supplier cannot be asked at present")
    prices = await offers.prices(deps, esim.storefront_id)
    rates = prices.rates
    options: dict[str, tuple[Decimal, TopupOption]] = {}
    barred = await selling_rows.barred(deps.pool, esim.supplier)
    known = (await fund_rows.load(deps.pool, [esim.supplier])).get(esim.supplier)
    left = None if known is None else available_funds(known, rates, _tolerance(account))
    for offer in told:
        gone = not offer.visible or (offer.stock is not None and offer.stock <= 0)
        if offer.cost is None or gone or offer.supplier_plan_id in barred:
            continue
        try:
            base = rates.to_base(offer.cost)
            rule = prices.rules.of(
                subject_of(esim.supplier, offer.plan_id, offer.coverage, offer.data, offer.validity.days)
            )
            sold = price(base, rule, rates, currency or rates.base)
            most = most_an_order_may_cost(sold, rates, margin_of(rule, rates))
        except NoRate as error:
            if error.currency == currency:
                what = f"there is no exchange rate for {currency}"
                return Problem("invalid", f"currency: {what}", (("/currency", what),))
            continue
        if not _covered(account, base.amount, most) or insufficient(left, base.amount, _tolerance(account)):
            continue
        option = TopupOption(topup_plan_id(esim.supplier, offer.supplier_plan_id), offer, sold, most)
        options.setdefault(option.id, (base.amount, option))
    return [option for _, option in sorted(options.values(), key=lambda pair: (pair[0], pair[1].id))]


async def _told(deps: Deps, esim: Esim, account: Account) -> list[Offer]:
    """What the supplier lists for the eSIM; where it lists none, its offers of the same coverage."""
    if not account.manifest.topup_same_coverage:
        return await account.provider.topup_plans(esim.iccid, esim.supplier_plan_id)
    stored = await candidate_rows.of_coverage(deps.pool, esim.supplier, esim.supplier_plan_id)
    if not stored:
        return await account.provider.topup_plans(esim.iccid, esim.supplier_plan_id)
    status = await account.provider.esim_status(esim.iccid)
    if status.can_topup is False:
        return []
    prices, limits = await offers.prices(deps, esim.storefront_id), offers.Limits()
    sellable = {
        (one.supplier, one.supplier_plan_id)
        for one in in_order(offers.judged(deps, stored, prices, limits))
        if not one.why_not and one.unfit is None
    }
    return [
        Offer(
            supplier_plan_id=one.supplier_plan_id,
            name=one.name,
            coverage=one.coverage,
            data=one.data,
            validity=Validity(one.days, Starts(one.starts)),
            cost=one.cost,
            networks=one.networks,
            features=one.features,
            stock=one.stock,
        )
        for one in stored
        if (one.supplier, one.supplier_plan_id) in sellable
    ]


def _covered(account: Account, base: Decimal, most: Money) -> bool:
    """Whether the price covers what it may come to cost."""
    return base * (1 + _tolerance(account)) <= most.amount


def _tolerance(account: Account) -> Decimal:
    own = account.settings.charge_tolerance
    return own if own is not None else account.manifest.charge_tolerance


async def _new_order(
    deps: Deps, esim: Esim, account: Account, body: TopupForPlan | TopupForOption
) -> NewOrder | Problem:
    if (await selling_rows.standing(deps.pool, [account.name]))[account.name].paused:
        return STOPPED
    if not await attempt_rows.may_sell(deps.pool, account.name):
        return Problem("unavailable", "nothing can be bought at present: the database may lose what it commits")
    limit = None if isinstance(body.max_price, msgspec.UnsetType) else body.max_price
    options = await _options(deps, esim, account, None if limit is None else limit.currency)
    if isinstance(options, Problem):
        return options
    chosen = next((one for one in options if _is(one, body)), None)
    if chosen is None or chosen.offer.cost is None:
        return Problem("no_plan", "that cannot be added to this eSIM")
    if limit is not None and Decimal(limit.amount) < chosen.price.amount:
        return Problem(
            "price_changed", f"the price is {chosen.price}, more than max_price", (("/max_price", "below the price"),)
        )
    return await _written(deps, esim, body, chosen, chosen.offer.cost)


def _is(option: TopupOption, body: TopupForPlan | TopupForOption) -> bool:
    if isinstance(body, TopupForOption):
        return option.id == body.topup_plan_id
    return option.offer.plan_id == body.plan_id


async def _written(
    deps: Deps, esim: Esim, body: TopupForPlan | TopupForOption, chosen: TopupOption, cost: Money
) -> NewOrder:
    rates = await offers.rates(deps)
    offer = chosen.offer
    email, digest = sealed_email(deps, body)
    plan = plan_sold(
        plan_id=offer.plan_id,
        name=plan_name(offer.coverage, offer.data, offer.validity.days),
        coverage=offer.coverage,
        data=offer.data,
        days=offer.validity.days,
        starts=offer.validity.starts.value,
        networks=offer.networks,
        features=offer.features,
        price=chosen.price,
        offer_count=1,
        stale=False,
        updated_at=deps.clock(),
    )
    return NewOrder(
        id=new_id(),
        storefront_id=esim.storefront_id,
        mode=esim.mode,
        kind="topup",
        reference=None if isinstance(body.reference, msgspec.UnsetType) else body.reference,
        plan_id=offer.plan_id,
        plan=plan,
        price=chosen.price,
        price_base=rates.to_base(chosen.price).amount,
        max_cost=chosen.max_cost,
        wanted={},
        only_suppliers=[],
        ignore_suppliers=[],
        metadata={} if isinstance(body.metadata, msgspec.UnsetType) else body.metadata,
        email=email,
        email_digest=digest,
        target_esim_id=esim.id,
        bound=Bound(esim.supplier, offer.supplier_plan_id, cost.amount, cost.currency),
    )
