"""What operators see of suppliers, words and jobs over the API, at suppliers that answer."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.access import audit_rows
from gateway.api import state
from gateway.kit.settings import load
from gateway.suppliers import balance_rows
from gateway.suppliers.accounts import check_accounts, close_accounts, connect_accounts
from gateway.suppliers.balances import POLL_EVERY, poll_if_due
from gateway.suppliers.days_left_rules import days_left, spent_per_day
from gateway.sync.mapped_by import mapping_of
from gateway.sync.mapping_rows import load_overrides
from gateway.sync.mappings import toml
from gateway.sync.run import run_sync
from providers.kit.supplier_rate import Priority
from providers.kit.term_mappings import read_toml
from schemas import api_suppliers
from schemas.api_mappings import MappingEffect, StoredMapping, UnmappedGroup
from schemas.api_suppliers import JobPage, Setting, SupplierBalance, SupplierFigures
from schemas.page import Page
from tests.kit.answers import problem, read
from tests.kit.secret_keys import SECRET_KEY

PLAN = "bv-1gb-2d-06d3e3e4ddb9"


def deps_of(ops):
    return ops.client.app[state.DEPS]


async def groups(ops, query=""):
    return (await ops.read(f"/v1/ops/unmapped/groups?limit=200{query}", Page[UnmappedGroup])).data


async def test_suppliers_are_asked_for_our_money_now_and_then_behind_everything_else(shop):
    deps, now = deps_of(shop.ops), datetime.now(UTC)
    asked = []
    for account in deps.accounts.values():
        first = account.limiter.admit

        async def admit(priority, *, write=False, first=first):
            asked.append(priority)
            await first(priority, write=write)

        account.limiter.admit = admit
    assert await poll_if_due(deps.pool, deps.accounts, now) == ["beppay", "pikasim", "s2s"]
    assert asked == [Priority.USAGE] * 3
    assert await poll_if_due(deps.pool, deps.accounts, now + POLL_EVERY / 2) == []
    await shop.town.tell("s2s", "faults", {"kind": "down"})
    later = now + POLL_EVERY + timedelta(seconds=1)
    assert await poll_if_due(deps.pool, deps.accounts, later) == ["beppay", "pikasim", "s2s"]
    page = await shop.ops.read("/v1/ops/balances", Page[SupplierBalance])
    told = {one.supplier: one for one in page.data}
    assert told["pikasim"].at == later.replace(microsecond=later.microsecond)
    assert told["s2s"].at == now
    assert (told["s2s"].asked_at, bool(told["s2s"].error), told["s2s"].why_none) == (later, True, None)
    assert Decimal(told["s2s"].spendable.amount) > Decimal(told["s2s"].balance.amount)
    listed = await shop.ops.read("/v1/ops/suppliers", Page[api_suppliers.Supplier])
    assert {one.name: one.balance for one in listed.data} == {name: one.balance for name, one in told.items()}
    # Old figures go, so that the history stays short.
    await poll_if_due(deps.pool, deps.accounts, now + balance_rows.KEPT + timedelta(minutes=1))
    assert await deps.pool.fetchval("SELECT count(*) FROM supplier_balances WHERE supplier = 'pikasim'") == 2


async def test_days_left_go_by_what_the_ledger_says_was_spent(shop):
    deps, now = deps_of(shop.ops), datetime.now(UTC)
    order = await (await shop.order({"plan_id": PLAN})).json()
    charged = await deps.pool.fetchrow("SELECT supplier, amount, currency FROM ledger WHERE order_id = $1", order["id"])
    await poll_if_due(deps.pool, deps.accounts, now)
    page = await shop.ops.read("/v1/ops/balances", Page[SupplierBalance])
    for one in page.data:
        if one.supplier != charged["supplier"]:
            assert (one.spent_per_day, one.days_left) == (None, None)
            continue
        assert (Decimal(one.spent_per_day.amount), one.spent_per_day.currency) == (
            charged["amount"].quantize(Decimal("0.01")), charged["currency"],
        )  # fmt: skip
        assert one.days_left == float(
            min(Decimal(9999), Decimal(one.spendable.amount) / charged["amount"] // Decimal("0.1") / 10)
        )


async def test_what_two_weeks_cost_is_summed_once_for_all_pages_of_a_minute(shop, monkeypatch):
    summed = []

    async def spent(pool, names, since):
        summed.append(names)
        return await balance_rows_spent(pool, names, since)

    balance_rows_spent = balance_rows.spent
    monkeypatch.setattr(balance_rows, "spent", spent)
    for _ in range(3):
        await shop.ops.read("/v1/ops/balances", Page[SupplierBalance])
        await shop.ops.read("/v1/ops/suppliers", Page[api_suppliers.Supplier])
    assert len(summed) == 1


def test_the_pace_is_that_of_the_days_since_the_first_purchase_up_to_fourteen():
    now = datetime(2026, 11, 20, tzinfo=UTC)
    assert spent_per_day(Decimal(28), now - timedelta(days=100), now) == 2
    assert spent_per_day(Decimal(28), now - timedelta(days=7), now) == 4
    assert spent_per_day(Decimal(28), now - timedelta(hours=1), now) == 28
    assert spent_per_day(Decimal(0), now - timedelta(days=7), now) is None
    assert spent_per_day(Decimal(5), None, now) is None
    assert days_left(Decimal(10), Decimal(3)) == Decimal("3.3")
    assert days_left(Decimal(-1), None) == 0
    assert days_left(Decimal(10), None) is None
    assert days_left(Decimal(10), Decimal("0.0001")) == 9999


async def test_a_supplier_that_tells_no_balance_says_why(make_api):
    supplier = {"provider": "pikasim", "mode": "test", "base_url": "http://127.0.0.1:1", "api_key": "x" * 20}
    api = await make_api(suppliers={"lonely": supplier})
    await api.pool.execute("INSERT INTO suppliers (name, provider, mode) VALUES ('lonely', 'pikasim', 'test')")
    ops = api.with_key(await api.make_key("ops"))
    (one,) = (await ops.read("/v1/ops/balances", Page[SupplierBalance])).data
    assert one.balance is None
    assert "not asked for yet" in one.why_none
    await poll_if_due(ops.pool, deps_of(ops).accounts, datetime.now(UTC))
    (one,) = (await ops.read("/v1/ops/balances", Page[SupplierBalance])).data
    assert one.why_none == one.error


async def test_figures_count_attempts_and_how_long_the_answers_took(shop):
    pool = shop.ops.pool
    for _ in range(3):
        await shop.order({"plan_id": PLAN})
    (supplier,) = {row["supplier"] for row in await pool.fetch("SELECT supplier FROM attempts")}
    for at, row in enumerate(await pool.fetch("SELECT id FROM attempts ORDER BY id")):
        await pool.execute(
            "UPDATE attempts SET call_ended_at = started_at + make_interval(secs => $2) WHERE id = $1",
            row["id"], 0.1 * (at + 1),
        )  # fmt: skip
    one = await shop.ops.read(f"/v1/ops/suppliers/{supplier}", SupplierFigures)
    assert (one.orders.attempts, one.orders.succeeded, one.orders.success_rate) == (3, 3, 1.0)
    assert (one.orders.p50_ms, one.orders.p95_ms) == (200, 290)
    assert (one.syncs.syncs, one.syncs.success_rate, one.freshness) == (1, 1.0, "fresh")
    assert one.syncs.p50_ms > 0
    first = await pool.fetchval("SELECT min(id) FROM attempts")
    await pool.execute("UPDATE attempts SET state = 'unknown', call_ended_at = NULL WHERE id = $1", first)
    await pool.execute("UPDATE attempts SET started_at = started_at - interval '2 days' WHERE id > $1", first)
    one = await shop.ops.read(f"/v1/ops/suppliers/{supplier}", SupplierFigures)
    assert (one.orders.attempts, one.orders.open, one.open_attempts) == (1, 1, 1)
    assert (one.orders.success_rate, one.orders.p50_ms) == (None, None)
    longer = await shop.ops.read(f"/v1/ops/suppliers/{supplier}?hours=72", SupplierFigures)
    assert longer.orders.attempts == 3
    await problem(await shop.ops.get("/v1/ops/suppliers/nobody"), 404, "not_found")


async def test_offers_are_counted_by_what_keeps_them_from_sale_as_the_list_of_offers_tells_it(shop):
    page = await shop.ops.read("/v1/ops/supplier-figures?mode=test", Page[SupplierFigures])
    assert [one.supplier.name for one in page.data] == ["beppay", "pikasim", "s2s"]
    for reason in ("out_of_stock", "invisible", "thin_margin"):
        assert sum(one.why_not.get(reason, 0) for one in page.data) == len(
            await shop.ops.rows(f"/v1/ops/offers?why_not={reason}")
        ), reason
    assert sum(sum(one.why_not.values()) for one in page.data) > 0
    for one in page.data:
        assert one.supplier.offers - sum(one.why_not.values()) <= one.selectable <= one.supplier.offers
    assert (await shop.ops.read("/v1/ops/supplier-figures?mode=live", Page[SupplierFigures])).data == []


async def test_a_stop_of_selling_stands_beside_its_supplier_and_in_the_log(shop):
    body = {"supplier": "pikasim", "note": "wrong prices"}
    assert (await shop.ops.post("/v1/ops/selling-stops", json=body)).status == 201
    one = await shop.ops.read("/v1/ops/suppliers/pikasim", SupplierFigures)
    assert [(stop.reason, stop.note, stop.everything) for stop in one.stops] == [("person", "wrong prices", False)]
    assert (await shop.ops.post("/v1/ops/selling-stops", json={})).status == 201
    one = await shop.ops.read("/v1/ops/suppliers/pikasim", SupplierFigures)
    assert [stop.everything for stop in one.stops] == [True, False]
    for lifted in ("", "?supplier=pikasim"):
        assert (await shop.ops.ask("DELETE", f"/v1/ops/selling-stops{lifted}")).status == 200
    entries = (await audit_rows.newest(shop.ops.pool, action="selling.")).data
    assert [entry.action for entry in reversed(entries)] == ["selling.stopped"] * 2 + ["selling.resumed"] * 2
    assert all(entry.actor.startswith("key key_") for entry in entries)


async def test_what_was_not_understood_stands_word_by_word_with_the_money_that_hangs_on_it(shop):
    found = await groups(shop.ops)
    rows = await shop.ops.pool.fetch("SELECT supplier, reason, about, words, detail, cost FROM set_aside")
    assert {(one.supplier, one.reason.value) for one in found} == {(row["supplier"], row["reason"]) for row in rows}
    for one in found:
        mine = [
            row for row in rows
            if (row["supplier"], row["reason"], row["about"]) == (one.supplier, one.reason.value, one.about.value)
            and one.word in (row["words"] or [row["detail"][:100] if not row["about"] else ""])
        ]  # fmt: skip
        costs = sorted(row["cost"] for row in mine if row["cost"] is not None)
        assert (one.offers, one.priced) == (len(mine), len(costs)), one
        total = None if one.cost_total is None else Decimal(one.cost_total.amount)
        assert total == (sum(costs) if costs else None)
        if costs:
            assert Decimal(one.cost_median.amount) == costs[(len(costs) - 1) // 2]
    places = [one for one in found if one.about == "place" and one.word]
    assert places
    assert all(one.can_be_told for one in places)
    some = await groups(shop.ops, "&supplier=s2s&about=place")
    assert some
    assert {(one.supplier, one.about.value) for one in some} == {("s2s", "place")}
    first = await (await shop.ops.get("/v1/ops/unmapped/groups?limit=2")).json()
    second = await (await shop.ops.get(f"/v1/ops/unmapped/groups?limit=2&cursor={first['next_cursor']}")).json()
    assert [one["word"] for one in first["data"] + second["data"]] == [one.word for one in found[:4]]


@pytest.mark.parametrize("provider", ["beppay", "pikasim", "s2s"])
async def test_what_a_preview_counts_is_what_the_next_sync_maps_and_nothing_else_changes(shop, provider):
    ops, pool = shop.ops, shop.ops.pool
    one = next(one for one in await groups(ops, f"&supplier={provider}&about=place") if one.word)
    wanted = {"provider": provider, "about": "place", "word": one.word, "means": "IS NO"}
    unchanged = "SELECT md5(string_agg(o::text, ',' ORDER BY id)) FROM (SELECT id, plan_id, cost FROM offers) o"
    before = await pool.fetchval(unchanged)
    effect = await read(await ops.post("/v1/ops/mappings/preview", json=wanted), MappingEffect)
    assert effect.would_map + sum(effect.still_set_aside.values()) == effect.tried == one.offers
    assert effect.would_map > 0
    assert await pool.fetchval(unchanged) == before
    assert not await pool.fetchval("SELECT count(*) FROM mappings")

    answer = await ops.post("/v1/ops/mappings", json=wanted)
    assert answer.status == 201
    made = await answer.json()
    assert (made["applied"], made["created_by"][:8]) == (False, "key key_")
    ids = set(await pool.fetchval("SELECT array_agg(supplier_plan_id) FROM offers WHERE gone_at IS NULL"))
    await sync(ops, provider)
    now = set(await pool.fetchval("SELECT array_agg(supplier_plan_id) FROM offers WHERE gone_at IS NULL"))
    assert ids < now
    assert len(now - ids) == effect.would_map
    assert {each.supplier_plan_id for each in effect.examples} <= now - ids
    (listed,) = (await ops.read("/v1/ops/mappings", Page[StoredMapping])).data
    assert listed.applied
    (kept,) = read_toml(await toml(pool))
    assert (kept.provider, kept.word, kept.means) == (provider, one.word, "IS NO")

    assert (await ops.ask("DELETE", f"/v1/ops/mappings/{made['id']}")).status == 200
    await problem(await ops.ask("DELETE", f"/v1/ops/mappings/{made['id']}"), 404, "not_found")
    await sync(ops, provider)
    again = set(await pool.fetchval("SELECT array_agg(supplier_plan_id) FROM offers WHERE gone_at IS NULL"))
    assert again == ids
    actions = [entry.action for entry in (await audit_rows.newest(pool, action="mapping.")).data]
    assert actions == ["mapping.forgotten", "mapping.told"]


async def test_a_mapping_s_mark_changes_with_what_was_told_of_its_provider_alone(shop):
    deps, pool = deps_of(shop.ops), shop.ops.pool
    pikasim = deps.accounts["pikasim"].provider
    plain = mapping_of(pikasim, await load_overrides(pool, "pikasim"))
    assert plain == mapping_of(pikasim)
    for provider, changes in (("beppay", False), ("pikasim", True)):
        body = {"provider": provider, "about": "place", "word": "Bali City", "means": "ID"}
        assert (await shop.ops.post("/v1/ops/mappings", json=body)).status == 201
        assert (mapping_of(pikasim, await load_overrides(pool, "pikasim")) != plain) is changes


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"about": "place", "word": "Japan", "means": "KR"}, 409),
        ({"about": "place", "word": "Narnia", "means": "DE FR"}, 409),
        ({"about": "place", "word": "Narnia", "means": "XX"}, 409),
        ({"about": "place", "word": "Narnia", "means": "Germany"}, 422),
        ({"about": "unit", "word": "week", "means": "7", "provider": "nobody"}, 409),
        ({"about": "unit", "word": "week", "means": "7", "supplier": "nobody"}, 409),
        ({"about": "unit", "word": "week", "means": "7", "supplier": "pikasim", "provider": "s2s"}, 409),
        ({"about": "data_type", "word": "9", "means": "JP"}, 422),
        ({"about": "unit", "word": "week"}, 422),
    ],
)
async def test_what_cannot_be_told_is_refused_and_nothing_is_kept(shop, body, status):
    for path in ("/v1/ops/mappings", "/v1/ops/mappings/preview"):
        assert (await shop.ops.post(path, json=body)).status == status
    assert not await shop.ops.pool.fetchval("SELECT count(*) FROM mappings")


async def test_the_queue_tells_what_waits_and_no_payload_of_strangers(ops):
    await ops.pool.execute(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, created, execute_after)"
        " VALUES (0, 'queued', 'another', $1, now() - interval '1 hour', now() - interval '1 hour'),"
        "        (0, 'queued', 'another', $1, now(), now() + interval '1 hour'),"
        "        (0, 'picked', 'sync', '{}', now(), now()), (0, 'queued', 'stranger', $2, now(), now())",
        b'{"order_id": "ord_1"}', b'{"token": "secret"}',
    )  # fmt: skip
    await ops.pool.execute(
        "INSERT INTO pgqueuer_schedules (expression, entrypoint, next_run)"
        " VALUES ('* * * * *', 'balances_if_due', now() - interval '1 hour')"
    )
    answer = await ops.get("/v1/ops/jobs?limit=3")
    assert "secret" not in await answer.text()
    page = await read(answer, JobPage)
    assert [(job.kind, job.state, job.about) for job in page.data] == [
        ("another", "queued", ""), ("another", "queued", ""), ("sync", "picked", "all suppliers"),
    ]  # fmt: skip
    rest = await ops.read(f"/v1/ops/jobs?limit=3&cursor={page.next_cursor}", JobPage)
    assert [(job.kind, job.about) for job in rest.data] == [("stranger", "")]
    kinds = {one.kind: (one.waiting, one.late, one.running) for one in page.kinds}
    assert kinds == {"another": (2, 1, 0), "sync": (0, 0, 1), "stranger": (1, 1, 0)}
    assert [(one.name, one.overdue) for one in page.schedules] == [("balances_if_due", True)]


async def test_every_setting_is_told_with_its_meaning_and_no_secret(make_api):
    secret = SECRET_KEY
    supplier = {"provider": "s2s", "mode": "test", "base_url": "http://127.0.0.1:1", "token": secret,
                "partner_secret": secret, "attributes": {"days": "validity"}}  # fmt: skip
    api = await make_api(suppliers={"dist": supplier}, secret_key=[secret])
    answer = await api.with_key(await api.make_key("ops")).get("/v1/ops/settings")
    assert secret not in await answer.text()
    found = {one.name: one for one in (await read(answer, Page[Setting])).data}
    assert all(one.meaning for one in found.values()), [name for name, one in found.items() if not one.meaning]
    for name in ("database_url", "secret_key", "suppliers.dist.token", "suppliers.dist.partner_secret"):
        assert (found[name].value, found[name].secret, found[name].is_set) == (None, True, True), name
    assert found["suppliers.dist.attributes.days"].value == "validity"
    assert found["suppliers.dist.base_url"].source == "start"
    assert (found["redis_url"].is_set, found["sync.interval_seconds"].value) == (True, "900")
    for section in type(load()).model_fields:
        assert section == "suppliers" or any(name.split(".")[0] == section for name in found), section


async def sync(ops, only):
    settings = ops.client.app[state.SETTINGS]
    accounts = await connect_accounts(check_accounts(settings), ops.pool)
    try:
        run = await run_sync(ops.pool, accounts, settings, only=[only])
    finally:
        await close_accounts(accounts.values())
    assert run.state == "ok", run
