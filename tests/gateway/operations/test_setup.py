"""The checklist of a new installation: each step is done by what stands in the database."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gateway.access.key_rows import create_key
from gateway.kit.settings import load
from gateway.operations.setup import setup_checklist
from gateway.operations.setup_rules import SetupFacts, checklist

SETTINGS = load()
NOTHING = SetupFacts(
    supplier=False, sync=False, key=False, pricing_rule=False, rates=False, alert_channel=False, webhook=False
)
STEPS = tuple(msgspec.structs.asdict(NOTHING))


def facts(*done):
    return msgspec.structs.replace(NOTHING, **dict.fromkeys(done, True))


def test_the_list_is_gone_once_all_is_done_and_not_before():
    assert checklist(facts(*STEPS)) is None
    for left in STEPS:
        found = checklist(facts(*(step for step in STEPS if step != left)))
        assert [step for step, done in found.steps if not done] == [left]
        assert found.done == len(STEPS) - 1


@pytest.mark.parametrize(
    ("done", "sells"),
    [((), False), (("supplier", "sync"), False), (("key",), False), (("supplier", "sync", "key"), True)],
)
def test_a_supplier_a_sync_and_a_key_are_what_selling_needs(done, sells):
    assert checklist(facts(*done)).sells == sells


async def done(pool, mode="live"):
    found = await setup_checklist(pool, SETTINGS, mode)
    return set(STEPS) if found is None else {step for step, is_done in found.steps if is_done}


async def test_each_step_is_ticked_by_what_was_made_for_it_and_for_its_mode(pool):
    assert await done(pool) == set()
    today = datetime.now(UTC).date()
    made = set()
    for step, statement in (
        ("supplier", "INSERT INTO suppliers (name, provider, mode) VALUES ('s2s', 's2s', 'live')"),
        ("sync", "UPDATE suppliers SET last_good_at = now()"),
        (
            "pricing_rule",
            "INSERT INTO pricing_rules (id, position, name, percent, currency) VALUES ('pr_1', 1, 'all', 10, 'USD')",
        ),
        (
            "alert_channel",
            "INSERT INTO alert_channels (id, name, kind, recipients) VALUES ('ach_1', 'ops', 'email', '{a@b.example}')",
        ),
    ):
        await pool.execute(statement)
        made.add(step)
        assert await done(pool) == made
    rate = "INSERT INTO fx_rates (base, currency, rate, as_of, source, kind) VALUES ('USD', 'EUR', 1.1, $1, 'x', $2)"
    await pool.execute(rate, today - timedelta(days=90), "fetched")
    await pool.execute(rate, today, "shipped")
    assert await done(pool) == made, "an old rate, or one that came with the release, is none"
    await pool.execute(rate, today - timedelta(days=1), "fetched")
    key = await create_key(pool, storefront="shop", mode="test", scopes=["storefront"])
    ops = await create_key(pool, storefront="shop", mode="live", scopes=["ops"])
    assert await done(pool) == made | {"rates"}, "neither a key of the other mode nor one for operators sells"
    sells = await create_key(pool, storefront="shop", mode="live", scopes=["storefront"])
    assert await done(pool) == made | {"rates", "key"}
    await pool.execute(
        """INSERT INTO webhook_endpoints (id, storefront_id, mode, url, secret, status)
           SELECT 'we_1', storefront_id, 'live', 'http://127.0.0.1/hook', '', 'disabled' FROM api_keys WHERE id = $1""",
        ops.id,
    )
    assert await done(pool) == made | {"rates", "key"}
    await pool.execute("UPDATE webhook_endpoints SET status = 'enabled'")
    assert await setup_checklist(pool, SETTINGS, "live") is None
    assert await done(pool, "test") == {"pricing_rule", "rates", "alert_channel", "key"}
    await pool.execute("UPDATE api_keys SET revoked_at = now() WHERE id = ANY($1)", [sells.id, key.id])
    assert await done(pool) == set(STEPS) - {"key"}
