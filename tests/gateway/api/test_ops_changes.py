"""What operators see of the suppliers' past over the API, on real rows."""

from datetime import timedelta
from decimal import Decimal

import pytest

from schemas import api_changes as shapes
from schemas.page import Page
from tests.gateway.api.test_ops import NOW, filled  # noqa: F401 - a fixture
from tests.kit.answers import problem, read

PLAN = "jp-1gb-7d-1"


@pytest.fixture
async def moved(filled):  # noqa: F811 - the fixture
    """One price up by a tenth, one down by a half, one offer gone, one sold out; one sync that waits."""
    pool = filled.pool
    await pool.execute("DELETE FROM price_changes")
    await pool.executemany(
        "INSERT INTO price_changes (supplier, supplier_plan_id, plan_id, old, new, old_currency, new_currency, at,"
        " sync_run_id) VALUES ($1, $2, $6, $3, $4, 'USD', 'USD', $5, 'sync_01')",
        [
            ("alpha", "A1", Decimal("4.50"), Decimal(5), NOW - timedelta(hours=1), PLAN),
            ("beta", "B1", Decimal(1), Decimal("0.50"), NOW, PLAN),
        ],
    )
    await pool.executemany(
        "INSERT INTO offer_events (at, supplier, supplier_plan_id, plan_id, kind, cost, currency, sync_run_id)"
        " VALUES ($1, 'alpha', $2, $4, $3, 6, 'USD', 'sync_01')",
        [
            (NOW - timedelta(hours=2), "A2", "out_of_stock", PLAN),
            (NOW - timedelta(hours=3), "A9", "gone", "fr-1gb-7d-1"),
        ],
    )
    await pool.execute(
        "UPDATE sync_run_suppliers SET at = $1, up = 1, out_of_stock = 1 WHERE run_id = 'sync_01'",
        NOW - timedelta(minutes=5),
    )
    await pool.execute(
        "INSERT INTO quarantines (run_id, supplier, at, reason, before, new, changed, gone, up, down, moved_far,"
        " difference) VALUES ('sync_02', 'beta', $1, 'all of it moved', 2, 1, 1, 1, 0, 1, 1, 'd')",
        NOW,
    )
    await pool.executemany(
        "INSERT INTO quarantine_rows VALUES ('sync_02', 'beta', $1, $2, $3, $4, $3, $5, 'USD', $6, 'USD', $7)",
        [
            ("moved", 1, "B1", PLAN, Decimal("0.50"), Decimal("0.05"), -0.9),
            ("gone", 1, "B2", PLAN, Decimal(2), None, None),
            ("new", 1, "B3", "de-1gb-7d-1", None, Decimal(7), None),
        ],
    )
    return filled


def told(items):
    return [(item["kind"], item["supplier_plan_id"]) for item in items]


async def test_changes_come_newest_first_in_pages_and_by_every_filter(moved):
    everything = [("down", "B1"), ("up", "A1"), ("stock", "A2"), ("gone", "A9")]
    assert told(await moved.rows("/v1/ops/changes", 1)) == everything
    since = (NOW - timedelta(minutes=90)).isoformat().replace("+", "%2B")
    for query, wanted in {
        "kind=up&kind=gone": [("up", "A1"), ("gone", "A9")],
        "supplier=beta": [("down", "B1")],
        "mode=live": everything[1:],
        f"plan_id={PLAN}": everything[:3],
        f"since={since}": everything[:2],
        "min_percent=20": [("down", "B1"), ("stock", "A2"), ("gone", "A9")],
        "kind=up&kind=down&min_amount=0.50": everything[:2],
        "country=JP&kind=up": [("up", "A1")],
        "country=FR": [],
    }.items():
        assert told(await moved.rows(f"/v1/ops/changes?{query}", 2)) == wanted, query
    page = await moved.read("/v1/ops/changes?kind=up", Page[shapes.Change])
    (change,) = page.data
    assert (change.old.amount, change.new.amount, change.amount.amount, change.percent) == (
        "4.50",
        "5.00",
        "0.50",
        11.11,
    )
    for bad in (
        "kind=sideways",
        "min_percent=-1",
        "since=lately",
        "country=Japan",
        "country=ZZ",
        "mode=both",
        "supplier=A%20B",
    ):
        await problem(await moved.get(f"/v1/ops/changes?{bad}"), 422, "invalid")


async def test_a_summary_says_what_changed_since(moved):
    await problem(await moved.get("/v1/ops/changes/summary"), 422, "invalid")
    since = (NOW - timedelta(days=1)).isoformat().replace("+", "%2B")
    found = await moved.read(f"/v1/ops/changes/summary?since={since}", shapes.ChangeSummary)
    by_name = {one.supplier: one for one in found.suppliers}
    assert (by_name["alpha"].up, by_name["alpha"].out_of_stock, by_name["beta"].quarantined) == (1, 1, 1)
    assert [(c.country, c.up, c.down, c.stock) for c in found.countries] == [("JP", 1, 1, 1)]
    assert [change.percent for change in found.largest] == [-50.0, 11.11]
    assert (found.complete, found.looked_at) == (True, 4)
    only = await moved.read(f"/v1/ops/changes/summary?since={since}&mode=live", shapes.ChangeSummary)
    assert [one.supplier for one in only.suppliers] == ["alpha"]


async def test_a_history_is_found_by_plan_and_by_offer(moved):
    await moved.pool.execute("UPDATE offers SET first_seen_at = $1", NOW - timedelta(days=60))
    found = await moved.read(f"/v1/ops/price-history?plan_id={PLAN}", shapes.PriceHistory)
    steps = {offer.offer_id: [step.cost and step.cost.amount for step in offer.steps] for offer in found.offers}
    assert steps == {"off_3": ["1.00", "0.50"], "off_1": ["4.50", "5.00"], "off_2": ["6.00"], "off_4": [None]}
    assert found.gaps == [], "no sync of a supplier was missed since its first one"
    one = await moved.read(f"/v1/ops/price-history?plan_id={PLAN}&offer_id=off_1&mode=live", shapes.PriceHistory)
    assert [offer.offer_id for offer in one.offers] == ["off_1"]
    await problem(await moved.get("/v1/ops/price-history?plan_id=none"), 404, "not_found")
    await problem(await moved.get(f"/v1/ops/price-history?plan_id={PLAN}&offer_id=off_none"), 404, "not_found")
    await problem(await moved.get("/v1/ops/price-history"), 422, "invalid")


async def test_one_sync_is_shown_in_full_with_what_it_holds(moved):
    run = await moved.read("/v1/ops/sync-runs/sync_02", shapes.SyncRunDetail)
    assert (run.state, [one.state for one in run.quarantines]) == ("partial", ["waiting"])
    await problem(await moved.get("/v1/ops/sync-runs/sync_99"), 404, "not_found")
    path = "/v1/ops/sync-runs/sync_02/difference?supplier=beta"
    rows = await moved.rows(path, 1)
    assert told(rows) == [("moved", "B1"), ("gone", "B2"), ("new", "B3")]
    page = await moved.read(f"{path}&kind=moved", shapes.DifferencePage)
    assert (page.data[0].percent, page.data[0].offer_id, page.quarantine.reason) == (-90.0, "off_3", "all of it moved")
    await problem(await moved.get("/v1/ops/sync-runs/sync_01/difference?supplier=alpha"), 404, "not_found")
    await problem(await moved.get("/v1/ops/sync-runs/sync_02/difference"), 422, "invalid")


async def test_a_refusal_is_kept_with_whose_key_it_was(make_api):
    supplier = {"provider": "pikasim", "mode": "test", "base_url": "http://127.0.0.1:1", "api_key": "x" * 20}
    api = await make_api(suppliers={"beta": supplier}, scopes=["ops"])
    await api.pool.execute("INSERT INTO sync_runs (id, ended_at, state) VALUES ('sync_02', now(), 'partial')")
    await api.pool.execute(
        "INSERT INTO sync_run_suppliers (run_id, supplier, state) VALUES ('sync_02', 'beta', 'quarantined')"
    )
    await api.pool.execute(
        "INSERT INTO quarantines (run_id, supplier, at, reason, before, new, changed, gone, up, down, moved_far,"
        " difference) VALUES ('sync_02', 'beta', now(), 'all of it moved', 2, 1, 1, 1, 0, 1, 1, 'd')"
    )
    path = "/v1/ops/sync-runs/sync_02/refuse"
    for body in ({"supplier": "beta"}, {"supplier": "beta", "why": ""}, {"supplier": "beta", "why": "x" * 501}):
        await problem(await api.post(path, json=body), 422, "invalid")
    held = await read(await api.post(path, json={"supplier": "beta", "why": "their fault"}), shapes.Quarantine)
    assert (held.state, held.why) == ("refused", "their fault")
    assert held.decided_by.startswith("key ")
    assert held.decided_by.endswith(" of shop")
    await problem(await api.post(path, json={"supplier": "beta", "why": "again"}), 409, "conflict")
    await problem(
        await api.post("/v1/ops/sync-runs/sync_99/refuse", json={"supplier": "beta", "why": "x"}), 404, "not_found"
    )
    assert (await api.post("/v1/ops/sync-runs/sync_02/accept", json={"supplier": "beta"})).status == 202
    actions = [row["action"] for row in await api.pool.fetch("SELECT action FROM audit_log ORDER BY id")]
    assert actions == ["quarantine.refused", "quarantine.accepted"]
