import builtins
import collections.abc
import datetime as dt
import decimal
import gzip
import http
import operator
import re
import typing
import uuid

import jsonschema
import msgspec
import orjson
import pytest
from openapi_spec_validator import validate

from gateway.api import state
from gateway.api.problems import KINDS
from gateway.app import all_routes, make_app
from gateway.kit.settings import load
from schemas.events import EVENTS

ROUTES = all_routes()
name = operator.attrgetter("name")
PATHS = ("/openapi.json", "/openapi-ops.json")
STDLIB = {
    word
    for module in (builtins, typing, collections.abc, dt, decimal, http, uuid)
    for word in dir(module)
} | {"Client", "Response", "Request", "Unset", "File"}  # fmt: skip


@pytest.fixture(scope="module")
def documents():
    return {path: orjson.loads(made.plain) for path, made in make_app(load())[state.DOCUMENTS].items()}


@pytest.fixture(params=PATHS)
def document(documents, request):
    return documents[request.param]


@pytest.fixture
def storefront(documents):
    return documents["/openapi.json"]


def document_of(documents, route):
    return documents[PATHS[route.for_operators]]


def operations_of(document):
    """Every operation, those that a storefront's endpoint answers too."""
    places = [*document["paths"].values(), *document.get("webhooks", {}).values()]
    return [operation for path in places for operation in path.values()]


def schemas_in(part):
    """Every schema at any depth of a part of a document."""
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from schemas_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from schemas_in(value)


def request_schemas(document):
    """The schemas of bodies and of all that they refer to, by name."""
    bodies = [operation.get("requestBody") for path in document["paths"].values() for operation in path.values()]
    found, waiting = {}, bodies
    while waiting:
        refs = {part["$ref"].rpartition("/")[2] for part in schemas_in(waiting.pop()) if "$ref" in part}
        for ref in refs - found.keys():
            found[ref] = document["components"]["schemas"][ref]
            waiting.append(found[ref])
    return found


@pytest.mark.no_cover  # other tests run the same lines
def test_it_is_valid(document):
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_each_operation_stands_in_one_document(documents):
    described = [
        (path, method)
        for document in documents.values()
        for path, operations in document.get("paths", {}).items()
        for method in operations
    ]
    assert sorted(described) == sorted((route.path, route.method.lower()) for route in ROUTES)


def test_what_needs_a_scope_of_operators_is_described_to_operators_alone(documents):
    storefront, ops = (set(documents[path]["paths"]) for path in PATHS)
    assert {"/v1/plans", "/v1/orders", "/docs", "/asyncapi.json"} <= storefront
    assert {"/v1/ops/orders", "/v1/plans/{plan_id}/offers", "/webhooks/{supplier}", "/livez", "/docs-ops"} <= ops
    assert not [path for path in storefront if path.startswith("/v1/ops")]


def test_every_operation_has_its_own_id_words_and_security(documents):
    operations = [operation for path in PATHS for operation in operations_of(documents[path])]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == len(ROUTES) + len(EVENTS)
    assert all(operation["summary"] and operation["tags"] for operation in operations)
    storefront, ops = (documents[path]["paths"] for path in PATHS)
    assert storefront["/v1/plans"]["get"]["security"] == [{"bearer": []}, {"apiKey": []}]
    assert ops["/livez"]["get"]["security"] == []


def test_every_operation_parameter_and_property_has_a_description(document):
    operations = operations_of(document)
    assert [each["operationId"] for each in operations if not each["description"]] == []
    parameters = [(each["operationId"], part) for each in operations for part in each["parameters"]]
    assert [(where, part["name"]) for where, part in parameters if not part["description"]] == []
    schemas = document["components"]["schemas"]
    assert [title for title, schema in schemas.items() if not schema["description"]] == []
    properties = [(title, each) for title, schema in schemas.items() for each in schema.get("properties", {}).items()]
    assert len(properties) > 300
    assert [(title, field) for title, (field, schema) in properties if not schema["description"]] == []


def test_no_description_shows_how_the_source_is_written(document):
    texts = [part["description"] for part in schemas_in(document) if isinstance(part.get("description"), str)]
    assert [text for text in texts if "``" in text or "Attributes:" in text or "  " in text] == []


def test_no_field_of_a_request_has_a_default(document):
    schemas = request_schemas(document)
    assert len(schemas) > 15
    assert [title for title, schema in schemas.items() if any("default" in part for part in schemas_in(schema))] == []


def test_an_answer_requires_what_is_always_there(storefront):
    schemas = storefront["components"]["schemas"]
    assert set(schemas["PlanData"]["required"]) == set(schemas["PlanData"]["properties"])
    assert set(schemas["Order"]["properties"]) - set(schemas["Order"]["required"]) == {
        "cost_quoted", "cost_charged", "supplier", "attempts",
    }  # fmt: skip
    assert schemas["QuoteForNeed"]["required"] == ["countries"]


def test_times_dates_and_addresses_have_their_formats(documents):
    def formats(path, *words):
        schemas = documents[path]["components"]["schemas"]
        return {schemas[word.partition(".")[0]]["properties"][word.partition(".")[2]].get("format") for word in words}

    times = {
        (title, field)
        for path in PATHS
        for title, schema in documents[path]["components"]["schemas"].items()
        for field, part in schema.get("properties", {}).items()
        if re.search("_at$|^at$", field)
        and part.get("type") != "integer"
        and "date-time" not in orjson.dumps(part).decode()
    }
    assert times == set()
    assert formats("/openapi.json", "InstallLinks.ios", "InstallLinks.android") == {"uri"}
    assert formats("/openapi.json", "Problem.type") == {"uri-reference"}
    assert formats("/openapi-ops.json", "StoredRate.as_of", "SupplierLedgerPage.first") == {"date"}


def test_what_is_asked_names_codes_by_their_pattern(storefront):
    schemas = storefront["components"]["schemas"]
    assert {"pattern": "^[A-Z]{2}$"}.items() <= schemas["CountryCode"].items()
    assert {"pattern": "^[A-Z]{3,4}$"}.items() <= schemas["CurrencyCode"].items()
    parameters = {p["name"]: p["schema"] for p in storefront["paths"]["/v1/plans"]["get"]["parameters"]}
    assert parameters["country"]["items"]["$ref"] == "#/components/schemas/CountryCode"
    assert parameters["limit"]["maximum"] == 200
    assert parameters["limit"]["default"] == 50


def test_enumerations_are_small(document):
    assert [part["enum"] for part in schemas_in(document) if len(part.get("enum", ())) > 20] == []


def test_a_webhook_may_go_to_a_host_of_any_domain(storefront):
    pattern = re.compile(storefront["components"]["schemas"]["NewEndpoint"]["properties"]["url"]["pattern"])
    good = ("https://shop.example.dev/esim-events", "https://a.co.uk", "https://xn--bcher-kva.example:8443/in?shop=1")
    bad = (
        "http://shop.example.com",
        "https://localhost/x",
        "https://10.0.0.1/x",
        "https://a.example/#x",
        "https://u@a.example",
    )
    assert [url for url in good if not pattern.search(url)] == []
    assert [url for url in bad if pattern.search(url)] == []


def test_a_page_is_named_and_titled_after_its_rows(documents):
    storefront = documents["/openapi.json"]
    schemas = storefront["components"]["schemas"]
    answer = storefront["paths"]["/v1/orders"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/OrderPage"}
    assert schemas["OrderPage"]["title"] == "OrderPage"
    assert schemas["OrderPage"]["properties"]["data"]["items"] == {"$ref": "#/components/schemas/Order"}


def test_names_suit_generators_of_clients(document):
    """No schema is named like a type of Python or like one of its own fields; tags and ids are words."""
    schemas = document["components"]["schemas"]
    assert [title for title in schemas if not title.isalnum()] == []
    assert [title for title, schema in schemas.items() if schema.get("title", title) != title] == []
    assert STDLIB & schemas.keys() == set()
    snake = {title: re.sub("(?<!^)(?=[A-Z])", "_", title).lower() for title in schemas}
    assert [title for title, schema in schemas.items() if snake[title] in schema.get("properties", {})] == []
    words = {word for each in operations_of(document) for word in (each["operationId"], *each["tags"])}
    assert [word for word in words if not re.fullmatch("[a-z]+(_[a-z]+)*", word)] == []
    used = {tag for each in operations_of(document) for tag in each["tags"]}
    assert used == {tag["name"] for tag in document["tags"]}


def test_a_picture_is_bytes(storefront):
    for kind, content_type in (("svg", "image/svg+xml"), ("png", "image/png")):
        content = storefront["paths"][f"/v1/esims/{{id}}/qr.{kind}"]["get"]["responses"]["200"]["content"]
        assert list(content) == [content_type, "application/octet-stream"]
        assert all(each["schema"] == {"type": "string", "format": "binary"} for each in content.values())


def test_every_problem_is_described_as_one_with_its_cause_and_cure(document):
    for operation in operations_of({"paths": document["paths"]}):
        for status, answer in operation["responses"].items():
            ref = answer.get("$ref", "").rpartition("/")[2]
            described = document["components"]["responses"][ref] if ref else answer
            if int(status) >= 400:
                ((content_type, content),) = described["content"].items()
                assert content_type == "application/problem+json"
                for code, example in content["examples"].items():
                    assert KINDS[code].status == int(status)
                    assert all(text in described["description"] for text in (code, KINDS[code].cause, KINDS[code].cure))
                    jsonschema.validate(example["value"], {**content["schema"], "components": document["components"]})


@pytest.mark.parametrize("event", EVENTS)
def test_the_example_of_an_event_is_what_it_says_it_is(storefront, event):
    content = storefront["webhooks"][event]["post"]["requestBody"]["content"]["application/json"]
    example = example_in(storefront, content)
    assert example["type"] == event
    assert orjson.loads(msgspec.json.encode(msgspec.convert(example, EVENTS[event]))) == example


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
def test_the_example_of_an_answer_is_what_it_says_it_is(documents, route):
    document = document_of(documents, route)
    responses = document["paths"][route.path][route.method.lower()]["responses"]
    example = example_in(document, responses[str(route.status)]["content"]["application/json"])
    assert orjson.loads(msgspec.json.encode(msgspec.convert(example, route.answer))) == example


@pytest.mark.parametrize("route", [each for each in ROUTES if each.bodies], ids=name)
def test_the_example_of_a_body_is_what_it_says_it_is(documents, route):
    document = document_of(documents, route)
    body = document["paths"][route.path][route.method.lower()]["requestBody"]
    example = example_in(document, body["content"]["application/json"])
    assert [accepts(kind, example) for kind in route.bodies].count(True) == 1


@pytest.mark.parametrize("path", [*PATHS, "/asyncapi.json"])
async def test_it_is_compressed_once_and_not_sent_again_to_who_holds_it(api, monkeypatch, path):
    public = api.with_key("")
    await public.get(path)
    monkeypatch.setattr(gzip, "compress", None)  # it was compressed for the first who asked
    plain = await public.get(path, headers={"Accept-Encoding": "identity"})
    packed = await public.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 5
    assert await packed.read() == await plain.read() == api.client.app[state.DOCUMENTS][path].plain
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert plain.headers["ETag"] != packed.headers["ETag"]
    for held in (plain, packed):
        again = await public.get(path, headers={"If-None-Match": held.headers["ETag"]})
        assert (again.status, again.headers["ETag"], await again.read()) == (304, held.headers["ETag"], b"")
    assert (await public.get(path, headers={"If-None-Match": '"other"'})).status == 200
