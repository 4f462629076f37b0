"""What operators see and do, on real rows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import orjson
import pytest

from gateway.access import audit_rows
from schemas import api as shapes
from schemas import api_suppliers, api_sync
from schemas.api_suspects import Suspect, SuspectsReleased
from schemas.page import Page
from tests.kit.answers import problem, read

NOW = datetime.now(UTC).replace(microsecond=0)
DATA = {"mb": 1024, "declared": "1 GB", "unlimited": False, "reset": "never", "basis": "text"}


@pytest.fixture
async def filled(ops):
    """Two suppliers, four offers, two syncs, one price change, items set aside."""
    pool = ops.pool
    await pool.executemany(
        "INSERT INTO suppliers (name, provider, mode, last_sync_at, last_good_at, last_sync_state)"
        " VALUES ($1, $2, $3, $4, $4, $5)",
        [("alpha", "pikasim", "live", NOW, "ok"), ("beta", "beppay", "test", NOW, "quarantined")],
    )
    rows = [
        ("off_1", "alpha", "A1", "5.00", None, True, None),
        ("off_2", "alpha", "A2", "6.00", 0, True, None),
        ("off_3", "beta", "B1", "0.50", None, True, "60 % below"),
        ("off_4", "beta", "B2", None, None, False, None),
    ]
    for at, (offer, supplier, key, cost, stock, visible, suspect) in enumerate(rows):
        await pool.execute(
            "INSERT INTO offers (id, supplier, supplier_plan_id, plan_id, name, coverage, data, days, starts, cost,"
            " currency, stock, visible, suspect, digest, first_seen_at, changed_at)"
            " VALUES ($1, $2, $3, 'jp-1gb-7d-1', $3, '{JP}', $4, 7, 'install', $5, $6, $7, $8, $9, $10, $11, $11)",
            offer, supplier, key, DATA, None if cost is None else Decimal(cost), None if cost is None else "USD",
            stock, visible, suspect, bytes([at] * 24), NOW,
        )  # fmt: skip
    await pool.execute("INSERT INTO plans VALUES ('jp-1gb-7d-1', $1)", NOW)
    for run, state in (("sync_01", "ok"), ("sync_02", "partial")):
        await pool.execute(
            "INSERT INTO sync_runs (id, started_at, ended_at, state) VALUES ($1, $2, $2, $3)", run, NOW, state
        )
    await pool.execute(
        "INSERT INTO sync_run_suppliers (run_id, supplier, state, total, mapped, set_aside)"
        " VALUES ('sync_01', 'alpha', 'ok', 5, 2, $1), ('sync_02', 'beta', 'quarantined', 2, 2, '{}')",
        {"no_such_country": 3},
    )
    await pool.executemany(
        "INSERT INTO set_aside VALUES ('alpha', $1, 'Bali 1GB', $2, 'Bali', $3, $4)",
        [(f"X{n}", "no_such_country" if n else "no_validity", '{"code": "<b>"}', NOW) for n in range(3)],
    )
    await pool.executemany(
        "INSERT INTO price_changes (supplier, supplier_plan_id, plan_id, old, new, old_currency, new_currency, at,"
        " sync_run_id) VALUES ('alpha', $1, 'jp-1gb-7d-1', $2, $3, $4, $4, $5, 'sync_01')",
        [
            ("A1", Decimal("5.2"), Decimal(5), "USD", NOW),
            ("A2", None, None, None, NOW),
            ("A2", Decimal(7), Decimal(6), "USD", NOW),
        ],
    )
    return ops


async def test_suppliers_tell_how_they_are(filled):
    page = await filled.read("/v1/ops/suppliers", Page[api_suppliers.Supplier])
    states = {s.name: (s.state, s.mode, s.offers, s.set_aside) for s in page.data}
    assert states == {"alpha": ("ok", "live", 2, 3), "beta": ("degraded", "test", 2, 0)}


async def test_an_open_breaker_is_seen(filled):
    await filled.pool.execute(
        "INSERT INTO supplier_breakers (supplier, state, failures, last_error) VALUES ('alpha', 'open', 5, 'timed out')"
    )
    page = await filled.read("/v1/ops/suppliers", Page[api_suppliers.Supplier])
    assert (page.data[0].state, page.data[0].breaker.failures, page.data[0].breaker.last_error) == (
        "degraded",
        5,
        "timed out",
    )


async def test_a_paused_supplier_stays_paused_until_it_is_resumed(filled):
    overlay = "SELECT overlay FROM catalog_state"
    before = await filled.pool.fetchval(overlay)
    for _ in range(2):
        answer = await read(await filled.post("/v1/ops/suppliers/alpha/pause"), api_suppliers.Supplier)
        assert answer.state == "paused"
    paused = await filled.pool.fetchval(overlay)
    assert paused > before
    assert filled.catalog.refreshed == 2
    page = await filled.read("/v1/ops/offers?why_not=supplier_paused", Page[shapes.Offer])
    assert [offer.id for offer in page.data] == ["off_1", "off_2"]
    answer = await read(await filled.post("/v1/ops/suppliers/alpha/resume"), api_suppliers.Supplier)
    assert answer.state == "ok"
    assert await filled.pool.fetchval(overlay) > paused
    await problem(await filled.post("/v1/ops/suppliers/nobody/pause"), 404, "not_found")


async def test_sync_runs_come_newest_first_and_account_for_everything(filled):
    page = await filled.read("/v1/ops/sync-runs", Page[api_sync.SyncRun])
    assert [run.id for run in page.data] == ["sync_02", "sync_01"]
    (part,) = page.data[1].suppliers
    assert part.total == part.mapped + sum(part.set_aside.values()) == 5


async def test_a_sync_is_queued_with_its_run(make_api):
    supplier = {"provider": "pikasim", "mode": "test", "base_url": "http://127.0.0.1:1", "api_key": "x" * 20}
    api = await make_api(suppliers={"alpha": supplier, "beta": supplier}, scopes=["ops"])
    answer = await api.post("/v1/ops/sync-runs")
    assert answer.status == 202
    run = msgspec.json.decode(await answer.read(), type=api_sync.SyncRun)
    assert run.state is None
    assert await api.pool.fetchval("SELECT suppliers FROM sync_runs WHERE id = $1", run.id) == ["alpha", "beta"]
    job = await api.pool.fetchrow("SELECT entrypoint, payload FROM pgqueuer")
    assert (job["entrypoint"], orjson.loads(job["payload"])["run_id"]) == ("sync", run.id)
    answer = await api.post("/v1/ops/sync-runs", json={"suppliers": ["beta"]})
    run = msgspec.json.decode(await answer.read(), type=api_sync.SyncRun)
    assert await api.pool.fetchval("SELECT suppliers FROM sync_runs WHERE id = $1", run.id) == ["beta"]
    await problem(await api.post("/v1/ops/sync-runs", json={"suppliers": ["nobody"]}), 404, "not_found")
    await problem(await api.post("/v1/ops/sync-runs", json={"supplier": "beta"}), 422, "invalid")


async def test_only_what_was_quarantined_can_be_accepted(make_api):
    supplier = {"provider": "pikasim", "mode": "test", "base_url": "http://127.0.0.1:1", "api_key": "x" * 20}
    api = await make_api(suppliers={"alpha": supplier}, scopes=["ops"])
    await api.pool.execute("INSERT INTO sync_runs (id, ended_at, state) VALUES ('sync_01', now(), 'partial')")
    await api.pool.execute(
        "INSERT INTO sync_run_suppliers (run_id, supplier, state) VALUES ('sync_01', 'alpha', 'quarantined')"
    )
    accept = "/v1/ops/sync-runs/sync_01/accept"
    assert (await api.post(accept, json={"supplier": "alpha"})).status == 202
    job = orjson.loads(await api.pool.fetchval("SELECT payload FROM pgqueuer"))
    assert (job["only"], job["accept"]) == (["alpha"], ["alpha"])
    await problem(await api.post(accept, json={"supplier": "beta"}), 409, "conflict")
    await problem(await api.post(accept), 415, "unsupported_media_type")
    await problem(await api.post("/v1/ops/sync-runs/sync_99/accept", json={"supplier": "alpha"}), 404, "not_found")


async def test_items_that_could_not_be_mapped_are_shown_as_they_came(filled):
    items = await filled.rows("/v1/ops/unmapped", 1)
    assert [item["supplier_plan_id"] for item in items] == ["X0", "X1", "X2"]
    assert items[0]["raw"] == '{"code": "<b>"}'
    assert len(await filled.rows("/v1/ops/unmapped?reason=no_such_country")) == 2
    assert await filled.rows("/v1/ops/unmapped?supplier=beta") == []
    await problem(await filled.get("/v1/ops/unmapped?reason=none"), 422, "invalid")


async def test_price_changes_come_newest_first(filled):
    changes = await filled.rows("/v1/ops/price-changes", 2)
    assert [(c["old"] and c["old"]["amount"], c["new"] and c["new"]["amount"]) for c in changes] == [
        ("7.00", "6.00"),
        (None, None),
        ("5.20", "5.00"),
    ]
    assert len(await filled.rows("/v1/ops/price-changes?supplier=alpha&plan_id=jp-1gb-7d-1")) == 3


async def test_offers_tell_what_keeps_them_from_sale(filled):
    offers = await filled.rows("/v1/ops/offers", 1)
    assert [(o["id"], o["selectable"], o["why_not"]) for o in offers] == [
        ("off_1", True, None),
        ("off_2", False, "out_of_stock"),
        ("off_3", False, "suspect_price"),
        ("off_4", False, "invisible"),
    ]
    assert offers[0]["price"]["amount"] == "5.50"
    assert offers[3]["cost"] is None
    assert offers[2]["stale"]


async def test_offers_can_be_looked_up_by_what_keeps_them(filled):
    expected = {
        "suspect_price": ["off_3"],
        "out_of_stock": ["off_2"],
        "no_fixed_price": ["off_4"],
        "invisible": ["off_4"],
        "stopped": [],
        "expired": [],
    }
    found = {}
    for reason in expected:
        offers = await filled.rows(f"/v1/ops/offers?why_not={reason}")
        found[reason] = [offer["id"] for offer in offers]
        assert all(offer["why_not"] == reason for offer in offers)
    assert found == expected


async def test_an_offer_without_a_rate_or_too_old_is_found_too(filled):
    await filled.pool.execute("UPDATE offers SET currency = 'XXX' WHERE id = 'off_1'")
    await filled.pool.execute("UPDATE suppliers SET last_good_at = $1 WHERE name = 'beta'", NOW - timedelta(days=3))
    assert [o["id"] for o in await filled.rows("/v1/ops/offers?why_not=no_rate")] == ["off_1"]
    assert [o["id"] for o in await filled.rows("/v1/ops/offers?why_not=expired")] == ["off_3", "off_4"]


async def test_a_suspect_or_stopped_offer_is_sold_again_once_released(filled):
    await filled.pool.execute(
        "INSERT INTO offer_marks (supplier, supplier_plan_id, why) VALUES ('beta', 'B1', 'stopped')"
    )
    before = await filled.pool.fetchval("SELECT content FROM catalog_state")
    released = await read(await filled.post("/v1/ops/offers/off_3/release"), shapes.Offer)
    assert (released.id, released.selectable, released.why_not) == ("off_3", True, None)
    assert await filled.pool.fetchval("SELECT content FROM catalog_state") == before + 1
    assert await filled.pool.fetchval("SELECT released_cost FROM offers WHERE id = 'off_3'") == Decimal("0.50")
    await problem(await filled.post("/v1/ops/offers/off_9/release"), 404, "not_found")


async def test_a_suspect_price_is_listed_with_what_it_was_compared_with(filled):
    await filled.pool.execute(
        "UPDATE offers SET suspect = 'below_others: under 25 % of 5.00', suspect_against = '{off_1,off_9}',"
        " suspect_since = $1, good_cost = 4, good_currency = 'USD' WHERE id = 'off_3'",
        NOW,
    )
    await filled.pool.execute("UPDATE offers SET suspect = 'moved: far' WHERE id = 'off_2'")
    assert [each["id"] for each in await filled.rows("/v1/ops/suspects", 1)] == ["off_2", "off_3"]
    page = await filled.read("/v1/ops/suspects?supplier=beta&rule=below_others", Page[Suspect])
    (found,) = page.data
    assert (found.rule, found.reason, found.since) == ("below_others", "under 25 % of 5.00", NOW)
    assert (found.cost.amount, found.good_cost.amount) == ("0.50", "4.00")
    assert [(each.id, each.supplier, each.cost.amount) for each in found.compared_with] == [("off_1", "alpha", "5.00")]
    assert await filled.rows("/v1/ops/suspects?rule=below_less") == []
    await problem(await filled.get("/v1/ops/suspects?rule=none"), 422, "invalid")


async def test_a_suppliers_suspect_prices_are_released_together(filled):
    await filled.pool.execute("UPDATE offers SET suspect = 'moved: far' WHERE cost IS NOT NULL")
    release = "/v1/ops/suspects/release"
    none = await read(await filled.post(release, json={"supplier": "alpha", "rule": "below_less"}), SuspectsReleased)
    assert none.released == 0
    before = await filled.pool.fetchval("SELECT content FROM catalog_state")
    done = await read(await filled.post(release, json={"supplier": "alpha", "rule": "moved"}), SuspectsReleased)
    assert done.released == 2
    assert await filled.pool.fetchval("SELECT content FROM catalog_state") == before + 1
    assert await filled.pool.fetchval("SELECT count(*) FROM offers WHERE released_cost = cost") == 2
    assert [each["id"] for each in await filled.rows("/v1/ops/suspects")] == ["off_3"]
    assert (await read(await filled.post(release, json={"supplier": "beta"}), SuspectsReleased)).released == 1
    await problem(await filled.post(release, json={"supplier": "gamma"}), 404, "not_found")
    (first, *_) = (await audit_rows.newest(filled.pool)).data
    assert (first.action, first.object, first.detail) == ("suspects.released", "supplier:beta", {"offers": 1})


async def test_nothing_of_a_quarantined_supplier_is_sold_and_the_reason_is_shown(filled):
    await filled.pool.execute("UPDATE suppliers SET quarantined = 'one cost for all' WHERE name = 'alpha'")
    held = await filled.rows("/v1/ops/offers?why_not=quarantined")
    assert [(each["id"], each["selectable"]) for each in held] == [("off_1", False), ("off_2", False)]
    problems = {each["name"]: each["problems"] for each in await filled.rows("/v1/ops/suppliers")}
    assert problems["alpha"][0]["cause"] == "quarantine"
    assert problems["alpha"][0]["reason"].endswith("one cost for all")


OPS = [
    ("GET", "/v1/ops/suspects"),
    ("POST", "/v1/ops/suspects/release"),
    ("GET", "/v1/ops/suppliers"),
    ("POST", "/v1/ops/suppliers/alpha/pause"),
    ("POST", "/v1/ops/suppliers/alpha/resume"),
    ("GET", "/v1/ops/sync-runs"),
    ("POST", "/v1/ops/sync-runs"),
    ("POST", "/v1/ops/sync-runs/sync_01/accept"),
    ("GET", "/v1/ops/unmapped"),
    ("GET", "/v1/ops/price-changes"),
    ("GET", "/v1/ops/offers"),
    ("POST", "/v1/ops/offers/off_3/release"),
]


async def test_nothing_of_it_is_for_a_storefront(api):
    for method, path in OPS:
        await problem(await api.ask(method, path), 403, "forbidden")
        await problem(await api.with_key("").ask(method, path), 401, "unauthorized")


async def test_with_the_database_gone_reads_go_on_and_operators_wait(make_api, own_servers):
    from gateway.access.key_rows import create_key
    from gateway.kit.pool import open_pool
    from gateway.migrations import upgrade

    dsn = own_servers.where.database_url
    await upgrade(dsn)
    api = await make_api(database_url=dsn)
    pool = await open_pool(dsn)
    made = await create_key(pool, storefront="shop", mode="test", scopes=["storefront", "ops"])
    unknown = await create_key(pool, storefront="shop", mode="test", scopes=["storefront", "ops"])
    await pool.close()
    api = api.with_key(made.key)
    assert (await api.get("/v1/plans")).status == 200
    own_servers.postgres.stop()
    for path in ("/v1/plans", "/v1/plans?country=JP", "/v1/countries"):
        assert (await api.get(path)).status == 200
    for answer in (
        await api.get("/v1/ops/suppliers"),
        await api.post("/v1/ops/sync-runs"),
        await api.with_key(unknown.key).get("/v1/plans"),
    ):
        await problem(answer, 503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    own_servers.postgres.start()
    assert (await api.get("/v1/ops/suppliers")).status == 200
    assert (await api.with_key(unknown.key).get("/v1/plans")).status == 200
