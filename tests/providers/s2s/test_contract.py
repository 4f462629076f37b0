"""S2S passes the contract of every supplier plugin, over HTTP against its sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from providers.s2s import MANIFEST, orders, webhook, wire
from providers.simulator import Item
from schemas.account import Balance, Transaction, TransactionKind
from schemas.esim import DataUsage, EsimCoverage, EsimPackage, EsimStatus, ProfileState, ServiceState
from schemas.event import SupplierEvent, SupplierEventType
from schemas.money import Money
from schemas.order import Delivery, SupplierOrder, SupplierOrderState
from tests.providers.s2s.examples import example
from tests.providers.suite import PageExample, ProviderSuite
from tests.providers.suite_orders import WebhookVector

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SIGNED_AT = datetime.fromtimestamp(1768478058, UTC)
# printf %s TIMESTAMP EVENT IDEMPOTENCY_KEY | openssl dgst -sha256 -hmac SECRET
WEBHOOK_SIGNATURE = "5a3e75b066ae4f7db2f0f58af2d1d6b85bcf189379215fc7a9acc5787a860597"


def usd(amount):
    return Money.of(amount, "USD")


def answer(kind, mapped):
    return lambda body: mapped(msgspec.json.decode(body, type=kind).data)


def rows(kind, mapped):
    def read(body):
        page = msgspec.json.decode(body, type=wire.Page)
        return [mapped(msgspec.json.decode(raw, type=kind)) for raw in page.data]

    return read


def page_example(name, read, expected):
    return PageExample(name, example(name).decode(), read, expected)


def completed(order_id, created_at):
    """An order of the page: a gift card, whose pin is no eSIM."""
    return SupplierOrder(order_id, "ORD-12345", SupplierOrderState.COMPLETED, usd("29.09"), created_at=created_at)


class TestS2S(ProviderSuite):
    manifest = MANIFEST
    examples = (
        page_example(
            "me",
            answer(wire.MeAnswer, lambda me: orders.balance(me.partner.balance)),
            Balance(usd("-58.18"), usd("41.82"), usd("0"), usd("100")),
        ),
        page_example(
            "balance",
            answer(wire.BalanceAnswer, orders.balance),
            Balance(usd("-29.09"), usd("70.91"), usd("0"), usd("100")),
        ),
        page_example(
            "balance_history",
            rows(wire.BalanceMove, orders.transaction),
            [
                Transaction(
                    TransactionKind.CHARGE,
                    usd("-29.09"),
                    datetime(2026, 2, 24, 11, 37, 58, tzinfo=UTC),
                    "12161770-8560-4377-9795-e8a70aaceb07",
                    balance_after=usd("-58.18"),
                ),
                Transaction(
                    TransactionKind.DEPOSIT,
                    usd(500),
                    datetime(2026, 2, 23, 11, 37, 58, tzinfo=UTC),
                    balance_after=usd("441.82"),
                ),
            ],
        ),
        page_example(
            "orders",
            rows(wire.Order, orders.order),
            [completed("7898e683-4e56-44a3-9782-eca3f758a844", datetime(2026, 1, 15, 11, 54, 29, tzinfo=UTC))],
        ),
        page_example(
            "order",
            answer(wire.OrderAnswer, orders.order),
            completed("7898e683-4e56-44a3-9782-eca3f758a844", datetime(2026, 1, 15, 11, 54, 29, tzinfo=UTC)),
        ),
        page_example(
            "order_created",
            answer(wire.OrderAnswer, orders.order),
            completed("12161770-8560-4377-9795-e8a70aaceb07", datetime(2026, 1, 15, 12, 58, 23, tzinfo=UTC)),
        ),
        page_example(
            "topup_created",
            answer(wire.OrderAnswer, orders.order),
            SupplierOrder(
                "42161770-8560-4377-9795-e8a70aaceb10",
                "topup-12345",
                SupplierOrderState.COMPLETED,
                usd(15),
                Delivery(iccid="8944422711108338982", activation_code=None),
                datetime(2026, 1, 15, 14, 30, tzinfo=UTC),
            ),
        ),
        page_example(
            "esim_status",
            answer(wire.EsimStatusAnswer, lambda esim: orders.esim_status(esim, NOW)),
            EsimStatus(
                iccid="8944422711108338982",
                profile_state=ProfileState.INSTALLED,
                service_state=ServiceState.ACTIVE,
                observed_at=NOW,
                data=DataUsage(10240, 1536, 8704),
                expires_at=datetime(2026, 2, 15, 10, 0, tzinfo=UTC),
                can_topup=True,
                packages=(
                    EsimPackage("10GB Europe Data", 10240, 8704, datetime(2026, 2, 15, 10, 0, tzinfo=UTC), "active"),
                ),
                coverage=(EsimCoverage("AE", "Etisalat"), EsimCoverage("GB", "Vodafone")),
            ),
        ),
        page_example(
            "webhook",
            webhook.parse,
            [
                SupplierEvent(
                    SupplierEventType.ORDER_CHANGED,
                    "550e8400-e29b-41d4-a716-446655440000",
                    "12161770-8560-4377-9795-e8a70aaceb07",
                    "ORD-12345",
                    occurred_at=datetime(2026, 1, 15, 12, 58, 23, tzinfo=UTC),
                )
            ],
        ),
    )

    webhook_vectors = (
        WebhookVector(
            headers={"X-Timestamp": "1768478058", "X-Signature": WEBHOOK_SIGNATURE},
            body=example("webhook"),
            good_at=SIGNED_AT + timedelta(minutes=5),
            too_late=SIGNED_AT + timedelta(minutes=5, seconds=1),
            signed=b"1768478058order.status_changed550e8400-e29b-41d4-a716-446655440000",
            signature=WEBHOOK_SIGNATURE,
            secret=MANIFEST.sandbox_settings["partner_secret"],
        ),
    )

    @staticmethod
    def lists(item: Item) -> bool:
        """A hidden SKU is just not listed: this supplier has no word for it."""
        return item.visible
