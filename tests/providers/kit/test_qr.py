"""How QR pictures of suppliers are read, hostile ones too."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from providers.kit import qr

CODE = "LPA:1$rsp.example.com$AAAAA-BBBBB-CCCCC-DDDDD"
OTHER = "LPA:1$rsp.example.com$EEEEE-FFFFF-00000-11111"


def drawn(text: str = CODE, **how: object) -> bytes:
    picture = io.BytesIO()
    segno.make(text, micro=False).save(picture, kind="png", **({"scale": 4} | how))
    return picture.getvalue()


def saved(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    "how", [{"scale": 1}, {"scale": 30}, {"border": 1}, {"light": None}, {"dark": "navy", "light": "ivory"}]
)
def test_a_drawn_code_is_read(how: dict[str, object]) -> None:
    assert qr.texts(drawn(**how)) == (CODE,)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_kind_of_png_is_read(mode: str) -> None:
    with Image.open(io.BytesIO(drawn())) as picture:
        assert qr.texts(saved(picture.convert(mode))) == (CODE,)


def test_two_codes_in_one_picture_are_both_told_and_the_same_one_once() -> None:
    with Image.open(io.BytesIO(drawn())) as left, Image.open(io.BytesIO(drawn(OTHER))) as right:
        both = Image.new("L", (left.width * 3, left.height), 255)
        both.paste(left, (0, 0))
        both.paste(right, (left.width, 0))
        both.paste(left, (left.width * 2, 0))
    assert sorted(qr.texts(saved(both))) == [CODE, OTHER]


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a" + b"\0" * 100,
        drawn()[:200],
        drawn().replace(b"IDAT", b"IDAX"),
        png(0, 0),
        png(100, 100),
        png(100, 100, chunk(b"IDAT", b"no zlib")),
        png(100, 100, chunk(b"IDAT", zlib.compress(b"\x09" * 10_100))),
        png(100, 100, chunk(b"zTXt", b"k\0\0" + zlib.compress(b"\0" * 10**7))),
    ],
)
def test_what_is_no_picture_has_no_text(data: bytes) -> None:
    assert qr.texts(data) == ()


@pytest.mark.parametrize(("width", "height"), [(2001, 2000), (65_535, 65_535), (2**31, 2**31), (1, 4_000_001)])
def test_a_picture_of_too_many_pixels_is_not_unpacked(width: int, height: int) -> None:
    bomb = png(width, height, chunk(b"IDAT", zlib.compress(b"\0" * 1000)))
    assert not qr.is_png(bomb)
    assert qr.texts(bomb) == ()


def test_a_picture_of_too_many_bytes_is_not_looked_at() -> None:
    assert not qr.is_png(drawn() + b"\0" * qr.MAX_BYTES)


def test_a_large_picture_is_shrunk_before_it_is_searched() -> None:
    lines = (
        "#######..",
        "#.....#..",
        "#.###.#..",
        "#.###.#..",
        "#.###.#..",
        "#.....#..",
        "#######..",
        "." * 9,
        "." * 9,
    )
    side = 2000 // 9
    rows = b"".join(b"\0" + bytes(0 if dot == "#" else 255 for dot in line) * side for line in lines)
    full_of_finder_patterns = png(side * 9, side * 9, chunk(b"IDAT", zlib.compress(rows * side)))
    assert qr.is_png(full_of_finder_patterns)
    assert max(qr._grey(full_of_finder_patterns).size) <= qr.SEARCHED_SIDE
    assert qr.texts(full_of_finder_patterns) == ()
    assert max(qr._grey(drawn(scale=40)).size) <= qr.SEARCHED_SIDE


@pytest.mark.no_cover  # other tests run the same lines
@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_picture_that_was_damaged_breaks_nothing(data: st.DataObject) -> None:
    damaged = bytearray(drawn())
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=8)):
        damaged[place] = data.draw(st.integers(0, 255))
    for text in qr.texts(bytes(damaged)):
        assert len(text) <= qr.MAX_TEXT
