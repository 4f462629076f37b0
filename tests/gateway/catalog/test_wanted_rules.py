"""What is asked for of a plan's features, from requests, quotes and stored orders."""

import msgspec
import pytest

from gateway.api.parameters import PlanParameters
from gateway.catalog import wanted_rules
from gateway.catalog.wanted_rules import InvalidFeature
from schemas.features import Wanted
from schemas.quotes import NeedFeatures


def test_the_features_of_a_query_and_of_a_need_are_the_same_question():
    asked = {"topup": True, "network": "5G", "exit_country": "JP", "operator": "Docomo", "kyc_required": False}
    query = msgspec.convert({**asked, "country": ["JP"], "sort": "days"}, PlanParameters)
    assert wanted_rules.read(query) == wanted_rules.read(NeedFeatures(**asked)) == Wanted(**asked)


@pytest.mark.parametrize(
    ("asked", "name"),
    [({"exit_country": "ZZ"}, "exit_country"), ({"not_exit_country": "HK,ZZ"}, "not_exit_country")],
)
def test_an_unknown_country_is_named(asked, name):
    with pytest.raises(InvalidFeature, match="ZZ") as found:
        wanted_rules.read(Wanted(**asked))
    assert found.value.feature == name


def test_an_order_adds_to_what_its_quote_asks_for():
    both = wanted_rules.both(Wanted(topup=True, hotspot=True), Wanted(topup=True, operator="KT"))
    assert both == Wanted(topup=True, hotspot=True, operator="KT")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [({"exit_country": "JP"}, {"exit_country": "US"}), ({"kyc_required": False}, {"kyc_required": True})],
)
def test_an_order_may_not_ask_for_another_than_its_quote(ours, theirs):
    with pytest.raises(InvalidFeature, match="the quote was made for another"):
        wanted_rules.both(Wanted(**ours), Wanted(**theirs))


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({}, Wanted()),
        (
            {"topup": True, "kyc_required": False, "operator": "KT"},
            Wanted(topup=True, kyc_required=False, operator="KT"),
        ),
        ({"topup": False, "voice": False, "sms": False, "five_g": False, "exit_country": None}, Wanted()),
        (
            {"topup": True, "voice": False, "sms": True, "five_g": True, "exit_country": "HK"},
            Wanted(topup=True, sms=True, network="5G", exit_country="HK"),
        ),
    ],
)
def test_orders_keep_what_they_asked_for_in_the_form_of_today_and_of_before(values, wanted):
    assert wanted_rules.stored(values) == wanted
    assert wanted_rules.stored(msgspec.to_builtins(wanted)) == wanted
