"""API keys as operators list, make and revoke them."""

import msgspec
import pytest

from gateway.access import audit_rows
from gateway.access.key_rows import list_keys
from schemas.api_keys import CreatedKey, KeyEntry
from schemas.page import Page
from tests.kit.answers import problem

WANTED = {"storefront": "Café", "mode": "test", "scopes": ["ops:read", "goods", "storefront"], "name": "till 1"}


async def test_a_key_is_made_works_and_is_revoked(ops):
    answer = await ops.post("/v1/ops/keys", json=WANTED)
    made = msgspec.json.decode(await answer.read(), type=CreatedKey)
    assert answer.status == 201
    assert (made.name, made.storefront, made.mode) == ("till 1", "Café", "test")
    assert made.scopes == ["storefront", "goods", "ops:read"]
    its_own = ops.with_key(made.key)
    assert (await its_own.get("/v1/goods")).status == 200
    for _ in range(2):  # the second time changes nothing
        revoked = await (await ops.post(f"/v1/ops/keys/{made.id}/revoke")).json()
        assert revoked["revoked_at"] is not None
    await ops.keyring.check()
    await problem(await its_own.get("/v1/goods"), 401, "unauthorized")
    noted = {entry.action: entry for entry in (await audit_rows.newest(ops.pool, what=f"key:{made.id}")).data}
    assert set(noted) == {"key.created", "key.revoked"}
    assert len((await audit_rows.newest(ops.pool, what=f"key:{made.id}")).data) == 2
    assert noted["key.created"].actor.startswith("key key_")


async def test_a_key_is_told_what_it_is_and_what_it_may_do(ops):
    made = await (await ops.post("/v1/ops/keys", json=WANTED | {"per_minute": 77})).json()
    its_own = ops.with_key(made["key"])
    answer = await its_own.get("/v1/me")
    assert await answer.json() == {
        "id": made["id"],
        "name": "till 1",
        "storefront": "Café",
        "mode": "test",
        "scopes": ["catalog", "storefront", "goods", "ops:read"],
        "limits": {"requests_per_minute": 77, "open_orders": 200},
    }
    assert answer.headers["RateLimit-Limit"] == "77"
    await problem(await its_own.get("/v1/me?key=other"), 422, "invalid")
    await problem(await ops.with_key("").get("/v1/me"), 401, "unauthorized")


async def test_the_list_holds_every_key_once_the_newest_first_and_never_a_text(ops):
    texts = [(await (await ops.post("/v1/ops/keys", json=WANTED | {"name": f"till {n}"})).json())["key"] for n in "123"]
    met, cursor, whole = [], "", ""
    while cursor is not None:
        answer = await ops.get(f"/v1/ops/keys?limit=2{cursor and f'&cursor={cursor}'}")
        whole += await answer.text()
        page = msgspec.json.decode(await answer.read(), type=Page[KeyEntry])
        met += [(key.id, key.name) for key in page.data]
        cursor = page.next_cursor
    assert met == [(key.id, key.name) for key in reversed(await list_keys(ops.pool))]
    assert [name for _, name in met] == ["till 3", "till 2", "till 1", None]
    assert not [text for text in texts if text in whole]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"scopes": ["goods"]}, "/scopes"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["admin"]}, "/scopes/0"),
        ({"storefront": "  "}, "/storefront"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "a\0b"}, "/name"),
        ({"per_minute": 0}, "/per_minute"),
        ({"mode": "prod"}, "/mode"),
    ],
)
async def test_a_key_that_cannot_be_is_refused_where_it_is_wrong(ops, change, pointer):
    body = await problem(await ops.post("/v1/ops/keys", json=WANTED | change), 422, "invalid")
    assert [error["pointer"] for error in body["errors"]] == [pointer]
    assert len(await list_keys(ops.pool)) == 1


async def test_a_key_that_is_not_there_is_not_revoked(ops):
    await problem(await ops.post(f"/v1/ops/keys/key_{'0' * 16}/revoke"), 404, "not_found")
