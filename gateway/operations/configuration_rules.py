"""What applying a configuration would change. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from gateway.operations.configuration_file import shown_fields

Key: TypeAlias = tuple[Hashable, int]  # a name, and which one of that name
Action = Literal["add", "change", "remove", "reorder"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change. ``before`` and ``after`` hold the fields that differ, of a new entry all that it sets."""

    section: str
    action: Action
    name: str
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}

    @property
    def line(self) -> str:
        """The change in one line."""
        sign = {"add": "+", "change": "~", "remove": "-", "reorder": "~"}[self.action]
        start = f"{sign} {self.section}: {self.name}"
        if self.action == "reorder":
            return f"{start}, in another order"
        if self.action != "change":
            return start
        fields = sorted({*self.before, *self.after})
        moves = [f"{field} {_text(self.before.get(field))} -> {_text(self.after.get(field))}" for field in fields]
        return f"{start}: {', '.join(moves)}"


def keyed(names: Sequence[Hashable]) -> list[Key]:
    """A key for each name; a name that stands again is another key."""
    seen: dict[Hashable, int] = {}
    keys: list[Key] = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        keys.append((name, seen[name]))
    return keys


def differing(before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields in which two entries differ, as they are and as they would be; nothing for texts."""
    if isinstance(before, str):
        return {}, {}
    old, new = shown_fields(before), shown_fields(after)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return {name: old.get(name) for name in names}, {name: new.get(name) for name in names}


def is_reordered(before: Sequence[Key], after: Sequence[Key]) -> bool:
    """Whether those that stand in both stand in another order."""
    known, wanted = set(before), set(after)
    return [key for key in before if key in wanted] != [key for key in after if key in known]


def plan(
    section: str,
    before: Mapping[Key, Any],
    after: Mapping[Key, Any],
    names: Mapping[Hashable, str],
    *,
    ordered: bool,
    kept: bool,
) -> dict[Hashable, Change]:
    """The changes of a section, those that remove first. With ``kept`` what the file does not have stays."""
    changes: dict[Hashable, Change] = {}
    if not kept:
        gone = [key for key in before if key not in after]
        changes |= {key: Change(section=section, action="remove", name=names[key]) for key in gone}
    for key, entry in after.items():
        if key not in before:
            fields = {} if isinstance(entry, str) else shown_fields(entry)
            changes[key] = Change(section=section, action="add", name=names[key], after=fields)
        elif before[key] != entry:
            old, new = differing(before[key], entry)
            changes[key] = Change(section=section, action="change", name=names[key], before=old, after=new)
    if ordered and is_reordered(list(before), list(after)):
        changes[section] = Change(section=section, action="reorder", name="all")
    return changes


def _text(value: Any) -> str:
    return "none" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()
