"""The routes of webhooks: storefronts' endpoints, and what suppliers send."""

import asyncio
import hashlib
import hmac
import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from gateway.access.key_rows import create_key
from gateway.kit.guarded_http import GuardedHttpClient
from gateway.kit.sealing import Seal
from gateway.suppliers import supplier_check_rows
from gateway.webhooks.deliver import Deliverer
from providers.bepaid.client import BePaid
from providers.loader import load_manifests
from providers.pikasim import webhook as pikasim_webhook
from providers.pikasim.client import PikaSim
from providers.s2s import webhook as s2s_webhook
from providers.s2s.client import S2S
from schemas.page import Page
from schemas.webhooks import Delivery, Endpoint, EndpointList, EndpointWithSecret
from tests.kit.answers import read
from tests.kit.receiver import receiving
from tests.kit.secret_keys import SECRET_KEY

URL = "https://shop.example.com/hook"
SUPPLIERS = {
    "s2s": {"provider": "s2s", "mode": "test", "base_url": "http://127.0.0.1:1", "token": "t" * 20,
            "partner_secret": "partner-secret-of-the-test"},
    "beppay": {"provider": "beppay", "mode": "test", "base_url": "http://127.0.0.1:1", "api_key": "b" * 20,
               "email_domain": "example.com"},
}  # fmt: skip


async def code(answer):
    return answer.status, (await answer.json())["code"]


async def made(api, **body):
    return await read(await api.post("/v1/webhook-endpoints", json={"url": URL, **body}), EndpointWithSecret, 201)


async def test_an_endpoint_is_made_with_a_secret_that_is_shown_once(api):
    endpoint = await made(api, events=["order.fulfilled", "order.failed"], description="mine")
    assert endpoint.secret.startswith("whsec_")
    assert (endpoint.url, endpoint.status, endpoint.description) == (URL, "enabled", "mine")
    assert endpoint.events == ["order.fulfilled", "order.failed"]
    one = await api.get(f"/v1/webhook-endpoints/{endpoint.id}")
    listed = await api.get("/v1/webhook-endpoints")
    for answer in (one, listed):
        assert endpoint.secret not in await answer.text()
    assert (await read(one, Endpoint)).id == endpoint.id
    assert [e.id for e in (await read(listed, EndpointList)).data] == [endpoint.id]
    assert one.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "url",
    ["http://shop.example.com/", "https://127.0.0.1/", "https://localhost/", "https://[::ffff:10.0.0.1]/", "https://2130706433/",
     "https://a:b@shop.example.com/", "nothing"],
)  # fmt: skip
async def test_a_url_that_leads_elsewhere_is_refused_with_a_pointer(api, url):
    answer = await api.post("/v1/webhook-endpoints", json={"url": url})
    assert answer.status == 422
    assert (await answer.json())["errors"][0]["pointer"] == "/url"
    endpoint = await made(api)
    changed = await api.ask("PATCH", f"/v1/webhook-endpoints/{endpoint.id}", json={"url": url})
    assert changed.status == 422


@pytest.mark.parametrize("body", [{}, {"url": URL, "events": ["order.bought"]}, {"url": URL, "more": 1}, {"url": 5}])
async def test_a_body_that_is_not_as_it_should_be_is_422(api, body):
    assert await code(await api.post("/v1/webhook-endpoints", json=body)) == (422, "invalid")


async def test_an_endpoint_is_changed_disabled_and_deleted(api):
    endpoint = await made(api)
    path = f"/v1/webhook-endpoints/{endpoint.id}"
    changed = await read(
        await api.ask("PATCH", path, json={"events": ["topup.completed"], "status": "disabled"}), Endpoint
    )
    assert (changed.url, changed.events, changed.status) == (URL, ["topup.completed"], "disabled")
    assert await code(await api.post(f"{path}/test")) == (409, "conflict")
    every = await read(await api.ask("PATCH", path, json={"events": [], "status": "enabled"}), Endpoint)
    assert (every.events, every.status) == ([], "enabled")
    assert (await read(await api.ask("DELETE", path), Endpoint)).id == endpoint.id
    assert await code(await api.get(path)) == (404, "not_found")
    assert await code(await api.ask("DELETE", path)) == (404, "not_found")


async def test_there_is_a_most_even_when_all_come_at_once(api):
    answers = await asyncio.gather(*(api.post("/v1/webhook-endpoints", json={"url": URL}) for _ in range(25)))
    assert sorted(a.status for a in answers) == [201] * 20 + [409] * 5


async def test_a_secret_is_rotated_and_the_old_one_stays_a_day(api):
    endpoint = await made(api)
    rotated = await read(await api.post(f"/v1/webhook-endpoints/{endpoint.id}/rotate"), EndpointWithSecret)
    assert rotated.secret not in {endpoint.secret, ""}
    in_a_day = datetime.now(UTC) + timedelta(hours=24)
    assert abs(rotated.old_secret_until - in_a_day) < timedelta(minutes=5)


async def test_a_test_is_delivered_logged_and_replayed(make_api):
    api = await make_api(webhooks={"allow_private": ["127.0.0.0/8"]}, scopes=["storefront"])
    async with receiving() as receiver, GuardedHttpClient([ip_network("127.0.0.0/8")]) as outside:
        worker = Deliverer(api.pool, Seal([SECRET_KEY]), outside)
        endpoint = await made(api, url=receiver.url, events=["order.failed"])
        path = f"/v1/webhook-endpoints/{endpoint.id}"
        sent = await read(await api.post(f"{path}/test"), Delivery, 202)
        assert (sent.status, sent.attempts) == ("pending", [])
        await worker.start_due()
        await worker.drain()
        (log,) = (await api.read(f"{path}/deliveries", Page[Delivery])).data
        assert (log.id, log.status, log.event_type) == (sent.id, "delivered", "endpoint.test")
        again = await read(await api.post(f"{path}/deliveries/{sent.id}/replay"), Delivery, 202)
        assert (again.event_id, again.id != sent.id) == (sent.event_id, True)
        await worker.start_due()
        await worker.drain()
        assert receiver.ids == [sent.event_id] * 2
        first, second = receiver.verified(endpoint.secret)
        assert first == second
        assert first["data"] == {"endpoint_id": endpoint.id}
    assert await code(await api.post(f"{path}/deliveries/whd_none/replay")) == (404, "not_found")


async def test_deliveries_come_in_pages_the_newest_first(api):
    endpoint = await made(api)
    path = f"/v1/webhook-endpoints/{endpoint.id}"
    sent = [(await read(await api.post(f"{path}/test"), Delivery, 202)).id for _ in range(5)]
    assert [delivery.id for delivery in await api.rows(f"{path}/deliveries", 2, Delivery)] == sent[::-1]
    strange = await api.get(f"{path}/deliveries", params={"cursor": "ff00"})
    assert strange.status == 200


async def test_another_storefront_or_mode_finds_nothing(api, pool):
    endpoint = await made(api)
    sent = await read(await api.post(f"/v1/webhook-endpoints/{endpoint.id}/test"), Delivery, 202)
    rival = await create_key(pool, storefront="rival", mode="test", scopes=["storefront", "ops"])
    live = await create_key(pool, storefront="shop", mode="live", scopes=["storefront"])
    path = f"/v1/webhook-endpoints/{endpoint.id}"
    for key in (rival.key, live.key):
        other = api.with_key(key)
        assert (await other.read("/v1/webhook-endpoints", EndpointList)).data == []
        for method, route in [
            ("GET", path), ("DELETE", path), ("POST", f"{path}/rotate"), ("POST", f"{path}/test"),
            ("GET", f"{path}/deliveries"), ("POST", f"{path}/deliveries/{sent.id}/replay"),
        ]:  # fmt: skip
            assert await code(await other.ask(method, route)) == (404, "not_found"), route
        assert await code(await other.ask("PATCH", path, json={"status": "disabled"})) == (404, "not_found")
    # Nor is a delivery reached through an endpoint of one's own.
    theirs = await made(api.with_key(rival.key))
    through = f"/v1/webhook-endpoints/{theirs.id}/deliveries/{sent.id}/replay"
    assert await code(await api.with_key(rival.key).post(through)) == (404, "not_found")
    still = await api.read(path, Endpoint)
    assert (still.status, still.old_secret_until) == ("enabled", None)


# -- suppliers' ----------------------------------------------------------------------------------------------------


def signed_by_s2s(key, secret="partner-secret-of-the-test"):
    """A webhook signed now, by the rule of S2S's page written out here: the routes know no other clock."""
    at = str(int(time.time()))
    signature = hmac.new(secret.encode(), f"{at}order.status_changed{key}".encode(), hashlib.sha256).hexdigest()
    body = {"event": "order.status_changed", "idempotency_key": key, "data": {"order": {"external_id": "att_none"}}}
    return {"X-Timestamp": at, "X-Signature": signature}, json.dumps(body)


async def test_a_supplier_is_answered_when_its_webhook_is_stored(make_api):
    api = await make_api(suppliers=SUPPLIERS)
    headers, body = signed_by_s2s("one")
    for _ in range(2):
        answer = await api.post("/webhooks/s2s", headers=headers, data=body)
        assert (answer.status, await answer.json()) == (200, {"received": True})
    assert await api.pool.fetchval("SELECT count(*) FROM supplier_webhooks") == 1


async def test_a_forged_webhook_is_401(make_api):
    api = await make_api(suppliers=SUPPLIERS)
    headers, body = signed_by_s2s("one", secret="a guess")
    assert await code(await api.post("/webhooks/s2s", headers=headers, data=body)) == (401, "unauthorized")
    assert await code(await api.post("/webhooks/s2s", data=body)) == (401, "unauthorized")
    assert await api.pool.fetchval("SELECT count(*) FROM supplier_webhooks") == 0


async def test_nobody_learns_from_the_answer_which_suppliers_there_are(make_api):
    api = await make_api(suppliers=SUPPLIERS)
    headers, body = signed_by_s2s("one", secret="a guess")
    told = set()
    for name in ("s2s", "beppay", "nobody", "S2S", "s2s%00", "x" * 500):
        for sent in (body, "", "x" * 70_000):
            answer = await api.post(f"/webhooks/{name}", headers=headers, data=sent)
            problem = await answer.json()
            del problem["request_id"]
            told.add((len(sent) > 65_536, answer.status, json.dumps(problem)))
    assert sorted((large, status) for large, status, _ in told) == [(False, 401), (True, 413)]


async def test_a_refusal_takes_the_same_work_whoever_the_name_is(make_api, monkeypatch):
    """Not measured: what is executed is written down, with real signatures to verify and real statements."""
    own = {"mode": "test", "base_url": "http://127.0.0.1:1"}
    pikasim = {"provider": "pikasim", "api_key": "k" * 20, **own}
    paid = {**load_manifests()["bepaid"].sandbox_settings, "provider": "bepaid", **own}
    more = {"silent": pikasim, "pika": {**pikasim, "webhook_secret": "w" * 20}, "pay": paid, "s2s-2": SUPPLIERS["s2s"]}
    api = await make_api(suppliers=SUPPLIERS | more)
    done = []

    def written_down(where, name):
        original = getattr(where, name)

        def work(*arguments):
            kind = type(arguments[0]).__name__
            done.append((name, kind))
            return original(*arguments)

        monkeypatch.setattr(where, name, work)

    for provider in (S2S, PikaSim):
        written_down(provider, "verify_webhook")
    written_down(BePaid, "verify_notice")
    written_down(pikasim_webhook, "signed_by")
    written_down(s2s_webhook, "is_signed")
    written_down(supplier_check_rows, "heard_forged")
    headers, body = signed_by_s2s("one", secret="a guess")
    headers |= {"X-Webhook-Signature": "00" * 32, "Content-Signature": "AAAA"}
    works = {}
    for name in ("nobody", "s2s", "s2s-2", "pika", "silent", "pay", "beppay"):
        done.clear()
        assert (await api.post(f"/webhooks/{name}", headers=headers, data=body)).status == 401
        works[name] = list(done)
    assert works == dict.fromkeys(works, works["nobody"])
    assert [kind for work, kind in works["nobody"] if work.startswith("verify")] == ["BePaid", "PikaSim", "S2S"]
    counted = Counter(work for work, _ in works["nobody"])
    assert counted == {"verify_webhook": 2, "verify_notice": 1, "signed_by": 2, "is_signed": 1, "heard_forged": 1}


async def test_a_webhook_of_more_than_64_kib_is_413(make_api):
    api = await make_api(suppliers=SUPPLIERS)
    assert await code(await api.post("/webhooks/s2s", data=b"x" * 70_000)) == (413, "too_large")


async def test_a_supplier_is_told_to_come_again_when_the_webhook_cannot_be_stored(make_api):
    api = await make_api(suppliers=SUPPLIERS, database_url="postgresql://127.0.0.1:1/none")
    headers, body = signed_by_s2s("one")
    answer = await api.post("/webhooks/s2s", headers=headers, data=body)
    assert await code(answer) == (503, "unavailable")
    assert "Retry-After" in answer.headers
