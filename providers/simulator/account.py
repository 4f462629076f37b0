"""A sandbox's account: the keys that it takes, the secret that it shares with us, and what its clock says."""

from __future__ import annotations

import hmac
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from schemas.errors import ConfigurationError

FIRST = 1


class SandboxKey(msgspec.Struct, kw_only=True):
    """One key. ``secret`` is shown to nobody after it was made."""

    id: int
    name: str
    secret: str
    active: bool = True
    created_at: datetime
    last_used_at: datetime | None = None


class SandboxAccount:
    """One account. ``secret`` is what signatures are made with; ``clock_seconds`` how far the clock is ahead.

    With a ``file`` the keys outlive the process: a gateway that turned its key over comes back with the new one.
    Raises ``ConfigurationError`` for a file that holds no keys.
    """

    def __init__(self, key: str, secret: str = "", file: Path | None = None) -> None:
        self._given = secret
        self._file = file
        self.secret = secret
        self.clock_seconds = 0.0
        self.keys = _read(file) or [SandboxKey(id=FIRST, name="Sandbox", secret=key, created_at=datetime.now(UTC))]
        if key != self.keys[0].secret:
            self.keys[0].secret = key

    def admits(self, secret: str) -> bool:
        """Whether this is one of its keys and not revoked; notes that it was used."""
        for key in self.keys:
            if key.active and hmac.compare_digest(key.secret.encode(), secret.encode()):
                key.last_used_at = datetime.now(UTC)
                return True
        return False

    def create(self, name: str, prefix: str) -> SandboxKey:
        """A new key that begins with ``prefix``."""
        key = SandboxKey(
            id=len(self.keys) + 1, name=name, secret=prefix + secrets.token_hex(20), created_at=datetime.now(UTC)
        )
        self.keys.append(key)
        self._write()
        return key

    def revoke(self, key_id: int) -> bool:
        """Take a key out of use; False when there is none of that id."""
        return self._set(key_id, active=False)

    def restore(self, key_id: int) -> bool:
        """Put a revoked key back, which no supplier does."""
        return self._set(key_id, active=True)

    def now(self) -> float:
        """Unix seconds by this supplier's clock."""
        return time.time() + self.clock_seconds

    def reset(self) -> None:
        """The clock right, the secret as it was, the first key in use. Keys that were made stay."""
        self.clock_seconds = 0.0
        self.secret = self._given
        self.restore(FIRST)

    def _set(self, key_id: int, *, active: bool) -> bool:
        found = [key for key in self.keys if key.id == key_id]
        for key in found:
            key.active = active
        self._write()
        return bool(found)

    def _write(self) -> None:
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_bytes(msgspec.json.encode(self.keys))


def _read(file: Path | None) -> list[SandboxKey]:
    if file is None or not file.exists():
        return []
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[SandboxKey])
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{file}: these are no sandbox's keys ({error}); delete the file") from None
