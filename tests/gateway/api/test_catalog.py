"""The catalogue over HTTP."""

import asyncio
import gzip
from unittest.mock import Mock

import msgspec
import orjson
import pytest
import zstandard

from gateway.access.key_rows import new_key_text
from gateway.kit.pool import Pool
from schemas import api as shapes
from schemas.quotes import Quote
from tests.kit.answers import problem, read
from tests.kit.made_up_market import Item, offer
from tests.kit.waiting import PATIENCE


async def test_plans_come_cheapest_first_in_the_shape_that_is_documented(api):
    page = await api.read("/v1/plans?country=JP", shapes.PlanList)
    amounts = [float(plan.price.amount) for plan in page.data]
    assert amounts == sorted(amounts)
    assert (page.data[0].price.amount, page.data[0].offer_count) == ("4.95", 2)
    assert page.data[0].countries == ["JP"]
    assert (page.has_more, page.next_cursor) == (False, None)


async def test_a_list_has_networks_when_they_are_asked_for_and_a_plan_always(api):
    (plain,) = (await api.read("/v1/plans?hotspot=true"))["data"]
    (whole,) = (await api.read("/v1/plans?hotspot=true&expand=networks"))["data"]
    networks = whole.pop("networks")
    assert whole == plain
    assert networks[0] == {"country": "JP", "operator": "JP Docomo", "generation": "4G", "mcc_mnc": None}
    assert (await api.read(f"/v1/plans/{plain['id']}"))["networks"] == networks
    await problem(await api.get("/v1/plans?expand=stock"), 422, "invalid")


async def test_a_setting_keeps_networks_in_every_list(make_api):
    api = await make_api(scopes=["storefront"], catalog={"networks_in_lists": True})
    page = await api.read("/v1/plans?country=JP", shapes.PlanList)
    assert page.data[0].networks[0].generation == "5G"


async def test_a_country_asked_for_twice_means_plans_that_cover_both(api):
    page = await api.read("/v1/plans?country=JP&country=KR", shapes.PlanList)
    assert [plan.countries for plan in page.data] == [["JP", "KR"]]


@pytest.mark.parametrize(
    ("asked", "plans"),
    [
        ("hotspot=true", 1),
        ("kyc_required=false", 1),
        ("kyc_required=true", 0),
        ("operator=docomo", 1),
        ("operator=jp%20docomo&country=JP", 1),
        ("operator=KDDI", 0),
        ("not_exit_country=HK", 1),
        ("not_exit_country=HK,CN&phone_number=true", 1),
        ("not_exit_country=US", 0),
        ("usage=true", 1),
        ("refundable=true", 0),
        ("voice_minutes=1", 0),
        ("sms_count=1", 0),
    ],
)
async def test_plans_are_filtered_by_their_facts(api, asked, plans):
    page = await api.read(f"/v1/plans?{asked}", shapes.PlanList)
    assert [plan.countries for plan in page.data] == [["JP", "KR"]] * plans


async def test_a_plan_tells_its_facts_and_null_for_the_rest(api):
    (plan,) = (await api.read("/v1/plans?hotspot=true"))["data"]
    features = plan["features"]
    assert (features["hotspot"], features["kyc_required"], features["refundable"]) == (True, False, False)
    assert (features["voice_minutes"], features["install_within_days"], features["topup"]) == (None, None, None)
    assert features["not_exit_countries"] == ["CN", "HK"]


async def test_a_need_asks_for_facts_and_the_nearest_plans_miss_them(api):
    need = {"countries": ["JP"], "features": {"hotspot": True, "not_exit_country": "CN,HK", "operator": "Docomo"}}
    quote = msgspec.json.decode(await (await api.post("/v1/quotes", json=need)).read(), type=Quote)
    assert quote.plan.countries == ["JP", "KR"]
    need["features"]["refundable"] = True
    body = await problem(await api.post("/v1/quotes", json=need), 404, "no_plan")
    assert body["detail"] == "no such plan for JP has refunds"
    assert body["nearest"][0]["misses"] == [{"what": "refundable", "asked": True, "has": False}]


async def test_pages_go_on_where_they_ended(api):
    seen = [plan.id for plan in await api.rows("/v1/plans", 1, shapes.Plan)]
    whole = await api.read("/v1/plans", shapes.PlanList)
    assert seen == [plan.id for plan in whole.data]
    assert len(seen) == 4


async def test_what_is_out_of_stock_is_shown_when_asked_for(api):
    page = await api.read("/v1/plans?country=FR&in_stock=false", shapes.PlanList)
    assert [(plan.in_stock, plan.offer_count, plan.price.amount) for plan in page.data] == [(False, 0, "3.30")]


async def test_prices_come_in_the_currency_asked_for(api):
    page = await api.read("/v1/plans?country=JP&currency=JPY", shapes.PlanList)
    assert page.data[0].price == shapes.Price("750", "JPY")


async def test_one_plan_is_found_by_the_id_of_the_list(api):
    page = await api.read("/v1/plans?country=JP&expand=networks", shapes.PlanList)
    assert await api.read(f"/v1/plans/{page.data[0].id}", shapes.Plan) == page.data[0]
    await problem(await api.get("/v1/plans/jp-1gb-7d-000000000000"), 404, "not_found")


async def test_countries_and_regions_have_a_lowest_price(api):
    countries = await api.read("/v1/countries", shapes.CountryList)
    assert [(c.code, c.plan_count, c.from_price.amount) for c in countries.data] == [
        ("FR", 1, "4.40"),
        ("JP", 3, "4.95"),
        ("KR", 1, "12.10"),
    ]
    regions = await api.read("/v1/regions", shapes.RegionList)
    assert all(set(region.countries) and region.from_price for region in regions.data)


async def test_offers_and_what_they_cost_are_for_operators_alone(api):
    plan = (await api.read("/v1/plans?country=JP"))["data"][0]["id"]
    await problem(await api.get(f"/v1/plans/{plan}/offers"), 403, "forbidden")
    ops = api.with_key(await api.make_key("ops"))
    listed = await ops.read(f"/v1/plans/{plan}/offers", shapes.OfferList)
    assert [(o.supplier, o.cost.amount, o.selectable) for o in listed.data] == [
        ("b", "4.50", True),
        ("a", "5.00", True),
    ]
    # An answer that an operator was given is not remembered for everybody.
    await problem(await api.get(f"/v1/plans/{plan}/offers"), 403, "forbidden")


async def test_a_test_key_and_a_live_key_see_different_catalogues(api):
    live = api.with_key(await api.make_key(mode="live"))
    assert [c["code"] for c in (await api.read("/v1/countries"))["data"]] == ["FR", "JP", "KR"]
    assert [c["code"] for c in (await live.read("/v1/countries"))["data"]] == ["JP", "KR"]


async def test_a_query_that_cannot_be_is_pointed_at(api):
    expected = {
        "colour=red": "/colour",
        "country=ZZ": "/country",
        "country=jp": "/country/0",
        "country=Japan": "/country/0",
        "limit=0": "/limit",
        "limit=201": "/limit",
        "limit=ten": "/limit",
        "limit=5&limit=6": "/limit",
        "sort=cheap": "/sort",
        "region=atlantis": "/region",
        "currency=euro": "/currency",
        "cursor=nonsense": "/cursor",
        "cursor=abab%0A": "/cursor",
        "currency=USD%0A": "/currency",
        "max_price=9%0A": "/max_price",
        "unlimited=yes": "/unlimited",
        "topup=false": "/topup",
        "max_price=-1": "/max_price",
        "updated_since=yesterday": "/updated_since",
        "updated_since=2026-11-20T10:00:00": "/updated_since",
        "network=6G": "/network",
        "hotspot=false": "/hotspot",
        "kyc_required=no": "/kyc_required",
        "operator=": "/operator",
        "not_exit_country=hk": "/not_exit_country",
        "not_exit_country=HK,ZZ": "/not_exit_country",
        "voice_minutes=0": "/voice_minutes",
        "sms_count=many": "/sms_count",
        "exit_country=ZZ": "/exit_country",
        "in_stock=maybe": "/in_stock",
    }
    found = {}
    for query in expected:
        body = await problem(await api.get(f"/v1/plans?{query}"), 422, "invalid")
        (error,) = body["errors"]
        found[query] = error["pointer"]
    assert found == expected


@pytest.mark.parametrize(
    ("query", "pointer", "detail"),
    [
        ("scope=planet", "/scope", 'Unknown value "planet". Use "country", "region" or "global".'),
        ("in_stock=unknown field `q`", "/in_stock", 'Unknown value "unknown field `q`". Use "any", "false" or "true".'),
        ("network=6G", "/network", 'Unknown value "6G". Use "5G".'),
        ("hotspot=false", "/hotspot", "Unknown value false. Use true."),
        ("country=jp", "/country/0", 'Must match ^[A-Z]{2}$, such as "JP".'),
        ("max_price=1e3", "/max_price", r'Must match ^[0-9]{1,9}(\.[0-9]{1,6})?$, such as "9.90".'),
    ],
)
async def test_a_value_that_is_refused_is_answered_with_what_is_allowed(api, query, pointer, detail):
    body = await problem(await api.get(f"/v1/plans?{query}"), 422, "invalid")
    assert body["errors"] == [{"pointer": pointer, "detail": detail}]


async def test_a_value_deep_in_a_body_is_refused_with_those_that_there_are(ops):
    sent = {"storefront": "shop", "mode": "test", "scopes": ["storefront", "everything"]}
    body = await problem(await ops.post("/v1/ops/keys", json=sent), 422, "invalid")
    (error,) = body["errors"]
    assert error["pointer"] == "/scopes/1"
    assert error["detail"].startswith('Unknown value "everything". Use "catalog", "goods",')


async def test_a_time_with_an_offset_is_understood_escaped_or_not(api):
    for text in (
        "2026-11-20T10:00:00Z",
        "2026-11-20T10:00:00%2B02:00",
        "2026-11-20T10:00:00+02:00",
        "0001-01-01T00:00:00%2B12:00",
    ):
        assert (await api.get(f"/v1/plans?updated_since={text}")).status == 200


async def test_an_answer_that_the_client_holds_is_not_sent_again(api):
    first = await api.get("/v1/plans?country=JP")
    tag = first.headers["ETag"]
    assert not tag.startswith("W/")
    again = await api.get("/v1/plans?country=JP", headers={"If-None-Match": tag})
    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", tag)
    assert (await api.get("/v1/plans?country=KR", headers={"If-None-Match": tag})).status == 200


async def test_a_change_of_the_catalogue_changes_answer_and_etag(api):
    before = await api.get("/v1/plans?country=JP")
    held = before.headers["ETag"]
    api.catalog.markets["test"].items.append(Item("c", offer("JP1", cost="1.00")))
    api.catalog.rebuild()
    after = await api.get("/v1/plans?country=JP", headers={"If-None-Match": held})
    assert after.status == 200
    assert (await read(after))["data"][0]["price"]["amount"] == "1.10"
    assert after.headers["ETag"] != held


async def test_answers_are_compressed_as_the_client_likes_and_say_so(api):
    first = await api.get("/v1/plans", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in first.headers  # worth it only for what is asked again
    plain = await api.get("/v1/plans", headers={"Accept-Encoding": "identity"})
    tags = {plain.headers["ETag"]}
    for coding, expand in (("gzip", gzip.decompress), ("zstd", zstandard.decompress)):
        answer = await api.get("/v1/plans", headers={"Accept-Encoding": coding}, auto_decompress=False)
        assert answer.headers["Content-Encoding"] == coding
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert expand(await answer.read()) == await plain.read()
        tags.add(answer.headers["ETag"])
    assert len(tags) == 3


async def test_remembered_answers_are_the_same_as_the_first(api):
    answers = [await api.get("/v1/plans?country=JP", headers={"Accept-Encoding": "identity"}) for _ in range(3)]
    assert len({await answer.read() for answer in answers}) == 1
    names = [{name for name in answer.headers if name != "Server"} for answer in answers]
    assert names[0] == names[1] == names[2]
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 3


async def test_head_says_what_get_would_and_sends_no_body(api):
    await api.get("/v1/plans")
    get, head = await api.get("/v1/plans"), await api.ask("HEAD", "/v1/plans")
    assert (head.status, await head.read()) == (200, b"")
    for name in ("ETag", "Content-Length", "Content-Type"):
        assert head.headers[name] == get.headers[name]


async def test_old_clients_and_closed_connections_are_answered_too(api):
    await api.get("/v1/countries")
    for request in ("HTTP/1.0", "HTTP/1.1\r\nConnection: close"):
        reader, writer = await asyncio.open_connection("127.0.0.1", api.client.port)
        writer.write(f"GET /v1/countries {request}\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n\r\n".encode())
        whole = await asyncio.wait_for(reader.read(), PATIENCE)
        writer.close()
        assert whole.split(b" ")[1] == b"200"
        assert orjson.loads(whole.partition(b"\r\n\r\n")[2])["data"]


async def test_many_questions_in_a_row_on_one_connection_are_answered_in_order(api):
    await api.get("/v1/countries")
    questions = ["/v1/countries", "/v1/plans?country=KR", "/v1/countries", "/nowhere"]
    reader, writer = await asyncio.open_connection("127.0.0.1", api.client.port)
    for path in questions:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n\r\n".encode())
    statuses = []
    for _ in questions:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        statuses.append(head.split(b" ")[1])
    writer.close()
    assert statuses == [b"200", b"200", b"200", b"404"]


async def test_no_query_of_the_catalogue_asks_the_database(api, monkeypatch):
    await api.get("/v1/countries")
    with monkeypatch.context() as patch:
        patch.setattr(Pool, "acquire", Mock(side_effect=AssertionError("the database was asked")))
        for number in range(20):
            await api.read(f"/v1/plans?country=JP&min_data_mb={number + 1}")
        with pytest.raises(AssertionError, match="the database was asked"):
            await api.pool.fetchval("SELECT 1")


async def test_a_quote_holds_the_cheapest_and_says_why(api):
    need = {"countries": ["JP", "KR"], "data_mb": 3072, "days": 10}
    answer = await api.post("/v1/quotes", json=need)
    assert answer.status == 201
    quote = msgspec.json.decode(await answer.read(), type=Quote)
    assert quote.plan.countries == ["JP", "KR"]
    assert quote.price == quote.plan.price == shapes.Price("12.10", "USD")
    assert quote.why.rule == "cheapest_in_stock"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_need_that_nothing_meets_says_what_was_missing(api):
    body = await problem(await api.post("/v1/quotes", json={"countries": ["AQ"]}), 404, "no_plan")
    assert body["detail"]
    assert "nearest" not in body
    body = await problem(await api.post("/v1/quotes", json={"countries": ["FR"], "data_mb": 512000}), 404, "no_plan")
    assert body["detail"]
    assert body["nearest"]
    for near in body["nearest"]:
        (missed,) = near["misses"]
        assert (missed["what"], missed["asked"]) == ("data_mb", 512000)
        assert missed["has"] < 512000
        assert near["plan"]["in_stock"]
        assert "FR" in near["plan"]["countries"]
    prices = [float(near["plan"]["price"]["amount"]) for near in body["nearest"]]
    assert prices == sorted(prices)


async def test_a_plan_that_is_sold_out_is_a_conflict(api):
    page = await api.read("/v1/plans?country=FR&in_stock=false")
    await problem(await api.post("/v1/quotes", json={"plan_id": page["data"][0]["id"]}), 409, "no_stock")


async def test_a_need_that_cannot_be_is_pointed_at(api):
    table = [
        ({}, "/countries"),
        ({"countries": []}, "/countries"),
        ({"countries": ["JP", "ZZ"]}, "/countries/1"),
        ({"countries": ["JP", 5]}, "/countries/1"),
        ({"countries": ["JP"], "days": 0}, "/days"),
        ({"countries": ["JP"], "data_mb": "3072"}, "/data_mb"),
        ({"countries": ["JP"], "features": {"topup": False}}, "/features/topup"),
        ({"countries": ["JP"], "features": {"wifi": True}}, "/features/wifi"),
        ({"countries": ["JP"], "features": {"exit_country": "ZZ"}}, "/features/exit_country"),
        ({"countries": ["JP"], "features": {"not_exit_country": "ZZ"}}, "/features/not_exit_country"),
        ({"countries": ["JP"], "features": {"voice_minutes": "100"}}, "/features/voice_minutes"),
        ({"countries": ["JP"], "currency": "euro"}, "/currency"),
        ({"countries": ["JP"], "colour": "red"}, "/colour"),
        ({"plan_id": "x", "countries": ["JP"]}, "/countries"),
        ({"plan_id": 5}, "/plan_id"),
        ([], ""),
        ("text", ""),
    ]
    found = []
    for body, _ in table:
        answer = await problem(await api.post("/v1/quotes", json=body), 422, "invalid")
        (error,) = answer["errors"]
        found.append((body, error["pointer"]))
    assert found == table


async def test_bodies_that_cannot_be_read_are_told_apart(api):
    json = {"Content-Type": "application/json"}
    await problem(await api.post("/v1/quotes", data=b"{nonsense", headers=json), 400, "malformed")
    await problem(await api.post("/v1/quotes", data=b"\xff\xfe", headers=json), 400, "malformed")
    await problem(await api.post("/v1/quotes", data=b"[" * 60_000, headers=json), 400, "malformed")
    await problem(await api.post("/v1/quotes", data=b"", headers=json), 400, "malformed")
    await problem(await api.post("/v1/quotes", data=b"a=b"), 415, "unsupported_media_type")
    await problem(await api.post("/v1/quotes", data=b" " * 70_000, headers=json), 413, "too_large")


async def test_without_a_key_nothing_is_told(api):
    for key in ("", "gw_test_nonsense", new_key_text("test")):
        answer = await api.with_key(key).get("/v1/plans")
        await problem(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_the_key_may_come_in_its_own_header(api):
    for _ in range(2):
        answer = await api.with_key("").get("/v1/plans", headers={"X-API-Key": api.key})
        assert answer.status == 200
    assert (await api.with_key("").get("/v1/plans", headers={"Authorization": f"bearer {api.key}"})).status == 200
    assert (await api.with_key("").get("/v1/plans", headers={"Authorization": api.key})).status == 401
