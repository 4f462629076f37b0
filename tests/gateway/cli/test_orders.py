"""``orders``, ``reconcile``, ``selling`` and ``db restored`` as scripts use them."""

import json
from datetime import UTC, datetime

import pytest

from gateway.access.key_rows import create_key
from gateway.orders.process import process_order
from gateway.orders.topup import admit_topup
from providers.beppay import orders as beppay
from schemas.order_requests import TopupForPlan
from tests.kit.command_line import command_with, environment_of
from tests.kit.sandboxed import shop_on, stock_from, town
from tests.kit.shelf import settings_for
from tests.kit.working import answered

GOOD = "bv-1gb-2d-06d3e3e4ddb9"
PARTLY = "bv-20gb-3d-8efeafa9e372"


@pytest.fixture
async def shop(pool, database_url, tmp_path):
    async with town() as suppliers:
        settings = settings_for(tmp_path, database_url, suppliers=suppliers.accounts())
        await stock_from(pool, settings)
        await create_key(pool, storefront="shop", mode="test", scopes=["storefront"])
        storefront = await pool.fetchval("SELECT id FROM storefronts")
        async with shop_on(database_url, suppliers, settings, storefront) as made:
            yield made


@pytest.fixture
def command(shop):
    return command_with(environment_of(shop.deps.settings))


async def test_an_order_is_listed_shown_with_its_timeline_and_resolved(shop, command):
    good = await shop.buy(GOOD)
    stuck = await shop.buy(PARTLY)
    _, out, _ = await command("orders", "list", "--json")
    assert [order["id"] for order in json.loads(out)] == [stuck, good]
    _, out, _ = await command("orders", "list", "--status", "needs_review")
    assert (stuck in out, good in out) == (True, False)
    code, out, _ = await command("orders", "show", good, "--json")
    told = json.loads(out)
    assert (code, told["status"], told["supplier"]) == (0, "fulfilled", "pikasim")
    assert [attempt["state"] for attempt in told["attempts"]] == ["succeeded"]
    assert told["events"][0]["type"] == "admitted"
    assert "LPA:" not in out
    code, out, _ = await command("orders", "show", stuck)
    assert ("needs_review" in out, "s2s" in out) == (True, True)
    code, out, _ = await command("orders", "look-up", stuck, "--json")
    assert (code, json.loads(out)["status"]) == (0, "needs_review")

    word = ("orders", "resolve", stuck, "--note", "their support")
    code, _, err = await command(*word, "--as", "fulfilled")
    assert (code, err.count("\n")) == (2, 1)
    more = ("--activation-code", "-", "--iccid", "8944500102198765432", "--json")
    code, out, _ = await command(*word, "--as", "fulfilled", *more, typed="LPA:1$smdp.example.com$AB-12\n")
    assert (code, json.loads(out)["status"]) == (0, "fulfilled")
    assert "AB-12" not in out
    code, _, err = await command(*word, "--as", "failed")
    assert (code, "fulfilled" in err) == (2, True)
    code, _, err = await command("orders", "show", "ord_nobody")
    assert (code, err) == (2, "esim-gateway: there is no such order: ord_nobody\n")


async def test_the_answer_of_a_supplier_is_read_again(shop, command, monkeypatch):
    plan = await shop.deps.pool.fetchval(
        "SELECT plan_id FROM offers WHERE supplier = 'beppay' AND coverage = '{BV}' AND days = 1"
        " AND (data->>'mb')::int = 1000"
    )

    def broken(*_):
        raise KeyError("a fault of the plugin")

    with monkeypatch.context() as patched:
        patched.setattr(beppay, "purchase_answer", broken)
        order_id = await shop.admit(plan)
        await process_order(shop.deps, order_id)
    assert await shop.status(order_id) == "pending"
    code, out, _ = await command("orders", "read-answer", order_id, "--json")
    told = json.loads(out)
    assert (code, told["status"], told["answers"]) == (0, "fulfilled", {"kept": 1, "read": 1, "changed": 1})
    code, out, _ = await command("orders", "read-answer", order_id)
    assert (code, out.splitlines()[0]) == (0, "kept answers: 1, readable: 1, changed the order: 0")
    assert ("fulfilled" in out, "LPA:" in out) == (True, False)
    assert len(await shop.suppliers.charges()) == 1
    code, _, err = await command("orders", "read-answer", "ord_nobody")
    assert (code, err) == (2, "esim-gateway: there is no such order: ord_nobody\n")


async def test_a_day_is_reconciled_and_a_restore_keeps_sending_off_until_it_is_clean(shop, command):
    await shop.buy(GOOD)
    today = datetime.now(UTC).date().isoformat()
    code, out, _ = await command("reconcile", "--date", today, "--json")
    report = json.loads(out)
    assert (code, report["clean"], report["first"]) == (0, True, today)
    assert {part["supplier"]: part["movements"] for part in report["suppliers"]}["pikasim"] == 1

    await shop.deps.pool.execute("DELETE FROM ledger")
    order_id = await shop.admit(GOOD)
    code, out, _ = await command("db", "restored", "--note", "nightly")
    assert (code, today in out) == (0, True)
    assert "1 need review, 0 are polled first" in out
    await process_order(shop.deps, order_id)
    assert await shop.status(order_id) == "needs_review"
    code, _, err = await command("orders", "release", "--restored")
    assert (code, "reconcile" in err) == (2, True)
    assert len(await shop.suppliers.charges()) == 1
    code, out, _ = await command("reconcile")
    assert (code, "our ledger lacks it" in out) == (3, True)
    _, out, _ = await command("selling", "list", "--json")
    assert json.loads(out) == [{"supplier": None, "reasons": ["restored"]}]
    code, _, _ = await command("selling", "resume")
    assert code == 2  # only a clean reconciliation lifts that
    _, out, _ = await command("reconcile", "--json")
    (one,) = (one for part in json.loads(out)["suppliers"] for one in part["differences"])
    explain = ("reconcile", "--supplier", "pikasim", "--explain", one["movement"], "--note", "seen")
    assert (await command(*explain))[0] == 0
    code, out, _ = await command("reconcile")
    assert (code, "sending is on again" in out) == (0, True)
    assert (await command("selling", "list"))[1] == ""
    assert await shop.status(order_id) == "needs_review"
    assert (await command("orders", "release"))[0] == 2
    code, out, _ = await command("orders", "release", "--restored", "--note", "not bought since", "--json")
    assert (code, json.loads(out)) == (0, {"orders": [order_id]})
    await process_order(shop.deps, order_id)
    assert len(await shop.suppliers.charges()) == 2
    code, _, err = await command("orders", "resolve", order_id, "--as", "released", "--note", "again")
    assert (code, "only one that needs review because of a restore" in err) == (2, True)


async def test_an_order_is_cancelled_and_one_with_a_topup_only_by_force(shop, command):
    waiting = await shop.admit(GOOD)
    code, out, _ = await command("orders", "cancel", waiting, "--json")
    assert (code, json.loads(out)["status"]) == (0, "cancelled")
    assert await shop.suppliers.charges() == []
    order_id = await shop.buy(GOOD)
    esim, plan = await shop.deps.pool.fetchrow(
        "SELECT e.id, o.plan_id FROM esims e JOIN orders o ON o.id = e.order_id WHERE o.id = $1", order_id
    )
    admitted = await admit_topup(shop.deps, shop.storefront, "test", esim, TopupForPlan(plan_id=plan), "top")
    await answered(shop.deps, admitted.order_id, 60)
    code, _, err = await command("orders", "cancel", order_id)
    assert (code, "data was added" in err) == (2, True)
    code, out, _ = await command("orders", "cancel", order_id, "--force", "--note", "agreed", "--json")
    assert (code, json.loads(out)["status"]) == (0, "cancelled")
    assert await shop.status(admitted.order_id) == "needs_review"


async def test_what_is_no_day_and_a_supplier_that_is_down_have_codes_of_their_own(shop, command):
    for day in ("yesterday", "0001-01-01", "9999-12-31"):
        assert (await command("reconcile", "--date", day))[0] == 2
    assert (await command("reconcile", "--explain", "charge:1"))[0] == 2
    await shop.suppliers.tell("s2s", "faults", {"kind": "down"})
    assert (await command("reconcile"))[0] == 4


async def test_selling_is_stopped_and_resumed_at_one_supplier(shop, command):
    assert (await command("selling", "stop", "--supplier", "pikasim", "--note", "prices"))[0] == 0
    assert (await command("selling", "list"))[1] == "pikasim: person\n"
    assert (await command("selling", "stop", "--supplier", "nobody"))[0] == 2
    assert (await command("selling", "resume", "--supplier", "pikasim"))[0] == 0
    assert (await command("selling", "resume", "--supplier", "pikasim"))[0] == 2
    assert (await command("selling", "list"))[1] == ""


async def test_an_address_is_forgotten_by_its_owners_wish(shop, command):
    seal, address = shop.deps.seal, "someone@example.com"
    order_id = await shop.admit(GOOD)
    await shop.deps.pool.execute(
        "UPDATE orders SET email = $1, email_digest = $2", seal.seal(address), seal.digest(address)
    )
    assert await command("orders", "erase-email", "other@example.com") == (0, "forgotten in 0 orders\n", "")
    code, out, _ = await command("orders", "erase-email", "-", "--json", typed="Someone@example.com\n")
    assert (code, json.loads(out)) == (0, {"orders": [order_id]})
    assert await shop.deps.pool.fetchval("SELECT email FROM orders") is None
