"""The navigation: what stands in it and in which order. Entries show once a page module claims them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.access.user_rows import Role
from gateway.console.pages import ConsolePage, NavEntry

# Name and the letter that follows "g" on the keyboard.
GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Now", (("Home", "h"),)),
    (
        "Prices",
        (
            ("Prices", "p"),
            ("Compare", "c"),
            ("History", "i"),
            ("Changes", "n"),
            ("Margins", "m"),
            ("Pricing rules", "r"),
            ("Rates", "x"),
        ),
    ),
    ("Orders", (("Orders", "o"), ("Needs attention", "a"), ("Checkouts", "k"), ("Storefronts", "f"))),
    (
        "Supply",
        (
            ("Suppliers", "s"),
            ("Money", "b"),
            ("Sync runs", "y"),
            ("Suspect prices", "t"),
            ("Unmapped", "u"),
            ("Other goods", "v"),
            ("Jobs", "j"),
            ("Alerts", "l"),
        ),
    ),
    ("Admin", (("Settings", "e"), ("Users", "w"), ("Audit", "d"))),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: where it leads, its letter, and who sees it."""

    name: str
    url: str
    key: str
    role: Role | None


@dataclass(frozen=True, slots=True)
class Group:
    """Some entries under one word."""

    name: str
    entries: tuple[Entry, ...]


def navigation(pages: Iterable[ConsolePage], more: Iterable[NavEntry] = ()) -> tuple[Group, ...]:
    """The groups, of the pages that there are. ``more`` stands at the end of each group.

    Raises ``ValueError`` for a page that claims what is not in it, and for a letter that would lead to two entries.
    """
    first: dict[str, ConsolePage] = {}
    entries = {group: list(names) for group, names in GROUPS}
    for entry in more:
        entries.setdefault(entry.group, []).append((entry.name, entry.key))
    known = {name for names in entries.values() for name, _ in names}
    letters = Counter(key for names in entries.values() for _, key in names)
    if doubled := [key for key, count in letters.items() if count > 1]:
        raise ValueError(f"the letter {doubled[0]!r} has another entry of the navigation; choose a free one")
    for page in pages:
        if page.nav and page.nav not in known:
            raise ValueError(f"{page.path}: {page.nav!r} is no entry of the navigation")
        if page.nav and page.method == "GET" and "{" not in page.path:
            first.setdefault(page.nav, page)
    groups = (
        Group(group, tuple(Entry(n, first[n].path, key, first[n].role) for n, key in names if n in first))
        for group, names in entries.items()
    )
    return tuple(group for group in groups if group.entries)
