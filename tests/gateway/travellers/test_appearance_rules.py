"""What a storefront may say of its pages, and how they stay readable."""

import base64
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gateway.travellers.appearance_rules import _luminance, fault_of_topup_url, read_logo, text_on, topup_link
from gateway.travellers.phones import phones


def picture(kind="PNG", size=(40, 20)):
    out = io.BytesIO()
    Image.new("RGB", size, "#0b5cad").save(out, kind)
    return out.getvalue()


def text(body):
    return base64.b64encode(body).decode()


@pytest.mark.parametrize(("kind", "media"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_a_logo_is_kept_as_it_came(kind, media):
    assert read_logo(text(picture(kind))) == (picture(kind), media)


@pytest.mark.parametrize(
    ("logo", "why"),
    [
        ("not base64!", "base64"),
        (text(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "PNG or JPEG"),
        (text(picture("GIF")), "PNG or JPEG"),
        (text(picture()[:-20]), "PNG or JPEG"),
        (text(picture(size=(1025, 10))), "1024 by 1024"),
        (text(picture() + b"\0" * 40_000), "40,000 bytes"),
    ],
)
def test_what_is_no_logo_is_refused_with_the_reason(logo, why):
    assert why in read_logo(logo)


@given(st.integers(0, 0xFFFFFF))
def test_text_can_be_read_on_any_colour(number):
    color = f"#{number:06x}"
    light, dark = sorted((_luminance(color), _luminance(text_on(color))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_a_topup_link_takes_the_esim_and_nothing_that_breaks_out_of_it():
    url = "https://shop.example.com/top?e={esim_id}&i={iccid}&l={language}"
    assert fault_of_topup_url(url) is None
    filled = topup_link(url, esim_id="esim_1", iccid="89&x=1", order_id="ord_1", language="de")
    assert filled == "https://shop.example.com/top?e=esim_1&i=89%26x%3D1&l=de"


@pytest.mark.parametrize(
    "url",
    ["http://shop.example.com", "javascript:alert(1)", "https://shop.example.com/{email}", "https://{iccid.__class__}"],
)
def test_a_topup_link_is_https_and_has_known_places_only(url):
    assert fault_of_topup_url(url)


def test_the_list_of_phones_is_dated_names_its_source_and_has_each_model_once():
    found = phones()
    models = [phone.model for brand in found.brands.values() for phone in brand]
    assert found.source
    assert found.date.year >= 2026
    assert len(models) == len(set(models)) > 80
