"""Comparing a walk with what is stored, against the obvious way of doing it."""

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.catalog.diff_rules import UNKNOWN_RAW, StoredOffers, digest, offer_id, offer_key, raw_digests

items = st.dictionaries(st.integers(0, 40), st.integers(0, 3), max_size=30)


def row(number, version):
    """Key, digest and raw digest of an item in a version."""
    key = offer_key("s", str(number))
    return key, digest(b"%d" % version), raw_digests([b"%d %d" % (number, version)], bytes(16))[0]


@example({}, [(0, 0), (0, 0), (0, 1), (0, 0)], 2)
@example({0: 0}, [(0, 0), (0, 0), (0, 1), (0, 1), (0, 0)], 2)
@given(items, st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), max_size=40), st.integers(1, 7))
def test_a_walk_writes_what_is_new_or_changed_once_and_finds_what_is_gone(stored, walk, page_size):
    known = StoredOffers(b"".join(b"".join(row(n, v)) for n, v in stored.items()))
    written, again, otherwise, seen = [], [], [], set()
    for at in range(0, len(walk), page_size):
        page = walk[at : at + page_size]
        rows = [row(n, v) for n, v in page]
        differs, repeated, contradicts = known.meet([r[0] for r in rows], [r[1] for r in rows])
        written += [item for item, is_ in zip(page, differs, strict=True) if is_]
        again += [item for item, is_ in zip(page, repeated, strict=True) if is_]
        otherwise += [item for item, is_ in zip(page, contradicts, strict=True) if is_]
    expected, repeats, first = [], [], {}
    for number, version in walk:
        if number in first:
            repeats.append((number, version))
        elif stored.get(number) != version:
            expected.append((number, version))
        first.setdefault(number, version)
        seen.add(number)
    assert (written, again) == (expected, repeats)
    assert otherwise == [(number, version) for number, version in repeats if first[number] != version]
    assert [known.met(row(number, 0)[0]) for number in range(51)] == [number in seen for number in range(51)]
    for number, version in first.items():
        assert known.as_stored(row(number, 0)[0]) == (stored[number] == version if number in stored else None)
    assert known.new == len(seen - set(stored))
    assert sorted(known.gone()) == sorted(row(n, 0)[0] for n in set(stored) - seen)
    assert known.gone_count() == len(known.gone())


@given(items, st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), max_size=40), st.integers(1, 7))
def test_an_item_is_recalled_once_and_only_as_it_was_stored(stored, walk, page_size):
    known = StoredOffers(b"".join(b"".join(row(n, v)) for n, v in stored.items()))
    recalled, expected = [], []
    for at in range(0, len(walk), page_size):
        page = walk[at : at + page_size]
        flags = known.recall([row(n, v)[2] for n, v in page])
        recalled += [item for item, is_ in zip(page, flags, strict=True) if is_]
    for number, version in walk:
        if stored.get(number) == version and (number, version) not in expected:
            expected.append((number, version))
    assert recalled == expected
    assert known.gone_count() == len(stored) - len(expected)


def test_an_item_that_was_recalled_counts_as_met():
    known = StoredOffers(b"".join(row(1, 0)))
    assert known.recall([row(1, 0)[2]]) == [True]
    differs, repeated, contradicts = known.meet([row(1, 0)[0]] * 2, [row(1, 0)[1], row(1, 1)[1]])
    assert (differs.tolist(), repeated.tolist(), contradicts.tolist()) == ([False] * 2, [True] * 2, [False, True])


def test_an_offer_whose_item_is_not_known_is_never_recalled():
    key, content, _ = row(1, 0)
    assert StoredOffers(key + content + UNKNOWN_RAW).recall([UNKNOWN_RAW]) == [False]


def test_what_maps_an_item_is_part_of_how_it_is_recognised():
    assert raw_digests([b"{}"], b"a" * 16) != raw_digests([b"{}"], b"b" * 16)


def test_an_offers_id_is_the_same_for_ever():
    assert offer_id(offer_key("pikasim", "JP_7D_1GB")) == "off_bc2e9e1e05db8838c2fdf701"


def test_an_offers_id_keeps_supplier_and_item_apart():
    assert offer_key("a", "bc") != offer_key("ab", "c")
