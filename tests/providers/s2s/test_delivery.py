"""An eSIM found in delivered goods of no stated shape."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.s2s import delivery

ICCID = "8944422711108338982"
LPA = "LPA:1$rsp.example.com$K2-ABC-123"
OTHER = "LPA:1$rsp.example.com$K2-XYZ-999"
PNG = b"\x89PNG\r\n\x1a\n rest of it"
PICTURE = "data:image/png;base64," + base64.b64encode(PNG).decode()
PARTS = {"smdp_address": "rsp.example.com", "matching_id": "K2-ABC-123"}


@pytest.mark.parametrize(
    "given_as",
    [
        [{"iccid": ICCID, "lpa": LPA}],
        {"iccid": ICCID, "lpa": LPA},
        [[{"iccid": ICCID, "lpa": LPA}]],
        [{"esim": {"iccid": ICCID, "activationCode": LPA}}],
        [{"esims": [{"ICCID": ICCID, "qrCode": LPA}]}],
        [{"iccid": int(ICCID), "qr_code": LPA}],
        [{"iccid": f" {ICCID} ", "lpa": f" {LPA}\n"}],
        [{"iccid": ICCID}, {"activation_code": LPA.removeprefix("LPA:")}],
        [{"iccid": ICCID, **PARTS}],
        [{"iccid": ICCID, "smdpAddress": PARTS["smdp_address"], "matchingId": PARTS["matching_id"]}],
        [{"iccid": ICCID, **PARTS, "lpa": LPA, "activation_code": LPA, "qr_code": LPA}],
        [{"iccid": ICCID, **PARTS, "qr_code": "https://qr.example.com/1.png"}],
        [{"iccid": ICCID, "pin": "9b32", "expiration": None, "qr_code": LPA, "activation_code": "pending"}],
    ],
)
def test_it_is_found_wherever_and_however_it_stands(given_as):
    found = delivery.esim(given_as)
    assert (found.iccid, found.activation_code, found.conflict) == (ICCID, LPA, False)
    assert (found.smdp_address, found.matching_id) == ("rsp.example.com", "K2-ABC-123")


@pytest.mark.parametrize(
    "given_as",
    [
        [{"lpa": LPA, "qr_code": OTHER}],
        [{"lpa": LPA}, {"lpa": OTHER}],
        [{**PARTS, "activation_code": OTHER}],
    ],
)
def test_complete_codes_that_differ_are_a_conflict(given_as):
    assert delivery.esim(given_as).conflict


@pytest.mark.parametrize(
    "other", [LPA.replace("rsp.example.com", "RSP.example.com"), f"{LPA}$1.3.6.1$1", LPA.lower()[:10]]
)
def test_ways_of_writing_one_code_are_no_conflict(other):
    assert not delivery.esim([{"lpa": LPA, "qr_code": other}]).conflict


def test_one_of_two_spellings_that_asks_for_a_confirmation_counts():
    assert delivery.esim([{"lpa": LPA, "qr_code": f"{LPA}$1.3.6.1$1"}]).confirmation_code_required


def test_a_code_that_is_only_text_is_found():
    assert delivery.esim(LPA).activation_code == LPA


def test_a_picture_stands_in_for_a_text_that_cannot_be_installed():
    found = delivery.esim([{"iccid": ICCID, "activation_code": f"LPA:1${ICCID}", "qr_code": PICTURE}])
    assert (found.activation_code, found.qr_image, found.smdp_address) == (f"LPA:1${ICCID}", PNG, None)


def test_an_iccid_alone_is_a_delivery_without_a_code():
    found = delivery.esim([{"iccid": ICCID, "status": "recharged"}])
    assert (found.iccid, found.activation_code) == (ICCID, None)


@pytest.mark.parametrize(
    "nothing",
    [
        None,
        [],
        {},
        "",
        [None],
        [{"pin": "9b32", "serialNumber": "", "expiration": None}],
        [{"lpa": None, "iccid": None}],
        [{"qr_code": "https://qr.example.com/1.png"}],
        [{"iccid": True}],
        [{"iccid": ["x"], "lpa": {"x": 1}}],
        [{"smdp_address": "rsp.example.com"}],
    ],
)
def test_goods_without_an_esim_are_none(nothing):
    assert delivery.esim(nothing) is None


def test_text_that_is_no_number_is_no_iccid():
    assert delivery.esim([{"iccid": "<b>89</b>", "lpa": LPA}]).iccid is None
    assert delivery.esim([{"iccid": "8" * 33, "lpa": LPA}]).iccid is None


def nested(value):
    return st.recursive(
        value, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    )


KEYS = ["iccid", "lpa", "qr_code", "activation_code", "smdp_address", "matching_id", "esim", "x"]


@given(
    nested(st.none() | st.booleans() | st.integers() | st.text(max_size=60) | st.sampled_from([LPA, OTHER, PICTURE]))
)
def test_no_shape_makes_reading_fail(value):
    found = delivery.esim(value)
    assert found is None or found.iccid or found.activation_code or found.qr_image


def test_depth_has_an_end():
    deep = {"lpa": LPA}
    for _ in range(2000):
        deep = {"x": deep}
    assert delivery.esim(deep) is None
