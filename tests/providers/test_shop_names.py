"""Plans' names as shops write them, seen on public pages (2026-11), each labelled by hand before it was read.

A name stands alone as the only source of an S2S item, then beside the codes that the shop has for it, and in a
PikaSim item beside what the label says.
"""

from __future__ import annotations

import csv
from decimal import Decimal
from importlib import resources

import msgspec
import pytest

from providers.pikasim import mapping as pikasim
from providers.s2s import mapping as s2s
from providers.s2s import wire
from providers.s2s.sources import AttributeCodes
from schemas.plan import Offer, Reset, SetAside

UNMAPPED = "unmapped"
PRICE = wire.Price("sku-1", "fixed", Decimal("4.90"), "USD", 7, 1)
with resources.files("tests.providers").joinpath("shop_names.tsv").open(encoding="utf-8") as table:
    ROWS = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
ALONE = [(row["name"], row["name alone"]) for row in ROWS]
CODED = [(row["name"], row["codes"], row["beside codes"]) for row in ROWS if row["codes"]]
MAPPED = [row for row in CODED if row[2] != UNMAPPED]
DATA_TYPES = {"unlimited": pikasim.UNLIMITED, "/day": pikasim.DAILY_THROTTLED}
PER = {Reset.NEVER: "", Reset.DAILY: "/day", Reset.MONTHLY: "/month"}


def label(found: Offer | SetAside) -> str:
    """A mapped item in the words of the table: "JP 1000/day 5"."""
    if not isinstance(found, Offer):
        return UNMAPPED
    amount = "unlimited" if found.data.unlimited else f"{found.data.mb}{PER[found.data.reset]}"
    return f"{','.join(found.coverage)} {amount} {found.validity.days}"


def by_s2s(name: str, codes: str = "") -> str:
    sku = wire.Sku("sku-1", name, attributes={"country": codes} if codes else None)
    product = s2s.described(wire.Product("p-1", "esim", None, "fixed"))
    return label(s2s.offer_or_reason(product, sku, PRICE, AttributeCodes(country="country"), msgspec.Raw(b"{}")))


def in_order(plan: str) -> str:
    codes, _, rest = plan.partition(" ")
    return f"{','.join(sorted(codes.split(',')))} {rest}" if rest else plan


@pytest.mark.parametrize(("name", "plan"), ALONE)
def test_a_name_alone_is_its_plan_or_none(name: str, plan: str) -> None:
    assert by_s2s(name) == in_order(plan)


@pytest.mark.parametrize(("name", "codes", "plan"), CODED)
def test_a_name_beside_codes_is_its_plan_or_none(name: str, codes: str, plan: str) -> None:
    assert by_s2s(name, codes) == in_order(plan)


@pytest.mark.parametrize(("name", "codes", "plan"), MAPPED)
def test_a_name_contradicts_nothing_that_is_stated_beside_it(name: str, codes: str, plan: str) -> None:
    _, amount, days = plan.split()
    item = {
        "packageCode": "P-1",
        "name": name,
        "location": codes,
        "locationNetworkList": [],
        "volume": 0 if amount == "unlimited" else int(amount.removesuffix("/day")) * 2**30 // 1000,
        "dataType": DATA_TYPES.get(amount.lstrip("0123456789"), pikasim.TOTAL),
        "duration": int(days),
        "durationUnit": "DAY",
        "price": 500,
    }
    assert label(pikasim.item(msgspec.Raw(msgspec.json.encode(item)))) == in_order(plan)
