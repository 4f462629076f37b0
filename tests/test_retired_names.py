"""Names and phrases that the code has given up for the standard terms of docs/glossary.md do not come back."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator

import jinja2
import pytest
from jinja2 import nodes

from tests.layout import PARTS, ROOT

SEARCHED = (*PARTS, "benchmarks", "examples")

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
    r"|people who run the shop|slip of the pen|\bwaits? for (somebody|you)\b|\bthe storm\b|\bis no (country|json)\b"
    r"|\bthere is no such thing\b|\bvanished or moved\b|\bshut out\b|\bhand it over\b|\bnobody began\b|\bis like this\b"
    r"|\bwaits, and began\b|\bheld back, too\b|\bmade up and shown\b|\bwhat was told\b|\bturn the key over\b"
    r"|\bwhat people did\b|\bboth books\b|\bsign of life\b",
    re.IGNORECASE,
)

_JSON = "a member of the public JSON"
_COLUMN = "a column of a table"
_PLUGIN = "part of what plugins are written against"
# (file, name): why it stays.
STAYS = {
    ("examples/storefront/book.py", "look_at"): _COLUMN,
    ("gateway/suppliers/supplier_key_rows.py", "look_at"): _COLUMN,
    ("providers/kit/unmapped.py", "words"): _PLUGIN,
    ("providers/simulator/supplier_control.py", "given"): _JSON,
    ("providers/simulator/supplier_control.py", "shown"): _JSON,
    ("schemas/api_accounts.py", "look_at"): _JSON,
    ("schemas/api_changes.py", "asked"): _JSON,
    ("schemas/problems.py", "asked"): _JSON,
    ("schemas/api_money.py", "books"): _JSON,
    ("schemas/api_pricing.py", "words"): _JSON,
    ("schemas/api_suppliers.py", "room"): _JSON,
    ("schemas/checkouts.py", "next_look_at"): _JSON,
    ("schemas/order.py", "told"): _PLUGIN,
    ("schemas/ops_orders.py", "next_look_at"): _JSON,
    ("schemas/ops_orders.py", "told"): _JSON,
    ("schemas/orders.py", "told"): _JSON,
    ("schemas/plan.py", "words"): _PLUGIN,
}

# (file, phrase): why it stays.
PHRASES_STAY = {
    ("gateway/kit/sealing.py", "at rest"): "the term of cryptography",
    ("docs/glossary.md", "A person"): "what an operator is",
    ("gateway/console/sync_runs.py", "set aside"): "a column of a file that scripts read",
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


def names_in_template(source: str) -> Iterator[str]:
    """Every name of the context, of a loop, of an assignment and of a macro's arguments."""
    tree = jinja2.Environment(autoescape=True).parse(source)
    yield from (node.name for node in tree.find_all((nodes.Name, nodes.Macro)))
    yield from (node.key for node in tree.find_all(nodes.Keyword))


def _sources() -> dict[str, str]:
    files = (file for part in SEARCHED for file in sorted((ROOT / part).rglob("*.py")))
    return {file.relative_to(ROOT).as_posix(): file.read_text() for file in files}


def _templates() -> dict[str, str]:
    files = (file for part in SEARCHED for file in sorted((ROOT / part).rglob("templates/*.html")))
    return {file.relative_to(ROOT).as_posix(): file.read_text() for file in files}


def _prose() -> dict[str, str]:
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {file.relative_to(ROOT).as_posix(): file.read_text() for file in files}


def _retired(sources: dict[str, str], names_of: Callable[[str], Iterable[str]]) -> set[tuple[str, str]]:
    return {(path, name) for path, source in sources.items() for name in names_of(source) if name in RETIRED}


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


@pytest.mark.parametrize(
    "source",
    [
        "{{ asked.words }}",
        "{% for one in rows %}{% endfor %}",
        "{% set held = 1 %}",
        "{% macro more(words) %}{% endmacro %}",
        "{{ more(words=1) }}",
    ],
)
def test_a_retired_name_is_found_in_a_template(source: str) -> None:
    assert set(names_in_template(source)) & RETIRED


def test_a_name_that_holds_a_retired_one_or_is_only_read_is_none() -> None:
    assert not set(names_in("told_apart = a.told; f(one=1); import look")) & RETIRED


def test_no_retired_name_is_bound() -> None:
    found = _retired(_sources(), names_in) | _retired(_templates(), names_in_template)
    assert sorted(found - STAYS.keys()) == []
    assert sorted(STAYS.keys() - found) == [], "these are gone: take them out of STAYS"


def test_no_retired_phrase_is_in_code_templates_or_docs() -> None:
    texts = _sources() | _templates() | _prose()
    found = {(path, match[0]) for path, text in texts.items() for match in PHRASES.finditer(text)}
    assert sorted(found - PHRASES_STAY.keys()) == []
    assert sorted(PHRASES_STAY.keys() - found) == [], "these are gone: take them out of PHRASES_STAY"
