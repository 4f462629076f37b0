"""Notifications: verified over their bytes, and read."""

import base64
from datetime import UTC, datetime

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from providers.bepaid import MANIFEST, notice
from schemas.money import Money
from schemas.payment import PaymentKind, PaymentNotice, PaymentState

SHOP = {"shop_id": "361", "secret_key": "bepaid-sandbox-secret", "key": MANIFEST.sandbox_settings["public_key"]}
BODY = (
    b'{"transaction": {"uid": "1-310b0da80b", "status": "successful", "type": "payment", "amount": 990, '
    b'"currency": "USD", "tracking_id": null, "description": "Japan 1 GB [chk_7]", "test": true, '
    b'"paid_at": "2026-11-20T10:00:00.000Z", "customer": {"email": "traveller@example.org"}, "additional_data": {}}}'
)
# What `openssl dgst -sha256 -sign` and `base64` make of the body and of the shop's number and secret.
SIGNATURE = (
    "d/EC4yx8F9H0sKb1k6WMvpZTd9XTjWAFAJ74bcnmaHBsiwKUFiqxy/OK2hvDRLVfp27rlTAcbodpeW2dYjFYYabbWEVSEXfxjhxTPeZ7eL2WOD420mLDWQF8"
    "u7UzSzJGq9Dn12C+odP3Ftr1yuCf6c1Dasa+jPuixKDv1It1UzYQRhL2R07ogrkHAd0OCzwDBI2Xedzl6hNZOYmyBzMUqUp8EQVDfzKiWWyyXgmXJbEjgEKA"
    "b7t0rjDmD9/n3HZcUE/zDG1hxEAv1MkwCMbD8z5UPf7brquGwDmFpcFRoIqZOwxm27y/KRTvBckVq9kT3Vx9XzB2kerntuAv7sjNQw=="
)
HEADERS = {"Authorization": "Basic MzYxOmJlcGFpZC1zYW5kYm94LXNlY3JldA==", "Content-Signature": SIGNATURE}


def told(**more):
    transaction = {
        "uid": "u-1", "status": "successful", "type": "payment", "amount": 550, "currency": "USD",
        "description": "Japan 1 GB [chk_1]", "test": False, "paid_at": "2026-11-20T10:00:00Z", **more,
    }  # fmt: skip
    return msgspec.json.encode({"transaction": {k: v for k, v in transaction.items() if v is not ...}})


def test_what_openssl_signed_is_believed_and_read():
    assert notice.verify(HEADERS, BODY, **SHOP)
    assert notice.parse(BODY) == PaymentNotice(
        payment_id="1-310b0da80b",
        state=PaymentState.CAPTURED,
        paid=Money.of("9.90", "USD"),
        link_id=None,
        checkout_id="chk_7",
        paid_at=datetime(2026, 11, 20, 10, tzinfo=UTC),
        test=True,
        kind=PaymentKind.PAYMENT,
    )


@pytest.mark.parametrize(
    "other", [{"shop_id": "362"}, {"secret_key": "another"}, {"secret_key": ""}, {"shop_id": ""}], ids=repr
)
def test_another_shop_s_is_not_believed(other):
    assert not notice.verify(HEADERS, BODY, **{**SHOP, **other})


def test_what_another_key_signed_is_not_believed():
    key = rsa.generate_private_key(65537, 2048)
    signature = base64.b64encode(key.sign(BODY, PKCS1v15(), hashes.SHA256())).decode()
    headers = {**HEADERS, "Content-Signature": signature}
    assert not notice.verify(headers, BODY, **SHOP)
    pem = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    assert notice.verify(headers, BODY, **{**SHOP, "key": pem}), "a key with PEM's lines is the same key"
    other_hash = base64.b64encode(key.sign(BODY, PKCS1v15(), hashes.SHA512())).decode()
    assert not notice.verify({**headers, "Content-Signature": other_hash}, BODY, **{**SHOP, "key": pem})


def test_a_body_beyond_all_measure_is_not_looked_at():
    assert not notice.verify(HEADERS, BODY + b" " * notice.MAX_BODY, **SHOP)


def test_a_key_that_is_too_short_or_no_rsa_is_refused():
    forms = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    short = rsa.generate_private_key(65537, 1024).public_key().public_bytes(*forms)
    curve = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*forms)
    for der in (short, curve, b"nothing"):
        with pytest.raises(ValueError, match="key"):
            notice.public_key(base64.b64encode(der).decode())


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("successful", PaymentState.CAPTURED),
        ("failed", PaymentState.FAILED),
        ("incomplete", PaymentState.PENDING),
        ("pending", PaymentState.PENDING),
        ("expired", PaymentState.EXPIRED),
        ("SUCCESSFUL", PaymentState.PENDING),
        ("reversed", PaymentState.PENDING),
    ],
)
def test_a_status_that_no_page_states_is_pending(word, state):
    assert notice.parse(told(status=word)).state is state


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("payment", PaymentKind.PAYMENT),
        ("authorization", PaymentKind.AUTHORISATION),
        ("refund", PaymentKind.REFUND),
        ("capture", PaymentKind.OTHER),
        ("chargeback", PaymentKind.OTHER),
        (None, PaymentKind.OTHER),
        (..., PaymentKind.OTHER),
    ],
)
def test_only_a_payment_is_money_taken(word, kind):
    assert notice.parse(told(type=word)).kind is kind


@pytest.mark.parametrize(("says", "test"), [(False, False), (True, True), (None, True), (..., True)])
def test_a_payment_that_does_not_say_that_it_is_no_test_is_one(says, test):
    assert notice.parse(told(test=says)).test is test


@pytest.mark.parametrize(
    "where",
    [
        {"product_id": "prd_0123abcd"},
        {"additional_data": {"product_id": "prd_0123abcd"}},
        {"additional_data": {"vendor": {"link": ["https://api.bepaid.by/products/prd_0123abcd/pay"]}}},
        {"tracking_id": "prd_0123abcd"},
        {"description": "prd_0123abcd: Japan [chk_1]"},
    ],
)
def test_the_product_is_found_wherever_it_is_named(where):
    found = notice.parse(told(**where))
    assert (found.link_id, found.checkout_id) == (
        "prd_0123abcd",
        None if "description" in where and "[" not in where["description"] else "chk_1",
    )


def test_a_notice_of_a_stranger_names_nothing_of_ours():
    found = notice.parse(told(description="A gift", additional_data={"xprd_1234": "prd_", "deep": [[[["prd_1234"]]]]}))
    assert (found.link_id, found.checkout_id) == (None, None)


@pytest.mark.parametrize("price", [("JPY", 990, "990"), ("KWD", 1234, "1.234"), ("USD", 1, "0.01"), ("USD", 0, "0.00")])
def test_an_amount_is_minor_units_of_its_own_currency(price):
    currency, minor, amount = price
    assert notice.parse(told(amount=minor, currency=currency)).paid == Money.of(amount, currency)


@pytest.mark.parametrize(
    "wrong",
    [
        {"uid": ...}, {"uid": ""}, {"uid": "a b"}, {"uid": "x" * 101}, {"uid": None}, {"status": ...}, {"status": 1},
        {"amount": ...}, {"amount": -1}, {"amount": 5.5}, {"amount": "five"}, {"amount": None}, {"amount": True},
        {"amount": 10**30},
        {"currency": ...}, {"currency": "usd"}, {"currency": "DOLLAR"}, {"currency": None},
    ],
    ids=repr,
)  # fmt: skip
def test_a_notice_that_does_not_say_what_was_paid_is_none(wrong):
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's are among them
        notice.parse(told(**wrong))


@pytest.mark.parametrize(
    "odd", [{"tracking_id": 12}, {"product_id": 5}, {"paid_at": 1795000000}, {"tracking_id": {}}, {"product_id": []}]
)
def test_a_payment_is_read_whatever_shape_the_fields_beside_it_have(odd):
    found = notice.parse(told(**odd))
    assert (found.state, found.checkout_id) == (PaymentState.CAPTURED, "chk_1")


def test_what_is_nested_beyond_all_measure_is_none():
    body = told().replace(b'"uid"', b'"additional_data":' + b"[" * 20000 + b"]" * 20000 + b',"uid"')
    with pytest.raises(ValueError, match="nested"):
        notice.parse(body)


@pytest.mark.parametrize("at", [None, ..., "", "yesterday", "2026-11-20T10:00:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_is_none_is_not_told(at):
    assert notice.parse(told(paid_at=at)).paid_at is None
