"""Alerts on the terminal."""

import json
from datetime import UTC, datetime

import pytest

from tests.kit.command_line import command_with, environment_of
from tests.kit.shelf import settings_for


@pytest.fixture
def run(database_url, tmp_path):
    return command_with(environment_of(settings_for(tmp_path, database_url)), "alerts")


async def raise_one(pool, **more):
    fields = {"id": "alt_1", "title": "a: cost up 40 %", "cleared_at": None} | more
    await pool.execute(
        """INSERT INTO alerts (id, rule_id, rule_name, kind, level, subject, title, detail, link, raised_at, seen_at,
                               cleared_at, cleared_why)
           VALUES ($1, 'alr_1', 'r', 'price_move', 'bad', $1, $2, 'from 5 to 7', '/console', now(), now(), $3, 'so')""",
        *fields.values(),
    )


async def test_nothing_stands_at_first(run):
    assert (await run("list")).out == "no open alerts\n"
    assert json.loads((await run("list", "--json")).out) == []
    assert "no channels yet" in (await run("test")).out


async def test_what_stands_is_listed_and_what_is_over_with_it_when_asked_for(run, pool):
    await raise_one(pool, title="a: cost\x1b[31m up 40 %")
    await raise_one(pool, id="alt_2", title="b: it was", cleared_at=datetime.now(UTC))
    listed = (await run("list")).out
    assert "cost[31m up 40 %  from 5 to 7" in listed
    assert "b: it was" not in listed
    assert "b: it was" in (await run("list", "--all")).out


async def test_the_secret_of_a_channel_is_read_from_the_input(run, pool):
    await pool.execute(
        "INSERT INTO alert_channels (id, name, kind, recipients) VALUES ('ach_1', 'chat', 'telegram', '{-100123}')"
    )
    token = "12345:ABCDEFGHIJKLMNOPQRSTUVWXYZabcd"
    done = await run("secret", "chat", typed=f"{token}\n")
    assert (done.code, done.out) == (0, "chat: stored; try it with esim-gateway alerts test\n")
    assert token not in done.err
    assert await pool.fetchval("SELECT secret IS NOT NULL FROM alert_channels")
    assert (await run("secret", "nobody", typed=token)).code != 0


async def test_a_test_that_does_not_arrive_is_exit_code_3(run, pool):
    await pool.execute(
        "INSERT INTO alert_channels (id, name, kind, recipients) VALUES ('ach_1', 'm', 'email', '{a@b}')"
    )
    done = await run("test")
    assert (done.code, "m: did not arrive (no mail server is set" in done.out) == (3, True)
    assert (await run("test", "nobody")).code != 0
