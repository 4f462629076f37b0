import gzip

import msgspec
import orjson
import pytest
from openapi_spec_validator import validate

from gateway.api import examples, state
from gateway.app import all_routes, make_app
from gateway.kit.settings import load
from schemas import api, api_esims, api_prices
from schemas import orders as api_orders
from schemas import webhooks as api_webhooks
from schemas.page import Page


@pytest.fixture(scope="module")
def document():
    return orjson.loads(make_app(load())[state.DOCUMENT].plain)


def test_it_is_valid(document):
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_operation_has_its_own_id_words_and_security(document):
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == len(all_routes())
    assert all(operation["summary"] and operation["tags"] for operation in operations)
    assert all(operation["security"] for operation in document["paths"]["/v1/plans"].values())
    assert document["paths"]["/livez"]["get"]["security"] == []


def test_what_is_asked_names_the_codes_that_there_are(document):
    schemas = document["components"]["schemas"]
    assert {"JP", "XK", "TW"} <= set(schemas["CountryCode"]["enum"])
    assert "UK" not in schemas["CountryCode"]["enum"]
    assert {"USD", "EUR", "JPY"} <= set(schemas["CurrencyCode"]["enum"])
    parameters = {p["name"]: p["schema"] for p in document["paths"]["/v1/plans"]["get"]["parameters"]}
    assert parameters["country"]["items"] == {"$ref": "#/components/schemas/CountryCode"}
    assert parameters["limit"]["maximum"] == 200
    assert parameters["limit"]["default"] == 50


def test_a_page_is_named_and_titled_after_its_rows(document):
    schemas = document["components"]["schemas"]
    answer = document["paths"]["/v1/orders"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/OrderPage"}
    assert schemas["OrderPage"]["title"] == "OrderPage"
    assert schemas["OrderPage"]["properties"]["data"]["items"] == {"$ref": "#/components/schemas/Order"}
    assert [name for name, schema in schemas.items() if not name.isalnum() or schema.get("title", name) != name] == []


def test_every_problem_is_described_as_one(document):
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                name = answer.get("$ref", "").rpartition("/")[2]
                described = document["components"]["responses"][name] if name else answer
                if int(status) >= 400:
                    assert list(described["content"]) == ["application/problem+json"]


@pytest.mark.parametrize(
    ("example", "kind"),
    [
        (examples.PLAN_LIST, api.PlanList),
        (examples.OFFER_LIST, api.OfferList),
        (examples.PRICE_MATRIX, api_prices.PriceMatrix),
        (examples.page(examples.PRICED_OFFER), Page[api_prices.PricedOffer]),
        (examples.COMPARISON, api_prices.Comparison),
        (examples.COUNTRY_LIST, api.CountryList),
        (examples.REGION_LIST, api.RegionList),
        (examples.NEED, api.QuoteForNeed),
        (examples.QUOTE, api.Quote),
        (examples.page(examples.SUPPLIER), Page[api.Supplier]),
        (examples.page(examples.SYNC_RUN), Page[api.SyncRun]),
        (examples.page(examples.UNMAPPED), Page[api.UnmappedItem]),
        (examples.page(examples.PRICE_CHANGE), Page[api.PriceChange]),
        (examples.page(examples.OFFER), Page[api.Offer]),
        (examples.page(examples.ESIM), Page[api_esims.Esim]),
        (examples.ESIM_USAGE, api_esims.EsimUsage),
        (examples.TOPUP_PLAN_LIST, api_esims.TopupPlanList),
        ({"data": [examples.ENDPOINT]}, api_webhooks.EndpointList),
        (examples.ENDPOINT_WITH_SECRET, api_webhooks.EndpointWithSecret),
        (examples.page(examples.DELIVERY), Page[api_webhooks.Delivery]),
        (examples.ORDER_FOR_PLAN, api_orders.OrderForPlan),
        (examples.ORDER, api_orders.Order),
        (examples.OPS_ORDER, api_orders.OpsOrder),
        ({"data": [examples.ORDER_EVENT]}, api_orders.OrderEventList),
        (examples.RESOLVE, api_orders.ResolveRequest),
        (examples.page(examples.LEDGER_ENTRY), Page[api_orders.LedgerEntry]),
        (examples.page(examples.SELLING_STOP), Page[api_orders.SellingStop]),
    ],
)
def test_an_example_is_what_it_says_it_is(example, kind):
    decoded = msgspec.json.decode(orjson.dumps(example), type=kind)
    assert orjson.loads(msgspec.json.encode(decoded)).keys() == example.keys() | (
        {"triggers", "unlimited"} if kind is api.QuoteForNeed else set()
    )


async def test_it_is_compressed_once_and_not_sent_again_to_who_holds_it(api, monkeypatch):
    public = api.with_key("")
    monkeypatch.setattr(gzip, "compress", None)  # it was compressed at the start
    plain = await public.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    packed = await public.get("/openapi.json", headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 5
    assert await packed.read() == await plain.read() == api.client.app[state.DOCUMENT].plain
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert plain.headers["ETag"] != packed.headers["ETag"]
    for held in (plain, packed):
        again = await public.get("/openapi.json", headers={"If-None-Match": held.headers["ETag"]})
        assert (again.status, again.headers["ETag"], await again.read()) == (304, held.headers["ETag"], b"")
    assert (await public.get("/openapi.json", headers={"If-None-Match": '"other"'})).status == 200
