"""Alerts on the terminal."""

import json

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from tests.kit.secret_keys import SECRET_KEY


@pytest.fixture
def run(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)
    monkeypatch.setenv("GATEWAY_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("GATEWAY_SECRET_KEY", SECRET_KEY)

    def invoke(*words):
        return CliRunner().invoke(app, ["alerts", *words])

    return invoke


async def raise_one(pool, **more):
    fields = {"id": "alt_1", "title": "a: cost up 40 %", "cleared_at": None} | more
    await pool.execute(
        """INSERT INTO alerts (id, rule_id, rule_name, kind, level, subject, title, detail, link, raised_at, seen_at,
                               cleared_at, cleared_why)
           VALUES ($1, 'alr_1', 'r', 'price_move', 'bad', $1, $2, 'from 5 to 7', '/console', now(), now(), $3, 'so')""",
        *fields.values(),
    )


def test_nothing_stands_at_first(run):
    assert run("list").output == "no open alerts\n"
    assert json.loads(run("list", "--json").output) == []
    assert "no channels yet" in run("test").output


async def test_what_stands_is_listed_and_what_is_over_with_it_when_asked_for(run, pool):
    import asyncio
    from datetime import UTC, datetime

    await raise_one(pool, title="a: cost\x1b[31m up 40 %")
    await raise_one(pool, id="alt_2", title="b: it was", cleared_at=datetime.now(UTC))
    listed = (await asyncio.to_thread(run, "list")).output
    assert "cost[31m up 40 %  from 5 to 7" in listed
    assert "b: it was" not in listed
    assert "b: it was" in (await asyncio.to_thread(run, "list", "--all")).output


async def test_a_test_that_does_not_arrive_is_exit_code_3(run, pool):
    import asyncio

    await pool.execute(
        "INSERT INTO alert_channels (id, name, kind, recipients) VALUES ('ach_1', 'm', 'email', '{a@b}')"
    )
    done = await asyncio.to_thread(run, "test")
    assert (done.exit_code, "m: did not arrive (no mail server is set" in done.output) == (3, True)
    assert (await asyncio.to_thread(run, "test", "nobody")).exit_code != 0
