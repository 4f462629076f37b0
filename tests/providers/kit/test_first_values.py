"""The table of first values against a dict."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from providers.kit.first_values import FirstValues

numbers = st.integers(1, 2**64 - 1)


@given(st.lists(st.dictionaries(numbers | st.integers(1, 6), numbers, min_size=1, max_size=40), max_size=12))
def test_each_number_keeps_the_value_that_it_came_with_first(pages):
    table, known = FirstValues(), {}
    for page in pages:
        keys, values = (np.array(list(each), dtype=np.uint64) for each in (page.keys(), page.values()))
        added, first = table.add(keys, values)
        assert added.tolist() == [key not in known for key in page]
        known = page | known
        assert first.tolist() == [known[key] for key in page]
        assert len(table) == len(known)
    assert all(np.uint64(key) in table for key in known)


def test_it_grows_with_what_comes():
    table = FirstValues()
    keys = np.arange(1, 5_001, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for part in np.split(keys, 10):
        table.add(part, part)
    again, first = table.add(keys, np.zeros_like(keys))
    assert not again.any()
    assert (first == keys).all()
    assert np.uint64(7) not in table
