"""What every answer has in common: ids, headers, limits, errors, figures, request lines."""

import asyncio

import orjson
import pytest
from prometheus_client import generate_latest
from yarl import URL

from gateway.api import state
from gateway.api.forwarded import client_address
from gateway.api.gate import GATE
from tests.kit.answers import problem
from tests.kit.waiting import PATIENCE


async def test_a_request_id_is_echoed_when_it_is_one_and_made_when_not(api):
    assert (await api.get("/v1/plans", headers={"X-Request-Id": "shop-1:a/b"})).headers["X-Request-Id"] == "shop-1:a/b"
    assert (await api.get("/v1/plans", headers={"X-Request-Id": "shop-2"})).headers["X-Request-Id"] == "shop-2"
    secrets = ("gw_test_" + "a" * 38, "for-8944500102198765432", "whsec_c2VjcmV0", "LPA:1")  # it is logged as it is
    for bad in ("a b", "x" * 129, "ü", '"quoted"', *secrets):
        answer = await api.get("/v1/plans", headers={"X-Request-Id": bad})
        assert answer.headers["X-Request-Id"].startswith("req_")
    ids = {(await api.get("/v1/plans")).headers["X-Request-Id"] for _ in range(5)}
    assert len(ids) == 5


async def test_every_answer_is_harmless_in_a_browser(api):
    for path in ("/v1/plans", "/v1/plans", "/v1/nowhere", "/livez", "/openapi.json"):
        answer = await api.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Cache-Control" in answer.headers
        assert "aiohttp" not in answer.headers["Server"]


async def test_what_is_not_there_is_a_problem_and_so_is_a_wrong_method(api):
    await problem(await api.get("/v1/nowhere"), 404, "not_found")
    await problem(await api.get("/"), 404, "not_found")
    answer = await api.ask("DELETE", "/v1/plans")
    await problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) >= {"GET", "HEAD"}
    await problem(await api.ask("TRACE", "/v1/plans"), 405, "method_not_allowed")


async def test_what_is_no_http_is_a_problem_that_quotes_nothing(api):
    for start in (b"FOO /v1/plans HTTP/1.1", b"GET / HTTP/1.1\r\nbad header secret", b"\x16\x03\x01"):
        reader, writer = await asyncio.open_connection("127.0.0.1", api.client.port)
        writer.write(start + b"\r\n\r\n")
        head, _, body = (await asyncio.wait_for(reader.read(), PATIENCE)).partition(b"\r\n\r\n")
        writer.close()
        assert b"application/problem+json" in head
        assert b"aiohttp" not in head
        assert orjson.loads(body)["status"] == int(head.split(b" ")[1]) == 400
        assert b"secret" not in body


async def test_a_fault_tells_nothing_but_its_request_id(api, monkeypatch):
    def broken(_query):
        raise RuntimeError("the inside of it")

    monkeypatch.setattr(api.catalog.index("test"), "plans", broken, raising=False)
    body = await problem(await api.get("/v1/plans"), 500, "internal")
    assert "inside" not in orjson.dumps(body).decode()


QUESTIONS = ("/v1/plans?country=JP", "/v1/plans?limit=1&sort=-data", "/v1/countries", "/v1/regions?currency=EUR")


async def no_router(_request):
    raise AssertionError("it was routed")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("question", QUESTIONS)
async def test_an_answer_is_the_same_when_it_is_routed_worked_out_at_once_or_remembered(
    api, monkeypatch, method, question
):
    app, last = api.client.app, None

    async def whole(**headers):
        nonlocal last
        last = await api.ask(method, question, headers={"Accept-Encoding": "identity", **headers})
        own = {"date", "x-request-id", "ratelimit-remaining", "ratelimit-reset"}
        assert own <= {name.lower() for name in last.headers}
        headers = sorted((name.lower(), value) for name, value in last.headers.items() if name.lower() not in own)
        app[state.ACCESS_LOG].flush()
        line = orjson.loads(b"".join(api.lines).splitlines()[-1])
        told = {name: value for name, value in line.items() if name not in {"at", "ms", "request_id"}}
        assert line["request_id"] == last.headers["X-Request-Id"]
        return last.status, headers, await last.read(), told

    async def asked_twice():
        first = await whole()
        return first, await whole(), await whole(**{"If-None-Match": last.headers["ETag"]})

    with monkeypatch.context() as patch:
        patch.setattr(app[GATE], "_direct", {})
        routed = await asked_twice()
    app[state.MEMORIES]._held.clear()
    monkeypatch.setattr(app.router, "resolve", no_router)
    assert await asked_twice() == routed
    assert [answer[0] for answer in routed] == [200, 200, 304]
    assert routed[0] == routed[1]
    assert bool(routed[0][2]) is (method == "GET")
    figures = generate_latest(app[state.METRICS].registry).decode()
    route = question.partition("?")[0]
    assert f'gateway_http_request_seconds_count{{method="{method}",route="{route}",status="200"}} 4.0' in figures
    assert 'gateway_catalog_answers_total{source="computed"} 2.0' in figures
    assert 'gateway_catalog_answers_total{source="memory"} 4.0' in figures


async def test_a_question_that_is_refused_is_routed_and_counts_once(make_api):
    api = await make_api(rate_limit={"per_minute": 5}, scopes=["storefront"])
    assert (await api.get("/v1/plans")).headers["RateLimit-Remaining"] == "4"
    answer = await api.get("/v1/plans?country=ZZ")
    assert answer.headers["RateLimit-Remaining"] == "3"
    await problem(answer, 422, "invalid")
    assert (await api.get("/v1/plans?limit=2")).headers["RateLimit-Remaining"] == "2"


async def test_a_revoked_key_is_not_answered_at_once(api):
    assert (await api.get("/v1/plans?limit=1")).status == 200
    await api.pool.execute("UPDATE api_keys SET revoked_at = now()")
    await api.keyring.check()
    await problem(await api.get("/v1/plans?limit=2"), 401, "unauthorized")
    await problem(await api.get("/v1/plans?limit=1"), 401, "unauthorized")


async def test_a_key_without_the_catalogue_is_not_answered_at_once(api):
    await api.get("/v1/plans")
    other = api.with_key(await api.make_key("ops:read"))
    for question in ("/v1/plans", "/v1/plans?limit=3"):
        await problem(await other.get(question), 403, "forbidden")
        await problem(await other.get(question), 403, "forbidden")


async def test_what_cannot_be_expected_is_refused(api):
    await problem(await api.get("/v1/plans", headers={"Expect": "the-moon"}), 417, "expectation_failed")
    assert (await api.post("/v1/quotes", json={"countries": ["AQ"]}, expect100=True)).status == 404


async def test_a_key_that_asks_too_often_is_told_when_to_come_back(make_api):
    api = await make_api(rate_limit={"per_minute": 5}, scopes=["storefront"])
    answers = [await api.get("/v1/countries") for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"5"}
    await problem(answers[-1], 429, "rate_limited")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
    other = api.with_key(await api.make_key())
    assert (await other.get("/v1/countries")).status == 200


async def test_a_keys_own_rate_goes_before_the_default(make_api):
    api = await make_api(rate_limit={"per_minute": 5})
    api = api.with_key(await api.make_key(per_minute=7))
    assert (await api.get("/v1/countries")).headers["RateLimit-Limit"] == "7"


async def test_other_origins_may_ask_only_when_they_are_named(make_api):
    api = await make_api(cors_origins=["https://shop.example"], scopes=["storefront"])
    for _ in range(2):  # the second one is remembered
        answer = await api.get("/v1/plans", headers={"Origin": "https://shop.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        assert "Origin" in answer.headers["Vary"]
        answer = await api.get("/v1/plans", headers={"Origin": "https://other.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}
    answer = await api.with_key("").ask("OPTIONS", "/v1/plans", headers=asked)
    assert answer.status == 204
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


async def test_options_names_the_methods_that_there_are(api):
    answer = await api.ask("OPTIONS", "/v1/quotes")
    assert (answer.status, answer.headers["Allow"]) == (204, "OPTIONS, POST")
    assert "Access-Control-Allow-Origin" not in answer.headers
    await problem(await api.ask("OPTIONS", "/v1/nowhere"), 404, "not_found")


async def test_the_request_line_names_route_and_key_and_nothing_secret(api):
    plan = orjson.loads(await (await api.get("/v1/plans")).read())["data"][0]["id"]
    await api.get(f"/v1/plans/{plan}", headers={"X-Request-Id": "mine"})
    await api.get("/v1/secret-path")
    api.client.app[state.ACCESS_LOG].flush()
    lines = [orjson.loads(line) for line in b"".join(api.lines).splitlines()]
    assert [line["route"] for line in lines] == ["/v1/plans", "/v1/plans/{plan_id}", "unmatched"]
    assert [line["status"] for line in lines] == [200, 200, 404]
    assert lines[1]["request_id"] == "mine"
    assert lines[0]["key_id"].startswith("key_")
    assert lines[0]["ms"] >= 0
    whole = b"".join(api.lines).decode()
    assert api.key not in whole
    assert plan not in whole
    assert "secret-path" not in whole


async def test_figures_name_routes_by_template(api):
    for path in ("/v1/plans", "/v1/plans", "/v1/nowhere", "/v1/plans/none-such"):
        await api.get(path)
    figures = generate_latest(api.client.app[state.METRICS].registry).decode()
    assert 'gateway_http_request_seconds_count{method="GET",route="/v1/plans",status="200"} 2.0' in figures
    assert 'gateway_http_request_seconds_count{method="GET",route="/v1/plans/{plan_id}",status="404"} 1.0' in figures
    assert 'gateway_catalog_answers_total{source="memory"} 1.0' in figures
    assert "nowhere" not in figures
    assert "none-such" not in figures


async def test_health_needs_no_key_and_tells_what_is_degraded(api, monkeypatch):
    public = api.with_key("")

    async def ready() -> dict:
        answer = await public.get("/readyz")
        assert answer.status == 200
        body = orjson.loads(await answer.read())
        # Once they were read, the rates that the release came with may be old.
        return body | {"degraded": [line for line in body["degraded"] if not line.startswith("stale_rates: ")]}

    assert orjson.loads(await (await public.get("/livez")).read()) == {"status": "ok"}
    body = await ready()
    assert (body["status"], body["degraded"]) == ("ready", [])
    assert body["catalog"]["test"]["offers"] == 6
    monkeypatch.setattr(api.catalog, "degraded", ("redis: gone",))
    assert (await ready())["degraded"] == ["redis: gone"]
    monkeypatch.setattr(api.catalog, "loaded", False)
    answer = await public.get("/readyz")
    assert "Retry-After" in answer.headers
    await problem(answer, 503, "unavailable")


@pytest.mark.parametrize("path", ["/docs", "/docs-ops", "/docs/guides/tutorial", "/errors/no_plan"])
async def test_a_page_of_the_documentation_may_load_only_what_is_ours_and_is_kept(api, path):
    public = api.with_key("")
    page = await public.get(path)
    assert page.status == 200
    policy = page.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"} <= set(policy)
    assert page.headers["Content-Encoding"] == "gzip"
    held = await public.get(path, headers={"If-None-Match": page.headers["ETag"]})
    assert (held.status, await held.read()) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/docs/nothing", "/docs/../README", "/docs/static/..%2f..%2fgate.py", "/docs/%2e%2e/README.md"]
)
async def test_there_is_nothing_else_below_the_documentation(api, path):
    await problem(await api.get(URL(path, encoded=True)), 404, "not_found")


async def test_the_type_of_a_problem_leads_to_what_it_means(api):
    answer = await api.with_key("").get("/errors/no_plan")
    assert "No matching plan" in await answer.text()
    await problem(await api.get("/errors/<script>"), 404, "not_found")


class Asked:
    def __init__(self, remote, *forwarded):
        self.remote = remote
        self.headers = self
        self._forwarded = list(forwarded)

    def getall(self, _name, _default):
        return self._forwarded


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),  # as a socket for both families tells an IPv4 proxy
        ("203.0.113.9", ["1.1.1.1"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6, 1.1.1.1, 10.0.0.2"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
    ],
)
def test_only_trusted_proxies_say_who_asks(remote, forwarded, address):
    from ipaddress import ip_network

    assert client_address(Asked(remote, *forwarded), (ip_network("10.0.0.0/8"),)) == address
    assert client_address(Asked(remote, *forwarded), ()) == remote


async def test_a_browser_that_came_by_https_is_told_to_stay_with_it(make_api):
    """Behind a proxy that ends TLS, when the settings trust it; from nobody else."""
    hsts, forwarded = "Strict-Transport-Security", {"X-Forwarded-Proto": "https"}
    behind = await make_api(trusted_proxies=["127.0.0.0/8"], scopes=["storefront"])
    alone = (await make_api()).with_key(behind.key)
    for path in ("/v1/plans", "/v1/plans", "/v1/plans", "/v1/nowhere", "/livez", "/docs", "/console/login"):
        answer = await behind.get(path, headers=forwarded, allow_redirects=False)
        assert (path, answer.headers.get(hsts)) == (path, "max-age=31536000")
        assert hsts not in (await behind.get(path)).headers
        assert hsts not in (await behind.get(path, headers={"X-Forwarded-Proto": "https, http"})).headers
        assert hsts not in (await alone.get(path, headers=forwarded)).headers
    held = (await behind.get("/v1/plans")).headers["ETag"]
    answer = await behind.get("/v1/plans", headers=forwarded | {"If-None-Match": held})
    assert (answer.status, answer.headers.get(hsts)) == (304, "max-age=31536000")


async def test_a_redis_that_is_gone_or_frozen_slows_nothing(make_api, own_servers):
    api = await make_api(redis_url=own_servers.where.redis_url, scopes=["storefront"])
    assert (await api.get("/v1/plans")).status == 200
    own_servers.valkey.stop()
    await asyncio.gather(*(api.get("/v1/plans") for _ in range(50)))
    answers = await asyncio.gather(*(api.get(f"/v1/plans?min_data_mb={n + 1}") for n in range(20)))
    assert {answer.status for answer in answers} == {200}
