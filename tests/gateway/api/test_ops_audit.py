"""The audit log over the API."""

from gateway.access import audit_rows
from schemas.api_audit import AuditEntry
from schemas.page import Page
from tests.kit.answers import problem


async def test_the_audit_log_is_read_newest_first_page_by_page_and_filtered(make_api):
    api = await make_api()
    ops = api.with_key(await api.make_key("ops"))
    async with api.pool.acquire() as connection:
        for number in range(5):
            await audit_rows.record(connection, "key key_1", "rule.changed", f"rule:{number}", {"after": number})
        await audit_rows.record(connection, "anonymous", "user.login_failed", "user:ana", {"address": "192.0.2.1"})
    page = await ops.read("/v1/ops/audit?limit=2", Page[AuditEntry])
    assert page.has_more
    newest = page.data[0]
    assert (newest.actor, newest.action, newest.object) == ("anonymous", "user.login_failed", "user:ana")
    assert (newest.user_id, newest.detail) == (None, {"address": "192.0.2.1"})
    everything = await ops.rows("/v1/ops/audit", 2)
    assert [entry["object"] for entry in everything] == ["user:ana", *(f"rule:{n}" for n in (4, 3, 2, 1, 0))]
    assert len({entry["id"] for entry in everything}) == 6
    assert len(await ops.rows("/v1/ops/audit?action=rule.")) == 5
    assert len(await ops.rows("/v1/ops/audit?object=user:ana")) == 1
    assert len(await ops.rows("/v1/ops/audit?actor=key%20key_1&object=rule:3")) == 1


async def test_the_audit_log_needs_the_scope_of_operators(make_api):
    api = await make_api()
    shop = api.with_key(await api.make_key("storefront"))
    await problem(await shop.get("/v1/ops/audit"), 403, "forbidden")
    ops = api.with_key(await api.make_key("ops"))
    await problem(await ops.get("/v1/ops/audit?user=ana"), 422, "invalid")
    page = await ops.read("/v1/ops/audit?cursor=7a7a", Page[AuditEntry])
    assert page.data == []
