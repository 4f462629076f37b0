"""What surrounds the routes of a made-up supplier, over HTTP."""

from __future__ import annotations

import gzip
import io
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from providers.contract import Capability, Manifest, SupplierSettings
from providers.simulator import (
    Fault,
    FaultKind,
    SandboxWorld,
    ServedSandboxes,
    base_url,
    item_of,
    listing,
    sandbox_app,
    serve,
    world_for,
)
from schemas.errors import ConfigurationError
from tests.providers.shop import WALK_SECONDS

KEY = {"X-Key": "right"}
PAGE = 100


async def _plans(request: web.Request) -> web.Response:
    shown = listing(request, keep=lambda item: item.visible)
    number = int(request.query.get("page", "1"))
    page = shown.page((number - 1) * PAGE, PAGE)
    rows = [{"key": item.key, "price": item.price} for item in page]
    return _json({"total": shown.total, "plans": rows})


async def _everything(request: web.Request) -> web.Response:
    return _json([item.key for item in listing(request).all()])


async def _plan(request: web.Request) -> web.Response:
    item = item_of(request, request.match_info["key"])
    if item is None:
        raise web.HTTPNotFound(text="no such plan")
    return _json({"price": item.price})


async def _broken(_request: web.Request) -> web.Response:
    raise web.HTTPUnprocessableEntity(text="limit is no number")


def _json(body: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")


def _toy(world: SandboxWorld, settings: Mapping[str, Any], rate_limit: int | None = None) -> web.Application:
    return sandbox_app(
        world,
        "toy",
        [
            web.get("/plans", _plans),
            web.get("/plans/{key}", _plan),
            web.get("/everything", _everything),
            web.get("/broken", _broken),
        ],
        authenticate=lambda request: None if request.headers.get("X-Key") == settings["key"] else "wrong key",
        error_body=lambda status, message: {"ok": False, "code": status, "why": message},
        rate_limit=rate_limit,
    )


def _limited(world: SandboxWorld, settings: Mapping[str, Any]) -> web.Application:
    return _toy(world, settings, rate_limit=5)


def _manifest(sandbox: Any, name: str = "toy") -> Manifest:
    return Manifest(
        name=name,
        title=name.title(),
        capabilities=frozenset({Capability.CATALOG}),
        settings=SupplierSettings,
        provider=object,  # type: ignore[arg-type]
        sandbox=sandbox,
        sandbox_settings={"key": "right"},
    )


@pytest.fixture
async def toy() -> AsyncIterator[ServedSandboxes]:
    manifests = {"toy": _manifest(_toy)}
    async with await serve(world_for(manifests), manifests, port=0) as served:
        yield served


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=WALK_SECONDS)
    async with aiohttp.ClientSession(headers=KEY, timeout=timeout, auto_decompress=False) as session:
        yield session


async def _get(http: aiohttp.ClientSession, url: str, **options: Any) -> tuple[int, Any]:
    async with http.get(url, **options) as response:
        return response.status, msgspec.json.decode(await response.read())


async def test_it_serves_the_world_under_the_supplier_s_name(toy: ServedSandboxes, http: aiohttp.ClientSession) -> None:
    assert toy.urls == {"toy": base_url("127.0.0.1", toy.port, "toy")}
    status, body = await _get(http, f"{toy.urls['toy']}/plans?page=2")
    shown = [item for item in toy.world.items("toy") if item.visible]
    assert (status, body["total"]) == (200, len(shown))
    assert [row["key"] for row in body["plans"]] == [item.key for item in shown[PAGE : 2 * PAGE]]


@pytest.mark.parametrize("path", ["/plans", "/no-such-path"])
async def test_a_wrong_key_is_refused_in_the_supplier_s_words(
    toy: ServedSandboxes, http: aiohttp.ClientSession, path: str
) -> None:
    status, body = await _get(http, toy.urls["toy"] + path, headers={"X-Key": "wrong"})
    assert (status, body) == (401, {"ok": False, "code": 401, "why": "wrong key"})


async def test_errors_of_handlers_and_of_routing_are_in_the_supplier_s_words(
    toy: ServedSandboxes, http: aiohttp.ClientSession
) -> None:
    url = toy.urls["toy"]
    assert (await _get(http, f"{url}/broken"))[1] == {"ok": False, "code": 422, "why": "limit is no number"}
    assert (await _get(http, f"{url}/plans/nope"))[1] == {"ok": False, "code": 404, "why": "no such plan"}
    assert (await _get(http, f"{url}/no-such-path"))[1]["code"] == 404
    async with http.post(f"{url}/plans") as response:
        assert (response.status, (await response.json())["code"]) == (405, 405)


async def test_callers_beyond_the_limit_are_refused_and_told_when_to_return(http: aiohttp.ClientSession) -> None:
    manifests = {"toy": _manifest(_limited)}
    async with await serve(world_for(manifests), manifests, port=0) as served:
        answers = []
        for _ in range(12):  # more than two minutes' worth, should one end meanwhile
            async with http.get(f"{served.urls['toy']}/plans") as response:
                answers.append((response.status, response.headers))
    first, headers = answers[0]
    assert (first, headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == (200, "5", "4")
    assert 0 <= int(headers["X-RateLimit-Reset"]) - time.time() <= 61
    refused = [headers for status, headers in answers if status == 429]
    assert refused
    assert all(
        1 <= int(headers["Retry-After"]) <= 61 and headers["X-RateLimit-Remaining"] == "0" for headers in refused
    )


async def test_a_limit_that_is_not_enforced_is_not_stated_either(http: aiohttp.ClientSession) -> None:
    manifests = {"toy": _manifest(_limited)}
    async with await serve(world_for(manifests, enforce_rate_limits=False), manifests, port=0) as served:
        for _ in range(12):
            async with http.get(f"{served.urls['toy']}/plans") as response:
                assert response.status == 200
                assert not [name for name in response.headers if name.lower().startswith("x-ratelimit")]


async def test_a_supplier_that_is_down_gives_no_answer(toy: ServedSandboxes, http: aiohttp.ClientSession) -> None:
    toy.world.add_fault("toy", Fault(FaultKind.DOWN))
    with pytest.raises(aiohttp.ClientConnectionError):
        await _get(http, f"{toy.urls['toy']}/plans")


async def test_a_slow_supplier_answers_late(toy: ServedSandboxes, http: aiohttp.ClientSession) -> None:
    toy.world.add_fault("toy", Fault(FaultKind.SLOW, seconds=30))
    with pytest.raises(TimeoutError):
        await _get(http, f"{toy.urls['toy']}/plans", timeout=aiohttp.ClientTimeout(total=0.2))
    toy.world.clear_faults("toy")
    toy.world.add_fault("toy", Fault(FaultKind.SLOW, seconds=0))
    assert (await _get(http, f"{toy.urls['toy']}/plans"))[0] == 200


@pytest.mark.parametrize(
    ("kind", "status"), [(FaultKind.SERVER_ERROR, 500), (FaultKind.UNAUTHORISED, 401), (FaultKind.RATE_LIMITED, 429)]
)
async def test_an_error_is_in_the_supplier_s_words(
    toy: ServedSandboxes, http: aiohttp.ClientSession, kind: FaultKind, status: int
) -> None:
    toy.world.add_fault("toy", Fault(kind))
    found, body = await _get(http, f"{toy.urls['toy']}/plans")
    assert (found, body["code"]) == (status, status)


async def test_a_rate_limited_supplier_says_when_to_return(toy: ServedSandboxes, http: aiohttp.ClientSession) -> None:
    toy.world.add_fault("toy", Fault(FaultKind.RATE_LIMITED, seconds=7))
    async with http.get(f"{toy.urls['toy']}/plans") as response:
        assert 7 <= int(response.headers["Retry-After"]) <= 8


async def test_a_truncated_answer_ends_before_its_announced_end(
    toy: ServedSandboxes, http: aiohttp.ClientSession
) -> None:
    toy.world.add_fault("toy", Fault(FaultKind.TRUNCATED))
    async with http.get(f"{toy.urls['toy']}/plans") as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_a_web_page_comes_instead_of_json(toy: ServedSandboxes, http: aiohttp.ClientSession) -> None:
    toy.world.add_fault("toy", Fault(FaultKind.HTML))
    async with http.get(f"{toy.urls['toy']}/plans") as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert (await response.read()).startswith(b"<!doctype html>")


async def test_a_gzip_bomb_is_small_until_it_is_opened(toy: ServedSandboxes, http: aiohttp.ClientSession) -> None:
    toy.world.add_fault("toy", Fault(FaultKind.GZIP_BOMB))
    async with http.get(f"{toy.urls['toy']}/plans") as response:
        body = await response.read()
        assert response.headers["Content-Encoding"] == "gzip"
    assert len(body) < 1024 * 1024
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as opened:
        assert len(opened.read(64 * 1024 * 1024)) == 64 * 1024 * 1024


async def test_wrong_totals_vanished_plans_and_prices_off_by_ten_are_said_plainly(
    toy: ServedSandboxes, http: aiohttp.ClientSession
) -> None:
    url = f"{toy.urls['toy']}/plans"
    _, whole = await _get(http, url)
    assert await _under(toy, http, FaultKind.WRONG_TOTAL) == {**whole, "total": whole["total"] + 137}
    half = await _under(toy, http, FaultKind.VANISH_HALF)
    assert 0.4 * whole["total"] < half["total"] < 0.6 * whole["total"]
    cheap = await _under(toy, http, FaultKind.PRICE_OFF_BY_TEN)
    assert [row["key"] for row in cheap["plans"]] == [row["key"] for row in whole["plans"]]
    for was, now in zip(whole["plans"], cheap["plans"], strict=True):
        assert abs(float(now["price"]) - float(was["price"]) / 10) <= 0.0051
    assert await _get(http, url) == (200, whole)


async def _under(toy: ServedSandboxes, http: aiohttp.ClientSession, kind: FaultKind) -> Any:
    toy.world.add_fault("toy", Fault(kind, calls=1))
    return (await _get(http, f"{toy.urls['toy']}/plans"))[1]


async def test_one_plan_is_off_by_ten_too(toy: ServedSandboxes, http: aiohttp.ClientSession) -> None:
    url = f"{toy.urls['toy']}/plans/JP-10GB-30D"
    _, before = await _get(http, url)
    toy.world.add_fault("toy", Fault(FaultKind.PRICE_OFF_BY_TEN))
    _, after = await _get(http, url)
    assert abs(float(after["price"]) - float(before["price"]) / 10) <= 0.0051


async def test_a_supplier_that_vanishes_midway_gives_the_first_pages_only(
    toy: ServedSandboxes, http: aiohttp.ClientSession
) -> None:
    url = toy.urls["toy"]
    toy.world.add_fault("toy", Fault(FaultKind.VANISH_MIDWAY))
    assert (await _get(http, f"{url}/plans?page=1"))[0] == 200
    for path in ("/plans?page=9", "/everything"):
        with pytest.raises(aiohttp.ClientPayloadError):
            await _get(http, url + path)


async def test_empty_pages_follow_full_ones_under_the_same_total(
    toy: ServedSandboxes, http: aiohttp.ClientSession
) -> None:
    url = toy.urls["toy"]
    _, whole = await _get(http, f"{url}/plans")
    toy.world.add_fault("toy", Fault(FaultKind.EMPTY_PAGES))
    assert await _get(http, f"{url}/plans?page=1") == (200, whole)
    assert await _get(http, f"{url}/plans?page=9") == (200, {"total": whole["total"], "plans": []})


async def test_a_fault_keeps_to_its_path_and_its_number_of_calls(
    toy: ServedSandboxes, http: aiohttp.ClientSession
) -> None:
    url = toy.urls["toy"]
    toy.world.add_fault("toy", Fault(FaultKind.SERVER_ERROR, path="/plans", after=1, calls=2))
    statuses = [
        (await _get(http, f"{url}{path}"))[0] for path in ("/everything", "/plans", "/plans", "/plans", "/plans")
    ]
    assert statuses == [200, 200, 500, 500, 200]
    assert toy.world.faults("toy").listed() == []


async def test_control_routes_tell_the_world_what_to_do(toy: ServedSandboxes, http: aiohttp.ClientSession) -> None:
    control = f"{toy.urls['toy']}/_sandbox"

    async def tell(what: str, **body: Any) -> tuple[int, Any]:
        async with http.post(f"{control}/{what}", json=body, headers={"X-Key": ""}) as response:
            return response.status, await response.json()

    assert (await tell("price", key="JP-1GB-7D", price="4.20"))[0] == 200
    assert (await tell("stock", key="JP-1GB-7D", stock=0))[0] == 200
    assert (await tell("remove", keys=["JP-5GB-30D"]))[0] == 200
    moved = (await tell("drift", share=0.01))[1]["changed"]
    assert (await tell("faults", kind="html", path="/plans", calls=3))[0] == 200
    _, state = await _get(http, f"{control}/state")
    assert state["faults"] == [{"kind": "html", "path": "/plans", "calls": 3, "after": 0, "seconds": 30.0}]
    assert state["changed"] == len({"JP-1GB-7D", "JP-5GB-30D", *moved})
    assert state["calls"] == {}
    _, found = await _get(http, f"{control}/items?place=japan&limit=3")
    assert found["total"] > len(found["items"]) == 3
    assert (found["items"][0]["key"], found["items"][0]["price"], found["items"][0]["stock"]) == (
        "JP-1GB-7D",
        "4.20",
        0,
    )
    async with http.delete(f"{control}/faults") as response:
        assert await response.json() == {"faults": []}
    assert (await tell("reset"))[0] == 200
    assert toy.world.changes("toy") == 0


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("faults", '{"kind": "no-such-fault"}', 422),
        ("faults", '{"kind": "html", "call": 1}', 422),
        ("faults", '{"kind": "html", "calls": 0}', 422),
        ("faults", "not json", 422),
        ("price", '{"key": "JP-1GB-7D", "price": "-1"}', 422),
        ("price", '{"key": "JP-1GB-7D", "price": "NaN"}', 422),
        ("price", '{"key": "no-such-key", "price": "1"}', 404),
        ("stock", '{"key": "JP-1GB-7D", "stock": -1}', 422),
        ("remove", '{"keys": ["no-such-key"]}', 404),
        ("drift", '{"share": 2}', 422),
    ],
)
async def test_an_order_that_is_not_understood_is_refused_and_changes_nothing(
    toy: ServedSandboxes, http: aiohttp.ClientSession, what: str, body: str, status: int
) -> None:
    async with http.post(f"{toy.urls['toy']}/_sandbox/{what}", data=body) as response:
        assert (response.status, list(await response.json())) == (status, ["error"])
    assert toy.world.changes("toy") == 0
    assert toy.world.faults("toy").listed() == []


async def test_calls_are_counted_by_path(toy: ServedSandboxes, http: aiohttp.ClientSession) -> None:
    await _get(http, f"{toy.urls['toy']}/plans?page=1")
    await _get(http, f"{toy.urls['toy']}/plans?page=2")
    assert toy.world.calls("toy") == {"/plans": 2}


async def test_a_port_that_is_taken_is_said(toy: ServedSandboxes) -> None:
    manifests = {"toy": _manifest(_toy)}
    with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{toy.port}"):
        await serve(world_for(manifests), manifests, port=toy.port)


async def test_only_providers_with_a_sandbox_are_served() -> None:
    manifests = {"toy": _manifest(_toy), "mute": _manifest(None, "mute")}
    async with await serve(world_for(manifests), manifests, port=0) as served:
        assert list(served.urls) == ["toy"]
        assert served.world.suppliers == ("toy",)


def test_an_ipv6_host_stands_in_brackets() -> None:
    assert base_url("::1", 8081, "toy") == "http://[::1]:8081/toy"
