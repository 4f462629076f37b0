"""Payments, the notifications that told them, and the cases that an operator decides."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

import msgspec

from gateway.access.key_rows import Mode
from gateway.checkouts.checkout_rules import PaymentNow, Reason
from gateway.kit.pool import Connection, Pool
from schemas.checkouts import CaseOutcome, PaymentKindWord, PaymentStateWord
from schemas.money import Money
from schemas.payment import PaymentKind, PaymentNotice, PaymentState


class PaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as the flows need it; ``id`` is ours, ``payment_id`` its supplier's."""

    id: str
    account: str
    payment_id: str
    checkout_id: str | None
    link_id: str | None
    kind: PaymentKindWord
    state: PaymentStateWord
    amount: Decimal
    currency: str
    test: bool
    paid_at: datetime
    received_at: datetime
    settled_at: datetime | None
    accepted: bool

    @property
    def now(self) -> PaymentNow:
        """What the decisions need of it."""
        return PaymentNow(
            id=self.id,
            kind=PaymentKind(self.kind),
            state=PaymentState(self.state),
            paid=Money(self.amount, self.currency),
            test=self.test,
            at=self.paid_at,
            link_id=self.link_id,
        )


class CaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A case."""

    id: str
    checkout_id: str | None
    payment_id: str | None
    reason: Reason
    detail: str
    mode: Mode
    opened_at: datetime
    closed_at: datetime | None
    outcome: CaseOutcome | None
    note: str | None


_PAYMENT = """SELECT id, account, payment_id, checkout_id, link_id, kind, state, amount, currency, test, paid_at,
    received_at, settled_at, accepted FROM payments"""
_CASE = """SELECT id, checkout_id, payment_id, reason, detail, mode, opened_at, closed_at, outcome, note
    FROM payment_cases"""


async def keep_notice(
    connection: Connection, account: str, body: bytes, sealed: bytes, payment_id: str, now: datetime
) -> bool:
    """Keep what was sent, once; False when the very same is there already."""
    return bool(
        await connection.fetchval(
            """INSERT INTO payment_notices (id, account, digest, body, payment_id, received_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account, digest) DO NOTHING RETURNING true""",
            f"pn_{secrets.token_hex(12)}",
            account,
            sha256(body).digest(),
            sealed,
            payment_id,
            now,
        )
    )


async def record_notice(
    connection: Connection, account: str, notice: PaymentNotice, checkout_id: str | None, now: datetime
) -> str:
    """Write down what a notification says of its payment; our id of it. What was captured stays as it was.

    A payment that is told differently from before, or says only now what it is for, is to be judged again.
    """
    kept: str = await connection.fetchval(
        """INSERT INTO payments AS p (id, account, payment_id, checkout_id, link_id, kind, state, amount, currency,
               test, paid_at, received_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce($11::timestamptz, $12), $12)
           ON CONFLICT (account, payment_id) DO UPDATE SET
               state = CASE WHEN p.state = 'captured' THEN p.state ELSE excluded.state END,
               kind = CASE WHEN p.state = 'captured' THEN p.kind ELSE excluded.kind END,
               amount = CASE WHEN p.state = 'captured' THEN p.amount ELSE excluded.amount END,
               currency = CASE WHEN p.state = 'captured' THEN p.currency ELSE excluded.currency END,
               test = CASE WHEN p.state = 'captured' THEN p.test ELSE excluded.test END,
               paid_at = CASE WHEN p.state = 'captured' THEN p.paid_at ELSE excluded.paid_at END,
               checkout_id = coalesce(p.checkout_id, excluded.checkout_id),
               link_id = coalesce(p.link_id, excluded.link_id),
               settled_at = CASE WHEN p.checkout_id IS NULL AND excluded.checkout_id IS NOT NULL THEN NULL
                                 WHEN p.state = excluded.state OR p.state = 'captured' THEN p.settled_at END
           RETURNING id""",
        f"pay_{secrets.token_hex(12)}",
        account,
        notice.payment_id,
        checkout_id,
        notice.link_id,
        notice.kind.value,
        notice.state.value,
        notice.paid.amount,
        notice.paid.currency,
        notice.test,
        notice.paid_at,
        now,
    )
    return kept


async def assign_link(connection: Connection, account: str, link_id: str, checkout_id: str) -> None:
    """Have payments judged again that were told by their link alone, before anybody knew whose it is."""
    await connection.execute(
        """UPDATE payments SET checkout_id = $3, settled_at = NULL
           WHERE account = $1 AND link_id = $2 AND checkout_id IS NULL""",
        account,
        link_id,
        checkout_id,
    )


async def named(connection: Connection | Pool, account: str, payment_id: str) -> PaymentRow | None:
    """One payment, by its supplier's id."""
    row = await connection.fetchrow(_PAYMENT + " WHERE account = $1 AND payment_id = $2", account, payment_id)
    return None if row is None else PaymentRow(**dict(row))


async def payment(connection: Connection | Pool, payment_id: str) -> PaymentRow | None:
    """One payment, by our id."""
    row = await connection.fetchrow(_PAYMENT + " WHERE id = $1", payment_id)
    return None if row is None else PaymentRow(**dict(row))


async def lock(connection: Connection, payment_id: str) -> PaymentRow | None:
    """One payment, held until the end of the caller's transaction."""
    row = await connection.fetchrow(_PAYMENT + " WHERE id = $1 FOR UPDATE", payment_id)
    return None if row is None else PaymentRow(**dict(row))


async def of_checkouts(connection: Connection | Pool, checkout_ids: Sequence[str]) -> list[PaymentRow]:
    """The payments for these checkouts, the first first."""
    rows = await connection.fetch(
        _PAYMENT + " WHERE checkout_id = ANY($1) ORDER BY received_at, id", list(checkout_ids)
    )
    return [PaymentRow(**dict(row)) for row in rows]


async def by_ids(connection: Connection | Pool, ids: Sequence[str]) -> dict[str, PaymentRow]:
    """These payments, by our ids."""
    rows = await connection.fetch(_PAYMENT + " WHERE id = ANY($1)", list(ids))
    return {row["id"]: PaymentRow(**dict(row)) for row in rows}


async def any_captured(connection: Connection | Pool, checkout_id: str) -> bool:
    """Whether money for a checkout was told, accepted or not."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM payments WHERE checkout_id = $1 AND state = 'captured'"
            " AND kind IN ('payment', 'authorisation'))",
            checkout_id,
        )
    )


async def settle(connection: Connection, payment_id: str, now: datetime, *, accepted: bool) -> None:
    """Note that a payment was judged as it stands."""
    await connection.execute(
        "UPDATE payments SET settled_at = $2, accepted = accepted OR $3 WHERE id = $1", payment_id, now, accepted
    )


async def unsettled(pool: Pool, before: datetime, most: int) -> list[str]:
    """Payments that were written down and never judged, the oldest first: a process ended in between."""
    rows = await pool.fetch(
        "SELECT id FROM payments WHERE settled_at IS NULL AND received_at <= $1 ORDER BY received_at LIMIT $2",
        before,
        most,
    )
    return [row["id"] for row in rows]


# -- cases ------------------------------------------------------------------------------------------------------------


async def open_case(
    connection: Connection,
    *,
    checkout_id: str | None,
    payment_id: str | None,
    reason: Reason,
    detail: str,
    mode: Mode,
    now: datetime,
) -> str | None:
    """Open a case, under the checkout's lock; None when the like of it is open already."""
    case_id: str | None = await connection.fetchval(
        """INSERT INTO payment_cases (id, checkout_id, payment_id, reason, detail, mode, opened_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id""",
        f"pc_{secrets.token_hex(12)}",
        checkout_id,
        payment_id,
        reason,
        detail,
        mode,
        now,
    )
    if case_id is not None and checkout_id is not None:
        await _count(connection, checkout_id, now)
    return case_id


async def close_cases(
    connection: Connection, cases: Sequence[CaseRow], outcome: str, note: str | None, now: datetime
) -> None:
    """Close open cases, under their checkouts' locks."""
    await connection.execute(
        "UPDATE payment_cases SET closed_at = $2, outcome = $3, note = $4 WHERE id = ANY($1) AND closed_at IS NULL",
        [case.id for case in cases],
        now,
        outcome,
        note,
    )
    for checkout_id in {case.checkout_id for case in cases if case.checkout_id is not None}:
        await _count(connection, checkout_id, now)


async def _count(connection: Connection, checkout_id: str, now: datetime) -> None:
    await connection.execute(
        """UPDATE checkouts SET updated_at = $2, step = step + 1, open_cases =
               (SELECT count(*) FROM payment_cases WHERE checkout_id = $1 AND closed_at IS NULL) WHERE id = $1""",
        checkout_id,
        now,
    )


async def case(connection: Connection | Pool, case_id: str) -> CaseRow | None:
    """One case."""
    row = await connection.fetchrow(_CASE + " WHERE id = $1", case_id)
    return None if row is None else CaseRow(**dict(row))


async def open_cases_of(connection: Connection | Pool, checkout_id: str) -> list[CaseRow]:
    """The open cases of a checkout, the first first."""
    rows = await connection.fetch(
        _CASE + " WHERE checkout_id = $1 AND closed_at IS NULL ORDER BY opened_at, id", checkout_id
    )
    return [CaseRow(**dict(row)) for row in rows]


async def cases_about(connection: Connection | Pool, payment_id: str) -> list[CaseRow]:
    """All cases of one payment that stand under no checkout, the first first."""
    rows = await connection.fetch(
        _CASE + " WHERE payment_id = $1 AND checkout_id IS NULL ORDER BY opened_at, id", payment_id
    )
    return [CaseRow(**dict(row)) for row in rows]


async def cases_of(connection: Connection | Pool, checkout_ids: Sequence[str]) -> list[CaseRow]:
    """All cases of these checkouts, the first first."""
    rows = await connection.fetch(_CASE + " WHERE checkout_id = ANY($1) ORDER BY opened_at, id", list(checkout_ids))
    return [CaseRow(**dict(row)) for row in rows]


async def refund_told(connection: Connection, checkout_id: str) -> bool:
    """Whether money of a checkout was given back."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM payments WHERE checkout_id = $1 AND kind = 'refund' AND state = 'captured')",
            checkout_id,
        )
    )


async def given_back(connection: Connection | Pool, checkout_id: str) -> bool:
    """Whether refunds were told of all the money that was paid for a checkout.

    Of several payments each has to be given back: a refund does not say which of them it is of. Test money is no money
    of a live checkout, and the other way round.
    """
    return bool(
        await connection.fetchval(
            """SELECT count(*) FILTER (WHERE p.kind = 'refund') > 0
                      AND sum(CASE p.kind WHEN 'payment' THEN p.amount ELSE -p.amount END) <= 0
               FROM payments p JOIN checkouts c ON c.id = p.checkout_id
               WHERE p.checkout_id = $1 AND p.state = 'captured' AND p.kind IN ('payment', 'refund')
                 AND p.test = (c.mode = 'test')
                 AND p.currency = coalesce((SELECT a.currency FROM payments a
                                            WHERE a.checkout_id = $1 AND a.accepted), c.currency)""",
            checkout_id,
        )
    )


async def refunds_expected(connection: Connection, checkout_id: str) -> int:
    """How many refunds an operator said to have made that their supplier has not told."""
    found: int = await connection.fetchval(
        """SELECT (SELECT count(*) FROM payment_cases WHERE checkout_id = $1 AND outcome = 'refunded'
                     AND reason <> 'refund')
                - (SELECT count(*) FROM payments WHERE checkout_id = $1 AND kind = 'refund' AND state = 'captured'
                     AND settled_at IS NOT NULL)""",
        checkout_id,
    )
    return found
