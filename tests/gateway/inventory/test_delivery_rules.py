import io

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from gateway.inventory.delivery_rules import install_links, ordered_esim, qr_png, qr_svg
from providers.kit import activation

CODE = "LPA:1$smdp.example.com$K2-1QW34-ABCDE"
PARTS = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=60)


def read(picture: bytes) -> str:
    with Image.open(io.BytesIO(picture)) as opened:
        (found,) = zxingcpp.read_barcodes(opened.convert("L"))
    return found.text


@given(PARTS, st.sampled_from(["", "$", "$1.3.6.1", "$$1"]))
@settings(max_examples=40, deadline=None)
def test_a_reader_gets_the_activation_code_out_of_the_png(matching_id, rest):
    code = f"LPA:1$smdp.example.com${matching_id}{rest}"
    assert read(qr_png(code)) == code


def test_a_reader_gets_the_activation_code_out_of_the_svg():
    assert read(drawn(qr_svg(CODE))) == CODE


def test_the_svg_has_no_script_and_asks_for_nothing():
    text = qr_svg(CODE).decode()
    assert text.startswith("<svg ")
    assert not any(word in text for word in ("script", "href", "url(", "http://example", "CODE"))
    assert CODE not in text


def test_install_links_carry_the_code_escaped():
    links = install_links("LPA:1$smdp.example.com$A B&C")
    assert links.ios == (
        "https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=LPA%3A1%24smdp.example.com%24A%20B%26C"
    )
    assert links.android == (
        "https://esimsetup.android.com/esim_qrcode_provisioning?carddata=LPA%3A1%24smdp.example.com%24A%20B%26C"
    )


def test_an_order_shows_the_parts_of_a_whole_code():
    shown = ordered_esim("esim_1", "8944", CODE, confirmation_code_required=False, page_url="/e/x")
    assert (shown.smdp_address, shown.matching_id) == ("smdp.example.com", "K2-1QW34-ABCDE")
    assert (shown.qr_svg_url, shown.qr_png_url) == ("/v1/esims/esim_1/qr.svg", "/v1/esims/esim_1/qr.png")
    assert not shown.confirmation_code_required


def test_a_code_that_asks_for_a_confirmation_code_says_so():
    assert ordered_esim(
        "esim_1", "8944", CODE + "$$1", confirmation_code_required=False, page_url=None
    ).confirmation_code_required


@pytest.mark.parametrize("code", [None, "LPA:1$8944501234567890123", "nonsense"])
def test_a_code_that_is_not_whole_has_no_picture_and_no_links(code):
    assert activation.parse(code) is None
    shown = ordered_esim("esim_1", "8944", code, confirmation_code_required=False, page_url=None)
    assert (shown.activation_code, shown.qr_svg_url, shown.install, shown.smdp_address) == (code, None, None, None)


def drawn(svg: bytes) -> bytes:
    """The picture that segno's SVG describes: one path of strokes of one module's height, eight pixels each."""
    import re

    text = svg.decode()
    side = int(re.search(r'viewBox="0 0 (\d+) \d+"', text)[1])
    path = re.search(r'stroke="#000"[^>]*d="([^"]+)"|d="([^"]+)"[^>]*stroke="#000"', text)
    picture = Image.new("L", (side * 8, side * 8), 255)
    pen = ImageDraw.Draw(picture)
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmhz])([^Mmhz]*)", path[1] or path[2]):
        values = [float(n) for n in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        elif command == "h":
            top = int((y - 0.5) * 8)
            pen.rectangle((int(x * 8), top, int((x + values[0]) * 8) - 1, top + 7), fill=0)
            x += values[0]
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
