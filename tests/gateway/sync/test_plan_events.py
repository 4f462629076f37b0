"""What storefronts are told of plans after a sync."""

import msgspec
import pytest

from gateway.access.key_rows import create_key
from gateway.kit.sealing import Seal
from gateway.sync.plan_events import Offered, changes, publish_and_tell
from gateway.sync.run import run_sync
from gateway.webhooks import endpoints
from gateway.webhooks.endpoint_rows import Owner
from schemas.api import Price
from schemas.notice import NoticeType
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.stall import Stall, market, shelf

KEY = SECRET_KEY


def offered(plan_id, price="5.00", *, in_stock=True):
    return Offered(plan_id, plan_id.upper(), in_stock, Price(price, "USD") if price else None)


def told(before, after):
    moved, out = changes({one.id: one for one in before}, {one.id: one for one in after})
    return [(plan.id, plan.old_price.amount, plan.price.amount) for plan in moved], [plan.id for plan in out]


def test_another_price_is_told_and_so_is_a_plan_that_can_no_longer_be_sold():
    before = [offered("a"), offered("b"), offered("c"), offered("d")]
    after = [offered("a", "6.00"), offered("b", "6.00", in_stock=False), offered("d")]
    assert told(before, after) == ([("a", "5.00", "6.00")], ["b", "c"])


def test_a_plan_that_was_replaced_is_no_news():
    _, out = changes({"a": offered("a"), "b": offered("b")}, {}, {"a"})
    assert [plan.id for plan in out] == ["b"]


async def test_no_event_is_sent_for_a_plan_s_new_id(pool, tmp_path, owner):
    stall = Stall(shelf(12))
    async with market(pool, tmp_path, {"a": stall}) as m:
        settings = m.settings.model_copy(update={"secret_key": _key()})
        await endpoints.create(
            pool, Seal([KEY]), owner, url="https://shop.example.com/", events=[NoticeType.PLAN_OUT_OF_STOCK],
            description="",
        )  # fmt: skip
        await synced(m, settings)
        stall.change("p003", days=90)
        assert (await synced(m, settings)).changed
        assert await events(pool) == []


def test_what_was_not_for_sale_before_is_no_news():
    assert told([offered("a", in_stock=False)], [offered("a", "9.00"), offered("b")]) == ([], [])


@pytest.fixture
async def owner(pool):
    await create_key(pool, storefront="shop", mode="test", scopes=["storefront"])
    return Owner(await pool.fetchval("SELECT id FROM storefronts"), "live")


async def events(pool):
    seal = Seal([KEY])
    rows = await pool.fetch("SELECT type, body FROM webhook_events ORDER BY at, type")
    return [(row["type"], msgspec.json.decode(seal.open(row["body"]))["data"]["plans"]) for row in rows]


async def synced(m, settings):
    await run_sync(m.pool, m.accounts, m.settings)
    return await publish_and_tell(m.pool, None, settings)


async def test_a_sync_tells_storefronts_that_ask_of_changed_prices_and_lost_plans(pool, tmp_path, owner):
    stall = Stall(shelf(12))
    async with market(pool, tmp_path, {"a": stall}) as m:
        settings = m.settings.model_copy(update={"secret_key": _key()})
        await endpoints.create(
            pool, Seal([KEY]), owner, url="https://shop.example.com/", events=[NoticeType.PLAN_PRICE_CHANGED,
            NoticeType.PLAN_OUT_OF_STOCK], description="",
        )  # fmt: skip
        assert (await synced(m, settings)).changed
        assert await events(pool) == []
        stall.reprice("p003", "4.80")
        gone = stall.things.pop()
        assert (await synced(m, settings)).changed
        found = dict(await events(pool))
        (moved,) = found["plan.price_changed"]
        assert moved["price"] == {"amount": "5.28", "currency": "USD"}
        assert moved["old_price"]["amount"] != moved["price"]["amount"]
        (lost,) = found["plan.out_of_stock"]
        assert lost["id"] == await pool.fetchval("SELECT plan_id FROM offers WHERE supplier_plan_id = $1", gone.id)
        await synced(m, settings)
        assert len(await events(pool)) == 2


async def test_each_storefront_is_told_the_prices_of_its_own_rules(pool, tmp_path, owner):
    stall = Stall(shelf(12))
    async with market(pool, tmp_path, {"a": stall}) as m:
        settings = m.settings.model_copy(update={"secret_key": _key()})
        await create_key(pool, storefront="dear", mode="test", scopes=["storefront"])
        dear = await pool.fetchval("SELECT id FROM storefronts WHERE name = 'dear'")
        await pool.execute(
            """INSERT INTO pricing_rules (id, position, name, storefront_id, percent, currency)
               VALUES ('pr_1', 1, 'Dear', $1, 100, 'USD')""",
            dear,
        )
        for one in (owner, Owner(dear, "live")):
            await endpoints.create(
                pool, Seal([KEY]), one, url="https://shop.example.com/", events=[NoticeType.PLAN_PRICE_CHANGED],
                description="",
            )  # fmt: skip
        await synced(m, settings)
        stall.reprice("p003", "4.80")
        await synced(m, settings)
        seal = Seal([KEY])
        told = {
            row["storefront_id"]: msgspec.json.decode(seal.open(row["body"]))["data"]["plans"][0]["price"]["amount"]
            for row in await pool.fetch("SELECT storefront_id, body FROM webhook_events")
        }
        assert told == {owner.storefront_id: "5.28", dear: "9.60"}


async def test_nothing_is_written_for_who_does_not_ask(pool, tmp_path, owner):
    stall = Stall(shelf(12))
    async with market(pool, tmp_path, {"a": stall}) as m:
        settings = m.settings.model_copy(update={"secret_key": _key()})
        await endpoints.create(
            pool, Seal([KEY]), owner, url="https://shop.example.com/", events=[NoticeType.ORDER_FAILED], description=""
        )
        await synced(m, settings)
        stall.reprice("p003", "4.80")
        await synced(m, settings)
        assert await events(pool) == []


def _key():
    from pydantic import SecretStr

    return (SecretStr(KEY),)
