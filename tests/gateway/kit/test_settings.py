"""Settings: the database's password apart from its URL, and what `dev` leaves as it was set."""

import os
import tomllib
from functools import reduce
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from pydantic import BaseModel

from gateway.cli.dev import _allow_loopback
from gateway.kit.settings import Settings, load
from schemas.errors import ConfigurationError

HOUSE = Path(__file__).parents[3]
URL = "postgresql://gateway@postgres:5432/gateway"
ALLOW = "GATEWAY_WEBHOOKS__ALLOW_PRIVATE"


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """No setting of this machine's own; what a test sets is taken back."""
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(ALLOW, "")
    monkeypatch.delenv(ALLOW)


def url_of(settings):
    return settings.database_url.get_secret_value()


@pytest.mark.parametrize("password", ["plain", "p@ss/w:rd", "a?b#c%d[e]", "ä €", "%40"])
async def test_a_password_of_any_characters_reaches_postgresql_as_it_was_set(password, monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", URL)
    monkeypatch.setenv("GATEWAY_DATABASE_PASSWORD", password)
    parts = urlsplit(url_of(load()))
    assert unquote(parts.password) == password
    assert (parts.username, parts.hostname, parts.port, parts.path) == ("gateway", "postgres", 5432, "/gateway")


@pytest.mark.parametrize(
    "url", [URL, "postgresql://gateway@/gateway?host=/run/pg", "postgresql://u:p%40ss@h1:5432,h2:5433/db"]
)
def test_a_url_without_a_password_beside_it_stays_as_it_is(url, monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", url)
    assert url_of(load()) == url


@pytest.mark.parametrize("password", ["p@ss", "p/w", "p?w", "p#w", "[p", "12/w"])
def test_an_unquoted_password_in_the_url_says_where_it_belongs(password, monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", f"postgresql://gateway:{password}@postgres:5432/gateway")
    with pytest.raises(ConfigurationError, match=r"^database_url cannot be read: .*GATEWAY_DATABASE_PASSWORD"):
        load()


@pytest.mark.parametrize(
    ("url", "words"), [("postgresql://gateway:one@h/db", "has a password already"), ("postgresql://h/db", "the user")]
)
def test_a_password_that_fits_no_url_is_refused(url, words, monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", url)
    monkeypatch.setenv("GATEWAY_DATABASE_PASSWORD", "two")
    with pytest.raises(ConfigurationError, match=words):
        load()


def test_the_database_behind_a_pooler_has_the_password_too(monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", "postgresql://gateway@pooler:6432/gateway")
    monkeypatch.setenv("GATEWAY_DATABASE_DIRECT_URL", URL)
    monkeypatch.setenv("GATEWAY_DATABASE_PASSWORD", "p@ss")
    settings = load()
    assert settings.has_pooler
    assert url_of(settings) == "postgresql://gateway:p%40ss@pooler:6432/gateway"
    assert settings.direct_url.get_secret_value() == "postgresql://gateway:p%40ss@postgres:5432/gateway"


def test_without_a_pooler_the_database_is_reached_directly(monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", URL)
    monkeypatch.setenv("GATEWAY_DATABASE_DIRECT_URL", "")
    settings = load()
    assert not settings.has_pooler
    assert settings.direct_url.get_secret_value() == URL


def test_a_direct_url_without_a_poolers_is_refused(monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_DIRECT_URL", URL)
    with pytest.raises(ConfigurationError, match="set both"):
        load()


def test_compose_gives_the_password_by_itself():
    settings = yaml.safe_load((HOUSE / "compose.yaml").read_text())["x-gateway"]["environment"]
    assert "POSTGRES_PASSWORD" in settings["GATEWAY_DATABASE_PASSWORD"]
    assert "$" not in settings["GATEWAY_DATABASE_URL"]


@pytest.mark.parametrize(
    ("text", "allowed"),
    [(None, "127.0.0.0/8,::1/128"), ("[webhooks]\nallow_private = []", None), ("[sync]", "127.0.0.0/8,::1/128")],
)
def test_dev_lets_webhooks_go_to_this_machine_unless_the_file_says_otherwise(text, allowed, tmp_path, monkeypatch):
    if text is not None:
        (tmp_path / "gateway.toml").write_text(text)
        monkeypatch.setenv("GATEWAY_CONFIG", str(tmp_path / "gateway.toml"))
    _allow_loopback(load())
    assert os.environ.get(ALLOW) == allowed


def test_dev_leaves_an_empty_list_of_the_environment_empty(monkeypatch):
    monkeypatch.setenv(ALLOW, "[]")
    _allow_loopback(load())
    assert load().webhooks.allow_private == ()


def _defaults(section, path=()):
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _defaults(field.annotation, (*path, name))
        elif name != "suppliers":
            yield (*path, name), field.default


# What each installation has of its own, and what another setting's absence means.
NOT_SHIPPED = {
    "database_url",
    "database_direct_url",
    "database_password",
    "redis_url",
    "state_dir",
    "secret_key",
    "log_level",
    "smtp.password",
}
NOT_SHIPPED |= {"webhooks.allow_private"}


def test_the_shipped_file_has_every_setting_with_the_default_of_the_code():
    file = tomllib.loads((HOUSE / "config" / "gateway.toml").read_text())
    settings, odd = load(), {}
    for path, default in _defaults(Settings):
        name = ".".join(path)
        listed = reduce(lambda part, step: part.get(step, {}), path, file) != {}
        if listed == (name in NOT_SHIPPED) or reduce(getattr, path, settings) != default:
            odd[name] = default
    assert not odd


def test_a_file_that_is_no_text_is_named(tmp_path, monkeypatch):
    (tmp_path / "gateway.toml").write_bytes(b"\xff\xfe[sync]")
    monkeypatch.setenv("GATEWAY_CONFIG", str(tmp_path / "gateway.toml"))
    with pytest.raises(ConfigurationError, match=r"gateway\.toml: 'utf-8' codec can't decode"):
        load()
