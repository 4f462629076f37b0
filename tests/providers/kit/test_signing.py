import pytest

from providers.kit.signing import hmac_sha256, signed_by


def test_the_signature_is_that_of_the_published_test_vector():
    # RFC 4231, test case 2.
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_sha256("Jefe", "what do ya want for nothing?") == expected
    assert hmac_sha256("Jefe", b"what do ya want for nothing?") == expected


def test_a_signature_is_taken_in_either_case_of_hex():
    signature = hmac_sha256("secret", "message")
    assert signed_by("secret", "message", signature)
    assert signed_by("secret", b"message", f" {signature.upper()}\n")


@pytest.mark.parametrize("signature", ["", "0", "é", "f" * 64, "\udc80"])
def test_anything_else_is_no_signature(signature):
    assert not signed_by("secret", "message", signature)


def test_an_empty_secret_signs_nothing():
    assert not signed_by("", "message", hmac_sha256("", "message"))
