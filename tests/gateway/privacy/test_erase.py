"""Customers' addresses are forgotten on request and with time; what was ordered stays, under its key."""

from __future__ import annotations

import pytest

from gateway.orders.admit import Admitted
from gateway.privacy.erase import erase_email, erase_old_emails
from schemas.order_requests import Customer
from tests.kit.admitted import order_of
from tests.kit.counter import Counter

ASKED = "Someone@example.com"


async def _kept(counter: Counter) -> int:
    kept: int = await counter.deps.pool.fetchval(
        "SELECT count(*) FROM orders WHERE email IS NOT NULL OR email_digest IS NOT NULL"
    )
    return kept


async def _ordered(counter: Counter, email: str, key: str) -> str:
    return order_of(await counter.admit(await counter.plan(1, "s2s"), key, customer=Customer(email=email)))


@pytest.mark.parametrize("asked", [ASKED, ASKED.upper(), f" {ASKED} "])
async def test_an_address_is_forgotten_in_all_its_orders_and_in_no_others(counter: Counter, asked: str) -> None:
    ids = [await _ordered(counter, ASKED, "one"), await _ordered(counter, ASKED.lower(), "two")]
    await _ordered(counter, "other@example.com", "three")
    assert await erase_email(counter.deps, asked) == sorted(ids)
    assert await _kept(counter) == 1
    assert (await counter.timeline(ids[0]))[-1] == "email_erased"
    assert await erase_email(counter.deps, asked) == []
    again = await counter.admit(await counter.plan(1, "s2s"), "one", customer=Customer(email=ASKED))
    assert again == Admitted(ids[0], replayed=True)


async def test_an_address_is_forgotten_when_it_has_been_kept_long_enough(counter: Counter) -> None:
    await _ordered(counter, ASKED, "one")
    counter.clock.pass_(days=counter.deps.settings.orders.email_days - 1)
    assert await erase_old_emails(counter.deps) == 0
    counter.clock.pass_(days=1, seconds=1)
    assert (await erase_old_emails(counter.deps), await _kept(counter)) == (1, 0)
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM orders") == 1


async def test_what_a_product_asked_for_is_forgotten_once_nothing_is_bought_with_it_any_more(counter: Counter) -> None:
    done, waiting = await _ordered(counter, ASKED, "one"), await _ordered(counter, ASKED, "two")
    pool = counter.deps.pool
    await pool.execute("UPDATE orders SET fields = $1", counter.deps.seal.seal('{"phone": "+971500000000"}'))
    await pool.execute("UPDATE orders SET status = 'fulfilled', next_poll_at = NULL WHERE id = $1", done)
    await erase_email(counter.deps, ASKED)
    kept = "SELECT id FROM orders WHERE fields IS NOT NULL"
    assert [row["id"] for row in await pool.fetch(kept)] == [waiting]
    await erase_old_emails(counter.deps)
    assert len(await pool.fetch(kept)) == 1
    await pool.execute("UPDATE orders SET status = 'fulfilled', next_poll_at = NULL WHERE id = $1", waiting)
    await erase_old_emails(counter.deps)
    assert await pool.fetch(kept) == []
