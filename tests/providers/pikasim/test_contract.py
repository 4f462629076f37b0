"""PikaSim against the contract of all plugins, with every JSON example of its page."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from providers.pikasim import MANIFEST, mapping, orders, webhook, wire
from providers.simulator import Item
from schemas.account import Balance
from schemas.esim import DataUsage, EsimPackage, EsimStatus, ProfileState, ServiceState
from schemas.event import SupplierEvent, SupplierEventType
from schemas.money import Money
from schemas.order import Cancellation, Delivery, SupplierOrder, SupplierOrderState
from schemas.plan import Basis, DataAllowance, Features, Network, Offer, Starts, Validity
from tests.providers.json_shape import fields
from tests.providers.pikasim.examples import NAMES, example
from tests.providers.suite import PageExample, ProviderSuite
from tests.providers.suite_orders import WebhookVector

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
ICCID = "8901234567890123456"
HALF_USED = DataUsage(total_mb=1024, used_mb=512, remaining_mb=512)

# The page's payload as it is signed, and one with letters beyond ASCII. The signatures are what
# `openssl dgst -sha256 -hmac pikasim-sandbox-webhook-secret` said of them.
NOTICE = (
    b'{"event":"esim.provisioned","timestamp":"2024-01-15T10:30:00Z","data":{"orderId":"65a4f8c9...",'
    b'"externalOrderId":"YOUR-REF-123","packageCode":"JP_7D_1GB","esim":{"iccid":"8901234567890123456",'
    b'"qrCodeUrl":"https://...","activationCode":"LPA:1$...","shortUrl":"https://..."}}}'
)
FAILED = (
    '{"event":"order.failed","timestamp":"2024-01-15T10:30:00Z","data":{"orderId":"65a4f8ca",'
    '"externalOrderId":"YOUR-REF-124","packageCode":"JP_7D_1GB","reason":"Zürich 東京 failed"}}'
).encode()


def vector(signature: str, signed: bytes, body: bytes) -> WebhookVector:
    return WebhookVector(
        headers={"X-Webhook-Signature": signature},
        body=body,
        good_at=datetime(2024, 1, 16, 10, 29, tzinfo=UTC),
        too_late=datetime(2024, 1, 16, 10, 31, tzinfo=UTC),
        signed=signed,
        signature=signature,
        secret="pikasim-sandbox-webhook-secret",
    )


WIRE: dict[str, Any] = {
    "account": wire.Answer[wire.Account],
    "packages": wire.Answer[wire.PackagePage],
    "new_order": wire.NewOrder,
    "order_created": wire.Answer[wire.Order],
    "esim": wire.Answer[wire.Esim],
    "usage": wire.Answer[wire.Usage],
    "new_topup": wire.NewOrder,
    "cancelled": wire.Answer[wire.Cancelled],
    "cancel_refused": wire.Problem,
    "new_stripe_deposit": wire.Deposit,
    "stripe_session": wire.DepositAnswer,
    "new_btcpay_deposit": wire.Deposit,
    "webhook_settings": wire.WebhookSettings,
    "webhook": wire.Webhook,
    "error": wire.Problem,
}


def read(name: str, body: bytes | None = None) -> Any:
    found = msgspec.json.decode(example(name) if body is None else body, type=WIRE[name], strict=False)
    return found.data if isinstance(found, wire.Answer) else found


class TestPikaSim(ProviderSuite):
    manifest = MANIFEST
    webhook_vectors = (
        vector("7b4cb04a6dce42fbc18f7e9c76749ad66a5b7c50b313795932873a575e24346f", NOTICE, NOTICE),
        vector("c2e84dfa54acd065757e7c13036238c1606f03820d3a121bcfe07c660531a254", FAILED, FAILED),
        # The same two, laid out anew on the way.
        vector("7b4cb04a6dce42fbc18f7e9c76749ad66a5b7c50b313795932873a575e24346f", NOTICE, example("webhook").encode()),
        vector(
            "c2e84dfa54acd065757e7c13036238c1606f03820d3a121bcfe07c660531a254",
            FAILED,
            json.dumps(json.loads(FAILED), indent=2).encode(),
        ),
    )
    examples = (
        PageExample(
            "/packages",
            example("packages"),
            lambda body: [mapping.item(raw) for raw in read("packages", body).packages],
            [
                Offer(
                    supplier_plan_id="JP_7D_1GB",
                    name="Japan 7 Days 1GB",
                    coverage=("JP",),
                    data=DataAllowance(mb=1000, declared="1 GB", bytes=2**30, basis=Basis.BINARY),
                    validity=Validity(7, Starts.INSTALL),
                    cost=Money(Decimal("5.00"), "USD"),
                    networks=(Network("JP", "Docomo", "4G"),),
                    features=Features(
                        topup=True, voice=False, sms=False, exit_country="US", not_exit_countries=("CN", "HK")
                    ),
                    description="7-day Japan eSIM with 1GB data",
                    provider="pikasim",
                )
            ],
        ),
        PageExample(
            "/account",
            example("account"),
            lambda body: orders.account_balance(read("account", body)),
            Balance(Money(Decimal("100.00"), "USD"), Money(Decimal("100.00"), "USD")),
        ),
        PageExample(
            "POST /orders",
            example("order_created"),
            lambda body: orders.order(read("order_created", body)),
            SupplierOrder(
                supplier_order_id="65a4f8c9...",
                reference="YOUR-REF-123",
                state=SupplierOrderState.PENDING,
                charged=Money(Decimal("5.18"), "USD"),
            ),
        ),
        PageExample(
            "/esims/:iccid, its state",
            example("esim"),
            lambda body: orders.esim_status(read("esim", body), NOW),
            EsimStatus(
                iccid=ICCID,
                profile_state=ProfileState.ENABLED,
                service_state=ServiceState.ACTIVE,
                observed_at=NOW,
                data=HALF_USED,
                expires_at=datetime(2024, 1, 22, tzinfo=UTC),
                apn="internet",
                msisdn="+1234567890",
            ),
        ),
        PageExample(
            "/esims/:iccid, its delivery",
            example("esim"),
            lambda body: orders.delivery_of_esim(read("esim", body)),
            Delivery(iccid=ICCID, activation_code="LPA:1$..."),
        ),
        PageExample(
            "/esims/:iccid/usage",
            example("usage"),
            lambda body: orders.esim_status(read("usage", body), NOW),
            EsimStatus(
                iccid=ICCID,
                profile_state=ProfileState.ENABLED,
                service_state=ServiceState.ACTIVE,
                observed_at=NOW,
                data=HALF_USED,
                expires_at=datetime(2024, 1, 22, tzinfo=UTC),
                packages=(EsimPackage("Japan 7 Days 1GB", total_mb=1024),),
            ),
        ),
        PageExample(
            "/esims/:iccid/cancel",
            example("cancelled"),
            lambda body: orders.cancellation(read("cancelled", body)),
            Cancellation("89852240810732443908", Money(Decimal("5.00"), "USD")),
        ),
        PageExample(
            "Webhook Payload",
            example("webhook"),
            webhook.parse,
            [
                SupplierEvent(
                    type=SupplierEventType.ESIM_PROVISIONED,
                    dedupe_key="687be876c8647edaced003aded55f851",
                    supplier_order_id="65a4f8c9...",
                    reference="YOUR-REF-123",
                    iccid=ICCID,
                    occurred_at=datetime(2024, 1, 15, 10, 30, tzinfo=UTC),
                )
            ],
        ),
    )

    @staticmethod
    def lists(item: Item) -> bool:
        return item.visible and item.in_stock


def test_every_example_of_the_page_has_a_wire_type() -> None:
    assert sorted(WIRE) == NAMES


def test_every_field_of_the_page_has_its_place_in_the_wire_types() -> None:
    for name, kind in WIRE.items():
        body = example(name).encode()
        decoded = msgspec.json.decode(body, type=kind, strict=False)
        assert not fields(msgspec.json.decode(body)) - fields(whole(decoded)), name


def test_the_page_s_pagination_is_read() -> None:
    assert read("packages").pagination == wire.Pagination(page=1, limit=50, total=150, pages=3)


def test_the_refusals_of_the_page_are_errors_with_their_words() -> None:
    refused = mapping.refusal(400, example("cancel_refused").encode())
    assert refused is not None
    assert (refused.code, refused.detail) == (
        "invalid_request",
        "eSIM cannot be cancelled - already installed or in use",
    )
    assert read("cancel_refused").current_status == wire.CurrentStatus("IN_USE", "ENABLED")
    general = mapping.refusal(402, example("error").encode())
    assert general is not None
    assert (general.code, general.detail, general.status) == ("insufficient_balance", "Error message here", 402)


def test_the_bodies_that_are_sent_are_those_of_the_page() -> None:
    sent = {
        "new_order": wire.NewOrder("JP_7D_1GB", "YOUR-REF-123"),
        "new_topup": wire.NewOrder("JP_TOPUP_1GB", "YOUR-REF-456"),
        "new_stripe_deposit": wire.Deposit(10000),
        "new_btcpay_deposit": wire.Deposit(10000),
        "webhook_settings": wire.WebhookSettings("https://your-server.com/webhook", [*webhook.EVENTS]),
    }
    for name, body in sent.items():
        assert msgspec.to_builtins(body) == msgspec.json.decode(example(name))


def test_the_stripe_session_of_the_page_is_read() -> None:
    session = read("stripe_session")
    assert (session.session_id, session.checkout_url) == ("cs_live_...", "https://checkout.stripe.com/...")


def whole(decoded: Any) -> Any:
    """The decoded value as plain JSON values, with the packages that are decoded one by one."""
    if isinstance(decoded, wire.Answer) and isinstance(decoded.data, wire.PackagePage):
        packages = [msgspec.json.decode(raw, type=wire.Package) for raw in decoded.data.packages]
        pagination = msgspec.to_builtins(decoded.data.pagination)
        return {"success": True, "data": {"packages": msgspec.to_builtins(packages), "pagination": pagination}}
    return msgspec.to_builtins(decoded)
