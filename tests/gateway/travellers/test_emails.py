"""E-mails to travellers, received by a real mail server: whole, in their language, once, and nobody's address kept."""

import base64
import io
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr

import asyncpg
import pytest
import zxingcpp
from PIL import Image

from gateway.inventory.esims import record
from gateway.kit.sealing import Seal
from gateway.kit.settings import load
from gateway.privacy.erase import erase_email
from gateway.suppliers.deps import Deps
from gateway.travellers import traveller_email_rows
from gateway.travellers.emails import resend, send_next
from gateway.travellers.languages import texts_in
from gateway.webhooks.notify import emit_event
from schemas.api import Price
from schemas.esim import DataUsage, EsimStatus, ProfileState, ServiceState
from schemas.events import OrderEventData
from schemas.notice import NoticeType
from tests.gateway.inventory.test_delivery_rules import read
from tests.gateway.travellers.test_appearance_rules import picture
from tests.kit.chromium import chromium
from tests.kit.mailbox import mail
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.sold import CODE, ICCID, SEAL, sold
from tests.kit.working import emit_events

EMAIL = "traveller@example.com"
RECORDED = """
CREATE OR REPLACE FUNCTION fail_recording() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the end is not recorded'; END $$;
CREATE TRIGGER fail_recording BEFORE UPDATE ON traveller_emails FOR EACH ROW
    WHEN (OLD.sending_since IS NOT NULL AND NEW.status <> 'pending') EXECUTE FUNCTION fail_recording()
"""


@pytest.fixture
async def mailbox():
    async with mail() as made:
        yield made


@pytest.fixture
def deps(pool, tmp_path, mailbox):
    settings = load(
        state_dir=str(tmp_path),
        secret_key=[SECRET_KEY],
        smtp={"host": "127.0.0.1", "port": mailbox.port, "starttls": False, "sender": "gateway@example.com"},
        esim={"page_base_url": "https://esim.example.com"},
    )
    return Deps(pool, {}, settings, Seal.from_settings(settings))


async def ordered(pool, *, language="en", email=EMAIL, enabled=True, **more):
    """An eSIM of an order with an address, of a storefront that has e-mails sent."""
    esim = await sold(pool, **more)
    await pool.execute(
        "UPDATE orders SET email = $2, email_digest = $3, customer_language = $4 WHERE id = $1",
        esim.order_id,
        None if email is None else SEAL.seal(email),
        None if email is None else SEAL.digest(email),
        language,
    )
    await pool.execute(
        """INSERT INTO traveller_settings (storefront_id, shop_name, email_enabled, email_name, email_address, logo,
               logo_type, topup_url)
           VALUES ($1, 'Sunny eSIM', $2, 'Sunny', 'esim@shop.example.com', $3, 'image/png',
               'https://shop.example.com/top?e={esim_id}')
           ON CONFLICT DO NOTHING""",
        esim.storefront_id,
        enabled,
        picture(),
    )
    return esim


async def announce(pool, esim, order_id=None, kind=NoticeType.ORDER_FULFILLED):
    data = OrderEventData(
        order_id=order_id or esim.order_id,
        kind="esim",
        status="fulfilled",
        reference=None,
        plan_id=esim.plan_id,
        price=Price("5.50", "USD"),
    )
    async with pool.acquire() as connection, connection.transaction():
        await emit_event(
            connection,
            SEAL,
            storefront_id=esim.storefront_id,
            mode=esim.mode,
            type=kind,
            data=data,
            order_id=data.order_id,
        )
    await emit_events(pool)


async def send_all(deps):
    while await send_next(deps, deps.pool, draw=lambda: 0.0):
        pass


async def emails_of(pool, esim):
    return [(email.kind, email.status) for email in await traveller_email_rows.of_order(pool, esim.order_id)]


async def due_now(pool):
    """As if the claim had run out, or the wait were over."""
    await pool.execute("UPDATE traveller_emails SET next_at = now() WHERE next_at IS NOT NULL")


def parts_of(message):
    html = message.get_body(("html",))
    inline = {part["Content-ID"].strip("<>"): part.get_content() for part in message.walk() if part["Content-ID"]}
    attached = [part.get_content() for part in message.iter_attachments()]
    return message.get_body(("plain",)).get_content(), html.get_content(), inline, attached


@pytest.mark.parametrize("language", ["en", "de", "ar", "ja"])
async def test_a_delivery_has_the_code_as_pictures_links_and_text_in_the_customer_s_language(
    pool, deps, mailbox, language
):
    esim = await ordered(pool, language=language)
    await announce(pool, esim)
    await send_all(deps)
    (message,) = mailbox.got
    texts = texts_in(language)
    text, html, inline, attached = parts_of(message)
    assert message["Subject"] == texts("Your eSIM: {plan}", plan="Japan 1 GB, 7 days")
    assert parseaddr(message["From"]) == ("Sunny", "esim@shop.example.com")
    assert message["To"] == EMAIL
    assert message["Content-Language"] == language
    assert read(inline["qr@esim"]) == CODE
    assert inline["logo@esim"] == picture()
    assert [read(each) for each in attached] == [CODE]
    page = f"?lang={language}"
    for shown in (texts("Your eSIM is ready."), "https://esimsetup.apple.com/", "https://esimsetup.android.com/", page):
        assert shown in text
        assert shown in html
    assert "K2-1QW34-ABCDE" in text
    assert f'<html lang="{language}" dir="{texts.direction}">' in html
    assert await emails_of(pool, esim) == [("delivery", "sent")]


@pytest.mark.browser
@pytest.mark.parametrize("language", ["de", "ar"])
async def test_an_e_mail_looks_whole_in_a_browser_and_asks_for_nothing(pool, deps, mailbox, language):
    await announce(pool, await ordered(pool, language=language))
    await send_all(deps)
    _, html, inline, _ = parts_of(mailbox.got[0])
    for name, body in inline.items():
        html = html.replace(f"cid:{name}", f"data:image/png;base64,{base64.b64encode(body).decode()}")
    async with chromium() as new_page:
        page = await new_page("data:", phone=True)
        await page.set_content(html)
        shot = await page.locator('img[src^="data:image/png"]').last.screenshot()
        with Image.open(io.BytesIO(shot)) as opened:
            (found,) = zxingcpp.read_barcodes(opened.convert("L"))
        assert found.text == CODE
        assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert await page.evaluate("document.body.scrollWidth <= document.body.clientWidth")


async def test_nothing_is_sent_for_a_storefront_that_did_not_ask_for_it(pool, deps, mailbox):
    esim = await ordered(pool, enabled=False)
    await announce(pool, esim)
    await announce(pool, await sold(pool, owner="other shop", iccid="89" + "1" * 17))
    assert await pool.fetchval("SELECT count(*) FROM traveller_emails") == 0
    assert await pool.fetchval("SELECT count(*) FROM webhook_events WHERE NOT dispatched") == 0
    await pool.execute("UPDATE traveller_settings SET email_enabled = true")
    await announce(pool, esim, kind=NoticeType.ORDER_FAILED)
    await send_all(deps)
    assert mailbox.got == []


async def test_an_event_that_is_told_again_sends_no_second_e_mail(pool, deps, mailbox):
    esim = await ordered(pool)
    for _ in range(2):
        await announce(pool, esim)
        await pool.execute("UPDATE webhook_events SET dispatched = false")
        await emit_events(pool)
        await send_all(deps)
    assert len(mailbox.got) == 1


async def test_a_warning_and_a_top_up_are_sent_once_each_and_can_be_switched_off(pool, deps, mailbox):
    esim = await ordered(pool, language="de")
    at = datetime.now(UTC)
    for used in (8000, 8100, 10240):
        at += timedelta(minutes=1)
        status = EsimStatus(ICCID, ProfileState.ENABLED, ServiceState.ACTIVE, at, DataUsage(10240, used, 10240 - used))
        await record(deps, esim.id, status)
    topup = f"ord_{'7' * 16}"
    await pool.execute(
        """INSERT INTO orders (id, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base,
               max_cost, base_currency, target_esim_id)
           SELECT $1, storefront_id, mode, 'topup', 'fulfilled', plan_id, plan, 1, 'USD', 1, 1, 'USD', $2
           FROM orders WHERE id = $3""",
        topup,
        esim.id,
        esim.order_id,
    )
    await announce(pool, esim, topup, NoticeType.TOPUP_COMPLETED)
    await send_all(deps)
    texts = texts_in("de")
    warned = texts("You have used {percent} of your data", percent=texts.percent(75)).replace("\xa0", " ")
    assert sorted(mailbox.subjects) == sorted(
        [warned, texts("You have used all of your data"), texts("Your eSIM was topped up")]
    )
    assert all(
        f"https://shop.example.com/top?e={esim.id}" in parts_of(m)[0] for m in mailbox.got if m["Subject"] == warned
    )
    await pool.execute("UPDATE traveller_settings SET email_usage = false, email_topups = false")
    await pool.execute("DELETE FROM traveller_emails")
    await announce(pool, esim, topup, NoticeType.TOPUP_COMPLETED)
    assert await pool.fetchval("SELECT count(*) FROM traveller_emails") == 0


async def test_a_crash_between_sending_and_recording_sends_it_at_most_twice(pool, deps, mailbox):
    esim = await ordered(pool)
    await announce(pool, esim)
    await pool.execute(RECORDED)
    for _ in range(2):
        with pytest.raises(asyncpg.RaiseError):
            await send_next(deps, pool)
        assert not await send_next(deps, pool)  # the claim holds
        await due_now(pool)
    await pool.execute("DROP FUNCTION fail_recording() CASCADE")
    await send_all(deps)
    assert len(mailbox.got) == 2
    assert len({message["Message-ID"] for message in mailbox.got}) == 1
    assert await emails_of(pool, esim) == [("delivery", "unknown")]


async def test_after_one_crash_the_second_try_is_recorded(pool, deps, mailbox):
    esim = await ordered(pool)
    await announce(pool, esim)
    await pool.execute(RECORDED)
    with pytest.raises(asyncpg.RaiseError):
        await send_next(deps, pool)
    await pool.execute("DROP FUNCTION fail_recording() CASCADE")
    await due_now(pool)
    await send_all(deps)
    assert (len(mailbox.got), await emails_of(pool, esim)) == (2, [("delivery", "sent")])


async def test_a_server_that_hangs_up_without_an_answer_gets_it_twice_at_most(pool, deps, mailbox):
    esim = await ordered(pool)
    await announce(pool, esim)
    mailbox.hang_up = 9
    for _ in range(4):
        await send_all(deps)
        await due_now(pool)
    assert (len(mailbox.got), await emails_of(pool, esim)) == (2, [("delivery", "unknown")])


async def test_what_the_server_refuses_for_good_is_shown_as_bounced_without_the_address(pool, deps, mailbox):
    esim = await ordered(pool)
    await announce(pool, esim)
    mailbox.refuse = [f"550 5.1.1 <{EMAIL.upper()}>: no such user, ask postmaster@example.com"]
    await send_all(deps)
    await due_now(pool)
    await send_all(deps)
    (email,) = await traveller_email_rows.of_order(pool, esim.order_id)
    assert (email.status, email.detail) == ("bounced", "550 5.1.1 <…>: no such user, ask …")
    assert mailbox.got == []


async def test_what_the_server_refuses_for_now_is_sent_later(pool, deps, mailbox):
    esim = await ordered(pool)
    await announce(pool, esim)
    mailbox.refuse = ["451 try again later"]
    await send_all(deps)
    (email,) = await traveller_email_rows.of_order(pool, esim.order_id)
    assert (email.status, email.detail) == ("pending", "451 try again later")
    await due_now(pool)
    await send_all(deps)
    assert (len(mailbox.got), await emails_of(pool, esim)) == (1, [("delivery", "sent")])


async def test_an_address_is_kept_in_no_e_mail_and_one_that_was_erased_gets_none(pool, deps, mailbox):
    first, second = await ordered(pool), await ordered(pool, iccid="89" + "1" * 17)
    await announce(pool, first)
    mailbox.refuse = [f"550 {EMAIL} is unknown"]
    await send_all(deps)
    await announce(pool, second)
    await erase_email(deps, EMAIL)
    await send_all(deps)
    assert mailbox.got == []
    assert await emails_of(pool, second) == [("delivery", "skipped")]
    for table in ("traveller_emails", "audit_log", "order_events"):
        rows = await pool.fetch(f"SELECT t::text AS row FROM {table} t")
        assert not [row["row"] for row in rows if "example.com" in row["row"].lower()]
    problem = await resend(deps, second.order_id, "a test")
    assert problem.code == "conflict"


@pytest.mark.parametrize("how", ["cancelled", "no address", "switched off"])
async def test_what_cannot_be_delivered_any_more_is_skipped_and_says_why(pool, deps, mailbox, how):
    esim = await ordered(pool, email=None if how == "no address" else EMAIL)
    await announce(pool, esim)
    if how == "cancelled":
        await pool.execute("UPDATE orders SET status = 'cancelled' WHERE id = $1", esim.order_id)
    if how == "switched off":
        await pool.execute("UPDATE traveller_settings SET email_enabled = false")
    await send_all(deps)
    (email,) = await traveller_email_rows.of_order(pool, esim.order_id)
    assert (email.status, bool(email.detail), mailbox.got) == ("skipped", True, [])
