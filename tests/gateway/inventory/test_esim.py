"""Status and usage of delivered eSIMs, asked of the suppliers' sandboxes over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web

from gateway.inventory import esim_rows
from gateway.inventory.esim_polls import keep_polling, poll_due, poll_soon, polls_allowed
from gateway.inventory.esims import record, with_status, with_usage
from gateway.kit.problem import Problem
from gateway.kit.sealing import Seal
from gateway.kit.settings import load
from gateway.suppliers.accounts import Account
from gateway.suppliers.deps import Deps
from providers.kit.rate_limiter import MemoryRateLimiter
from providers.loader import load_manifests
from schemas.esim import DataUsage, EsimStatus, ProfileState, ServiceState
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.sold import SEAL, sold
from tests.kit.waiting import PATIENCE
from tests.providers.account import account
from tests.providers.s2s import market

MB = 5120


@dataclass
class Line:
    """A delivered eSIM at a sandbox, and what is needed to follow it."""

    deps: Deps
    esim: esim_rows.Esim
    there: Any
    clock: list[datetime]

    def use(self, mb: int) -> None:
        self.there.simulator.use(self.there.simulator.esim(self.esim.iccid), mb)

    def later(self, **time: Any) -> None:
        self.clock[0] += timedelta(**time)

    async def ask(self, name: str | None = None, *, fresh: bool = False, owner: str = "sf_shop") -> Any:
        return await with_status(self.deps, owner, "test", name or self.esim.id, fresh=fresh)

    def looks(self) -> int:
        return sum(calls for path, calls in self.there.calls.items() if self.esim.iccid in path)

    async def events(self) -> list[tuple[str, Any]]:
        rows = await self.deps.pool.fetch("SELECT type, body FROM webhook_events ORDER BY at, id")
        return [(row["type"], msgspec.json.decode(SEAL.open(row["body"]))["data"]) for row in rows]


def deps_of(pool, accounts, clock, **settings):
    return Deps(pool, accounts, load(secret_key=[SECRET_KEY], **settings), SEAL, clock=lambda: clock[0])


@pytest.fixture(params=["s2s", "pikasim"])
async def line(request, pool):
    manifest = load_manifests()[request.param]
    async with market.account() if request.param == "s2s" else account(manifest) as there:
        asked = there.request()
        bought = await there.provider.purchase(asked)
        order = await there.ended(asked, bought.supplier_order_id)
        provider = there.provider
        opened = Account(manifest.name, manifest, provider.settings, provider, MemoryRateLimiter())
        clock = [datetime.now(UTC)]
        esim = await sold(
            pool,
            supplier=manifest.name,
            supplier_plan_id=there.item.key,
            iccid=order.delivery.iccid,
            code=order.delivery.activation_code,
        )
        await listen(pool)
        yield Line(deps_of(pool, {manifest.name: opened}, clock), esim, there, clock)


async def listen(pool, owner="sf_shop"):
    await pool.execute(
        "INSERT INTO webhook_endpoints (id, storefront_id, mode, url, secret) VALUES ($1, $2, 'test', 'https://x', $3)",
        f"we_{owner}",
        owner,
        SEAL.seal("whsec_x"),
    )


def status_of(esim, used, *, minutes=0, service="active", profile="enabled"):
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    data = DataUsage(1000, used, 1000 - used)
    return EsimStatus(esim.iccid, ProfileState(profile), ServiceState(service), at, data)


async def test_both_suppliers_tell_state_and_usage_in_one_shape(line):
    fresh = (await line.ask()).status
    assert (fresh.profile_state, fresh.service_state) == (ProfileState.RELEASED, ServiceState.NOT_ACTIVE)
    line.use(1000)
    line.later(minutes=2)
    used = (await line.ask()).status
    assert used.service_state is ServiceState.ACTIVE
    assert (used.data.total_mb, used.data.used_mb, used.data.remaining_mb) == (MB, 1000, MB - 1000)


async def test_within_the_cache_s_time_the_supplier_is_not_asked_again_unless_told_to(line):
    first = await line.ask()
    calls = line.looks()
    assert (await line.ask()).observed_at == first.observed_at
    assert line.looks() == calls
    again = await line.ask(fresh=True)
    assert line.looks() > calls
    assert again.observed_at > first.observed_at


async def test_after_a_top_up_the_cache_does_not_show_what_was_before(line):
    await line.ask()
    calls = line.looks()
    await poll_soon(line.deps, line.esim.id)
    await line.ask()
    assert line.looks() > calls


async def test_the_iccid_finds_it_too_and_another_storefront_finds_nothing(line):
    assert (await line.ask(line.esim.iccid)).id == line.esim.id
    for name in (line.esim.id, line.esim.iccid):
        assert await line.ask(name, owner="sf_other") is None
        problem = await with_usage(line.deps, "sf_other", "test", name)
        assert (type(problem), problem.code) == (Problem, "not_found")


async def test_a_supplier_that_is_down_leaves_what_was_known_with_its_age(line):
    known = await line.ask()
    line.there.shop.tamper = lambda _request, _body: web.Response(status=500)
    line.later(hours=2)
    assert (await line.ask()).observed_at == known.observed_at


async def test_usage_is_told_at_each_threshold_once(line):
    for used in (3000, 3900, 3950, 4700, MB):
        line.use(used)
        await line.ask(fresh=True)
    told = [(kind, data["threshold"]) for kind, data in await line.events() if kind == "esim.usage_low"]
    assert told == [("esim.usage_low", 75), ("esim.usage_low", 90), ("esim.usage_low", 100)]
    assert all(data["iccid"] == line.esim.iccid for _, data in await line.events())


async def test_a_change_of_state_is_told_with_what_it_was(line):
    await line.ask()
    line.use(1000)
    await line.ask(fresh=True)
    await line.ask(fresh=True)
    ((kind, data),) = await line.events()
    assert (kind, data["service_state"], data["previous"]["service_state"]) == (
        "esim.state_changed",
        "active",
        "not_active",
    )


async def test_an_esim_is_looked_at_when_it_is_due_and_not_before(line):
    assert await poll_due(line.deps, 15) == 0
    await poll_soon(line.deps, line.esim.id)
    assert await poll_due(line.deps, 15) == 1
    assert await poll_due(line.deps, 15) == 0
    seen = await esim_rows.get(line.deps.pool, SEAL, line.esim.id)
    assert seen.status is not None
    assert seen.next_poll_at > line.deps.clock()


async def test_one_that_cannot_be_opened_keeps_no_other_from_being_looked_at(line):
    lost = await sold(line.deps.pool, supplier=line.esim.supplier, iccid="8999901000000000009")
    await line.deps.pool.execute("UPDATE esims SET iccid = $2 WHERE id = $1", lost.id, Seal(["x" * 40]).seal("8999"))
    for esim_id in (lost.id, line.esim.id):
        await poll_soon(line.deps, esim_id, line.deps.clock() - timedelta(seconds=esim_id == lost.id))
    assert await poll_due(line.deps, 15) == 1
    assert (await esim_rows.get(line.deps.pool, SEAL, line.esim.id)).status is not None


async def test_looking_goes_on_until_it_is_told_to_stop(line):
    stop = asyncio.Event()
    looking = asyncio.create_task(keep_polling(line.deps, stop, 0.02))
    await poll_soon(line.deps, line.esim.id)
    async with asyncio.timeout(PATIENCE):
        while (await esim_rows.get(line.deps.pool, SEAL, line.esim.id)).status is None:  # noqa: ASYNC110 - it is a row
            await asyncio.sleep(0.02)
        stop.set()
        await looking


async def test_several_processes_look_at_an_esim_once(line):
    await poll_soon(line.deps, line.esim.id)
    before = line.looks()
    assert sum(await asyncio.gather(*(poll_due(line.deps, 15) for _ in range(5)))) == 1
    one_look = line.looks() - before
    assert one_look in {1, 2}  # one of the suppliers has a page of its own for figures


async def test_no_more_are_claimed_than_the_share_whatever_way_the_planner_takes(pool, new_sessions):
    """A subquery that is run again for every row locks and takes other rows each time."""
    now = datetime.now(UTC)
    for n in range(8):
        await esim_rows.set_poll_at(
            pool, (await sold(pool, iccid=f"899990100000000000{n}")).id, now - timedelta(seconds=8 - n)
        )
    database = await pool.fetchval("SELECT current_database()")
    ways = (
        "hashjoin",
        "mergejoin",
        "hashagg",
        "sort",
        "material",
        "indexscan",
        "indexonlyscan",
        "bitmapscan",
        "memoize",
    )
    for way in ways:
        await pool.execute(f"ALTER DATABASE {database} SET enable_{way} = off")
    await pool.expire_connections()
    assert len(await esim_rows.claim_due(pool, "s2s", now, 3, 15)) == 3
    assert len(await esim_rows.claim_due(pool, "s2s", now, 3, 15)) == 0


async def test_all_processes_together_look_at_no_more_than_the_share(pool):
    now = datetime.now(UTC)
    for n in range(8):
        await esim_rows.set_poll_at(
            pool, (await sold(pool, iccid=f"899990100000000000{n}")).id, now - timedelta(seconds=n)
        )
    await esim_rows.set_poll_at(pool, (await sold(pool, supplier="pikasim")).id, now)

    async def claimed(at):
        claims = await asyncio.gather(*(esim_rows.claim_due(pool, "s2s", at, 3, 15) for _ in range(4)))
        return sum(map(len, claims))

    assert await claimed(now) == 3
    assert await claimed(now + timedelta(seconds=14)) == 0
    assert len(await esim_rows.claim_due(pool, "pikasim", now, 3, 15)) == 1
    assert await claimed(now + timedelta(seconds=15)) == 3


async def test_an_esim_that_the_supplier_does_not_know_is_left_alone_for_a_day(line):
    unknown = await sold(line.deps.pool, supplier=line.esim.supplier, supplier_plan_id="X", iccid="8999901000000000009")
    await poll_soon(line.deps, unknown.id)
    assert await poll_due(line.deps, 15) == 0
    after = await esim_rows.get(line.deps.pool, SEAL, unknown.id)
    assert after.next_poll_at - line.deps.clock() == timedelta(hours=24)
    assert (await line.ask(unknown.id)).status is None
    assert (await with_usage(line.deps, "sf_shop", "test", unknown.id)).code == "unavailable"


async def test_what_was_seen_by_many_at_once_is_told_once(pool):
    esim = await sold(pool)
    await listen(pool)
    deps = deps_of(pool, {}, [datetime.now(UTC)])
    await asyncio.gather(*(record(deps, esim.id, status_of(esim, 800, minutes=n)) for n in range(8)))
    assert await pool.fetchval("SELECT count(*) FROM webhook_events WHERE type = 'esim.usage_low'") == 1


async def test_an_older_look_changes_nothing(pool):
    esim = await sold(pool)
    deps = deps_of(pool, {}, [datetime.now(UTC)])
    await record(deps, esim.id, status_of(esim, 800, minutes=5))
    assert (await record(deps, esim.id, status_of(esim, 100))).status.data.used_mb == 800


async def test_an_expired_esim_is_not_looked_at_again(pool):
    esim = await sold(pool)
    deps = deps_of(pool, {}, [datetime.now(UTC)])
    assert (await record(deps, esim.id, status_of(esim, 100, service="expired"))).next_poll_at is None


async def test_an_event_that_cannot_be_written_undoes_the_look(pool, monkeypatch):
    esim = await sold(pool)
    deps = deps_of(pool, {}, [datetime.now(UTC)])

    async def fails(*_args, **_more):
        raise OSError("no disk")

    monkeypatch.setattr("gateway.inventory.esims.emit_event", fails)
    with pytest.raises(OSError, match="no disk"):
        await record(deps, esim.id, status_of(esim, 800))
    assert (await esim_rows.get(pool, SEAL, esim.id)).usage_notified == 0


async def test_an_esim_without_status_is_shown_and_its_usage_names_the_missing_capability(pool):
    manifest = load_manifests()["beppay"]
    async with account(manifest) as there:
        provider = there.provider
        opened = Account("beppay", manifest, provider.settings, provider, MemoryRateLimiter())
        deps = deps_of(pool, {"beppay": opened}, [datetime.now(UTC)])
        esim = await sold(pool, supplier="beppay")
        assert (await with_status(deps, "sf_shop", "test", esim.id, fresh=True)).status is None
        problem = await with_usage(deps, "sf_shop", "test", esim.id)
        assert problem.code == "not_supported"
        assert "esim_status" in problem.detail
        await poll_soon(deps, esim.id)
        assert await poll_due(deps, 15) == 0
        assert (await esim_rows.get(pool, SEAL, esim.id)).next_poll_at is None


async def test_of_an_iccid_that_came_back_the_newest_is_found(pool):
    at = datetime.now(UTC)
    await sold(pool, at=at - timedelta(days=300))
    newest = await sold(pool, at=at)
    await sold(pool, at=at - timedelta(days=100))
    assert (await esim_rows.find(pool, SEAL, "sf_shop", "test", newest.iccid)).id == newest.id


@pytest.mark.parametrize(("rate", "allowed"), [(60, 3), (600, 30), (1, 1), (None, 3)])
def test_looks_take_a_share_of_the_supplier_s_rate(rate, allowed):
    assert polls_allowed(rate, 0.2, 15) == allowed
