"""Our accounts at suppliers over the API: checked, and the last report."""

from gateway.api import state
from gateway.suppliers import checkup
from schemas.api_accounts import CheckReport
from tests.kit.answers import problem, read


async def test_a_check_is_the_same_report_everywhere_and_is_kept(make_api, suppliers):
    api = await make_api(suppliers=suppliers.accounts())
    ops = api.with_key(await api.make_key("ops"))
    await problem(await ops.get("/v1/ops/suppliers/s2s/check"), 404, "not_found")
    await suppliers.tell("s2s", "account", {"secret": "another"})
    report = await read(await ops.post("/v1/ops/suppliers/s2s/check"), CheckReport)
    assert [finding.about for finding in report.findings if finding.level == "bad"] == ["signature"]
    assert await ops.read("/v1/ops/suppliers/s2s/check", CheckReport) == report
    again = await checkup.check(ops.client.app[state.DEPS], "s2s")
    assert [(one.about, one.what_to_do) for one in again.findings] == [
        (one.about, one.what_to_do) for one in report.findings
    ]
    await problem(await ops.post("/v1/ops/suppliers/nobody/check"), 404, "not_found")
