import numpy as np
import pytest

from gateway.catalog.index import layout
from gateway.catalog.index.layout import NotASnapshot
from tests.kit.made_up_market import Market, some_items

ARRAYS = {"blob": np.frombuffer(b"some text", dtype=np.uint8), "plan": np.arange(100, dtype=np.int32)}


def written(path, arrays=ARRAYS):
    version, parts = layout.encode({"mode": "live"}, "basis", arrays)
    layout.write(path, parts)
    return version


def test_a_file_gives_back_what_was_written(tmp_path) -> None:
    version = written(tmp_path / "a.snap")
    file = layout.open_file(tmp_path / "a.snap")
    assert file.header.digest == version
    assert file.header.meta == {"mode": "live"}
    assert file.header.basis == "basis"
    assert file.arrays["plan"].tolist() == list(range(100))
    assert file.text(5, 9) == b"text"
    assert layout.whole(file)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.snap"]


def test_arrays_begin_where_processors_like_it(tmp_path) -> None:
    written(tmp_path / "a.snap")
    header = layout.peek(tmp_path / "a.snap")
    assert [offset % 64 for _, offset, _ in header.arrays.values()] == [0, 0]


@pytest.mark.parametrize("length", [0, 5, 31, 40, 200, -1])
def test_a_truncated_file_is_refused(tmp_path, length: int) -> None:
    written(tmp_path / "a.snap")
    path = tmp_path / "b.snap"
    path.write_bytes((tmp_path / "a.snap").read_bytes()[:length])
    with pytest.raises(NotASnapshot):
        layout.open_file(path)


def test_a_foreign_file_and_a_damaged_header_are_refused(tmp_path) -> None:
    foreign = tmp_path / "foreign.snap"
    foreign.write_bytes(b"something else entirely" * 10)
    with pytest.raises(NotASnapshot, match="not a catalogue snapshot"):
        layout.open_file(foreign)
    written(tmp_path / "a.snap")
    data = bytearray((tmp_path / "a.snap").read_bytes())
    data[60] ^= 1
    foreign.write_bytes(data)
    with pytest.raises(NotASnapshot, match="damaged"):
        layout.open_file(foreign)


def test_a_file_of_another_layout_is_refused(tmp_path, monkeypatch) -> None:
    written(tmp_path / "a.snap")
    monkeypatch.setattr(layout, "LAYOUT", layout.LAYOUT + 1)
    with pytest.raises(NotASnapshot, match="layout"):
        layout.open_file(tmp_path / "a.snap")


def test_a_changed_byte_in_an_array_is_found_by_looking_at_the_whole(tmp_path) -> None:
    written(tmp_path / "a.snap")
    data = bytearray((tmp_path / "a.snap").read_bytes())
    data[-1] ^= 1
    assert not layout.whole(layout.from_memory(bytes(data)))


def test_a_write_that_fails_leaves_nothing_behind(tmp_path) -> None:
    with pytest.raises(TypeError):
        layout.write(tmp_path / "a.snap", [b"begin", None])  # type: ignore[list-item]
    assert list(tmp_path.iterdir()) == []


def test_the_version_says_what_is_in_it_and_nothing_of_how_it_was_made() -> None:
    one, _ = layout.encode({"mode": "live"}, "made here", ARRAYS)
    two, _ = layout.encode({"mode": "live"}, "made there", ARRAYS)
    other, _ = layout.encode({"mode": "live"}, "made here", {**ARRAYS, "plan": np.arange(1, 101, dtype=np.int32)})
    assert one == two != other


def test_offers_in_any_order_make_the_same_snapshot() -> None:
    items = some_items(7, 80)
    assert Market(items).snapshot().digest == Market(items[::-1]).snapshot().digest
    assert Market(items).snapshot().digest != Market(items[:-1]).snapshot().digest
