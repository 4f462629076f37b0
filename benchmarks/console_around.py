"""What stands around offers and orders after a while: deliveries, balances, alerts, jobs, the audit log."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.api.examples import example_of
from gateway.kit.sealing import Seal
from schemas.api_accounts import CheckReport
from schemas.events import OrderFulfilledEvent


async def around(connection: Any, seal: Seal, runs: int, orders: int) -> None:
    """Endpoints and their deliveries, balances, marks, and the audit log."""
    await connection.execute(
        """
        INSERT INTO webhook_events (id, storefront_id, mode, type, order_id, body, at)
            SELECT 'evt_' || id, storefront_id, mode, 'order.fulfilled', id, $1, fulfilled_at
            FROM orders WHERE fulfilled_at IS NOT NULL ORDER BY created_at DESC LIMIT 50000
        """,
        seal.seal(msgspec.json.encode(example_of(OrderFulfilledEvent))),
    )
    await connection.execute(
        """
        INSERT INTO webhook_endpoints (id, storefront_id, mode, url, secret)
            SELECT 'we_' || n, 'sf_' || n, 'live', 'https://shop.example.com/hook/' || n, '\\x00'
            FROM generate_series(1, 50) n;
        INSERT INTO webhook_deliveries (id, endpoint_id, event_id, status, created_at)
            SELECT 'whd_' || id, 'we_' || substr(storefront_id, 4), id,
                   CASE WHEN hashtext(id) % 50 = 0 THEN 'failed' ELSE 'delivered' END, at FROM webhook_events;
        INSERT INTO supplier_balance_looks (supplier, asked_at) SELECT name, now() FROM suppliers;
        INSERT INTO offer_marks (supplier, supplier_plan_id, why, until)
            SELECT supplier, supplier_plan_id, 'out_of_stock', now() + interval '10 min' FROM offers LIMIT 100;
        INSERT INTO spend (day, kind, name, amount)
            SELECT current_date - n, 'supplier', s.name, 900 FROM suppliers s CROSS JOIN generate_series(0, 60) n;
        INSERT INTO pricing_rules (id, position, name, percent, currency, region, rounding, floor, minimum_margin)
            VALUES ('pr_' || repeat('1', 16), 1, 'Europe', 18, 'USD', 'europe', '.99', 4, 0.5);
        INSERT INTO pricing_rules (id, position, name, percent, currency, storefront_id, countries, valid_until)
            SELECT 'pr_' || lpad(n::text, 16, '0'), n, 'Storefront ' || n, n, 'USD', 'sf_' || n, '{JP,KR}',
                   now() + n * interval '1 day' FROM generate_series(2, 6) n
        """
    )
    await connection.execute(
        """
        INSERT INTO supplier_balances (supplier, at, balance, spendable, currency)
        SELECT name, now() - n * interval '30 min', b, b, 'USD'
        FROM suppliers CROSS JOIN generate_series(0, $1::int / 2) n
        CROSS JOIN LATERAL (SELECT CASE WHEN name = 'pikasim-4' THEN 1200 ELSE 20000 END + 40 * (n % 240) AS b) AS seen
        """,
        runs,
    )
    await connection.execute(
        """
        INSERT INTO supplier_book_walks (supplier, asked_at, whole_from, whole_to)
            SELECT name, now(), now() - interval '30 days', now() FROM suppliers;
        INSERT INTO deposits (id, supplier, way, amount, currency, state, url, begun_by, begun_at)
            SELECT 'dep_' || name || '_' || n, name, 'stripe', 500, 'USD', 'begun', 'https://pay.example/' || n, 'ana',
                   now() - n * interval '1 day'
            FROM suppliers CROSS JOIN generate_series(1, 20) n
        """
    )
    await connection.execute(
        """
        -- A supplier's statement of our orders: now and then it lacks one, says another amount, or brings a deposit.
        INSERT INTO supplier_transactions (supplier, key, kind, amount, currency, at, supplier_order_id, seen_at)
            SELECT l.supplier, 'id:' || l.id, 'charge', -l.amount - CASE WHEN l.id % 1500 = 0 THEN 0.05 ELSE 0 END,
                   l.currency, l.at + interval '1 s', a.supplier_order_id, now()
            FROM ledger l JOIN attempts a ON a.id = l.attempt_id WHERE l.id % 2000 <> 0;
        INSERT INTO supplier_transactions (supplier, key, kind, amount, currency, at, seen_at)
            SELECT name, 'id:deposit-' || n, 'deposit', 500, 'USD', now() - n * interval '7 h', now()
            FROM suppliers CROSS JOIN generate_series(1, 100) n
        """
    )
    await connection.execute(
        """
        INSERT INTO audit_log (at, actor, action, object, detail)
        SELECT now() - ($1 * 7 - n) * interval '17 min', (ARRAY['admin', 'ana', 'command line'])[1 + n % 3],
               (ARRAY['rule.changed', 'order.resolved', 'user.role', 'supplier.paused', 'sync.accepted'])[1 + n % 5],
               (ARRAY['rule:', 'order:', 'user:', 'supplier:', 'sync:'])[1 + n % 5] || n % 50,
               (ARRAY['{"before": {"percent": "12"}, "after": {"percent": "18"}}', '{"as": "failed", "note": "asked"}',
                      '{"before": "viewer", "after": "operator"}', '{}', '{"supplier": "s2s"}'])[1 + n % 5]::jsonb
        FROM generate_series(1, $1::int * 7) n
        """,
        runs,
    )
    await _goods(connection)
    await _numbers(connection)
    await _quarantine(connection)
    await _alerts(connection)
    await _work(connection, orders)
    await _checkouts(connection)
    await _accounts(connection)


async def _accounts(connection: Any) -> None:
    """Each account was checked, and had a key that came to nothing."""
    await connection.execute(
        """INSERT INTO supplier_checks (supplier, at, report)
           SELECT name, now(), $1::jsonb || jsonb_build_object('name', name) FROM suppliers""",
        example_of(CheckReport, {"keys": [{}]}),
    )
    await connection.execute(
        """INSERT INTO supplier_keys (id, supplier, name, state, started_by, started_at, deadline, quiet_at, look_at,
                                      error, changed_at)
           SELECT 'sky_' || name, name, 'esim-gateway ' || name, 'undone', 'ana', now(), now(), now(), now(),
                  'no key was made: too many requests', now() FROM suppliers"""
    )
    await connection.execute("INSERT INTO supplier_heard SELECT name, now(), now() FROM suppliers")


async def _checkouts(connection: Any) -> None:
    """A share of the orders was paid through a link; some payments need an operator."""
    await connection.execute(
        """
        INSERT INTO checkouts (id, storefront_id, mode, state, reference, plan_id, plan, price, currency, price_base,
                               max_cost, base_currency, language, account, link_id, payment_url, fee_base, expires_at,
                               created_at, updated_at, paid_at)
            SELECT 'co_' || substr(id, 5), storefront_id, mode, 'paid', 'paid-' || substr(id, 5), plan_id, plan,
                   greatest(price, 0.01), currency, price_base, max_cost, base_currency, 'en', 'bepaid', 'prd_' || id,
                   'https://pay.example.com/' || id, 0.42, created_at + interval '1 h', created_at, created_at,
                   created_at
            FROM orders WHERE kind = 'esim' AND hashtext(id) % 10 = 0;
        UPDATE orders SET checkout_id = 'co_' || substr(id, 5) WHERE kind = 'esim' AND hashtext(id) % 10 = 0;
        INSERT INTO payments (id, account, payment_id, checkout_id, link_id, kind, state, amount, currency, test,
                              paid_at, received_at, settled_at, accepted)
            SELECT 'pay_' || substr(id, 4), 'bepaid', 'uid-' || id, id, link_id, 'payment', 'captured', price, currency,
                   mode = 'test', paid_at, paid_at, paid_at, true FROM checkouts;
        INSERT INTO payment_cases (id, checkout_id, payment_id, reason, detail, mode, opened_at)
            SELECT 'pc_' || substr(c.id, 4), c.id, 'pay_' || substr(c.id, 4), 'paid_twice', 'again', c.mode, c.paid_at
            FROM checkouts c ORDER BY c.created_at DESC LIMIT 100;
        UPDATE checkouts SET open_cases = 1 WHERE id IN (SELECT checkout_id FROM payment_cases);
        INSERT INTO checkout_events (checkout_id, at, type) SELECT id, created_at, 'admitted' FROM checkouts
        """
    )


async def _goods(connection: Any) -> None:
    """What one supplier sells beside eSIMs."""
    await connection.execute(
        """
        INSERT INTO goods (supplier, sku, good_id, product_id, type, denomination, cost, currency, stock, max_per_order,
                           category_id, texts, locale, sort_name, measure, measure_currency, good_measure, digest,
                           first_seen_at, changed_at, suspect)
            SELECT 's2s', 'sku-' || n, 'good_' || lpad(n::text, 24, '0'), 'p', 'voucher', 'fixed', 1 + n % 90,
                   'USD', 100, 5, '18', jsonb_build_object('en', jsonb_build_object(
                       'name', '$' || n || ' gift card', 'product_name', 'Gift card ' || n % 200)), 'en',
                   'gift card ' || n % 200 || ' $' || n, 1 + n % 90, 'USD', 1 + n % 90, decode(repeat('00', 16), 'hex'),
                   now(), now(), CASE WHEN n % 500 = 0 THEN 'moved: 1 is more than 60 % below the last good cost 9' END
            FROM generate_series(1, 3000) n;
        INSERT INTO goods_walks (supplier, run_id, at, good_at, state, total, mapped)
            VALUES ('s2s', 'run', now(), now(), 'ok', 3001, 3000);
        INSERT INTO goods_aside (supplier, sku, name, reason, detail, raw)
            VALUES ('s2s', 'sku-x', 'A strange card', 'unknown_fields', 'the fields have another shape', '{}');
        INSERT INTO goods_changes (at, supplier, sku, good_id, kind, old, new, currency, run_id)
            SELECT now(), supplier, sku, good_id, 'price', 9, cost, 'USD', 'run' FROM goods LIMIT 500
        """
    )


async def _numbers(connection: Any) -> None:
    """Virtual numbers: what accounts list, one tier of them held back, and orders that wait or rest."""
    await connection.execute(
        """
        INSERT INTO number_lists (supplier, looked_at, last_good_at, error)
            SELECT name, now(), now(), CASE WHEN name <> 'beppay' THEN 'the answer cannot be read' END
            FROM suppliers WHERE name LIKE 'beppay%';
        INSERT INTO number_countries (supplier, code, name)
            SELECT l.supplier, c.code, 'Country ' || c.code FROM number_lists l
            CROSS JOIN (SELECT DISTINCT unnest(coverage) AS code FROM offers LIMIT 200) c;
        INSERT INTO number_tiers (supplier, tier_id, name, days, cost, currency, good_cost, suspect, changed_at)
            SELECT l.supplier, n || 'd', n || ' days', n, n, 'USD', n,
                   CASE WHEN n = 30 THEN 'moved: 30 is more than 200 % above the last good cost 3' END, now()
            FROM number_lists l CROSS JOIN unnest(ARRAY[7, 30, 365]) n;
        INSERT INTO orders (id, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base, max_cost,
                            base_currency, created_at, updated_at, fulfilled_at)
            SELECT 'ord_number' || n, 'sf_1', 'live', 'number', CASE n WHEN 1 THEN 'fulfilled' ELSE 'needs_review' END,
                   'number-us-7d', '{"kind": "number", "id": "number-us-7d", "name": "United States number, 7 days",
                   "country": "US", "country_name": "United States", "tier_id": "7d", "tier_name": "7 days",
                   "days": 7}',
                   7.70, 'USD', 7.70, 7.70, 'USD', now() - interval '70 days', now(),
                   CASE n WHEN 1 THEN now() END FROM generate_series(1, 2) n;
        INSERT INTO orders (id, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base, max_cost,
                            base_currency, created_at, updated_at)
            SELECT 'ord_voucher', 'sf_1', 'live', 'voucher', 'needs_review', 'good_1',
                   '{"kind": "voucher", "id": "good_1",
                   "name": "A card", "product_name": "Cards", "type": "voucher", "quantity": 2}',
                   22, 'USD', 22, 22, 'USD', now() - interval '70 days', now()
        """
    )


async def _quarantine(connection: Any) -> None:
    """One supplier's last walk is quarantined."""
    await connection.execute(
        """
        UPDATE sync_run_suppliers SET state = 'quarantined'
        WHERE supplier = 's2s' AND run_id = (SELECT max(id) FROM sync_runs);
        UPDATE suppliers SET last_sync_state = 'quarantined' WHERE name = 's2s';
        INSERT INTO quarantines (run_id, supplier, at, reason, before, new, changed, gone, up, down, moved_far,
                                 difference)
            SELECT max(id), 's2s', now() - interval '15 min', '45 % of the offers vanished', 2500, 10, 300, 1100, 200,
                   100, 40, 'x' FROM sync_runs;
        INSERT INTO quarantine_rows (run_id, supplier, kind, n, supplier_plan_id, plan_id, name, old, old_currency,
                                     new, new_currency, moved)
            SELECT (SELECT max(id) FROM sync_runs), 's2s', CASE WHEN n % 2 = 0 THEN 'moved' ELSE 'gone' END, n,
                   supplier_plan_id, plan_id, name, cost, currency, CASE WHEN n % 2 = 0 THEN cost * 1.4 END,
                   CASE WHEN n % 2 = 0 THEN currency END, CASE WHEN n % 2 = 0 THEN 0.4 END
            FROM (SELECT row_number() OVER (ORDER BY id) AS n, * FROM offers WHERE supplier = 's2s' LIMIT 100) o
        """
    )


async def _alerts(connection: Any) -> None:
    """Rules, a channel, alerts that stand and many that are over, and what was sent."""
    await connection.execute(
        """
        INSERT INTO alert_channels (id, name, kind, recipients, last_ok_at)
            VALUES ('ach_1', 'Ops', 'email', '{ops@example.com}', now() - interval '2 h');
        INSERT INTO alert_rules (id, name, kind, threshold)
            VALUES ('alr_1', 'A cost moved by 25 %', 'price_move', 25), ('alr_2', 'Supplier failing',
                    'supplier_failing', 80), ('alr_3', 'Money for less than 3 days', 'few_days_left', 3);
        INSERT INTO alerts (id, rule_id, rule_name, kind, level, subject, title, detail, supplier, mode, link, baseline,
                            value, raised_at, seen_at, cleared_at, cleared_why)
            SELECT 'alt_' || n, 'alr_1', 'A cost moved by 25 %', 'price_move',
                   CASE WHEN n % 2 = 0 THEN 'warn' ELSE 'bad' END, o.id || '-' || n, o.name || ' moved by +40 %',
                   'from 5.00 to 7.00 USD', o.supplier, 'live', '/console/changes', 5, 7,
                   now() - n * interval '20 min', now() - n * interval '20 min',
                   CASE WHEN n > 12 THEN now() - n * interval '19 min' END, CASE WHEN n > 12 THEN 'moved back' END
            FROM (SELECT row_number() OVER (ORDER BY id) AS n, * FROM offers ORDER BY id LIMIT 5000) o;
        INSERT INTO alert_messages (id, channel_id, created_at, body, status)
            SELECT 'alm_' || n, 'ach_1', now() - n * interval '1 h', '{"raised_count": 1, "cleared_count": 0}',
                   'delivered' FROM generate_series(1, 500) n;
        UPDATE alert_state SET seeded = true, price_change = (SELECT coalesce(max(id), 0) FROM price_changes),
               offer_event = (SELECT coalesce(max(id), 0) FROM offer_events), evaluated_at = now()
        """
    )


async def _work(connection: Any, orders: int) -> None:
    """Jobs of a day, those that wait, what runs again and again; and what was said to suppliers of late."""
    await connection.execute(
        """
        INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint, traceback)
        SELECT now() - n * interval '4 s', n,
               (CASE WHEN n % 900 = 0 THEN 'exception' ELSE 'successful' END)::pgqueuer_status, 0,
               (ARRAY['advance_order', 'deliver_webhook'])[1 + n % 2],
               CASE WHEN n % 900 = 0 THEN '{"exception_type": "TimeoutError"}'::jsonb END
        FROM generate_series(1, $1::int / 10) n
        """,
        orders,
    )
    await connection.execute(
        """
        INSERT INTO pgqueuer (priority, status, entrypoint, created, execute_after)
            SELECT 0, 'queued', 'advance_order', now() - n * interval '1 s', now() + interval '1 min'
            FROM generate_series(1, 30) n;
        INSERT INTO pgqueuer_schedules (expression, entrypoint, next_run, last_run)
            VALUES ('*/15 * * * *', 'sync_due', now() + interval '7 min', now() - interval '8 min'),
                   ('* * * * *', 'look_again', now() + interval '20 s', now() - interval '40 s');
        INSERT INTO exchanges (attempt_id, at, method, path, status, ms, request, answer)
            SELECT a.id, a.started_at + n * interval '1 s', CASE n WHEN 0 THEN 'POST' ELSE 'GET' END, '/orders', 200,
                   120 + n * 40, '{"plan": "JP-1GB", "email": "[redacted]"}',
                   '{"success": true, "order": {"status": "ok", "iccid": "[redacted]"}}'
            FROM (SELECT id, started_at FROM attempts ORDER BY started_at DESC LIMIT 20000) a
            CROSS JOIN generate_series(0, 1) n
        """
    )
