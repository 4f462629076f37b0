"""The suppliers' books, read by a schedule into a table, and shown beside ours.

A walk goes from now back to what was read before. It keeps what comes as it comes, every line once; how far the books
are whole is noted only after a whole walk, so one that was broken off is gone over again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

import msgspec
import structlog

from gateway.kit.pages import PageRequest
from gateway.ledger import alike_rows, deposit_rows, supplier_statement_rows
from gateway.ledger.alike_rows import Agreeing, AgreeingSum
from gateway.ledger.ledger_view_rules import DIFFERENT, Apart, Line, StatementsRead, as_movement, lines
from gateway.ledger.reconcile import back_to, our_entries
from gateway.ledger.reconcile_rules import Day, Movement, beside
from gateway.ledger.statement_booking import book_statements
from gateway.ledger.supplier_statement_rows import Entry, StoredStatementLine
from gateway.suppliers import balances
from gateway.suppliers.accounts import Account
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from providers.kit.supplier_rate import Priority, no_sooner_than
from providers.kit.text import clean_text
from schemas.account import Transaction, TransactionKind
from schemas.errors import GatewayError
from schemas.money import Money
from schemas.order import SupplierOrder

log = structlog.get_logger(__name__)

READ_EVERY = timedelta(minutes=10)
READ_WHEN_WATCHED = timedelta(seconds=45)
FIRST_BACK = timedelta(days=30)
# What is booked late, or by a clock that is behind, stands before what was read last.
GONE_OVER_AGAIN = timedelta(hours=2)
# How far back each whole read compares statements with the ledger for the alert, and how long either side may take to
# show the other's line: S2S's history was seen to lag by up to a minute.
COMPARED_BACK = timedelta(days=7)
STATEMENTS_SETTLE = timedelta(minutes=15)
# Without a further lot for so long a walk is broken off. A busy month under a supplier's rate takes longer as a whole.
STUCK_SECONDS = 300.0
_KEPT_AT_ONCE = 100
_LONGEST, _LONGEST_WORD = 300, 20
_BOOKS = {Capability.TRANSACTIONS, Capability.ORDER_HISTORY}


def readers(deps: Deps, names: Sequence[str] | None = None) -> list[str]:
    """The accounts whose supplier shows what moved our balance, of these or of all."""
    return [
        name
        for name, account in sorted(deps.accounts.items())
        if account.manifest.capabilities & _BOOKS and (names is None or name in names)
    ]


async def read_if_due(deps: Deps) -> list[str]:
    """Read the books that nobody read for ``READ_EVERY``, sooner where a deposit is waited for; whose they were."""
    now = deps.clock()
    due = await supplier_statement_rows.claim(deps.pool, readers(deps), now, READ_EVERY, READ_WHEN_WATCHED)
    # A month of books must not keep a sync from its turn.
    with no_sooner_than(Priority.SYNC):
        await asyncio.gather(*(read(deps, name) for name in due))
    return due


async def read(deps: Deps, name: str) -> int:
    """Read one supplier's books up to now; how many lines were new. What it cannot tell is noted."""
    account, began = deps.accounts[name], deps.clock()
    before = (await supplier_statement_rows.walks(deps.pool, [name])).get(name)
    whole_to = before.whole_to if before is not None else None
    since = began - FIRST_BACK if whole_to is None else whole_to - GONE_OVER_AGAIN
    new = 0
    try:
        async with asyncio.timeout(STUCK_SECONDS) as limit:
            async for lot in _lots(account, since):
                new += len(await supplier_statement_rows.keep(deps.pool, name, lot, deps.clock()))
                _goes_on(limit)
            await _name_orders(deps, account, since, limit)
    except (GatewayError, TimeoutError) as error:
        message = str(error) or "no end in time"
        log.info("supplier_statement_read_failed", supplier=name, error=message)
        await supplier_statement_rows.broken(deps.pool, name, began, message)
    except Exception as error:
        # Of one supplier, whose plugin or word has a fault: the others' books are read all the same.
        log.exception("supplier_statement_read_failed", supplier=name)
        await supplier_statement_rows.broken(deps.pool, name, began, f"a fault of ours: {type(error).__name__}")
    else:
        await supplier_statement_rows.whole(deps.pool, name, began, since)
        await _compare(deps, name)
    if await deposit_rows.arrive(deps.pool, name, deps.clock()):
        await balances.poll_now(deps.pool, deps.accounts, [name], deps.clock())
    return new


async def _compare(deps: Deps, name: str) -> None:
    """Book what the ledger lacks of known attempts, and note what still differs. A fault is logged: the read counts."""
    try:
        await book_statements(deps, name)
        now = deps.clock()
        day = Day(now - COMPARED_BACK, now - STATEMENTS_SETTLE)
        found = await differing(deps, name, day)
        first = f"{found[0].movement}: {found[0].why}" if found else None
        await supplier_statement_rows.note_differences(deps.pool, name, len(found), first)
        if found:
            log.warning("statement_differs", supplier=name, lines=len(found))
    except Exception:
        log.exception("supplier_statement_compare_failed", supplier=name)


async def refresh(deps: Deps, names: Sequence[str] | None = None) -> None:
    """Ask for balances and read the books at once, of these accounts or of all."""
    known = sorted(deps.accounts) if names is None else [name for name in names if name in deps.accounts]
    await balances.poll_now(deps.pool, deps.accounts, known, deps.clock())
    await asyncio.gather(*(read(deps, name) for name in readers(deps, known)))


class SideBySide(msgspec.Struct, frozen=True):
    """Statement and ledger of some days: a page of the charges that agree, all of them summed up, every other line."""

    agreeing: list[Line]
    sums: list[AgreeingSum]
    others: list[Line]


async def ledger(deps: Deps, name: str, day: Day, page_request: PageRequest | None = None) -> SideBySide:
    """The supplier's books and ours for these days, the newest first, as far as they were read.

    The charges that agree stay in the database, but for those of the page.
    """
    stated = Day(await back_to(deps, name, day), deps.clock() + timedelta(days=1))
    found = await alike_rows.compared(deps.pool, name, stated, day, page_request)
    kept = await supplier_statement_rows.by_id(deps.pool, found.lines)
    compared = [_compared(line) for line in kept]
    movements = [line for line in compared if isinstance(line, Movement)]
    never = Day(day.start, day.start)
    ours = await our_entries(deps, name, movements, never, never, found.attempts)
    apart = [line for line in compared if isinstance(line, Apart)]
    walk = (await supplier_statement_rows.walks(deps.pool, [name])).get(name)
    read_so_far = StatementsRead() if walk is None else StatementsRead(walk.whole_from, walk.whole_to)
    # Days in which much differs are many lines, and the others' turn must not wait for them.
    others = await asyncio.to_thread(
        lambda: lines(name, day, beside(movements, ours.booked, ours.known), apart, ours.explained, read_so_far)
    )
    return SideBySide([_agreeing(charge) for charge in found.agreeing], found.sums, others)


async def differing(deps: Deps, name: str, day: Day) -> list[Line]:
    """The lines of ``ledger`` in which the books differ."""
    return [line for line in (await ledger(deps, name, day)).others if line.verdict in DIFFERENT]


async def _lots(account: Account, since: datetime) -> AsyncIterator[list[Entry]]:
    """The supplier's lines in lots, newest first where it lists them so."""
    lot: list[Entry] = []
    alike: Counter[bytes] = Counter()  # by what a line says, and by what it says without the balance after it
    async for line, reference in _lines(account, since):
        lot.append(_entry(line, reference, alike))
        if len(lot) == _KEPT_AT_ONCE:
            yield lot
            lot = []
    yield lot


async def _lines(account: Account, since: datetime) -> AsyncIterator[tuple[Transaction, str | None]]:
    """What moved our balance, each with our reference where the supplier tells it at once."""
    provider, able = account.provider, account.manifest.capabilities
    if Capability.TRANSACTIONS in able:
        async for line in provider.transactions(since):
            if line.amount.amount:
                yield line, None
        return
    # No list of movements: what its orders took is what is known of them.
    async for order in provider.order_history(since):
        if (taken := _taken(order, "order")) is not None:
            yield taken, order.reference
    if Capability.NUMBERS in able:
        async for order in provider.number_orders(since):
            if (taken := _taken(order, "number")) is not None:
                yield taken, order.reference


def _taken(order: SupplierOrder, what: str) -> Transaction | None:
    if order.charged is None or not order.charged.amount or order.created_at is None:
        return None
    return Transaction(
        TransactionKind.CHARGE,
        Money(-order.charged.amount, order.charged.currency),
        order.created_at,
        order.supplier_order_id,
        None if order.supplier_order_id is None else f"{what} {order.supplier_order_id}",
    )


def _entry(line: Transaction, reference: str | None, alike: Counter[bytes]) -> Entry:
    """A line with a name that it has whenever it is read: the supplier's, or what it says and how many say the same."""
    former = None
    if line.supplier_transaction_id is not None:
        key = f"id:{line.supplier_transaction_id}"
        if _clean(key) != key:  # two that look alike then are two all the same
            key = f"id:{blake2b(key.encode(), digest_size=16).hexdigest()}"
    else:
        parts = (line.kind.value, _amount(line.amount), line.at.isoformat(), line.supplier_order_id or "")
        key = _line_key(parts, alike)
        if line.balance_after is not None:
            former, key = key, _line_key((*parts, _amount(line.balance_after)), alike)
    return Entry(
        key=key,
        former_key=former,
        kind=line.kind.value,
        amount=line.amount.amount,
        currency=_clean(line.amount.currency, _LONGEST_WORD),
        at=line.at,
        supplier_order_id=line.supplier_order_id and _clean(line.supplier_order_id),
        transaction_id=line.supplier_transaction_id and _clean(line.supplier_transaction_id),
        reference=reference and _clean(reference),
    )


def _line_key(parts: tuple[str, ...], alike: Counter[bytes]) -> str:
    digest = blake2b("\n".join(parts).encode(), digest_size=16).digest()
    alike[digest] += 1
    return f"line:{digest.hex()}:{alike[digest]}"


def _amount(money: Money) -> str:
    return f"{money.amount.normalize():f} {money.currency}"


def _clean(text: str, length: int = _LONGEST) -> str:
    """A supplier's word as it is, unless no column, page or terminal should get it so."""
    return text if text.isprintable() and len(text) <= length else clean_text(text, length)


def _goes_on(limit: asyncio.Timeout) -> None:
    limit.reschedule(asyncio.get_running_loop().time() + STUCK_SECONDS)


async def _name_orders(deps: Deps, account: Account, since: datetime, limit: asyncio.Timeout) -> None:
    """Learn our references of orders that no attempt is known to have made: its answer may have been lost."""
    if Capability.ORDER_HISTORY not in account.manifest.capabilities:
        return
    missing = set(await supplier_statement_rows.without_owner(deps.pool, account.name, since))
    if not missing:
        return
    named: dict[str, str] = {}
    async for order in account.provider.order_history(since):
        _goes_on(limit)
        if order.supplier_order_id in missing and order.reference is not None:
            named[order.supplier_order_id] = order.reference
    await supplier_statement_rows.name_orders(deps.pool, account.name, named)


def _compared(line: StoredStatementLine) -> Movement | Apart:
    amount = Money(line.amount, line.currency)
    kind = TransactionKind(line.kind)
    return as_movement(kind, amount, line.at, line.supplier_order_id, line.reference, line.transaction_id)


def _agreeing(charge: Agreeing) -> Line:
    amount = Money(charge.amount.normalize(), charge.currency)
    return Line(
        at=charge.at,
        kind="charge",
        verdict="same",
        movement=charge.movement,
        theirs=amount,
        ours=amount,
        supplier_order_id=charge.supplier_order_id,
        attempt=charge.attempt,
        order_id=charge.order_id,
    )
