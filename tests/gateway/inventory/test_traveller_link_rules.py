from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inventory.traveller_link_rules import esim_of, expires_at_of, token_for, url_for
from gateway.kit.sealing import Seal

AT = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
ESIM = "esim_5c1f0a9be2d44b7788aa0c13"
SEAL = Seal(["k" * 40])


def test_an_address_leads_to_its_esim_until_its_last_day_is_over():
    token = token_for(SEAL, ESIM, AT, 30)
    assert esim_of(SEAL, token, AT) == ESIM
    end = expires_at_of(token)
    assert end == datetime(2026, 12, 21, tzinfo=UTC)
    assert esim_of(SEAL, token, end - timedelta(seconds=1)) == ESIM
    assert esim_of(SEAL, token, end) is None


def test_an_address_stays_the_same_for_the_day():
    assert token_for(SEAL, ESIM, AT, 30) == token_for(SEAL, ESIM, AT + timedelta(hours=13), 30)
    assert token_for(SEAL, ESIM, AT, 30) != token_for(SEAL, ESIM, AT + timedelta(hours=14), 30)


@given(st.integers(min_value=0), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
def test_no_other_address_is_good(place, letter):
    token = token_for(SEAL, ESIM, AT, 30)
    place %= len(token)
    other = token[:place] + letter + token[place + 1 :]
    assert esim_of(SEAL, other, AT) == (ESIM if other == token else None)


@given(st.text(max_size=200))
def test_what_is_no_address_is_no_crash(text):
    assert esim_of(SEAL, text, AT) is None


@pytest.mark.parametrize("secrets", [["x" * 40], ["x" * 40, "y" * 40]])
def test_another_gateway_s_address_is_none_here(secrets):
    assert esim_of(Seal(secrets), token_for(SEAL, ESIM, AT, 30), AT) is None


def test_an_older_key_s_address_is_good_while_the_key_is_listed():
    assert esim_of(Seal(["n" * 40, "k" * 40]), token_for(SEAL, ESIM, AT, 30), AT) == ESIM


def test_with_a_base_the_address_is_whole():
    assert url_for(SEAL, ESIM, AT, 30, "https://esim.example.com/").startswith("https://esim.example.com/e/")
    assert url_for(SEAL, ESIM, AT, 30).startswith("/e/")
