"""The example storefront when things go wrong: killed, without events, with forged ones, with the gateway away."""

import asyncio
import base64
import json
import os
import re
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from standardwebhooks import Webhook

from esim_gateway_client import NoAnswerError
from examples.storefront import clerk
from examples.storefront.app import Settings
from examples.storefront.hooks import PATH, Ear
from gateway.api.examples import example_of
from schemas.events import EVENTS
from tests.examples.conftest import Street, free_socket
from tests.examples.test_shop import GOOD, fields, form_for
from tests.kit.waiting import until

HOUSE = Path(__file__).parents[2]


async def endpoints(street):
    headers = {"Authorization": f"Bearer {street.gateway.key}"}
    async with street.http.get(f"{street.gateway.url}/v1/webhook-endpoints", headers=headers) as answer:
        return [each["url"] for each in (await answer.json())["data"]]


def kept_secret(street):
    book = street.book()
    try:
        return (book.endpoint(street.url + PATH) or ("", ""))[1]
    finally:
        book.close()


async def test_an_event_alone_brings_a_sale_to_its_end(make_street, monkeypatch):
    monkeypatch.setattr(clerk, "_SOONEST_SECONDS", 3600.0)
    monkeypatch.setattr(clerk, "WAIT_SECONDS", 0)
    street = await make_street(payment="none")
    await street.gateway.town.tell("pikasim", "till", {"delivery_seconds": 2})
    await until(lambda: kept_secret(street))
    form = await form_for(street, GOOD["pikasim"])
    await street.post("/buy", form)
    assert await street.state(form["sale"]) == "preparing"
    assert await street.state(form["sale"], "ready") == "ready"


async def test_without_any_event_a_sale_comes_to_its_end_by_looking(make_street, monkeypatch):
    async def nobody_tells(_ear):
        raise NoAnswerError("not today")

    monkeypatch.setattr(Ear, "ask_for_events", nobody_tells)
    monkeypatch.setattr(clerk, "WAIT_SECONDS", 0)
    street = await make_street(payment="none")
    form = await form_for(street, GOOD["s2s"])
    await street.post("/buy", form)
    assert await street.state(form["sale"], "ready") == "ready"
    assert await endpoints(street) == []


async def test_an_event_that_is_forged_altered_or_old_is_refused_and_one_that_comes_twice_counts_once(unpaid):
    secret = await until(lambda: kept_secret(unpaid))
    form = await form_for(unpaid, GOOD["beppay"])
    await unpaid.post("/buy", form)
    await unpaid.state(form["sale"], "ready")
    body = json.dumps(example_of(EVENTS["order.fulfilled"], {}) | {"id": "msg_1"})
    other = Webhook(base64.b64encode(b"o" * 32).decode())

    def headers(webhook, seconds=0):
        at = datetime.now(UTC) - timedelta(seconds=seconds)
        signature = webhook.sign("msg_1", at, body)
        return {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}

    async def sent(text, headers):
        async with unpaid.http.post(unpaid.url + PATH, data=text, headers=headers) as answer:
            return answer.status

    ours = Webhook(secret)
    assert await sent(body, headers(other)) == 401
    assert await sent(body.replace("fulfilled", "cancelled"), headers(ours)) == 401
    assert await sent(body, headers(ours, 600)) == 401
    assert await sent(body, headers(ours) | {"webhook-signature": "v1"}) == 401
    assert await sent(body, {}) == 401
    assert [await sent(body, headers(ours)) for _ in range(2)] == [204, 204]
    book = unpaid.book()
    try:
        assert not book.heard("msg_1", [])
        assert book.heard("msg_2", [])
    finally:
        book.close()


async def test_a_shop_that_opens_again_has_its_one_endpoint_and_a_new_secret_where_the_book_was_lost(unpaid):
    before = await until(lambda: kept_secret(unpaid))
    await unpaid.close()
    await unpaid.open()
    await asyncio.sleep(0.3)
    assert kept_secret(unpaid) == before
    await unpaid.close()
    for path in unpaid.settings.book.parent.glob("book*"):
        path.unlink()
    await unpaid.open()
    assert await until(lambda: kept_secret(unpaid)) != before
    assert await endpoints(unpaid) == [unpaid.url + PATH]


@pytest.mark.parametrize("when", ["before the gateway has it", "before the gateway answers"])
async def test_a_shop_killed_while_it_sends_sells_once_when_it_is_back(gateway, tmp_path, when):
    with free_socket() as at:
        port = at.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    nobody = "http://127.0.0.1:1"
    if when == "before the gateway answers":
        await gateway.town.tell("pikasim", "till", {"delivery_seconds": 4})
    async with aiohttp.ClientSession() as http:
        street = Street(gateway, Settings(gateway.url, gateway.key, url=url, book=tmp_path / "book"), http)
        form = await form_elsewhere(street)
        async with shop_process(street, nobody if when == "before the gateway has it" else gateway.url) as process:
            buying = asyncio.create_task(street.post("/buy", form))
            await until(lambda: begun(street, form["sale"]))
            if when == "before the gateway answers":
                await until(gateway.town.charges)
            process.send_signal(signal.SIGKILL)
            with suppress(aiohttp.ClientError):
                await buying
        assert await street.state(form["sale"]) == "sending"
        async with shop_process(street, gateway.url):
            assert await street.state(form["sale"], "ready") == "ready"
    assert len(await gateway.town.charges()) == 1
    assert await gateway.pool.fetchval("SELECT count(*) FROM orders") == 1


def begun(street, sale_id):
    book = street.book()
    try:
        return book.sale(sale_id)
    finally:
        book.close()


async def form_elsewhere(street):
    """What the form of a plan's page says, from a shop that is closed before the other opens."""
    here = replace(street, settings=replace(street.settings, payment="none"), _open=AsyncExitStack())
    await here.open()
    try:
        return await form_for(here, GOOD["pikasim"])
    finally:
        await here.close()


@asynccontextmanager
async def shop_process(street, gateway_url):
    """The shop as a process of its own, so that it can be killed."""
    settings = street.settings
    given = {"GATEWAY_URL": gateway_url, "GATEWAY_KEY": settings.gateway_key, "URL": settings.url, "PAYMENT": "none"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "examples.storefront",
        cwd=HOUSE,
        env={
            **os.environ,
            **{f"SHOP_{name}": value for name, value in given.items()},
            "SHOP_BOOK": settings.book,
            "PYTHONPATH": str(HOUSE / "clients/python"),  # `make example` installs the client
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(lambda: answers(street))
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def answers(street):
    with suppress(aiohttp.ClientError):
        return (await street.get("/static/shop.css"))[0] == 200


async def test_a_gateway_that_is_away_is_said_to_customers_and_met_again(make_street):
    street = await make_street(payment="none", gateway_url="http://127.0.0.1:1")
    status, text = await street.get("/")
    assert status == 503
    assert "One moment" in text


async def test_a_payment_link_whose_making_was_not_answered_is_shown_when_it_is_found(make_street):
    street = await make_street()
    await street.gateway.town.trigger("bepaid", "made_then_500")
    form = await form_for(street, GOOD["pikasim"])
    status, where = await street.post("/buy", form)
    assert (status, where) == (303, f"/orders/{form['sale']}")
    assert await street.state(form["sale"], "to_pay", "refused") == "to_pay"
    truth = await street.gateway.town.truth("bepaid")
    (link,) = [each["id"] for each in truth["products"]]
    assert f"/products/{link}/pay" in (await street.get(where))[1]


async def test_forms_of_other_sites_are_refused(unpaid):
    form = await form_for(unpaid, GOOD["beppay"])
    status, _ = await unpaid.post("/buy", form, headers={"Sec-Fetch-Site": "cross-site"})
    assert status == 403
    assert begun(unpaid, form["sale"]) is None


async def test_data_is_added_to_an_esim_once_for_a_form_that_is_sent_twice(unpaid):
    form = await form_for(unpaid, GOOD["pikasim"])
    await unpaid.post("/buy", form)
    await unpaid.state(form["sale"], "ready")
    page = f"/orders/{form['sale']}/topup"
    _, text = await unpaid.get(page)
    more = fields(text) | {"option": re.search(r'name="option" value="([^"]+)"', text)[1]}
    assert await unpaid.post(page, more) == await unpaid.post(page, more) == (303, f"/orders/{form['sale']}")
    assert await unpaid.state(more["sale"], "ready", "failed", "refused") == "ready"
    assert "added" in (await unpaid.get(f"/orders/{form['sale']}"))[1]
    assert len(await unpaid.gateway.town.charges()) == 2


async def test_a_shop_that_is_paid_by_links_gives_no_data_away(make_street):
    street = await make_street()
    assert (await street.get("/orders/x/topup"))[0] == 404
    assert (await street.post("/orders/x/topup", {"option": "x"}))[0] == 404
