from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.kit import redaction
from providers.kit.redaction import REDACTED, Redactor

SECRET = "sk_live_51H/abc+def=="
ICCID = "8944422711108338982"
CODE = "LPA:1$smdp.example.com$K2-4ABC-99"


@pytest.mark.parametrize(
    "private",
    [
        SECRET,
        "sk_live_51H%2Fabc%2Bdef%3D%3D",
        CODE,
        CODE.lower(),
        "1$smdp.example.com$K2-4ABC-99",
        ICCID,
        ICCID + "0",
        ICCID + "012",
        ICCID + "F",
        ICCID[:18],
        "LPA%3A1%24smdp.example.com%24K2-4ABC-99",
        "traveller+tag@example.co.uk",
        "Bearer eyJhbGciOi.eyJzdWIiOi.SflKxwRJ",
        "bearer abc",
        "Basic dXNlcjpwYXNz",
    ],
)
@pytest.mark.parametrize("around", ["{}", "x={}", "the key '{}' is wrong", '{{"error":"{}"}}', "a,{},b", "<{}>"])
def test_private_texts_are_taken_out_wherever_they_stand(private, around):
    found = Redactor([SECRET])(around.format(private))
    assert private not in found
    assert REDACTED in found


@pytest.mark.parametrize("text", ["order 12345 not found", "JP_7D_1GB", "89 plans", "costs 1$ more", "a@ b", "basic"])
def test_ordinary_words_stay(text):
    assert Redactor([SECRET, "", "abc"])(text) == text


def test_a_text_becomes_one_short_line_without_marks():
    found = Redactor()("a\r\nb\x00c\u202ed\u2028e" + "x" * 10_000)
    assert found.startswith("a b c d e")
    assert 295 <= len(found) <= 300
    assert len(Redactor()("x" * 10_000, 20)) == 20


def test_what_is_no_text_is_written_as_one():
    assert Redactor([SECRET])(ValueError(f"bad {SECRET}")) == f"bad {REDACTED}"


@given(st.integers(0, 1200), st.sampled_from([SECRET, ICCID, CODE, "me@example.org"]))
def test_a_secret_at_the_cut_does_not_show_a_part_of_itself(before, private):
    found = Redactor([SECRET])("word " * (before // 5) + "." * (before % 5) + " " + private + " tail" * 500)
    assert private[:8] not in found


@given(st.integers(0, 40), st.integers(0, 40))
def test_secrets_that_shrink_the_text_pull_no_cut_one_into_view(first, second):
    long = "tok_" + "z" * 700
    found = Redactor([long])("a" * first + long + "b" * second + long + "c" + long * 3)
    assert "z" * 5 not in found


def test_a_text_is_cut_before_any_pattern_runs_on_it(monkeypatch):
    seen: list[int] = []

    class Spy:
        def sub(self, _replacement: str, text: str) -> str:
            seen.append(len(text))
            return text

    monkeypatch.setattr(redaction, "_PATTERNS", (("@", Spy()), ("a", Spy()), ("zz", Spy())))
    Redactor([SECRET])("a@" * 5_000_000)
    assert seen == [700, 700]  # the third cannot match a text in which its part does not stand


def test_letters_that_only_python_takes_for_ascii_ones_hide_nothing():
    assert Redactor()("sent as baſic dXNlcjpwYXNzd29yZA==") == "sent as [redacted]"
