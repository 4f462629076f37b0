import asyncio
import shutil
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gateway.catalog import browse, snapshot_files
from gateway.catalog.browse import Catalog
from gateway.catalog.index import PlanQuery
from gateway.catalog.index.featured import OFTEN
from gateway.catalog.publish import publish
from gateway.kit.pool import open_pool
from schemas import api
from schemas.features import Wanted
from schemas.plan import Features
from tests.kit.made_up_market import Item, offer, some_items
from tests.kit.shelf import settings_for, stock
from tests.kit.waiting import until

DEAR, CHEAP = Item("a", offer("dear", cost="9.00")), Item("b", offer("cheap", cost="5.00"))
PLAN = offer("cheap").plan_id


@pytest.fixture
def settings(tmp_path, database_url, redis_url):
    return settings_for(tmp_path, database_url, redis_url)


@asynccontextmanager
async def opened(settings, pool, redis=None):
    catalog = await Catalog.open(settings, pool, redis)
    try:
        yield catalog
    finally:
        await catalog.close()


def shown(catalog, plan_id=PLAN):
    body = catalog.index("live").plan(plan_id)
    return msgspec.json.decode(body, type=api.Plan) if isinstance(body, bytes) else body


async def test_before_anything_was_synced_there_is_an_empty_catalogue(pool, settings) -> None:
    async with opened(settings, pool) as catalog:
        assert catalog.loaded
        assert catalog.degraded == ()
        assert catalog.index("live").offer_count == 0
        assert msgspec.json.decode(catalog.index("test").plans(PlanQuery()).body, type=api.PlanList).data == []


async def test_a_published_catalogue_is_taken_over_without_being_told(pool, settings) -> None:
    async with opened(settings, pool) as catalog:
        await stock(pool, [DEAR, CHEAP])
        await publish(pool, None, settings)
        await until(lambda: catalog.index("live").offer_count == 2)
        assert shown(catalog).price.amount == "5.50"


async def test_a_notice_from_redis_wakes_the_watcher(pool, settings, redis, monkeypatch) -> None:
    monkeypatch.setattr(browse, "TICK_SECONDS", 3600.0)
    async with opened(settings, pool, redis) as catalog:
        await until(lambda: catalog.listening)
        await stock(pool, [DEAR, CHEAP])
        await publish(pool, redis, settings)
        await until(lambda: catalog.index("live").offer_count == 2)


async def test_marks_and_pauses_are_in_force_without_any_sync_process_and_change_the_version(pool, settings) -> None:
    await stock(pool, [DEAR, CHEAP])
    await publish(pool, None, settings)
    async with opened(settings, pool) as catalog:
        first = catalog.index("live").version
        await pool.execute(
            "INSERT INTO offer_marks (supplier, supplier_plan_id, why) VALUES ('b', 'cheap', 'out_of_stock')"
        )
        await until(lambda: shown(catalog).price.amount == "9.90")
        second = catalog.index("live").version
        await pool.execute("UPDATE suppliers SET state = 'paused' WHERE name = 'a'")
        await until(lambda: not shown(catalog).in_stock)
        third = catalog.index("live").version
        assert shown(catalog).price.amount == "5.50"
        await pool.execute("DELETE FROM offer_marks")
        await pool.execute("UPDATE suppliers SET state = 'active'")
        await until(lambda: catalog.index("live").version == first)
        assert len({first, second, third}) == 3


async def test_features_asked_for_often_are_got_ready_beside_the_answers(pool, settings) -> None:
    async with opened(settings, pool) as catalog:
        await stock(pool, [CHEAP, Item("a", offer("dear", cost="9.00", features=Features(topup=True)))])
        await publish(pool, None, settings)
        await until(lambda: catalog.index("live").offer_count == 2)
        for _ in range(OFTEN):
            assert not catalog.index("live").featured.made
            catalog.index("live").plans(PlanQuery(wanted=Wanted(topup=True)))
        await until(lambda: catalog.index("live").featured.made)


async def test_a_mark_ends_by_the_clock(pool, settings) -> None:
    await stock(pool, [DEAR, CHEAP])
    await publish(pool, None, settings)
    await pool.execute(
        "INSERT INTO offer_marks (supplier, supplier_plan_id, why, until) VALUES ('b', 'cheap', 'stopped', $1)",
        datetime.now(UTC) + timedelta(seconds=10),
    )
    async with opened(settings, pool) as catalog:
        assert shown(catalog).price.amount == "9.90"
        await until(lambda: shown(catalog).price.amount == "5.50")


async def test_offers_go_stale_and_expire_by_the_clock_alone(pool, tmp_path, database_url) -> None:
    sync = {"interval_seconds": 1, "expire_after_seconds": 10}
    settings = settings_for(tmp_path, database_url, sync=sync)
    await stock(pool, [CHEAP], at=datetime.now(UTC))
    await publish(pool, None, settings)
    async with opened(settings, pool) as catalog:
        await until(lambda: shown(catalog).stale)
        assert shown(catalog).in_stock
        await until(lambda: not shown(catalog).in_stock)
        offers = msgspec.json.decode(catalog.index("live").offers(PLAN), type=api.OfferList).data
        assert offers[0].why_not == "expired"


async def test_a_process_on_another_host_gets_the_catalogue_from_redis(
    pool, settings, redis, tmp_path, database_url
) -> None:
    await stock(pool, some_items(2, 50))
    published = await publish(pool, redis, settings)
    elsewhere = settings_for(tmp_path / "elsewhere", database_url)
    async with opened(elsewhere, pool, redis) as catalog:
        assert catalog.index("live").snapshot.digest == published.versions["live"]


async def test_with_redis_empty_and_no_file_another_process_builds_it_from_postgresql(pool, settings, redis) -> None:
    await stock(pool, [DEAR, CHEAP])
    published = await publish(pool, None, settings)
    shutil.rmtree(settings.state_dir / "catalog")
    async with opened(settings, pool, redis) as catalog:
        assert catalog.index("live").snapshot.digest == published.versions["live"]
        assert await snapshot_files.holds(redis, "live", published.versions["live"])


async def test_what_nobody_publishes_is_published_by_the_serving_process(pool, settings, monkeypatch) -> None:
    monkeypatch.setattr(browse, "LAG_SECONDS", 0.1)
    async with opened(settings, pool) as catalog:
        await stock(pool, [DEAR, CHEAP])
        await until(lambda: catalog.index("live").offer_count == 2)


async def test_a_truncated_file_is_refused_and_made_anew(pool, settings) -> None:
    await stock(pool, [DEAR, CHEAP])
    published = await publish(pool, None, settings)
    path = snapshot_files.path_of(settings.state_dir, "live", published.versions["live"])
    path.write_bytes(path.read_bytes()[:-1])
    async with opened(settings, pool) as catalog:
        assert shown(catalog).price.amount == "5.50"


async def test_with_postgresql_away_the_newest_file_is_served_and_the_clock_goes_on(
    settings, own_servers, tmp_path
) -> None:
    from gateway.migrations import upgrade

    url = own_servers.postgres.url("postgres")
    settings = settings_for(tmp_path / "state", url)
    await upgrade(url)
    pool = await open_pool(url)
    await stock(pool, [DEAR, CHEAP])
    await publish(pool, None, settings)
    async with opened(settings, pool) as catalog:
        before = catalog.index("live").version
        own_servers.postgres.stop()
        await until(lambda: any(what.startswith("postgresql") for what in catalog.degraded))
        assert catalog.index("live").version == before
        assert shown(catalog).price.amount == "5.50"
        async with opened(settings, pool) as fresh:
            assert shown(fresh).in_stock
            assert fresh.index("live").version == before
        own_servers.postgres.start()
        await until(lambda: catalog.degraded == ())
    pool.terminate()


async def test_a_redis_that_is_away_only_degrades(pool, settings) -> None:
    from redis.asyncio import Redis

    await stock(pool, [DEAR, CHEAP])
    async with Redis.from_url("redis://127.0.0.1:1") as nowhere:
        await publish(pool, None, settings)
        async with opened(settings, pool, nowhere) as catalog:
            await until(lambda: any(what.startswith("redis") for what in catalog.degraded))
            assert shown(catalog).price.amount == "5.50"


async def test_queries_go_on_while_snapshots_are_swapped(pool, settings) -> None:
    await stock(pool, [DEAR, CHEAP])
    await publish(pool, None, settings)
    async with opened(settings, pool) as catalog:
        seen = set()
        for cost in ("4.00", "3.00", "2.00"):
            await stock(pool, [DEAR, Item("b", offer("cheap", cost=cost))])
            await publish(pool, None, settings)
            while shown(catalog).price.amount != f"{float(cost) * 1.1:.2f}":
                seen.add(shown(catalog).price.amount)
                await asyncio.sleep(0.01)
        assert seen == {"5.50", "4.40", "3.30"}
