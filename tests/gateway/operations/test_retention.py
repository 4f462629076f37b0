"""Retention: what is old by its setting goes, in batches that wait for nobody, and nothing else does."""

import pytest

from gateway.kit import retention_rows
from gateway.kit.retention_rows import RETENTION_RULES, delete_batch
from gateway.kit.sealing import Seal
from gateway.kit.settings import Retention, load
from gateway.operations.retention import days_kept, delete_expired
from gateway.suppliers.deps import Deps
from tests.kit.secret_keys import SECRET_KEY

ORDER = """
INSERT INTO orders (id, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base, max_cost,
                    base_currency, next_poll_at, failure_code, updated_at)
VALUES ($1, 'sto_1', 'test', 'esim', $2, 'p', '{}', 5, 'USD', 5, 5, 'USD',
        CASE WHEN $2 = 'pending' THEN now() END, CASE WHEN $2 = 'failed' THEN 'x' END,
        now() - make_interval(days => $3))
"""
CHECKOUT = """
INSERT INTO checkouts (id, storefront_id, mode, state, plan_id, plan, price, currency, price_base, max_cost,
                       base_currency, language, account, expires_at, created_at, updated_at, next_poll_at)
VALUES ($1, 'sto_1', 'test', 'expired', 'p', '{}', 5, 'USD', 5, 5, 'USD', 'en', 'a', now(), now(),
        now() - make_interval(days => $2), CASE WHEN $3 THEN now() END)
"""
# For each table one row that has the age of $1 days, and nothing that keeps it.
ROWS = {
    "pgqueuer_log": "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, created)"
    " VALUES (1, 'successful', 0, 'sync', {at})",
    "pgqueuer_statistics": "INSERT INTO pgqueuer_statistics (count, priority, status, entrypoint, created)"
    " VALUES (1, 0, 'successful', 'sync', {at})",
    "exchanges": "INSERT INTO exchanges (attempt_id, at, method, path, ms) VALUES ('a', {at}, 'GET', '/', 1)",
    "supplier_answers": "INSERT INTO supplier_answers (id, attempt_id, at, body)"
    " VALUES ('ans_{days}', 'att_old', {at}, '')",
    "webhook_events": "INSERT INTO webhook_events (id, storefront_id, mode, type, body, at)"
    " VALUES ('evt_{days}', 'sto_1', 'test', 'x', '', {at})",
    "traveller_emails": "INSERT INTO traveller_emails"
    " (id, kind, about, order_id, esim_order_id, status, next_at, created_at)"
    " VALUES ('eml_{days}', 'delivery', 'eml_{days}', 'ord_old', 'ord_old', 'sent', NULL, {at})",
    "supplier_webhooks": "INSERT INTO supplier_webhooks (supplier, dedupe_key, type, received_at)"
    " VALUES ('a', '{days}', 'x', {at})",
    "sync_runs": "INSERT INTO sync_runs (id, started_at, ended_at, state) VALUES ('run_{days}', {at}, {at}, 'ok')",
    "price_changes": "INSERT INTO price_changes"
    " (supplier, supplier_plan_id, plan_id, new, new_currency, at, sync_run_id)"
    " VALUES ('a', 'x', 'p', 5, 'USD', {at}, 'r')",
    "goods_changes": "INSERT INTO goods_changes (at, supplier, sku, good_id, kind, currency, run_id)"
    " VALUES ({at}, 'a', 'x', 'g', 'new', 'USD', 'r')",
    "plan_successors": "INSERT INTO plan_successors (plan_id, offer_id, successor, at)"
    " VALUES ('p', 'off_{days}', 'q', {at})",
    "offer_events": "INSERT INTO offer_events (supplier, supplier_plan_id, plan_id, kind, at, sync_run_id)"
    " VALUES ('a', 'x', 'p', 'new', {at}, 'r')",
    "order_events": "INSERT INTO order_events (order_id, type, at) VALUES ('ord_old', 'created', {at})",
    "esim_usage": "INSERT INTO esim_usage (esim_id, at, used_mb) VALUES ('esim_old', {at}, 1)",
    "checkout_events": "INSERT INTO checkout_events (checkout_id, type, at) VALUES ('co_old', 'created', {at})",
    "supplier_transactions": "INSERT INTO supplier_transactions (supplier, key, kind, amount, currency, at, seen_at)"
    " VALUES ('a', '{days}', 'charge', -1, 'USD', {at}, {at})",
    "audit_log": "INSERT INTO audit_log (at, actor, action, object) VALUES ({at}, 'x', 'x', 'x')",
    "alerts": "INSERT INTO alerts"
    " (id, rule_id, rule_name, kind, level, subject, title, detail, link, raised_at, seen_at, cleared_at)"
    " VALUES ('alt_{days}', 'r', 'r', 'x', 'bad', 's', 't', '', '', {at}, {at}, {at})",
    "alert_messages": "INSERT INTO alert_messages (id, channel_id, created_at, body, status)"
    " VALUES ('alm_{days}', 'ach_1', {at}, '{{}}', 'delivered')",
}


@pytest.fixture
async def deps(pool, tmp_path):
    settings = load(state_dir=str(tmp_path), secret_key=[SECRET_KEY])
    await pool.execute("INSERT INTO storefronts (id, name) VALUES ('sto_1', 'shop')")
    await pool.execute(
        "INSERT INTO alert_channels (id, name, kind, recipients) VALUES ('ach_1', 'm', 'email', '{a@example.com}')"
    )
    await pool.execute(ORDER, "ord_old", "fulfilled", 5000)
    await pool.execute(
        """INSERT INTO attempts (id, order_id, n, kind, supplier, supplier_plan_id, state, run_id, signed_at, deadline,
               quiescent_at) VALUES ('att_old', 'ord_old', 1, 'purchase', 'a', 'x', 'succeeded', gen_random_uuid(),
               now(), now() + interval '1 s', now() + interval '1 s')"""
    )
    await pool.execute(
        """INSERT INTO esims (id, order_id, storefront_id, mode, supplier, supplier_plan_id, iccid, iccid_digest)
           VALUES ('esim_old', 'ord_old', 'sto_1', 'test', 'a', 'x', '', '')"""
    )
    await pool.execute(CHECKOUT, "co_old", 5000, False)
    return Deps(pool, {}, settings, Seal.from_settings(settings))


async def insert(pool, table, days):
    statement = ROWS[table].format(at=f"now() - interval '{days} days'", days=days)
    await pool.execute(statement)


async def test_each_table_loses_what_is_older_than_its_setting_and_keeps_the_rest(deps):
    assert set(ROWS) == {rule.table for rule in RETENTION_RULES}
    for rule in RETENTION_RULES:
        kept = days_kept(deps.settings, rule)
        await insert(deps.pool, rule.table, kept - 1)
        await insert(deps.pool, rule.table, kept + 1)
    deleted = await delete_expired(deps)
    assert {table: deleted[table] for table in ROWS} == dict.fromkeys(ROWS, 1)
    for table in ROWS:
        assert await deps.pool.fetchval(f"SELECT count(*) FROM {table}") == 1, table
    assert not any((await delete_expired(deps)).values())


async def test_nothing_goes_where_the_setting_is_0(deps, tmp_path):
    for table in ROWS:
        await insert(deps.pool, table, 40_000)
    forever = load(state_dir=str(tmp_path), secret_key=[SECRET_KEY], retention=dict.fromkeys(Retention.model_fields, 0))
    deleted = await delete_expired(Deps(deps.pool, {}, forever, deps.seal))
    assert {table for table, count in deleted.items() if count} == {
        "alerts",
        "alert_messages",
    }  # a setting of their own


async def test_every_setting_of_retention_is_used_by_a_rule():
    used = {rule.setting for rule in RETENTION_RULES}
    assert used == {*Retention.model_fields, "alerts.keep_days"}


async def test_each_rule_is_served_by_an_index(deps):
    async with deps.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        for rule in RETENTION_RULES:
            plan = await connection.fetch(f"EXPLAIN {rule.delete}", deps.clock(), 1000)
            text = "\n".join(row[0] for row in plan)
            assert "Sort" not in text, f"{rule.table}: {text}"


async def test_events_go_only_with_orders_and_checkouts_that_are_final_for_so_long(deps):
    orders = {"ord_open": ("pending", 5000), "ord_review": ("needs_review", 5000), "ord_fresh": ("fulfilled", 10)}
    for order_id, (status, days) in orders.items():
        await deps.pool.execute(ORDER, order_id, status, days)
    await deps.pool.execute(CHECKOUT, "co_open", 5000, True)
    await deps.pool.execute(CHECKOUT, "co_fresh", 10, False)
    old = "now() - interval '5000 days'"
    for order_id in (*orders, "ord_old"):
        await deps.pool.execute(
            f"INSERT INTO order_events (order_id, type, at) VALUES ($1, 'created', {old})", order_id
        )
    # A charge after the end that nobody settled is asked for whatever its age.
    await deps.pool.execute(
        f"INSERT INTO order_events (order_id, type, at) VALUES ('ord_old', 'charged_after_failure', {old})"
    )
    for checkout_id in ("co_old", "co_open", "co_fresh"):
        await deps.pool.execute(
            f"INSERT INTO checkout_events (checkout_id, type, at) VALUES ($1, 'created', {old})", checkout_id
        )
    await delete_expired(deps)
    left = await deps.pool.fetch("SELECT order_id, type FROM order_events")
    assert {tuple(row) for row in left} == {
        *((order_id, "created") for order_id in orders),
        ("ord_old", "charged_after_failure"),
    }
    left = await deps.pool.fetch("SELECT checkout_id FROM checkout_events")
    assert {row[0] for row in left} == {"co_open", "co_fresh"}


async def test_what_is_still_needed_stays_however_old_it_is(deps):
    pool = deps.pool
    for table in ("webhook_events", "sync_runs", "supplier_transactions"):
        await insert(pool, table, 5000)
    await pool.execute(
        "INSERT INTO webhook_endpoints (id, storefront_id, mode, url, secret) VALUES ('we_1', 'sto_1', 'test', '', '');"
        "INSERT INTO webhook_deliveries (id, endpoint_id, event_id, next_at)"
        " VALUES ('whd_1', 'we_1', 'evt_5000', now())"
    )
    await pool.execute("UPDATE sync_runs SET ended_at = NULL, state = NULL")
    await pool.execute(
        "INSERT INTO deposits (id, supplier, way, amount, currency, url, begun_by, begun_at, state, transaction_id)"
        " SELECT 'dep_1', 'a', 'card', 5, 'USD', NULL, 'x', now(), 'arrived', id FROM supplier_transactions"
    )
    deleted = await delete_expired(deps)
    assert {table for table, count in deleted.items() if count} == set()
    # A delivery that ended goes with its event, once that needs no others.
    await pool.execute("UPDATE webhook_deliveries SET status = 'failed', next_at = NULL")
    await pool.execute("UPDATE webhook_events SET dispatched = false")
    assert (await delete_expired(deps))["webhook_events"] == 0
    await pool.execute("UPDATE webhook_events SET dispatched = true")
    assert (await delete_expired(deps))["webhook_events"] == 1
    assert await pool.fetchval("SELECT count(*) FROM webhook_deliveries") == 0


async def test_statements_of_a_time_that_was_deleted_count_as_not_read(deps):
    await insert(deps.pool, "supplier_transactions", 5000)
    await deps.pool.execute(
        "INSERT INTO supplier_book_walks (supplier, asked_at, whole_to, whole_from)"
        " VALUES ('a', now(), now(), now() - interval '6000 days')"
    )
    await delete_expired(deps)
    assert await deps.pool.fetchval("SELECT whole_from > now() - interval '1101 days' FROM supplier_book_walks")


async def test_rows_go_in_batches_the_oldest_first_and_those_that_somebody_holds_are_left(deps, monkeypatch):
    rule = next(rule for rule in RETENTION_RULES if rule.table == "audit_log")
    for days in (2001, 2002, 2003, 2004):
        await insert(deps.pool, "audit_log", days)
    oldest = "SELECT id FROM audit_log ORDER BY at LIMIT 1"
    async with deps.pool.acquire() as other, other.transaction():
        held = await other.fetchval(f"{oldest} FOR UPDATE")
        assert await delete_batch(deps.pool, rule, deps.clock(), 2) == 2
        assert await deps.pool.fetchval(oldest) == held
    monkeypatch.setattr(retention_rows, "BATCH", 1)
    monkeypatch.setattr("gateway.operations.retention.BATCH", 1)
    assert (await delete_expired(deps))["audit_log"] == 2
    assert await deps.pool.fetchval("SELECT count(*) FROM audit_log") == 0
