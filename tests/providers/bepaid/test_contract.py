from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from providers.bepaid import MANIFEST, mapping
from schemas.errors import InvalidRequest
from schemas.money import Money
from schemas.payment import PaymentLink
from tests.providers.payment_suite import PaymentSuite
from tests.providers.suite import PageExample

PRODUCT = """
{
    "id": "prd_ed27b047d3ccd1a6",
    "name": "product",
    "description": "description of product",
    "currency": "USD",
    "amount": 990,
    "quantity": 10,
    "infinite": false,
    "language": "en",
    "transaction_type": "payment",
    "created_at": "2022-12-20T18:54:42.033Z",
    "updated_at": "2022-12-20T18:54:42.033Z",
    "test": false,
    "additional_data": {},
    "pay_url": "https://api.bepaid.by/products/prd_ed27b047d3ccd1a6/pay",
    "payment_url": "https://api.bepaid.by/products/prd_ed27b047d3ccd1a6/pay",
    "confirm_url": "https://checkout.bepaid.by/v2/confirm_order/prd_ed27b047d3ccd1a6/1"
}
"""
LIST = """
[
{
    "id": "prd_4e3933e63c7490fc",
    "name": "product",
    "description": "description of product",
    "amount": 100,
    "currency": "USD",
    "language": "en",
    "infinite": true,
    "quantity": 0,
    "transaction_type": "payment",
    "created_at": "2023-05-02T17:35:14.950Z",
    "updated_at": "2023-05-02T17:35:14.950Z",
    "additional_data": {},
    "test": false,
    "pay_url": "https://api.bepaid.by/products/prd_4e3933e63c7490fc/pay",
    "payment_url": "https://api.bepaid.by/products/prd_4e3933e63c7490fc/pay",
    "confirm_url": "https://checkout.bepaid.by/v2/confirm_order/prd_4e3933e63c7490fc/1"
},
{
    "id": "prd_1567bece456ac4aa",
    "name": "product 2",
    "description": "description of product 2",
    "amount": 990,
    "currency": "EUR",
    "language": "it",
    "infinite": false,
    "quantity": 7,
    "transaction_type": "payment",
    "created_at": "2023-02-15T11:54:59.579Z",
    "updated_at": "2023-02-15T11:54:59.579Z",
    "additional_data": {},
    "test": false,
    "pay_url": "https://api.bepaid.by/products/prd_1567bece456ac4aa/pay",
    "payment_url": "https://api.bepaid.by/products/prd_1567bece456ac4aa/pay",
    "confirm_url": "https://checkout.bepaid.by/v2/confirm_order/prd_1567bece456ac4aa/1"
},
{
    "id": "prd_3c97b6f1bba28db7",
    "name": "test product",
    "description": "description of test product",
    "amount": 100,
    "currency": "USD",
    "language": "en",
    "infinite": true,
    "quantity": null,
    "transaction_type": "authorization",
    "created_at": "2020-01-21T10:46:20.232Z",
    "updated_at": "2020-02-17T16:53:43.770Z",
    "additional_data": {},
    "test": true,
    "pay_url": "https://api.bepaid.by/products/prd_3c97b6f1bba28db7/pay",
    "payment_url": "https://api.bepaid.by/products/prd_3c97b6f1bba28db7/pay",
    "confirm_url": "https://checkout.bepaid.by/v2/confirm_order/prd_3c97b6f1bba28db7/1"
}
]
"""
WRONG_CURRENCY = """
{
    "message": "Currency is not in ISO 4217 Alpha-3 format. Currency is unknown ISO 4217 Alpha-3 code",
    "errors": {
        "currency": [
            "is not in ISO 4217 Alpha-3 format",
            "is unknown ISO 4217 Alpha-3 code"
        ]
    }
}
"""


def _link(number: str, name: str, price: Money, remaining: int | None, made_at: datetime, *, test: bool) -> PaymentLink:
    return PaymentLink(
        id=f"prd_{number}",
        url=f"https://api.bepaid.by/products/prd_{number}/pay",
        price=price,
        remaining=remaining,
        test=test,
        created_at=made_at,
        name=name,
        description=f"description of {name}",
    )


def _list(body: bytes) -> list[PaymentLink | None]:
    return [mapping.listed(row) for row in msgspec.json.decode(body, type=list[msgspec.Raw])]


def _refusal(body: bytes) -> tuple[type, str]:
    error = mapping.refusal(422, body)
    assert error is not None
    return type(error), error.detail


class TestBePaid(PaymentSuite):
    manifest = MANIFEST
    examples = (
        PageExample(
            "create and read a product",
            PRODUCT,
            read=mapping.link,
            expected=_link(
                "ed27b047d3ccd1a6",
                "product",
                Money.of("9.90", "USD"),
                10,
                datetime(2022, 12, 20, 18, 54, 42, 33000, UTC),
                test=False,
            ),
        ),
        PageExample(
            "retrieve all products",
            LIST,
            read=_list,
            expected=[
                _link(
                    "4e3933e63c7490fc",
                    "product",
                    Money.of("1.00", "USD"),
                    None,
                    datetime(2023, 5, 2, 17, 35, 14, 950000, UTC),
                    test=False,
                ),
                _link(
                    "1567bece456ac4aa",
                    "product 2",
                    Money.of("9.90", "EUR"),
                    7,
                    datetime(2023, 2, 15, 11, 54, 59, 579000, UTC),
                    test=False,
                ),
                _link(
                    "3c97b6f1bba28db7",
                    "test product",
                    Money.of("1.00", "USD"),
                    None,
                    datetime(2020, 1, 21, 10, 46, 20, 232000, UTC),
                    test=True,
                ),
            ],
        ),
        PageExample(
            "invalid parameters",
            WRONG_CURRENCY,
            read=_refusal,
            expected=(
                InvalidRequest,
                "currency: is not in ISO 4217 Alpha-3 format, is unknown ISO 4217 Alpha-3 code",
            ),
        ),
    )
