"""What is left of a supplier's text, and what a set-aside row keeps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.kit.text import RAW_LENGTH, clean_text, raw_json


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (None, ""),
        ("", ""),
        ("  Japan \t 1 GB\n", "Japan 1 GB"),
        ("<b>Japan</b> 1GB", "Japan 1GB"),
        ("&lt;b&gt;Japan&lt;/b&gt;", "Japan"),
        ("Bosnia &amp; Herzegovina", "Bosnia & Herzegovina"),
        ("<script>alert(1)</script>Japan", "Japan"),
        ("<style>p{}</style >Japan", "Japan"),
        ("<scr<b>ipt>Japan", "scr ipt Japan"),
        ("a < b > c", "a c"),
        ("cheap <", "cheap"),
        ("nul\x00 and\x1bescape", "nul and escape"),
        ("\u202eevil\u202c \u200bzero", "evil zero"),
        ("Co\u0302te d\u2019Ivoire", "Côte d’Ivoire"),
        ("日本 5GB", "日本 5GB"),
    ],
)
def test_a_text_is_one_line_without_markup(text: str | None, clean: str) -> None:
    assert clean_text(text) == clean


def test_a_text_is_capped_before_anything_looks_at_it() -> None:
    assert clean_text("x" * 1_000_000) == "x" * 200
    assert clean_text("x" * 1_000_000, 500) == "x" * 500
    assert len(clean_text("<" * 1_000_000)) <= 200


@settings(deadline=None)  # the machine may be busy
@given(st.text(), st.integers(1, 50))
def test_no_text_whatever_it_is_keeps_markup_or_control_characters(text: str, length: int) -> None:
    clean = clean_text(text, length)
    assert len(clean) <= length
    assert clean.isprintable()
    assert not set(clean) & set("<>")
    assert clean == " ".join(clean.split())


def test_a_raw_item_fits_a_text_column() -> None:
    assert raw_json(b'{"a": "\xff\x00"}').decode() == '{"a": "\ufffd\ufffd"}'
    assert len(raw_json(b"x" * 10**6)) == RAW_LENGTH
