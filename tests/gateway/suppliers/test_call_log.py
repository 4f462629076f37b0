"""What was said to a supplier is kept with the attempt: redacted, little, and never in the way of an order."""

from __future__ import annotations

import pytest

from gateway.operations.retention import delete_expired
from gateway.suppliers import call_log_rows
from gateway.suppliers.call_log import MOST_WAITING, record_calls
from tests.kit.counter import Counter
from tests.kit.working import idle

SUPPLIERS = ("beppay", "pikasim", "s2s")


async def kept(counter: Counter, order_id: str):
    await idle(counter.deps)
    ids = [attempt.id for attempt in await counter.attempts(order_id)]
    return await call_log_rows.of_attempts(counter.deps.pool, ids)


@pytest.mark.parametrize("supplier", SUPPLIERS)
async def test_each_purchase_is_kept_without_anything_that_could_be_used(counter: Counter, supplier: str) -> None:
    order_id = await counter.ordered(await counter.plan(1, supplier))
    order = await counter.followed(order_id)
    assert order.status == "fulfilled"
    rows = await kept(counter, order_id)
    writes = [row for row in rows if row.method == "POST"]
    assert len(writes) == 1
    assert writes[0].status in {200, 201, 202}
    assert writes[0].path.startswith("/")
    assert writes[0].request
    assert writes[0].answer
    text = " ".join(f"{row.path} {row.request} {row.answer} {row.error}" for row in rows)
    esim = await counter.esim(order_id)
    account = counter.deps.accounts[supplier]
    code = esim.activation_code
    attempt = (await counter.attempts(order_id))[0]
    secrets = [esim.iccid, code, code.removeprefix("LPA:"), code.split("$")[2], *account.settings.secrets()]
    for secret in [*secrets, *([attempt.email] if attempt.email else [])]:
        assert secret
        assert secret not in text
    assert "@" not in text


async def test_looks_are_kept_too_but_never_more_than_twenty(counter: Counter) -> None:
    order_id = await counter.ordered(await counter.plan(1, "pikasim"))
    (attempt,) = await counter.attempts(order_id)
    provider = counter.deps.accounts["pikasim"].provider
    await idle(counter.deps)
    for _ in range(30):
        with record_calls(counter.deps, attempt.id):
            await provider.find_order(attempt.request(None), attempt.supplier_order_id)
    rows = await kept(counter, order_id)
    assert len(rows) == call_log_rows.FIRST + call_log_rows.LATEST == 20
    assert rows[0].method == "POST"
    assert {row.method for row in rows[1:]} == {"GET"}
    assert (await delete_expired(counter.deps))["exchanges"] == 0
    await counter.deps.pool.execute("UPDATE exchanges SET at = at - interval '91 days'")
    assert (await delete_expired(counter.deps))["exchanges"] == 20


async def test_an_order_goes_through_when_nothing_can_be_kept(counter: Counter) -> None:
    await counter.deps.pool.execute("ALTER TABLE exchanges RENAME TO away")
    try:
        order_id = await counter.ordered(await counter.plan(1, "pikasim"))
        assert (await counter.followed(order_id)).status == "fulfilled"
        await idle(counter.deps)
    finally:
        await counter.deps.pool.execute("ALTER TABLE away RENAME TO exchanges")
    assert not counter.deps.unwritten.waiting
    assert not counter.deps.unwritten.writing


async def test_what_waits_to_be_written_is_bounded(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.suppliers.call_log.GATHER_SECONDS", 0.5)
    provider = counter.deps.accounts["pikasim"].provider
    with record_calls(counter.deps, "att_0"):
        await provider.balance()
        (one,) = counter.deps.unwritten.waiting
        counter.deps.unwritten.waiting.extend([one] * MOST_WAITING)
        await provider.balance()
    assert len(counter.deps.unwritten.waiting) == MOST_WAITING + 1
    assert counter.deps.unwritten.lost == 1
    await idle(counter.deps)
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM exchanges WHERE attempt_id = 'att_0'") == 20
