"""``esim-gateway docs``: the documentation as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import ConfigurationError


def docs(
    folder: Annotated[Path, typer.Argument(help="Where the pages are written.")],
) -> None:
    """Write the documentation as a static site. A running gateway serves the same pages at /docs."""
    from gateway.api.docs.static_site import write_site
    from gateway.app import documents

    try:
        made = write_site(folder, {path: document.body for path, document in documents().items()})
    except OSError as error:
        raise ConfigurationError(f"{error.filename or folder}: {error.strerror or error}") from None
    print(f"{made} pages in {folder}: open {folder / 'index.html'} behind a web server")
