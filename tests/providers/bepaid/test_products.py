"""What goes over the wire for a payment link, and what is made of what comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from providers.bepaid import MANIFEST, mapping, wire
from providers.checks import check_settings
from providers.kit.transport import MemoryRateLimiter
from providers.loader import open_payment
from schemas.errors import ConfigurationError, InvalidRequest, NotAuthorised, NotFound, Outcome, UnreadableAnswer
from schemas.money import Money
from schemas.payment import PaymentLinkRequest
from tests.providers.checks import end_of
from tests.providers.market import failure
from tests.providers.wire import answer, raw_supplier

PRODUCT = {
    "id": "prd_1", "name": "Japan 1 GB", "description": "Japan 1 GB [chk_1]", "currency": "USD", "amount": 550,
    "quantity": 1, "infinite": False, "test": False, "payment_url": "https://api.bepaid.by/products/prd_1/pay",
}  # fmt: skip
EXPIRES = datetime(2026, 11, 20, 20, 30, 59, 999999, timezone(timedelta(hours=3)))


def request(**more):
    return PaymentLinkRequest(
        **{
            "checkout_id": "chk_1", "name": "Japan 1 GB", "description": "Japan 1 GB, 7 days",
            "price": Money.of("5.50", "USD"), "expires_at": EXPIRES, **more,
        }
    )  # fmt: skip


def settings_of(base_url: str = "https://api.bepaid.by", **more):
    values = {**MANIFEST.sandbox_settings, "provider": "bepaid", "base_url": base_url, "timeout_seconds": 2, **more}
    return check_settings(MANIFEST, "pay", values)


async def sent(*acts, call, **settings):
    """What ``call`` ends in at a bePaid that says this, and the requests that it got."""
    async with raw_supplier(*acts) as received:
        provider = open_payment(MANIFEST, "pay", settings_of(received.url, **settings), MemoryRateLimiter("pay"))
        end = await end_of(call(provider))
        await provider.close()
    return end, received.requests


async def test_a_creation_sends_what_the_page_asks_for():
    end, requests = await sent(
        answer(msgspec.json.encode(PRODUCT), "201 Created"),
        call=lambda provider: provider.create_link(
            request(language="ru-RU", return_url="https://shop.example/thanks?order=1")
        ),
        visible_fields=["email", "phone"],
    )
    assert end.checkout_id == "chk_1"
    (raw,) = requests
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /base/products HTTP/1.1\r\n")
    assert b"Authorization: Basic MzYxOmJlcGFpZC1zYW5kYm94LXNlY3JldA==\r\n" in head
    assert msgspec.json.decode(body) == {
        "name": "Japan 1 GB",
        "description": "Japan 1 GB, 7 days [chk_1]",
        "currency": "USD",
        "amount": "550",
        "quantity": "1",
        "infinite": False,
        "visible_fields": ["email", "phone"],
        "test": False,
        "immortal": False,
        "expired_at": "2026-11-20T17:30:59+00:00",
        "return_url": "https://shop.example/thanks?order=1",
        "language": "ru",
        "transaction_type": "payment",
    }


@pytest.mark.parametrize(
    ("price", "text"), [("5.50 USD", "550"), ("990 JPY", "990"), ("1.234 KWD", "1234"), ("0.01 USD", "1")]
)
def test_an_amount_is_text_in_the_currency_s_own_minor_units(price, text):
    amount, currency = price.split()
    assert mapping.amount_text(Money.of(amount, currency)) == text


@pytest.mark.parametrize(
    ("asked", "sent"), [("en", "en"), ("RU", "ru"), ("pt_BR", "pt"), ("", "de"), ("english", "de")]
)
def test_a_language_that_is_none_is_the_account_s(asked, sent):
    product = mapping.new_product(request(language=asked), test=True, language="de")
    assert product.language == sent


def test_a_description_keeps_our_id_however_long_it_is():
    text = mapping.tagged("Japan " * 100, "chk_" + "a" * 60)
    assert len(text) <= 255
    assert mapping.checkout_id_of(text) == "chk_" + "a" * 60
    assert mapping.tagged("", "chk_1") == "[chk_1]"


@pytest.mark.parametrize("text", [None, "", "Japan", "[chk 1]", "[chk_1] and more", "[" + "a" * 65 + "]", "chk_1"])
def test_a_description_of_somebody_else_has_no_id_of_ours(text):
    assert mapping.checkout_id_of(text) is None


@pytest.mark.parametrize(
    "wrong",
    [{"checkout_id": "chk 1"}, {"checkout_id": ""}, {"name": "<b></b>"}, {"expires_at": datetime(2026, 11, 20)}],  # noqa: DTZ001
)
async def test_what_cannot_be_asked_for_is_not_sent(wrong):
    end, requests = await sent(b"", call=lambda provider: provider.create_link(request(**wrong)))
    assert isinstance(end, InvalidRequest)
    assert requests == []


@pytest.mark.parametrize(
    "other", [{"amount": 551}, {"currency": "EUR"}, {"quantity": 2}, {"infinite": True}, {"test": True},
              {"description": "Japan [chk_2]"}, {"payment_url": "javascript:alert(1)"}, {"payment_url": "http://bepaid.by/x"},
              {"payment_url": "https://a:b@bepaid.by/x"}, {"amount": 0}, {"id": "../x"}, {"quantity": None}]
)  # fmt: skip
async def test_an_answer_about_another_product_leaves_the_making_in_doubt(other):
    end, _ = await sent(
        answer(msgspec.json.encode(PRODUCT | other), "201 Created"),
        call=lambda provider: provider.create_link(request()),
    )
    assert isinstance(end, UnreadableAnswer)
    assert end.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("call", [lambda p: p.link("prd_1"), lambda p: p.close_link("prd_1")], ids=["GET", "PUT"])
async def test_an_unknown_product_answers_302_with_a_word_and_no_redirect_is_followed(call):
    redirect = answer(b'{"message": "Product was not found"}', "302 Found", "Location: /base/elsewhere")
    end, requests = await sent(redirect, call=call)
    assert isinstance(end, NotFound)
    assert len(requests) == 1
    page = answer(b"<html>You are being redirected</html>", "302 Found", "Location: /base/elsewhere")
    end, requests = await sent(page, call=call)
    assert isinstance(end, UnreadableAnswer)
    assert len(requests) == 1


async def test_a_302_to_a_creation_is_no_refusal():
    redirect = answer(b'{"message": "moved"}', "302 Found", "Location: /base/elsewhere")
    end, _ = await sent(redirect, call=lambda provider: provider.create_link(request()))
    assert end.outcome is Outcome.UNKNOWN


async def test_closing_lets_the_product_expire_and_leaves_its_quantity():
    end, requests = await sent(b"HTTP/1.1 204 No Content\r\n\r\n", call=lambda provider: provider.close_link("prd_1"))
    assert end is None
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /base/products/prd_1 HTTP/1.1\r\n")
    changes = msgspec.json.decode(body)
    assert changes.keys() == {"immortal", "expired_at"}
    assert abs(datetime.fromisoformat(changes["expired_at"]) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_change_sends_what_is_named_and_nothing_else():
    changes = wire.ProductChanges(amount="950", infinite=False, quantity="5")
    _, requests = await sent(
        b"HTTP/1.1 204 No Content\r\n\r\n", call=lambda provider: provider.update_product("prd_1", changes)
    )
    assert msgspec.json.decode(requests[0].partition(b"\r\n\r\n")[2]) == {
        "amount": "950",
        "infinite": False,
        "quantity": "5",
    }


@pytest.mark.parametrize("body", [b'{"id": "prd_1"}', b"<html></html>", b'{"success": true}'])
async def test_a_change_that_is_answered_with_something_is_in_doubt(body):
    end, _ = await sent(answer(body), call=lambda provider: provider.close_link("prd_1"))
    assert isinstance(end, UnreadableAnswer)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (422, b'{"message": "", "errors": {"amount": ["is not a number"], "name": ["can\'t be blank", "is too long"]}}',
         (InvalidRequest, "amount: is not a number; name: can't be blank, is too long")),
        (422, b'{"message": "Something is wrong"}', (InvalidRequest, "Something is wrong")),
        (422, b'{"errors": {"<b>x": "<script>y</script>z"}}', (InvalidRequest, "x: z")),
        (401, b'{"message": "Unauthorized"}', (NotAuthorised, "Unauthorized")),
        (403, b'{"error": "blocked"}', (NotAuthorised, "blocked")),
        (422, b"{}", None),
        (422, b"<html>", None),
        (422, b'{"message": 7, "errors": [1]}', None),
        (409, b'{"message": "Conflict"}', None),
        (404, b'{"message": "Not Found"}', None),
    ],
)  # fmt: skip
def test_a_refusal_names_each_field(status, body, expected):
    error = mapping.refusal(status, body)
    assert (None if error is None else (type(error), error.detail)) == expected


async def test_a_product_of_the_shop_s_own_that_is_no_link_is_passed_over():
    rows = [
        PRODUCT,
        {"id": "prd_2", "name": "A gift", "amount": None, "currency": "USD"},
        {**PRODUCT, "id": "prd_3", "quantity": None, "description": "x"},
    ]
    async with raw_supplier(answer(msgspec.json.encode(rows))) as received:
        provider = open_payment(MANIFEST, "pay", settings_of(received.url), MemoryRateLimiter("pay"))
        assert [link.id async for link in provider.links()] == ["prd_1"]
        await provider.close()


async def test_a_product_that_does_not_say_when_it_was_made_is_among_the_newest():
    ages = {"prd_1": "2026-11-20T10:00:00Z", "prd_2": None, "prd_3": "2026-11-21T10:00:00Z", "prd_4": "2026-11-19"}
    rows = [{**PRODUCT, "id": number, "created_at": at} for number, at in ages.items()]
    async with raw_supplier(answer(msgspec.json.encode(rows))) as received:
        provider = open_payment(MANIFEST, "pay", settings_of(received.url), MemoryRateLimiter("pay"))
        assert [link.id async for link in provider.links()] == ["prd_2", "prd_4", "prd_3", "prd_1"]
        await provider.close()


@pytest.mark.parametrize("row", [{**PRODUCT, "amount": None}, {"name": "no id"}, 7, None])
async def test_a_product_that_could_be_ours_and_cannot_be_read_is_not_passed_over(row):
    async with raw_supplier(answer(msgspec.json.encode([PRODUCT, row]))) as received:
        provider = open_payment(MANIFEST, "pay", settings_of(received.url), MemoryRateLimiter("pay"))

        async def walk():
            return [link async for link in provider.links()]

        assert isinstance(await failure(walk()), UnreadableAnswer)
        await provider.close()


@pytest.mark.parametrize(
    "wrong", [{"public_key": "no key"}, {"public_key": "AAAA"}, {"shop_id": "1:2"}, {"shop_id": ""},
              {"language": "english"}, {"visible_fields": ["iban"]}, {"fee_percent": "101"},
              {"fee_fixed": "-1"}, {"secret_key": ""}]
)  # fmt: skip
def test_settings_that_cannot_work_are_refused_at_the_start(wrong):
    with pytest.raises(ConfigurationError, match=rf"suppliers\.pay\.{next(iter(wrong))}"):
        settings_of(**wrong)


def test_a_shop_s_number_may_be_written_as_a_number():
    assert settings_of(shop_id=361).shop_id == "361"
