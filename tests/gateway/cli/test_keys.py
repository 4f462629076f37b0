"""``keys`` as scripts use it."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from gateway.access import audit_rows
from gateway.kit.pool import open_pool


@pytest.fixture
def keys(database_url, tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    env = kept | {"GATEWAY_DATABASE_URL": database_url, "GATEWAY_STATE_DIR": str(tmp_path)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gateway", "keys", *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    return run


def test_a_key_is_made_listed_and_revoked(keys):
    words = ("--scope", "ops", "--scope", "storefront", "--name", "till 1")
    made = json.loads(keys("create", "--storefront", "Shop", "--mode", "live", *words, "--json").stdout)
    assert set(made) == {"id", "key", "name", "storefront", "mode", "scopes"}
    assert (made["storefront"], made["mode"], made["scopes"]) == ("Shop", "live", ["storefront", "ops"])
    assert made["key"].startswith("gw_live_")
    listed = keys("list", "--json")
    assert made["key"] not in listed.stdout
    assert [key["id"] for key in json.loads(listed.stdout)] == [made["id"]]
    assert json.loads(listed.stdout)[0]["name"] == "till 1"
    assert keys("revoke", made["id"]).returncode == 0
    assert "revoked" in keys("list").stdout


def test_keys_made_and_revoked_stand_in_the_audit_log(keys, database_url):
    made = json.loads(keys("create", "--storefront", "Shop", "--scope", "ops", "--json").stdout)
    for _ in range(2):
        assert keys("revoke", made["id"]).returncode == 0

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
        assert done.returncode == 2
        assert done.stderr.startswith("esim-gateway: ")
        assert len(done.stderr.splitlines()) == 1
