"""The two keys that ``dev`` shows: made once, kept in the state folder for its owner alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gateway.cli.state import database_url, write_private
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.access.key_rows import Mode
    from gateway.kit.pool import Pool
    from gateway.kit.settings import Settings

_FILE = "keys.json"
_STOREFRONT = "dev"
_SCOPES = {"storefront": ("storefront",), "ops": ("storefront", "ops")}


class DevKeys(msgspec.Struct, frozen=True):
    """The text of a storefront's key and of an ops key, both of one mode."""

    mode: str
    storefront: str
    ops: str


async def keys(settings: Settings) -> DevKeys:
    """The kept keys if the database still knows them, else new ones.

    They are test keys, unless every configured supplier is live: then a test key would see nothing.
    """
    from gateway.kit.pool import open_pool

    live = settings.suppliers and all(s.get("mode", "live") == "live" for s in settings.suppliers.values())
    mode: Mode = "live" if live else "test"
    pool = await open_pool(database_url(settings))
    try:
        kept = _kept(settings.state_dir / _FILE)
        if kept is not None and kept.mode == mode and await _known(pool, kept):
            return kept
        made = await _make(pool, mode)
    finally:
        await pool.close()
    write_private(settings.state_dir / _FILE, msgspec.json.encode(made).decode())
    return made


def _kept(path: Path) -> DevKeys | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=DevKeys)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


async def _known(pool: Pool, kept: DevKeys) -> bool:
    from gateway.access.key_rows import find_key, key_digest

    return all([await find_key(pool, key_digest(text)) for text in (kept.storefront, kept.ops)])


async def _make(pool: Pool, mode: Mode) -> DevKeys:
    from gateway.cli.connected import cli_actor
    from gateway.kit.problem import Problem
    from gateway.operations.storefronts import make_key

    made: dict[str, str] = {}
    for name, scopes in _SCOPES.items():
        key = await make_key(
            pool, cli_actor(), storefront=_STOREFRONT, mode=mode, scopes=scopes, name=f"dev {name}", per_minute=None
        )
        if isinstance(key, Problem):
            raise ConfigurationError(key.detail)
        made[name] = key.key
    return DevKeys(mode=mode, storefront=made["storefront"], ops=made["ops"])
