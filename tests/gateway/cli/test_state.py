"""What the commands stand on: settings, completed by a running dev."""

import pytest

from gateway.cli import state
from gateway.runtime import embedded
from schemas.errors import ConfigurationError

ACCOUNTS = {"pika": {"provider": "pikasim", "mode": "test", "base_url": "http://127.0.0.1:1/pikasim", "api_key": "k"}}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path):
    import os

    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GATEWAY_STATE_DIR", str(tmp_path))


@pytest.fixture
def running(monkeypatch):
    where = embedded.Running(owner=1, database_url="postgresql://embedded", redis_url="unix:///embedded")
    monkeypatch.setattr(embedded, "running", lambda folder: where)


def test_a_running_dev_gives_its_servers_accounts_and_key(running, tmp_path):
    state.keep_dev(tmp_path, state.Dev(accounts=ACCOUNTS, market=None))
    key = state.make_secret(tmp_path)
    settings = state.settings_here()
    assert state.database_url(settings) == "postgresql://embedded"
    assert state.redis_url(settings) == "unix:///embedded"
    assert settings.suppliers == ACCOUNTS
    assert settings.secret_key[0].get_secret_value() == key


def test_the_environment_comes_before_a_running_dev(running, tmp_path, monkeypatch):
    state.keep_dev(tmp_path, state.Dev(accounts=ACCOUNTS, market=None))
    monkeypatch.setenv("GATEWAY_DATABASE_URL", "postgresql://mine")
    monkeypatch.setenv("GATEWAY_SUPPLIERS__OWN__PROVIDER", "s2s")
    settings = state.settings_here()
    assert state.database_url(settings) == "postgresql://mine"
    assert state.redis_url(settings) == "unix:///embedded"
    assert list(settings.suppliers) == ["own"]


def test_the_configuration_file_comes_before_a_running_dev(running, tmp_path, monkeypatch):
    file = tmp_path / "mine.toml"
    file.write_text('redis_url = "redis://mine"\n')
    monkeypatch.setenv("GATEWAY_CONFIG", str(file))
    assert state.redis_url(state.settings_here()) == "redis://mine"


def test_a_state_folder_on_the_command_line_comes_before_the_environment(tmp_path):
    assert state.settings_here(tmp_path / "other").state_dir == tmp_path / "other"


def test_no_database_anywhere_says_what_to_do(tmp_path):
    with pytest.raises(ConfigurationError, match="set GATEWAY_DATABASE_URL, or start esim-gateway dev"):
        state.database_url(state.settings_here())


def test_the_secret_key_is_made_once_for_its_owner_alone(tmp_path):
    key = state.make_secret(tmp_path)
    assert state.make_secret(tmp_path) == key
    assert len(key) >= 32
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_accounts_of_an_ended_dev_with_sandboxes_are_forgotten(running, tmp_path):
    state.keep_dev(tmp_path, state.Dev(accounts=ACCOUNTS, market=None))
    state.keep_dev(tmp_path, None)
    assert state.settings_here().suppliers == {}
