"""What the sandbox sells beside eSIMs: gift cards and recharges, in S2S's words and both of its languages.

With fixed prices, with an amount of the buyer's choice, with fields that a product asks for, with little stock,
and a card on which something goes wrong, for storefront developers to meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from providers.s2s.sandbox.products import CARDS, MOBILE, PLENTY, CatalogProduct, in_category, sku_id
from providers.simulator import Trigger, TriggerKind
from schemas.order import TRIGGER_GOOD

_RUSSIAN: Mapping[str, str] = {
    "gift card": "подарочная карта",
    "Game card": "Игровая карта",
    "Streaming card": "Карта для стриминга",
    "Mobile recharge": "Пополнение телефона",
    "any amount": "любая сумма",
    "Travel voucher": "Ваучер на поездку",
    "Airport lounge pass": "Билет в зал ожидания",
    "One visit": "Один визит",
    "Turkey": "Турция",
    "India": "Индия",
    "Phone number": "Номер телефона",
}
_PHONE = {"name": "phone", "label": "Phone number", "type": "text", "required": True, "regex": "/^\\+?[0-9]{7,15}$/"}
_OPERATOR = {"name": "operator", "label": "Operator", "required": True, "options": ["Airtel", "Jio", "Vi"]}
_PLAYER = {"name": "player", "label": "Player", "required": False, "regex": "^[A-Za-z0-9]{3,20}$"}
# What happens when a denomination of the sandbox's own card is bought, by what it is worth. Append only.
_TROUBLES: Mapping[int, tuple[str, TriggerKind | None]] = {
    1: ("delivered as usual", None),
    2: ("out of stock when it is ordered", TriggerKind.REFUSE_STOCK),
    3: ("charged, then no answer", TriggerKind.CHARGE_THEN_HANG),
    4: ("fails while it is processed, refunded", TriggerKind.FAILED_AFTER_PROCESSING),
    5: ("delivered in part", TriggerKind.PARTIALLY_COMPLETED),
    6: ("called complete, with one code fewer than was bought", TriggerKind.CODES_MISSING),
    7: ("charged, never delivered", TriggerKind.NEVER_PROVISIONED),
    8: ("not charged, an error 500", TriggerKind.ERROR_500),
}
SANDBOX_CARD = TRIGGER_GOOD
# The gift card of the page's examples, which stands in no list.
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
            "sku_id": "019bc0dd-8562-7173-afd9-a5cc534fafb7",
            "sku_name": "$30 Apple Gift Card",
            "attributes": {"denomination": "30", "denomination_currency": "USD"},
            "denomination_type": "fixed",
            "price": msgspec.Raw(b"29.09"),
            "currency": "USD",
            "stock": 100,
            "max_per_order": 1,
        },
    ),
)


def other_goods(locale: str = "en") -> list[CatalogProduct]:
    """All of it, the same in every process."""
    goods = [
        _card(f"{name} | {place}", name, place, fields)
        for name, fields in (("Apple gift card", []), ("Game card", [_PLAYER]), ("Streaming card", []))
        for place in ("USA", "EU")
    ]
    goods.append(_custom("recharge", "Mobile recharge | UAE", "AED", "0.272", -2, fields=[_PHONE]))
    goods.append(_custom("recharge", "Mobile recharge | Turkey", "TRY", "0.029", 1, fields=[_PHONE]))
    goods.append(_custom("voucher_open_range", "Travel voucher", "EUR", "1.08", 4, least=10, most=500))
    goods.append(
        _fixed(
            "recharge_fixed",
            "Mobile recharge | India",
            MOBILE,
            {"₹199": "2.41", "₹399": "4.8"},
            fields=[_PHONE, _OPERATOR],
        )
    )
    goods.append(_fixed("other", "Airport lounge pass", CARDS, {"One visit": "29.09"}, stock=3))
    goods.append(_troubled())
    return goods if locale != "ru" else [_in_russian(product) for product in goods]


def _card(product: str, name: str, place: str, fields: list[dict[str, Any]]) -> CatalogProduct:
    prices = {f"${worth} {name} {place}": f"{worth * 1.1:.1f}" for worth in (2, 3, 10, 30)}
    worth = {f"${worth} {name} {place}": str(worth) for worth in (2, 3, 10, 30)}
    return _fixed("voucher", product, CARDS, prices, worth=worth, stock=PLENTY, most=5, fields=fields)


def _troubled() -> CatalogProduct:
    names = {worth: f"${worth} {SANDBOX_CARD}: {label}" for worth, (label, _) in _TROUBLES.items()}
    made = _fixed(
        "voucher",
        SANDBOX_CARD,
        CARDS,
        {name: f"{worth}.5" for worth, name in names.items()},
        worth={name: str(worth) for worth, name in names.items()},
        stock=PLENTY,
        most=10,
    )
    triggers = {
        sku_id(f"{SANDBOX_CARD}/{names[worth]}"): (Trigger(kind),)
        for worth, (_, kind) in _TROUBLES.items()
        if kind is not None
    }
    return msgspec.structs.replace(made, triggers=triggers)


def _fixed(
    product_type: str,
    name: str,
    category: Mapping[str, Any],
    prices: Mapping[str, str],
    *,
    worth: Mapping[str, str] | None = None,
    stock: int = 100,
    most: int = 1,
    fields: list[dict[str, Any]] | None = None,
) -> CatalogProduct:
    rows = tuple(
        {
            "sku_id": sku_id(f"{name}/{sku_name}"),
            "sku_name": sku_name,
            "attributes": [] if worth is None else {"denomination": worth[sku_name], "denomination_currency": "USD"},
            "denomination_type": "fixed",
            "price": msgspec.Raw(price.encode()),
            "currency": "USD",
            "stock": stock,
            "max_per_order": most,
        }
        for sku_name, price in prices.items()
    )
    return CatalogProduct(_product(product_type, name, category, "fixed", fields), priced=rows)


def _custom(
    product_type: str,
    name: str,
    currency: str,
    rate: str,
    percent: int,
    *,
    least: int | None = None,
    most: int | None = None,
    fields: list[dict[str, Any]] | None = None,
) -> CatalogProduct:
    row: dict[str, Any] = {
        "sku_id": sku_id(name),
        "sku_name": f"{name}, any amount",
        "attributes": [],
        "denomination_type": "custom",
        "currency": currency,
        "stock": PLENTY,
        "max_per_order": 99,
        "markup_percent": percent,
        "markup_fixed": 0,
        "rate": msgspec.Raw(rate.encode()),
    }
    row |= {} if least is None else {"min_amount": least, "max_amount": most}
    return CatalogProduct(_product(product_type, name, MOBILE, "custom", fields), priced=(row,))


def _product(
    product_type: str,
    name: str,
    category: Mapping[str, Any],
    denomination: str,
    fields: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    return {
        "id": str(uuid5(NAMESPACE_URL, f"s2s/product/{product_type}/{name}")),
        "name": name,
        "type": product_type,
        "denomination_type": denomination,
        "category": category,
        "description": f"<p>{name}.</p>",
        "image": "",
        "attributes": {"digital_acceptance": "online"} if category is CARDS else [],
        "fields": fields or [],
    }


def _in_russian(product: CatalogProduct) -> CatalogProduct:
    about = {**product.about, **{name: _label(product.about[name]) for name in ("name", "description")}}
    about["category"] = in_category(about["category"], "ru")
    about["fields"] = [{**field, "label": _label(field["label"])} for field in about["fields"]]
    priced = tuple({**row, "sku_name": _label(row["sku_name"])} for row in product.priced)
    return CatalogProduct(about, priced=priced, triggers=product.triggers)


def _label(text: str) -> str:
    for english, russian in _RUSSIAN.items():
        text = text.replace(english, russian)
    return text
