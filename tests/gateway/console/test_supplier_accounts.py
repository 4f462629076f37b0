"""Our account on a supplier's page: checked, its key turned over, its webhooks set."""

import msgspec

from gateway.access import audit_rows
from gateway.suppliers import checkup, supplier_check_rows, supplier_key_rows
from schemas.account import SupplierAccount, SupplierKey
from schemas.api_accounts import CheckFinding

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>" + "x" * 10_000


async def test_an_operator_checks_an_account_and_everybody_sees_what_is_wrong_and_what_to_do(console):
    assert "Not checked yet" in (await console.viewer.get("/console/suppliers/s2s")).words
    done = await console.operator.post("/console/suppliers/s2s/check")
    assert "No problems found" in done.words
    assert "Sandbox partner" in (await console.viewer.get("/console/suppliers/s2s")).words
    await console.town.tell("s2s", "account", {"secret": "<b>another</b>"})
    try:
        done = await console.operator.post("/console/suppliers/s2s/check")
    finally:
        await console.town.tell("s2s", "reset", {})
    assert "Problems found: 1" in done.words
    assert "suppliers.s2s.partner_secret is not the one that S2S has for us" in done.words
    assert (await console.viewer.post("/console/suppliers/s2s/check")).status == 403
    assert (await console.operator.post("/console/suppliers/nobody/check")).status == 404


async def test_an_admin_turns_a_key_over_and_it_is_written_down_without_the_key(console):
    assert (await console.operator.post("/console/suppliers/beppay/keys/rotate")).status == 403
    done = await console.admin.post("/console/suppliers/beppay/keys/rotate")
    assert "The new key is in force" in done.words
    assert "the old one is valid until" in done.words
    row = await supplier_key_rows.newest(console.pool, "beppay")
    assert (row.state, row.in_force) == ("switched", True)
    assert [entry.action for entry in (await audit_rows.newest(console.pool)).data][:2] == [
        "supplier_key.switched", "supplier_key.asked",
    ]  # fmt: skip
    await console.operator.post("/console/suppliers/beppay/check")
    page = await console.viewer.get("/console/suppliers/beppay")
    assert row.name in page.words
    assert "stored key (overrides the configuration)" in page.words
    refused = await console.admin.post("/console/suppliers/s2s/keys/rotate")
    assert "S2S gives its token and partner secret to people" in refused.words


async def test_an_admin_sets_where_webhooks_go_and_is_told_when_a_test_has_arrived(console):
    done = await console.admin.post("/console/suppliers/pikasim/webhooks", {"base_url": console.url})
    assert "The test event arrived and its signature is valid" in done.words
    wrong = await console.admin.post("/console/suppliers/pikasim/webhooks", {"base_url": "http://example.com"})
    assert "the base URL cannot be used" in wrong.words
    page = await console.viewer.get("/console/suppliers/s2s")
    assert "/webhooks/s2s" in page.text


async def test_hostile_words_of_a_supplier_stay_text(console):
    report = await checkup.check(console.deps, "beppay")
    spoilt = msgspec.structs.replace(
        report,
        account=SupplierAccount(HOSTILE, active=False, status=HOSTILE),
        keys=[SupplierKey(HOSTILE, HOSTILE, HOSTILE, active=True)],
        findings=[CheckFinding(HOSTILE, "bad", HOSTILE, HOSTILE)],
    )
    await supplier_check_rows.keep(console.pool, spoilt)
    page = await console.viewer.get("/console/suppliers/beppay")
    assert page.status == 200
    assert "alert(1)" in page.words
    assert "<script>alert" not in page.text
    assert "<img" not in page.text
    assert "x" * 1_000 not in page.text
