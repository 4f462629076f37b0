"""Checkouts at the console: found, looked into, and decided where a payment needs attention."""

import re

import pytest
from playwright.async_api import expect

LIST = "/console/checkouts"
CASES = "/console/payment-cases"
_CHECKOUT = """
INSERT INTO checkouts (id, storefront_id, mode, state, reference, plan_id, plan, price, currency, price_base, max_cost,
                       base_currency, language, account, link_id, payment_url, fee_base, expires_at, created_at,
                       updated_at, paid_at)
SELECT $1, storefront_id, mode, $2, $1, plan_id, plan, greatest(price, 1), currency, price_base, max_cost,
       base_currency, 'en', 'bepaid', 'prd_' || $1, 'https://pay.example.com/' || $1,
       CASE WHEN $2 = 'paid' THEN 0.25 END,
       now() + interval '1 h', now(), now(), CASE WHEN $2 = 'paid' THEN now() END
FROM orders WHERE status = 'fulfilled' AND kind = 'esim' ORDER BY created_at LIMIT 1
"""
_PAYMENT = """
INSERT INTO payments (id, account, payment_id, checkout_id, kind, state, amount, currency, test, paid_at, received_at,
                      settled_at, accepted)
VALUES ($1, 'bepaid', 'uid-' || $1, $2, 'payment', 'captured', 4, 'USD', true, now(), now(), now(), $3)
"""
_CASE = """
INSERT INTO payment_cases (id, checkout_id, payment_id, reason, detail, mode, opened_at)
VALUES ($1, $2, $3, $4, '4.00 USD', 'test', now())
"""


@pytest.fixture
async def paid(console):
    """One that was paid and delivered, one that was paid too little, and a payment of nobody."""
    pool = console.pool
    await pool.execute(_CHECKOUT, "co_paid", "paid")
    await pool.execute(_PAYMENT, "pay_1", "co_paid", True)
    order = "SELECT id FROM orders WHERE status = 'fulfilled' AND kind = 'esim' ORDER BY created_at LIMIT 1"
    await pool.execute(f"UPDATE orders SET checkout_id = 'co_paid' WHERE id = ({order})")
    await pool.execute(_CHECKOUT, "co_little", "open")
    await pool.execute(_PAYMENT, "pay_2", "co_little", False)
    await pool.execute(_CASE, "pc_little", "co_little", "pay_2", "paid_too_little")
    await pool.execute("UPDATE checkouts SET open_cases = 1 WHERE id = 'co_little'")
    await pool.execute(_PAYMENT, "pay_3", None, False)
    await pool.execute(_CASE, "pc_stranger", None, "pay_3", "unknown_checkout")
    return console


async def test_the_list_has_fee_and_margin_and_its_filters_stand_in_the_address(paid):
    page = await paid.viewer.get(LIST)
    assert page.status == 200
    assert re.findall(r'href="/console/checkouts/(co_[^"]+)"', page.text)
    for query, ids in (
        ("status=needs_review", {"co_little"}),
        ("status=paid", {"co_paid"}),
        ("storefront=nobody", set()),
        ("mode=live", set()),
        ("mode=both", {"co_paid", "co_little"}),
    ):
        found = await paid.viewer.get(f"{LIST}?{query}")
        assert set(re.findall(r'href="/console/checkouts/(co_[^"]+)"', found.text)) == ids, query
    assert "Payments without a checkout" in page.words
    file = await paid.viewer.get(f"{LIST}?format=csv")
    assert file.text.splitlines()[0].startswith("checkout,at,status,storefront,mode,reference,plan,price,currency,fee")
    assert (await paid.viewer.get(f"{LIST}?cursor=nonsense&status=nonsense&mode=x")).status == 200


async def test_the_fee_is_taken_off_the_margin_of_checkout_and_order_alike(paid):
    sums = await paid.pool.fetchrow(
        """SELECT o.id, o.price_base - 0.25 - sum(l.amount) AS left FROM orders o JOIN ledger l ON l.order_id = o.id
           WHERE o.checkout_id IS NOT NULL GROUP BY o.id"""
    )
    left = f"{sums['left']:,.2f}"
    assert left in (await paid.viewer.get(f"{LIST}/co_paid")).words
    order = await paid.viewer.get(f"/console/orders/{sums['id']}")
    assert left in order.words
    assert "co_paid" in order.words


async def test_a_checkout_is_found_by_whatever_names_it(paid):
    for text in ("co_little", "prd_co_little", "uid-pay_2"):
        gone_to = await paid.viewer.get(f"/console/search?q={text}", follow=False)
        assert gone_to.location == f"{LIST}/co_little", text
    assert (await paid.viewer.get(f"{LIST}/co_nothing")).status == 404
    assert (await paid.viewer.get(f"{LIST}/%00")).status == 404


async def test_what_waits_stands_on_the_first_page_and_in_needs_attention(paid):
    assert "payments need attention" in (await paid.viewer.get("/console")).words
    page = await paid.operator.get("/console/attention")
    assert {f"{CASES}/{one}/resolve" for one in ("pc_little", "pc_stranger")} <= set(
        re.findall(r'href="([^"]+/resolve)"', page.text)
    )
    assert "less was paid than the price" in page.words
    seen = await paid.viewer.get("/console/attention")
    assert "Decide …" not in seen.words
    assert (await paid.viewer.get(f"{CASES}/pc_little/resolve")).status == 403


async def test_an_operator_decides_and_it_is_on_record(paid):
    path = f"{CASES}/pc_little/resolve"
    form = await paid.operator.get(path)
    assert "place the order" in form.words
    wrong = await paid.operator.post(path, {"as": "sold", "note": ""})
    assert (wrong.status, "is required" in wrong.words) == (422, True)
    done = await paid.operator.post(path, {"as": "refunded", "note": "given back, told a@example.com"})
    assert (done.status, done.url) == (200, f"{LIST}/co_little")
    assert "given back" in done.words
    assert "a@example.com" not in done.text
    again = await paid.operator.post(path, {"as": "closed", "note": "twice"})
    assert (again.status, "Already resolved" in again.words) == (422, True)
    stranger = f"{CASES}/pc_stranger/resolve"
    assert "place the order" not in (await paid.operator.get(stranger)).words
    refused = await paid.operator.post(stranger, {"as": "placed", "note": "?"})
    assert (refused.status, "no order can be placed" in refused.words) == (422, True)
    assert (await paid.operator.post(stranger, {"as": "closed", "note": "of the till"})).url.startswith(LIST)
    rows = await paid.pool.fetch("SELECT object FROM audit_log WHERE action = 'checkout.resolved' ORDER BY id")
    assert [row["object"] for row in rows] == ["checkout:co_little", "payment:pay_3"]
    assert "payments wait" not in (await paid.viewer.get("/console")).words
    assert (await paid.operator.get(f"{CASES}/pc_none/resolve")).status == 404


async def test_a_person_decides_in_a_browser(paid, open_page):
    page = await open_page(paid.operator, "/console/attention")
    await page.get_by_role("link", name="Decide about case pc_little").click()
    await page.get_by_label("closed: settled in another way").check()
    await page.get_by_label("Reason and evidence").fill("a friend of the house")
    await page.get_by_role("button", name="Decide").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Checkout")
    await expect(page.locator("body")).to_contain_text("a friend of the house")
    await page.keyboard.press("g")
    await page.keyboard.press("k")
    await page.wait_for_url(f"**{LIST}")
