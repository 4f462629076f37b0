"""BepPay against the contract of all plugins, with every JSON example of its pages."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from providers.beppay import MANIFEST, mapping, numbers, orders, wire
from schemas.account import Balance, NumberCountry, NumberTier, Wallet
from schemas.money import Money
from schemas.order import Delivery, NumberDelivery, NumberWanted, SupplierOrder, SupplierOrderState
from schemas.plan import DataAllowance, Features, Offer, Validity
from tests.providers.beppay.examples import NAMES, example
from tests.providers.json_shape import fields
from tests.providers.suite import PageExample, ProviderSuite

NOON = datetime(2026, 3, 30, 12, tzinfo=UTC)
ICCID = "8944501234567890123"
WANTED = NumberWanted("US", "United States", "7d")
EXPIRES = datetime(2026, 4, 15, 12, tzinfo=UTC)
PLAN = "867924fdaf913e7fe11434972587449d"


def read(kind: Any, body: bytes) -> Any:
    return msgspec.json.decode(body, type=kind, strict=False)


WIRE: dict[str, Any] = {
    "keys": wire.Answer[list[wire.ApiKey]],
    "key_created": wire.Answer[wire.CreatedKey],
    "key_revoked": wire.Revoked,
    "new_key": wire.NewKey,
    "balance": wire.Answer[wire.Wallets],
    "plans": wire.Answer[list[wire.Plan]],
    "new_purchase": wire.Purchase,
    "purchased": wire.Charged[wire.Purchased],
    "orders": wire.Answer[list[wire.HistoryOrder]],
    "number_countries": wire.Answer[list[wire.NumberCountry]],
    "number_tiers": wire.Answer[list[wire.NumberTier]],
    "new_number": wire.NumberPurchase,
    "number_purchased": wire.Charged[wire.PurchasedNumber],
    "number_orders": wire.Answer[list[wire.HistoryNumber]],
    "older_me": wire.Answer[wire.Partner],
}


class TestBepPay(ProviderSuite):
    manifest = MANIFEST
    processes = False
    examples = (
        PageExample(
            "eSIM Plans",
            example("plans"),
            lambda body: [mapping.item(raw) for raw in read(wire.Plans, body).data],
            [
                Offer(
                    supplier_plan_id=PLAN,
                    name="USA 5GB 30 Days",
                    coverage=("US",),
                    data=DataAllowance(mb=5000, declared="5 GB"),
                    validity=Validity(30),
                    cost=Money(Decimal("25.00"), "USD"),
                    features=Features(topup=False),
                    provider="beppay",
                )
            ],
        ),
        PageExample(
            "eSIM Purchase",
            example("purchased"),
            orders.purchase_answer,
            SupplierOrder(
                supplier_order_id=None,
                reference=None,
                state=SupplierOrderState.COMPLETED,
                charged=Money(Decimal("25.00"), "USDT"),
                # The text repeats the ICCID and has no matching ID; the picture is elided on the page.
                delivery=Delivery(iccid=ICCID, activation_code=f"LPA:1${ICCID}"),
            ),
        ),
        PageExample(
            "Orders",
            example("orders"),
            lambda body: [orders.from_history(row) for row in read(WIRE["orders"], body).data],
            [
                SupplierOrder(
                    supplier_order_id="1",
                    reference=None,
                    state=SupplierOrderState.COMPLETED,
                    charged=Money(Decimal("25.00"), "USDT"),
                    delivery=Delivery(iccid=ICCID, activation_code=None),
                    created_at=NOON,
                )
            ],
        ),
        PageExample(
            "Balance",
            example("balance"),
            lambda body: orders.balance(read(WIRE["balance"], body).data),
            Balance(
                Money(Decimal("500.00"), "USD"),
                Money(Decimal("500.00"), "USD"),
                wallets=(Wallet("1 USDT_TRC20", Money(Decimal("500.00"), "USDT")),),
            ),
        ),
        PageExample(
            "Virtual Numbers Catalog: countries",
            example("number_countries"),
            lambda body: [numbers.country(row) for row in read(WIRE["number_countries"], body).data],
            [NumberCountry("US", "United States"), NumberCountry("GB", "United Kingdom")],
        ),
        PageExample(
            "Virtual Numbers Catalog: tiers",
            example("number_tiers"),
            lambda body: [numbers.tier(row) for row in read(WIRE["number_tiers"], body).data],
            [
                NumberTier("7d", "7 Days", 7, Money(Decimal(10), "USD")),
                NumberTier("1y", "1 Year", 365, Money(Decimal(40), "USD")),
            ],
        ),
        PageExample(
            "Virtual Numbers Purchase",
            example("number_purchased"),
            lambda body: numbers.purchased(read(WIRE["number_purchased"], body), WANTED),
            SupplierOrder(
                None,
                None,
                SupplierOrderState.COMPLETED,
                charged=Money(Decimal("10.00"), "USDT"),
                number=NumberDelivery("+12025550123", EXPIRES),
            ),
        ),
        PageExample(
            "Virtual Number Orders",
            example("number_orders"),
            lambda body: [numbers.from_history(row) for row in read(WIRE["number_orders"], body).data],
            [
                SupplierOrder(
                    "number-1",
                    None,
                    SupplierOrderState.COMPLETED,
                    charged=Money(Decimal("10.00"), "USDT"),
                    created_at=datetime(2026, 4, 8, 12, tzinfo=UTC),
                    number=NumberDelivery("+12025550123", EXPIRES, autorenew=False, status="completed"),
                )
            ],
        ),
    )


def test_every_example_of_the_pages_has_a_wire_type() -> None:
    assert sorted(WIRE) == NAMES


def test_every_field_of_the_pages_has_its_place_in_the_wire_types() -> None:
    for name, kind in WIRE.items():
        body = example(name).encode()
        assert not fields(msgspec.json.decode(body)) - fields(msgspec.to_builtins(read(kind, body))), name


def test_the_keys_of_the_page_are_read() -> None:
    listed = read(WIRE["keys"], example("keys").encode()).data[0]
    assert (listed.id, listed.key_prefix, listed.is_active, listed.last_used_at) == (1, "pk_live_abc", True, NOON)
    created = read(WIRE["key_created"], example("key_created").encode()).data
    assert (created.api_key, created.created_at) == ("pk_live_abc123...", NOON)
    assert read(WIRE["key_revoked"], example("key_revoked").encode()).success
    assert read(WIRE["older_me"], example("older_me").encode()).data.email == "partner@example.com"


def test_the_bodies_that_are_sent_are_those_of_the_page() -> None:
    sent = {
        "new_key": wire.NewKey("New Key"),
        "new_purchase": wire.Purchase(PLAN, "customer@example.com"),
        "new_number": wire.NumberPurchase("US", "United States", "7d"),
    }
    for name, body in sent.items():
        assert msgspec.to_builtins(body) == msgspec.json.decode(example(name))
