"""A database of the first release, with rows, is brought to this release: every row is there, and is read."""

import json

from gateway.migrations import HEAD, current, upgrade
from tests.kit.command_line import command_with, environment_of
from tests.kit.shelf import settings_for

RELEASED = "0034"  # of 0.2.0
SUPPLIERS = {"shop": {"provider": "pikasim", "mode": "live", "base_url": "http://127.0.0.1:9", "api_key": "k"}}
ROWS = """
INSERT INTO storefronts (id, name, daily_spend_limit) VALUES ('sf_1', 'travel', 500);
INSERT INTO api_keys (id, storefront_id, mode, scopes, hash, prefix)
    VALUES ('key_1', 'sf_1', 'live', '{storefront}', sha256('key'), 'gw_live_abcd');
INSERT INTO users (id, name, password, role) VALUES ('usr_1', 'ana', '$argon2id$', 'admin');
INSERT INTO sessions (digest, user_id, mode, address) VALUES (sha256('session'), 'usr_1', 'live', '127.0.0.1');
INSERT INTO audit_log (user_id, actor, action, object) VALUES ('usr_1', 'ana', 'supplier.paused', 'supplier:shop');
INSERT INTO suppliers (name, provider, mode, state) VALUES ('shop', 'pikasim', 'live', 'paused');
INSERT INTO offers (id, supplier, supplier_plan_id, plan_id, name, coverage, data, days, starts, cost, currency, digest,
                    first_seen_at, changed_at)
    VALUES ('off_1', 'shop', 'JP_1GB', 'jp-1gb-7d-5c2a9e000000', 'Japan 1 GB', '{JP}', '{"mb": 1000}', 7, 'install', 5,
            'USD', decode(repeat('00', 24), 'hex'), now(), now());
INSERT INTO price_changes (supplier, supplier_plan_id, plan_id, old, new, old_currency, new_currency, at, sync_run_id)
    VALUES ('shop', 'JP_1GB', 'jp-1gb-7d-5c2a9e000000', 4, 5, 'USD', 'USD', now(), 'run_1');
INSERT INTO fx_rates (base, currency, rate, as_of, source, kind)
    VALUES ('USD', 'EUR', 1.1, '2026-11-20', 'ecb', 'fetched');
INSERT INTO orders (id, storefront_id, mode, kind, status, reference, plan_id, plan, price, currency, price_base,
                    max_cost, base_currency, metadata, next_poll_at, fulfilled_at) VALUES
    ('ord_1', 'sf_1', 'live', 'esim', 'fulfilled', 'A-1', 'p', '{}', 5.5, 'USD', 5.5, 5, 'USD',
     '{"cart": "7"}', NULL, now()),
    ('ord_2', 'sf_1', 'live', 'esim', 'pending', 'A-2', 'p', '{}', 5.5, 'USD', 5.5, 5, 'USD', '{}', now(), NULL);
INSERT INTO idempotency_keys (storefront_id, mode, key, request, order_id)
    VALUES ('sf_1', 'live', 'one', sha256('request'), 'ord_1');
INSERT INTO attempts (id, order_id, n, kind, supplier, supplier_plan_id, state, run_id, signed_at, deadline,
                      quiescent_at, listed, currency, charged, charged_currency)
    VALUES ('att_1', 'ord_1', 1, 'purchase', 'shop', 'JP_1GB', 'succeeded', gen_random_uuid(), now(),
            now() + interval '1 minute', now() + interval '10 minutes', 5, 'USD', 5, 'USD');
INSERT INTO ledger (supplier, attempt_id, order_id, kind, amount, currency)
    VALUES ('shop', 'att_1', 'ord_1', 'charge', 5, 'USD');
INSERT INTO order_events (order_id, type) VALUES ('ord_1', 'admitted'), ('ord_1', 'fulfilled');
INSERT INTO esims (id, order_id, storefront_id, mode, supplier, supplier_plan_id, iccid, iccid_digest)
    VALUES ('esim_1', 'ord_1', 'sf_1', 'live', 'shop', 'JP_1GB', 'sealed', 'digest');
INSERT INTO webhook_endpoints (id, storefront_id, mode, url, secret)
    VALUES ('we_1', 'sf_1', 'live', 'https://a.example/x', 's');
INSERT INTO webhook_events (id, storefront_id, mode, type, order_id, body)
    VALUES ('evt_1', 'sf_1', 'live', 'order.fulfilled', 'ord_1', 'b');
INSERT INTO event_outbox (id, storefront_id, mode, type, order_id, body)
    VALUES ('evt_2', 'sf_1', 'live', 'order.failed', 'ord_2', 'b');
INSERT INTO webhook_deliveries (id, endpoint_id, event_id, next_at) VALUES ('whd_1', 'we_1', 'evt_1', now());
INSERT INTO selling_stops (supplier, reason, note) VALUES ('shop', 'person', 'wrong prices');
INSERT INTO pricing_rules (id, position, name, percent, currency) VALUES ('pr_1', 1, 'Europe', 18, 'USD');
INSERT INTO mappings (id, provider, about, word, key, means)
    VALUES ('map_1', 'pikasim', 'place', 'Far', 'far', 'AU NZ');
INSERT INTO alert_channels (id, name, kind, recipients) VALUES ('ach_1', 'mail', 'email', '{ops@example.com}');
INSERT INTO alert_channels (id, name, kind, url, secret)
    VALUES ('ach_2', 'hook', 'webhook', 'https://a.example/x', 's');
INSERT INTO alert_rules (id, name, kind, threshold, channels) VALUES ('alr_1', 'moves', 'price_move', 25, '{ach_1}');
INSERT INTO alert_messages (id, channel_id, body, next_at) VALUES ('alm_1', 'ach_1', '{}', now());
UPDATE alert_state SET seeded = true;
"""
# Where the rows of a table went that is no more.
MOVED = {"event_outbox": "webhook_events"}
# Tables of the release whose rows are made anew by the gateway: the revision, and PgQueuer's own.
_NOT_OURS = ("alembic_version", "pgqueuer")


async def rows_of(connection):
    """Every row of every table, as JSON."""
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    names = [row["tablename"] for row in tables if not row["tablename"].startswith(_NOT_OURS)]
    return {
        name: [
            json.loads(row["row"]) for row in await connection.fetch(f'SELECT to_jsonb(t)::text AS row FROM "{name}" t')
        ]
        for name in names
    }


async def test_no_row_of_the_first_release_is_lost_or_changed(empty, tmp_path):
    dsn, connection = empty
    await upgrade(dsn, RELEASED)
    await connection.execute(ROWS)
    before = await rows_of(connection)
    assert sum(map(len, before.values())) >= 30
    assert await upgrade(dsn) is True
    assert await current(dsn) == HEAD
    after = await rows_of(connection)
    for table, rows in before.items():
        kept = after[MOVED.get(table, table)]
        for row in rows:
            assert _stands(row, kept), (table, row)

    # What operators set is read by this release.
    config = command_with(environment_of(settings_for(tmp_path, dsn, suppliers=SUPPLIERS)), "config")
    exported = (await config("export")).out
    for words in ('name = "travel"', 'daily_spend_limit = "500"', 'note = "wrong prices"', 'word = "Far"', '["shop"]'):
        assert words in exported
    assert 'channels = ["mail"]' in exported


def _stands(row, kept):
    """Whether a row is among those that were kept, with whatever columns came since."""
    return any(all(other.get(name) == value for name, value in row.items()) for other in kept)
