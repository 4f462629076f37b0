"""What a plan can be asked for: which offers have a feature, by what their suppliers say."""

import msgspec
import pytest

from schemas.features import FactRule, Wanted, lacking, requirements, rules
from schemas.plan import Features, Network

DOCOMO = Network("JP", "NTT Docomo", "5G", "44010")
KT = Network("KR", "KT", "4G")


@pytest.mark.parametrize("name", ["topup", "voice", "sms", "hotspot", "phone_number", "usage", "refundable"])
@pytest.mark.parametrize(("stated", "has"), [(True, True), (False, False), (None, False)])
def test_a_plain_feature_is_had_only_where_it_is_stated(name, stated, has):
    assert (lacking(Wanted(**{name: True}), Features(**{name: stated}), ()) == ()) is has


@pytest.mark.parametrize(
    ("stated", "asked", "has"),
    [
        (Features(kyc_required=False), {"kyc_required": False}, True),
        (Features(kyc_required=True), {"kyc_required": False}, False),
        (Features(), {"kyc_required": False}, False),
        (Features(kyc_required=True), {"kyc_required": True}, True),
        (Features(voice_minutes=100), {"voice_minutes": 100}, True),
        (Features(voice_minutes=99), {"voice_minutes": 100}, False),
        (Features(voice_unlimited=True), {"voice_minutes": 100}, True),
        (Features(voice=True), {"voice_minutes": 1}, False),
        (Features(sms_count=50), {"sms_count": 51}, False),
        (Features(sms_unlimited=True), {"sms_count": 51}, True),
        (Features(exit_country="US"), {"exit_country": "US"}, True),
        (Features(), {"exit_country": "US"}, False),
        (Features(exit_country="US"), {"not_exit_country": "CN,HK"}, True),
        (Features(exit_country="HK"), {"not_exit_country": "CN,HK"}, False),
        (Features(exit_country="HK"), {"not_exit_country": "CN"}, True),
        (Features(), {"not_exit_country": "HK"}, False),
        (Features(not_exit_countries=("CN", "HK")), {"not_exit_country": "HK"}, True),
        (Features(not_exit_countries=("CN", "HK")), {"not_exit_country": "HK,US"}, False),
    ],
)
def test_facts_are_compared_by_what_is_known(stated, asked, has):
    assert (lacking(Wanted(**asked), stated, ()) == ()) is has


@pytest.mark.parametrize(
    ("asked", "countries", "has"),
    [
        ({"network": "5G"}, (), True),
        ({"network": "5G"}, ("JP",), True),
        ({"network": "5G"}, ("JP", "KR"), False),
        ({"operator": "docomo"}, (), True),
        ({"operator": "NTT docomo"}, ("JP",), True),
        ({"operator": "Doc"}, (), False),
        ({"operator": "44010"}, ("JP",), True),
        ({"operator": "44011"}, (), False),
        ({"operator": "Docomo"}, ("KR",), False),
    ],
)
def test_networks_count_in_each_country_asked_for_or_in_some(asked, countries, has):
    assert (lacking(Wanted(**asked), Features(), (DOCOMO, KT), countries) == ()) is has


def test_all_that_is_lacking_is_named_in_the_order_of_the_declarations():
    wanted = Wanted(refundable=True, topup=True, operator="KT", sms_count=5)
    assert lacking(wanted, Features(), ()) == ("topup", "operator", "sms_count", "refundable")
    assert lacking(Wanted(), Features(), ()) == ()


def test_each_feature_has_a_rule_and_says_what_a_plan_lacks_without_it():
    assert list(rules()) == list(Wanted.__struct_fields__)
    for rule in rules().values():
        assert rule.phrase.format("X")


def test_what_a_rule_shows_is_a_fact_of_the_plan():
    features = Features(exit_country="US", voice_minutes=7, sms_count=8, kyc_required=True)
    shown = {name: rule.has(features) for name, rule in rules().items() if isinstance(rule, FactRule)}
    assert (shown["exit_country"], shown["not_exit_country"]) == ("US", "US")
    assert (shown["voice_minutes"], shown["sms_count"], shown["kyc_required"], shown["topup"]) == (7, 8, True, None)


def test_only_what_is_asked_for_is_written_and_read_again():
    wanted = Wanted(kyc_required=False, voice_minutes=30)
    assert msgspec.json.encode(wanted) == b'{"voice_minutes":30,"kyc_required":false}'
    assert msgspec.json.decode(msgspec.json.encode(wanted), type=Wanted) == wanted
    assert [(asked.name, asked.value) for asked in requirements(wanted)] == [
        ("voice_minutes", 30),
        ("kyc_required", False),
    ]
