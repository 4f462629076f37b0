"""What is kept of an exchange: its shape and its plain words, and nothing that anybody could use."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from providers.kit.redaction import Redactor
from providers.kit.scrub import MOST_BYTES, MOST_CHARS, path_template, scrubbed

ICCID = "8944500102030405067"
MATCHING = "K2-1QX9BZ-77AB0C"
CODE = f"LPA:1$smdp.example.com${MATCHING}"
KEY = "sk_live_f00dfeedcafe"
EMAIL = "traveller+trip@example.com"
SECRETS = (ICCID, MATCHING, KEY, EMAIL, CODE)


def scrub(request, answer):
    return scrubbed(
        [None if body is None else json.dumps(body).encode() for body in (request, answer)], Redactor((KEY,))
    )


def test_plain_words_ids_and_amounts_stay():
    asked, told = scrub(
        {"packageCode": "JP_7D_1GB", "externalOrderId": "att_0123456789abcdef01234567", "quantity": 1},
        {
            "success": False,
            "error": {"code": "OUT_OF_STOCK", "message": "No stock left for this package"},
            "orderId": "7f1b9a52-0c11-4a52-9a1e-0a8f4f7de201",
            "price": 4.90,
            "created_at": "2026-11-20T10:00:00Z",
        },
    )
    assert json.loads(asked) == {
        "packageCode": "JP_7D_1GB",
        "externalOrderId": "att_0123456789abcdef01234567",
        "quantity": 1,
    }
    assert "OUT_OF_STOCK" in told
    assert "No stock left for this package" in told
    assert "7f1b9a52-0c11-4a52-9a1e-0a8f4f7de201" in told
    assert "4.9" in told
    assert "2026-11-20T10:00:00Z" in told


@pytest.mark.parametrize(
    "answer",
    [
        {"esim": {"iccid": ICCID, "activation_code": CODE, "qrCodeUrl": f"https://x.example/qr?c={CODE}"}},
        {"note": f"Install {CODE} now, or write to {EMAIL}"},
        {"ac": CODE, "matchingId": MATCHING, "smdpAddress": "smdp.example.com", "echo": f"code {MATCHING}, thanks"},
        {"message": f"use {MATCHING}", "id": MATCHING, "esim": {"code": f"1$smdp.example.com${MATCHING}"}},
        {"number": int(ICCID), "sims": [{"value": int(ICCID)}, [ICCID], {ICCID: "active"}]},
        {"detail": f"key {KEY} is good", "authorization": f"Bearer {KEY}", "who": EMAIL},
        {"data": {"email": EMAIL, "nested": {"mail": {"value": EMAIL}}, "id": EMAIL}},
        {"text": "LPA%3A1%24smdp.example.com%24" + MATCHING},
        {"history": [{"esim_iccid": ICCID, "lpa": CODE, "customer": {"contact": EMAIL}}] * 40},
    ],
)
def test_codes_iccids_addresses_and_keys_are_nowhere_whatever_they_are_called(answer):
    asked, told = scrub({"email": EMAIL, "key": KEY, "iccid": ICCID}, answer)
    for secret in SECRETS:
        assert secret not in asked
        assert secret not in told


def test_what_is_secret_on_one_side_is_secret_on_the_other():
    asked, told = scrub({"reference": "plainword", "pin": "plainword"}, {"order_id": "plainword", "status": "ok"})
    assert "plainword" not in asked
    assert "plainword" not in told
    assert '"status": "ok"' in told


def test_long_lists_and_bodies_are_cut_short():
    _, told = scrub(None, {"orders": [{"id": n} for n in range(500)]})
    assert "and 495 more" in told
    assert scrubbed([b"x" * (MOST_BYTES + 1)], Redactor())[0] == f"[{MOST_BYTES + 1:,} bytes]"
    assert len(scrubbed([json.dumps({str(n): "word " * 50 for n in range(60)}).encode()], Redactor())[0]) <= MOST_CHARS


def test_what_is_no_json_is_a_short_text_without_codes():
    page = f"<html><h1>502</h1> {CODE} {ICCID} {EMAIL} {KEY}".encode() + b"\xff" * 5000
    (told,) = scrubbed([page], Redactor((KEY,)))
    assert "502" in told
    assert not any(secret in told for secret in SECRETS)
    assert scrubbed([None, b""], Redactor()) == [None, ""]


@settings(max_examples=150)
@given(
    st.recursive(
        st.sampled_from([ICCID, int(ICCID), CODE, MATCHING, EMAIL, KEY, "word", 3, None, True]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["id", "status", "code", "iccid", "data", ICCID, EMAIL, CODE]), inner)
        ),
        max_leaves=20,
    )
)
def test_no_shape_of_an_answer_lets_a_secret_through(shape):
    told = scrub({"iccid": ICCID, "matching_id": MATCHING}, {"answer": shape})[1]
    assert not any(secret in told for secret in SECRETS)


def test_a_path_is_a_template_and_its_parameters_are_names():
    base = "https://api.example.com/v2/partner"
    for path, template in (
        ("/orders", "/orders"),
        (f"/esim/{ICCID}/usage", "/esim/{id}/usage"),
        ("/orders/7f1b9a52-0c11-4a52-9a1e-0a8f4f7de201?expand=esim&email=a%40b.example", "/orders/{id}?expand&email"),
        (f"/api/v1/qr/{KEY}?{ICCID}=1", "/api/v1/qr/{id}?…"),
    ):
        assert path_template(URL(base + path, encoded=True), "/v2/partner") == template
