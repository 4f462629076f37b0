"""Cursors: where a list goes on, as values of its order, so that they outlive the catalogue's version.

A cursor is read for what it says, so every text of this form is a position in every order: the form
alone tells a good one from a bad one, and the API's description can state it.
"""

from __future__ import annotations

import re

import msgspec

from gateway.catalog.index.query import QueryError

FORM = r"(x|[0-9]{1,18})\.[a-z0-9.-]{1,100}"
_FORM = re.compile(FORM)
_NOTHING = "x"


class Position(msgspec.Struct, frozen=True):
    """After which plan to go on: its sort value (None where it has none) and id."""

    value: int | None
    plan_id: str


def write(value: int | None, plan_id: str) -> str:
    """A cursor. Prices in it are the customer's, in minor units."""
    return f"{_NOTHING if value is None else value}.{plan_id}"


def read(cursor: str) -> Position:
    """The position in a cursor. Raises ``QueryError`` for a text that is none."""
    if not _FORM.fullmatch(cursor):
        raise QueryError("cursor", "not a cursor of this list")
    value, _, plan_id = cursor.partition(".")
    return Position(None if value == _NOTHING else int(value), plan_id)
