"""QR pictures that suppliers send: read within bounds, because a picture is as hostile as any text. Pure.

A few kilobytes of PNG can stand for gigabytes of pixels, and a picture full of finder patterns keeps a
reader busy for minutes (93 s for 16 megapixels, 0.6 s for one; measured 2026-11). So the size is read
before anything is unpacked, and what is larger than one megapixel is shrunk before it is searched.
"""

from __future__ import annotations

import io
import struct

import zxingcpp
from PIL import Image

MAX_BYTES = 256 * 1024
MAX_PIXELS = 4_000_000
SEARCHED_SIDE = 1000
MAX_TEXT = 1000

_HEAD = struct.Struct(">8sI4sII")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WHITE = 255
_QR = zxingcpp.barcode_formats_from_str("QRCode")


def is_png(data: bytes) -> bool:
    """Whether these bytes begin as a PNG picture of a size that ``texts`` looks at."""
    if len(data) > MAX_BYTES or len(data) < _HEAD.size:
        return False
    signature, _, chunk, width, height = _HEAD.unpack_from(data)
    return bool(signature == _SIGNATURE and chunk == b"IHDR" and 0 < width * height <= MAX_PIXELS)


def texts(data: bytes) -> tuple[str, ...]:
    """The text of each QR code in a PNG picture, each once; none for a picture that cannot be read.

    Takes up to a second of one core for a hostile picture and lets other threads run meanwhile, so a
    caller with an event loop gives it a thread.
    """
    if not is_png(data):
        return ()
    try:
        found = zxingcpp.read_barcodes(_grey(data), formats=_QR, try_invert=False)
    except Exception:  # noqa: BLE001 - whatever a decoder dislikes about it, there is no code to be had from it
        return ()
    return tuple(dict.fromkeys(text for code in found if 0 < len(text := code.text) <= MAX_TEXT))


def _grey(data: bytes) -> Image.Image:
    """The first frame on white, in shades of grey, at most ``SEARCHED_SIDE`` wide and high."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as opened:
        picture = opened.convert("LA") if _has_alpha(opened) else opened.convert("L")
    if picture.mode == "LA":
        paper = Image.new("L", picture.size, _WHITE)
        paper.paste(picture.getchannel("L"), mask=picture.getchannel("A"))
        picture = paper
    picture.thumbnail((SEARCHED_SIDE, SEARCHED_SIDE), Image.Resampling.BOX)
    return picture


def _has_alpha(picture: Image.Image) -> bool:
    return "transparency" in picture.info or "A" in picture.getbands()
