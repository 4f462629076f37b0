"""Every list of the API takes a cursor in the same way."""

import pytest

from gateway.app import all_routes
from gateway.kit.pages import write_cursor
from tests.gateway.api.test_ops import filled
from tests.kit.answers import problem

__all__ = ["filled"]  # the fixture

LISTS = sorted(
    route.path
    for route in all_routes()
    if route.method == "GET"
    and "{" not in route.path
    and "cursor" in getattr(route.parameters, "__struct_fields__", ())
)


@pytest.fixture
async def ops(make_api):
    """A caller that may read every list, with a catalogue to read; ``filled`` adds rows to the database."""
    api = await make_api(published=True)
    return api.with_key(await api.make_key("storefront", "goods", "ops", per_minute=10**6))


def test_lists_are_found_by_their_parameters():
    assert {"/v1/plans", "/v1/orders", "/v1/esims", "/v1/ops/audit", "/v1/ops/margins"} <= set(LISTS)


async def test_values_that_a_list_cannot_read_lead_to_its_end(filled):
    whole = {path: await filled.read(path) for path in LISTS}
    assert {"/v1/plans", "/v1/ops/offers", "/v1/ops/price-changes"} <= {path for path in LISTS if whole[path]["data"]}
    unreadable = write_cursor(*["no value"] * 9)
    found = {path: await filled.read(f"{path}?cursor={unreadable}") for path in LISTS}
    assert {path: page["data"] for path, page in found.items() if page["data"]} == {}
    assert {path for path, page in found.items() if page["has_more"]} == set()


async def test_any_hex_digits_are_a_cursor(filled):
    for path in LISTS:
        for cursor in ("00", "ff" * 20, "1f", "61" * 300, "1f31", write_cursor(1), write_cursor("a", "b")):
            assert (path, (await filled.get(f"{path}?cursor={cursor}")).status) == (path, 200)


async def test_any_other_text_is_pointed_at(filled):
    for path in LISTS:
        for cursor in ("", "0", "zz", "61" * 301, "550.jp-1gb-7d-1"):
            body = await problem(await filled.get(f"{path}?cursor={cursor}"), 422, "invalid")
            assert body["errors"][0]["pointer"] == "/cursor", path
