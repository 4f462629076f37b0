"""``keys`` as scripts use it."""

import asyncio
import json
from functools import partial

import pytest

from gateway.access import audit_rows
from gateway.kit.pool import open_pool
from tests.kit.command_line import environment_with, run_command


@pytest.fixture
def keys(database_url, tmp_path):
    environment = environment_with(GATEWAY_DATABASE_URL=database_url, GATEWAY_STATE_DIR=str(tmp_path))
    return partial(run_command, environment, "keys")


def test_a_key_is_made_listed_and_revoked(keys):
    words = ("--scope", "ops", "--scope", "storefront", "--name", "till 1")
    made = json.loads(keys("create", "--storefront", "Shop", "--mode", "live", *words, "--json").out)
    assert set(made) == {"id", "key", "name", "storefront", "mode", "scopes"}
    assert (made["storefront"], made["mode"], made["scopes"]) == ("Shop", "live", ["storefront", "ops"])
    assert made["key"].startswith("gw_live_")
    listed = keys("list", "--json")
    assert made["key"] not in listed.out
    assert [key["id"] for key in json.loads(listed.out)] == [made["id"]]
    assert json.loads(listed.out)[0]["name"] == "till 1"
    assert keys("revoke", made["id"]).code == 0
    assert "revoked" in keys("list").out


def test_keys_made_and_revoked_stand_in_the_audit_log(keys, database_url):
    made = json.loads(keys("create", "--storefront", "Shop", "--scope", "ops", "--json").out)
    for _ in range(2):
        assert keys("revoke", made["id"]).code == 0

    async def entries():
        pool = await open_pool(database_url)
        try:
            return (await audit_rows.newest(pool)).data
        finally:
            await pool.close()

    revoked, created = asyncio.run(entries())
    assert (created.action, revoked.action) == ("key.created", "key.revoked")
    assert {created.object, revoked.object} == {f"key:{made['id']}"}
    assert created.actor.startswith("command line")
    assert (created.detail["storefront"], created.detail["scopes"]) == ("Shop", ["ops"])
    assert made["key"] not in repr((created, revoked))


def test_a_wrong_word_is_one_line_and_exit_code_2(keys):
    create = ("create", "--storefront", "Shop", "--scope")
    for words in ((*create, "admin"), (*create, "goods"), (*create, "routing"), ("revoke", "key_of_nobody")):
        done = keys(*words)
        assert done.code == 2
        assert done.err.startswith("esim-gateway: ")
        assert len(done.err.splitlines()) == 1
