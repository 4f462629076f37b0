"""The documentation as files, for any web server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from gateway.api.docs.site import PARTS, SEARCH, STATIC, TEXTS, Site

_TO_THE_FIRST_PAGE = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=docs.html">
<title>eSIM gateway</title>
<a href="docs.html">Documentation</a>
</html>
"""


def write_site(folder: Path, documents: Mapping[str, Callable[[], bytes]]) -> int:
    """Write all pages into a folder; how many. ``documents`` are those that the site is made of."""
    site = Site(documents, ending=".html")
    for path in site.paths:
        _write(folder / f"{path}.html", site.draw(path))
    for part in PARTS:
        _write(folder / part.home / SEARCH, site.search_index(part))
    for name, body in STATIC.bodies().items():
        _write(folder / STATIC.prefix.strip("/") / name, body)
    for picture in TEXTS.rglob("*.png"):
        _write(folder / "docs" / picture.relative_to(TEXTS), picture.read_bytes())
    # Whoever opens the folder comes to the first page.
    _write(folder / "index.html", _TO_THE_FIRST_PAGE)
    return len(site.paths)


def _write(file: Path, body: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
