"""``users`` as people use it, and the first admin that a start makes."""

import asyncio
import json
import os
import re
import subprocess
import sys

import pytest

from gateway.store.migrations import upgrade
from gateway.store.pool import open_pool
from tests.conftest import _run
from tests.gateway.cli.test_serve import serve
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.stored_password import is_password


@pytest.fixture
def users(database_url, tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    env = kept | {"GATEWAY_DATABASE_URL": database_url, "GATEWAY_STATE_DIR": str(tmp_path)}

    def run(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gateway", "users", *words]
        return subprocess.run(command, env=env, input=typed, capture_output=True, text=True, check=False)

    return run


def test_a_user_is_made_listed_given_a_password_and_shut_out(users):
    made = users("create", "ana", "--role", "operator")
    assert made.returncode == 0, made.stderr
    assert re.search(r"\n[a-z2-9]{5}(-[a-z2-9]{5}){3}\n", made.stdout)
    (shown,) = json.loads(users("list", "--json").stdout)
    assert (shown["name"], shown["role"], shown["disabled_at"]) == ("ana", "operator", None)
    given = users("password", "ana", "--password-stdin", typed="a long enough one\n")
    assert given.stdout == "ana has another password\n"
    assert users("disable", "ana").returncode == 0
    assert "shut out" in users("list").stdout
    assert users("enable", "ana").returncode == 0


def test_a_user_is_unlocked(users, database_url):
    users("create", "ana")
    _run(
        database_url,
        """INSERT INTO login_name_failures (user_id, address)
           SELECT id, '192.0.2.' || n FROM users, generate_series(1, 10) AS n""",
    )
    assert users("unlock", "ana").stdout == "ana can log in at once; 10 failed attempts are forgotten\n"
    assert users("unlock", "ana").stdout == "ana can log in at once; 0 failed attempts are forgotten\n"


def test_what_cannot_be_is_one_line_and_exit_code_2(users):
    for words, typed in (
        (("create", "with space"), ""),
        (("create", "ana", "--password-stdin"), "short\n"),
        (("password", "nobody"), ""),
        (("disable", "nobody"), ""),
        (("unlock", "nobody"), ""),
    ):
        done = users(*words, typed=typed)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert done.stderr.startswith("esim-gateway: ")


async def test_the_first_start_prints_one_password_once_the_tables_are_there(servers, tmp_path):
    """Two processes start together, before the schema is up."""
    await asyncio.to_thread(_run, servers.postgres.url("postgres"), "CREATE DATABASE first_start")
    url = servers.postgres.url("first_start")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    env = kept | {"GATEWAY_DATABASE_URL": url, "GATEWAY_METRICS__PORT": "0", "GATEWAY_SECRET_KEY": SECRET_KEY}
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    one, two = (env | {"GATEWAY_STATE_DIR": str(folder)} for folder in folders)
    with serve(folders[0], one, "--port", "0"), serve(folders[1], two, "--port", "0"):
        await asyncio.sleep(0.5)
        await upgrade(url)
        found = []
        for _ in range(300):
            text = "".join((folder / "serve.log").read_text() for folder in folders)
            if found := re.findall(r"with the password (\S+)", text):
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(2.5)  # the other looks again
        text = "".join((folder / "serve.log").read_text() for folder in folders)
    assert re.findall(r"with the password (\S+)", text) == found
    assert len(found) == 1
    pool = await open_pool(url)
    assert await is_password(pool, "admin", found[0])
    await pool.close()
