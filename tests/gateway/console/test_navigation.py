"""The navigation has what modules declare, and refuses what could not be found in it."""

from typing import Any

import pytest

from gateway.access.user_rows import Visitor
from gateway.console import all_pages
from gateway.console.navigation import menu, navigation
from gateway.console.pages import ConsolePage, NavEntry, PendingDecision


async def _things(_request: Any) -> Any:
    """A page that is never asked for."""


THINGS = ConsolePage("GET", "/console/things", _things, "operator", "Things", own=False)


def test_an_entry_of_a_module_stands_at_the_end_of_its_group():
    found = navigation([*all_pages(), THINGS], [NavEntry("Administration", "Things", "q")])
    groups = {group.name: group.entries for group in found}
    last = groups["Administration"][-1]
    assert (last.name, last.url, last.key, last.role) == ("Things", "/console/things", "q", "operator")


@pytest.mark.parametrize(
    ("entries", "why"), [([], "'Things' is no entry"), ([NavEntry("Administration", "Things", "h")], "the letter 'h'")]
)
def test_a_page_needs_an_entry_and_a_letter_of_its_own(entries, why):
    with pytest.raises(ValueError, match=why):
        navigation([*all_pages(), THINGS], entries)


def _visitor(role):
    return Visitor(user_id="usr_1", name="ana", role=role)


def test_the_menu_has_few_entries_and_each_leads_to_every_page_behind_it():
    entries = menu(navigation(all_pages()), _visitor("admin"), "Margins")
    assert len(entries) <= 11
    assert [entry.name for entry in entries if entry.current] == ["Prices"]
    known = {page.nav for page in all_pages() if page.nav and page.role != "storefront"}
    assert {page.name for entry in entries for page in entry.pages} == known


def test_decisions_are_counted_where_they_are_made():
    waiting = [
        PendingDecision("Suspect prices", "/console/suspects", 3),
        PendingDecision("Quarantined syncs", "/console/sync-runs/sync_1/difference/s2s", 1),
        PendingDecision("Payment cases", "/console/attention#payments", 2),
        PendingDecision("Orders that need review", "/console/attention", 5),
        None,
    ]
    entries = {entry.name: entry for entry in menu(navigation(all_pages()), _visitor("operator"), "Home", waiting)}
    assert entries["Needs attention"].waiting == 7
    catalogue = entries["Catalogue"]
    assert (catalogue.waiting, catalogue.pages[0].waiting) == (4, 1)
    assert [(page.name, page.waiting) for page in catalogue.waiting_elsewhere] == [("Suspect prices", 3)]
    assert sum(entry.waiting for entry in entries.values()) == 11


def test_a_visitor_sees_no_page_of_a_higher_role():
    names = {page.name for entry in menu(navigation(all_pages()), _visitor("viewer"), "Home") for page in entry.pages}
    assert "Users" not in names
    assert "Orders" in names


def test_a_storefronts_user_sees_its_own_pages_and_no_others():
    entries = menu(navigation(all_pages()), _visitor("storefront"), "Orders")
    assert [entry.name for entry in entries] == ["Orders", "eSIMs", "API keys", "Webhook log"]
    assert all(page.url.startswith("/console/my/") for entry in entries for page in entry.pages)
