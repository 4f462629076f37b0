"""Each error code has its class, and the package needs nothing but what it names."""

import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

import gateway.api
from clients.generate.python import PACKAGE
from esim_gateway_client import ApiError, models, problems
from gateway.api.problems import problem_example

KINDS = tomllib.loads((Path(gateway.api.__file__).parent / "problem_kinds.toml").read_text("utf-8"))


def test_each_error_code_has_a_class_of_its_own():
    assert problems.BY_CODE.keys() == KINDS.keys()
    assert {code: kind.CODE for code, kind in problems.BY_CODE.items()} == {code: code for code in KINDS}
    assert all(issubclass(kind, ApiError) for kind in problems.BY_CODE.values())


@pytest.mark.parametrize("code", KINDS)
def test_a_problem_of_each_code_is_raised_as_its_class(code):
    problem = msgspec.convert(problem_example(code), models.Problem)
    error = problems.BY_CODE[code](problem, 7.0, "key")
    assert (error.code, error.status, error.title) == (code, KINDS[code]["status"], KINDS[code]["title"])
    assert (error.retry_after, error.idempotency_key) == (7.0, "key")
    assert error.successors == KINDS[code].get("example", {}).get("successors", [])


@pytest.mark.parametrize(
    ("code", "is_known"),
    [("no_stock", True), ("rate_limited", True), ("not_supported", True), ("internal", False), ("unavailable", False)],
)
def test_a_problem_says_whether_its_outcome_is_known(code, is_known):
    error = problems.BY_CODE[code](msgspec.convert(problem_example(code), models.Problem))
    assert error.is_outcome_known is is_known


def test_what_the_package_imports_is_what_it_asks_for():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {line.partition(">")[0] for line in project["dependencies"]}
    words = {
        line.split()[1].partition(".")[0]
        for file in PACKAGE.glob("*.py")
        for line in file.read_text("utf-8").splitlines()
        if line.startswith(("import ", "from "))
    }
    outside = {word for word in words if word} - sys.stdlib_module_names
    assert outside == asked == {"httpx", "msgspec"}
