"""The sandbox's catalogue in S2S's words: products, SKUs, price rows and categories, from a world's items.

Made as a reseller's catalogue grows: half of the SKUs carry attributes, the others only names, in two
styles. Beside eSIMs stand gift cards and recharges (``other_goods.py``), some of which have no fixed price.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
from babel import Locale

from providers.kit import places
from providers.simulator import Dirt, Item, Trigger

ATTRIBUTE_CODES: Mapping[str, str] = {
    "country": "coverage", "data": "data_volume", "days": "validity_days", "hotspot": "tethering",
    "voice_minutes": "minutes", "sms_count": "sms", "phone_number": "phone_number", "kyc_required": "kyc",
    "install_within_days": "install_within", "exit_country": "breakout", "networks": "operators",
}  # fmt: skip
PLENTY = 9999
ESIM_CATEGORY = {"id": 40, "name": "eSIM"}
CARDS = {"id": 18, "name": "Gift cards"}
MOBILE = {"id": 21, "name": "Mobile recharge"}
_RUSSIAN_CATEGORIES = {
    "Gift cards": "Подарочные карты",
    "Mobile recharge": "Пополнение телефона",
}
_ABOUT = "<p>Data for travellers in <b>{place}</b>.</p><ul><li>Install once</li><li>No contract</li></ul>"
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RUSSIAN_UNITS = (("GB", "ГБ"), ("MB", "МБ"), ("/day", "/день"), ("Unlimited", "Безлимит"), ("Days", "дней"))

CATEGORIES: tuple[dict[str, Any], ...] = (
    {**CARDS, "parent_id": 0, "attributes": [
        {"code": "digital_acceptance", "name": "Where accepted", "type": "text", "target": "product"},
        {"code": "denomination", "name": "Denomination", "type": "number", "target": "sku"},
        {"code": "denomination_currency", "name": "Currency", "type": "text", "target": "sku"},
    ]},
    {**MOBILE, "parent_id": 0, "attributes": []},
    {**ESIM_CATEGORY, "parent_id": 0, "attributes": [
        {"code": "coverage", "name": "Countries", "type": "text", "target": "sku"},
        {"code": "data_volume", "name": "Data", "type": "text", "target": "sku"},
        {"code": "validity_days", "name": "Days", "type": "number", "target": "sku"},
        {"code": "tethering", "name": "Hotspot", "type": "text", "target": "sku"},
        {"code": "minutes", "name": "Minutes of calls", "type": "number", "target": "sku"},
        {"code": "sms", "name": "SMS", "type": "number", "target": "sku"},
        {"code": "phone_number", "name": "Phone number", "type": "text", "target": "sku"},
        {"code": "kyc", "name": "Identification", "type": "text", "target": "sku"},
        {"code": "install_within", "name": "Install within", "type": "text", "target": "sku"},
        {"code": "breakout", "name": "Traffic leaves in", "type": "text", "target": "sku"},
        {"code": "operators", "name": "Operators", "type": "text", "target": "sku"},
    ]},
)  # fmt: skip


class CatalogProduct(msgspec.Struct, frozen=True):
    """A product with the items that are its SKUs; ``priced`` are rows of other kinds of goods.

    ``about`` is what the supplier says of it. ``triggers`` are what goes wrong when one of these is bought, by the id
    of its SKU.
    """

    about: dict[str, Any]
    items: tuple[Item, ...] = ()
    priced: tuple[dict[str, Any], ...] = ()
    triggers: Mapping[str, tuple[Trigger, ...]] = {}

    def skus(self, locale: str) -> list[dict[str, Any]]:
        """Its SKUs without their prices."""
        rows = [(row["sku_id"], row["sku_name"], row["attributes"]) for row in self.priced]
        others = [{"id": id_, "name": name, "image": "", "attributes": codes} for id_, name, codes in rows]
        return [sku(item, locale) for item in self.items] + others


def sku_id(key: str) -> str:
    """The id of an item's SKU, the same in every process; a key that is such an id is its own."""
    return key if _UUID.fullmatch(key) else str(uuid5(NAMESPACE_URL, f"s2s/sku/{key}"))


def esim_products(items: Iterable[Item], locale: str) -> list[CatalogProduct]:
    """One product for each place, in the order in which the places first appear."""
    by_place: dict[str, list[Item]] = {}
    for item in items:
        by_place.setdefault(item.place, []).append(item)
    return [
        CatalogProduct(_product(place, _place_name(place, there, locale), locale), tuple(there))
        for place, there in by_place.items()
    ]


def sku(item: Item, locale: str) -> dict[str, Any]:
    """A SKU without its price, in one of the ways in which this supplier names things."""
    attributes: Any = []  # as the supplier writes an empty object
    if _has_attributes(item):
        attributes = {
            "coverage": ",".join(item.countries),
            "data_volume": "Flex" if item.dirt is Dirt.UNKNOWN_DATA_TYPE else item.data_text,
            "validity_days": None if item.days is None else str(item.days),
            **_facts(item),
        }
    return {"id": sku_id(item.key), "name": _in(locale, sku_name(item)), "image": "", "attributes": attributes}


def _facts(item: Item) -> dict[str, str]:
    """The attributes that say more than data, days and place; what the supplier does not know is left out."""
    stated = {
        "tethering": _word(item.hotspot, "allowed", "not allowed"),
        "minutes": item.voice_minutes and str(item.voice_minutes),
        "sms": item.sms_count and str(item.sms_count),
        "phone_number": _word(item.phone_number, "yes", "no"),
        "kyc": _word(item.kyc_required, "required", "not required"),
        "install_within": item.install_within_days and f"{item.install_within_days} days",
        "breakout": item.exit_country,
        "operators": "; ".join(f"{n.country}: {n.operator} {n.generation or ''}".rstrip() for n in item.networks),
    }
    return {code: value for code, value in stated.items() if value}


def _word(fact: bool | None, yes: str, no: str) -> str | None:
    return None if fact is None else yes if fact else no


def price_row(item: Item) -> dict[str, Any]:
    """An item's row in the price list; one without a price is of a denomination that the buyer chooses."""
    row: dict[str, Any] = {"sku_id": sku_id(item.key), "denomination_type": "fixed"}
    if item.price is None:
        row |= {"denomination_type": "custom"}
    else:
        row |= {"price": item.price}
    row |= {"currency": "USD", "stock": PLENTY if item.stock is None else item.stock, "max_per_order": 1}
    if item.price is None:
        row |= {"markup_percent": 3, "markup_fixed": 0, "rate": 1}
    return row


def in_category(category: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """A category as it is called in a language."""
    name = category["name"]
    return {**category, "name": _RUSSIAN_CATEGORIES.get(name, name) if locale == "ru" else name}


def _product(key: str, name: str, locale: str) -> dict[str, Any]:
    return {
        "id": str(uuid5(NAMESPACE_URL, f"s2s/product/esim/{key}")),
        "name": name,
        "type": "esim",
        "denomination_type": "fixed",
        "category": in_category(ESIM_CATEGORY, locale),
        "description": _ABOUT.format(place=name),
        "image": "",
        "attributes": [],
        "fields": [],
    }


def _place_name(place: str, items: list[Item], locale: str) -> str:
    countries = items[0].countries
    if locale == "ru" and len(countries) == 1:
        return str(Locale("ru").territories.get(countries[0], place))
    return place


def sku_name(item: Item) -> str:
    """In English: "3 GB 30 Days" where product or attributes say the rest, else "10GB Europe Data 30 Days"."""
    days = "" if item.days is None else f"{item.days} Days"
    if item.label:
        return f"{item.label} ({item.data_text} {days})"
    if item.dirt is Dirt.UNKNOWN_DATA_TYPE:
        return f"Flex {days}".strip()
    if item.dirt is Dirt.CONTRADICTORY:
        other = "JP" if item.countries == ("FR",) else "FR"
        return f"{places.country_name(other)} {item.data_text} {days}".strip()
    if item.market or item.unlimited or _has_attributes(item) or _dealt(item.key, 2):
        return " ".join(filter(None, (item.data_text, item.calls_text, days))) or "eSIM"
    place = f"{item.place} Data"
    return " ".join(filter(None, (item.data_text.replace(" ", ""), place, item.calls_text, days)))


def _has_attributes(item: Item) -> bool:
    """Plans of several countries always have them, for their names alone say no countries, and plans with calls."""
    if item.market or not item.countries:
        return False
    stated = len(item.countries) > 1 or item.dirt is not None or bool(item.label) or bool(item.calls_text)
    return stated or _dealt(f"{item.key}/attributes", 2)


def _dealt(key: str, among: int) -> bool:
    return zlib.crc32(key.encode()) % among == 0


def _in(locale: str, name: str) -> str:
    if locale == "ru":
        for english, russian in _RUSSIAN_UNITS:
            name = name.replace(english, russian)
    return name
