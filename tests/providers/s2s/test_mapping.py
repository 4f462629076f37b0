"""What a SKU is, from its attributes, its name and its product's name; and what a refusal means."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.kit import places
from providers.s2s import mapping, wire
from providers.s2s.sources import AttributeCodes
from schemas.errors import (
    DuplicateReference,
    InsufficientBalance,
    InvalidRequest,
    NotAuthorised,
    NotFound,
    OutOfStock,
    Refused,
)
from schemas.money import Money
from schemas.plan import FullSpeed, Offer, Period, Reset, SetAside, Starts

CODES = AttributeCodes(country="coverage", data="volume", days="validity")
FIXED = wire.Price("sku-1", "fixed", Decimal("4.90"), "USD", 7, 1)


def of(sku="", product="", price=FIXED, codes=CODES, product_attributes=None, denomination="fixed", **attributes):
    """A SKU with these names and attributes (``coverage``, ``volume``, ``validity``), mapped."""
    item = wire.Sku("sku-1", sku, attributes=attributes)
    goods = wire.Product("p-1", "esim", product, denomination, attributes=product_attributes)
    return mapping.offer_or_reason(mapping.described(goods), item, price, codes, msgspec.Raw(msgspec.json.encode(item)))


def what(offer):
    """The plan that an offer is, in short."""
    assert isinstance(offer, Offer), offer
    return offer.coverage, offer.data.mb, offer.validity.days


def why(row):
    assert isinstance(row, SetAside), row
    return row.reason.value


# --- one source ---------------------------------------------------------------------------------


def test_attributes_alone_make_a_plan():
    assert what(of("Travel", "Travel", coverage="JP", volume="3 GB", validity="30")) == (("JP",), 3000, 30)


def test_a_sku_s_name_alone_makes_a_plan():
    assert what(of("10GB Japan Data 30 Days", "Travel eSIM")) == (("JP",), 10_000, 30)


def test_the_product_names_the_place_where_the_sku_names_amount_and_days():
    assert what(of("3 GB 30 Days", "South Korea")) == (("KR",), 3000, 30)


def test_an_attribute_list_is_the_coverage_of_a_region_s_name():
    offer = of("10GB Europe Data 30 Days", "Europe", coverage="FR, DE,IT")
    assert what(offer) == (("DE", "FR", "IT"), 10_000, 30)


@pytest.mark.parametrize("listed", ["JP,KR", "Japan, South Korea", "KR; JP", "JP|KR", ["KR", "JP"], ["Japan", "KR"]])
def test_a_list_of_countries_is_read_in_any_order_and_spelling(listed):
    assert what(of("3 GB 30 Days", coverage=listed))[0] == ("JP", "KR")


def test_a_product_s_attribute_counts_where_the_sku_has_none_of_its_own():
    offer = of("3 GB 30 Days", product_attributes={"coverage": "JP", "validity": "7"}, validity="30")
    assert what(offer) == (("JP",), 3000, 30)


@pytest.mark.parametrize("days", ["30", 30, 30.0, "30 days", "1 month", "up to 30 days", "720 hours"])
def test_days_are_a_number_or_say_their_unit(days):
    assert what(of("3 GB", "Japan", validity=days))[2] == 30


@pytest.mark.parametrize("none", [{}, [], None])
def test_attributes_may_be_an_empty_object_an_empty_list_or_null(none):
    item = wire.Sku("sku-1", "3 GB 30 Days", attributes=none)
    goods = wire.Product("p-1", "esim", "Japan", attributes=none)
    assert what(mapping.offer_or_reason(mapping.described(goods), item, FIXED, CODES, msgspec.Raw(b"{}")))[0] == ("JP",)


def test_attributes_that_no_setting_names_say_nothing():
    assert what(of("3 GB 30 Days", "Japan", codes=AttributeCodes(), coverage="FR"))[0] == ("JP",)


def test_russian_names_are_read_like_english_ones():
    russian = of("3 ГБ/день 7 дней", "Япония")
    english = of("3 GB/day 7 Days", "Japan")
    assert what(russian) == what(english) == (("JP",), 3000, 7)
    assert russian.plan_id == english.plan_id
    assert russian.data.reset is Reset.DAILY
    assert of("Безлимит 1 месяц", "Франция").data.unlimited


@given(
    code=st.sampled_from(["JP", "FR", "US", "GB", "TR", "KR", "BR", "HK", "XK"]),
    gigabytes=st.integers(1, 200),
    days=st.integers(1, 400),
)
def test_the_plan_is_the_same_whichever_source_says_it(code, gigabytes, days):
    place = places.country_name(code)
    ways = [
        of("Travel", "Travel", coverage=code, volume=f"{gigabytes} GB", validity=days),
        of(f"{gigabytes}GB {place} Data {days} Days", "eSIM"),
        of(f"{gigabytes} GB {days} Days", place),
        of(f"{gigabytes} GB", place, validity=f"{days} days"),
        of(f"{gigabytes}GB {place} {days} Days", place, coverage=[code], volume=f"{gigabytes}GB", validity=str(days)),
    ]
    assert [what(way) for way in ways] == [((code,), gigabytes * 1000, days)] * len(ways)
    assert len({way.plan_id for way in ways}) == 1


# --- sources that disagree ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sku", "product", "attributes", "field"),
    [
        ("France 3 GB 30 Days", "Japan", {}, "place"),
        ("3 GB 30 Days", "Japan", {"coverage": "FR"}, "place"),
        ("3 GB 30 Days", "Japan", {"coverage": "JP,KR"}, "place"),
        ("3 GB 30 Days", "Japan", {"volume": "5 GB"}, "data"),
        ("3 GB/day 30 Days", "Japan", {"volume": "3 GB"}, "data"),
        ("Unlimited 30 Days", "Japan 5 GB", {}, "data"),
        ("3 GB 30 Days", "Japan", {"validity": "15"}, "days"),
        ("3 GB 30 Days", "Japan 7 Days", {}, "days"),
    ],
)
def test_sources_that_contradict_each_other_set_the_sku_aside(sku, product, attributes, field):
    row = of(sku, product, **attributes)
    assert why(row) == "contradictory"
    assert row.detail.startswith(f"{field}: ")


def test_a_region_s_name_does_not_contradict_a_country():
    assert what(of("3 GB France 30 Days", "Europe"))[0] == ("FR",)


def test_a_fair_use_that_one_source_states_completes_the_other():
    offer = of("Unlimited (2GB/day high speed then throttled) 10 Days", "Japan", volume="Unlimited")
    assert offer.data.unlimited
    assert offer.data.allowance == FullSpeed(2000, Period.DAY)


def test_monthly_counts_by_the_days_and_where_they_stand():
    year = of("200GB Monthly Plan for 12 Months", "Japan")
    assert (year.data.reset, year.data.declared, year.validity.days) == (Reset.MONTHLY, "200 GB/month", 365)
    month = of("Monthly 5GB", "Japan", volume="5000 MB", validity="30")
    assert (month.data.reset, what(month)) == (Reset.NEVER, (("JP",), 5000, 30))


def test_a_tier_in_one_source_completes_the_other_and_two_contradict_each_other():
    assert of("Unlimited Plus 7 Days", "Japan", volume="Unlimited").data.tier == "Plus"
    assert why(of("Unlimited Plus 7 Days", "Japan", volume="Unlimited Lite")) == "contradictory"


@pytest.mark.parametrize(
    ("product", "codes", "coverage"),
    [
        ("Gibraltar, United Kingdom", "GI", ("GI",)),
        ("Hong Kong, China", "HK", ("HK",)),
        ("Japan, South Korea", "JP", ("JP", "KR")),
        ("Japan, South Korea", "JPN,KOR", ("JP", "KR")),
        ("Zorblax", "JP", ("JP",)),
        ("日本", "JP", ("JP",)),
        ("Canary Islands", "ES", ("ES",)),
        ("Réunion (France)", "REU", ("RE",)),
    ],
)
def test_codes_and_the_names_beside_them_are_one_statement(product, codes, coverage):
    assert what(of("3 GB 30 Days", product, coverage=codes))[0] == coverage


def test_names_that_contradict_each_other_do_so_beside_a_code_too():
    assert why(of("Japan 3 GB 30 Days", "Japan, South Korea", coverage="JP")) == "contradictory"


# --- what cannot be mapped ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sku", "product", "attributes", "reason"),
    [
        ("3 GB", "Japan", {}, "no_validity"),
        ("30 Days", "Japan", {}, "no_data_amount"),
        ("3 GB 30 Days", "Tokyo City", {}, "no_such_country"),
        ("Tokyo City 3 GB 30 Days", "Japan", {}, "no_such_country"),
        ("3 GB 30 Days", "Japan", {"coverage": "Hawaii"}, "no_such_country"),
        ("3 GB 30 Days", "Japan", {"coverage": "JP, Atlantis"}, "no_such_country"),
        ("3 GB 30 Days", "Zorblax", {}, "no_such_country"),
        ("3 GB 30 Days", "Europe", {}, "coverage_unknown"),
        ("3 GB 30 Days", "eSIM", {}, "coverage_unknown"),
        ("3 GB 2 Fortnights", "Japan", {"validity": "2 fortnights"}, "unknown_unit"),
        ("30 Days", "Japan", {"volume": "10"}, "unknown_unit"),
        ("30 Days", "Japan", {"volume": "Flex"}, "unknown_data_type"),
        ("3 GB", "Japan", {"validity": "90 minutes"}, "unknown_unit"),
        ("3 GB", "Japan", {"validity": "0"}, "no_validity"),
        ("3 GB", "Japan", {"validity": "12 hours"}, "no_validity"),
        ("3 GB 7-15 Days", "Japan", {}, "no_validity"),
        ("1001 GB 30 Days", "Japan", {}, "unlikely_amount"),
        ("", "", {"coverage": "JP", "volume": "3 GB", "validity": "30"}, "no_name"),
        ("3 GB 30 Days", "Hong Kong, China", {}, "no_such_country"),
        ("3 GB 30 Days", "Japan", {"coverage": "Virgin Islands"}, "no_such_country"),
        ("Top-up 3 GB 30 Days", "Japan", {}, "not_a_new_esim"),
        ("3 GB 30 Days", "Japan physical SIM", {}, "not_a_new_esim"),
    ],
)
def test_a_sku_that_is_no_plan_is_set_aside_with_its_reason(sku, product, attributes, reason):
    row = of(sku, product, **attributes)
    assert why(row) == reason
    assert row.detail
    assert row.supplier_plan_id == "sku-1"


def test_words_that_no_rule_understands_do_not_hide_what_another_source_says():
    assert what(of("Premium 10 GB 30 Days", "Japan", volume="10", validity="soon")) == (("JP",), 10_000, 30)


def test_a_row_set_aside_keeps_the_sku_its_product_and_its_price_as_they_came():
    raw = msgspec.json.decode(of("3 GB", "Japan").raw)
    assert raw["sku"]["name"] == "3 GB"
    assert raw["product"]["name"] == "Japan"
    assert raw["price"]["currency"] == "USD"


# --- price and stock ------------------------------------------------------------------------------


def priced(**changes):
    return of("3 GB 30 Days", "Japan", price=msgspec.structs.replace(FIXED, **changes))


def test_the_cost_is_the_supplier_s_own_number_in_the_sku_s_currency():
    assert priced(price=Decimal("2.2"), currency="eur").cost == Money(Decimal("2.2"), "EUR")
    assert priced(price=Decimal(250_000), currency="VND").cost == Money(Decimal(250_000), "VND")


def test_a_sku_without_a_row_in_the_price_list_is_a_plan_without_a_cost():
    offer = of("3 GB 30 Days", "Japan", price=None)
    assert (offer.cost, offer.stock) == (None, None)


def test_a_custom_denomination_is_a_plan_without_a_cost():
    row = wire.Price("sku-1", "custom", None, "AED", 9999, 99, Decimal(-2), Decimal(0), Decimal("0.272"))
    offer = of("3 GB 30 Days", "Japan", price=row)
    assert (offer.cost, offer.stock) == (None, 9999)


def test_the_product_s_denomination_counts_where_the_price_list_names_none():
    row = msgspec.structs.replace(FIXED, denomination_type=None)
    assert of("3 GB 30 Days", "Japan", price=row, denomination="custom").cost is None
    assert of("3 GB 30 Days", "Japan", price=row).cost == Money.of("4.90", "USD")


@pytest.mark.parametrize(
    "changes",
    [
        {"price": None},
        {"price": Decimal(0)},
        {"price": Decimal(-1)},
        {"price": Decimal("NaN")},
        {"price": Decimal("1e30")},
        {"currency": None},
        {"currency": ""},
        {"currency": "$"},
    ],
)
def test_a_fixed_price_that_is_none_is_no_price(changes):
    assert why(priced(**changes)) == "no_price"


@pytest.mark.parametrize(
    ("changes", "stock"),
    [
        ({"stock": 100}, 100),
        ({"stock": 0}, 0),
        ({"stock": -3}, 0),
        ({"stock": None}, None),
        ({"stock": 10**30}, 2**31 - 1),
        ({"max_per_order": 0}, 0),
        ({"max_per_order": None}, 7),
    ],
)
def test_the_stock_is_what_can_be_ordered(changes, stock):
    assert priced(**changes).stock == stock


# --- texts ----------------------------------------------------------------------------------------


def test_an_offer_is_called_by_the_product_too_where_the_sku_names_no_place():
    assert of("3 GB 30 Days", "Japan").name == "Japan 3 GB 30 Days"
    assert of("10GB Japan Data 30 Days", "Travel").name == "10GB Japan Data 30 Days"


def test_a_description_has_no_markup_and_an_end():
    goods = wire.Product("p-1", "esim", "Japan", description="<p>Fast <b>data</b></p>" + "<i>x</i>" * 5000)
    offer = mapping.offer_or_reason(
        mapping.described(goods), wire.Sku("s", "3 GB 30 Days"), FIXED, CODES, msgspec.Raw(b"{}")
    )
    assert offer.description.startswith("Fast data")
    assert "<" not in offer.description
    assert len(offer.description) <= 500


def test_what_starts_the_days_is_not_said():
    assert of("3 GB 30 Days", "Japan").validity.starts is Starts.UNKNOWN


attribute_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=60),
    st.lists(st.text(max_size=9)),
)


@given(sku=st.text(max_size=80), product=st.text(max_size=80), attributes=st.dictionaries(
    st.sampled_from(["coverage", "volume", "validity"]), attribute_values
))  # fmt: skip
def test_whatever_the_words_are_a_sku_is_mapped_or_set_aside(sku, product, attributes):
    assert isinstance(of(sku, product, **attributes), Offer | SetAside)


# --- refusals -------------------------------------------------------------------------------------


def refused(status, **body):
    return mapping.refusal(status, msgspec.json.encode({"success": False, **body}))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"message": "Unauthenticated."}, NotAuthorised),
        (401, {"message": "Invalid signature for external_id"}, NotAuthorised),
        (403, {"message": "Partner is not active"}, NotAuthorised),
        (404, {"message": "Order not found"}, NotFound),
        (422, {"message": "The external_id has already been taken."}, DuplicateReference),
        (422, {"message": "Invalid data", "errors": {"external_id": ["taken"]}}, DuplicateReference),
        (422, {"message": "Invalid data", "error": "duplicate_external_id"}, DuplicateReference),
        (409, {"message": "Duplicate order"}, DuplicateReference),
        (422, {"message": "SKU is out of stock"}, OutOfStock),
        (422, {"message": "No", "error": "out_of_stock"}, OutOfStock),
        (422, {"message": "Insufficient balance"}, InsufficientBalance),
        (422, {"message": "The sku_id field is required."}, InvalidRequest),
        (422, {}, InvalidRequest),
        (200, {"message": "Something else"}, Refused),
    ],
)
def test_a_refusal_is_known_by_status_and_words(status, body, kind):
    error = refused(status, **body)
    assert type(error) is kind
    assert error.status == status


def test_a_used_reference_never_counts_as_a_definite_refusal():
    assert refused(422, message="external_id must be unique").outcome.value == "unknown"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"success": true, "message": "fine"}', b'{"message": "x"}'])
def test_what_is_no_refusal_of_this_supplier_is_left_to_the_transport(body):
    assert mapping.refusal(422, body) is None


def test_a_conflict_that_the_page_does_not_describe_is_left_to_the_transport():
    assert refused(409, message="Try later") is None
