"""How PikaSim's packages become offers, and what is set aside with which reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from providers.kit import places
from providers.pikasim import mapping
from schemas.errors import (
    DuplicateReference,
    InsufficientBalance,
    InvalidRequest,
    NotAuthorised,
    NotFound,
    Outcome,
    Refused,
    SupplierError,
)
from schemas.money import Money
from schemas.plan import (
    AfterFullSpeed,
    FullSpeed,
    Network,
    Offer,
    Period,
    Reset,
    SetAside,
    SetAsideReason,
    Starts,
)
from tests.providers.json_shape import ANYTHING

GIGABYTE = 2**30
GOOD: dict[str, Any] = {
    "packageCode": "JP_7D_1GB",
    "name": "Japan 7 Days 1GB",
    "slug": "japan-7-days-1gb",
    "location": "JP",
    "region": None,
    "isGlobalPackage": False,
    "locationNetworkList": [
        {"locationName": "Japan", "operatorList": [{"operatorName": "Docomo", "networkType": "4G"}]}
    ],
    "volume": GIGABYTE,
    "volumeGB": 1,
    "dataType": 1,
    "duration": 7,
    "durationUnit": "DAY",
    "speed": "4G/LTE",
    "price": 500,
    "priceFormatted": "$5.00",
    "ipExport": "US",
    "maxPrivacy": True,
    "smsStatus": 0,
    "supportTopUpType": True,
    "activeType": 1,
    "description": "7-day Japan eSIM with 1GB data",
}


def mapped(**changes: Any) -> Offer | SetAside:
    package = {key: value for key, value in (GOOD | changes).items() if value is not ...}
    return mapping.item(Raw(msgspec.json.encode(package)))


def offer(**changes: Any) -> Offer:
    found = mapped(**changes)
    assert isinstance(found, Offer), found
    return found


def aside(**changes: Any) -> SetAside:
    found = mapped(**changes)
    assert isinstance(found, SetAside), found
    return found


def where(location: Any, *names: str, **more: Any) -> dict[str, Any]:
    return {"location": location, "locationNetworkList": [{"locationName": name} for name in names], **more}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (where("JP", "Japan"), ("JP",)),
        (where("JP"), ("JP",)),
        (where("jp"), ("JP",)),
        (where("JP, UK", "Japan"), ("GB", "JP")),
        (where("JP,KR", "Japan", "South Korea"), ("JP", "KR")),
        (where("JP,KR", "Japan"), ("JP", "KR")),  # operators are known of one country only
        (where("JP", "Japan", "South Korea"), ("JP", "KR")),  # the country list is the longer one
        (where("Asia", "Japan", "South Korea", region="Asia"), ("JP", "KR")),
        (where("Asia-7", "Japan", "South Korea"), ("JP", "KR")),  # a brand's region with its list
        (where(None, "Japan"), ("JP",)),
        (where("South Korea"), ("KR",)),
        (where("Global", "Japan", "France", isGlobalPackage=True), ("FR", "JP")),
        (where("JP", "Japan", "Somewhere"), ("JP",)),  # the code is certain, the odd name is no country more
        (where("Iberia", "Spain", "Canary Islands", region="Iberia"), ("ES",)),
        ({"location": "JP", "locationNetworkList": None}, ("JP",)),
        (where("JPN,KOR", "Japan", "South Korea"), ("JP", "KR")),
        (where("ES", "Canary Islands"), ("ES",)),  # no country is read, so the code decides
        (where("HK", "Hong Kong", "China"), ("HK",)),  # China is whose Hong Kong is
        (where("GI", "United Kingdom", "Gibraltar"), ("GI",)),
        (where("Japan Docomo", "Japan"), ("JP",)),
    ],
)
def test_the_countries_are_the_longer_of_location_and_networks(fields: dict[str, Any], expected: Any) -> None:
    assert offer(**fields).coverage == expected


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (where("JP", "South Korea"), "contradictory"),
        (where("JP,FR", "Japan", "South Korea"), "contradictory"),
        (where("HK", "China"), "contradictory"),
        (where("Europe"), "coverage_unknown"),
        (where("EU-42", region="Europe"), "coverage_unknown"),
        (where("Everywhere", isGlobalPackage=True), "coverage_unknown"),
        (where("Europe", "Balkans", region="Europe"), "coverage_unknown"),
        (where(None), "coverage_unknown"),
        (where("Bali City"), "no_such_country"),
        (where("Bali City", "Indonesia"), "no_such_country"),  # a city is not the country that it lies in
        (where("Hawaii"), "no_such_country"),
        (where("Asia", "Japan", "Nowhereland", region="Asia"), "no_such_country"),
        (where(["JP"]), "coverage_unknown"),
        (where("JP," * 1000), "coverage_unknown"),
        ({"locationNetworkList": "Japan"}, "coverage_unknown"),
    ],
)
def test_countries_that_are_not_certain_set_the_package_aside(fields: dict[str, Any], reason: str) -> None:
    found = aside(**fields)
    assert found.reason.value == reason
    assert found.detail


def test_an_operator_of_the_networks_is_left_out_behind_its_country() -> None:
    networks = [{"locationName": "Japan", "operatorList": [{"operatorName": "Blorptel", "networkType": "4G"}]}]
    assert offer(location="Japan Blorptel", locationNetworkList=networks).coverage == ("JP",)
    assert aside(location="Japan Blorptel", locationNetworkList=[]).reason is SetAsideReason.NO_SUCH_COUNTRY


def test_a_top_up_is_no_package_but_an_option() -> None:
    raw = Raw(msgspec.json.encode(GOOD | {"name": "Japan 1GB Top-up"}))
    found = mapping.item(raw)
    assert isinstance(found, SetAside)
    assert found.reason is SetAsideReason.NOT_A_NEW_ESIM
    assert isinstance(mapping.option(raw, ("JP",)), Offer)


def test_a_region_that_is_listed_for_the_supplier_has_those_countries(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {("pikasim", "Benelux Area"): ("BE", "LU", "NL")}
    monkeypatch.setattr(places, "supplier_region", lambda provider, name, overrides=None: listed.get((provider, name)))
    assert offer(**where("Benelux Area", region="Benelux Area")).coverage == ("BE", "LU", "NL")


@pytest.mark.parametrize(
    ("kind", "mb", "reset", "allowance", "after"),
    [
        (1, 1000, Reset.NEVER, None, AfterFullSpeed()),
        (2, 1000, Reset.DAILY, None, AfterFullSpeed(cut_off=False)),
        (3, 1000, Reset.DAILY, None, AfterFullSpeed(cut_off=True)),
        (4, None, Reset.NEVER, FullSpeed(1000, Period.DAY), AfterFullSpeed()),
    ],
)
def test_each_data_type_has_its_meaning(
    kind: int, mb: int | None, reset: Reset, allowance: FullSpeed | None, after: AfterFullSpeed
) -> None:
    data = offer(dataType=kind).data
    assert (data.mb, data.reset, data.allowance, data.after, data.unlimited) == (mb, reset, allowance, after, kind == 4)


@pytest.mark.parametrize(
    ("kind", "name", "tier", "after"),
    [
        (4, "Japan Unlimited Plus 7 Days", "Plus", AfterFullSpeed()),
        (4, "Japan Unlimited 1GB/day then 512kbps", None, AfterFullSpeed(512, cut_off=False)),
        (2, "Japan 1GB/Day (512kbps) 7 Days", None, AfterFullSpeed(512, cut_off=False)),
        (2, "Japan 2GB/Day 7 Days", None, AfterFullSpeed(cut_off=False)),
    ],
)
def test_the_name_says_what_follows_and_the_tier(kind: int, name: str, tier: str | None, after: AfterFullSpeed) -> None:
    volume = 2 * GIGABYTE if "2GB" in name else GIGABYTE
    data = offer(dataType=kind, name=name, volume=volume, volumeGB=0).data
    assert (data.tier, data.after) == (tier, after)


@pytest.mark.parametrize("volume", [0, None, ...])
def test_unlimited_without_a_volume_states_no_fair_use(volume: Any) -> None:
    data = offer(dataType=4, volume=volume, volumeGB=volume).data
    assert (data.unlimited, data.mb, data.allowance) == (True, None, None)


@pytest.mark.parametrize(
    ("volume", "gigabytes", "mb", "declared"),
    [
        (GIGABYTE, 1, 1000, "1 GB"),
        (10**9, 1, 1000, "1 GB"),
        (GIGABYTE // 2, 0.5, 500, "0.5 GB"),
        (500 * 2**20, 0.49, 500, "0.5 GB"),
        (500 * 10**6, 0.5, 500, "0.5 GB"),
        (1000 * GIGABYTE, 1000, 1_000_000, "1000 GB"),
        (None, 2, 2000, "2 GB"),
        ("1073741824", "1", 1000, "1 GB"),
    ],
)
def test_the_declared_amount_comes_from_the_bytes(volume: Any, gigabytes: Any, mb: int, declared: str) -> None:
    data = offer(volume=volume, volumeGB=gigabytes, name="Japan").data
    assert (data.mb, data.declared) == (mb, declared)


@pytest.mark.parametrize(
    ("volume", "name", "mb"),
    [
        (15 * 10**9, "Japan 15GB 30 Days", 15_000),
        (50 * 10**9, "Japan 50 GB", 50_000),
        (10_000 * 2**20, "Japan 10GB", 10_000),
        (49_123_456_789, "Japan 47 GB", 47_000),
        (GIGABYTE, "Japan 1GB/day", 1000),  # of a day, beside bytes of all days
        (GIGABYTE, "Japan", 1000),
    ],
)
def test_the_name_is_read_beside_the_bytes(volume: int, name: str, mb: int) -> None:
    assert offer(volume=volume, volumeGB=0, name=name).data.mb == mb


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dataType": 9}, SetAsideReason.UNKNOWN_DATA_TYPE),
        ({"dataType": None}, SetAsideReason.UNKNOWN_DATA_TYPE),
        ({"dataType": "total"}, SetAsideReason.UNKNOWN_DATA_TYPE),
        ({"volume": 0}, SetAsideReason.NO_DATA_AMOUNT),
        ({"volume": -1}, SetAsideReason.NO_DATA_AMOUNT),
        ({"volume": 10**30}, SetAsideReason.NO_DATA_AMOUNT),
        ({"volume": None, "volumeGB": None}, SetAsideReason.NO_DATA_AMOUNT),
        ({"volume": None, "volumeGB": "1e999999"}, SetAsideReason.NO_DATA_AMOUNT),
        ({"volume": None, "volumeGB": "NaN"}, SetAsideReason.NO_DATA_AMOUNT),
        ({"volume": None, "volumeGB": "sNaN"}, SetAsideReason.NO_DATA_AMOUNT),
        ({"volume": {}}, SetAsideReason.NO_DATA_AMOUNT),
        ({"volume": 3 * GIGABYTE, "volumeGB": 99}, SetAsideReason.CONTRADICTORY),
        ({"volume": 524_288_000, "volumeGB": 500}, SetAsideReason.CONTRADICTORY),
        ({"volume": GIGABYTE, "name": "Japan 7 Days 10GB"}, SetAsideReason.CONTRADICTORY),
        ({"volume": 1001 * GIGABYTE, "volumeGB": 1001, "name": "Japan"}, SetAsideReason.UNLIKELY_AMOUNT),
        ({"volume": 1001 * GIGABYTE, "volumeGB": 0, "name": "Japan", "dataType": 4}, SetAsideReason.UNLIKELY_AMOUNT),
        ({"duration": None}, SetAsideReason.NO_VALIDITY),
        ({"duration": 0}, SetAsideReason.NO_VALIDITY),
        ({"duration": "a week"}, SetAsideReason.NO_VALIDITY),
        ({"durationUnit": "FORTNIGHT"}, SetAsideReason.UNKNOWN_UNIT),
        ({"durationUnit": None}, SetAsideReason.UNKNOWN_UNIT),
        ({"durationUnit": 1}, SetAsideReason.UNKNOWN_UNIT),
        ({"price": None}, SetAsideReason.NO_PRICE),
        ({"price": 0}, SetAsideReason.NO_PRICE),
        ({"price": -500}, SetAsideReason.NO_PRICE),
        ({"price": "five"}, SetAsideReason.NO_PRICE),
        ({"price": "sNaN"}, SetAsideReason.NO_PRICE),
        ({"price": "1e999999"}, SetAsideReason.NO_PRICE),
        ({"price": "1e-999999"}, SetAsideReason.NO_PRICE),
        ({"price": 10**30}, SetAsideReason.NO_PRICE),
        ({"name": " "}, SetAsideReason.NO_NAME),
        ({"packageCode": ""}, SetAsideReason.NO_NAME),
        ({"packageCode": ...}, SetAsideReason.NO_NAME),
    ],
)
def test_a_package_that_lacks_something_is_set_aside_with_the_reason(changes: Any, reason: SetAsideReason) -> None:
    found = aside(**changes)
    assert found.reason is reason
    assert found.supplier_plan_id
    assert found.detail


@pytest.mark.parametrize(
    ("duration", "unit", "days"), [(7, "DAY", 7), (1, "MONTH", 30), ("3", "month", 90), (2, "WEEK", 14)]
)
def test_durations_are_counted_in_days(duration: Any, unit: str, days: int) -> None:
    assert offer(duration=duration, durationUnit=unit).validity.days == days


@pytest.mark.parametrize(
    ("cents", "dollars"), [(500, "5"), (1, "0.01"), ("518", "5.18"), (499.5, "4.995"), (88.99999999999999, "0.89")]
)
def test_the_price_is_exact_cents_of_a_dollar(cents: Any, dollars: str) -> None:
    assert offer(price=cents).cost == Money(Decimal(dollars), "USD")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ipExport": "US"}, "US"),
        ({"ipExport": "gb"}, "GB"),
        ({"ipExport": None, "maxPrivacy": False}, "HK"),
        ({"ipExport": None, "maxPrivacy": None}, "HK"),
        ({"ipExport": None, "maxPrivacy": True}, None),  # the two contradict each other
        ({"ipExport": ..., "maxPrivacy": False}, None),
        ({"ipExport": "UK/NO"}, None),
        ({"ipExport": "moon"}, None),
    ],
)
def test_traffic_exits_where_the_package_says_and_null_is_hong_kong(changes: Any, expected: str | None) -> None:
    assert offer(**changes).features.exit_country == expected


@pytest.mark.parametrize(("status", "sms"), [(0, False), (1, True), (2, False), (3, None), (None, None)])
def test_sms_is_what_a_traveller_can_use(status: int | None, sms: bool | None) -> None:
    assert offer(smsStatus=status).features.sms is sms


@pytest.mark.parametrize(
    ("changes", "not_exits"),
    [({"maxPrivacy": True, "ipExport": None}, ("CN", "HK")), ({"maxPrivacy": False}, ()), ({"maxPrivacy": None}, ())],
)
def test_maximum_privacy_rules_out_two_exits(changes: Any, not_exits: tuple[str, ...]) -> None:
    assert offer(**changes).features.not_exit_countries == not_exits


def test_a_name_says_what_no_field_does() -> None:
    found = offer(name="Japan 7 Days 1GB + 100 Minutes + 50 SMS, no hotspot", smsStatus=1).features
    assert (found.voice, found.voice_minutes, found.sms, found.sms_count) == (True, 100, True, 50)
    assert found.hotspot is False
    assert offer(name="Japan 7 Days 1GB + 50 SMS", smsStatus=0).features.sms_count is None


def test_an_operator_may_come_with_its_number() -> None:
    listed = [{"locationName": "Japan", "operatorList": [{"operatorName": "Docomo (440-10)", "networkType": "5G"}]}]
    assert offer(location="JP", locationNetworkList=listed).networks == (Network("JP", "Docomo", "5G", "44010"),)


@pytest.mark.parametrize(("told", "topup"), [(True, True), (False, False), (None, None), (2, None)])
def test_topups_are_known_only_from_a_yes_or_no(told: Any, topup: bool | None) -> None:
    assert offer(supportTopUpType=told).features.topup is topup


@pytest.mark.parametrize(
    ("told", "starts"), [(1, Starts.INSTALL), (2, Starts.FIRST_USE), (3, Starts.UNKNOWN), (None, Starts.UNKNOWN)]
)
def test_the_validity_starts_by_its_type(told: int | None, starts: Starts) -> None:
    assert offer(activeType=told).validity.starts is starts


def test_networks_are_those_of_the_covered_countries_without_repeats() -> None:
    listed = [
        {"locationName": "Japan", "operatorList": [{"operatorName": "KDDI", "networkType": "3G/4G/5G"}] * 2},
        {"locationName": "South Korea", "operatorList": [{"operatorName": "<i>SK</i>", "networkType": "LTE"}]},
        {"locationName": "Nowhereland", "operatorList": [{"operatorName": "Ghost", "networkType": "5G"}]},
        {"locationName": "Japan", "operatorList": [{"operatorName": "Rakuten"}, {"operatorName": ""}]},
        {"locationName": "Japan", "operatorList": None},
    ]
    found = offer(location="JP,KR", locationNetworkList=listed, speed="4G/LTE").networks
    assert found == (Network("JP", "KDDI", "5G"), Network("KR", "SK", "4G"), Network("JP", "Rakuten", "4G"))


@pytest.mark.parametrize(("text", "name"), [("5G", "5G"), ("4G/LTE", "4G"), ("3G", "3G"), ("EDGE", None), (None, None)])
def test_a_generation_is_the_newest_that_is_named(text: str | None, name: str | None) -> None:
    assert mapping.generation(text) == name


def test_a_description_is_plain_and_short() -> None:
    found = offer(description="<p>Fast&nbsp;data</p><script>alert(1)</script>" + "x" * 10_000).description
    assert found.startswith("Fast data x")
    assert len(found) == 500


def test_one_package_may_stand_by_itself_or_in_a_field() -> None:
    alone = msgspec.json.encode(GOOD)
    assert mapping.single(Raw(alone)) == mapping.single(Raw(b'{"package": %s}' % alone)) == offer()
    assert isinstance(mapping.single(Raw(b"[]")), SetAside)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, NotAuthorised),
        (402, InsufficientBalance),
        (403, NotAuthorised),
        (404, NotFound),
        (200, Refused),
    ],
)
def test_a_refusal_is_the_error_of_its_status(status: int, kind: type[SupplierError]) -> None:
    found = mapping.refusal(status, b'{"success": false, "error": "Error message here"}')
    assert isinstance(found, kind)
    assert found.outcome is Outcome.DID_NOT_HAPPEN


def test_a_reference_that_was_used_before_is_no_refusal() -> None:
    found = mapping.refusal(400, b'{"success": false, "error": "externalOrderId already exists"}')
    assert isinstance(found, DuplicateReference)
    assert found.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("status", [409, 418, 500])
def test_a_status_that_the_page_does_not_list_is_no_refusal(status: int) -> None:
    assert mapping.refusal(status, b'{"success": false, "error": "x"}') is None


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"success": true}', b"[]", b'{"error": "x"}', b"\xff"])
def test_what_is_no_readable_refusal_is_none(body: bytes) -> None:
    assert mapping.refusal(404, body) is None


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(st.sampled_from(sorted(GOOD)), ANYTHING))
def test_no_package_whatever_its_fields_breaks_the_mapping(changes: dict[str, Any]) -> None:
    found = mapped(**changes)
    assert found.supplier_plan_id
    assert found.name.isprintable()
    if isinstance(found, SetAside):
        assert found.detail
        assert found.raw == msgspec.json.encode(GOOD | changes)


@settings(deadline=None)  # the machine may be busy
@given(ANYTHING)
def test_no_item_whatever_it_is_breaks_the_mapping(thing: Any) -> None:
    raw = Raw(msgspec.json.encode(thing))
    assert isinstance(mapping.item(raw), SetAside)
    assert isinstance(mapping.single(raw), SetAside)
