"""A NUL, which PostgreSQL keeps in no text: refused with a pointer wherever text is taken, by every operation."""

import pytest

from gateway.api.reading import _shapes
from gateway.app import all_routes
from tests.gateway.api.test_scopes import path_of
from tests.kit.answers import problem

ROUTES = [route for route in all_routes() if route.access != "public"]


@pytest.fixture
async def everything(make_api):
    """An API with a key that may do everything."""
    return await make_api(scopes=["storefront", "goods", "routing", "ops"])


async def test_a_nul_in_a_query_is_refused_by_every_operation_that_takes_text(everything):
    sent = 0
    for route in ROUTES:
        for name in _shapes(route.parameters):
            answer = await everything.ask(route.method, f"{path_of(route.path)}?{name}=a%00b", json={})
            body = await problem(answer, 422, "invalid")
            assert (route.name, [error["pointer"] for error in body["errors"]]) == (route.name, [f"/{name}"])
            sent += 1
    assert sent > 150


async def test_a_nul_in_a_path_is_refused_by_every_operation(everything):
    sent = 0
    for route in ROUTES:
        for name in route.parts:
            path = path_of(route.path.replace(f"{{{name}}}", "a%00b"))
            answer = await everything.ask(route.method, path, json={}, headers={"Idempotency-Key": "once"})
            # Where the router itself holds the pattern, because a word of another route stands there, nothing is found.
            where = (route.method, route.path, answer.status)
            assert where == (route.method, route.path, 404 if route.narrow else 422)
            sent += 1
    assert sent > 30


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"countries": ["J\0P"]}, "/countries/0"),
        ({"plan_id": "a\0b"}, "/plan_id"),
        ({"plan_id": "a", "features": {"exit_country": "\0"}}, "/features/exit_country"),
        ({"plan_id": "a", "\0": 1}, ""),
    ],
)
async def test_a_nul_anywhere_in_a_body_is_refused_where_it_stands(everything, body, pointer):
    answer = await problem(await everything.post("/v1/quotes", json=body), 422, "invalid")
    assert [error["pointer"] for error in answer["errors"]] == [pointer]
