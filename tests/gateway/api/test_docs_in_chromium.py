"""The pages of the documents in a real browser: each draws its own operations and asks nobody else."""

import pytest
from playwright.async_api import expect

from tests.kit.chromium import chromium

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("path", "title", "operation", "elsewhere"),
    [
        ("/docs", "eSIM gateway", "/v1/quotes", "/v1/ops/jobs"),
        ("/docs-ops", "eSIM gateway, operations", "/v1/ops/jobs", "/v1/quotes"),
    ],
)
async def test_a_docs_page_draws_the_operations_of_its_document(api, path, title, operation, elsewhere):
    site = str(api.client.make_url("/"))
    async with chromium() as new_page:
        page = await new_page(site)
        await page.goto(path)
        await expect(page.locator("h1, h2").get_by_text(title, exact=False).first).to_be_visible()
        await expect(page.locator(f'[data-path="{operation}"]').first).to_be_visible()
        assert await page.locator(f'[data-path="{elsewhere}"]').count() == 0
