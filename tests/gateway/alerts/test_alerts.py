"""Alerts: raised once, told together, not told again while they last, over when they end; by mail and by a hook."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from gateway.access import audit_rows
from gateway.alerts import alert_rows as stored
from gateway.alerts import alerts
from gateway.alerts import channels as alert_channels
from gateway.alerts.alert_rules import default_rules
from gateway.alerts.delivery import Sender
from gateway.kit.guarded_http import GuardedHttpClient
from gateway.kit.pages import PageRequest
from gateway.kit.pool import open_pool
from gateway.kit.problem import Problem
from gateway.kit.sealing import Seal
from gateway.kit.settings import load
from gateway.suppliers.deps import Deps
from gateway.sync.run import run_sync
from schemas.api_alerts import AlertChannelRequest, AlertRuleRequest
from tests.kit.mailbox import mail
from tests.kit.receiver import receiving
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.stall import Stall, Thing, market, shelf

LOOPBACK = (ip_network("127.0.0.0/8"),)


class Watch:
    """A market whose alerts go to a mailbox and a hook. The clock stands still until it is moved."""

    def __init__(self, m, settings, box, hook, outside):
        self.m, self.box, self.hook = m, box, hook
        self.deps = Deps(m.pool, m.accounts, settings, Seal.from_settings(settings), clock=self.clock)
        self.sender = Sender(settings, m.pool, self.deps.seal, outside, draw=lambda: 0.0)
        self.ahead = timedelta()

    def clock(self):
        return datetime.now(UTC) + self.ahead

    async def channels(self):
        email = AlertChannelRequest(name="mail", kind="email", recipients=["ops@example.com"])
        hook = AlertChannelRequest(name="hook", kind="webhook", url=self.hook.url)
        self.email = await alert_channels.create(self.deps, email, "test")
        self.webhook = await alert_channels.create(self.deps, hook, "test")

    async def look(self):
        """Evaluate once and send what is due; what the evaluation came to."""
        found = await alerts.evaluate(self.deps)
        await self.send()
        return found.raised, found.resolved

    async def send(self):
        while await self.sender.start_due():
            await self.sender.drain()

    async def sync(self):
        await run_sync(self.m.pool, self.m.accounts, self.m.settings)
        return await self.look()

    async def all(self, state=None):
        return (await stored.newest(self.m.pool, PageRequest(200), state=state)).data

    async def told(self):
        """What the hook was told, verified."""
        return [
            ([a["title"] for a in event["data"]["raised"]], [a["title"] for a in event["data"]["cleared"]])
            for event in self.hook.verified(self.webhook.secret)
        ]


@asynccontextmanager
async def watching(pool, tmp_path, stalls=None, **settings):
    async with (
        mail() as box,
        receiving() as hook,
        GuardedHttpClient(LOOPBACK, timeout_seconds=60) as outside,
        market(pool, tmp_path, stalls or {"a": Stall(shelf(12))}) as m,
    ):
        given = load(
            state_dir=str(tmp_path),
            secret_key=[SECRET_KEY],
            webhooks={"allow_private": ["127.0.0.0/8"]},
            smtp={"host": "127.0.0.1", "port": box.port, "sender": "alerts@example.com", "starttls": False},
            **settings,
        )
        watch = Watch(m, given, box, hook, outside)
        await run_sync(pool, m.accounts, m.settings)
        await watch.channels()
        assert await watch.look() == (0, 0)
        yield watch


@pytest.fixture
async def watch(pool, tmp_path):
    async with watching(pool, tmp_path) as made:
        yield made


async def test_a_price_that_moves_far_is_told_once_at_both_channels_and_its_way_back_ends_it(watch):
    stall = watch.m.stalls["a"]
    stall.reprice("p003", "7.00")
    assert await watch.sync() == (1, 0)
    assert await watch.sync() == (0, 0)
    assert await watch.look() == (0, 0)
    assert watch.box.subjects == ["[eSIM gateway] a: a plan: cost up 40 %"]
    assert "from 5.00 to 7.00 USD" in watch.box.text()
    assert await watch.told() == [(["a: a plan: cost up 40 %"], [])]
    stall.reprice("p003", "5.00")
    assert await watch.sync() == (0, 1)
    assert await watch.sync() == (0, 0)
    assert watch.box.subjects[1:] == ["[eSIM gateway] over: a: a plan: cost up 40 %"]
    assert (await watch.told())[1:] == [([], ["a: a plan: cost up 40 %"])]


async def test_workers_that_evaluate_at_once_raise_it_once(watch):
    watch.m.stalls["a"].reprice("p003", "7.00")
    await run_sync(watch.m.pool, watch.m.accounts, watch.m.settings)
    found = await asyncio.gather(*(alerts.evaluate(watch.deps) for _ in range(4)))
    assert sum(one.raised for one in found) == 1
    await asyncio.gather(*(watch.sender.start_due() for _ in range(3)))
    await watch.sender.drain()
    assert (len(watch.box.got), len(watch.hook.got)) == (1, 1)


async def test_two_connections_are_enough_for_all_who_evaluate_at_once(watch, database_url):
    """None waits for its turn with a connection that the one whose turn it is needs: behind a pooler they share few."""
    await watch.m.pool.execute("DELETE FROM alert_rules")
    await watch.m.pool.execute("UPDATE alert_state SET seeded = false")
    async with asyncio.timeout(60):
        few = await open_pool(database_url, max_size=2)
        deps = replace(watch.deps, pool=few)
        looks = [alerts.evaluate(deps) for _ in range(4)] + [alerts.evaluate_health(deps, 0.0) for _ in range(4)]
        await asyncio.gather(*looks)
        await few.close()
    assert await watch.m.pool.fetchval("SELECT count(*) FROM alert_rules") == len(default_rules())


async def test_what_rises_together_is_one_message_and_small_moves_are_none(watch):
    stall = watch.m.stalls["a"]
    for number, cost in (("p001", "8.00"), ("p002", "3.00"), ("p003", "6.20"), ("p004", "4.00")):
        stall.reprice(number, cost)
    assert await watch.sync() == (2, 0)
    assert watch.box.subjects == ["[eSIM gateway] 2 raised: a: a plan: cost up 60 %"]
    assert len(watch.hook.got) == 1


async def test_a_price_that_moves_on_stays_one_alert_and_a_part_of_the_way_back_ends_it(watch):
    stall = watch.m.stalls["a"]
    for cost, came in (("7.00", (1, 0)), ("9.00", (0, 0)), ("6.50", (0, 0)), ("5.50", (0, 1)), ("5.60", (0, 0))):
        stall.reprice("p003", cost)
        assert await watch.sync() == came, cost
    (alert,) = await watch.all()
    assert alert.cleared_why == "it is over"


async def test_a_price_that_stays_where_it_went_is_the_usual_one_after_a_day(watch):
    watch.m.stalls["a"].reprice("p003", "7.00")
    assert await watch.sync() == (1, 0)
    watch.ahead = timedelta(hours=23)
    await alerts.evaluate(watch.deps)
    assert [one.title for one in await watch.all("standing") if one.kind == "price_move"] != []
    watch.ahead = timedelta(hours=25)
    await alerts.evaluate(watch.deps)
    assert [one.title for one in await watch.all("standing") if one.kind == "price_move"] == []
    assert "the new cost has become the usual one" in [one.cleared_why for one in await watch.all()]


async def test_a_price_that_comes_and_goes_is_told_no_more_until_it_is_quiet(watch):
    stall = watch.m.stalls["a"]
    came = []
    for cost in ("7.00", "5.00") * 5:
        stall.reprice("p003", cost)
        came.append(await watch.sync())
    assert came == [(1, 0), (0, 1), (1, 0), (0, 1), (1, 0)] + [(0, 0)] * 5
    assert (await watch.all("standing"))[0].flapping
    assert "It comes and goes" in watch.box.text()
    # Once it was quiet for long enough, it is over.
    await watch.m.pool.execute("UPDATE alerts SET seen_at = seen_at - interval '61 minutes'")
    assert await watch.look() == (0, 1)


async def test_what_was_there_before_a_rule_was_does_not_raise_it(watch, pool):
    for rule in await alerts.all_rules(pool):
        assert await alerts.enable_rule(pool, rule.id, "test", enabled=False) is None
    watch.m.stalls["a"].reprice("p003", "7.00")
    assert await watch.sync() == (0, 0)
    made = await alerts.add_rule(pool, AlertRuleRequest(name="moves", kind="price_move", threshold="20"), "test")
    assert await watch.look() == (0, 0)
    watch.m.stalls["a"].reprice("p003", "9.00")
    assert await watch.sync() == (1, 0)
    await alerts.remove_rule(pool, made.id, "test")
    assert await watch.look() == (0, 1)
    assert len(watch.box.got) == 1  # nobody is told of the end of a rule


async def test_a_rule_looks_at_its_way_its_country_its_supplier_and_its_channels_only(pool, tmp_path):
    stalls = {"a": Stall(shelf(12)), "b": Stall(shelf(12, country="DE"))}
    async with watching(pool, tmp_path, stalls) as watch:
        for rule in await alerts.all_rules(pool):
            await alerts.remove_rule(pool, rule.id, "test")
        wanted = (
            {"name": "up", "direction": "up", "channels": [watch.email.id]},
            {"name": "down", "direction": "down"},
            {"name": "germany", "country": "DE"},
            {"name": "a", "supplier": "a"},
        )
        for one in wanted:
            await alerts.add_rule(pool, AlertRuleRequest(kind="price_move", threshold="20", **one), "test")
        stalls["a"].reprice("p001", "7.00")
        stalls["b"].reprice("p002", "3.00")
        assert await watch.sync() == (4, 0)
        found = {(one.rule, one.supplier) for one in await watch.all()}
        assert found == {("up", "a"), ("a", "a"), ("down", "b"), ("germany", "b")}
        (raised, _) = (await watch.told())[0]
        assert len(raised) == 3
        assert "Raised: 4" in watch.box.text()


async def test_the_cheapest_cost_of_a_plan_is_watched_over_all_suppliers(pool, tmp_path):
    stalls = {"a": Stall(shelf(12)), "b": Stall(shelf(12, cost="10.00"))}
    async with watching(pool, tmp_path, stalls) as watch:
        for rule in await alerts.all_rules(pool):
            await alerts.remove_rule(pool, rule.id, "test")
        asked = AlertRuleRequest(name="plans", kind="price_move", threshold="25", about="plan")
        await alerts.add_rule(pool, asked, "test")
        stalls["b"].reprice("p001", "14.00")
        assert await watch.sync() == (0, 0)
        stalls["a"].drop("p002")
        assert await watch.sync() == (1, 0)
        (alert,) = await watch.all()
        assert alert.title.endswith("cost up 100 %")
        stalls["b"].reprice("p002", "5.10")
        assert await watch.sync() == (0, 1)
        stalls["a"].change("p003", stock=0)
        assert await watch.sync() == (1, 0)
        stalls["a"].change("p003", stock=5)
        assert await watch.sync() == (0, 1)


async def test_a_channel_that_fails_loses_nothing_and_does_not_hold_up_the_other(watch):
    watch.box.refuse = ["451 later", "451 later"]
    watch.m.stalls["a"].reprice("p003", "7.00")
    await watch.sync()
    assert (len(watch.box.got), len(watch.hook.got)) == (0, 1)
    (email, hook) = await alert_channels.all_channels(watch.m.pool)
    assert (email.failing_since is None, email.last_error, email.waiting) == (False, "451 later", 1)
    assert (hook.failing_since, hook.waiting) == (None, 0)
    (message,) = await alert_channels.messages(watch.m.pool, email.id)
    assert [one.said for one in message.attempts] == ["451 later"]
    assert timedelta(seconds=3) < message.next_at - message.attempts[0].at < timedelta(minutes=2)
    # Tried again, refused again: the next wait is longer.
    await watch.m.pool.execute("UPDATE alert_messages SET next_at = now() WHERE next_at IS NOT NULL")
    await watch.send()
    (message,) = await alert_channels.messages(watch.m.pool, email.id)
    assert message.next_at - message.attempts[1].at > timedelta(minutes=4)
    # A new message arrives, so the one that waited goes at once.
    watch.m.stalls["a"].reprice("p004", "7.00")
    await watch.sync()
    assert len(watch.box.got) == 2
    (email, _) = await alert_channels.all_channels(watch.m.pool)
    assert (email.failing_since, email.last_error, email.waiting) == (None, None, 0)


async def test_a_test_tells_whether_it_arrived(watch):
    assert (await alert_channels.test(watch.deps, watch.email.id, "anna")).arrived
    assert watch.box.subjects == ["[eSIM gateway] a test"]
    watch.box.refuse = ["554 no such thing"]
    told = await alert_channels.test(watch.deps, watch.email.id, "anna")
    assert (told.arrived, told.said) == (False, "554 no such thing")
    told = await alert_channels.test(watch.deps, watch.webhook.id, "anna")
    assert (told.arrived, told.said) == (True, "HTTP 204")
    assert watch.hook.verified(watch.webhook.secret)[0]["type"] == "alerts.test"
    watch.hook.answers = [302]
    assert not (await alert_channels.test(watch.deps, watch.webhook.id, "anna")).arrived
    assert isinstance(await alert_channels.test(watch.deps, "ach_0", "anna"), Problem)
    entries = (await audit_rows.newest(watch.m.pool, actor="anna")).data
    assert [entry.action for entry in entries] == ["alert_channel.tested"] * 4


async def test_a_webhook_goes_to_public_addresses_only_and_its_secret_lies_encrypted(watch, pool):
    row = await pool.fetchrow("SELECT secret FROM alert_channels WHERE kind = 'webhook'")
    assert watch.webhook.secret.encode() not in row["secret"]
    strict = Deps(pool, {}, load(secret_key=[SECRET_KEY]), watch.deps.seal)
    for url in ("https://10.0.0.1/x", "http://example.com/x", "https://localhost/x"):
        asked = AlertChannelRequest(name="x", kind="webhook", url=url)
        assert isinstance(await alert_channels.create(strict, asked, "test"), Problem), url
    told = await alert_channels.test(strict, watch.webhook.id, "test")
    assert (told.arrived, told.said) == (False, "address_refused")


async def test_suppliers_that_fail_sync_late_and_run_out_of_money_are_told_and_over_when_they_are_well(watch, pool):
    await pool.execute(
        "INSERT INTO supplier_balances VALUES ('a', now(), 12, 12, 'USD');"
        "INSERT INTO supplier_breakers (supplier, state, failures, last_error) VALUES ('a', 'open', 5, 'timeout')"
    )
    watch.m.stalls["a"].status = 500
    assert await watch.sync() == (3, 0)
    assert {one.title for one in await watch.all()} == {
        "a: balance is low", "a is failing", "a: sync late or failed"
    }  # fmt: skip
    assert await watch.look() == (0, 0)
    # A balance that is not known any more is not a good one.
    await pool.execute("DELETE FROM supplier_balances")
    assert await watch.look() == (0, 0)
    await pool.execute(
        "INSERT INTO supplier_balances VALUES ('a', now(), 120, 120, 'USD'); DELETE FROM supplier_breakers"
    )
    watch.m.stalls["a"].status = 200
    assert await watch.sync() == (0, 3)
    assert await watch.all("standing") == []


async def test_text_of_a_supplier_cannot_end_a_header_or_a_line(pool, tmp_path):
    stalls = {"a": Stall(shelf(12, name="Nice\r\nBcc: all@example.com\r\n\u202eplan"))}
    async with watching(pool, tmp_path, stalls) as watch:
        stalls["a"].reprice("p003", "7.00")
        await watch.sync()
        (message,) = watch.box.got
        assert message["Bcc"] is None
        assert message["To"] == "ops@example.com"
        assert "Bcc: all@example.com plan: cost up 40 %" in str(message["Subject"]).replace("\u202e", "")


async def test_the_first_rules_are_made_once_for_ever(pool):
    first = await alerts.all_rules(pool)
    assert len(first) == len(default_rules())
    for rule in first:
        await alerts.remove_rule(pool, rule.id, "test")
    assert await alerts.all_rules(pool) == []


async def test_a_rule_that_makes_no_sense_is_refused_with_its_field(pool):
    cases = (
        ({"kind": "price_move"}, "/threshold"),
        ({"kind": "price_move", "threshold": "0"}, "/threshold"),
        ({"kind": "supplier_failing", "threshold": "101"}, "/threshold"),
        ({"kind": "charged_more", "threshold": "1"}, "/threshold"),
        ({"kind": "low_balance", "threshold": "5", "country": "JP"}, "/country"),
        ({"kind": "low_balance", "threshold": "5", "direction": "up"}, "/direction"),
        ({"kind": "low_balance", "threshold": "5", "supplier": "nobody"}, "/supplier"),
        ({"kind": "low_balance", "threshold": "5", "channels": ["ach_0"]}, "/channels"),
    )
    for fields, pointer in cases:
        found = await alerts.add_rule(pool, AlertRuleRequest(name="x", **fields), "test")
        assert isinstance(found, Problem), fields
        assert [at for at, _ in found.errors] == [pointer], fields


async def test_a_channel_that_goes_takes_no_rule_to_every_other_one(watch, pool):
    asked = AlertRuleRequest(name="to mail", kind="price_move", threshold="20", channels=[watch.email.id])
    made = await alerts.add_rule(pool, asked, "test")
    assert await alert_channels.remove(pool, watch.email.id, "test") is None
    rule = await alerts.one_rule(pool, made.id)
    assert (rule.channels, rule.enabled) == ([], False)
    assert isinstance(await alert_channels.remove(pool, watch.email.id, "test"), Problem)


async def test_goods_that_wait_for_a_person_and_numbers_that_are_held_back_are_told(watch):
    pool = watch.m.pool
    await pool.execute(
        "INSERT INTO goods_walks (supplier, run_id, at, good_at, state, error)"
        " VALUES ('a', 'run', now(), now(), 'quarantined', '15 of 30 offers vanished')"
    )
    await pool.execute("INSERT INTO number_lists (supplier, looked_at, last_good_at) VALUES ('a', now(), now())")
    await pool.execute(
        "INSERT INTO number_tiers (supplier, tier_id, name, days, cost, currency, suspect, changed_at)"
        " VALUES ('a', '7d', '7 Days', 7, 1, 'USD', 'it fell by 90 %', now())"
    )
    assert await watch.look() == (2, 0)
    told = {alert.title: alert.detail for alert in await watch.all()}
    assert told == {
        "a: a walk through its goods waits for an operator": "15 of 30 offers vanished",
        "a: trouble with its numbers": "tiers that are not sold until an operator releases their cost: 1",
    }
    await pool.execute("UPDATE goods_walks SET state = 'ok', error = NULL")
    await pool.execute("UPDATE number_tiers SET suspect = NULL")
    assert await watch.look() == (0, 2)


def many(cost="5.00", country="JP"):
    """So many plans that a few suspect prices are no reason to hold all of them back."""
    return [Thing(f"p{n:03}", cost=cost, days=30 + n, country=country) for n in range(80)]


async def test_a_list_that_is_quarantined_is_one_alert_however_often_it_is_synced(pool, tmp_path):
    stalls = {"a": Stall(many(), page_size=100), "b": Stall(many(), page_size=100)}
    async with watching(pool, tmp_path, stalls) as watch:
        for rule in await alerts.all_rules(pool):
            if rule.kind != "sync_trouble":
                await alerts.remove_rule(pool, rule.id, "test")
        stalls["a"].things = many("0.01")
        assert await watch.sync() == (1, 0)
        assert await watch.sync() == (0, 0)
        (alert,) = await watch.all()
        assert alert.title == "a: a sync waits for an operator"
        assert alert.detail.startswith("80 of 80 prices moved by more than 40 %")
        stalls["a"].things = many()
        assert await watch.sync() == (0, 1)


async def test_a_sudden_rise_of_suspect_prices_is_one_alert(pool, tmp_path):
    stalls = {"a": Stall(many(), page_size=100), "b": Stall(many(), page_size=100)}
    async with watching(pool, tmp_path, stalls) as watch:
        for rule in await alerts.all_rules(pool):
            if rule.kind != "sync_trouble":
                await alerts.remove_rule(pool, rule.id, "test")
        stalls["a"].things = [*many("0.50")[:9], *many()[9:]]
        assert await watch.sync() == (0, 0)
        stalls["a"].things = [*many("0.50")[:12], *many()[12:]]
        assert await watch.sync() == (1, 0)
        assert await watch.sync() == (0, 0)
        (alert,) = await watch.all()
        assert (alert.title, alert.supplier) == ("a: many prices became suspect", "a")
        assert alert.detail == "12 of 80 prices are suspect, and were 0 within a day"
        assert alert.link == "/console/suspects?supplier=a"
        stalls["a"].things = many()
        assert await watch.sync() == (0, 1)


async def test_a_good_that_cost_more_than_it_was_listed_for_is_told_as_an_offer_is(watch):
    await watch.m.pool.execute(
        "INSERT INTO offer_marks (supplier, supplier_plan_id, why, note)"
        " VALUES ('a', 'number/US/7d', 'stopped', 'charged 12 USD where 10 USD was listed')"
    )
    assert await watch.look() == (1, 0)
    (alert,) = await watch.all()
    assert (alert.title, alert.link) == ("a charged more than listed: number/US/7d", "/console/other-goods")
