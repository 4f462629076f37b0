import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kit.sealing import Seal, Unsealable
from gateway.kit.settings import load
from schemas.errors import ConfigurationError
from tests.kit.secret_keys import NEW_SECRET_KEY, OLD_SECRET_KEY

OLD, NEW = OLD_SECRET_KEY, NEW_SECRET_KEY


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_again(plain):
    assert Seal([NEW]).open(Seal([NEW]).seal(plain)) == plain


def test_text_comes_back_as_text():
    seal = Seal([NEW])
    assert seal.open_text(seal.seal("LPA:1$smdp.example.com$Ü-1")) == "LPA:1$smdp.example.com$Ü-1"


def test_the_same_text_is_never_sealed_to_the_same_bytes_and_does_not_show_in_them():
    seal = Seal([NEW])
    first, second = seal.seal("8944500102198765432"), seal.seal("8944500102198765432")
    assert first != second
    assert b"8944" not in first


@given(st.integers(min_value=0))
def test_no_altered_byte_is_taken(place):
    seal = Seal([NEW])
    sealed = bytearray(seal.seal("a secret"))
    sealed[place % len(sealed)] ^= 1
    with pytest.raises(Unsealable):
        seal.open(bytes(sealed))


@given(st.binary(max_size=60))
def test_bytes_that_nobody_sealed_are_no_crash(junk):
    with pytest.raises(Unsealable):
        Seal([NEW]).open(junk)


def test_a_new_key_in_front_seals_and_the_old_one_still_opens():
    before, both, after = Seal([OLD]), Seal([NEW, OLD]), Seal([NEW])
    sealed = before.seal("kept")
    assert both.open(sealed) == b"kept"
    assert not both.is_current(sealed)
    again = both.seal("kept")
    assert both.is_current(again)
    assert after.open(again) == b"kept"
    with pytest.raises(Unsealable):
        after.open(sealed)


def test_digests_find_under_every_key_and_are_made_with_the_first():
    both = Seal([NEW, OLD])
    assert both.digests("x") == [Seal([NEW]).digest("x"), Seal([OLD]).digest("x")]
    assert both.digest("x") == Seal([NEW]).digest("x")
    assert both.digest("x") != both.digest("y")
    assert len(both.digest("x")) == 32


def test_without_a_key_it_says_which_setting_is_missing():
    seal = Seal.from_settings(load())
    for use in (lambda: seal.seal("x"), lambda: seal.digest("x"), lambda: seal.digests("x")):
        with pytest.raises(ConfigurationError, match="secret_key"):
            use()


def test_the_settings_name_the_keys():
    seal = Seal.from_settings(load(secret_key=[NEW, OLD]))
    assert seal.open(Seal([OLD]).seal("x")) == b"x"
