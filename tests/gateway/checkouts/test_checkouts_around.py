"""Around checkouts: what the database itself refuses, what is forgotten, told, and held against the books."""

from datetime import date

import asyncpg
import pytest

from gateway.alerts import alerts
from gateway.checkouts import payment_audit_rows
from gateway.checkouts.decisions import decide
from gateway.ledger.reconcile import reconcile
from gateway.privacy.erase import erase_email, erase_old_emails
from schemas.order_requests import Customer
from tests.kit.working import idle

EMAIL = "Somebody@example.com"


async def test_the_database_knows_one_order_for_a_checkout_and_one_payment_that_pays_for_it(desk):
    checkout_id = await desk.open()
    await desk.trigger("paid_twice")
    await desk.pay(checkout_id)
    pool = desk.deps.pool
    copied = """INSERT INTO orders SELECT (jsonb_populate_record(o, '{"id": "ord_other", "reference": null}')).*
                FROM orders o WHERE checkout_id = $1"""
    with pytest.raises(asyncpg.UniqueViolationError, match="orders_checkout_id_key"):
        await pool.execute(copied, checkout_id)
    with pytest.raises(asyncpg.UniqueViolationError, match="payments_one_accepted"):
        await pool.execute("UPDATE payments SET accepted = true WHERE checkout_id = $1", checkout_id)
    told = """INSERT INTO payments SELECT (jsonb_populate_record(p, '{"id": "pay_other", "accepted": false}')).*
              FROM payments p WHERE checkout_id = $1"""
    with pytest.raises(asyncpg.UniqueViolationError, match="payments_account_payment_id_key"):
        await pool.execute(told, checkout_id)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("UPDATE idempotency_keys SET checkout_id = NULL")


async def test_notifications_and_addresses_are_kept_sealed(desk):
    checkout_id = await desk.open(customer=Customer(email=EMAIL))
    await desk.pay(checkout_id)
    rows = await desk.deps.pool.fetch(
        "SELECT c::text AS row FROM checkouts c UNION ALL SELECT n::text FROM payment_notices n"
    )
    notice = await desk.deps.pool.fetchval("SELECT body FROM payment_notices")
    assert checkout_id in desk.deps.seal.open_text(notice)
    for row in rows:
        assert EMAIL.casefold() not in row["row"].casefold()
        assert b'"transaction"'.hex() not in row["row"]


async def test_an_address_is_forgotten_with_the_notifications_of_its_payments(desk):
    first = await desk.open(customer=Customer(email=EMAIL))
    second = await desk.open(customer=Customer(email="other@example.com"))
    for one in (first, second):
        await desk.pay(one)
        await desk.delivered(one)
    await idle(desk.deps)
    assert await erase_email(desk.deps, EMAIL.upper()) == [(await desk.checkout(first)).order_id]
    kept = "SELECT (SELECT count(*) FROM checkouts WHERE email IS NOT NULL), (SELECT count(body) FROM payment_notices)"
    assert tuple(await desk.deps.pool.fetchrow(kept)) == (1, 1)
    assert (await desk.checkout(first)).payments
    desk.counter.clock.pass_(days=desk.deps.settings.orders.email_days, seconds=1)
    assert await erase_old_emails(desk.deps) == 3  # a checkout's, an order's, a notification
    assert tuple(await desk.deps.pool.fetchrow(kept)) == (0, 0)


async def test_a_payment_that_needs_a_person_raises_an_alert_that_ends_with_it(desk):
    await alerts.evaluate(desk.deps)
    checkout_id = await desk.open()
    await desk.trigger("wrong_amount")
    await desk.pay(checkout_id)
    standing = "SELECT title, link FROM alerts WHERE kind = 'payments_attention' AND cleared_at IS NULL"
    await alerts.evaluate(desk.deps)
    (alert,) = await desk.deps.pool.fetch(standing)
    assert "less was paid" in alert["title"]
    assert alert["link"] == f"/console/checkouts/{checkout_id}"
    await decide(desk.deps, checkout_id, "refunded", "given back", "test")
    await alerts.evaluate(desk.deps)
    assert await desk.deps.pool.fetch(standing) == []


async def test_reconcile_names_a_payment_that_nobody_looks_at(desk):
    today = date.today()  # noqa: DTZ011 - any day will do
    checkout_id = await desk.open()
    await desk.pay(checkout_id)
    await desk.delivered(checkout_id)
    assert (await reconcile(desk.deps, today, today)).payments == ()
    # As if a hand in the database had taken the order from it.
    await desk.deps.pool.execute("UPDATE orders SET checkout_id = NULL")
    report = await reconcile(desk.deps, today, today)
    assert ([one.what for one in report.payments], report.clean) == (["without_order"], False)
    await desk.deps.pool.execute("UPDATE payments SET accepted = false")
    assert await desk.unaccounted() == ["not_accepted"]


async def test_an_order_that_is_being_bought_is_under_way_and_no_fault(desk):
    checkout_id = await desk.open(await desk.counter.plan(1, "pikasim"))
    desk.counter.trigger("pikasim", "never_provisioned")
    await desk.pay(checkout_id)
    (one,) = await payment_audit_rows.unaccounted(desk.deps.pool)
    assert (one.what, one.open) == ("under_way", True)
    assert await payment_audit_rows.unpaid(desk.deps.pool) == []
    await desk.deps.pool.execute("DELETE FROM payments")
    assert await payment_audit_rows.unpaid(desk.deps.pool) == [(await desk.checkout(checkout_id)).order_id]
