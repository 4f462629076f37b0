"""Names and phrases that the code has given up for the standard terms of docs/glossary.md do not come back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.layout import PARTS, ROOT

RETIRED = frozenset(
    re.findall(
        r"\w+",
        """
        told asked words shown held given look looks look_at looked behind who whose one room books
        next_look_at usage_told state_told claim_look give_up people payable ruled tell Meaning
        patience patiently bench announce Side adopt somebody truth purse runway till shelf shelves
        uncut posted exchanges noting
        """,
    )
)
PHRASES = re.compile(
    r"\bnobody told\b|\bat rest\b|\ba person\b|\bthe truth\b|\bset aside\b|look before admission|\bturned over\b"
    r"|people who run the shop|slip of the pen|\bwaits? for somebody\b|\bthe storm\b",
    re.IGNORECASE,
)

_JSON = "a member of the public JSON"
_COLUMN = "a column of a table"
_PLUGIN = "part of what plugins are written against"
# (file, name): why it stays.
STAYS = {
    ("gateway/suppliers/supplier_key_rows.py", "look_at"): _COLUMN,
    ("providers/kit/unmapped.py", "words"): _PLUGIN,
    ("providers/simulator/supplier_control.py", "given"): _JSON,
    ("providers/simulator/supplier_control.py", "shown"): _JSON,
    ("schemas/api_accounts.py", "look_at"): _JSON,
    ("schemas/api_changes.py", "asked"): _JSON,
    ("schemas/api_money.py", "books"): _JSON,
    ("schemas/api_pricing.py", "words"): _JSON,
    ("schemas/api_suppliers.py", "room"): _JSON,
    ("schemas/checkouts.py", "next_look_at"): _JSON,
    ("schemas/order.py", "told"): _PLUGIN,
    ("schemas/orders.py", "next_look_at"): _JSON,
    ("schemas/orders.py", "told"): _JSON,
    ("schemas/plan.py", "words"): _PLUGIN,
}

# Folders whose texts are still to be changed.
TEXTS_NOT_YET = ("gateway/api/", "gateway/cli/", "gateway/console/")
# (file, phrase): why it stays.
PHRASES_STAY = {
    ("gateway/kit/sealing.py", "at rest"): "the term of cryptography",
    ("docs/glossary.md", "A person"): "what an operator is",
    ("gateway/prices/supplier_tables.py", "set aside"): "a column of a file that scripts read",
}


def names_in(source: str) -> Iterator[str]:
    """Every name that a file binds: functions, classes, parameters, variables, fields and attributes."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.alias(asname=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name


def _sources() -> dict[str, str]:
    files = (file for part in PARTS for file in sorted((ROOT / part).rglob("*.py")))
    return {file.relative_to(ROOT).as_posix(): file.read_text() for file in files}


def _prose() -> dict[str, str]:
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {file.relative_to(ROOT).as_posix(): file.read_text() for file in files}


def _retired(sources: dict[str, str]) -> set[tuple[str, str]]:
    return {(path, name) for path, source in sources.items() for name in names_in(source) if name in RETIRED}


@pytest.mark.parametrize(
    "source",
    [
        "told = 1",
        "def f(asked): ...",
        "def look(): ...",
        "class Meaning: ...",
        "class A:\n    held: int",
        "for one in (): ...",
        "[one for one in ()]",
        "self.books = 1",
        "import a as shown",
        "match a:\n    case [who]: ...",
    ],
)
def test_a_retired_name_is_found_wherever_it_is_bound(source: str) -> None:
    assert set(names_in(source)) & RETIRED


def test_a_name_that_holds_a_retired_one_or_is_only_read_is_none() -> None:
    assert not set(names_in("told_apart = a.told; f(one=1); import look")) & RETIRED


def test_no_retired_name_is_bound() -> None:
    found = _retired(_sources())
    assert sorted(found - STAYS.keys()) == []
    assert sorted(STAYS.keys() - found) == [], "these are gone: take them out of STAYS"


def test_no_retired_phrase_stands_in_code_or_docs() -> None:
    done = {path: text for path, text in _sources().items() if not path.startswith(TEXTS_NOT_YET)}
    texts = done | _prose()
    found = {(path, match[0]) for path, text in texts.items() for match in PHRASES.finditer(text)}
    assert sorted(found - PHRASES_STAY.keys()) == []
    assert sorted(PHRASES_STAY.keys() - found) == [], "these are gone: take them out of PHRASES_STAY"
