"""Where the console's pages are: addresses with parts are filled in with things that the stocked gateway has."""

from __future__ import annotations

from typing import Any


async def extra_places(console: Any) -> list[tuple[str, str]]:
    """Name and address of pages that are about one thing, and of lists with filters that show something."""
    found: list[tuple[str, str]] = [("search", "/console/search?q=japan"), ("password", "/console/password")]
    return found
