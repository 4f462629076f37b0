"""What operators decide about orders at the console: a cancel in spite of top-ups, and what a restore left to them."""

from dataclasses import replace

from gateway.access import audit_rows
from gateway.orders.admit import Admitted
from gateway.orders.restore import restored
from gateway.orders.topup import admit_topup
from gateway.suppliers import selling_rows
from schemas.order_requests import TopupForPlan
from tests.gateway.console.test_orders import LIST, bought
from tests.kit.sandboxed import Shop
from tests.kit.working import answered

PLAN = "bv-1gb-2d-06d3e3e4ddb9"


async def storefront(console):
    return await console.pool.fetchval("SELECT id FROM storefronts WHERE name = 'shop'")


async def status(console, order_id):
    return await console.pool.fetchval("SELECT status FROM orders WHERE id = $1", order_id)


async def waiting_order(console):
    """An order that is admitted and not yet chosen for."""
    slow = console.deps.settings.orders.model_copy(update={"fast_admission": False})
    deps = replace(console.deps, settings=console.deps.settings.model_copy(update={"orders": slow}))
    return await Shop(deps, console.town, await storefront(console)).admit(PLAN)


async def topped_up(console, order_id):
    """A fulfilled top-up of what the order delivered."""
    esim, plan = await console.pool.fetchrow(
        "SELECT e.id, o.plan_id FROM esims e JOIN orders o ON o.id = e.order_id WHERE o.id = $1", order_id
    )
    body = TopupForPlan(plan_id=plan)
    admitted = await admit_topup(console.deps, await storefront(console), "test", esim, body, "top")
    assert isinstance(admitted, Admitted), admitted
    await answered(console.deps, admitted.order_id, 60)
    assert await status(console, admitted.order_id) == "fulfilled"
    return admitted.order_id


async def test_an_esim_with_a_topup_is_cancelled_only_where_the_operator_says_so(console):
    order_id = await bought(console, "pikasim")
    ordered = await topped_up(console, order_id)
    refused = await console.operator.post(f"{LIST}/{order_id}/cancel")
    assert refused.status == 422
    assert "data was added to this eSIM" in refused.words
    assert "also with 1 top-up" in refused.words
    page = await console.operator.post(f"{LIST}/{order_id}/cancel", {"force": "1"})
    assert "The cancellation was requested" in page.words
    await answered(console.deps, order_id, 60)
    assert await status(console, order_id) == "cancelled"
    assert await status(console, ordered) == "needs_review"
    assert "its eSIM was cancelled by an operator" in (await console.viewer.get("/console/attention")).words
    (entry,) = (await audit_rows.newest(console.pool, action="order.cancel_requested")).data
    assert (entry.actor, entry.detail) == (console.operator.name, {"forced": True})


async def test_a_waiting_order_is_cancelled_at_once(console):
    order_id = await waiting_order(console)
    page = await console.operator.post(f"{LIST}/{order_id}/cancel")
    assert page.status == 200
    assert await status(console, order_id) == "cancelled"
    assert "Cancel the order" not in page.words


async def test_what_a_restore_left_for_review_is_released_when_the_books_are_clean(console):
    order_id, other = await waiting_order(console), await waiting_order(console)
    await restored(console.deps)
    page = await console.operator.get(f"{LIST}/{order_id}")
    assert "pending in the backup" in page.words
    assert f'action="{LIST}/{order_id}/release"' in page.text
    refused = await console.operator.post(f"{LIST}/{order_id}/release")
    assert refused.status == 422
    assert "the statements are not compared yet" in refused.words
    form = await console.operator.get(f"{LIST}/{order_id}/resolve")
    assert "it is bought as usual" in form.words
    assert "Activation code" not in form.words
    await selling_rows.go_on(console.pool, selling_rows.ALL, "restored")
    page = await console.operator.post(f"{LIST}/{order_id}/release")
    assert "Released: it is bought as usual" in page.words
    assert f'action="{LIST}/{order_id}/release"' not in page.text
    await console.operator.post(f"{LIST}/{other}/resolve", {"as": "released", "note": "not bought since"})
    for one in (order_id, other):
        await answered(console.deps, one, 60)
        assert await status(console, one) == "fulfilled"
    assert (await console.viewer.post(f"{LIST}/{order_id}/release")).status == 403
    assert (await console.operator.post(f"{LIST}/ord_nothing/release")).status == 404
