"""E-mails of orders over the API: from the order's own words to the mail server, sent again, and shown to their own."""

import pytest

from gateway.access.key_rows import create_key
from gateway.api import state
from gateway.travellers.emails import send_next
from tests.gateway.api.test_scopes import PLAN
from tests.gateway.api.test_traveller_page import SETTINGS
from tests.gateway.travellers.test_emails import EMAIL, announce, ordered
from tests.kit.mailbox import mail
from tests.kit.sold import storefront
from tests.kit.working import emit_events


@pytest.fixture
async def mailbox():
    async with mail() as made:
        yield made


@pytest.fixture
def smtp(mailbox):
    return {"host": "127.0.0.1", "port": mailbox.port, "starttls": False, "sender": "gateway@example.com"}


async def send_all(api):
    await emit_events(api.pool)
    deps = api.client.app[state.DEPS]
    while await send_next(deps, deps.pool):
        pass


async def test_an_order_s_customer_gets_the_delivery_in_the_language_that_the_order_names(
    make_api, suppliers, smtp, mailbox
):
    api = await make_api(synced=True, suppliers=suppliers.accounts(), smtp=smtp)
    shop, ops = api.with_key(await api.make_key("storefront")), api.with_key(await api.make_key("ops"))
    own = await storefront(api.pool)
    assert (await ops.ask("PATCH", SETTINGS.format(own), json={"email_enabled": True})).status == 200
    body = {"plan_id": PLAN, "customer": {"email": EMAIL, "language": "pt-BR"}}
    headers = {"Idempotency-Key": "mailed", "Prefer": "wait=30"}
    order = await (await shop.post("/v1/orders", json=body, headers=headers)).json()
    assert order["status"] == "fulfilled"
    await send_all(api)
    (message,) = mailbox.got
    assert (message["To"], message["Content-Language"]) == (EMAIL, "pt")
    (listed,) = (await shop.read(f"/v1/orders/{order['id']}/emails"))["data"]
    assert (listed["kind"], listed["status"], listed["resent"]) == ("delivery", "sent", False)
    again = [await (await shop.post(f"/v1/orders/{order['id']}/resend-email")).json() for _ in range(2)]
    assert again[0]["id"] == again[1]["id"] == listed["id"]  # less than a minute after the first one
    await api.pool.execute("UPDATE traveller_emails SET created_at = created_at - interval '2 minutes'")
    again = [await (await shop.post(f"/v1/orders/{order['id']}/resend-email")).json() for _ in range(2)]
    assert again[0]["id"] == again[1]["id"] != listed["id"]
    await send_all(api)
    assert len(mailbox.got) == 2
    assert [email["resent"] for email in (await shop.read(f"/v1/orders/{order['id']}/emails"))["data"]] == [True, False]


async def test_e_mails_of_an_order_are_for_its_own_storefront_and_mode(make_api, smtp):
    api = await make_api(scopes=["storefront"], smtp=smtp)
    esim = await ordered(api.pool)
    await announce(api.pool, esim)
    assert len((await api.read(f"/v1/orders/{esim.order_id}/emails"))["data"]) == 1
    for owner, mode in (("other shop", "test"), ("shop", "live")):
        key = (await create_key(api.pool, storefront=owner, mode=mode, scopes=("storefront",))).key
        other = api.with_key(key)
        assert (await other.get(f"/v1/orders/{esim.order_id}/emails")).status == 404
        assert (await other.post(f"/v1/orders/{esim.order_id}/resend-email")).status == 404
    assert await api.pool.fetchval("SELECT count(*) FROM traveller_emails") == 1


async def test_sending_again_says_why_it_cannot_be_done(make_api, smtp):
    api = await make_api(scopes=["storefront"], smtp=smtp)
    for esim, why in (
        (await ordered(api.pool, enabled=False), "switched off"),
        (await ordered(api.pool, email=None, owner="shop"), "switched off"),
    ):
        answer = await api.post(f"/v1/orders/{esim.order_id}/resend-email")
        assert (answer.status, why in (await answer.json())["detail"]) == (409, True)
    await api.pool.execute("UPDATE traveller_settings SET email_enabled = true")
    answer = await api.post(f"/v1/orders/{esim.order_id}/resend-email")
    assert (answer.status, "customer.email" in (await answer.json())["detail"]) == (409, True)
    cancelled = await ordered(api.pool, status="cancelled")
    answer = await api.post(f"/v1/orders/{cancelled.order_id}/resend-email")
    assert (answer.status, "no eSIM" in (await answer.json())["detail"]) == (409, True)


async def test_e_mails_cannot_be_switched_on_without_a_mail_server(ops):
    shop = await storefront(ops.pool)
    answer = await ops.ask("PATCH", SETTINGS.format(shop), json={"email_enabled": True})
    problem = await answer.json()
    assert (answer.status, problem["errors"][0]["pointer"]) == (409, "/email_enabled")
    for name, value, status in (("email_address", "nobody", 422), ("email_language", "xx", 409)):
        assert (await ops.ask("PATCH", SETTINGS.format(shop), json={name: value})).status == status
