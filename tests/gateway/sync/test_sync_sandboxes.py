"""A sync of the real plugins against the suppliers' sandboxes, when one of them misbehaves."""

import msgspec
import pytest
from aiohttp import ClientSession

from gateway.kit.settings import load
from gateway.suppliers.accounts import accounts_of
from gateway.sync.run import run_sync
from gateway.sync.run_rules import exit_code
from providers.loader import load_manifests
from schemas.plan import Features
from tests.kit.stall import parts

OFFERS = "SELECT supplier_plan_id, cost, gone_at FROM offers WHERE supplier = $1 ORDER BY 1"


@pytest.fixture
def settings(sandbox, tmp_path):
    manifests = load_manifests()
    names = {"beppay": "beppay", "s2s": "s2s", "second": "s2s"}
    accounts = {
        name: {**manifests[of].sandbox_settings, "provider": of, "mode": "test", "base_url": sandbox.urls[of]}
        for name, of in names.items()
    }
    return load(state_dir=str(tmp_path), suppliers=accounts)


async def tell(sandbox, supplier, route, body):
    async with (
        ClientSession() as session,
        session.post(f"{sandbox.urls[supplier]}/_sandbox/{route}", json=body) as answer,
    ):
        assert answer.ok


async def test_a_drift_of_prices_is_recorded_once_for_each_account_and_another_sync_adds_nothing(
    sandbox, pool, settings
):
    async with accounts_of(settings, pool) as accounts:
        assert (await run_sync(pool, accounts, settings)).state == "ok"
        await tell(sandbox, "s2s", "drift", {"share": 0.05, "by": 0.1})
        changed = {s: p.changed for s, p in parts(await run_sync(pool, accounts, settings)).items()}
        assert changed["beppay"] == 0
        assert changed["s2s"] == changed["second"] > 10
        await run_sync(pool, accounts, settings)
        counted = await pool.fetch("SELECT supplier, count(*)::int AS n FROM price_changes GROUP BY 1 ORDER BY 1")
        assert [tuple(row) for row in counted] == [("s2s", changed["s2s"]), ("second", changed["s2s"])]


async def test_offers_keep_the_facts_that_suppliers_state_and_what_suppliers_can_do(sandbox, pool, settings):
    async with accounts_of(settings, pool) as accounts:
        await run_sync(pool, accounts, settings)
    rows = await pool.fetch(
        "SELECT DISTINCT supplier, features->'usage' AS usage, features->'refundable' AS refundable FROM offers"
    )
    assert {tuple(row) for row in rows} == {
        ("beppay", False, False), ("s2s", True, False), ("second", True, False),
    }  # fmt: skip
    rows = await pool.fetch(
        """SELECT supplier, plan_id, features FROM offers WHERE coverage = '{GB}' AND features->'sms_count' = '50'
           AND supplier <> 'second'"""
    )
    assert {row["supplier"] for row in rows} == {"beppay", "s2s"}
    assert len({row["plan_id"] for row in rows}) == 1
    by_supplier = {row["supplier"]: msgspec.convert(row["features"], Features) for row in rows}
    assert {features.voice_minutes for features in by_supplier.values()} == {100}
    stated = by_supplier["s2s"]
    assert None not in (stated.hotspot, stated.kyc_required, stated.phone_number, by_supplier["beppay"].voice)
    assert by_supplier["beppay"].hotspot is None


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("html", "failed"),
        ("vanish_midway", "failed"),
        ("price_off_by_ten", "quarantined"),
        ("vanish_half", "quarantined"),
    ],
)
async def test_a_supplier_that_misbehaves_keeps_its_offers_and_the_others_are_synced(
    sandbox, pool, settings, fault, state
):
    async with accounts_of(settings, pool) as accounts:
        await run_sync(pool, accounts, settings)
        before = await pool.fetch(OFFERS, "s2s")
        await tell(sandbox, "s2s", "faults", {"kind": fault})
        await tell(sandbox, "beppay", "drift", {"share": 0.05, "by": 0.1})
        run = await run_sync(pool, accounts, settings)
        assert (run.state, exit_code(run)) == ("partial", 3)
        assert {s: p.state for s, p in parts(run).items()} == {"beppay": "ok", "s2s": state, "second": state}
        assert parts(run)["s2s"].error
        assert parts(run)["beppay"].changed > 10
        assert await pool.fetch(OFFERS, "s2s") == before
        assert await pool.fetchval("SELECT count(*) FROM price_changes WHERE supplier <> 'beppay'") == 0
