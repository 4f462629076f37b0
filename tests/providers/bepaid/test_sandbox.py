"""The sandbox: products as the page has them, a page on which customers pay, and what goes wrong when it is told to."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from providers.bepaid import MANIFEST
from providers.loader import load_manifests
from providers.simulator import SandboxWorld, sandbox_site, world_for
from providers.simulator.payment.triggers import OF_CREATION, OF_PAYMENT, PaymentTriggerKind
from schemas.money import Money
from schemas.payment import PaymentKind, PaymentState
from tests.kit.receiver import receiving
from tests.kit.waiting import until
from tests.providers.payment_suite import open_cashier

AUTH = {"Authorization": "Basic MzYxOmJlcGFpZC1zYW5kYm94LXNlY3JldA=="}
PRODUCT = {
    "name": "product", "description": "description", "currency": "USD", "amount": "990", "infinite": True,
    "test": False, "immortal": True, "return_url": "http://return-url.com", "shop_id": "1", "language": "en",
    "transaction_type": "payment",
}  # fmt: skip
LIMITED = {**PRODUCT, "quantity": "10", "infinite": False, "immortal": False, "expired_at": "2099-12-31"}


@pytest.fixture
async def desk(aiohttp_client):
    world = SandboxWorld((), enforce_rate_limits=False)
    return await aiohttp_client(sandbox_site(world, {"bepaid": MANIFEST}))


@pytest.fixture
async def cashier():
    async with open_cashier(MANIFEST) as opened:
        yield opened


@pytest.fixture
async def hook(cashier):
    async with receiving() as receiver:
        await cashier.tell("webhook", {"url": receiver.url})
        yield receiver


async def lost(cashier, uid):
    async with cashier.http.get(f"{cashier.provider.transport.base_url}/_sandbox/webhook") as answer:
        return any(sent["sale_id"] == uid and sent["what"] == "lost" for sent in (await answer.json())["sent"])


async def told(cashier):
    return (await cashier.truth())["payments"][0]["told"]


async def twice(came):
    return len(came) == 2


async def make(desk, **more):
    async with desk.post("/bepaid/products", json={**PRODUCT, **more}, headers=AUTH) as answer:
        return answer.status, await answer.json()


# --- the API --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", [PRODUCT, LIMITED], ids=["unlimited", "limited"])
async def test_the_page_s_requests_are_taken(desk, product):
    async with desk.post("/bepaid/products", json=product, headers=AUTH) as answer:
        made = await answer.json()
        assert answer.status == 201
    assert re.fullmatch("prd_[0-9a-f]{16}", made["id"])
    assert list(made) == [
        "id", "name", "description", "currency", "amount", "quantity", "infinite", "language", "transaction_type",
        "created_at", "updated_at", "test", "additional_data", "pay_url", "payment_url", "confirm_url",
    ]  # fmt: skip
    kept = (990, 10, False) if product is LIMITED else (990, 0, True)
    assert (made["amount"], made["quantity"], made["infinite"]) == kept
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["created_at"])
    async with desk.get(f"/bepaid/products/{made['id']}", headers=AUTH) as answer:
        assert (answer.status, await answer.json()) == (200, made)
    async with desk.get("/bepaid/products", headers=AUTH) as answer:
        assert await answer.json() == [made]


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"currency": "usd1"}, {"currency": ["is not in ISO 4217 Alpha-3 format", "is unknown ISO 4217 Alpha-3 code"]}),
        ({"currency": "ZZZ"}, {"currency": ["is unknown ISO 4217 Alpha-3 code"]}),
        ({"amount": 9.9}, {"amount": ["is not a number"]}),
        ({"amount": True}, {"amount": ["is not a number"]}),
        ({"amount": 0}, {"amount": ["must be greater than 0"]}),
        ({"amount": "9.90"}, {"amount": ["is not a number"]}),
        ({"amount": "0"}, {"amount": ["must be greater than 0"]}),
        ({"name": ""}, {"name": ["can't be blank"]}),
        ({"name": None, "language": None}, {"name": ["can't be blank"], "language": ["can't be blank"]}),
        ({"quantity": "1"}, {"quantity": ["must not be sent when the product is infinite"]}),
        ({"infinite": False}, {"quantity": ["can't be blank"]}),
        ({"infinite": "yes"}, {"infinite": ["is not a boolean"], "quantity": ["can't be blank"]}),
        ({"expired_at": "tomorrow"}, {"expired_at": ["is invalid"]}),
        ({"expired_at": "2026-11-20T10:00:00"}, {"expired_at": ["is invalid"]}),
        ({"visible_fields": ["iban"]}, {"visible_fields": ["is not included in the list"]}),
        ({"return_url": "javascript:alert(1)"}, {"return_url": ["is invalid"]}),
        ({"transaction_type": "gift"}, {"transaction_type": ["is not included in the list"]}),
    ],
    ids=repr,
)
async def test_wrong_parameters_are_named_each(desk, wrong, errors):
    status, body = await make(desk, **wrong)
    assert (status, body["errors"]) == (422, errors)
    first = next(iter(errors))
    assert body["message"].startswith(f"{first.replace('_', ' ').capitalize()} {errors[first][0]}")


async def test_a_change_is_answered_204_and_an_unknown_product_302(desk):
    _, made = await make(desk)
    address = f"/bepaid/products/{made['id']}"
    async with desk.put(address, json={"amount": 950, "infinite": False, "quantity": "5"}, headers=AUTH) as answer:
        assert (answer.status, await answer.read()) == (204, b"")
    async with desk.get(address, headers=AUTH) as answer:
        changed = await answer.json()
    assert (changed["amount"], changed["quantity"], changed["infinite"], changed["name"]) == (950, 5, False, "product")
    for method in ("GET", "PUT"):
        async with desk.request(
            method, "/bepaid/products/prd_0", json={}, headers=AUTH, allow_redirects=False
        ) as answer:
            assert answer.status == 302
            assert (await answer.json())["message"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic MTox"}, {"Authorization": "Bearer x"}])
async def test_without_the_shop_s_credentials_nothing_is_told(desk, headers):
    for method, path in (("GET", "/products"), ("POST", "/products"), ("GET", "/products/x"), ("PUT", "/products/x")):
        async with desk.request(method, f"/bepaid{path}", headers=headers) as answer:
            assert answer.status == 401


# --- the payment page -----------------------------------------------------------------------------------


async def press(desk, product, outcome, **fields):
    async with desk.post(
        f"/bepaid/_sandbox/pay/{product['id']}", data={"outcome": outcome, **fields}, allow_redirects=False
    ) as answer:
        return answer.status, answer.headers.get("Location"), await answer.text()


async def test_a_customer_sees_the_price_and_is_sent_back_to_the_shop_when_it_is_paid(desk):
    status, made = await make(
        desk, quantity="1", infinite=False, name="Japan <1 GB>", return_url="https://shop.example/ok?a=1&b=2"
    )
    assert status == 201
    path = made["pay_url"].partition("/bepaid/")[2]
    async with desk.get(f"/bepaid/{path}") as answer:
        text = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "script" not in answer.headers["Content-Security-Policy"]
    assert "Japan &lt;1 GB&gt;" in text
    assert "9.90 USD" in text
    assert "<script" not in text
    assert f'action="/bepaid/_sandbox/pay/{made["id"]}"' in text
    assert await press(desk, made, "pay") == (303, "https://shop.example/ok?a=1&b=2", "")
    status, _, text = await press(desk, made, "pay")
    assert (status, "paid already" in text, "Pay 9.90" in text) == (410, True, False)
    async with desk.get(f"/bepaid/{path}") as answer:
        assert answer.status == 410
        assert 'href="https://shop.example/ok?a=1&amp;b=2"' in await answer.text()


async def test_a_declined_card_can_be_tried_again_and_leaving_pays_nothing(desk):
    _, made = await make(desk, quantity="1", infinite=False)
    status, _, text = await press(desk, made, "decline")
    assert (status, "declined" in text, "Pay 9.90" in text) == (200, True, True)
    assert (await press(desk, made, "leave"))[:2] == (303, "http://return-url.com")
    assert (await press(desk, made, "nonsense"))[0] == 200
    async with desk.get("/bepaid/_sandbox/truth") as answer:
        truth = await answer.json()
    assert [payment["status"] for payment in truth["payments"]] == ["failed", "incomplete"]
    assert not any(payment["captured"] for payment in truth["payments"])
    assert truth["products"][0]["quantity"] == 1


async def test_the_page_asks_for_what_the_shop_wants_in_the_customer_s_language(desk):
    _, made = await make(desk, visible_fields=["email", "first_name"], language="ru", return_url=None)
    async with desk.get(f"/bepaid/products/{made['id']}/pay") as answer:
        text = await answer.text()
    assert '<html lang="ru">' in text
    assert "Оплатить 9.90 USD" in text
    assert 'name="email"' in text
    assert 'name="first_name"' in text
    status, _, text = await press(desk, made, "pay", email="a@example.org", phone="+375")
    assert (status, "Оплачено" in text) == (200, True)
    async with desk.get("/bepaid/_sandbox/payments") as answer:
        (payment,) = (await answer.json())["payments"]
    assert payment["customer"] == {"email": "a@example.org"}


async def test_an_expired_product_cannot_be_paid(desk):
    past = (datetime.now(UTC) - timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    _, made = await make(desk, immortal=False, expired_at=past)
    status, _, text = await press(desk, made, "pay")
    assert (status, "expired" in text) == (410, True)
    async with desk.get("/bepaid/products/prd_0/pay") as answer:
        assert answer.status == 404


async def test_of_two_customers_at_once_one_comes_too_late(desk):
    _, made = await make(desk, quantity="1", infinite=False)
    pressed = await asyncio.gather(*(press(desk, made, "pay") for _ in range(5)))
    assert sorted(status for status, *_ in pressed) == [303, 410, 410, 410, 410]


# --- what goes wrong when it is told to -------------------------------------------------------------------


async def paid(cashier, hook, kind, notices=1, **more):
    """A link that was paid while a trigger was in force, and the notifications that were believed."""
    await cashier.trigger(kind, **more)
    link = await cashier.provider.create_link(cashier.request())
    await cashier.pay(link)
    return link, [cashier.notice(came) for came in await hook.until(notices)]


async def test_something_else_is_paid_than_was_asked_for(cashier, hook):
    _, (less,) = await paid(cashier, hook, "wrong_amount", factor="0.5")
    assert less.paid == Money.of("2.75", "USD")
    _, (_, more) = await paid(cashier, hook, "wrong_amount", factor=2, notices=2)
    assert more.paid == Money.of("11.00", "USD")
    _, (*_, euro) = await paid(cashier, hook, "wrong_currency", notices=3)
    assert euro.paid == Money.of("5.50", "EUR")


async def test_it_is_paid_twice(cashier, hook):
    link, (first, second) = await paid(cashier, hook, "paid_twice", notices=2)
    assert first.payment_id != second.payment_id
    assert first.link_id == second.link_id == link.id
    assert [payment["captured"] for payment in (await cashier.truth())["payments"]] == [True, True]


async def test_it_is_paid_after_it_expired(cashier, hook):
    await cashier.trigger("after_expiry", calls=2)
    link = await cashier.provider.create_link(cashier.request())
    await cashier.pay(link)
    (came,) = await hook.until(1)
    assert cashier.notice(came).paid_at > datetime.now(UTC) + timedelta(hours=1)
    closed = await cashier.provider.create_link(cashier.request(number=2))
    await cashier.provider.close_link(closed.id)
    await cashier.pay(closed)
    assert cashier.notice((await hook.until(2))[1]).checkout_id == "chk_2"


async def test_the_money_is_only_held(cashier, hook):
    _, (notice,) = await paid(cashier, hook, "authorised_only")
    assert (notice.kind, notice.state) == (PaymentKind.AUTHORISATION, PaymentState.CAPTURED)
    assert not (await cashier.truth())["payments"][0]["captured"]


async def test_a_payment_of_the_other_mode(cashier, hook):
    _, (notice,) = await paid(cashier, hook, "other_mode")
    assert notice.test is False


async def test_the_shop_refunds_it(cashier, hook):
    _, (payment, refund) = await paid(cashier, hook, "refunded", notices=2)
    assert (payment.kind, refund.kind) == (PaymentKind.PAYMENT, PaymentKind.REFUND)
    assert refund.paid == payment.paid
    assert refund.payment_id != payment.payment_id


async def test_a_notice_comes_three_times_early_or_without_its_product(cashier, hook):
    _, notices = await paid(cashier, hook, "notice_repeated", notices=3)
    assert len({notice.payment_id for notice in notices}) == 1
    await cashier.trigger("notice_early")
    await cashier.pay(await cashier.provider.create_link(cashier.request(number=2)))
    assert len(hook.got) == 4, "it comes before the customer is sent back"
    _, (*_, nameless) = await paid(cashier, hook, "notice_without_product", notices=5)
    assert (nameless.link_id, nameless.checkout_id) == (None, "chk_1")
    _, (*_, stranger) = await paid(cashier, hook, "notice_of_a_stranger", notices=6)
    assert (stranger.link_id, stranger.checkout_id) == (None, None)


async def test_a_notice_comes_late(cashier, hook):
    await cashier.trigger("notice_late", key="chk_1", seconds=0.3)
    await cashier.trigger("notice_late", key="chk_2", seconds=3600)
    for number in (1, 2, 3):
        await cashier.pay(await cashier.provider.create_link(cashier.request(number=number)))
    assert sorted(cashier.notice(came).checkout_id for came in await hook.until(2)) == ["chk_1", "chk_3"]


async def test_a_notice_that_never_came_can_be_sent_after_all(cashier, hook):
    await cashier.trigger("notice_never")
    (payment,) = await cashier.pay(await cashier.provider.create_link(cashier.request()))
    await until(lambda: lost(cashier, payment["uid"]))
    assert hook.got == []
    assert not (await cashier.truth())["payments"][0]["told"]
    await cashier.tell(f"payments/{payment['uid']}", {"act": "notify"})
    assert cashier.notice((await hook.until(1))[0]).payment_id == payment["uid"]
    await until(lambda: told(cashier))


async def test_a_payment_that_waited_for_the_bank_is_settled_or_fails_later(cashier, hook):
    link = await cashier.provider.create_link(cashier.request())
    (waits,) = await cashier.pay(link, "wait")
    await hook.until(1)
    await cashier.tell(f"payments/{waits['uid']}", {"act": "settle"})
    settled = cashier.notice((await hook.until(2))[1])
    assert (settled.payment_id, settled.state) == (waits["uid"], PaymentState.CAPTURED)
    assert (await cashier.provider.link(link.id)).remaining == 0
    refund = await cashier.tell(f"payments/{waits['uid']}", {"act": "refund"})
    assert (refund["type"], refund["parent"]) == ("refund", waits["uid"])


async def test_a_link_is_paid_and_told_before_its_making_is_answered(cashier, hook):
    await cashier.trigger("paid_before_answer")
    making = asyncio.create_task(cashier.provider.create_link(cashier.request()))
    (came,) = await hook.until(1)
    assert cashier.notice(came).checkout_id == "chk_1"
    made = await making
    assert (made.checkout_id, made.remaining) == ("chk_1", 0)


async def test_a_trigger_waits_for_its_checkout(cashier, hook):
    await cashier.trigger("notice_repeated", key="chk_2")
    await cashier.pay(await cashier.provider.create_link(cashier.request(number=1)))
    await cashier.pay(await cashier.provider.create_link(cashier.request(number=2)))
    notices = [cashier.notice(came).checkout_id for came in await hook.until(4)]
    assert sorted(notices) == ["chk_1", "chk_2", "chk_2", "chk_2"]


def test_each_trigger_is_of_a_creation_or_of_a_payment():
    assert set(PaymentTriggerKind) == OF_CREATION | OF_PAYMENT
    assert not OF_CREATION & OF_PAYMENT


@pytest.mark.parametrize(
    "wrong", [{"kind": "nonsense"}, {"kind": "refuse", "factor": "0"}, {"kind": "refuse", "currency": "usd"}]
)
async def test_a_trigger_that_is_none_is_refused(desk, wrong):
    async with desk.post("/bepaid/_sandbox/triggers", json=wrong) as answer:
        assert answer.status == 422


# --- beside the others ------------------------------------------------------------------------------------


def test_what_the_others_sell_does_not_change_with_it():
    manifests = load_manifests()
    without = {name: manifest for name, manifest in manifests.items() if name != "bepaid"}
    here, there = world_for(manifests), world_for(without)
    sandbox_site(here, manifests)
    assert here.suppliers == there.suppliers
    assert all(here.items(name) == there.items(name) for name in there.suppliers)
    assert here.items("bepaid") == []


async def test_products_and_payments_outlive_the_process_and_a_reset_forgets_them(aiohttp_client, tmp_path):
    async def begin():
        return await aiohttp_client(sandbox_site(SandboxWorld((), records=tmp_path), {"bepaid": MANIFEST}))

    first = await begin()
    _, made = await make(first, quantity="1", infinite=False)
    await press(first, made, "pay")
    await first.close()
    second = await begin()
    async with second.get("/bepaid/_sandbox/truth") as answer:
        truth = await answer.json()
    assert [payment["product_id"] for payment in truth["payments"]] == [made["id"]]
    assert truth["products"][0]["quantity"] == 0
    async with second.post("/bepaid/_sandbox/reset") as answer:
        assert answer.status == 200
    async with second.get("/bepaid/_sandbox/truth") as answer:
        assert await answer.json() == {"products": [], "payments": []}


async def test_a_shop_that_does_not_take_a_notice_is_told_again(cashier):
    answers = iter([503, 200])
    came = []

    async def take(request: web.Request) -> web.Response:
        came.append(await request.read())
        return web.Response(status=next(answers))

    app = web.Application()
    app.router.add_post("/notices", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/notices"
    await cashier.tell("webhook", {"url": url, "retry_scale": 0.001})
    await cashier.pay(await cashier.provider.create_link(cashier.request()))
    await until(lambda: twice(came))
    assert came[0] == came[1]
    await runner.cleanup()
