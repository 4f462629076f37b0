"""``esim-gateway config``: from one gateway to a file, from the file to another, and back."""

import json

import pytest

from gateway.migrations import upgrade
from tests.kit.command_line import command_with, environment_of
from tests.kit.shelf import settings_for

SUPPLIERS = {
    "shop": {"provider": "pikasim", "mode": "live", "base_url": "http://127.0.0.1:9", "api_key": "KEY-OF-SHOP"}
}
SET = """
INSERT INTO suppliers (name, provider, mode, state) VALUES ('shop', 'pikasim', 'live', 'paused');
INSERT INTO storefronts (id, name, daily_spend_limit) VALUES ('sf_1', 'travel', 500.50), ('sf_2', 'b2b', NULL);
INSERT INTO selling_stops (supplier, reason, note)
    VALUES ('shop', 'person', 'wrong prices'), ('shop', 'account', 'key refused'), ('', 'restored', '');
INSERT INTO alert_channels (id, name, kind, recipients, url, secret, enabled) VALUES
    ('ach_1', 'mail', 'email', '{ops@example.com}', NULL, NULL, false),
    ('ach_2', 'team', 'slack', '{}', NULL, '\\x00', true),
    ('ach_3', 'bot', 'telegram', '{-100123}', NULL, '\\x00', true),
    ('ach_4', 'hook', 'webhook', '{}', 'https://ops.example.com/x', '\\x00', true);
INSERT INTO alert_rules (id, name, kind, threshold, country, channels) VALUES
    ('alr_1', 'Japan', 'price_move', 12.50, 'JP', '{ach_2,ach_1}'), ('alr_2', 'Japan', 'price_move', 30, 'JP', '{}');
UPDATE alert_state SET seeded = true;
INSERT INTO mappings (id, provider, supplier, about, word, key, means, note) VALUES
    ('map_1', 'pikasim', '', 'place', 'Asia Pacific 3', 'asiapacific3', 'AU HK JP', 'they said so'),
    ('map_2', 'pikasim', 'shop', 'attribute', 'gb', 'gb', 'data', '');
INSERT INTO pricing_rules (id, position, name, storefront_id, countries, percent, rounding, currency, valid_from) VALUES
    ('pr_1', 1, 'Europe', 'sf_1', '{DE,FR}', 18, '.99', 'USD', '2026-11-01T00:00:00Z'),
    ('pr_2', 2, 'all', NULL, '{}', 10.50, 'currency', 'USD', NULL);
"""


@pytest.fixture
def first(database_url, tmp_path):
    return command_with(environment_of(settings_for(tmp_path, database_url, suppliers=SUPPLIERS)), "config")


@pytest.fixture
async def second(empty_database_url, tmp_path):
    await upgrade(empty_database_url)
    return command_with(environment_of(settings_for(tmp_path, empty_database_url, suppliers=SUPPLIERS)), "config")


async def test_what_is_exported_and_applied_to_an_empty_gateway_is_exported_as_it_was(first, second, pool, tmp_path):
    await pool.execute(SET)
    exported = await first("export")
    assert exported.code == 0, exported.err
    assert "KEY-OF-SHOP" not in exported.out
    assert '\nnote = "wrong prices"' in exported.out
    assert "key refused" not in exported.out  # the gateway stopped that account, not an operator
    for left_out in ("keys and webhook endpoints", '"bot"', '"hook"', '"team"'):
        assert left_out in exported.err
    file = tmp_path / "gateway-configuration.toml"
    file.write_text(exported.out)

    shown = await second("plan", str(file))
    assert shown.code == 3, shown.err
    assert "+ pricing_rules: Europe" in shown.out
    assert (await second("apply", str(file))).out.endswith("Nothing was changed. Change it with --yes.\n")
    assert (await second("plan", str(file))).out == shown.out

    done = await second("apply", str(file), "--yes")
    assert done.code == 0, done.err
    assert 'Webhooks to the channel "hook" are signed with this, shown only once: whsec_' in done.out
    assert 'Now set the URL of the channel "team"' in done.out
    assert 'Now set the token of the channel "bot"' in done.out
    assert 'Now make keys for the storefront "travel"' in done.out

    assert (await second("export")).out == exported.out
    again = await second("apply", str(file), "--yes")
    assert (again.code, again.out) == (0, "Nothing to change.\n")


async def test_what_is_refused_changes_nothing_and_says_all_that_is_wrong(first, pool):
    await pool.execute(SET)
    before = await first("export")
    text = """
paused_suppliers = ["nobody"]
storefronts = [{name = "new"}, {name = "twice"}, {name = "twice"}]
[[alert_rules]]
name = "x"
kind = "price_move"
threshold = "5"
channels = ["pigeon"]
"""
    refused = await first("apply", "-", "--yes", typed=text)
    assert refused.code == 2
    for words in ('"nobody": there is no such supplier', '"twice" stands twice', "there is no channel pigeon"):
        assert words in refused.err
    assert (await first("export")).out == before.out
    assert (await first("apply", "-", typed="x = [")).code == 2


async def test_suppliers_that_this_command_has_no_settings_of_stay_configured(first, pool):
    await pool.execute("INSERT INTO suppliers (name, provider, mode, state) VALUES ('other', 's2s', 'live', 'paused')")
    assert 'paused_suppliers = ["other"]' in (await first("export")).out
    done = await first("apply", "-", "--yes", typed='paused_suppliers = ["other", "shop"]')
    assert (done.code, done.out) == (0, "+ paused_suppliers: shop\n1 change was made.\n")
    rows = await pool.fetch("SELECT name, state, configured FROM suppliers ORDER BY name")
    assert [tuple(row) for row in rows] == [("other", "paused", True), ("shop", "paused", True)]


async def test_each_change_stands_in_the_audit_log_with_what_it_was(first, pool):
    await pool.execute(SET)
    text = """
paused_suppliers = []
selling_stops = []
[[storefronts]]
name = "travel"
daily_spend_limit = "600.0"
[[alert_channels]]
name = "hook"
kind = "webhook"
url = "https://other.example.com/x"
[[pricing_rules]]
name = "all"
percent = "12"
[[pricing_rules]]
name = "Europe"
percent = "18.00"
rounding = ".99"
storefront = "travel"
countries = ["FR", "DE"]
valid_from = 2026-11-01T01:00:00+01:00
"""
    done = json.loads((await first("apply", "-", "--yes", "--json", typed=text)).out)
    assert done["applied"]
    seen = [(change["section"], change["action"], change["name"]) for change in done["changes"]]
    assert seen == [
        ("paused_suppliers", "remove", "shop"),
        ("storefronts", "change", "travel"),
        ("selling_stops", "remove", "shop"),
        ("alert_channels", "remove", "bot"),
        ("alert_channels", "remove", "mail"),
        ("alert_channels", "remove", "team"),
        ("alert_channels", "change", "hook"),
        ("pricing_rules", "change", "all"),
        ("pricing_rules", "reorder", "all"),
    ]
    rows = await pool.fetch("SELECT action, actor FROM audit_log ORDER BY id")
    assert {row["actor"].partition(",")[0] for row in rows} == {"command line"}
    assert [row["action"] for row in rows] == [
        "supplier.resumed",
        "storefront.limit_set",
        "selling.resumed",
        *["alert_channel.removed"] * 3,
        "alert_channel.changed",
        "pricing_rule.changed",
        "pricing_rule.ordered",
        "configuration.applied",
    ]
    # What stopped the account itself goes on, and a rule whose last channel went is off.
    assert (
        await pool.fetchval("SELECT string_agg(reason, ' ' ORDER BY reason) FROM selling_stops") == "account restored"
    )
    assert await pool.fetchval("SELECT count(*) FROM storefronts") == 2
