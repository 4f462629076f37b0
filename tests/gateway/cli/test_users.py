"""``users`` as people use it, and the first admin that a start makes."""

import asyncio
import json
import re
from functools import partial

import aiohttp
import asyncpg
import pytest

from benchmarks.processes import free_port
from tests.conftest import _run
from tests.gateway.cli.test_serve import serve, until
from tests.kit.command_line import environment_of, environment_with, run_command
from tests.kit.shelf import settings_for


@pytest.fixture
def users(database_url, tmp_path):
    environment = environment_with(GATEWAY_DATABASE_URL=database_url, GATEWAY_STATE_DIR=str(tmp_path))
    return partial(run_command, environment, "users")


def test_a_user_is_made_listed_given_a_password_and_shut_out(users):
    made = users("create", "ana", "--role", "operator")
    assert made.code == 0, made.err
    assert re.search(r"\n[a-z2-9]{5}(-[a-z2-9]{5}){3}\n", made.out)
    (shown,) = json.loads(users("list", "--json").out)
    assert (shown["name"], shown["role"], shown["disabled_at"]) == ("ana", "operator", None)
    given = users("password", "ana", "--password-stdin", typed="a long enough one\n")
    assert given.out == "ana has another password\n"
    assert users("disable", "ana").code == 0
    assert "disabled" in users("list").out
    assert users("enable", "ana").code == 0


def test_a_user_of_a_storefront_is_made_with_its_name(users, database_url):
    _run(database_url, "INSERT INTO storefronts (id, name) VALUES ('sf_1', 'Blue Shop')")
    made = users("create", "ben", "--role", "storefront", "--storefront", "Blue Shop")
    assert (made.code, made.out.splitlines()[0]) == (0, "ben is storefront of Blue Shop"), made.err
    (shown,) = json.loads(users("list", "--json").out)
    assert (shown["role"], shown["storefront_id"], shown["storefront"]) == ("storefront", "sf_1", "Blue Shop")
    without = users("create", "eve", "--role", "storefront")
    assert without.code != 0
    assert "needs the storefront they belong to" in without.err
    assert (
        "there is no storefront Red Shop"
        in users("create", "eve", "--role", "storefront", "--storefront", "Red Shop").err
    )


def test_a_user_is_unlocked(users, database_url):
    users("create", "ana")
    _run(
        database_url,
        """INSERT INTO login_name_failures (user_id, address)
           SELECT id, '192.0.2.' || n FROM users, generate_series(1, 10) AS n""",
    )
    assert users("unlock", "ana").out == "ana can log in at once; 10 failed attempts are forgotten\n"
    assert users("unlock", "ana").out == "ana can log in at once; 0 failed attempts are forgotten\n"


def test_a_made_up_password_must_be_changed_and_a_given_one_not(users, database_url):
    def must_change():
        async def ask():
            connection = await asyncpg.connect(database_url)
            try:
                return await connection.fetchval("SELECT must_change_password FROM users")
            finally:
                await connection.close()

        return asyncio.run(ask())

    assert "must be changed at the first log-in" in users("create", "ana").out
    assert must_change()
    users("password", "ana", "--password-stdin", typed="a long enough one\n")
    assert not must_change()
    users("password", "ana")
    assert must_change()


def test_a_second_factor_is_reset(users, database_url):
    users("create", "ana")
    assert users("reset-totp", "ana").err == "esim-gateway: ana has no second factor\n"
    _run(database_url, "UPDATE users SET totp_secret = '\\x00', totp_since = now()")
    assert users("reset-totp", "ana").code == 0
    assert json.loads(users("list", "--json").out)[0]["totp_since"] is None


def test_what_cannot_be_is_one_line_and_exit_code_2(users):
    for words, typed in (
        (("create", "with space"), ""),
        (("create", "ana", "--password-stdin"), "short\n"),
        (("password", "nobody"), ""),
        (("disable", "nobody"), ""),
        (("unlock", "nobody"), ""),
        (("reset-totp", "nobody"), ""),
    ):
        done = users(*words, typed=typed)
        assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
        assert done.err.startswith("esim-gateway: ")


async def test_serve_makes_no_user_and_the_one_that_is_made_gets_in(users, database_url, tmp_path):
    port = free_port()
    env = environment_of(settings_for(tmp_path, database_url), GATEWAY_METRICS__PORT="0")
    login = f"http://127.0.0.1:{port}/console/login"
    with serve(tmp_path, env, "--port", str(port)):
        async with aiohttp.ClientSession() as session:

            async def try_in(password):
                form = {"name": "admin", "password": password}
                async with session.post(login, data=form, allow_redirects=False) as answer:
                    return answer.status

            await until(lambda: try_in("a password of nobody"))
            assert json.loads((await asyncio.to_thread(users, "list", "--json")).out) == []
            made = await asyncio.to_thread(users, "create", "admin", "--role", "admin")
            password = re.search(r"\n([a-z2-9]{5}(?:-[a-z2-9]{5}){3})\n", made.out)[1]
            assert await try_in(password) == 303
    assert "password" not in (tmp_path / "serve.log").read_text()
