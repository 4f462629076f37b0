"""Payment links of checkouts: what came of making one, looking for one that was never told, looking what became of it.

Each look is decided under the checkout's lock from its row as it is then, so that any number of processes may look at
once, and a payment that is told meanwhile is seen.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from gateway.checkouts import checkout_rows, payment_rows
from gateway.checkouts import checkout_rules as judging
from gateway.checkouts.cases import emit_event, review
from gateway.checkouts.checkout_rows import CheckoutRow
from gateway.checkouts.checkout_rules import LinkGone, LinkSeen, LinkUnseen, NotMade, Step
from gateway.kit.pool import Connection
from gateway.suppliers.call_log import record_calls
from gateway.suppliers.deps import Deps
from gateway.suppliers.payment_accounts import PaymentAccount
from schemas.errors import GatewayError, NotFound
from schemas.notice import NoticeType
from schemas.payment import PaymentLink

log = structlog.get_logger(__name__)

CLAIMED_FOR = timedelta(minutes=2)  # longer than a look may take; a process that ended in it is made up for then
MOST_LISTED = 5000
CLOCKS_APART = timedelta(minutes=10)


async def record_link(deps: Deps, checkout_id: str, answer: PaymentLink | NotMade | None) -> None:
    """Write down what came of making a link; None is not known. A link that nobody is given is closed."""
    async with deps.pool.acquire() as connection, connection.transaction():
        row = await checkout_rows.lock(connection, checkout_id)
        if row is None:
            return
        now = deps.clock()
        if isinstance(answer, PaymentLink):
            await _made(connection, row, answer, now)
        elif row.state == "creating":
            if answer is not None:
                await _failed(connection, row, answer, now)
            else:
                await checkout_rows.record_poll(
                    connection, row.id, judging.next_search(row.polls, now), None, settled=False
                )


async def poll(deps: Deps, checkout_id: str) -> None:
    """Look what became of a checkout's link, if it is time and nobody else is just doing so."""
    row = await checkout_rows.load(deps.pool, checkout_id)
    now = deps.clock()
    if row is None or row.next_poll_at is None or row.next_poll_at > now:
        return
    if not await checkout_rows.claim_poll(deps.pool, row, now + CLAIMED_FOR):
        return
    account = deps.payments.get(row.account)
    if row.link_id is None:
        await _search(deps, account, row)
    else:
        await _poll(deps, account, row, row.link_id)


# -- a link whose making was never answered ----------------------------------------------------------------------------


async def _search(deps: Deps, account: PaymentAccount | None, row: CheckoutRow) -> None:
    found: PaymentLink | None = None
    seen = account is not None
    if account is not None:
        try:
            with record_calls(deps, row.id):
                found = await _find(account, row)
        except GatewayError as error:
            seen = False
            log.info("payment_link_search_failed", checkout=row.id, error=type(error).__name__)
    if found is not None:
        await record_link(deps, row.id, found)
        return
    async with deps.pool.acquire() as connection, connection.transaction():
        now = deps.clock()
        locked = await checkout_rows.lock(connection, row.id)
        if locked is None or locked.link_id is not None:
            return
        if locked.state == "creating" and not judging.creation_timed_out(locked.now, now):
            await checkout_rows.record_poll(
                connection, row.id, judging.next_search(row.polls, now), None, settled=False
            )
        elif locked.state == "creating" and (seen or now >= locked.expires_at):
            await _failed(connection, locked, judging.NEVER_REPORTED, now)
        else:
            later = judging.after_search(locked.now, now, seen=seen)
            await checkout_rows.record_poll(connection, row.id, later, None, settled=later is None)


async def _find(account: PaymentAccount, row: CheckoutRow) -> PaymentLink | None:
    """The link that carries the checkout's id, among those that were made since."""
    count = 0
    async for link in account.provider.links():
        count += 1
        if link.checkout_id == row.id:
            return link
        if count >= MOST_LISTED or (link.created_at is not None and link.created_at < row.created_at - CLOCKS_APART):
            return None
    return None


async def _made(connection: Connection, row: CheckoutRow, link: PaymentLink, now: datetime) -> None:
    if row.link_id == link.id and row.payment_url is not None:
        return
    if row.link_id not in {None, link.id}:
        log.error("payment_link_duplicated", checkout=row.id)
        return
    wrong = None
    if link.price != row.money or link.test != (row.mode == "test") or link.remaining is None:
        wrong = NotMade("unavailable", "the payment supplier made another link than was asked for", f"link {link.id}")
    usable = row.state == "creating" and wrong is None
    # Paid before it was told, or given up or wrong: nobody is given it, and it is closed.
    await checkout_rows.move(
        connection,
        row.id,
        now=now,
        state="open" if usable else None,
        next_poll_at=judging.first_poll(now) if usable else now,
        link_id=link.id,
        payment_url=link.url,
    )
    await checkout_rows.add_event(connection, row.id, now, "link_made", link=link.id)
    await payment_rows.assign_link(connection, row.account, link.id, row.id)
    if row.state == "creating" and wrong is not None:
        await _failed(connection, row, wrong, now, poll_at=now)


async def _failed(
    connection: Connection, row: CheckoutRow, why: NotMade, now: datetime, poll_at: datetime | None = None
) -> None:
    # What was certainly never made needs no more looks; what was never told may still turn up.
    later = judging.after_search(row.now, now) if why is judging.NEVER_REPORTED else None
    await checkout_rows.move(
        connection,
        row.id,
        now=now,
        state="failed",
        next_poll_at=poll_at or later,
        failure_code=why.code,
        failure_detail=why.detail,
    )
    await checkout_rows.add_event(connection, row.id, now, "failed", error=why.error[:300])
    log.warning("checkout_failed", checkout=row.id, code=why.code)


# -- a link that is there ----------------------------------------------------------------------------------------------


async def _poll(deps: Deps, account: PaymentAccount | None, row: CheckoutRow, link_id: str) -> None:
    with record_calls(deps, row.id):
        seen = await _seen(account, link_id)
    async with deps.pool.acquire() as connection, connection.transaction():
        locked = await checkout_rows.lock(connection, row.id)
        if locked is None:
            return
        now = deps.clock()
        paid = await payment_rows.any_captured(connection, row.id)
        step = judging.after_poll(locked.now, seen, now, paid=paid)
        await _write(deps, connection, locked, step, now)
    if step.close_link and account is not None:
        await _close(deps, account, row.id, link_id, step)


async def _seen(account: PaymentAccount | None, link_id: str) -> LinkSeen:
    if account is None:
        return LinkUnseen("the account is not configured any more")
    try:
        return await account.provider.link(link_id)
    except NotFound:
        return LinkGone()
    except GatewayError as error:
        return LinkUnseen(str(error))


async def _write(deps: Deps, connection: Connection, row: CheckoutRow, step: Step, now: datetime) -> None:
    poll_at = judging.close_again(row.now, now) if step.close_link else step.next_poll_at
    if step.state is not None:
        await checkout_rows.move(
            connection,
            row.id,
            now=now,
            state=step.state,
            next_poll_at=poll_at,
            gone_since=step.gone_since,
            settled_link=step.settled,
        )
        await checkout_rows.add_event(connection, row.id, now, step.state)
    else:
        await checkout_rows.record_poll(connection, row.id, poll_at, step.gone_since, settled=step.settled)
    if step.review is not None:
        await review(deps, connection, row, step.review, now)
    elif step.state == "expired" and row.open_cases == 0:
        await emit_event(deps, connection, row, NoticeType.CHECKOUT_EXPIRED, "expired")


async def _close(deps: Deps, account: PaymentAccount, checkout_id: str, link_id: str, step: Step) -> None:
    """Let a link be paid no more; when that cannot be said now, a later look says it again."""
    try:
        with record_calls(deps, checkout_id):
            await account.provider.close_link(link_id)
    except NotFound:
        pass
    except GatewayError as error:
        log.info("payment_link_close_failed", checkout=checkout_id, error=type(error).__name__)
        return
    async with deps.pool.acquire() as connection, connection.transaction():
        await checkout_rows.lock(connection, checkout_id)
        await checkout_rows.record_poll(
            connection, checkout_id, step.next_poll_at, step.gone_since, settled=step.settled
        )
