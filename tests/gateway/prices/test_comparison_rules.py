from datetime import UTC, datetime

import msgspec
import pytest

from gateway.prices.comparison_rules import lines
from schemas.api import PlanAfter, PlanData, PlanFeatures, PlanFullSpeed, PlanNetwork, PlanValidity, Price
from schemas.api_prices import ComparedOffer
from schemas.plan import Period, Reset, Scope, Starts, WhyNot

USD = "USD"
ONE = ComparedOffer(
    offer_id="off_1",
    supplier="a",
    plan_id="jp-1gb-7d",
    name="Japan 1 GB",
    declared="1 GB",
    total_mb=1024,
    days=7,
    scope=Scope.COUNTRY,
    cost=Price("5.00", USD),
    cost_base=Price("5.00", USD),
    per_gb=Price("5.00", USD),
    per_day=Price("0.71", USD),
    price=Price("5.50", USD),
    stock=None,
    stale=False,
    selectable=True,
    why_not=None,
    supplier_plan_id="JP1",
    plan_name="Japan 1 GB, 7 days",
    countries=["JP"],
    data=PlanData(1024, 1024, "1 GB", False, Reset.NEVER, None),
    validity=PlanValidity(7, Starts.INSTALL),
    networks=[PlanNetwork("JP", "KDDI", "4G"), PlanNetwork("JP", "Docomo", "5G")],
    features=PlanFeatures(topup=True, exit_country="HK"),
    priced_by=None,
    observed_at=datetime(2026, 11, 20, 10, tzinfo=UTC),
)


def other(**changes):
    return msgspec.structs.replace(ONE, offer_id="off_2", supplier="b", supplier_plan_id="X", name="Y", **changes)


def told(*offers, country=None):
    return {line.name: line for line in lines(offers, country)}


def test_equal_offers_of_two_suppliers_differ_in_nothing():
    assert not [line.name for line in lines([ONE, other()]) if line.differ]


@pytest.mark.parametrize(
    ("changes", "line", "words"),
    [
        ({"validity": PlanValidity(7, Starts.FIRST_USE)}, "starts", "with first use"),
        ({"features": PlanFeatures(exit_country="HK")}, "topup", "not said"),
        ({"features": PlanFeatures(topup=True)}, "exit_country", "not said"),
        ({"features": PlanFeatures(not_exit_countries=("HK",))}, "exit_country", "not Hong Kong"),
        ({"features": PlanFeatures(voice_minutes=100)}, "voice_minutes", "100"),
        ({"features": PlanFeatures(sms_unlimited=True)}, "sms_count", "unlimited"),
        ({"features": PlanFeatures(hotspot=False)}, "hotspot", "no"),
        ({"features": PlanFeatures(phone_number=True)}, "phone_number", "yes"),
        ({"features": PlanFeatures(kyc_required=True)}, "kyc_required", "yes"),
        ({"features": PlanFeatures(install_within_days=90)}, "install_within_days", "90"),
        ({"features": PlanFeatures(usage=True)}, "usage", "yes"),
        ({"features": PlanFeatures(refundable=False)}, "refundable", "no"),
        ({"networks": [PlanNetwork("JP", "Docomo", "5G", "44010")]}, "networks", "Docomo 5G (44010)"),
        ({"networks": []}, "networks", "not said"),
        ({"networks": [PlanNetwork("JP", "Docomo")]}, "generation", "not said"),
        ({"stock": 3}, "stock", "3"),
        ({"why_not": WhyNot.OUT_OF_STOCK, "selectable": False}, "sold", "no: out of stock"),
        ({"stale": True}, "observed_at", "2026-11-20 10:00 UTC, stale"),
        ({"cost": None}, "cost", "not known"),
        (
            {"data": PlanData(1024, 7168, "1 GB/day", False, Reset.DAILY, None)},
            "data",
            "1 GB/day (7 GB in all)",
        ),
    ],
)
def test_a_line_that_tells_them_apart_is_marked(changes, line, words):
    found = told(ONE, other(**changes))[line]
    assert found.differ
    assert found.values[1] == words


@pytest.mark.parametrize(
    ("full_speed", "after", "words"),
    [
        (None, (None, None), "none stated"),
        (None, (None, False), "then throttled"),
        (None, (None, True), "then cut off"),
        (PlanFullSpeed(512, Period.DAY), (None, False), "512 MB a day at full speed, then throttled"),
        (PlanFullSpeed(10240, Period.TOTAL), (128, False), "10 GB at full speed, then 128 kbps"),
        (PlanFullSpeed(None, Period.TOTAL), (None, None), "all at full speed"),
    ],
)
def test_what_runs_at_full_speed_is_said_in_words(full_speed, after, words):
    data = PlanData(None, None, "Unlimited", True, Reset.NEVER, None, full_speed, PlanAfter(*after))
    assert told(other(data=data))["full_speed"].values == (words,)


def test_the_lowest_figures_are_named_all_of_them_where_they_tie_and_none_where_all_are_equal():
    dear = other(price=Price("6.00", USD))
    assert told(ONE, dear, other())["price"].best == (0, 2)
    assert told(ONE, other())["price"].best == ()
    assert told(ONE, other(price=Price("1", "EUR")))["price"].best == ()
    assert told(ONE, other(price=None), dear)["price"].best == (0,)


def test_networks_and_generation_are_of_the_country_asked_for_and_else_of_each():
    wide = other(
        countries=["JP", "KR"], networks=[*ONE.networks, PlanNetwork("KR", "SKT", "4G"), PlanNetwork("KR", "KT", None)]
    )
    found = told(ONE, wide, country="JP")
    assert found["networks"].values == ("Docomo 5G, KDDI 4G",) * 2
    assert found["generation"].values == ("5G", "5G")
    found = told(ONE, wide)
    assert found["networks"].values[1] == "JP: Docomo 5G, KDDI 4G; KR: KT, SKT 4G"
    assert found["generation"].values == ("5G", "5G in 1 of 2 countries")
    assert found["countries"].values[1] == "Japan, South Korea"
