"""Our ledger beside the sandboxes' own books, and the walk through a restore of the database."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest

from gateway.access.key_rows import create_key
from gateway.ledger.reconcile import explain, reconcile
from gateway.orders.link_supplier_order import link_supplier_order
from gateway.orders.process import process_order
from gateway.orders.restore import release, restored
from gateway.suppliers import selling_rows
from schemas.account import Transaction, TransactionKind
from schemas.money import Money
from tests.kit.sandboxed import shop_on, stock_from
from tests.kit.shelf import settings_for
from tests.kit.working import answered

PLANS = {"beppay": "bv-1gb-1d-be1f6882a426", "pikasim": "bv-1gb-2d-06d3e3e4ddb9", "s2s": "bv-1gb-3d-06e8ea6afa94"}
REFUNDED = {"pikasim": "bv-17gb-2d-49644845abeb", "s2s": "bv-17gb-3d-5e564b06909f"}
NEVER_PROVISIONED = "bv-16gb-3d-5a6878425e12"


@pytest.fixture
async def settings(database_url, redis_url, tmp_path, suppliers):
    return settings_for(tmp_path, database_url, redis_url, suppliers=suppliers.accounts())


@pytest.fixture
async def shop(pool, database_url, settings, suppliers):
    await stock_from(pool, settings)
    await create_key(pool, storefront="shop", mode="test", scopes=["storefront"])
    storefront = await pool.fetchval("SELECT id FROM storefronts")
    async with shop_on(database_url, suppliers, settings, storefront) as made:
        yield made


async def compared(shop, first=None, last=None, only=()):
    today = datetime.now(UTC).date()
    return await reconcile(shop.deps, first or today, last or today, only)


def found(report):
    return [(part.supplier, one.what) for part in report.suppliers for one in part.differences]


async def test_a_day_of_orders_refunds_and_one_that_is_open_agrees_with_the_suppliers(shop):
    for plan in (*PLANS.values(), *REFUNDED.values()):
        await shop.buy(plan)
    waiting = await shop.buy(NEVER_PROVISIONED, seconds=1)
    assert await shop.status(waiting) == "pending"
    report = await compared(shop)
    assert [(part.supplier, part.state, part.error) for part in report.suppliers] == [
        ("beppay", "compared", None),
        ("pikasim", "compared", None),
        ("s2s", "compared", None),
    ]
    assert all(part.movements for part in report.suppliers)
    assert set(found(report)) <= {("s2s", "not_settled")}
    assert report.clean
    assert not report.sending_resumed


async def test_what_our_ledger_lacks_and_what_it_has_too_much_is_named(shop):
    orders = {supplier: await shop.buy(plan) for supplier, plan in PLANS.items()}
    pool = shop.deps.pool
    await pool.execute("DELETE FROM ledger WHERE supplier = 'pikasim'")
    await pool.execute("UPDATE ledger SET amount = amount + 1 WHERE supplier = 'beppay'")
    await pool.execute("UPDATE attempts SET supplier_order_id = 'other' WHERE supplier = 's2s'")
    report = await compared(shop)
    assert ("pikasim", "charge_not_booked") in found(report)
    assert ("beppay", "amount_differs") in found(report)
    assert not report.clean
    (missing,) = next(part for part in report.suppliers if part.supplier == "pikasim").differences
    assert missing.order_id == orders["pikasim"]
    assert missing.attempt is not None
    assert await explain(shop.deps, report, "pikasim", missing.movement, "written off")
    assert ("pikasim", "charge_not_booked") not in found(await compared(shop))
    assert not await explain(shop.deps, report, "pikasim", "charge:nothing", "?")


async def test_a_supplier_that_is_down_is_named_and_nothing_is_clean(shop):
    await shop.suppliers.tell("s2s", "faults", {"kind": "down"})
    report = await compared(shop)
    assert {part.supplier: part.state for part in report.suppliers}["s2s"] == "failed"
    assert not report.clean


async def test_another_day_has_nothing_of_today(shop):
    await shop.buy(PLANS["s2s"])
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    report = await compared(shop, yesterday, yesterday)
    assert (found(report), report.clean) == ([], True)


async def test_a_restore_buys_nothing_again_and_every_lost_purchase_is_named_and_taken_back(
    servers, shop, database_url, settings, suppliers
):
    kept = await shop.buy(PLANS["s2s"])
    # These were admitted before the backup and bought after it.
    waiting = {supplier: await shop.admit(plan) for supplier, plan in PLANS.items()}
    backup = f"{urlsplit(database_url).path.strip('/')}_backup"
    await copy(servers, database_url, backup)
    try:
        for order_id in waiting.values():
            await answered(shop.deps, order_id, 60)
            assert await shop.status(order_id) == "fulfilled"
        lost = await shop.buy(PLANS["pikasim"])  # admitted after the backup, too
        charges = len(await suppliers.charges())
        assert charges == 5
        url = servers.postgres.url(backup)
        async with shop_on(url, suppliers, settings, shop.storefront) as after:
            assert await after.status(kept) == "fulfilled"
            assert await after.status(lost) is None
            never_bought = await admitted_before_the_backup(after)
            first = (await restored(after.deps, "nightly")).day
            for order_id in (*waiting.values(), never_bought):
                await process_order(after.deps, order_id)
                assert await after.status(order_id) == "needs_review"
            assert len(await suppliers.charges()) == charges

            report = await compared(after, first)
            assert sorted(found(report)) == [
                ("beppay", "charge_without_attempt"),
                ("pikasim", "charge_without_attempt"),
                ("pikasim", "charge_without_attempt"),
                ("s2s", "charge_without_attempt"),
            ]
            assert not report.clean
            assert await selling_rows.stops(after.deps.pool) == {"": ["restored"]}

            ours = {
                row["id"]: row["order_id"] for row in await shop.deps.pool.fetch("SELECT id, order_id FROM attempts")
            }
            for one in (one for part in report.suppliers for one in part.differences):
                order_id = ours[one.reference]  # what a person reads in the supplier's books and the shop's mail
                if order_id in waiting.values():
                    assert await link_supplier_order(after.deps, order_id, one.supplier, one.reference) is None
                    await looked_up(after, order_id)
                else:
                    assert await explain(after.deps, report, one.supplier, one.movement, "refunded by hand")
            assert await after.status(waiting["s2s"]) == "fulfilled"
            assert await after.status(waiting["pikasim"]) == "fulfilled"
            assert await after.status(waiting["beppay"]) == "needs_review"  # its code was told only once
            assert len(await suppliers.charges()) == charges

            report = await compared(after, first)
            assert set(found(report)) <= {("beppay", "not_settled")}
            assert report.clean
            assert report.sending_resumed
            assert await selling_rows.stops(after.deps.pool) == {}
            assert await after.status(never_bought) == "needs_review"
            assert len(await suppliers.charges()) == charges
            assert await release(after.deps, None, "test") == [never_bought]
            await answered(after.deps, never_bought, 60)
            assert await after.status(never_bought) == "fulfilled"
            charges += 1
            assert await after.status(await after.buy(PLANS["s2s"])) == "fulfilled"
            assert len(await suppliers.charges()) == charges + 1
    finally:
        await drop(servers, backup)


async def admitted_before_the_backup(after):
    """An order of the backup that nobody bought since."""
    return await after.admit(PLANS["s2s"])


async def looked_up(after, order_id):
    """What ``orders adopt`` does next, until the supplier has delivered."""
    for _ in range(1200):
        await process_order(after.deps, order_id, poll=True)
        state = await after.deps.pool.fetchval("SELECT state FROM attempts WHERE order_id = $1", order_id)
        if state in {"succeeded", "charged_undeliverable"}:
            return
        await asyncio.sleep(0.1)


async def copy(servers, url, name):
    """A copy of a database that is in use, as a backup is."""
    connection = await asyncpg.connect(servers.postgres.url("postgres"))
    source = urlsplit(url).path.strip("/")
    try:
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", source)
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
    finally:
        await connection.close()


async def drop(servers, name):
    connection = await asyncpg.connect(servers.postgres.url("postgres"))
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    finally:
        await connection.close()


async def test_a_charge_that_nobody_told_is_named_by_the_suppliers_books(shop):
    """The purchase's answer may leave out what it took, and BepPay's never has the order's number."""
    told = await shop.buy(PLANS["beppay"])
    provider = shop.deps.accounts["beppay"].provider
    purchase = provider.purchase

    async def silent(request):
        return msgspec.structs.replace(await purchase(request), charged=None)

    provider.purchase = silent
    untold = await shop.buy(PLANS["beppay"])
    pool = shop.deps.pool
    assert [await shop.status(one) for one in (told, untold)] == ["fulfilled", "fulfilled"]
    assert await pool.fetchval("SELECT count(*) FROM attempts WHERE supplier_order_id IS NOT NULL") == 0
    assert [row["order_id"] for row in await pool.fetch("SELECT order_id FROM ledger")] == [told]
    assert await pool.fetchval("SELECT charged FROM attempts WHERE order_id = $1", untold) is None
    report = await compared(shop, only=("beppay",))
    ((one,),) = [part.differences for part in report.suppliers]
    assert (one.what, one.order_id, one.ours, one.theirs.amount) == ("charge_not_booked", untold, None, 10)
    assert not report.clean


async def test_money_that_moved_for_a_reason_that_no_page_names_is_named(shop, monkeypatch):
    provider = shop.deps.accounts["s2s"].provider
    at = shop.deps.clock()

    async def transactions(_since):
        for kind, amount in (("other", "-3"), ("adjustment", "2"), ("deposit", "100"), ("other", "0")):
            yield Transaction(TransactionKind(kind), Money(Decimal(amount), "USD"), at, None, f"t{amount}")

    monkeypatch.setattr(provider, "transactions", transactions)
    report = await compared(shop, only=("s2s",))
    ((fee, bonus),) = [part.differences for part in report.suppliers]
    assert {(one.what, one.movement, str(one.theirs)) for one in (fee, bonus)} == {
        ("movement_without_order", "charge:t-3", "3.00 USD"),
        ("movement_without_order", "refund:t2", "2.00 USD"),
    }
