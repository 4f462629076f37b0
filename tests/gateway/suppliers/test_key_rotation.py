"""A supplier's key turned over: killed at every step there is, it leaves a key that works, and is put right after."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
import stamina

from gateway.kit.pool import Pool, open_pool
from gateway.kit.problem import Problem
from gateway.kit.sealing import Seal
from gateway.kit.tasks import end
from gateway.suppliers import key_rotation, selling_rows, supplier_key_rows
from gateway.suppliers.accounts import accounts_of, follow_keys, keep_following
from gateway.suppliers.deps import Deps
from gateway.suppliers.key_rotation import go_on_all, rotate, use_configured
from providers.beppay import BepPay
from providers.loader import load_manifests
from providers.simulator import Fault, FaultKind, serve, world_for
from providers.simulator.account import FIRST
from schemas.errors import NotAuthorised
from tests.kit.admitted import code_of
from tests.kit.counter import Clock, Counter
from tests.kit.shelf import settings_for
from tests.kit.waiting import until

WHO = "the test"
LATER = timedelta(minutes=2)  # every process has followed
QUIET = timedelta(minutes=12)  # what was sent and not answered has arrived, or never will
CALLS = ("keys", "create_key", "revoke_key")
COMMITS = ("begin", "keep", "know", "verify", "switch", "finish", "undo", "undone", "put_off")


class KilledError(BaseException):
    """The process ends here."""


@dataclass
class Killing:
    """Counts the moments before and after each call and each commit, and ends the process at one of them."""

    at: int | None = None
    passed: list[str] = field(default_factory=list)

    def point(self, name: str) -> None:
        self.passed.append(name)
        if len(self.passed) == self.at:
            raise KilledError(name)

    def around(self, name: str, call):
        async def passing(*args, **kwargs):
            self.point(f"before {name}")
            answer = await call(*args, **kwargs)
            self.point(f"after {name}")
            return answer

        return passing


@dataclass
class Bank:
    """The sandbox BepPay, a database, and as many processes of the gateway as a test wants."""

    url: str
    pool: Pool
    settings: object
    account: object
    world: object
    clock: Clock

    @asynccontextmanager
    async def process(self):
        """A process that was just started."""
        pool = await open_pool(self.url)
        try:
            async with accounts_of(self.settings, pool) as accounts:
                yield Deps(pool, accounts, self.settings, Seal.from_settings(self.settings), clock=self.clock)
        finally:
            pool.terminate()

    def valid(self) -> list[str]:
        return [key.name for key in self.account.keys if key.active]

    async def row(self):
        return await supplier_key_rows.newest(self.pool, "beppay")


@pytest.fixture
async def bank(pool, database_url, tmp_path):
    manifests = {"beppay": load_manifests()["beppay"]}
    world = world_for(manifests)
    async with await serve(world, manifests, port=0) as served:
        given = {
            "provider": "beppay", "mode": "test", "base_url": served.urls["beppay"], "timeout_seconds": 2,
            "requests_per_minute": 100_000, **manifests["beppay"].sandbox_settings,
        }  # fmt: skip
        settings = settings_for(tmp_path, database_url, suppliers={"beppay": given})
        with stamina.set_testing(True, attempts=1):
            yield Bank(database_url, pool, settings, world.account("beppay"), world, Clock())


@pytest.fixture
def killing(monkeypatch):
    killing = Killing()
    for name in CALLS:
        monkeypatch.setattr(BepPay, name, _bound(killing, name, getattr(BepPay, name)))
    for name in COMMITS:
        monkeypatch.setattr(supplier_key_rows, name, killing.around(name, getattr(supplier_key_rows, name)))
    return killing


def _bound(killing, name, method):
    async def passing(self, *args, **kwargs):
        return await killing.around(name, method)(self, *args, **kwargs)

    return passing


async def turned_over(deps) -> None:
    """The whole of it: begun, and gone on with when everybody has followed."""
    await rotate(deps, "beppay", WHO)
    deps.clock.ahead += LATER
    await go_on_all(deps)


async def works(deps) -> bool:
    try:
        await deps.accounts["beppay"].provider.balance()
    except NotAuthorised:
        return False
    return True


async def test_a_key_is_made_kept_tried_taken_into_use_and_then_the_old_one_is_revoked(bank):
    async with bank.process() as one, bank.process() as other:
        told = await rotate(one, "beppay", WHO)
        assert (told.state, told.in_force, told.old_key_id) == ("switched", True, str(FIRST))
        assert bank.valid() == ["Sandbox", told.name], "the old key stays until every process has followed"
        assert await follow_keys(other.accounts, other.pool, other.seal) == ["beppay"]
        one.clock.ahead += LATER
        await go_on_all(one)
        assert bank.valid() == [told.name]
        assert (await bank.row()).state == "done"
        assert [await works(deps) for deps in (one, other)] == [True, True]
    async with bank.process() as after:
        assert await works(after), "a stored key lies over the configured one"
    actions = await bank.pool.fetch("SELECT action FROM audit_log ORDER BY id")
    assert [row["action"] for row in actions] == [
        "supplier_key.asked", "supplier_key.switched", "supplier_key.turned_over",
    ]  # fmt: skip


async def test_a_process_that_runs_follows_by_itself(bank):
    async with bank.process() as one, bank.process() as other:
        following = asyncio.create_task(keep_following(other.accounts, other.pool, other.seal))
        told = await rotate(one, "beppay", WHO)
        await until(lambda: other.accounts["beppay"].key == told.id)
        await end(following)
        assert await works(other)


async def test_a_purchase_with_a_key_that_was_revoked_meanwhile_stops_no_account(counter: Counter):
    plan = await counter.plan(1, "beppay")
    other = replace(counter.deps, accounts=dict(counter.deps.accounts))  # which follows, while this one does not yet
    await rotate(other, "beppay", WHO)
    counter.clock.ahead += LATER
    await go_on_all(other)
    await other.accounts["beppay"].provider.close()
    assert not await works(counter.deps)
    refused = await counter.order(await counter.ordered(plan))
    assert refused.status == "failed"
    assert await selling_rows.stops(counter.deps.pool) == {}
    again = await counter.order(await counter.ordered(plan))
    assert again.status == "fulfilled"


async def test_turned_over_again_the_stored_key_goes_as_the_configured_one_did(bank):
    async with bank.process() as deps:
        await turned_over(deps)
        first = await bank.row()
        await turned_over(deps)
        second = await bank.row()
        assert bank.valid() == [second.name]
        assert await works(deps)
    assert (await supplier_key_rows.get(bank.pool, first.id)).secret is None, "a revoked key is not kept"


async def test_killed_at_every_step_the_stored_key_works_or_the_old_one_does(bank, killing, database_url):
    async with bank.process() as deps:
        await turned_over(deps)
    moments = list(killing.passed)
    assert {f"before {name}" for name in (*CALLS, *COMMITS[:6])} <= set(moments)
    outcomes = set()
    for number, moment in enumerate(moments, start=1):
        killing.at, killing.passed = number, []
        async with bank.process() as stale:
            with pytest.raises(KilledError):
                async with bank.process() as deps:
                    await turned_over(deps)
            killing.at = None
            async with bank.process() as fresh:
                assert await works(fresh), f"killed {moment}: a process that starts has no key that works"
            await follow_keys(stale.accounts, stale.pool, stale.seal)
            assert await works(stale), f"killed {moment}: a process that runs has no key that works"
            for wait in (timedelta(0), LATER, QUIET, QUIET):
                bank.clock.ahead += wait
                await go_on_all(stale)
                assert await works(stale), f"killed {moment}: the key was lost when it was put right"
            row = await bank.row()
            assert row.state in {"done", "undone"}, f"killed {moment}: left {row.state}"
            outcomes.add(row.state)
            held = await supplier_key_rows.in_force(bank.pool, ["beppay"])
            name = (await supplier_key_rows.get(bank.pool, held["beppay"].id)).name
            assert bank.valid() == [name], f"killed {moment}: another key stays valid"
    assert outcomes == {"done", "undone"}


async def test_the_next_call_goes_on_with_what_was_begun(bank, killing):
    killing.at = 1 + 2 + 2 + 2 + 2  # the key is made and kept, and no more
    with pytest.raises(KilledError):
        async with bank.process() as deps:
            await rotate(deps, "beppay", WHO)
    begun = await bank.row()
    killing.at = None
    async with bank.process() as deps:
        told = await rotate(deps, "beppay", WHO)
    assert (told.id, told.state) == (begun.id, "switched")
    assert len(bank.account.keys) == 2


async def test_a_key_whose_answer_was_lost_is_revoked_by_its_name_and_not_asked_for_again_before_that(bank):
    bank.world.add_fault("beppay", Fault(FaultKind.TRUNCATED, "/api/partner/keys", calls=1, after=1))
    async with bank.process() as deps:
        told = await rotate(deps, "beppay", WHO)
        assert (told.state, bank.valid()) == ("undoing", ["Sandbox"])
        assert code_of(await rotate(deps, "beppay", WHO)) == "conflict"
        assert len(bank.account.keys) == 2, "while the first may still arrive no second one is asked for"
        deps.clock.ahead += QUIET
        await go_on_all(deps)
        assert (await bank.row()).state == "undone"
        await turned_over(deps)
        assert bank.valid() == [(await bank.row()).name]


async def test_a_refusal_is_the_end_of_it_and_the_old_key_stays(bank):
    bank.world.add_fault("beppay", Fault(FaultKind.RATE_LIMITED, "/api/partner/keys", calls=1, after=1, seconds=1))
    async with bank.process() as deps:
        told = await rotate(deps, "beppay", WHO)
        assert (told.state, bank.valid()) == ("undone", ["Sandbox"])
        assert "too many requests" in told.error


async def test_a_new_key_that_the_supplier_takes_no_more_gives_way_to_the_old_one(bank):
    async with bank.process() as deps:
        told = await rotate(deps, "beppay", WHO)
        bank.account.revoke(int(told.key_id))
        assert not await works(deps)
        deps.clock.ahead += timedelta(seconds=10)
        await go_on_all(deps)
        assert await works(deps)
        assert ((await bank.row()).state, bank.valid()) == ("undone", ["Sandbox"])


async def test_an_old_key_that_cannot_be_told_apart_is_left_to_a_person(bank):
    bank.account.create("somebody else's", bank.account.keys[0].secret[:11])
    async with bank.process() as deps:
        await turned_over(deps)
        row = await bank.row()
        assert (row.state, row.old_key_id) == ("done", None)
        assert "by hand" in row.error
        assert bank.valid() == ["Sandbox", "somebody else's", row.name]


async def test_a_key_that_another_account_goes_with_is_not_revoked(bank, tmp_path):
    both = {name: dict(bank.settings.suppliers["beppay"]) for name in ("beppay", "second")}
    shared = replace(bank, settings=settings_for(tmp_path, bank.url, suppliers=both))
    async with shared.process() as deps:
        await turned_over(deps)
        assert "second" in (await bank.row()).error
        await rotate(deps, "second", WHO)
        deps.clock.ahead += LATER
        await go_on_all(deps)
        assert "Sandbox" not in bank.valid()
        assert await works(deps)


async def test_a_supplier_is_asked_by_one_process_at_a_time(bank):
    async with bank.process() as one, bank.process() as other, key_rotation._alone(other, "beppay") as alone:
        assert alone
        told = await rotate(one, "beppay", WHO)
        assert isinstance(told, Problem)
        assert bank.valid() == ["Sandbox"]


async def test_the_configured_key_holds_again_once_the_supplier_was_seen_to_take_it(bank):
    async with bank.process() as deps:
        await turned_over(deps)
        refused = await use_configured(deps, "beppay", WHO)
        assert isinstance(refused, Problem)
        assert await works(deps)
        bank.account.restore(FIRST)
        assert await use_configured(deps, "beppay", WHO) == (await bank.row()).key_id
        assert (deps.accounts["beppay"].key, await works(deps)) == (None, True)


async def test_no_key_stands_in_a_row_a_log_line_or_the_audit_log_in_the_clear(bank, capsys):
    async with bank.process() as deps:
        await turned_over(deps)
    secrets = [key.secret for key in bank.account.keys]
    rows = await bank.pool.fetch("SELECT supplier_keys::text AS text FROM supplier_keys UNION ALL"
                                 " SELECT audit_log::text FROM audit_log")  # fmt: skip
    said = json.dumps([row["text"] for row in rows]) + "".join(capsys.readouterr())
    assert not [secret for secret in secrets if secret in said or secret.encode().hex() in said]
    assert repr(await bank.row()).count("pk_live") == 0


async def test_a_stored_key_that_no_secret_key_opens_leaves_the_configured_one(bank, tmp_path):
    async with bank.process() as deps:
        await rotate(deps, "beppay", WHO)
    await bank.pool.execute("UPDATE supplier_keys SET secret = '\\x00'")
    async with bank.process() as deps:
        assert await works(deps)


async def test_a_key_that_no_secret_key_opens_does_not_cost_the_old_one(bank):
    async with bank.process() as deps:
        told = await rotate(deps, "beppay", WHO)
        assert told.state == "switched"
    await bank.pool.execute("UPDATE supplier_keys SET secret = '\\x00'")
    async with bank.process() as deps:
        deps.clock.ahead += LATER
        await go_on_all(deps)
        assert await works(deps)
        assert "Sandbox" in bank.valid()
        assert (await bank.row()).state == "switched"


async def test_where_no_stored_key_works_any_more_the_configured_one_can_be_put_in_force(bank):
    async with bank.process() as deps:
        await turned_over(deps)
        for number in range(2):  # before the old key is revoked, and while the new one is not even known by its id
            told = await rotate(deps, "beppay", WHO)
            if number:
                await bank.pool.execute(
                    "UPDATE supplier_keys SET state = 'kept', in_force = false WHERE id = $1", told.id
                )
                await bank.pool.execute(
                    "UPDATE supplier_keys SET in_force = true WHERE id = $1", (await bank.row()).replaces
                )
            for key in bank.account.keys:
                bank.account.revoke(key.id)
            deps.clock.ahead += LATER
            await go_on_all(deps)
            assert not await works(deps)
            bank.account.restore(FIRST)  # stands for a key that a person made there and set
            assert not isinstance(await use_configured(deps, "beppay", WHO), Problem)
            assert await works(deps)
            deps.clock.ahead += QUIET
            await go_on_all(deps)
            assert ((await bank.row()).state, bank.valid()) == ("undone", ["Sandbox"])
            await turned_over(deps)


async def test_a_key_that_is_listed_as_valid_after_it_was_revoked_is_not_forgotten(bank, monkeypatch):
    bank.world.add_fault("beppay", Fault(FaultKind.TRUNCATED, "/api/partner/keys", calls=1, after=1))
    really = BepPay.revoke_key

    async def takes_it_and_does_nothing(*_args):
        return

    monkeypatch.setattr(BepPay, "revoke_key", takes_it_and_does_nothing)
    async with bank.process() as deps:
        await rotate(deps, "beppay", WHO)
        for _ in range(2):
            deps.clock.ahead += QUIET
            await go_on_all(deps)
            assert (await bank.row()).state == "undoing"
        monkeypatch.setattr(BepPay, "revoke_key", really)
        deps.clock.ahead += QUIET
        await go_on_all(deps)
        assert ((await bank.row()).state, bank.valid()) == ("undone", ["Sandbox"])
