"""The command line as a whole, in processes of its own."""

import os
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[3]


@pytest.fixture
def command(tmp_path):
    def run(*arguments, **environment):
        plain = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        return subprocess.run(
            [sys.executable, "-m", "gateway", *map(str, arguments)],
            check=False,
            cwd=HOUSE,
            capture_output=True,
            text=True,
            timeout=60,
            env=plain | {"GATEWAY_STATE_DIR": str(tmp_path / "state"), "COLUMNS": "100"} | environment,
        )

    return run


def test_help_names_every_command_and_where_to_start(command):
    result = command("--help")
    assert result.returncode == 0
    assert "esim-gateway dev" in result.stdout
    for name in ("dev", "db", "doctor"):
        assert f"│ {name} " in result.stdout


def test_a_wrong_setting_is_one_line_and_exit_code_2(command):
    result = command("db", "upgrade", GATEWAY_RATE_LIMIT__PER_MINUTE="many")
    assert result.returncode == 2
    assert result.stderr.startswith("esim-gateway: rate_limit.per_minute: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["serve", "worker"])
def test_a_secret_key_that_can_be_guessed_is_refused_at_start(command, name):
    result = command(name, GATEWAY_SECRET_KEY="changeme" * 5)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "secret_key" in result.stderr
    assert "esim-gateway secrets new" in result.stderr
    assert "changeme" not in result.stderr


def test_a_new_secret_key_is_printed_that_is_accepted(command):
    weak = {"GATEWAY_SECRET_KEY": "changeme" * 5}
    first, second = (command("secrets", "new", **weak).stdout.strip() for _ in range(2))
    assert first != second
    checks = command("doctor", "--json", GATEWAY_SECRET_KEY=first).stdout
    assert '"name":"secret key","state":"ok"' in checks


def test_db_upgrade_brings_an_empty_database_up_and_can_be_run_again(command, own_servers):
    url = own_servers.postgres.url()
    for _ in range(2):
        result = command("db", "upgrade", GATEWAY_DATABASE_URL=url)
        assert result.returncode == 0, result.stderr
    assert command("doctor", "--json", GATEWAY_DATABASE_URL=url).stdout.count('"schema","state":"ok"') == 1


def test_a_database_that_is_away_is_one_line(command, tmp_path):
    result = command("db", "upgrade", GATEWAY_DATABASE_URL=f"postgresql://gateway@/gateway?host={tmp_path}")
    assert result.returncode == 1
    assert "the database cannot be reached" in result.stderr
    assert result.stderr.count("\n") == 1


def test_commands_find_the_servers_of_a_state_folder(command, own_servers, tmp_path):
    result = command("db", "upgrade", "--state-dir", tmp_path / "servers")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("option", ["--port", "--sandbox-port"])
def test_dev_names_the_option_of_a_port_that_is_taken(command, option, unused_tcp_port_factory):
    ports = {"--port": unused_tcp_port_factory(), "--sandbox-port": unused_tcp_port_factory()}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports[option]))
        taken.listen()
        result = command("dev", *(str(word) for pair in ports.items() for word in pair))
    assert result.returncode == 2
    assert f"port {ports[option]} " in result.stderr
    assert f"with {option}" in result.stderr
    assert result.stderr.count("\n") == 1


def test_dev_refuses_a_state_folder_on_which_another_runs(command, own_servers, tmp_path):
    result = command("dev", "--state-dir", tmp_path / "servers")
    assert result.returncode == 2
    assert f"process {os.getpid()}" in result.stderr


def test_dev_refuses_a_price_list_for_configured_suppliers(command, tmp_path):
    (tmp_path / "prices.csv").write_text("date\n")
    result = command("dev", "--market", tmp_path / "prices.csv", GATEWAY_SUPPLIERS__PIKA__PROVIDER="pikasim")
    assert result.returncode == 2
    assert "--market is for the sandboxes" in result.stderr


def test_the_version_is_that_of_the_package(command):
    result = command("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"esim-gateway {version('esim-gateway')}\n"
