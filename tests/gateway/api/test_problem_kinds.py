"""Error codes with cause and cure: those in the source, those in the list, and their pages."""

import ast
import re
from html import unescape
from pathlib import Path

import msgspec
import pytest

import gateway
from gateway.api.problems import KINDS, problem_example
from schemas.problems import Problem

SOURCE = Path(gateway.__file__).parent
RAISING = {"Refusal": 0, "Problem": 0}  # a call of this name has a code at this place


def trees():
    return [ast.parse(file.read_text("utf-8")) for file in sorted(SOURCE.rglob("*.py"))]


def texts_in(node):
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def codes_given(tree):
    """The codes that a module gives: to a refusal or problem, or as those that a route may answer."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISING and node.args:
            first = node.args[RAISING[node.func.id]]
            values = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            found |= {each.value for each in values if isinstance(each, ast.Constant) and isinstance(each.value, str)}
        if isinstance(node, ast.keyword) and node.arg == "problems":
            found |= texts_in(node.value)
    return found


def test_every_code_in_the_source_has_an_entry():
    given = set().union(*map(codes_given, trees()))
    assert len(given) > 20
    assert given - KINDS.keys() == set()


def test_every_entry_is_a_code_of_the_source():
    said = set().union(*map(texts_in, trees()))
    assert KINDS.keys() - said == set()


@pytest.mark.parametrize("code", KINDS)
def test_each_says_what_causes_it_and_what_to_do(code):
    kind = KINDS[code]
    assert re.fullmatch("[a-z]+(_[a-z]+)*", code)
    assert 400 <= kind.status < 600
    assert kind.title[0].isupper()
    assert not kind.title.endswith(".")
    for text in (kind.cause, kind.cure):
        assert text[0].isupper()
        assert text.endswith(".")
    if kind.status in {408, 429, 500, 503}:
        assert kind.retry


@pytest.mark.parametrize("code", KINDS)
def test_the_example_of_each_is_a_problem(code):
    example = problem_example(code)
    problem = msgspec.convert(example, Problem)
    assert msgspec.to_builtins(problem) == example
    assert (problem.code, problem.status, problem.type) == (code, KINDS[code].status, f"/errors/{code}")


@pytest.mark.parametrize("code", KINDS)
async def test_the_type_of_a_problem_leads_to_a_page_with_cause_cure_and_example(api, code):
    answer = await api.with_key("").get(problem_example(code)["type"])
    assert (answer.status, answer.content_type) == (200, "text/html")
    text = unescape(re.sub("<[^>]+>", "", await answer.text()))
    kind = KINDS[code]
    for words in (code, kind.title, kind.cause.replace("`", ""), kind.cure.replace("`", ""), '"request_id"'):
        assert words in text
