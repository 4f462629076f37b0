"""Facts of a SKU in the attributes whose codes the account is configured with."""

import pytest

from providers.s2s import attribute_facts
from providers.s2s.settings import Attributes
from providers.s2s.sources import AttributeCodes
from schemas.plan import Features, Network, Offer, SetAside, SetAsideReason
from tests.providers.s2s.test_mapping import of

CODES = AttributeCodes(
    country="coverage", data="volume", days="validity", hotspot="tethering", voice_minutes="minutes", sms_count="texts",
    phone_number="number", kyc_required="kyc", install_within_days="install", exit_country="exit", networks="operators",
)  # fmt: skip
GOOD = {"coverage": "JP", "volume": "3 GB", "validity": "30"}


def sku(name="Travel", **attributes):
    return of(name, "Travel", codes=CODES, **GOOD, **attributes)


def test_each_setting_is_a_code():
    assert tuple(Attributes.model_fields) == AttributeCodes.__struct_fields__


@pytest.mark.parametrize(
    ("attributes", "facts"),
    [
        ({}, {}),
        ({"tethering": True}, {"hotspot": True}),
        ({"tethering": "not supported"}, {"hotspot": False}),
        ({"tethering": "ask us"}, {}),
        ({"minutes": "100"}, {"voice": True, "voice_minutes": 100}),
        ({"minutes": 100.0}, {"voice": True, "voice_minutes": 100}),
        ({"minutes": "Unlimited"}, {"voice": True, "voice_unlimited": True}),
        ({"minutes": "no"}, {"voice": False, "voice_minutes": 0}),
        ({"texts": 50}, {"sms": True, "sms_count": 50}),
        ({"number": "yes"}, {"phone_number": True}),
        ({"kyc": "required"}, {"kyc_required": True}),
        ({"kyc": "not required"}, {"kyc_required": False}),
        ({"install": "180 days"}, {"install_within_days": 180}),
        ({"install": 90}, {"install_within_days": 90}),
        ({"install": "soon"}, {}),
        ({"exit": "SG"}, {"exit_country": "SG"}),
        ({"exit": "Atlantis"}, {}),
        ({"colour": "red"}, {}),
    ],
)
def test_attributes_state_facts(attributes, facts):
    assert sku(**attributes).features == Features(**facts)


def test_an_account_without_codes_reads_the_names():
    found = of(
        "10GB Japan Data + 100 min 30 Days", "Travel, 50 SMS, no hotspot", codes=AttributeCodes(), tethering="yes"
    )
    assert isinstance(found, Offer)
    assert found.features == Features(voice=True, voice_minutes=100, sms=True, sms_count=50, hotspot=False)
    assert found.plan_id.startswith("jp-10gb-100minutes-50sms-30d-")


def test_attributes_go_before_names_but_minutes_that_differ_are_contradictory():
    assert sku("Travel no hotspot", tethering="yes").features.hotspot is True
    found = sku("Travel + 100 min", minutes="200")
    assert isinstance(found, SetAside)
    assert found.reason is SetAsideReason.CONTRADICTORY
    assert found.detail == "minutes and SMS: 200 minutes by its attributes, 100 minutes by the SKU's name"


@pytest.mark.parametrize(
    ("value", "covered", "found"),
    [
        (
            "Docomo 5G, SoftBank (440-20) LTE",
            ("JP",),
            (Network("JP", "Docomo", "5G"), Network("JP", "SoftBank", "4G", "44020")),
        ),
        (["KT", "KT", "SKT 3G"], ("KR",), (Network("KR", "KT"), Network("KR", "SKT", "3G"))),
        (
            "JP: Docomo 4G; KR: KT 5G; US: AT&T",
            ("JP", "KR"),
            (Network("JP", "Docomo", "4G"), Network("KR", "KT", "5G")),
        ),
        ("Docomo, KT", ("JP", "KR"), ()),
        (None, ("JP",), ()),
        ("", ("JP",), ()),
        (5, ("JP",), (Network("JP", "5"),)),
    ],
)
def test_operators_are_networks_of_the_countries_that_are_covered(value, covered, found):
    assert attribute_facts.networks(value, covered) == found
