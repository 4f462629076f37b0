"""The navigation has what modules declare, and refuses what could not be found in it."""

from typing import Any

import pytest

from gateway.console import all_pages
from gateway.console.navigation import navigation
from gateway.console.pages import ConsolePage, NavEntry


async def _things(_request: Any) -> Any:
    """A page that is never asked for."""


THINGS = ConsolePage("GET", "/console/things", _things, "operator", "Things", own=False)


def test_an_entry_of_a_module_stands_at_the_end_of_its_group():
    groups = {
        group.name: group.entries for group in navigation([*all_pages(), THINGS], [NavEntry("Admin", "Things", "q")])
    }
    last = groups["Admin"][-1]
    assert (last.name, last.url, last.key, last.role) == ("Things", "/console/things", "q", "operator")


@pytest.mark.parametrize(
    ("entries", "why"), [([], "'Things' is no entry"), ([NavEntry("Admin", "Things", "h")], "the letter 'h'")]
)
def test_a_page_needs_an_entry_and_a_letter_of_its_own(entries, why):
    with pytest.raises(ValueError, match=why):
        navigation([*all_pages(), THINGS], entries)
