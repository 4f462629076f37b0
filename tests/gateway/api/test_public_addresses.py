"""``public_base_url``: answers then hold whole addresses where they hold paths without it."""

import pytest

from gateway.kit.settings import load
from schemas.errors import ConfigurationError
from tests.gateway.api.test_two_storefronts import PLAN
from tests.kit.answers import problem, read
from tests.kit.raw_client import RawClient

BASE = "https://gateway.example.com"


@pytest.mark.parametrize("pages", ["", "https://esim.example.com"])
async def test_addresses_of_an_esim_are_whole_and_those_for_travellers_may_be_elsewhere(make_api, suppliers, pages):
    given = {"suppliers": suppliers.accounts(), "public_base_url": f"{BASE}/", "esim": {"page_base_url": pages}}
    api = await make_api(synced=True, **given)
    api = api.with_key(await api.make_key())
    headers = {"Idempotency-Key": "one", "Prefer": "wait=30"}
    esim = (await read(await api.post("/v1/orders", json={"plan_id": PLAN}, headers=headers), status=201))["esim"]
    for ending in ("svg", "png"):
        address = esim[f"qr_{ending}_url"]
        assert address == f"{BASE}/v1/esims/{esim['id']}/qr.{ending}"
        assert (await api.get(address.removeprefix(BASE))).status == 200
    assert esim["page_url"].startswith(f"{pages or BASE}/e/")
    links = await api.read(f"/v1/esims/{esim['id']}/qr-links")
    assert links["svg_url"].startswith(f"{pages or BASE}/e/")


async def test_the_type_of_every_problem_is_a_whole_address(make_api):
    api = await make_api(scopes=["catalog"], public_base_url=BASE)
    found = await problem(await api.get("/v1/orders"), 403, "forbidden")
    assert found["type"] == f"{BASE}/errors/forbidden"
    url = api.client.make_url("/")
    async with RawClient.to(str(url.host), url.port or 0) as raw:
        await raw.send(b"no HTTP at all\r\n\r\n")
        assert (await raw.answer()).json["type"] == f"{BASE}/errors/malformed"


def test_a_base_that_is_no_address_is_refused():
    with pytest.raises(ConfigurationError, match="public_base_url: must be an address"):
        load(public_base_url="gateway.example.com")
