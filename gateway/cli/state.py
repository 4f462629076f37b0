"""What a command stands on: the settings, completed by what a running ``dev`` keeps in the state folder.

``dev`` writes there where its servers are (``servers.json``), which sandbox accounts it made
(``dev.json``) and the secret key that it made up (``secret_key``). The environment and the
configuration file always come first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.kit.settings import Settings

ENV_STATE_DIR = "GATEWAY_STATE_DIR"
DEV_FILE = "dev.json"
SECRET_KEY_FILE = "secret_key"  # noqa: S105 - a file's name

StateDir = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        help="The folder of a running dev: its servers, secret key and catalogue. "
        f"Also from {ENV_STATE_DIR}; .state otherwise.",
        show_default=False,
    ),
]
"""The option ``--state-dir`` as every command has it."""


class Dev(msgspec.Struct, frozen=True):
    """The sandbox accounts of a ``dev``, as settings of suppliers, and the digest of the price list they sell."""

    accounts: dict[str, dict[str, Any]]
    market: str | None


def settings_here(state_dir: Path | None = None) -> Settings:
    """The settings, with the servers, accounts and secret key of a running ``dev`` where none are given.

    Raises ``ConfigurationError`` when a setting is wrong. A missing database is an error only to
    whom asks for it by ``database_url``.
    """
    from gateway.kit import settings
    from gateway.runtime import embedded

    if state_dir is not None:  # the command line lies over the environment, and children see it too
        os.environ[ENV_STATE_DIR] = str(state_dir.absolute())
    configured = settings.load()
    found: dict[str, Any] = {}
    servers = embedded.running(configured.state_dir)
    if servers is not None:
        if configured.database_url is None and servers.database_url:
            found["database_url"] = servers.database_url
        if configured.redis_url is None and servers.redis_url:
            found["redis_url"] = servers.redis_url
        if not configured.suppliers and (dev := dev_before(configured.state_dir)) is not None:
            found["suppliers"] = dev.accounts
    if not configured.secret_key and (key := kept_secret(configured.state_dir)):
        found["secret_key"] = [key]
    return settings.load(**found) if found else configured


def database_url(settings: Settings) -> str:
    """Where PostgreSQL itself is, past any pooler. Raises ``ConfigurationError`` when nothing says so."""
    if settings.direct_url is None:
        raise ConfigurationError(
            f"no database: set GATEWAY_DATABASE_URL, or start esim-gateway dev on {settings.state_dir}"
        )
    return settings.direct_url.get_secret_value()


@contextmanager
def database_to_fill(state_dir: Path | None, secret_keys: Sequence[str]) -> Iterator[Settings]:
    """The settings for a database that a backup is put into.

    Without one, the embedded PostgreSQL of the state folder runs for as long as the block, and the folder gets the
    first of these keys where it has none.
    """
    from gateway.runtime import embedded

    settings = settings_here(state_dir)
    if state_dir is None or settings.database_url is not None:
        yield settings
        return
    with embedded.start(settings.state_dir, valkey=False):
        if secret_keys and not settings.secret_key:
            write_private(settings.state_dir / SECRET_KEY_FILE, secret_keys[0])
        yield settings_here(state_dir)


def redis_url(settings: Settings) -> str | None:
    """Where Redis or Valkey is; None means that the gateway does without."""
    return settings.redis_url.get_secret_value() if settings.redis_url is not None else None


def dev_before(state_dir: Path) -> Dev | None:
    """What the last ``dev`` on this state folder sold, None when it had configured suppliers or never ran."""
    try:
        return msgspec.json.decode((state_dir / DEV_FILE).read_bytes(), type=Dev)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def keep_dev(state_dir: Path, dev: Dev | None) -> None:
    """Let later commands find the sandbox accounts of this ``dev``; None when it has configured suppliers."""
    if dev is None:
        (state_dir / DEV_FILE).unlink(missing_ok=True)
    else:
        write_private(state_dir / DEV_FILE, msgspec.json.encode(dev).decode())


def kept_secret(state_dir: Path) -> str | None:
    """The secret key that an earlier ``dev`` made up, None when there is none."""
    try:
        return (state_dir / SECRET_KEY_FILE).read_text("ascii").strip()
    except FileNotFoundError:
        return None


def make_secret(state_dir: Path) -> str:
    """The kept secret key, made up the first time: quotes and cursors outlive a restart."""
    from gateway.kit.secret_strength import new_secret

    key = kept_secret(state_dir)
    if key is None:
        key = new_secret()
        write_private(state_dir / SECRET_KEY_FILE, key)
    return key


def write_private(path: Path, text: str) -> None:
    """Write a small file that only its owner can read, whole or not at all."""
    half = path.with_name(path.name + ".new")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    half.write_text(text + "\n", "utf-8")
    half.rename(path)
