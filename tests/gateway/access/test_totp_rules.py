"""Codes of a second factor."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from gateway.access.totp_rules import grouped, new_secret, step_of, uri_of

# RFC 6238, appendix B: the last six of the eight digits for SHA-1 and this secret.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_the_rfc(seconds, code):
    assert step_of(RFC_SECRET, code, datetime.fromtimestamp(seconds, UTC), None) == seconds // 30


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phone_may_be_half_a_minute_off(steps, right):
    code = pyotp.TOTP(RFC_SECRET).at(NOW + timedelta(seconds=30 * steps))
    assert (step_of(RFC_SECRET, code, NOW, None) is not None) == right


def test_a_code_counts_once_and_so_do_those_before_it():
    totp = pyotp.TOTP(RFC_SECRET)
    used = step_of(RFC_SECRET, totp.at(NOW), NOW, None)
    assert step_of(RFC_SECRET, totp.at(NOW), NOW, used) is None
    assert step_of(RFC_SECRET, totp.at(NOW - timedelta(seconds=30)), NOW, used) is None
    assert step_of(RFC_SECRET, totp.at(NOW + timedelta(seconds=30)), NOW, used) == used + 1


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "287 08"])
def test_what_is_no_code_is_wrong(code):
    assert step_of(RFC_SECRET, code, datetime.fromtimestamp(59, UTC), None) is None


def test_a_code_may_be_typed_with_a_gap():
    assert step_of(RFC_SECRET, " 287 082 ", datetime.fromtimestamp(59, UTC), None) == 1


def test_secrets_are_random_and_named():
    secret = new_secret()
    assert secret != new_secret()
    assert len(secret) == 32
    assert grouped(secret).replace(" ", "") == secret
    assert uri_of(secret, "ana@example.com").startswith("otpauth://totp/eSIM%20gateway:ana%40example.com?secret=")
