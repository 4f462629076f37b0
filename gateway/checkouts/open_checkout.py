"""Opening a checkout: the price held and written down first, then one call that makes its payment link.

The call's answer may be lost. The link is then looked for by our id that it carries, and never made again, so that
one link is ever given.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, timedelta
from typing import TypeVar

import asyncpg
import structlog
from msgspec import UnsetType

from gateway.access.key_rows import Mode
from gateway.checkouts import checkout_rows
from gateway.checkouts.checkout_rows import CheckoutRow, NewCheckout
from gateway.checkouts.checkout_rules import NotMade, not_made
from gateway.checkouts.links import record_link
from gateway.kit.database_retry import IN_THE_WAY, retry_while_database_down
from gateway.kit.problem import Problem
from gateway.orders import order_state_rows
from gateway.orders.admit import Admitted, customer_language, digest_of, keyed, offered_for, one_at_a_time, sealed_email
from gateway.suppliers import spend_rows
from gateway.suppliers.call_log import record_calls
from gateway.suppliers.deps import Deps
from gateway.suppliers.payment_accounts import PaymentAccount
from schemas.checkouts import CheckoutForPlan, CheckoutForQuote
from schemas.errors import GatewayError
from schemas.order_requests import OrderForPlan, OrderForQuote
from schemas.payment import PaymentLink, PaymentLinkRequest

T = TypeVar("T")
log = structlog.get_logger(__name__)

ANSWER_KEPT_SECONDS = 3600.0
_SENT_WITHIN = timedelta(seconds=45)  # the call's own time; whoever looks for its link begins after it
_ROUTE = "POST /v1/checkouts"


async def open_checkout(
    deps: Deps, storefront_id: str, mode: Mode, body: CheckoutForPlan | CheckoutForQuote, idempotency_key: str
) -> Admitted | Problem:
    """A checkout with its link, as far as that was told, or why there is none; ``order_id`` is the checkout's id.

    A problem does not use the key up. Under the same key the same checkout is answered, for ever.
    """
    request = digest_of(_ROUTE, body)
    async with one_at_a_time(storefront_id, mode, idempotency_key):
        if (known := await keyed(deps, storefront_id, mode, idempotency_key, request)) is not None:
            return known
        new = _fault_of_return_url(mode, body) or await _new_checkout(deps, storefront_id, mode, body)
        if isinstance(new, Problem):
            return await keyed(deps, storefront_id, mode, idempotency_key, request) or new
        account = deps.payments[new.account]
        row = await _write(deps, new, idempotency_key, request)
        if isinstance(row, Problem | Admitted):
            return row
        await _make_link(deps, account, row)
        return Admitted(row.id)


def account_for(deps: Deps, mode: Mode) -> PaymentAccount | None:
    """The account at which checkouts of a mode are paid: the first by name."""
    return next((payment for _, payment in sorted(deps.payments.items()) if payment.settings.mode == mode), None)


def link_request(row: CheckoutRow) -> PaymentLinkRequest:
    """What the payment supplier is asked for."""
    name = str(row.plan.get("name", "eSIM"))[:100]
    return PaymentLinkRequest(
        checkout_id=row.id,
        name=name,
        description=f"eSIM: {name}",
        price=row.money,
        expires_at=row.expires_at,
        language=row.language,
        return_url=row.return_url,
    )


def _fault_of_return_url(mode: Mode, body: CheckoutForPlan | CheckoutForQuote) -> Problem | None:
    url = _given(body.return_url)
    if mode == "test" or url is None or url.startswith("https:"):
        return None
    detail = "must be https in live mode"
    return Problem("invalid", f"return_url: {detail}", (("/return_url", detail),))


async def _new_checkout(
    deps: Deps, storefront_id: str, mode: Mode, body: CheckoutForPlan | CheckoutForQuote
) -> NewCheckout | Problem:
    like: OrderForPlan | OrderForQuote
    if isinstance(body, CheckoutForPlan):
        like = OrderForPlan(plan_id=body.plan_id, features=body.features, customer=body.customer)
    else:
        like = OrderForQuote(quote_id=body.quote_id, customer=body.customer)
    offered = await offered_for(deps, storefront_id, mode, like)
    if isinstance(offered, Problem):
        return offered
    account = account_for(deps, mode)
    if account is None:
        return Problem("not_supported", "payments: no account at a payment supplier is configured for this mode")
    if offered.price.amount <= 0:
        return Problem("no_stock", "it costs nothing, so there is nothing to pay")
    reference = _given(body.reference)
    if reference is not None and (
        await order_state_rows.reference_used(deps.pool, storefront_id, mode, reference)
        or await checkout_rows.reference_used(deps.pool, storefront_id, mode, reference)
    ):
        return _DUPLICATE
    now = deps.clock()
    limit = await spend_rows.limit_of(deps.pool, storefront_id)
    if limit is not None:
        spent = await spend_rows.spent(deps.pool, "storefront", storefront_id, now)
        if spent + offered.sale.price_base > limit:
            return Problem("spend_limit", "the daily spend limit is reached")
    email, digest = sealed_email(deps, like)
    return NewCheckout(
        id=f"co_{secrets.token_hex(12)}",
        storefront_id=storefront_id,
        mode=mode,
        reference=reference,
        plan_id=offered.item.id,
        plan=offered.item,
        price=offered.price,
        price_base=offered.sale.price_base,
        max_cost=offered.sale.terms.max_cost,
        wanted=offered.limits.wanted,
        email=email,
        email_digest=digest,
        customer_language=customer_language(like),
        metadata=_given(body.metadata) or {},
        language=body.language,
        return_url=_given(body.return_url),
        account=account.name,
        # To the whole second, as payment suppliers write it: ours ends no sooner than theirs.
        expires_at=now.replace(microsecond=0) + timedelta(seconds=deps.settings.checkouts.hold_seconds),
    )


async def _write(deps: Deps, new: NewCheckout, key: str, request: bytes) -> CheckoutRow | Admitted | Problem:
    now = deps.clock()
    try:
        async with deps.pool.acquire() as connection, connection.transaction():
            await checkout_rows.add(connection, new, key, request, now, now + _SENT_WITHIN)
    except asyncpg.UniqueViolationError:
        return await keyed(deps, new.storefront_id, new.mode, key, request) or _DUPLICATE
    row = await checkout_rows.load(deps.pool, new.id)
    if row is None:
        raise LookupError(new.id)
    return row


async def _make_link(deps: Deps, account: PaymentAccount, row: CheckoutRow) -> None:
    """Make the link, once, and record the answer; neither a disconnect nor a shutdown cancels it.

    Only for the run that wrote the row.
    """
    task = asyncio.create_task(_send(deps, account, row), name=f"link {row.id}")
    deps.running.add(task)
    task.add_done_callback(deps.running.discard)
    await asyncio.shield(task)


async def _send(deps: Deps, account: PaymentAccount, row: CheckoutRow) -> None:
    answer: PaymentLink | NotMade | None
    try:
        with record_calls(deps, row.id):
            async with asyncio.timeout(_left(deps, row)):
                answer = await account.provider.create_link(link_request(row))
    except (GatewayError, TimeoutError) as error:
        answer = not_made(error) if isinstance(error, GatewayError) else None
        log.info("payment_link_not_created", checkout=row.id, error=type(error).__name__, certain=answer is not None)
    except Exception:
        log.exception("payment_link_failed", checkout=row.id)
        answer = None
    await retry_while_database_down(record_link, seconds=ANSWER_KEPT_SECONDS, on=IN_THE_WAY)(deps, row.id, answer)


def _left(deps: Deps, row: CheckoutRow) -> float:
    sent_by: datetime = row.created_at + _SENT_WITHIN
    return max(0.0, (sent_by - deps.clock()).total_seconds() - 1)


def _given(value: T | UnsetType) -> T | None:
    return None if isinstance(value, UnsetType) else value


_DUPLICATE = Problem(
    "duplicate_reference",
    "an order or a checkout has this reference already",
    (("/reference", "an order or a checkout has this reference already"),),
)
