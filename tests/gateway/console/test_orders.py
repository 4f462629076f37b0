"""Orders at the console: found, looked into, looked up again, resolved; nothing of it shows what must not be seen."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from playwright.async_api import expect

from gateway.access import audit_rows
from gateway.inventory.esim_rows import of_orders
from tests.kit.sandboxed import Shop
from tests.kit.working import answered, idle

LIST = "/console/orders"
EMAIL = "Customer.One@example.com"
CODE = "LPA:1$smdp.example.com$HANDED-OVER-77"
ICCID = "8944500102030405067"


async def orders(console, status="fulfilled"):
    return await console.pool.fetch("SELECT * FROM orders WHERE status = $1 ORDER BY created_at", status)


async def esim(console, order_id):
    return (await of_orders(console.pool, console.deps.seal, [order_id]))[order_id]


async def test_the_list_shows_what_was_sold_and_its_filters_stand_in_the_address(console):
    every = await console.pool.fetchval("SELECT count(*) FROM orders")
    page = await console.viewer.get(LIST)
    assert page.status == 200
    assert page.text.count("<tr data-row>") == every
    assert "exp." in page.words
    for query, column, value in (
        ("status=needs_review", "status", "needs_review"),
        ("status=failed", "status", "failed"),
        ("kind=topup", "kind", "topup"),
        ("kind=esim&mode=both", "kind", "esim"),
        ("mode=live", "mode", "live"),
    ):
        count = await console.pool.fetchval(f"SELECT count(*) FROM orders WHERE {column} = $1", value)
        assert (await console.viewer.get(f"{LIST}?{query}")).text.count("<tr data-row>") == count, query
    for supplier in ("beppay", "pikasim"):
        count = await console.pool.fetchval(
            "SELECT count(DISTINCT order_id) FROM attempts WHERE supplier = $1", supplier
        )
        assert (await console.viewer.get(f"{LIST}?supplier={supplier}")).text.count("<tr data-row>") == count
    assert (await console.viewer.get(f"{LIST}?storefront=shop")).text.count("<tr data-row>") == every
    assert "No matching orders" in (await console.viewer.get(f"{LIST}?storefront=other+shop")).words
    assert "No matching orders" in (await console.viewer.get(f"{LIST}?storefront=nobody")).words
    assert (await console.viewer.get(f"{LIST}?since=24h")).text.count("<tr data-row>") == every
    await console.pool.execute("UPDATE orders SET created_at = created_at - interval '3 days'")
    assert (await console.viewer.get(f"{LIST}?since=24h")).text.count("<tr data-row>") == 0
    assert (await console.viewer.get(f"{LIST}?since=7d")).text.count("<tr data-row>") == every
    day = (datetime.now(UTC) - timedelta(days=2)).date()
    assert (await console.viewer.get(f"{LIST}?from={day}")).text.count("<tr data-row>") == 0


async def test_pages_of_the_list_follow_each_other_without_gap_and_its_csv_is_the_screen(console):
    await multiply(console, 120)
    seen, address = [], LIST
    while address:
        page = await console.viewer.get(address)
        seen += re.findall(r'href="/console/orders/(ord_[^"]+)"', page.text)
        more = re.search(r'href="([^"]+)" rel="next"', page.text)
        address = unescape(more[1]) if more else None
    wanted = await console.pool.fetch("SELECT id FROM orders ORDER BY created_at DESC, id")
    assert seen == [row["id"] for row in wanted]
    file = await console.viewer.get(f"{LIST}?format=csv&status=fulfilled")
    lines = file.text.splitlines()
    assert lines[0].startswith("order,at,status,kind,storefront,mode,reference,plan,supplier,price,currency,cost")
    assert len(lines) == 51
    assert (await console.viewer.get(f"{LIST}?cursor=nonsense")).status == 200
    assert (await console.viewer.get(f"{LIST}?cursor=~~~&since=x&status=nonsense&supplier=nobody")).status == 200


async def test_an_order_is_found_by_whatever_names_it(console):
    row = await console.pool.fetchrow(
        "SELECT o.* FROM orders o JOIN attempts a ON a.order_id = o.id"
        " WHERE o.status = 'fulfilled' AND a.supplier_order_id IS NOT NULL LIMIT 1"
    )
    await console.pool.execute(
        "UPDATE orders SET reference = 'SHOP-77', email = $2, email_digest = $3 WHERE id = $1",
        row["id"],
        console.deps.seal.seal(EMAIL),
        console.deps.seal.digest(EMAIL.casefold()),
    )
    attempt = await console.pool.fetchrow("SELECT * FROM attempts WHERE order_id = $1", row["id"])
    sim = await esim(console, row["id"])
    for text in (row["id"], attempt["id"], "SHOP-77", attempt["supplier_order_id"], sim.iccid, sim.id, EMAIL.upper()):
        found = await console.viewer.get(f"{LIST}?q={text}")
        assert re.findall(r'href="/console/orders/(ord_[^"]+)"', found.text) == [row["id"]], text
        gone_to = await console.viewer.get(f"/console/search?q={text}", follow=False)
        assert gone_to.location == f"{LIST}/{row['id']}", text
    for text in ("SHOP", sim.iccid[:-1], "example.com", "'"):
        assert "No matching orders" in (await console.viewer.get(f"{LIST}?q={text}")).words


async def test_one_order_shows_its_money_and_everything_that_happened(console):
    for row in await orders(console):
        page = await console.operator.get(f"{LIST}/{row['id']}")
        assert page.status == 200
        sim = await esim(console, row["id"])
        for word in ("Charged cost", "Margin", "attempt started", "fulfilled", "supplier's charge", sim.iccid):
            assert word in page.words, word
        assert re.search(r"POST /", page.words)
        assert "Sent" in page.words
        assert "Answered" in page.words
        for secret in (sim.activation_code, sim.activation_code.split("$")[2]):
            assert secret not in page.text
        seen = await console.viewer.get(f"{LIST}/{row['id']}")
        assert sim.iccid not in seen.text
        assert sim.iccid[-4:] in seen.text
        assert "Show the activation code" not in seen.words
    assert (await console.viewer.get(f"{LIST}/ord_nothing")).status == 404
    assert (await console.viewer.get(f"{LIST}/%00")).status == 404
    file = await console.operator.get(f"{LIST}/{row['id']}?format=csv")
    assert file.text.splitlines()[0] == "at,source,what,text,state,facts,status,ms"


async def test_webhooks_and_what_the_storefront_was_told_stand_in_the_timeline(console):
    row = (await orders(console))[0]
    attempt = await console.pool.fetchval("SELECT id FROM attempts WHERE order_id = $1", row["id"])
    await console.pool.execute(
        "INSERT INTO supplier_webhooks (supplier, dedupe_key, type, attempt_id)"
        " VALUES ('pikasim', 'k', 'esim.ready', $1)",
        attempt,
    )
    await console.pool.execute(
        """INSERT INTO webhook_events (id, storefront_id, mode, type, order_id, body)
           SELECT 'evt_1', storefront_id, mode, 'order.fulfilled', id, '' FROM orders WHERE id = $1""",
        row["id"],
    )
    page = await console.viewer.get(f"{LIST}/{row['id']}")
    assert "webhook esim.ready" in page.words
    assert "sent to the storefront: order.fulfilled" in page.words


async def test_the_activation_code_is_shown_to_an_operator_who_asks_and_that_is_on_record(console):
    row = (await orders(console))[0]
    sim = await esim(console, row["id"])
    refused = await console.viewer.post(f"{LIST}/{row['id']}/reveal")
    assert refused.status == 403
    page = await console.operator.post(f"{LIST}/{row['id']}/reveal")
    assert sim.activation_code in page.words
    assert page.headers["Cache-Control"] == "no-store"
    (entry,) = (await audit_rows.newest(console.pool, action="order.code_shown")).data
    assert (entry.actor, entry.object) == (console.operator.name, f"order:{row['id']}")
    assert sim.activation_code not in str(entry.detail)
    waiting = (await orders(console, "needs_review"))[0]
    assert (await console.operator.post(f"{LIST}/{waiting['id']}/reveal")).status == 404


async def test_what_waits_is_shown_with_its_reason_the_longest_first(console):
    waiting = (await orders(console, "needs_review"))[0]
    done = await orders(console)
    first, late, fresh = done[0], done[1], await copied(console, done[0]["id"], 3)
    await console.pool.execute(
        """UPDATE orders SET status = 'pending', next_poll_at = now() + interval '5 min',
                             created_at = now() - interval '2 days' WHERE id = $1""",
        first["id"],
    )
    await console.pool.execute("UPDATE attempts SET state = 'accepted' WHERE order_id = $1", first["id"])
    await console.pool.execute(
        "UPDATE orders SET status = 'failed', failure_code = 'supplier_refused' WHERE id = $1", late["id"]
    )
    await console.pool.execute(
        "INSERT INTO order_events (order_id, at, type) VALUES ($1, now() - interval '1 day', 'charged_after_failure')",
        late["id"],
    )
    await console.pool.execute(
        "UPDATE orders SET status = 'pending', next_poll_at = now() WHERE id = ANY($1)", [fresh[0]]
    )
    page = await console.operator.get("/console/attention")
    shown = re.findall(r'<th scope="row"><a href="/console/orders/(ord_[^"]+)"', page.text)
    assert shown == [late["id"], waiting["id"]], "what needs a decision comes first"
    _, _, by_itself = page.words.partition("Resolves by itself")
    assert "accepted it and has not delivered it yet" in by_itself
    assert f'<a href="/console/orders/{first["id"]}">1</a>' in page.text
    assert "took money after the order had failed" in page.words
    for kind, ids in (("stuck", [first["id"]]), ("charged", [late["id"], waiting["id"]]), ("unknown", [])):
        page = await console.viewer.get(f"/console/attention?kind={kind}")
        assert re.findall(r'<th scope="row"><a href="/console/orders/(ord_[^"]+)"', page.text) == ids, kind
        assert "Check again" not in page.words
    assert "3 orders need attention" in (await console.viewer.get("/console")).words
    file = await console.viewer.get("/console/attention?format=csv")
    assert file.text.splitlines()[0].startswith("kind,since,why,order,at")
    refused = await console.operator.post(f"{LIST}/{late['id']}/late-charge", {"note": ""})
    assert refused.status == 422
    await console.operator.post(f"{LIST}/{late['id']}/late-charge", {"note": "they paid it back by hand"})
    assert late["id"] not in (await console.viewer.get("/console/attention")).text
    assert "late charge settled" in (await console.viewer.get(f"{LIST}/{late['id']}")).words
    await console.viewer.post("/console/mode", {"mode": "live"})
    assert "Nothing needs attention" in (await console.viewer.get("/console/attention")).words


async def bought(console, supplier):
    """A new order, delivered by that supplier, and its id."""
    rows = await console.pool.fetch(
        """SELECT supplier, plan_id FROM (
               SELECT DISTINCT ON (plan_id) plan_id, supplier FROM offers
               WHERE visible AND cost IS NOT NULL AND coalesce(stock, 1) > 0 AND suspect IS NULL AND coverage <> '{BV}'
               ORDER BY plan_id, cost) cheapest WHERE supplier = $1 ORDER BY plan_id LIMIT 1""",
        supplier,
    )
    storefront = await console.pool.fetchval("SELECT id FROM storefronts WHERE name = 'shop'")
    order_id = await Shop(console.deps, console.town, storefront).buy(rows[0]["plan_id"])
    found = await console.pool.fetchrow(
        "SELECT status, supplier FROM orders o JOIN attempts a ON a.order_id = o.id WHERE o.id = $1", order_id
    )
    assert tuple(found) == ("fulfilled", supplier)
    return order_id


async def test_looking_again_asks_the_supplier_and_settles_what_it_says(console):
    order_id = await bought(console, "pikasim")
    await console.pool.execute("UPDATE orders SET status = 'needs_review' WHERE id = $1", order_id)
    await console.pool.execute("UPDATE attempts SET state = 'unknown', ended_at = NULL WHERE order_id = $1", order_id)
    await console.pool.execute("DELETE FROM esims WHERE order_id = $1", order_id)
    answer = await console.operator.post(f"{LIST}/{order_id}/look-up", {"next": "/console/attention"})
    assert answer.url == "/console/attention"
    assert "The supplier was polled" in answer.words
    await idle(console.deps)
    assert await console.pool.fetchval("SELECT status FROM orders WHERE id = $1", order_id) == "fulfilled"
    page = await console.operator.get(f"{LIST}/{order_id}")
    assert "GET /" in page.words
    (entry,) = (await audit_rows.newest(console.pool, action="order.looked_up")).data
    assert entry.object == f"order:{order_id}"
    assert (await console.operator.post(f"{LIST}/ord_nothing/look-up")).status == 404
    away = await console.operator.post(f"{LIST}/{order_id}/look-up", {"next": "https://evil.example"}, follow=False)
    assert away.location == f"{LIST}/{order_id}"


async def test_resolving_keeps_what_was_typed_until_it_is_right_and_is_on_record(console):
    waiting = (await orders(console, "needs_review"))[0]
    place = f"{LIST}/{waiting['id']}/resolve"
    assert (await console.viewer.get(place)).status == 403
    page = await console.operator.get(place)
    for words in ("delivered, with the code below", "the supplier charged nothing", "charged and refunded it"):
        assert words in page.words
    given = {"as": "fulfilled", "activation_code": "not a code", "iccid": "12x", "note": 'seen in <their> "portal"'}
    page = await console.operator.post(place, given)
    assert page.status == 422
    assert 'value="not a code"' in page.text
    assert "has digits only" in page.words
    page = await console.operator.post(place, given | {"iccid": ICCID})
    assert page.status == 422
    assert "an activation code that can be installed is needed" in page.words
    assert "seen in &lt;their&gt;" in page.text
    assert re.search(r'value="fulfilled" required checked', page.text)
    page = await console.operator.post(place, given | {"iccid": ICCID, "note": "", "activation_code": CODE})
    assert "is required" in page.words
    assert (await orders(console, "needs_review"))[0]["id"] == waiting["id"]
    page = await console.operator.post(place, given | {"iccid": ICCID, "activation_code": CODE})
    assert (page.status, page.url) == (200, f"{LIST}/{waiting['id']}")
    assert "Resolved as fulfilled" in page.words
    assert (await esim(console, waiting["id"])).activation_code == CODE
    (entry,) = (await audit_rows.newest(console.pool, action="order.resolved")).data
    assert (entry.actor, entry.detail["as"]) == (console.operator.name, "fulfilled")
    assert ICCID not in str(entry.detail)
    again = await console.operator.post(place, {"as": "failed", "note": "once more"})
    assert again.status == 422
    assert "needs no decision" in again.words


@pytest.mark.parametrize(("outcome", "status"), [("failed", "failed"), ("refunded", "cancelled")])
async def test_what_came_to_nothing_or_was_given_back_is_resolved_so(console, outcome, status):
    waiting = (await orders(console, "needs_review"))[0]
    await console.operator.post(f"{LIST}/{waiting['id']}/resolve", {"as": outcome, "note": "asked them"})
    row = await console.pool.fetchrow("SELECT status FROM orders WHERE id = $1", waiting["id"])
    assert row["status"] == status
    booked = await console.pool.fetch("SELECT kind FROM ledger WHERE order_id = $1 ORDER BY id", waiting["id"])
    assert [one["kind"] for one in booked] == ["charge", "refund"][: 1 if outcome == "failed" else 2]


async def test_an_unused_esim_is_cancelled_and_what_no_supplier_takes_back_says_so(console):
    kept = await console.pool.fetchval("SELECT order_id FROM esims WHERE supplier = 'beppay' LIMIT 1")
    refused = await console.operator.post(f"{LIST}/{kept}/cancel")
    assert refused.status == 422
    assert "cannot be given back" in refused.words
    order_id = await bought(console, "pikasim")
    page = await console.operator.post(f"{LIST}/{order_id}/cancel")
    assert "The cancellation was requested" in page.words
    await answered(console.deps, order_id, 30)
    page = await console.viewer.get(f"{LIST}/{order_id}")
    assert await console.pool.fetchval("SELECT status FROM orders WHERE id = $1", order_id) == "cancelled"
    assert "supplier's refund" in page.words
    assert len((await audit_rows.newest(console.pool, action="order.cancel_requested")).data) == 1


async def test_hostile_words_of_suppliers_and_storefronts_do_nothing_on_these_pages(console):
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\u202e' + "x" * 5000
    waiting = (await orders(console, "needs_review"))[0]
    await console.pool.execute(
        "UPDATE orders SET reference = $1, plan = plan || $2 WHERE id = $3", evil[:100], {"name": evil}, waiting["id"]
    )
    await console.pool.execute("UPDATE storefronts SET name = $1 WHERE name = 'shop'", evil[:200])
    await console.pool.execute(
        "UPDATE attempts SET error = $1, why = $1, supplier_order_id = $1 WHERE order_id = $2", evil, waiting["id"]
    )
    await console.pool.execute("UPDATE exchanges SET answer = $1, request = $1, path = $1", evil)
    await console.pool.execute(
        "INSERT INTO order_events (order_id, type, detail) VALUES ($1, $2, $3)",
        waiting["id"],
        "odd",
        {"text": evil, "ops": {"note": evil, "left": [{"supplier": evil}]}},
    )
    for path in (
        LIST,
        f"{LIST}/{waiting['id']}",
        f"{LIST}/{waiting['id']}/resolve",
        "/console/attention",
        "/console/storefronts",
    ):
        page = await console.admin.get(path)
        assert page.status == 200, path
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert len(page.text) < 200_000


async def multiply(console, count):
    """So many more orders like the first one, each with its attempt."""
    first = (await orders(console))[0]["id"]
    return await copied(console, first, count)


async def copied(console, order_id, count):
    made = await console.pool.fetch(
        """INSERT INTO orders (id, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base,
                               max_cost, base_currency, created_at)
           SELECT 'ord_c' || g, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base,
                  max_cost, base_currency, now() - make_interval(secs => g / 3) FROM orders, generate_series(1, $2) g
           WHERE id = $1 RETURNING id""",
        order_id,
        count,
    )
    return [row["id"] for row in made]


@pytest.mark.browser
async def test_in_a_browser_what_waits_is_settled_by_keys_and_the_code_is_asked_about_first(console, open_page):
    waiting = (await orders(console, "needs_review"))[0]
    page = await open_page(console.operator, "/console")
    await page.keyboard.press("g")
    await page.keyboard.press("a")
    await page.wait_for_url("**/console/attention")
    await page.get_by_role("link", name=f"Resolve order {waiting['id']}").click()
    await page.get_by_label("delivered, with the code below").check()
    await page.get_by_label("Activation code").fill("nonsense")
    await page.get_by_label("ICCID").fill(ICCID)
    await page.get_by_label("How you know").fill("their portal shows it")
    await page.get_by_role("button", name="Resolve", exact=True).click()
    await page.get_by_text("an activation code that can be installed is needed").wait_for()
    await expect(page.get_by_label("How you know")).to_have_value("their portal shows it")
    await expect(page.get_by_label("delivered, with the code below")).to_be_checked()
    await page.get_by_label("Activation code").fill(CODE)
    await page.get_by_role("button", name="Resolve", exact=True).click()
    await page.wait_for_url(f"**{LIST}/{waiting['id']}")
    await expect(page.locator("main")).to_contain_text("Resolved as fulfilled")
    assert CODE not in await page.content()
    await page.get_by_role("button", name="Show the activation code").click()
    question = page.get_by_role("dialog")
    await expect(question).to_contain_text("recorded in the audit log")
    await question.get_by_role("button", name="Show the activation code").click()
    await page.get_by_text(CODE).wait_for()


@pytest.mark.browser
async def test_without_scripts_a_key_is_made_and_an_order_looked_into(console, open_page):
    page = await open_page(console.admin, "/console/storefronts", scripts=False)
    await page.get_by_role("link", name="shop", exact=True).click()
    await page.get_by_label("routing: may choose suppliers").check()
    await page.get_by_role("button", name="Create key").click()
    assert re.fullmatch(r"gw_test_[0-9A-Za-z]{38}", (await page.inner_text(".once code")).strip())
    await page.goto(LIST)
    await page.locator("tbody a").first.click()
    details = page.locator("details.exchange").first
    await details.locator("summary").click()
    await expect(page.locator("main")).to_contain_text("Timeline")
