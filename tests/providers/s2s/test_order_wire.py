"""The bytes of an order and a top-up on the wire, against a supplier of bare sockets.

Signatures are vectors made with ``printf %s MESSAGE | openssl dgst -sha256 -hmac SECRET``.
"""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import stamina

from providers.checks import check_settings
from providers.kit.transport import MemoryRateLimiter
from providers.loader import open_provider
from providers.s2s import MANIFEST
from schemas.errors import (
    ConfigurationError,
    ConnectionLost,
    DuplicateReference,
    InsufficientBalance,
    InvalidRequest,
    NotAuthorised,
    NotFound,
    NotReached,
    Outcome,
    OutOfStock,
    RateLimited,
    Refused,
    ServerFault,
    SupplierError,
    TimedOut,
    UnreadableAnswer,
)
from schemas.order import PurchaseRequest
from tests.providers.s2s.examples import example
from tests.providers.wire import answer, hang_up, raw_supplier, reset, say_half, say_nothing

SECRET = "partner-secret-of-the-tests"
AT = datetime.fromtimestamp(1768478058, UTC) + timedelta(milliseconds=700)
SKU = "019bc0dd-8562-7173-afd9-a5cc534fafb7"
ICCID = "8944422711108338982"
ORDER_SIGNATURE = "c63dfeb646ce1412f9186b46ac1288363e73abeebef634b33656d2b2031f588b"
TOPUP_SIGNATURE = "7ba51950c4a18313a0350c71e7c9d0cf3bdd7eaf7a57fe42f4216379aca14537"


@pytest.fixture
async def open_account():
    opened = []

    def make(url, **settings):
        values = {"provider": "s2s", "base_url": url, "token": "the-token", "partner_secret": SECRET, **settings}
        provider = open_provider(MANIFEST, "s", check_settings(MANIFEST, "s", values), MemoryRateLimiter("s"))
        opened.append(provider)
        return provider

    with stamina.set_testing(True, attempts=3, cap=True):
        yield make
    for provider in opened:
        await provider.close()


def order_request(lasts=60):
    return PurchaseRequest("ORD-12345", SKU, AT, datetime.now(UTC) + timedelta(seconds=lasts))


def topup_request(lasts=60):
    sku = "029bc0dd-8562-7173-afd9-a5cc534fafb8"
    return PurchaseRequest("topup-12345", sku, AT, datetime.now(UTC) + timedelta(seconds=lasts), iccid=ICCID)


def parts(sent):
    head, _, body = sent.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return first, {name.casefold(): value for name, value in headers.items()}, msgspec.json.decode(body)


async def test_an_order_goes_out_as_the_page_writes_it_with_the_attempt_s_own_time(open_account):
    async with raw_supplier(answer(example("order_created"), "201 Created")) as supplier:
        await open_account(supplier.url).purchase(order_request())
    (sent,) = supplier.requests
    first, headers, body = parts(sent)
    assert first == "POST /base/orders HTTP/1.1"
    assert headers["authorization"] == "Bearer the-token"
    assert (headers["x-timestamp"], headers["x-signature"]) == ("1768478058", ORDER_SIGNATURE)
    assert body == msgspec.json.decode(example("new_order"))


@pytest.mark.parametrize("sku", ["pikasim1>28", "<b>a&amp;b</b>", "two  spaces ", "e\u0301"], ids=ascii)
async def test_an_order_asks_for_the_sku_by_its_id_as_it_was_listed(open_account, sku):
    async with raw_supplier(answer(example("order_created"), "201 Created")) as supplier:
        await open_account(supplier.url).purchase(msgspec.structs.replace(order_request(), supplier_plan_id=sku))
    (sent,) = supplier.requests
    body = msgspec.json.decode(example("new_order"))
    body["item"]["sku_id"] = sku
    assert parts(sent)[2] == body


async def test_a_top_up_goes_out_as_the_page_writes_it_signed_over_the_iccid(open_account):
    async with raw_supplier(answer(example("topup_created"))) as supplier:
        order = await open_account(supplier.url).topup(topup_request())
    (sent,) = supplier.requests
    first, headers, body = parts(sent)
    assert first == f"POST /base/services/esim/{ICCID}/topup HTTP/1.1"
    assert (headers["x-timestamp"], headers["x-signature"]) == ("1768478058", TOPUP_SIGNATURE)
    assert body == msgspec.json.decode(example("new_topup"))
    assert (order.delivery.iccid, order.delivery.conflict) == (ICCID, False)


async def test_paths_are_settings(open_account):
    paths = {"orders": "/buy", "order": "/bought/{uuid}", "esim_topup": "/esim/{iccid}/topup"}
    asked = []
    calls = ("purchase", example("order_created")), ("topup", example("topup_created"))
    for method, body in calls:
        async with raw_supplier(answer(body)) as supplier:
            provider = open_account(supplier.url, paths=paths)
            await getattr(provider, method)(order_request() if method == "purchase" else topup_request())
        asked.append(supplier.requests[0].split(b" ")[1].decode())
    async with raw_supplier(answer(example("order"))) as supplier:
        provider = open_account(supplier.url, paths=paths)
        await provider.find_order(order_request(), "7898e683-4e56-44a3-9782-eca3f758a844")
    asked.append(supplier.requests[0].split(b" ")[1].decode())
    assert asked == ["/base/buy", f"/base/esim/{ICCID}/topup", "/base/bought/7898e683-4e56-44a3-9782-eca3f758a844"]


@pytest.mark.parametrize("path", [{"order": "/orders"}, {"esim_status": "/esim/status"}])
async def test_a_path_without_a_place_for_its_id_is_refused(open_account, path):
    with pytest.raises(ConfigurationError, match="must have"):
        open_account("http://127.0.0.1:1", paths=path)


@pytest.mark.parametrize("method", ["purchase", "topup"])
@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (hang_up, ConnectionLost),
        (reset, ConnectionLost),
        (say_nothing, TimedOut),
        (say_half(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"), ConnectionLost),
        (answer(b"<html>oops</html>"), UnreadableAnswer),
        (answer(b'{"success": true, "data": {}}'), UnreadableAnswer),
        (answer(b"", "204 No Content"), UnreadableAnswer),
        (answer(b"", "302 Found", "Location: /elsewhere"), UnreadableAnswer),
        (answer(b'{"success": false, "message": "Server Error"}', "500 Oops"), ServerFault),
        (answer(b"slow down there", "408 Request Timeout"), ServerFault),
        (answer(b'{"success": false, "message": "Conflict"}', "409 Conflict"), SupplierError),
        (
            answer(b'{"success": false, "message": "The external_id has already been taken."}', "422 No"),
            DuplicateReference,
        ),
    ],
)
async def test_whatever_leaves_a_doubt_is_unknown_and_sent_once(open_account, method, act, kind):
    async with raw_supplier(act) as supplier:
        provider = open_account(supplier.url, timeout_seconds=0.4 if kind is TimedOut else 60)
        with pytest.raises(SupplierError) as caught:
            await getattr(provider, method)(order_request() if method == "purchase" else topup_request())
    assert (type(caught.value), caught.value.outcome) == (kind, Outcome.UNKNOWN)
    assert len(supplier.requests) == 1


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        ("401 No", "Invalid signature.", NotAuthorised),
        ("403 No", "Partner is suspended.", NotAuthorised),
        ("404 No", "eSIM not found", NotFound),
        ("422 No", "Insufficient stock", OutOfStock),
        ("422 No", "Insufficient balance", InsufficientBalance),
        ("422 No", "The given data was invalid.", InvalidRequest),
        ("200 OK", "Not today", Refused),
        ("429 Slow", "Too many", RateLimited),
    ],
)
async def test_a_readable_refusal_is_definite_and_sent_once(open_account, status, message, kind):
    body = msgspec.json.encode({"success": False, "message": message})
    async with raw_supplier(answer(body, status)) as supplier:
        with pytest.raises(SupplierError) as caught:
            await open_account(supplier.url).purchase(order_request())
    assert (type(caught.value), caught.value.outcome) == (kind, Outcome.DID_NOT_HAPPEN)
    assert len(supplier.requests) == 1


async def test_a_supplier_that_is_not_reached_got_nothing(open_account):
    async with raw_supplier(b"") as supplier:
        url = supplier.url
    with pytest.raises(NotReached) as caught:
        await open_account(url).purchase(order_request())
    assert caught.value.outcome is Outcome.DID_NOT_HAPPEN


async def test_a_top_up_of_no_esim_is_not_sent(open_account):
    async with raw_supplier(answer(example("topup_created"))) as supplier:
        with pytest.raises(InvalidRequest) as caught:
            await open_account(supplier.url).topup(order_request())
        assert caught.value.outcome is Outcome.DID_NOT_HAPPEN
    assert supplier.requests == []


async def test_the_page_s_order_is_found_by_its_external_id(open_account):
    async with raw_supplier(answer(example("orders"))) as supplier:
        found = await open_account(supplier.url).find_order(order_request(), None)
    assert found.supplier_order_id == "7898e683-4e56-44a3-9782-eca3f758a844"
    assert supplier.requests[0].split(b" ")[1] == b"/base/orders?external_id=ORD-12345&per_page=100"


async def test_the_supplier_s_word_on_a_failure_is_kept_without_what_is_secret(open_account):
    body = msgspec.json.decode(example("order"))
    body["data"]["items"][0]["error_message"] = f"eSIM {ICCID} is gone, ask a@b.example"
    async with raw_supplier(answer(msgspec.json.encode(body))) as supplier:
        found = await open_account(supplier.url).find_order(order_request(), body["data"]["id"])
    assert found.error == "eSIM [redacted] is gone, ask [redacted]"
