"""Ten tasks of every day, each done in Chromium from the first page, and how many clicks they take."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from gateway.prices.history_rows import offer as offer_of
from gateway.sync.run import run_sync
from gateway.webhooks import endpoint_rows
from gateway.webhooks.endpoint_rows import Owner
from gateway.webhooks.send_again import send_delivery_again
from tests.gateway.console.conftest import Console
from tests.kit.clicks import Clicker

pytestmark = pytest.mark.browser

EMAIL = "traveller@example.com"
# As many as the console of 0.2.0 took, counted in the same way.
BEFORE = {
    "find an order by e-mail": 1,
    "resolve a needs_review": 5,
    "resend a delivery": 4,
    "release a suspect price": 2,
    "accept a quarantine": 3,
    "map an unmapped name": 5,
    "pause a supplier": 4,
    "compare prices of a need": 10,
    "change a markup": 5,
    "make a key": 3,
}
NOW = BEFORE | {
    "resolve a needs_review": 3,
    "resend a delivery": 2,
    "map an unmapped name": 4,
    "pause a supplier": 3,
    "compare prices of a need": 8,
    "change a markup": 4,
}


async def find_an_order(console: Console, on: Clicker) -> None:
    order = await with_email(console)
    await on.begin()
    await on.type(on.page.get_by_label("Search orders"), EMAIL)
    await on.page.keyboard.press("Enter")
    await on.page.wait_for_url(f"**/console/orders/{order}")


async def resolve_an_order(console: Console, on: Clicker) -> None:
    waiting = await console.pool.fetchval("SELECT id FROM orders WHERE status = 'needs_review'")
    await on.begin()
    await on.click(decision(on, "Orders that need review"))
    await on.click(on.page.get_by_role("link", name=f"Failed: order {waiting}"))
    await on.type(on.page.get_by_label("How you know"), "their portal says so")
    await on.click(on.page.get_by_role("button", name="Resolve", exact=True))
    await says(on, "Resolved as failed")


async def resend_a_delivery(console: Console, on: Clicker) -> None:
    order = await with_email(console)
    storefront = await console.pool.fetchval("SELECT storefront_id FROM orders WHERE id = $1", order)
    await endpoint_rows.add(
        console.pool, Owner(storefront, "test"), url="https://example.com/x", events=(), description="",
        secret=console.deps.seal.seal("x"), most=9,
    )  # fmt: skip
    assert await send_delivery_again(console.pool, order, "test") == 1
    await on.begin()
    await on.type(on.page.get_by_label("Search orders"), EMAIL)
    await on.page.keyboard.press("Enter")
    await on.click(on.page.get_by_role("button", name="Send again"))
    await says(on, "sent again to 1 webhook endpoint")


async def release_a_price(console: Console, on: Clicker) -> None:
    id_ = await console.pool.fetchval("SELECT id FROM offers WHERE supplier = 'pikasim' AND cost IS NOT NULL LIMIT 1")
    await console.pool.execute(
        "UPDATE offers SET suspect = 'moved: 1 is far below', suspect_since = now() WHERE id = $1", id_
    )
    await on.begin()
    await on.click(decision(on, "Suspect prices"))
    await on.click(on.page.get_by_role("button", name="Release", exact=True))
    await says(on, "sold again")
    assert await offer_of(console.pool, id_) is not None


async def accept_a_quarantine(console: Console, on: Clicker) -> None:
    console.town.served.world.drift("beppay", share=1.0, by=0.8)
    run = await run_sync(console.pool, console.deps.accounts, console.settings, only=("beppay",))
    assert [part.state for part in run.suppliers] == ["quarantined"]
    await on.begin()
    await on.click(decision(on, "Quarantined syncs"))
    await on.click(on.page.get_by_role("button", name="Accept"))
    await confirm(on, "Accept")
    await on.page.wait_for_url("**/console/sync-runs/sync_*")


async def map_a_name(_console: Console, on: Clicker) -> None:
    await on.begin()
    await on.click(decision(on, "Unmapped names"))
    row = on.page.locator("tr", has_text="can be mapped").filter(has=on.page.get_by_text("place", exact=True)).first
    await on.click(row.get_by_role("link").first)
    await on.type(on.page.get_by_label("Place"), "Iceland")
    await on.click(on.page.get_by_role("button", name="Preview"))
    await on.click(on.page.get_by_role("button", name="Save"))
    await says(on, "means IS from the next sync on")


async def pause_a_supplier(_console: Console, on: Clicker) -> None:
    await on.begin()
    await on.click(menu(on, "Suppliers"))
    await on.click(on.page.get_by_role("button", name="Pause beppay"))
    await confirm(on, "Pause")
    await says(on, "beppay is paused")


async def compare_a_need(_console: Console, on: Clicker) -> None:
    await on.begin()
    await on.click(menu(on, "Prices"))
    await on.choose(on.page.get_by_role("combobox", name="Data"), "3072")
    await on.page.wait_for_url("**data_mb=3072**")
    await on.choose(on.page.get_by_role("combobox", name="Days"), "30")
    await on.page.wait_for_url("**days=30**")
    await on.type(on.page.get_by_label("Country", exact=True), "Japan")
    await on.page.keyboard.press("Enter")
    await on.page.wait_for_url("**country=Japan**")
    await on.click(on.page.get_by_role("link", name="Japan", exact=True))
    await on.click(on.page.get_by_role("button", name="Compare the cheapest of each supplier"))
    await on.page.wait_for_url("**/console/compare?**")
    await expect(on.page.get_by_role("heading", level=1)).to_contain_text("Compare")


async def change_a_markup(console: Console, on: Clicker) -> None:
    await console.pool.execute(
        "INSERT INTO pricing_rules (id, position, name, percent, currency) VALUES ('pr_0a', 1, 'Everything', 10, 'USD')"
    )
    await on.begin()
    await on.click(menu(on, "Pricing"))
    await on.click(on.page.get_by_role("link", name="Everything", exact=True))
    await on.type(on.page.get_by_label("Percent on the cost"), "12")
    await on.click(on.page.get_by_role("button", name="Preview"))
    await on.click(on.page.get_by_role("button", name="Save this rule"))
    await says(on, "Everything +12 %")


async def make_a_key(_console: Console, on: Clicker) -> None:
    await on.begin()
    await on.click(menu(on, "Storefronts"))
    await on.click(on.page.get_by_role("link", name="shop", exact=True))
    await on.click(on.page.get_by_role("button", name="Create key"))
    await expect(on.page.locator(".once code")).to_contain_text("gw_test_")


TASKS = {
    "find an order by e-mail": find_an_order,
    "resolve a needs_review": resolve_an_order,
    "resend a delivery": resend_a_delivery,
    "release a suspect price": release_a_price,
    "accept a quarantine": accept_a_quarantine,
    "map an unmapped name": map_a_name,
    "pause a supplier": pause_a_supplier,
    "compare prices of a need": compare_a_need,
    "change a markup": change_a_markup,
    "make a key": make_a_key,
}


async def with_email(console: Console) -> str:
    """A fulfilled order of a customer with an address."""
    order: str = await console.pool.fetchval(
        """UPDATE orders SET email = $1, email_digest = $2
           WHERE id = (SELECT order_id FROM esims ORDER BY created_at LIMIT 1) RETURNING id""",
        console.deps.seal.seal(EMAIL),
        console.deps.seal.digest(EMAIL),
    )
    return order


def menu(on: Clicker, name: str) -> Any:
    return on.page.locator(".side-nav").get_by_role("link", name=name, exact=True)


def decision(on: Clicker, name: str) -> Any:
    return on.page.locator(".counts").get_by_role("link", name=name)


async def confirm(on: Clicker, name: str) -> None:
    await on.click(on.page.get_by_role("dialog").get_by_role("button", name=name))


async def says(on: Clicker, words: str) -> None:
    await expect(on.page.locator("main")).to_contain_text(words)


async def test_no_task_takes_more_clicks_than_before_and_six_take_fewer(console, open_page):
    on = Clicker(await open_page(console.admin))
    counted = {}
    for name, task in TASKS.items():
        await task(console, on)
        counted[name] = on.clicks
    assert counted == NOW
    assert all(counted[name] <= BEFORE[name] for name in BEFORE)
    assert sum(counted[name] < BEFORE[name] for name in BEFORE) >= 6
