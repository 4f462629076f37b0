"""A person at the console with a mouse and a keyboard, whose clicks are counted."""

from __future__ import annotations

from typing import Any


class Clicker:
    """Does what a person does on a page. A choice in a list is two clicks, typing into a field is one to get there.

    A field that the page has put the cursor into needs none.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.clicks = 0

    async def begin(self, path: str = "/console") -> None:
        """Start anew from a page."""
        await self.page.goto(path)
        self.clicks = 0

    async def click(self, target: Any) -> None:
        """Press something."""
        await target.click()
        self.clicks += 1

    async def choose(self, target: Any, value: str) -> None:
        """Choose from a list."""
        await target.select_option(value)
        self.clicks += 2

    async def type(self, target: Any, text: str) -> None:
        """Write into a field."""
        if not await target.evaluate("field => field === document.activeElement"):
            await self.click(target)
        await target.fill(text)
