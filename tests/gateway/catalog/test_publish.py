from datetime import UTC, datetime

import pytest

from gateway.catalog import snapshot_files, snapshot_rows
from gateway.catalog.index import Index, layout
from gateway.catalog.index.overlay import state_of
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.publish import publish
from gateway.pricing.pricing import sets_now
from tests.kit.made_up_market import BOUNDS, Item, offer, some_items
from tests.kit.shelf import settings_for, stock, take_away


@pytest.fixture
def settings(tmp_path, database_url):
    return settings_for(tmp_path, database_url)


async def index_of(pool, settings, published, mode="live"):
    file = layout.open_file(snapshot_files.path_of(settings.state_dir, mode, published.versions[mode]))
    overlay, now = await snapshot_rows.overlay(pool), datetime.now(UTC)
    return Index(Snapshot(file), state_of(overlay, mode, now, BOUNDS), sets_now((), settings, now).shared)


async def test_what_is_in_the_database_can_be_asked_of_the_published_file(pool, settings) -> None:
    await stock(pool, [Item("a", offer("one", cost="5.00")), Item("b", offer("two", cost="4.00"))])
    published = await publish(pool, None, settings)
    index = await index_of(pool, settings, published)
    plan_id = offer("one").plan_id
    body = index.plan(plan_id)
    assert isinstance(body, bytes)
    assert b'"price":{"amount":"4.40","currency":"USD"}' in body
    assert b'"name":"Japan 1 GB, 7 days"' in body
    assert published.offers == {"live": 2, "test": 0}


async def test_the_same_content_has_the_same_version_in_whatever_order_it_was_stored(pool, settings) -> None:
    items = some_items(3, 60)
    at = datetime.now(UTC)
    await stock(pool, items, at=at)
    first = await publish(pool, None, settings)
    await stock(pool, items[::-1], at=at)
    second = await publish(pool, None, settings)
    assert second.changed
    assert second.versions == first.versions


async def test_nothing_is_built_again_when_nothing_changed(pool, settings) -> None:
    await stock(pool, some_items(1, 20))
    first = await publish(pool, None, settings)
    again = await publish(pool, None, settings)
    assert (first.changed, again.changed) == (True, False)
    assert again.versions == first.versions
    assert again.offers == first.offers


async def test_another_price_rule_prices_the_same_snapshot(pool, settings, tmp_path, database_url) -> None:
    await stock(pool, [Item("a", offer("one", cost="5.00"))])
    first = await publish(pool, None, settings)
    dear = settings_for(tmp_path, database_url, pricing={"percent": "10", "minimum_margin": "1"})
    second = await publish(pool, None, dear)
    assert not second.changed
    assert second.versions == first.versions
    body = (await index_of(pool, dear, second)).plan(offer("one").plan_id)
    assert b'"price":{"amount":"6.00","currency":"USD"}' in body


async def test_a_rate_of_a_later_day_does_not_count_yet(pool, settings) -> None:
    await stock(pool, [Item("a", offer("one", cost="1.00", currency="EUR"))])
    index = await index_of(pool, settings, await publish(pool, None, settings))
    assert b'"cost_base":{"amount":"1.08","currency":"USD"}' in index.offers(offer("one").plan_id)


async def test_a_snapshot_that_was_damaged_is_made_anew(pool, settings) -> None:
    await stock(pool, some_items(1, 20))
    first = await publish(pool, None, settings)
    path = snapshot_files.path_of(settings.state_dir, "live", first.versions["live"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    again = await publish(pool, None, settings)
    assert again.changed
    assert again.versions == first.versions
    assert path.read_bytes() == whole


async def test_a_plan_whose_last_offer_went_is_remembered_as_gone(pool, settings) -> None:
    item = Item("a", offer("one", countries="FR"))
    await stock(pool, [item, Item("a", offer("two"))])
    at = datetime(2026, 11, 20, 11, tzinfo=UTC)
    await take_away(pool, item, at)
    index = await index_of(pool, settings, await publish(pool, None, settings))
    gone = index.plan(item.offer.plan_id)
    assert gone.gone_at == at
    assert index.plan("no-such-plan") is None


async def test_live_and_test_suppliers_are_in_catalogues_apart(pool, settings) -> None:
    await stock(pool, [Item("a", offer("one", countries="JP"))])
    await stock(pool, [Item("b", offer("two", countries="FR"))], mode="test")
    published = await publish(pool, None, settings)
    live = await index_of(pool, settings, published)
    test = await index_of(pool, settings, published, "test")
    assert isinstance(live.plan(offer("one").plan_id), bytes)
    assert live.plan(offer("two", countries="FR").plan_id) is None
    assert isinstance(test.plan(offer("two", countries="FR").plan_id), bytes)


async def test_no_more_than_the_last_two_snapshots_of_a_mode_are_kept(pool, settings) -> None:
    for number in range(4):
        await stock(pool, [Item("a", offer("one", cost=f"{number + 1}.00"))])
        published = await publish(pool, None, settings)
    live = sorted(settings.state_dir.glob("catalog/*-live.snap"))
    assert len(live) == 2
    assert snapshot_files.path_of(settings.state_dir, "live", published.versions["live"]) in live


async def test_redis_gets_a_copy_from_which_the_file_can_be_made_again(
    pool, settings, redis, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(snapshot_files, "CHUNK_BYTES", 1000)
    await stock(pool, some_items(1, 50))
    published = await publish(pool, redis, settings)
    version = published.versions["live"]
    packed, size = await snapshot_files.pull(redis, "live", version)
    assert len(packed) > 1000
    path = tmp_path / "elsewhere" / f"{version}-live.snap"
    original = snapshot_files.path_of(settings.state_dir, "live", version)
    assert snapshot_files.unpack(packed, size, path) == original.read_bytes()
    assert await snapshot_files.current(redis) == published.versions


async def test_a_copy_that_is_not_what_its_name_says_is_refused(pool, settings, redis, tmp_path) -> None:
    await stock(pool, some_items(1, 50))
    published = await publish(pool, redis, settings)
    packed, size = await snapshot_files.pull(redis, "live", published.versions["live"])
    assert not snapshot_files.unpack(packed, size, tmp_path / f"{'0' * 32}-live.snap")
    assert not snapshot_files.unpack(packed[:-10], size, tmp_path / f"{published.versions['live']}-live.snap")
    assert list(tmp_path.glob("*.snap")) == []


async def test_publishing_goes_on_without_redis(pool, tmp_path, database_url) -> None:
    from redis.asyncio import Redis

    settings = settings_for(tmp_path, database_url)
    await stock(pool, [Item("a", offer("one"))])
    async with Redis.from_url("redis://127.0.0.1:1") as nowhere:
        published = await publish(pool, nowhere, settings)
    assert published.offers["live"] == 1
