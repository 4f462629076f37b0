import gzip
import operator

import jsonschema
import msgspec
import orjson
import pytest
from openapi_spec_validator import validate

from gateway.api import state
from gateway.app import all_routes, make_app
from gateway.kit.settings import load

ROUTES = all_routes()
name = operator.attrgetter("name")


@pytest.fixture(scope="module")
def document():
    return orjson.loads(make_app(load())[state.DOCUMENT].plain)


@pytest.mark.no_cover  # other tests run the same lines
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
    assert "enum" not in schemas["CurrencyCode"]
    assert schemas["CurrencyCode"]["pattern"] == "^[A-Z]{3,4}$"
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


def example_in(document, content):
    """The example of a request or an answer, which its schema allows."""
    jsonschema.validate(content["example"], {**content["schema"], "components": document["components"]})
    return content["example"]


def accepts(kind, example):
    try:
        msgspec.convert(example, kind)
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize("route", [each for each in ROUTES if each.answer not in {None, dict}], ids=name)
def test_the_example_of_an_answer_is_what_it_says_it_is(document, route):
    responses = document["paths"][route.path][route.method.lower()]["responses"]
    example = example_in(document, responses[str(route.status)]["content"]["application/json"])
    assert orjson.loads(msgspec.json.encode(msgspec.convert(example, route.answer))) == example


@pytest.mark.parametrize("route", [each for each in ROUTES if each.bodies], ids=name)
def test_the_example_of_a_body_is_what_it_says_it_is(document, route):
    body = document["paths"][route.path][route.method.lower()]["requestBody"]
    example = example_in(document, body["content"]["application/json"])
    assert [accepts(kind, example) for kind in route.bodies].count(True) == 1


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
