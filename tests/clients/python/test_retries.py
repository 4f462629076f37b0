"""A client that waits and sends again, and buys once."""

import asyncio

import httpx
import pytest

from esim_gateway_client import AsyncGateway, Gateway, NoAnswerError, Retries, problems
from esim_gateway_client.retries import Attempts
from tests.clients.conftest import LIMIT_PER_MINUTE, PLAN


def spend_the_limit(gateway, statuses):
    """Ask until an answer was 429; every answer that the client gave was a good one."""
    while 429 not in statuses:
        assert gateway.me.get().storefront == "shop"


async def ask_beyond_the_limit(gateway):
    while True:
        await gateway.me.get()


async def test_a_429_is_waited_for(shop, url):
    statuses = []
    key = await shop.api.make_key("storefront", per_minute=LIMIT_PER_MINUTE)
    http = httpx.Client(event_hooks={"response": [lambda response: statuses.append(response.status_code)]})
    with Gateway(url, key, http=http) as gateway:
        await asyncio.to_thread(spend_the_limit, gateway, statuses)
    assert statuses[-2:] == [429, 200]


async def test_a_429_is_waited_for_with_asyncio(shop, url):
    statuses = []

    async def note(response):
        statuses.append(response.status_code)

    key = await shop.api.make_key("storefront", per_minute=LIMIT_PER_MINUTE)
    async with AsyncGateway(url, key, http=httpx.AsyncClient(event_hooks={"response": [note]})) as gateway:
        while 429 not in statuses:
            assert (await gateway.me.get()).storefront == "shop"
    assert statuses[-2:] == [429, 200]


async def test_a_429_is_raised_where_it_is_not_to_be_waited_for(shop, url):
    key = await shop.api.make_key("storefront", per_minute=LIMIT_PER_MINUTE)
    async with AsyncGateway(url, key, retries=Retries(most=0)) as gateway:
        with pytest.raises(problems.RateLimitedError) as found:
            await ask_beyond_the_limit(gateway)
    assert found.value.retry_after >= 1


async def test_an_order_whose_answer_was_lost_is_sent_again_under_its_key_and_bought_once(shop, proxy):
    proxy.drops = 2
    with Gateway(proxy.url, shop.api.key) as gateway:
        order = await asyncio.to_thread(gateway.orders.create, plan_id=PLAN, wait=30)
    assert order.status == "fulfilled"
    assert len(proxy.keys) == 3
    assert len(await shop.town.charges()) == 1
    assert len(set(proxy.keys)) == 1


async def test_it_is_bought_once_with_asyncio_too(shop, proxy):
    proxy.drops = 1
    async with AsyncGateway(proxy.url, shop.api.key) as gateway:
        order = await gateway.orders.create(plan_id=PLAN, wait=30)
        other = await gateway.orders.create(plan_id=PLAN, wait=30)
    assert order.id != other.id
    assert proxy.keys[0] == proxy.keys[1] != proxy.keys[2]
    assert len(await shop.town.charges()) == 2


async def test_an_order_that_was_given_up_is_taken_up_again_under_its_key(shop, proxy):
    proxy.drops = 1
    async with AsyncGateway(proxy.url, shop.api.key, retries=Retries(most=0)) as gateway:
        with pytest.raises(NoAnswerError) as found:
            await gateway.orders.create(plan_id=PLAN, wait=30)
        order = await gateway.orders.create(plan_id=PLAN, wait=30, idempotency_key=found.value.idempotency_key)
    assert order.status == "fulfilled"
    assert len(await shop.town.charges()) == 1


async def test_nobody_listening_is_no_answer(unused_tcp_port):
    async with AsyncGateway(f"http://127.0.0.1:{unused_tcp_port}", "gw_test_x", retries=Retries(most=1)) as gateway:
        with pytest.raises(NoAnswerError) as found:
            await gateway.orders.create(plan_id=PLAN)
    assert found.value.idempotency_key


def answer(status, **headers):
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again_as_retry_after_says(status):
    attempts = Attempts(Retries(), is_repeatable=True)
    assert attempts.pause_after(answer(status, Retry_After="7")) == 7.0


@pytest.mark.parametrize("status", [200, 201, 202, 304, 400, 404, 409, 422, 501])
def test_an_answer_that_stands_is_not_asked_for_again(status):
    assert Attempts(Retries(), is_repeatable=True).pause_after(answer(status)) is None


@pytest.mark.parametrize(
    ("outcome", "is_repeated"),
    [
        (answer(429), True),
        (answer(500), False),
        (answer(503), False),
        (httpx.ConnectError("refused"), True),
        (httpx.ReadTimeout("late"), False),
        (httpx.RemoteProtocolError("dropped"), False),
    ],
)
def test_what_would_do_something_twice_is_repeated_only_where_it_cannot_have_happened(outcome, is_repeated):
    pause = Attempts(Retries(), is_repeatable=False).pause_after(outcome)
    assert (pause is not None) is is_repeated


def test_tries_are_bounded_in_number():
    attempts = Attempts(Retries(most=2), is_repeatable=True)
    pauses = [attempts.pause_after(httpx.ReadTimeout("late")) for _ in range(3)]
    assert [pause is None for pause in pauses] == [False, False, True]
    assert 0 < pauses[0] < pauses[1]


def test_waiting_is_bounded_in_seconds():
    attempts = Attempts(Retries(most=9, seconds=10), is_repeatable=True)
    assert attempts.pause_after(answer(503, Retry_After="6")) == 6.0
    assert attempts.pause_after(answer(503, Retry_After="5")) is None
    assert attempts.pause_after(answer(503, Retry_After="4")) == 4.0
