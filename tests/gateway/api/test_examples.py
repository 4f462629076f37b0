"""Examples made from types, and from the examples beside their fields."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from gateway.api.examples import example_of
from schemas.examples import example
from schemas.page import Page

Code = Annotated[str, Meta(pattern="^[A-Z]+$", examples=["JP", "US"])]


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(msgspec.Struct):
    name: Annotated[str, example("oak")]
    size: int


class Tree(msgspec.Struct, kw_only=True):
    code: Code
    colour: Colour
    only: Literal["one"]
    tall: bool
    height: Decimal
    share: float
    on: date
    at: datetime
    seen_at: datetime | None
    told_at: Annotated[datetime | None, example("2026-11-21T10:00:00Z")]
    origin: Code | None
    leaf: Leaf | None
    fallen: Annotated[Leaf | None, example(None)]
    leaves: list[Leaf]
    small: Annotated[tuple[Leaf, ...], example([{"name": "elm"}, {}])]
    words: dict[str, Any]
    as_: Code = msgspec.field(name="as")
    note: str = ""
    extra: str | UnsetType = UNSET
    shown: Annotated[int, example(3)] = 0


OAK = {"name": "oak", "size": 0}
TREE = {
    "code": "JP",
    "colour": "red",
    "only": "one",
    "tall": False,
    "height": "0",
    "share": 0.0,
    "on": "2026-11-20",
    "at": "2026-11-20T10:00:00Z",
    "seen_at": None,
    "told_at": "2026-11-21T10:00:00Z",
    "origin": "JP",
    "leaf": OAK,
    "fallen": None,
    "leaves": [OAK],
    "small": [{"name": "elm", "size": 0}, OAK],
    "words": {},
    "as": "JP",
    "shown": 3,
}


def test_a_field_is_shown_by_its_own_example_or_that_of_its_type():
    assert example_of(Tree) == TREE
    assert msgspec.convert(example_of(Tree), Tree).leaf == Leaf("oak", 0)


def test_a_page_has_one_row():
    assert example_of(Page[Leaf]) == {"data": [OAK], "has_more": False, "next_cursor": None}


def test_what_is_given_takes_the_place_of_what_would_be_made():
    given = {"leaf": None, "fallen": {}, "leaves": [{"size": 2}], "note": "n", "words": {"a": 1}, "code": "US"}
    made = {"leaf": None, "fallen": OAK, "leaves": [{"name": "oak", "size": 2}]}
    assert example_of(Tree, given) == TREE | given | made
    assert example_of(Page[Leaf], {"data": []})["data"] == []


def test_a_given_dict_is_merged_into_the_example_beside_the_field():
    class Branch(msgspec.Struct):
        leaf: Annotated[Leaf, example({"name": "elm", "size": 1})]

    assert example_of(Branch, {"leaf": {"size": 2}}) == {"leaf": {"name": "elm", "size": 2}}


@pytest.mark.parametrize("kind", [str, Literal["a", "b"]])
def test_text_and_a_choice_need_an_example(kind):
    bare = msgspec.defstruct("Bare", [("field", kind)])
    with pytest.raises(LookupError, match=r"Bare\.field needs an example"):
        example_of(bare)


def test_what_is_given_for_no_field_is_an_error():
    with pytest.raises(LookupError, match="Leaf has no field nmae"):
        example_of(Leaf, {"nmae": "elm"})
