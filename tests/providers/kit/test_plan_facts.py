"""Facts in names: minutes and SMS, hotspot, identification, a phone number, how soon to install."""

import msgspec
import pytest

from providers.kit import plan_facts, plan_names
from schemas.plan import Features

CALLS = {"voice": True, "voice_minutes": 100}
TEXTS = {"sms": True, "sms_count": 50}


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("Japan 5GB 30 Days", {}),
        ("UK 10 GB + 100 Minutes + 50 SMS 30 Days", CALLS | TEXTS),
        ("UK 10 GB & 100 mins, 50 texts 30 Days", CALLS | TEXTS),
        ("UK 10GB 100 min 30 days", CALLS),
        ("UK 10GB with 100 local minutes", CALLS),
        ("UK 10GB 100 voice minutes", CALLS),
        ("UK 10GB 100 minutes of calls", CALLS),
        ("UK 10GB 1,000 minutes 30 days", {"voice": True, "voice_minutes": 1000}),
        ("无限流量 100分钟 30天", CALLS),
        ("UK 5GB unlimited calls & SMS", {"voice": True, "voice_unlimited": True, "sms": True, "sms_unlimited": True}),
        ("UK unlimited data and calls 30 days", {"voice": True, "voice_unlimited": True}),
        ("UK 5GB not unlimited", {}),
        ("UK 5GB 100 minutes 200 minutes 30 days", {}),
        ("Japan 5GB hotspot", {"hotspot": True}),
        ("Japan 5GB tethering allowed", {"hotspot": True}),
        ("Japan 5GB no hotspot", {"hotspot": False}),
        ("Japan 5GB (Hotspot not supported)", {"hotspot": False}),
        ("Hong Kong 5GB eKYC required", {"kyc_required": True}),
        ("Hong Kong 5GB real-name registration", {"kyc_required": True}),
        ("Hong Kong 5GB No KYC", {"kyc_required": False}),
        ("Hong Kong 5GB KYC free", {"kyc_required": False}),
        ("UK 5GB with a phone number", {"phone_number": True}),
        ("UK 5GB without phone number", {"phone_number": False}),
        ("Data-only eSIM UK 5GB", {"voice": False, "sms": False, "phone_number": False}),
        ("Japan 5GB 7 days, install within 60 days", {"install_within_days": 60}),
        ("Japan 5GB installed in 2 weeks", {"install_within_days": 14}),
        ("Minsk 5GB 7 days", {}),
        ("x" * 201 + " no hotspot", {}),
    ],
)
def test_a_name_states_facts(name, facts):
    assert plan_facts.facts_of(name) == Features(**facts)


def test_minutes_alone_are_how_long_a_plan_lasts():
    assert plan_facts.facts_of("Japan 1GB 60 Minutes") == Features()
    assert plan_names.parse("Japan 1GB 60 Minutes").unknown_unit == "MINUTE"


@pytest.mark.parametrize(
    ("name", "place", "days"),
    [
        ("United Kingdom 10 GB + 100 Minutes + 50 SMS 30 Days", "United Kingdom", 30),
        ("Japan 5GB (Hotspot not supported) 7 days", "Japan", 7),
        ("Japan 1GB 7 days, install within 60 days", "Japan", 7),
        ("Japan 5GB with a phone number 30 days", "Japan", 30),
        ("Taiwan 3GB eKYC required 5 Days", "Taiwan", 5),
        ("Data-only eSIM Japan 1 GB 7 days", "Japan", 7),
    ],
)
def test_facts_are_no_part_of_a_place_nor_of_a_duration(name, place, days):
    parsed = plan_names.parse(name)
    assert (parsed.place, parsed.days) == (place, days)


def test_what_is_stated_goes_before_the_name():
    named = plan_facts.facts_of("UK 10 GB + 100 Minutes + 50 SMS, no hotspot, 30 Days")
    stated = Features(hotspot=True, voice_minutes=200, exit_country="GB")
    found = plan_facts.completed(stated, named)
    assert (found.hotspot, found.voice_minutes, found.sms_count, found.exit_country) == (True, 200, 50, "GB")
    assert (found.voice, found.sms) == (True, True)


def test_a_plan_without_sms_has_no_number_of_them():
    found = plan_facts.completed(Features(sms=False), plan_facts.facts_of("UK 10 GB + 50 SMS 30 Days"))
    assert (found.sms, found.sms_count) == (False, None)


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [
        ({"voice_minutes": 100}, {"voice_minutes": 100}, False),
        ({"voice_minutes": 100}, {}, False),
        ({"voice_minutes": 100}, {"voice_minutes": 200}, True),
        ({"voice_minutes": 100}, {"voice_unlimited": True}, True),
        ({"sms_count": 0}, {"sms_count": 50}, True),
        ({"hotspot": True}, {"hotspot": False}, False),
    ],
)
def test_two_sources_contradict_each_other_in_minutes_and_sms(first, second, differ):
    assert plan_facts.contradict(Features(**first), Features(**second)) is differ
    assert plan_facts.contradict(Features(**second), Features(**first)) is differ


@pytest.mark.parametrize(
    ("value", "yes"),
    [
        *((True, True), (False, False), (1, True), (0, False), ("Yes", True), ("not  allowed", False)),
        *(("maybe", None), (None, None), ("", None), ([], None), (2, None)),
    ],
)
def test_a_field_says_yes_or_no(value, yes):
    assert plan_facts.yes_or_no(value) is yes


@pytest.mark.parametrize(
    ("value", "counted"),
    [
        *((100, (100, None)), ("100 min", (100, None)), ("1,000", (1000, None)), ("Unlimited", (None, True))),
        *(("no", (0, None)), (False, (0, None)), (True, (None, None)), (None, (None, None)), ("some", (None, None))),
    ],
)
def test_a_field_says_how_many(value, counted):
    assert plan_facts.count(value) == counted


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("Docomo (440-10)", ("Docomo", "44010")),
        ("T-Mobile 310260", ("T-Mobile", "310260")),
        ("O2 - 23410", ("O2", "23410")),
        ("Three", ("Three", None)),
        ("44010", ("44010", None)),
        ("Telecom 2000000", ("Telecom 2000000", None)),
    ],
)
def test_an_operator_may_have_its_number_behind_its_name(text, operator):
    assert plan_facts.operator(text) == operator


def test_included_minutes_and_sms_stand_in_a_plan_s_name_and_are_no_part_of_its_place():
    included = plan_facts.facts_of("+ 100 Minutes + 50 SMS").included
    data = plan_names.data_of("5 GB")
    name = plan_names.plan_name(("JP",), data, 30, included)
    assert name == "Japan 5 GB, 100 minutes, 50 SMS, 30 days"
    parsed = plan_names.parse(name)
    assert (parsed.place, parsed.days, msgspec.to_builtins(parsed.data)["mb"]) == ("Japan", 30, 5000)
