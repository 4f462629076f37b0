"""Storefronts at the console: keys shown once, limits, endpoints and what was sent to them."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.async_api import expect

from gateway.access import audit_rows, mandate_rows
from gateway.webhooks import endpoints as making
from gateway.webhooks.endpoint_rows import Owner
from tests.gateway.travellers.test_appearance_rules import picture, text
from tests.kit.sold import SEAL

LIST = "/console/storefronts"


@pytest.fixture
async def shop_id(console):
    return await console.pool.fetchval("SELECT id FROM storefronts WHERE name = 'shop'")


async def entry(console, action):
    (found,) = (await audit_rows.newest(console.pool, action=action)).data
    return found


async def test_the_list_counts_what_each_did_and_the_page_shows_its_keys(console, shop_id):
    page = await console.viewer.get(LIST)
    assert page.text.count("<tr data-row>") == 2
    count = await console.pool.fetchval("SELECT count(*) FROM orders WHERE mode = 'test'")
    assert re.search(rf'storefront={shop_id}">{count}</a>', page.text)
    assert "New storefront" not in page.words
    one = await console.viewer.get(f"{LIST}/{shop_id}")
    assert "gw_test_" in one.words
    assert "Revoke" not in one.words
    assert "Create key" not in one.words
    assert (await console.viewer.get(f"{LIST}/sf_nothing")).status == 404
    assert (await console.viewer.get(f"{LIST}?format=csv")).text.startswith("name,keys,last used,orders 24 h")
    assert "shop" in (await console.viewer.get("/console/search?q=HOP")).words


async def test_a_key_is_shown_once_works_and_is_refused_once_revoked(console, shop_id):
    form = {"scope": "storefront", "mode": "test", "per_minute": "600"}
    assert (await console.operator.post(f"{LIST}/{shop_id}/keys", form)).status == 403
    page = await console.admin.post(f"{LIST}/{shop_id}/keys", form)
    key = re.search(r"gw_test_[0-9A-Za-z]{38}", page.text)[0]
    assert (await console.api("/v1/orders", key=key))[0] == 200
    row = await console.pool.fetchrow("SELECT * FROM api_keys WHERE per_minute = 600")
    assert row["storefront_id"] == shop_id
    assert key not in (await console.admin.get(f"{LIST}/{shop_id}")).text
    noted = await entry(console, "key.created")
    assert (noted.actor, noted.object) == ("admin", f"key:{row['id']}")
    assert key not in str(noted.detail)
    page = await console.admin.post(f"{LIST}/{shop_id}/keys/{row['id']}/revoke")
    assert "The key is revoked" in page.words
    assert await console.pool.fetchval("SELECT revoked_at FROM api_keys WHERE id = $1", row["id"]) is not None
    assert (await entry(console, "key.revoked")).object == f"key:{row['id']}"
    page = await console.admin.post(f"{LIST}/{shop_id}/keys/{row['id']}/revoke")  # again: nothing changes
    assert "The key is revoked" in page.words
    log = "SELECT count(*) FROM audit_log WHERE action = 'key.revoked' AND object = $1"
    assert await console.pool.fetchval(log, f"key:{row['id']}") == 1
    other = await console.pool.fetchval("SELECT id FROM storefronts WHERE name = 'other shop'")
    mine = await console.pool.fetchval("SELECT id FROM api_keys WHERE storefront_id = $1", shop_id)
    assert (await console.admin.post(f"{LIST}/{other}/keys/{mine}/revoke")).status == 404


async def test_a_new_storefront_is_made_with_its_key_and_a_wrong_form_keeps_what_was_typed(console):
    page = await console.admin.post(LIST, {"name": 'Café "Blue"', "mode": "live", "per_minute": "0"})
    assert page.status == 422
    assert 'value="Café &#34;Blue&#34;"' in page.text
    assert "a key needs at least one scope of" in page.words
    assert "must be 1 or more" in page.words
    page = await console.admin.post(LIST, {"name": "Café", "mode": "live", "scope": ["storefront", "routing"]})
    assert re.search(r"gw_live_[0-9A-Za-z]{38}", page.text)
    row = await console.pool.fetchrow(
        "SELECT k.* FROM api_keys k JOIN storefronts s ON s.id = k.storefront_id WHERE s.name = 'Café'"
    )
    assert (row["mode"], row["scopes"]) == ("live", ["storefront", "routing"])
    assert row["storefront_id"] in page.text


async def test_a_spend_limit_is_set_in_force_and_taken_away(console, shop_id):
    place = f"{LIST}/{shop_id}/limit"
    for wrong in ("-1", "0", "much"):
        page = await console.admin.post(place, {"limit": wrong})
        assert page.status == 422
        assert f'value="{wrong}"' in page.text
    await console.admin.post(place, {"limit": "0.01"})
    assert await console.pool.fetchval("SELECT daily_spend_limit FROM storefronts WHERE id = $1", shop_id) == Decimal(
        "0.01"
    )
    plan = await console.pool.fetchval("SELECT plan_id FROM orders LIMIT 1")
    key = await console.api_key("storefront")
    body = {"plan_id": plan, "max_price": {"amount": "99", "currency": "USD"}}
    status, problem = await console.api("/v1/orders/validate", key=key, method="POST", json=body)
    assert (status, problem["code"]) == (409, "spend_limit")
    assert (await entry(console, "storefront.limit_set")).detail == {"before": None, "after": "0.01"}
    page = await console.admin.post(place, {"limit": ""})
    assert "The limit is removed" in page.words


async def test_endpoints_are_switched_and_what_was_sent_is_sent_again(console, shop_id):
    owner = Owner(shop_id, "test")
    made = await making.create(
        console.pool, console.deps.seal, owner, url="http://127.0.0.1:9/x?<b>", events=[], description="<i>mine</i>"
    )
    for _ in range(60):
        await making.test(console.pool, console.deps.seal, owner, made)
    tries = [{"at": "2026-11-20T10:00:00Z", "http_status": 500, "error": None, "ms": 12}]
    await console.pool.execute("UPDATE webhook_deliveries SET status = 'failed', next_at = NULL, attempts = $1", tries)
    one = await console.viewer.get(f"{LIST}/{shop_id}")
    assert "<i>mine" not in one.text
    log = await console.viewer.get(f"{LIST}/{shop_id}/endpoints/{made.id}")
    assert log.text.count("<tr data-row>") == 50
    assert 'rel="next"' in log.text
    assert "Send again" not in log.words
    assert made.secret not in log.text
    delivery = await console.pool.fetchval("SELECT id FROM webhook_deliveries LIMIT 1")
    place = f"{LIST}/{shop_id}/endpoints/{made.id}"
    assert (await console.viewer.post(f"{place}/deliveries/{delivery}/replay")).status == 403
    page = await console.operator.post(f"{place}/deliveries/{delivery}/replay")
    assert "It is sent again" in page.words
    assert await console.pool.fetchval("SELECT count(*) FROM webhook_deliveries") == 61
    assert (await entry(console, "delivery.replayed")).object == f"delivery:{delivery}"
    assert (await console.operator.post(f"{place}/deliveries/whd_none/replay")).status == 404
    await console.operator.post(f"{place}/disable")
    assert await console.pool.fetchval("SELECT status FROM webhook_endpoints") == "disabled"
    assert await console.pool.fetchval("SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'") == 0
    page = await console.operator.post(f"{place}/deliveries/{delivery}/replay")
    assert "enable it first" in page.words
    await console.operator.post(f"{place}/enable")
    assert await console.pool.fetchval("SELECT status FROM webhook_endpoints") == "enabled"
    assert (await entry(console, "endpoint.disabled")).object == f"endpoint:{made.id}"
    other = await console.pool.fetchval("SELECT id FROM storefronts WHERE name = 'other shop'")
    assert (await console.viewer.get(f"{LIST}/{other}/endpoints/{made.id}")).status == 404
    assert (await console.operator.post(f"{LIST}/{other}/endpoints/{made.id}/disable")).status == 404


async def test_a_storefronts_page_shows_what_the_mandate_of_a_key_allows(console, shop_id):
    key_id = await console.pool.fetchval("SELECT id FROM api_keys WHERE storefront_id = $1 LIMIT 1", shop_id)
    async with console.pool.acquire() as connection:
        await mandate_rows.put(
            connection, key_id, per_order=Decimal("12.5"), per_day=Decimal(30), per_month=Decimal(90), currency="USD",
            ends_at=datetime.now(UTC) + timedelta(days=1),
        )  # fmt: skip
    words = (await console.viewer.get(f"{LIST}/{shop_id}")).words
    assert re.search(r"12\.50 USD an order, 90\.00 USD a month, until ", words)


async def test_an_admin_sets_changes_and_removes_the_mandate_of_a_key(console, shop_id):
    key_id = await console.pool.fetchval("SELECT id FROM api_keys WHERE storefront_id = $1 LIMIT 1", shop_id)
    path = f"{LIST}/{shop_id}/keys/{key_id}/mandate"
    sent = {"per_order": "12.5", "per_day": "30", "per_month": "0", "ends_at": "2099-12-31T12:30"}
    assert (await console.operator.post(path, sent)).status == 403
    assert f"{key_id}/mandate" not in (await console.operator.get(f"{LIST}/{shop_id}")).text
    assert f'href="{path}"' in (await console.admin.get(f"{LIST}/{shop_id}")).text
    wrong = await console.admin.post(path, sent | {"per_order": "1.1234567", "per_day": "-1", "ends_at": "soon"})
    assert wrong.status == 422
    assert "has more than 6 decimals" in wrong.words
    assert 'value="1.1234567"' in wrong.text
    page = await console.admin.post(path, sent)
    assert (page.url, "The mandate is set." in page.words) == (f"{LIST}/{shop_id}", True)
    assert re.search(r"12\.50 USD an order, 0\.00 USD a month, until ", page.words)
    held = await mandate_rows.find(console.pool, key_id)
    assert (held.per_day, held.ends_at) == (Decimal(30), datetime(2099, 12, 31, 12, 30, tzinfo=UTC))
    assert 'value="2099-12-31T12:30"' in (await console.admin.get(path)).text
    await console.admin.post(path, sent | {"ends_at": "2020-01-01T00:00"})
    assert "The mandate has ended" in (await console.admin.get(path)).words
    assert (await entry_of(console, "key.mandate_set")).detail["before"]["per_order"] == "12.5"
    page = await console.admin.post(f"{path}/remove")
    assert "The mandate is removed." in page.words
    assert await mandate_rows.find(console.pool, key_id) is None
    assert (await entry_of(console, "key.mandate_removed")).actor == "admin"
    other = await console.pool.fetchval("SELECT id FROM storefronts WHERE name = 'other shop'")
    assert (await console.admin.get(f"{LIST}/{other}/keys/{key_id}/mandate")).status == 404
    assert (await console.admin.post(f"{LIST}/{other}/keys/{key_id}/mandate/remove")).status == 404


async def entry_of(console, action):
    """The newest entry of the audit log of an action."""
    return (await audit_rows.newest(console.pool, action=action)).data[0]


async def test_an_admin_says_how_the_pages_of_travellers_look(console, shop_id):
    path = f"{LIST}/{shop_id}/travellers"
    form = {
        "shop_name": "Sunny eSIM",
        "accent_color": "#0B5CAD",
        "header_color": "",
        "topup_url": "",
        "logo": text(picture()),
    }
    assert (await console.operator.post(path, form)).status == 403
    page = await console.admin.post(path, form)
    assert "The settings are saved." in page.words
    assert f"data:image/png;base64,{form['logo']}" in page.text
    wrong = await console.admin.post(path, form | {"accent_color": "blue", "topup_url": "http://shop.example.com"})
    assert (wrong.status, "must be # and six hexadecimal digits" in wrong.words) == (422, True)
    seen = await console.viewer.get(path)
    assert "#0b5cad" in seen.words
    assert "Save" not in seen.words
    gone = await console.admin.post(path, {"shop_name": "Sunny eSIM", "no_logo": "1"})
    assert "data:image" not in gone.text
    newest = (await audit_rows.newest(console.pool, action="storefront.traveller_settings")).data[0]
    assert (newest.actor, newest.detail["logo"]) == ("admin", "removed")
    assert (await console.viewer.get(f"{LIST}/sf_nothing/travellers")).status == 404


@pytest.mark.browser
async def test_a_logo_is_read_by_the_page_and_sent_with_the_form(console, open_page, shop_id):
    page = await open_page(console.admin, f"{LIST}/{shop_id}/travellers")
    logo = {"name": "logo.png", "mimeType": "image/png", "buffer": picture()}
    await page.get_by_label("Logo", exact=True).set_input_files(logo)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("img", name="Logo")).to_be_visible()
    stored = await console.pool.fetchval("SELECT logo FROM traveller_settings WHERE storefront_id = $1", shop_id)
    assert stored == picture()


async def test_an_operator_sends_a_delivery_again_and_sees_what_became_of_it(console, shop_id):
    order_id = await console.pool.fetchval(
        """SELECT o.id FROM orders o JOIN esims e ON e.order_id = o.id
           WHERE o.status = 'fulfilled' AND o.storefront_id = $1 AND e.activation_code IS NOT NULL""",
        shop_id,
    )
    path = f"/console/orders/{order_id}"
    assert "Resend e-mail" not in (await console.operator.get(path)).words
    refused = await console.operator.post(f"{path}/resend-email")
    assert "Not sent: e-mails to travellers are switched off for this storefront." in refused.words
    await console.pool.execute(
        "UPDATE orders SET email = $2 WHERE id = $1", order_id, SEAL.seal("traveller@example.com")
    )
    await console.pool.execute(
        "INSERT INTO traveller_settings (storefront_id, email_enabled) VALUES ($1, true)", shop_id
    )
    assert "Resend e-mail" not in (await console.viewer.get(path)).words
    assert (await console.viewer.post(f"{path}/resend-email")).status == 403
    assert "Resend e-mail" in (await console.operator.get(path)).words
    esim = "/console/esims/" + await console.pool.fetchval("SELECT id FROM esims WHERE order_id = $1", order_id)
    assert "Resend e-mail" not in (await console.viewer.get(esim)).words
    (form,) = re.findall(r'<form[^>]*resend-email">.*?</form>', (await console.operator.get(esim)).text)
    sent = await console.operator.post(
        f"{path}/resend-email", {"next": re.findall(r'name="next" value="([^"]+)"', form)[0]}
    )
    assert (sent.url, "The e-mail is queued." in sent.words) == (esim, True)
    assert "resent by operator" in sent.words
    sent = await console.operator.post(f"{path}/resend-email")
    assert "The e-mail is queued." in sent.words
    assert "resent by operator" in sent.words
    await console.pool.execute(
        "UPDATE traveller_emails SET status = 'bounced', detail = '550 no such user', next_at = NULL"
    )
    page = await console.viewer.get(path)
    assert "bounced" in page.words
    assert "550 no such user" in page.words
    assert (await console.operator.post("/console/orders/ord_nothing/resend-email")).status == 404
