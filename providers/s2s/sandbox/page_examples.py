"""What the page's examples name: a gift card, an order of it, an eSIM and the data that is added to it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from providers.s2s.sandbox.products import CARDS, CatalogProduct
from providers.simulator import Esim, Item, Package, PageExamples, Sale, SaleState
from schemas.order import OrderKind
from schemas.plan import MB_PER_GB, Network

_CARD_SKU = "019bc0dd-8562-7173-afd9-a5cc534fafb7"
_CARD_NAME = "$30 Apple Gift Card"
_CARD_PRICE = Decimal("29.09")
_CODE = "LPA:1$rsp-3104.idemia.io$ABC-123-DEF"
_AT = datetime(2026, 1, 15, 11, 54, 29, tzinfo=UTC)

CARD = CatalogProduct(
    {
        "id": "019bc0dd-8423-739c-a557-5387d900152b",
        "name": "Apple gift card | USA",
        "type": "voucher",
        "denomination_type": "fixed",
        "category": CARDS,
        "description": "<p>Apple gift card.</p>",
        "image": "",
        "attributes": {"digital_acceptance": "online"},
        "fields": [],
    },
    priced=(
        {
            "sku_id": _CARD_SKU,
            "sku_name": _CARD_NAME,
            "attributes": {"denomination": "30", "denomination_currency": "USD"},
            "denomination_type": "fixed",
            "price": msgspec.Raw(str(_CARD_PRICE).encode()),
            "currency": "USD",
            "stock": 100,
            "max_per_order": 1,
        },
    ),
)
_DATA = Item(
    key="029bc0dd-8562-7173-afd9-a5cc534fafb8",
    place="Europe",
    countries=("AE", "GB"),
    data_text="10 GB",
    price=Decimal(15),
    mb=10 * MB_PER_GB,
    days=31,
    networks=(Network("AE", "Etisalat", "4G"), Network("GB", "Vodafone", "4G")),
    topup=True,
)


EXAMPLES = PageExamples(
    items=(_DATA,),
    sales=(
        Sale(
            id="7898e683-4e56-44a3-9782-eca3f758a844",
            number=1,
            kind=OrderKind.VOUCHER,
            key=_CARD_SKU,
            item=None,
            reference="ORD-12345",
            listed=_CARD_PRICE,
            charged=_CARD_PRICE,
            created_at=_AT,
            shown_at=_AT,
            state=SaleState.COMPLETED,
            details={"sku_name": _CARD_NAME, "type": "voucher"},
            ended_at=_AT,
            answered=True,
        ),
    ),
    esims=(
        Esim(
            iccid="8944422711108338982",
            text_code=_CODE,
            picture_code=_CODE,
            sale_id="",
            created_at=_AT,
            packages=[Package("", _DATA, 10 * MB_PER_GB, 0, _AT)],
        ),
    ),
)
