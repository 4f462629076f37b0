"""Pages of Chromium, for what only a browser shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from tests.kit.programs import program

NewPage = Callable[..., Awaitable[Any]]


@asynccontextmanager
async def chromium() -> AsyncIterator[NewPage]:
    """``await new_page()`` makes a page in a context of its own. An error in its scripts fails the test.

    ``scripts=False`` switches JavaScript off, ``scheme`` is light or dark, ``phone`` a small screen. A page of a
    ``site`` has these cookies there, and fails the test when it asks for what is not of that site.
    """
    from playwright.async_api import async_playwright, expect

    path = program("chromium")
    faults: list[str] = []
    expect.set_options(timeout=30_000)  # as long as everything else waits there
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )

        async def new_page(
            site: str = "",
            cookies: Iterable[tuple[str, str]] = (),
            *,
            scripts: bool = True,
            scheme: Any = "light",
            phone: bool = False,
        ) -> Any:
            context = await browser.new_context(
                java_script_enabled=scripts,
                color_scheme=scheme,
                viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 860},
                base_url=site or None,
                reduced_motion="reduce",
            )
            await context.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies])
            page = await context.new_page()

            def note(what: str) -> None:
                faults.append(f"{page.url}: {what}")

            page.on("pageerror", lambda error: note(str(error)))
            page.on("console", lambda said: note(said.text) if _bad(said) else None)
            page.on(
                "request",
                lambda asked: None if asked.url.startswith((site, "data:")) else note(f"asked for {asked.url}"),
            )
            return page

        yield new_page
        await browser.close()
    assert not faults, faults


def _bad(said: Any) -> bool:
    # A refusal that a test asks for is a line of Chromium's own; what matters are scripts and the policy.
    return said.type == "error" and "status of 4" not in said.text
