"""The sandboxes' accounts looked at: all good, and what is made wrong is named with what to do."""

from __future__ import annotations

import pytest
import stamina

from gateway.intake.inbound import receive
from gateway.kit.sealing import Seal
from gateway.suppliers import selling_rows, supplier_check_rows
from gateway.suppliers.accounts import accounts_of
from gateway.suppliers.checkup import check, check_all
from gateway.suppliers.deps import Deps
from gateway.suppliers.key_rotation import rotate
from providers.simulator import Fault, FaultKind
from tests.kit.shelf import settings_for

SIX_MINUTES = 360


@pytest.fixture
async def open_deps(suppliers, pool, database_url, tmp_path):
    """Deps with other settings of some suppliers."""
    opened = []

    async def open_(**changed) -> Deps:
        given = {name: own | changed.get(name, {}) for name, own in suppliers.accounts(timeout_seconds=2).items()}
        settings = settings_for(tmp_path, database_url, suppliers=given)
        accounts = accounts_of(settings, pool)
        opened.append(accounts)
        return Deps(pool, await accounts.__aenter__(), settings, Seal.from_settings(settings))

    with stamina.set_testing(True, attempts=1):
        yield open_
    for accounts in opened:
        await accounts.__aexit__(None, None, None)


def bad(report) -> dict[str, str]:
    """What is bad, each with what to do."""
    return {finding.about: finding.what_to_do for finding in report.findings if finding.level == "bad"}


def finding(report, about: str):
    (found,) = [one for one in report.findings if one.about == about]
    return found


async def test_the_sandboxes_are_all_good_and_each_says_who_we_are_and_what_it_can_do(open_deps):
    deps = await open_deps()
    beppay, pikasim, s2s = await check_all(deps)
    assert [bad(report) for report in (beppay, pikasim, s2s)] == [{}, {}, {}]
    assert [report.answers for report in (beppay, pikasim, s2s)] == [True, True, True]
    levels = {one.level for report in (beppay, pikasim, s2s) for one in report.findings}
    assert levels <= {"ok", "unknown"}
    assert (pikasim.account.name, s2s.account.name, beppay.account) == ("Sandbox Storefront", "Sandbox partner", None)
    assert [key.name for key in beppay.keys] == ["Sandbox"]
    assert "keys" in beppay.capabilities
    assert "session cookie" in beppay.cannot["account"]
    assert (s2s.spendable.amount, s2s.first_page > 0) == ("10100.00", True)
    paths = {one.about for one in s2s.findings if one.about.startswith("path ")}
    assert len(paths) == 10
    assert await supplier_check_rows.last(deps.pool, "s2s") == s2s


async def test_a_check_buys_nothing(open_deps, suppliers):
    await check_all(await open_deps())
    assert await suppliers.charges() == []


async def test_a_wrong_partner_secret_is_named(open_deps):
    report = await check(await open_deps(s2s={"partner_secret": "another one"}), "s2s")
    assert list(bad(report)) == ["signature"]
    assert "suppliers.s2s.partner_secret is not the one" in bad(report)["signature"]
    assert "Invalid signature" in finding(report, "signature").detail


@pytest.mark.parametrize("seconds", [SIX_MINUTES, -SIX_MINUTES])
async def test_a_clock_six_minutes_off_is_named_before_the_secret(open_deps, suppliers, seconds):
    await suppliers.tell("s2s", "account", {"clock_seconds": seconds})
    report = await check(await open_deps(), "s2s")
    assert list(bad(report)) == ["clock", "signature"]
    assert f"6 min 0 s {'ahead of' if seconds > 0 else 'behind'} ours" in finding(report, "clock").detail
    assert "NTP" in bad(report)["clock"]
    assert bad(report)["signature"].startswith("put the clock right first")


async def test_a_clock_that_signs_nothing_is_a_warning(open_deps, suppliers):
    await suppliers.tell("pikasim", "account", {"clock_seconds": SIX_MINUTES})
    report = await check(await open_deps(), "pikasim")
    assert (report.answers, finding(report, "clock").level) == (True, "warn")


@pytest.mark.parametrize(("supplier", "setting"), [("beppay", "api_key"), ("pikasim", "api_key"), ("s2s", "token")])
async def test_a_revoked_key_is_named_and_nothing_more_is_asked(open_deps, suppliers, supplier, setting):
    await suppliers.tell(supplier, "account", {"revoke": 1})
    report = await check(await open_deps(), supplier)
    assert list(bad(report)) == ["credentials"]
    assert f"set suppliers.{supplier}.{setting}" in bad(report)["credentials"]
    others = [one.level for one in report.findings if one.about.startswith(("path", "signature", "catalogue", "bal"))]
    assert set(others) == {"unknown"}


@pytest.mark.parametrize(
    "name", ["me", "balance", "balance_history", "products", "pricelist", "categories", "product", "order",
             "esim_status", "esim_topup"],
)  # fmt: skip
async def test_a_path_that_moved_is_named(open_deps, name):
    gone = {"product": "/gone/{uuid}", "order": "/gone/{uuid}", "esim_status": "/gone/{iccid}",
            "esim_topup": "/gone/{iccid}"}.get(name, "/gone")  # fmt: skip
    report = await check(await open_deps(s2s={"paths": {name: gone}}), "s2s")
    named = [what for what in bad(report).values() if what.endswith(f"and set suppliers.s2s.paths.{name}")]
    assert named
    assert not [what for what in bad(report).values() if "paths." in what and what not in named]


async def test_a_path_that_the_supplier_moved_is_named(open_deps, suppliers):
    suppliers.served.world.add_fault("s2s", Fault(FaultKind.MOVED, "/services/esim/"))
    report = await check(await open_deps(), "s2s")
    assert {name: what.rsplit(" ", 1)[-1] for name, what in bad(report).items()} == {
        "path esim_status": "suppliers.s2s.paths.esim_status",
        "path esim_topup": "suppliers.s2s.paths.esim_topup",
    }


async def test_a_base_url_that_leads_elsewhere_is_named(open_deps, suppliers):
    url = suppliers.served.urls["pikasim"]
    deps = await open_deps(pikasim={"base_url": f"{url}/v9"}, beppay={"base_url": "http://127.0.0.1:9"})
    assert "suppliers.pikasim.base_url" in bad(await check(deps, "pikasim"))["credentials"]
    assert "nothing answers there: look at suppliers.beppay.base_url" in bad(await check(deps, "beppay"))["credentials"]


async def test_what_is_not_set_is_named(open_deps):
    deps = await open_deps(beppay={"email_domain": None}, pikasim={"webhook_secret": None})
    assert bad(await check(deps, "beppay")) == {"purchases": "set suppliers.beppay.email_domain"}
    pikasim = await check(deps, "pikasim")
    assert (pikasim.answers, finding(pikasim, "webhook secret").level) == (True, "warn")


async def test_webhooks_that_are_signed_with_another_secret_are_named(open_deps):
    deps = await open_deps()
    assert await receive(deps, "pikasim", {}, b"{}", deps.clock()) == "forged"
    found = finding(await check(deps, "pikasim"), "webhooks")
    assert (found.level, "suppliers.pikasim.webhook_secret is not what" in found.what_to_do) == ("bad", True)


async def test_no_money_a_lower_rate_and_a_stop_are_named(open_deps, suppliers):
    await suppliers.tell("pikasim", "till", {"deposit": "-10000"})
    deps = await open_deps()
    await check(deps, "pikasim")
    await deps.pool.execute("UPDATE supplier_limits SET reported_limit = 30, remaining = 3 WHERE supplier = 'pikasim'")
    await selling_rows.stop(deps.pool, "pikasim", "account", "Account suspended")
    report = await check(deps, "pikasim")
    assert list(bad(report)) == ["money", "selling"]
    assert "selling resume --supplier pikasim" in bad(report)["selling"]
    assert finding(report, "rate limit").what_to_do.endswith("set suppliers.pikasim.requests_per_minute = 30")


async def test_a_stored_key_shows_and_one_that_was_revoked_is_named_with_the_way_back(open_deps, suppliers):
    deps = await open_deps()
    told = await rotate(deps, "beppay", "the test")
    report = await check(deps, "beppay")
    assert (report.key, report.answers) == (told.id, True)
    assert [key.name for key in report.keys] == ["Sandbox", told.name]
    await suppliers.tell("beppay", "account", {"revoke": int(told.key_id)})
    assert "keys beppay use-configured" in bad(await check(deps, "beppay"))["credentials"]


async def test_no_secret_stands_in_a_report(open_deps, suppliers):
    told = repr(await check_all(await open_deps()))
    secrets = [value for account in suppliers.accounts().values() for name, value in account.items()
               if name in {"api_key", "token", "partner_secret", "webhook_secret"}]  # fmt: skip
    assert not [secret for secret in secrets if secret in told]
