"""Every page of the console as a picture under .state/screenshots/: light, dark, and as a phone has it.

``make screenshots``, or with words for some: ``python -m tests.gateway.console.screenshots orders margins``.
"""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.console_places import places
from gateway.kit.pool import open_pool
from gateway.migrations import upgrade
from gateway.runtime import embedded
from tests.gateway.console.conftest import PASSWORD, Console, _consoles, _run, _work

FOLDER = Path(__file__).parents[3] / ".state" / "screenshots"
KINDS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "has_touch": True},
}
_COLOURS = 96  # flags have many
# The data's orders are of some hours, the last of which wait for an operator. For the charts of Home they are of so
# many times as long, and turned round by some days, so that today has ordinary ones.
_LONGER = 80
_TURN_SECONDS, _WHOLE_SECONDS = 900_000, 600 * 26 * _LONGER
_TIMES = (("orders", "created_at"), ("attempts", "started_at"), ("ledger", "at"), ("order_events", "at"))
_LIKE_ANOTHER = {
    *("search", "search-for-an-order", "orders-by-a-reference", "orders-of-one-supplier", "audit-of-one-kind"),
    *("prices", "prices-country", "history"),
}


async def main(words: list[str]) -> None:
    """Draw them all, or those whose name holds one of the words."""
    with tempfile.TemporaryDirectory() as folder, embedded.start(Path(folder) / "servers") as servers:
        await asyncio.to_thread(_run, servers.postgres.url("postgres"), "CREATE DATABASE shown")
        url = servers.postgres.url("shown")
        await upgrade(url)
        await _work(url, folder)
        await _spread(url)
        async with _consoles(url, servers.where.redis_url, folder, _hash(), busy=True) as make:
            console = await make()
            found = {_name(name): address for name, address in (await places(console.pool, "live")).items()}
            wanted = [
                (name, address)
                for name, address in found.items()
                if not address.endswith(".toml")
                and name not in _LIKE_ANOTHER
                and (not words or any(word in name for word in words))
            ]
            FOLDER.mkdir(exist_ok=True, parents=True)
            await _draw(console, wanted)


async def _spread(url: str) -> None:
    pool = await open_pool(url)
    try:
        for table, column in _TIMES:
            age = f"extract(epoch FROM now() - {column}) * {_LONGER} + {_TURN_SECONDS}"
            await pool.execute(
                f"UPDATE {table} SET {column} = now() - make_interval(secs => mod({age}, {_WHOLE_SECONDS})::float8)"
            )
    finally:
        await pool.close()


def _hash() -> str:
    from argon2 import PasswordHasher

    return PasswordHasher().hash(PASSWORD)


def _name(place: str) -> str:
    """A file's name for a page: its path's template without slashes."""
    return re.sub(r"[^a-z]+", "-", place.removeprefix("/console")).strip("-") or "home"


async def _draw(console: Console, wanted: list[tuple[str, str]]) -> None:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        for kind, how in KINDS.items():
            context = await browser.new_context(base_url=console.url, reduced_motion="reduce", **how)
            for name, path in wanted:
                await context.clear_cookies()
                if name != "login":
                    await context.add_cookies(
                        [{"name": "gw_session", "value": _session(console, path), "url": console.url}]
                    )
                page = await context.new_page()
                answer = await page.goto(path, wait_until="networkidle")
                if answer is None or answer.status != 200:
                    print(f"{name}: {answer.status if answer is not None else 'no answer'}")
                _keep(await page.screenshot(), FOLDER / f"{name}-{kind}.png")
                await page.close()
            await context.close()
        await browser.close()
    print(f"{len(wanted) * len(KINDS)} pictures are in {FOLDER}")


def _session(console: Console, path: str) -> str:
    jar = console.reader_of(path).http.cookie_jar
    return next(morsel.value for morsel in jar if morsel.key == "gw_session")


def _keep(picture: bytes, path: Path) -> None:
    """Write a picture with few colours: a third of the bytes, and the eye sees no difference."""
    with Image.open(io.BytesIO(picture)) as drawn:
        drawn.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
