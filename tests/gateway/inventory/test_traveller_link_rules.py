from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inventory.traveller_link_rules import PAGE, PICTURE, url_of
from gateway.kit.sealing import Seal

AT = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
ESIM = "esim_5c1f0a9be2d44b7788aa0c13"
SEAL = Seal(["k" * 40])


def test_an_address_leads_to_its_esim_until_its_last_day_is_over():
    token = PAGE.token(SEAL, ESIM, AT, 30)
    assert PAGE.esim_of(SEAL, token, AT) == ESIM
    end = PAGE.expires_at(token)
    assert end == datetime(2026, 12, 21, tzinfo=UTC)
    assert PAGE.esim_of(SEAL, token, end - timedelta(seconds=1)) == ESIM
    assert PAGE.esim_of(SEAL, token, end) is None


def test_an_address_stays_the_same_for_the_day():
    assert PAGE.token(SEAL, ESIM, AT, 30) == PAGE.token(SEAL, ESIM, AT + timedelta(hours=13), 30)
    assert PAGE.token(SEAL, ESIM, AT, 30) != PAGE.token(SEAL, ESIM, AT + timedelta(hours=14), 30)


@given(st.integers(min_value=0), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
def test_no_other_address_is_good(place, letter):
    token = PAGE.token(SEAL, ESIM, AT, 30)
    place %= len(token)
    other = token[:place] + letter + token[place + 1 :]
    assert PAGE.esim_of(SEAL, other, AT) == (ESIM if other == token else None)


@given(st.text(max_size=200))
def test_what_is_no_address_is_no_crash(text):
    assert PAGE.esim_of(SEAL, text, AT) is None


@pytest.mark.parametrize("secrets", [["x" * 40], ["x" * 40, "y" * 40]])
def test_another_gateway_s_address_is_none_here(secrets):
    assert PAGE.esim_of(Seal(secrets), PAGE.token(SEAL, ESIM, AT, 30), AT) is None


def test_an_older_key_s_address_is_good_while_the_key_is_listed():
    assert PAGE.esim_of(Seal(["n" * 40, "k" * 40]), PAGE.token(SEAL, ESIM, AT, 30), AT) == ESIM


def test_with_a_base_the_address_is_whole():
    assert url_of(PAGE.token(SEAL, ESIM, AT, 30), "https://esim.example.com/").startswith("https://esim.example.com/e/")
    assert url_of(PAGE.token(SEAL, ESIM, AT, 30)).startswith("/e/")


def test_an_address_of_a_picture_is_good_for_minutes_and_for_nothing_else():
    token = PICTURE.token(SEAL, ESIM, AT, 60)
    end = PICTURE.expires_at(token)
    assert end == datetime(2026, 11, 20, 11, 31, tzinfo=UTC)
    assert PICTURE.esim_of(SEAL, token, end - timedelta(seconds=1)) == ESIM
    assert PICTURE.esim_of(SEAL, token, end) is None
    assert PAGE.esim_of(SEAL, token, AT) is None
    assert PICTURE.esim_of(SEAL, PAGE.token(SEAL, ESIM, AT, 30), AT) is None
    assert url_of(token, ending=".png") == f"/e/{token}.png"
