"""How BepPay's plans become offers, and what is set aside with which reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from providers.beppay import mapping
from providers.kit import places
from providers.kit.unmapped import Once, Unmapped
from schemas.errors import InsufficientBalance, NotAuthorised, NotFound, OutOfStock, Refused
from schemas.money import Money
from schemas.plan import AfterFullSpeed, Features, FullSpeed, Offer, Period, Reset, SetAside, SetAsideReason
from tests.providers.json_shape import ANYTHING

GOOD: dict[str, Any] = {
    "id": "p1",
    "plan_id": "p1",
    "name": "Japan 5GB 30 Days",
    "days": "30",
    "price": "9.90",
    "data": "5GB",
    "countries_included": "Japan",
    "countryIso2": "JP",
    "plan_type": "country",
    "is_visible": True,
}


def mapped(**changes: Any) -> Offer | SetAside:
    plan = {key: value for key, value in (GOOD | changes).items() if value is not ...}
    return mapping.item(Raw(msgspec.json.encode(plan)))


def offer(**changes: Any) -> Offer:
    found = mapped(**changes)
    assert isinstance(found, Offer), found
    return found


def aside(**changes: Any) -> SetAside:
    found = mapped(**changes)
    assert isinstance(found, SetAside), found
    return found


@pytest.mark.parametrize(
    ("names", "codes", "expected"),
    [
        ("Japan", "JP", ("JP",)),
        ("Japan", "", ("JP",)),
        ("", "JP,KR", ("JP", "KR")),
        ("Japan, South Korea", "JP,KR", ("JP", "KR")),
        ("South Korea, Japan", "", ("JP", "KR")),
        ("Japan, South Korea", "JP", ("JP", "KR")),  # a name more than the codes is the names' word
        ("United States", "us", ("US",)),
        ("United Kingdom", "UK", ("GB",)),
        ("Portugal, Madeira", "PT", ("PT",)),  # an island in a list adds nothing to its country
        ("Spain, Portugal, Madeira", "", ("ES", "PT")),
        ("Canary Islands", "ES", ("ES",)),  # no country is read, so the codes decide
        ("Bali City", "ID", ("ID",)),
        ("Japan, Nowhereland", "JP", ("JP",)),
        ("日本", "JP", ("JP",)),
        ("Japan", "JPN", ("JP",)),
        ("Gibraltar, United Kingdom", "GI", ("GI",)),
        ("Europe", "FR,DE", ("DE", "FR")),  # a region's name is no list, its codes are
        ("France, Germany", "EU", ("DE", "FR")),  # a region's code is no country
        ("Korea, Republic of, Japan", "", ("JP", "KR")),  # a name that holds a comma itself
        (["Japan", "South Korea"], "", ("JP", "KR")),
    ],
)
def test_the_countries_are_those_that_names_and_codes_give_together(names: Any, codes: str, expected: Any) -> None:
    assert mapping.coverage(names, codes) == expected


@pytest.mark.parametrize(
    ("names", "codes", "reason"),
    [
        ("Japan", "KR", "contradictory"),
        ("Japan", "JP,KR", "contradictory"),  # a code that is not among the names
        ("Europe", "FR", "contradictory"),
        ("Europe", "", "coverage_unknown"),
        ("Japan, Europe", "JP", "coverage_unknown"),
        ("Europe", "EU", "coverage_unknown"),
        ("", "", "coverage_unknown"),
        ("", "EU", "coverage_unknown"),
        ("Canary Islands", "", "no_such_country"),
        ("Bali City", "", "no_such_country"),
        ("Portugal, Madeira", "", "no_such_country"),  # an island is not the country that it belongs to
        ("Japan, Nowhereland", "", "no_such_country"),
        ("Japan, Nowhereland", "JP,KR", "contradictory"),
        ("United Kingdom", "GI", "contradictory"),
        ("Hong Kong, China", "", "no_such_country"),  # one place or two: nobody knows
        ("x" * 20_000, "JP", "no_such_country"),
    ],
)
def test_countries_that_are_not_certain_set_the_plan_aside(names: str, codes: str, reason: str) -> None:
    with pytest.raises(Unmapped) as caught:
        mapping.coverage(names, codes)
    assert caught.value.reason.value == reason


def test_a_region_that_is_listed_for_the_supplier_has_those_countries(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {("beppay", "Low Countries"): ("BE", "LU", "NL")}
    monkeypatch.setattr(places, "supplier_region", lambda provider, name, overrides=None: listed.get((provider, name)))
    assert mapping.coverage("Low Countries", "") == ("BE", "LU", "NL")
    assert mapping.coverage("Low Countries, France", "FR") == ("BE", "FR", "LU", "NL")


def test_what_was_not_understood_stands_in_the_detail_with_the_item_as_it_came() -> None:
    found = aside(countries_included="Japan, Nowhereland", countryIso2="")
    assert (found.supplier_plan_id, found.name) == ("p1", "Japan 5GB 30 Days")
    assert "Nowhereland" in found.detail
    assert msgspec.json.decode(found.raw)["countries_included"] == "Japan, Nowhereland"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"days": ""}, SetAsideReason.NO_VALIDITY),
        ({"days": None}, SetAsideReason.NO_VALIDITY),
        ({"days": "0"}, SetAsideReason.NO_VALIDITY),
        ({"days": "soon"}, SetAsideReason.NO_VALIDITY),
        ({"days": "-3"}, SetAsideReason.NO_VALIDITY),
        ({"days": ["30"]}, SetAsideReason.NO_VALIDITY),
        ({"days": "2 fortnights"}, SetAsideReason.UNKNOWN_UNIT),
        ({"days": "7-15 days"}, SetAsideReason.NO_VALIDITY),
        ({"data": "1001 GB"}, SetAsideReason.UNLIKELY_AMOUNT),
        ({"data": ""}, SetAsideReason.NO_DATA_AMOUNT),
        ({"data": "5 credits"}, SetAsideReason.NO_DATA_AMOUNT),
        ({"data": 5}, SetAsideReason.NO_DATA_AMOUNT),
        ({"data": ...}, SetAsideReason.NO_DATA_AMOUNT),
        ({"price": ""}, SetAsideReason.NO_PRICE),
        ({"price": None}, SetAsideReason.NO_PRICE),
        ({"price": "0.00"}, SetAsideReason.NO_PRICE),
        ({"price": "-1"}, SetAsideReason.NO_PRICE),
        ({"price": "free"}, SetAsideReason.NO_PRICE),
        ({"price": "NaN"}, SetAsideReason.NO_PRICE),
        ({"price": "sNaN"}, SetAsideReason.NO_PRICE),
        ({"price": "1e999999"}, SetAsideReason.NO_PRICE),
        ({"price": "1e-999999"}, SetAsideReason.NO_PRICE),
        ({"name": ""}, SetAsideReason.NO_NAME),
        ({"name": "<b></b>"}, SetAsideReason.NO_NAME),
        ({"name": None}, SetAsideReason.NO_NAME),
        ({"id": ..., "plan_id": ...}, SetAsideReason.NO_NAME),
        ({"countries_included": 7}, SetAsideReason.COVERAGE_UNKNOWN),
        ({"name": "Japan 5GB Top-up"}, SetAsideReason.NOT_A_NEW_ESIM),
    ],
)
def test_a_plan_that_lacks_something_is_set_aside_with_the_reason(changes: Any, reason: SetAsideReason) -> None:
    assert aside(**changes).reason is reason


@pytest.mark.parametrize(
    ("days", "expected"), [("30", 30), (30, 30), ("7 Days", 7), ("1 day", 1), ("6 months", 180), ("2 weeks", 14)]
)
def test_the_validity_is_read_from_a_string(days: Any, expected: int) -> None:
    assert offer(days=days).validity.days == expected


@pytest.mark.parametrize("price", ["25.00", 25, 2.5, "0.123"])
def test_the_price_is_exact_usd(price: Any) -> None:
    assert offer(price=price).cost == Money(Decimal(str(price)), "USD")


def test_data_is_total_daily_or_unlimited() -> None:
    assert (offer(data="500MB").data.mb, offer(data="500MB").data.reset) == (500, Reset.NEVER)
    assert (offer(data="1GB/day").data.mb, offer(data="1GB/day").data.reset) == (1000, Reset.DAILY)
    assert offer(data="Unlimited").data.unlimited
    fair = offer(data="Unlimited (2GB/day high speed then throttled)").data
    assert (fair.allowance, fair.after) == (FullSpeed(2000, Period.DAY), AfterFullSpeed(cut_off=False))


def test_the_name_completes_what_the_amount_says() -> None:
    assert offer(data="Unlimited", name="Japan Unlimited Lite").data.tier == "Lite"
    assert offer(data="Unlimited", name="Japan Unlimited 512kbps").data.after == AfterFullSpeed(512, cut_off=False)
    assert offer(data="5GB", name="Japan 10GB").data.mb == 5000


def test_a_hidden_plan_is_mapped_and_not_visible() -> None:
    assert not offer(is_visible=False).visible
    assert offer(is_visible=True).visible
    assert offer(is_visible=None).visible
    assert offer(is_visible=...).visible


def test_a_plan_cannot_be_topped_up_and_says_nothing_else_of_its_features() -> None:
    assert offer().features == Features(topup=False, voice=None, sms=None, exit_country=None)


def test_the_id_is_the_one_that_a_purchase_takes() -> None:
    assert offer(plan_id="buy-me", id="row-7").supplier_plan_id == "buy-me"
    assert offer(plan_id=..., id="row-7").supplier_plan_id == "row-7"
    assert offer(plan_id=7, id=7).supplier_plan_id == "7"


def test_a_plan_without_an_id_gets_the_same_stand_in_every_time() -> None:
    first, second = aside(id=..., plan_id=...), aside(id=..., plan_id=...)
    assert first.supplier_plan_id == second.supplier_plan_id
    assert first.supplier_plan_id != aside(id=..., plan_id=..., price="1").supplier_plan_id


def test_markup_and_control_characters_do_not_reach_a_name() -> None:
    assert offer(name="<b>Japan</b>\u202e 5GB\x00 &lt;script&gt;").name == "Japan 5GB"


def test_an_id_that_comes_again_with_other_content_is_contradictory() -> None:
    once, raw, other = Once(), Raw(msgspec.json.encode(GOOD)), Raw(msgspec.json.encode(GOOD) + b" ")
    pages = [[raw, raw, other], [raw, other]]
    rows = [row for page in pages for row in once([mapping.item(each) for each in page], page)]
    assert [row.supplier_plan_id for row in rows] == ["p1"] * 5
    assert [isinstance(row, Offer) for row in rows] == [True, True, False, True, False]
    assert isinstance(rows[2], SetAside)
    assert rows[2].reason is SetAsideReason.CONTRADICTORY


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, NotAuthorised),
        (402, InsufficientBalance),
        (404, NotFound),
        (409, OutOfStock),
        (200, Refused),
    ],
)
def test_a_refusal_is_the_error_of_its_status(status: int, kind: type[Refused]) -> None:
    found = mapping.refusal(status, b'{"success": false, "error": "No <b>luck</b>"}')
    assert isinstance(found, kind)
    assert (found.detail, found.status) == ("No luck", status)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"success": true}', b"[]", b'{"error": "no success field"}', b"\xff"]
)
def test_what_is_no_readable_refusal_is_none(body: bytes) -> None:
    assert mapping.refusal(409, body) is None
    assert mapping.refusal(418, b'{"success": false}') is None


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(st.sampled_from(sorted(GOOD)), ANYTHING))
def test_no_plan_whatever_its_fields_breaks_the_mapping(changes: dict[str, Any]) -> None:
    found = mapped(**changes)
    assert found.supplier_plan_id
    assert found.name.isprintable()
    if isinstance(found, SetAside):
        assert found.detail
        assert found.raw == msgspec.json.encode(GOOD | changes)


@settings(deadline=None)  # the machine may be busy
@given(ANYTHING)
def test_no_item_whatever_it_is_breaks_the_mapping(thing: Any) -> None:
    found = mapping.item(Raw(msgspec.json.encode(thing)))
    assert isinstance(found, SetAside)
    assert found.supplier_plan_id


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=200), st.integers(100, 599))
def test_no_body_whatever_it_is_breaks_the_table_of_refusals(body: bytes, status: int) -> None:
    assert mapping.refusal(status, body) is None
