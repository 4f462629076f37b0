"""What a sandbox notifies of, at a receiver over HTTP: as it should, and as it should not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from providers.simulator.webhooks import WebhookRules, altered
from tests.kit.receiver import Receiver, receiving
from tests.providers.simulator.corner_shop import RULES, Counter, corner_shop, sign


class Received(Receiver):
    """What came, read."""

    @property
    def headers(self) -> list[Any]:
        return [headers for headers, _ in self.got]

    @property
    def bodies(self) -> list[Any]:
        return [msgspec.json.decode(body) for _, body in self.got]


@pytest.fixture
async def hook() -> AsyncIterator[Received]:
    async with receiving(Received) as received:
        yield received


@pytest.fixture
async def counter(hook: Received) -> AsyncIterator[Counter]:
    async with corner_shop() as opened:
        await opened.told("webhook", {"url": hook.url})
        yield opened


def orders(hook: Received) -> list[str]:
    return [body["data"]["order"] for body in hook.bodies]


async def test_an_order_that_is_done_is_told_of_once_and_signed(counter: Counter, hook: Received) -> None:
    sold = await counter.bought("A-1")
    await hook.until(1)
    body = hook.bodies[0]
    assert body["data"] == {"order": sold["id"], "status": "completed", "price": float(sold["charged"])}
    assert len(hook.headers[0]["X-Signature"]) == 40
    await asyncio.sleep(0.1)
    assert len(hook.bodies) == 1
    sent = (await counter.get("/_sandbox/webhook"))["sent"]
    assert [(row["sale_id"], row["what"], row["status"]) for row in sent] == [(sold["id"], "genuine", 204)]


async def test_an_order_that_failed_is_told_of_too(counter: Counter, hook: Received) -> None:
    await counter.trigger("failed_after_processing")
    await counter.bought("A-1")
    await hook.until(1)
    assert hook.bodies[0]["data"]["status"] == "failed"


async def test_what_never_ends_is_never_told_of(counter: Counter, hook: Received) -> None:
    await counter.trigger("never_provisioned")
    await counter.trigger("silent_refund", after=1)
    await counter.bought("A-1")
    await counter.bought("A-2")
    done = await counter.bought("A-3")
    await hook.until(1)
    await asyncio.sleep(0.3)
    assert orders(hook) == [done["id"]]


async def test_without_an_address_nothing_is_sent(counter: Counter, hook: Received) -> None:
    await counter.told("webhook", {})
    await counter.bought("A-1")
    await counter.told("webhook", {"url": hook.url})
    second = await counter.bought("A-2")
    await hook.until(1)
    assert orders(hook) == [second["id"]]


async def test_one_that_is_not_taken_is_sent_again(hook: Received) -> None:
    hook.answers = [500, 302, 200]
    rules = replace(RULES, webhooks=WebhookRules(sign, retries=(0.05, 0.05, 0.05)))
    async with corner_shop(rules) as counter:
        await counter.told("webhook", {"url": hook.url})
        await counter.bought("A-1")
        await hook.until(3)
        await asyncio.sleep(0.2)
        assert len(hook.bodies) == 3
        assert hook.bodies[0] == hook.bodies[2]


async def test_nobody_there_is_noted_and_harms_nobody(counter: Counter) -> None:
    await counter.told("webhook", {"url": "http://127.0.0.1:1/hook"})
    await counter.bought("A-1")
    for _ in range(6000):
        if sent := (await counter.get("/_sandbox/webhook"))["sent"]:
            break
        await asyncio.sleep(0.02)
    assert [(row["status"], row["error"]) for row in sent] == [(None, "ClientConnectorError")]


async def test_copies_are_the_same(counter: Counter, hook: Received) -> None:
    await counter.told("webhook", {"url": hook.url, "copies": 3})
    await counter.bought("A-1")
    await hook.until(3)
    first, second, third = hook.bodies
    assert first == second == third


async def test_a_forged_one_has_another_signature_for_the_same_words(counter: Counter, hook: Received) -> None:
    await counter.told("webhook", {"url": hook.url, "forged": True})
    await counter.bought("A-1")
    await hook.until(2)
    forged, genuine = hook.bodies
    assert forged == genuine
    assert hook.headers[0]["X-Signature"] != hook.headers[1]["X-Signature"]
    assert hook.headers[0]["X-Event"] == hook.headers[1]["X-Event"]


async def test_an_altered_one_has_the_signature_of_the_genuine_one(counter: Counter, hook: Received) -> None:
    await counter.told("webhook", {"url": hook.url, "altered": True})
    sold = await counter.bought("A-1")
    await hook.until(2)
    changed, genuine = hook.bodies
    assert hook.headers[0]["X-Signature"] == hook.headers[1]["X-Signature"]
    assert changed["data"]["order"] == genuine["data"]["order"] == sold["id"]
    assert (changed["data"]["status"], genuine["data"]["status"]) == ("failed", "completed")
    assert changed["data"]["price"] == pytest.approx(2 * genuine["data"]["price"])


def test_what_is_altered_are_the_facts_and_not_the_names() -> None:
    item = {"iccid": "123", "status": "failed", "paid": True}
    body = {"event": "done", "timestamp": "now", "data": {"id": "7", "items": [item]}}
    assert altered(body) == {
        "event": "done",
        "timestamp": "now",
        "data": {"id": "7", "items": [{"iccid": "321", "status": "completed", "paid": True}]},
    }
    assert altered({"price": Decimal("1.10"), "none": None, "activationCode": "LPA"}) == {
        "price": Decimal("2.20"),
        "none": None,
        "activationCode": "APL",
    }


async def test_every_second_one_overtakes(counter: Counter, hook: Received) -> None:
    await counter.told("webhook", {"url": hook.url, "reorder": True})
    ids = [(await counter.bought(f"A-{n}"))["id"] for n in range(4)]
    await hook.until(4)
    assert orders(hook).index(ids[1]) < orders(hook).index(ids[0])
    assert orders(hook).index(ids[3]) < orders(hook).index(ids[2])
    assert sorted(orders(hook)) == sorted(ids)


async def test_one_order_s_webhook_is_spoilt_by_its_own_trigger(counter: Counter, hook: Received) -> None:
    await counter.trigger("webhook_duplicate")
    await counter.trigger("webhook_forged")
    await counter.trigger("webhook_altered")
    spoilt = await counter.bought("A-1")
    await hook.until(5)
    plain = await counter.bought("A-2")
    await hook.until(6)
    sent = (await counter.get("/_sandbox/webhook"))["sent"]
    assert [(row["sale_id"], row["what"]) for row in sent] == [
        (spoilt["id"], "forged"),
        (spoilt["id"], "altered"),
        (spoilt["id"], "genuine"),
        (spoilt["id"], "copy"),
        (spoilt["id"], "copy"),
        (plain["id"], "genuine"),
    ]


async def test_the_next_one_overtakes_that_of_an_order_that_is_told_to_wait(counter: Counter, hook: Received) -> None:
    await counter.trigger("webhook_reordered")
    slow, quick, last = [(await counter.bought(f"A-{n}"))["id"] for n in range(3)]
    await hook.until(3)
    assert orders(hook).index(quick) < orders(hook).index(slow)
    assert last in orders(hook)


async def test_a_share_of_them_is_lost(counter: Counter, hook: Received) -> None:
    await counter.told("webhook", {"url": hook.url, "lost": 1})
    lost = await counter.bought("A-1")
    await asyncio.sleep(0.1)
    await counter.told("webhook", {"url": hook.url})
    await counter.bought("A-2")
    await hook.until(1)
    assert lost["id"] not in orders(hook)
    assert (await counter.get("/_sandbox/webhook"))["sent"][0]["what"] == "lost"


async def test_an_old_one_is_made_and_signed_as_of_then(counter: Counter, hook: Received) -> None:
    await counter.told("webhook", {"url": hook.url, "age_seconds": 86_400})
    await counter.bought("A-1")
    await hook.until(1)
    body = hook.bodies[0]
    for text in (body["at"], hook.headers[0]["X-At"]):
        made = datetime.fromisoformat(text)
        assert timedelta(hours=23) < datetime.now(UTC) - made < timedelta(hours=25)


async def test_a_delayed_one_comes_later(counter: Counter, hook: Received) -> None:
    await counter.told("webhook", {"url": hook.url, "delay_seconds": 0.3})
    counter.simulator.deposit(Decimal(1000))
    began = asyncio.get_running_loop().time()
    await counter.bought("A-1")
    await hook.until(1)
    assert asyncio.get_running_loop().time() - began >= 0.3


async def test_a_reset_sends_nothing_that_waits(counter: Counter, hook: Received) -> None:
    await counter.told("webhook", {"url": hook.url, "delay_seconds": 0.2})
    await counter.bought("A-1")
    await counter.told("reset", None)
    await asyncio.sleep(0.4)
    assert not hook.bodies
    await counter.told("webhook", {"url": hook.url})
    await counter.bought("A-2")
    await hook.until(1)
