"""Lines of JSON in a file that outlives a process that is killed: a line that was cut off never happened."""

from __future__ import annotations

from io import BufferedWriter
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from schemas.errors import ConfigurationError

T = TypeVar("T", bound=msgspec.Struct)


class Lines(Generic[T]):
    """One file's lines, each a ``kind``. Without a file nothing is kept."""

    def __init__(self, file: Path | None, kind: type[T]) -> None:
        self._file = file
        self._kind = kind
        self._open: BufferedWriter | None = None

    def read(self) -> list[T]:
        """Every whole line; a half one at the end goes. Raises ``ConfigurationError`` for a file of something else."""
        if self._file is None:
            return []
        try:
            text = self._file.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ConfigurationError(f"{self._file}: {error.strerror}") from None
        whole, _, cut_off = text.rpartition(b"\n")
        decoder = msgspec.json.Decoder(self._kind)
        try:
            lines = [decoder.decode(line) for line in whole.splitlines()]
        except msgspec.MsgspecError as error:
            raise ConfigurationError(f"{self._file}: these are no sandbox's books ({error}); delete the file") from None
        if cut_off:
            self._file.write_bytes(whole + b"\n" if whole else b"")
        return lines

    def write(self, line: T) -> None:
        """Add a line; it is with the operating system when this returns."""
        if self._file is None:
            return
        if self._open is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._open = self._file.open("ab")
        self._open.write(msgspec.json.encode(line) + b"\n")
        self._open.flush()

    def clear(self) -> None:
        """Begin with an empty file."""
        self.close()
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        if self._open is not None:
            self._open.close()
            self._open = None
