"""The menu: its entries, the pages behind each as tabs, and how much waits there.

Pages show once a module claims them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.access.user_rows import Role, Visitor
from gateway.console.pages import ConsolePage, NavEntry, PendingDecision

# An entry of the menu, and the pages behind it: each a name and the letter that follows "g" on the keyboard.
GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Home", (("Home", "h"),)),
    ("Needs attention", (("Needs attention", "a"),)),
    ("Orders", (("Orders", "o"), ("Checkouts", "k"))),
    ("eSIMs", (("eSIMs", "e"),)),
    ("Prices", (("Prices", "p"), ("Changes", "n"), ("Margins", "m"))),
    ("Pricing", (("Pricing rules", "r"), ("Rates", "x"))),
    ("Suppliers", (("Suppliers", "s"), ("Money", "b"))),
    ("Catalogue", (("Sync runs", "y"), ("Suspect prices", "t"), ("Unmapped", "u"), ("Other goods", "v"))),
    ("Alerts", (("Alerts", "l"),)),
    ("Storefronts", (("Storefronts", "f"),)),
    ("Administration", (("Settings", "g"), ("Users", "w"), ("Audit", "d"), ("Jobs", "j"))),
)
# What a storefront's own users see.
STOREFRONT_GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Orders", (("Orders", "o"),)),
    ("eSIMs", (("eSIMs", "e"),)),
    ("API keys", (("API keys", "k"),)),
    ("Webhook log", (("Webhook log", "w"),)),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One page: where it leads, its letter, and who sees it."""

    name: str
    url: str
    key: str
    role: Role | Literal["user"] | None


@dataclass(frozen=True, slots=True)
class Group:
    """An entry of the menu, and the pages behind it."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class MenuPage:
    """A page as a visitor sees it: how many decisions wait there, and whether it is the one that is open."""

    name: str
    url: str
    key: str
    waiting: int
    current: bool


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """An entry of the menu as a visitor sees it; it leads to the first of its pages."""

    name: str
    pages: tuple[MenuPage, ...]

    @property
    def current(self) -> bool:
        """Whether one of its pages is open."""
        return any(page.current for page in self.pages)

    @property
    def waiting(self) -> int:
        """How many decisions wait behind it."""
        return sum(page.waiting for page in self.pages)

    @property
    def waiting_elsewhere(self) -> tuple[MenuPage, ...]:
        """The pages with decisions to which the entry does not lead by itself."""
        return tuple(page for page in self.pages[1:] if page.waiting)


def navigation(pages: Iterable[ConsolePage], more: Iterable[NavEntry] = ()) -> tuple[Group, ...]:
    """The groups, of the pages that there are: those of staff, then those of storefronts' own users.

    ``more`` stands at the end of each group of staff.

    Raises ``ValueError`` for a page that claims what is not in it, and for a letter that would lead to two entries.
    """
    staff: list[ConsolePage] = []
    own: list[ConsolePage] = []
    for page in pages:
        (own if page.role == "storefront" else staff).append(page)
    return (*_groups(GROUPS, staff, more), *_groups(STOREFRONT_GROUPS, own, ()))


def _groups(
    order: Iterable[tuple[str, tuple[tuple[str, str], ...]]], pages: Iterable[ConsolePage], more: Iterable[NavEntry]
) -> tuple[Group, ...]:
    first: dict[str, ConsolePage] = {}
    entries = {group: list(names) for group, names in order}
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


def menu(
    groups: Sequence[Group], visitor: Visitor, current: str, decisions: Iterable[PendingDecision | None] = ()
) -> tuple[MenuEntry, ...]:
    """What a visitor sees of it: the pages of their role, with the decisions that wait on each."""
    waiting = _by_url(groups, decisions)
    found = []
    for group in groups:
        pages = tuple(
            MenuPage(entry.name, entry.url, entry.key, waiting.get(entry.url, 0), current=entry.name == current)
            for entry in group.entries
            if entry.role is None or entry.role == "user" or visitor.may(entry.role)
        )
        if pages:
            found.append(MenuEntry(group.name, pages))
    return tuple(found)


def _by_url(groups: Sequence[Group], decisions: Iterable[PendingDecision | None]) -> Mapping[str, int]:
    """How many decisions each page has, by its address. One that leads to a page below it counts there."""
    addresses = [entry.url for group in groups for entry in group.entries]
    counts: Counter[str] = Counter()
    for decision in decisions:
        if decision is not None:
            above = [url for url in addresses if f"{decision.url.partition('#')[0]}/".startswith(f"{url}/")]
            counts[max(above, key=len, default="")] += decision.count
    return counts
