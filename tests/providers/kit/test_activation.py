"""When an activation code can be installed, and what it consists of."""

from __future__ import annotations

import pytest

from providers.kit.activation import delivery, normalised, parse


@pytest.mark.parametrize(
    ("text", "address", "matching", "confirm"),
    [
        ("LPA:1$smdp.example.com$ABC-123", "smdp.example.com", "ABC-123", False),
        ("1$smdp.example.com$ABC-123", "smdp.example.com", "ABC-123", False),
        ("lpa:1$smdp.example.com$ABC", "smdp.example.com", "ABC", False),
        (" LPA:1$smdp.example.com:8443$ABC\n", "smdp.example.com:8443", "ABC", False),
        ("LPA:1$smdp.example.com$ABC$1.3.6.1", "smdp.example.com", "ABC", False),
        ("LPA:1$smdp.example.com$ABC$$1", "smdp.example.com", "ABC", True),
        ("LPA:1$smdp.example.com$ABC$1.3.6.1$1", "smdp.example.com", "ABC", True),
    ],
)
def test_a_complete_code_has_its_parts(text: str, address: str, matching: str, confirm: bool) -> None:
    code = parse(text)
    assert code is not None
    assert code.text.startswith("LPA:1$")
    assert (code.smdp_address, code.matching_id, code.confirmation_code_required) == (address, matching, confirm)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "LPA:1$...",
        "LPA:1$8944501234567890123",
        "LPA:1$smdp.example.com",
        "LPA:1$smdp.example.com$",
        "LPA:1$nodots$ABC",
        "LPA:2$smdp.example.com$ABC",
        "LPA:1$smdp.example.com$A B",
        "https://example.com/qr",
        "LPA:1$" + "a." * 200 + "com$ABC",
        "LPA:1$smdp.exämple.com$ABC",
        "LPA:1$smdp..example.com$ABC",
        "LPA:1$smdp.example-.com$ABC",
        "LPA:1$-smdp.example.com$ABC",
        "LPA:1$smdp.example.com.$ABC",
        "LPA:1$" + "a" * 64 + ".example.com$ABC",
    ],
)
def test_what_is_not_complete_has_no_parts(text: str | None) -> None:
    assert parse(text) is None
    found = delivery("8944", text)
    assert (found.smdp_address, found.matching_id) == (None, None)


def test_a_delivery_keeps_the_text_and_the_picture() -> None:
    whole = delivery("8944", "1$smdp.example.com$ABC$$1", b"png")
    assert whole.activation_code == "LPA:1$smdp.example.com$ABC$$1"
    assert whole.confirmation_code_required
    assert whole.qr_image == b"png"
    assert delivery("8944", "LPA:1$8944").activation_code == "LPA:1$8944"
    assert normalised("x" * 300) is None
    assert normalised("line\nbreak") is None
