"""``serve`` that starts on a full disk: from Redis it serves from memory, without it every answer names the reason."""

from __future__ import annotations

import aiohttp
import msgspec
import pytest

from benchmarks.processes import free_port
from gateway.access.key_rows import create_key
from gateway.catalog import snapshot_files
from gateway.catalog.publish import publish
from tests.gateway.cli.test_serve import children, serve, until
from tests.kit import full_disk as disks
from tests.kit.command_line import environment_of
from tests.kit.made_up_market import Item, offer, some_items
from tests.kit.shelf import settings_for, stock


@pytest.fixture(params=disks.ways())
def full(request, tmp_path):
    """A state folder without room. Each way that this machine allows."""
    folder = tmp_path / "full"
    folder.mkdir()
    return request.param(folder)


def items_for(size: int) -> list[Item]:
    """Offers whose snapshot has more bytes than that."""
    if not size:
        return [Item("a", offer("one"))]
    many = some_items(1, 2_000)
    return [
        Item(item.supplier, msgspec.structs.replace(item.offer, name=f"{number:,}" * (2 * size // 10_000)))
        for number, item in enumerate(many)
    ]


@pytest.mark.parametrize("from_redis", [True, False])
async def test_a_full_disk_kills_no_process_and_is_named(
    pool, database_url, redis_url, redis, tmp_path, full, from_redis
):
    published = settings_for(tmp_path / "elsewhere", database_url)
    await stock(pool, items_for(full.room), mode="test")
    made = await publish(pool, redis if from_redis else None, published)
    path = snapshot_files.path_of(published.state_dir, "test", made.versions["test"])
    assert path.stat().st_size > full.room
    key = (await create_key(pool, storefront="shop", mode="test", scopes=["storefront"], per_minute=10**6)).key
    settings = settings_for(tmp_path / "full", database_url, redis_url if from_redis else None)
    port = free_port()
    with serve(
        tmp_path, environment_of(settings, GATEWAY_METRICS__PORT="0"), "--port", str(port), prefix=full.prefix
    ) as process:
        async with aiohttp.ClientSession(
            f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}
        ) as session:

            async def live() -> bool:
                async with session.get("/livez") as got:
                    return got.status == 200

            await until(live)
            before = children(process.pid)
            for path in ("/readyz", "/v1/plans", "/v1/plans", "/v1/countries", "/v1/plans/nothing"):
                async with session.get(path) as got:
                    text = await got.text()
                    if from_redis:
                        assert got.status == (404 if path.endswith("nothing") else 200), text
                    else:
                        assert (got.status, got.headers["Retry-After"]) == (503, "2")
                    if path == "/readyz" or not from_redis:
                        assert full.reason in text
            assert children(process.pid) == before
        process.terminate()
        assert process.wait(60) == 0
    log = (tmp_path / "serve.log").read_text()
    assert "a worker died" not in log
    assert "Traceback" not in log.replace("catalog_rebuild_failed", "")
