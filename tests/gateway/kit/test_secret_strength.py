"""Which secret keys can be guessed."""

import pytest

from gateway.kit.secret_strength import guessable_bits, is_weak, new_secret
from gateway.kit.settings import load
from schemas.errors import ConfigurationError
from tests.kit.secret_keys import NEW_SECRET_KEY, SECRET_KEY

GUESSABLE = [
    "k" * 40,
    "a" * 16 + "b" * 16,
    "0123456789abcdef" * 2,
    "0123456789" * 4,
    "abcdef012345" * 4,
    "abcdefghijklmnopqrstuvwxyz012345",
    "zyxwvutsrqponmlkjihgfedcba98765432",
    "qwertyuiopasdfghjklzxcvbnm123456",
    "1q2w3e4r5t6y7u8i9o0p1q2w3e4r5t6y",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.",
    "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6",
    "changeme" * 4,
    "Passw0rd-" * 4,
    "Summer2024!" * 4,
    "Tr0ub4dor&3-Tr0ub4dor&3-Tr0ub4dor&3",
    "correct-horse-battery-staple-correct-horse",
    "super-secret-key-for-production-2026!!",
    "please-change-me-to-something-very-long",
    "insecure-development-key-do-not-use-in-production",
    "a made-up secret of more than thirty-two characters",
]


@pytest.mark.parametrize("secret", GUESSABLE)
def test_a_key_that_can_be_guessed_is_weak(secret):
    assert len(secret) >= 32
    assert is_weak(secret)


@pytest.mark.parametrize(
    "secret",
    [
        SECRET_KEY,
        "8f14e45fceea167a5a36dedd4bea2543",  # 16 bytes in hexadecimal digits
        "k3JH9+ZbQ0vX/1mN8cRtY5uWgD2sEoLa",  # 24 bytes in base64
        "ocean-lantern-guitar-velvet-pepper-anchor-mosaic",
        "Zürich-Käsekuchen-Lötkolben-Fahrrad-17",
    ],
)
def test_a_random_key_is_strong(secret):
    assert not is_weak(secret)


def test_nothing_is_no_bits():
    assert guessable_bits("") == 0


def test_made_keys_are_strong_and_differ():
    made = {new_secret() for _ in range(200)}
    assert len(made) == 200
    assert not any(is_weak(secret) for secret in made)


def test_a_weak_key_is_refused_with_what_to_do_and_without_the_key():
    with pytest.raises(ConfigurationError) as refused:
        load(secret_key=["changeme" * 5])
    assert "secret_key: " in str(refused.value)
    assert "esim-gateway secrets new" in str(refused.value)
    assert "changeme" not in str(refused.value)


def test_a_weak_key_may_stand_behind_a_strong_one_until_it_is_rotated_out():
    settings = load(secret_key=[NEW_SECRET_KEY, "k" * 40])
    assert [key.get_secret_value() for key in settings.secret_key] == [NEW_SECRET_KEY, "k" * 40]
    with pytest.raises(ConfigurationError, match="32 characters or more"):
        load(secret_key=[NEW_SECRET_KEY, "short"])
