"""The simulator that every sandbox sells by, at a made-up supplier over HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from providers.kit import activation
from providers.simulator import SandboxWorld
from providers.simulator.profiles import luhn_digit
from schemas.money import Money
from tests.kit.waiting import PATIENCE, until
from tests.providers.simulator.corner_shop import PLAN, RULES, TROUBLES, Counter, corner_shop

CHARGED_UNTOLD = (
    "charge_then_hang",
    "charge_then_500",
    "charge_then_reset",
    "charge_then_html",
    "charge_then_truncated",
)
UNCHARGED_UNTOLD = ("hang", "500", "reset")


@pytest.fixture
async def counter() -> AsyncIterator[Counter]:
    async with corner_shop() as opened:
        yield opened


def price(counter: Counter) -> Decimal:
    item = counter.world.item("corner", PLAN)
    assert item is not None
    assert item.price is not None
    return item.price


async def untold(counter: Counter, reference: str) -> bool:
    """Buy, and whether the answer was none that a caller could use."""
    try:
        status, body = await counter.buy(reference)
    except (*TROUBLES, ValueError):
        return True
    return status == 500 or "id" not in body


def exact(truth: dict[str, object]) -> None:
    """The moves add up to the balance, and the charges and refunds are those of the orders."""
    moves, charges = truth["moves"], truth["charges"]
    assert isinstance(moves, list)
    assert isinstance(charges, list)
    total = sum((Decimal(move["amount"]) for move in moves), Decimal(0))
    assert total == Decimal(str(truth["balance"])) == Decimal(moves[-1]["balance_after"])
    taken = sum((Decimal(row["charged"]) - Decimal(row["refunded"]) for row in charges), Decimal(0))
    assert taken == -sum((Decimal(m["amount"]) for m in moves if m["kind"] in {"charge", "refund"}), Decimal(0))


async def test_a_purchase_takes_its_price_and_delivers_an_esim(counter: Counter) -> None:
    sold = await counter.bought("A-1")
    assert sold["state"] == "completed"
    assert Decimal(sold["charged"]) == price(counter)
    iccid = sold["iccid"]
    assert re.fullmatch(r"89\d{17}", iccid)
    assert luhn_digit(iccid[:-1]) == iccid[-1]
    assert activation.parse(sold["text"]) is not None
    assert sold["text"] == sold["picture"]
    assert counter.simulator.balance == Decimal(100) - price(counter)
    assert await counter.get(f"/orders/{sold['id']}") == sold
    assert await counter.get("/orders") == [sold]
    exact(await counter.truth())


def test_a_luhn_digit_is_that_of_a_real_card() -> None:
    assert luhn_digit("7992739871") == "3"


async def test_two_purchases_are_two_esims(counter: Counter) -> None:
    first, second = await counter.bought("A-1"), await counter.bought("A-2")
    for name in ("id", "iccid", "text"):
        assert first[name] != second[name]
    assert [row["reference"] for row in await counter.get("/orders")] == ["A-2", "A-1"]


async def test_a_reference_is_taken_once_where_the_supplier_says_so(counter: Counter) -> None:
    await counter.bought("A-1")
    assert await counter.buy("A-1") == (409, {"ok": False, "status": 409, "why": "The reference was used before"})
    truth = await counter.truth()
    assert len(truth["charges"]) == 1
    assert [row["why"] for row in truth["uncharged"]] == ["duplicate_reference"]


async def test_a_reference_may_come_again_where_it_does_not() -> None:
    async with corner_shop(replace(RULES, unique_references=False)) as counter:
        await counter.bought("A-1")
        await counter.bought("A-1")
        assert len((await counter.truth())["charges"]) == 2


async def test_what_is_sold_out_unknown_or_too_dear_is_refused_in_the_supplier_s_words(counter: Counter) -> None:
    assert (await counter.buy("A-1", plan="no-such"))[0] == 404
    counter.world.set_stock("corner", PLAN, 1)
    await counter.bought("A-2")
    assert await counter.buy("A-3") == (422, {"ok": False, "status": 422, "why": "sold out"})
    counter.world.set_stock("corner", PLAN, None)
    counter.world.set_price("corner", PLAN, Decimal("99.99"))
    assert (await counter.buy("A-4"))[0] == 402
    truth = await counter.truth()
    assert [row["why"] for row in truth["uncharged"]] == ["no_such_item", "out_of_stock", "no_balance"]
    assert len(truth["charges"]) == 1


async def test_the_credit_can_be_spent_and_no_more(counter: Counter) -> None:
    counter.world.set_price("corner", PLAN, Decimal("60.00"))
    await counter.bought("A-1")
    assert (await counter.buy("A-2"))[0] == 402
    await counter.told("till", {"credit": "20"})
    await counter.bought("A-2")
    assert counter.simulator.balance == Decimal(-20)
    assert (await counter.buy("A-3"))[0] == 402
    state = await counter.told("till", {"deposit": "60.00"})
    assert (state["balance"], state["spendable"]) == ("40.00", "60.00")
    await counter.bought("A-3")
    exact(await counter.truth())


async def test_a_surcharge_is_rounded_to_cents() -> None:
    async with corner_shop(replace(RULES, surcharge=Decimal("0.036"), refunds_listed=True)) as counter:
        counter.world.set_price("corner", PLAN, Decimal("5.00"))
        sold = await counter.bought("A-1")
        assert Decimal(sold["charged"]) == Decimal("5.18")
        _, back = await counter.post(f"/esims/{sold['iccid']}/cancel")
        assert Decimal(back["refunded"]) == Decimal("5.00")
        exact(await counter.truth())


# --- what a caller is not told --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CHARGED_UNTOLD)
async def test_a_charge_whose_answer_is_spoilt_stands(counter: Counter, kind: str) -> None:
    await counter.trigger(kind)
    assert await untold(counter, "A-1")
    truth = await counter.truth()
    charge = truth["charges"][0]
    assert (charge["reference"], charge["delivered"], charge["answered"]) == ("A-1", True, False)
    assert charge["knowable"]
    assert charge["triggers"] == [kind]
    assert [row["reference"] for row in await counter.get("/orders")] == ["A-1"]
    assert not await untold(counter, "A-2"), "the trigger was for one call"
    assert (await counter.truth())["charges"][1]["answered"]


@pytest.mark.parametrize("kind", UNCHARGED_UNTOLD)
async def test_nothing_is_charged_when_the_trigger_says_so(counter: Counter, kind: str) -> None:
    await counter.trigger(kind)
    assert await untold(counter, "A-1")
    truth = await counter.truth()
    assert not truth["charges"]
    assert [(row["reference"], row["why"]) for row in truth["uncharged"]] == [("A-1", kind)]
    assert counter.simulator.balance == Decimal(100)


async def test_a_reset_is_a_reset_and_no_plain_end(counter: Counter) -> None:
    await counter.trigger("charge_then_reset")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(counter.url.split(":")[2].split("/")[0]))
    body = b'{"plan": "%s"}' % PLAN.encode()
    writer.write(b"POST /corner/orders HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()


async def test_a_slow_charge_happens_though_the_caller_has_gone(counter: Counter) -> None:
    await counter.trigger("slow_charge", seconds=2.7)
    with pytest.raises(TROUBLES):
        await counter.buy("A-1")
    assert not (await counter.truth())["charges"]
    charge = (await counter.until_charged())["charges"][0]
    assert (charge["reference"], charge["answered"]) == ("A-1", False)


async def test_a_slow_refusal_of_one_who_has_gone_is_only_noted(counter: Counter) -> None:
    await counter.trigger("slow_charge", seconds=2.6)
    with pytest.raises(TROUBLES):
        await counter.buy("A-1", plan="no-such")
    await until(lambda: counter.simulator.records.uncharged)
    assert [row.why for row in counter.simulator.records.uncharged] == ["no_such_item"]


async def test_called_a_duplicate_and_charged_all_the_same(counter: Counter) -> None:
    await counter.trigger("duplicate_reference")
    assert (await counter.buy("A-1"))[0] == 409
    assert [row["reference"] for row in (await counter.truth())["charges"]] == ["A-1"]


# --- what becomes of an order ---------------------------------------------------------------------------


async def test_an_order_is_processed_for_so_many_looks(counter: Counter) -> None:
    await counter.told("till", {"delivery_seconds": None, "delivery_looks": 3})
    sold = await counter.bought("A-1")
    assert (sold["state"], sold["iccid"]) == ("processing", None)
    states = [(await counter.get(f"/orders/{sold['id']}"))["state"] for _ in range(4)]
    assert states == ["processing", "processing", "completed", "completed"]


async def test_an_order_is_processed_for_so_long(counter: Counter) -> None:
    await counter.told("till", {"delivery_seconds": 0.3})
    sold = await counter.bought("A-1")
    assert sold["state"] == "processing"
    assert (await ended(counter, sold["id"]))["iccid"]


async def ended(counter: Counter, order_id: str) -> dict[str, object]:
    async def look() -> dict[str, object] | None:
        row = await counter.get(f"/orders/{order_id}")
        return None if row["state"] == "processing" else dict(row)

    found: dict[str, object] = await until(look)
    return found


@pytest.mark.parametrize(
    ("kind", "state", "back", "knowable"),
    [
        ("failed_after_processing", "failed", True, True),
        ("failed_without_refund", "failed", False, False),
        ("cancelled_after_processing", "cancelled", True, True),
        ("partially_completed", "partial", False, False),
    ],
)
async def test_an_order_may_end_badly(counter: Counter, kind: str, state: str, back: bool, knowable: bool) -> None:
    await counter.trigger(kind)
    sold = await counter.bought("A-1")
    assert sold["state"] == "processing", "even a supplier that delivers at once takes its time to fail"
    row = await ended(counter, sold["id"])
    assert (row["state"], row["iccid"]) == (state, None)
    truth = await counter.truth()
    charge = truth["charges"][0]
    assert Decimal(charge["refunded"]) == (Decimal(charge["charged"]) if back else 0)
    assert (charge["delivered"], charge["knowable"]) == (False, knowable)
    exact(truth)


async def test_an_order_may_never_be_provisioned(counter: Counter) -> None:
    await counter.told("till", {"delivery_looks": 1})
    await counter.trigger("never_provisioned")
    sold = await counter.bought("A-1")
    assert (await counter.get(f"/orders/{sold['id']}"))["state"] == "processing"
    charge = (await counter.truth())["charges"][0]
    assert (charge["delivered"], charge["knowable"]) == (False, False)


async def test_money_may_come_back_without_a_word(counter: Counter) -> None:
    await counter.trigger("silent_refund")
    sold = await counter.bought("A-1")
    await until(lambda: counter.simulator.balance == Decimal(100))
    assert (await counter.get(f"/orders/{sold['id']}"))["state"] == "processing"
    assert not (await counter.truth())["charges"][0]["knowable"]


async def test_more_may_be_charged_than_was_listed(counter: Counter) -> None:
    await counter.trigger("charged_more", factor="1.5")
    counter.world.set_price("corner", PLAN, Decimal("4.01"))
    sold = await counter.bought("A-1")
    assert Decimal(sold["charged"]) == Decimal("6.02")
    exact(await counter.truth())


async def test_an_order_may_show_in_lists_only_later(counter: Counter) -> None:
    await counter.trigger("list_lag", seconds=0.4)
    sold = await counter.bought("A-1")
    assert not await counter.get("/orders")
    assert not (await counter.truth())["charges"][0]["shown"]
    assert (await counter.get(f"/orders/{sold['id']}"))["reference"] == "A-1"
    await until(lambda: counter.get("/orders"))
    assert (await counter.truth())["charges"][0]["knowable"]


async def test_text_and_picture_may_differ(counter: Counter) -> None:
    await counter.trigger("picture_only")
    sold = await counter.bought("A-1")
    assert activation.parse(sold["text"]) is None
    assert activation.parse(sold["picture"]) is not None
    await counter.trigger("two_codes")
    sold = await counter.bought("A-2")
    assert None not in (activation.parse(sold["text"]), activation.parse(sold["picture"]))
    assert sold["text"] != sold["picture"]
    assert [row["knowable"] for row in (await counter.truth())["charges"]] == [True, False]


async def test_an_order_whose_code_is_shown_nowhere_else_is_not_knowable() -> None:
    async with corner_shop(replace(RULES, shows_codes=False)) as counter:
        await counter.trigger("charge_then_hang")
        assert await untold(counter, "A-1")
        charge = (await counter.truth())["charges"][0]
        assert (charge["shown"], charge["code_shown"], charge["knowable"]) == (True, False, False)


# --- an eSIM's life -------------------------------------------------------------------------------------


async def test_an_esim_is_used_and_topped_up(counter: Counter) -> None:
    iccid = (await counter.bought("A-1"))["iccid"]
    esim = await counter.told(f"esims/{iccid}", {"used_mb": 1024, "renewable": True})
    assert (esim["profile"], esim["service"]) == ("enabled", "depleted")
    status, topped = await counter.buy("T-1", iccid=iccid)
    assert (status, topped["iccid"]) == (200, iccid)
    esim = await counter.told(f"esims/{iccid}", {"used_mb": 1500})
    assert [package["used_mb"] for package in esim["packages"]] == [1024, 476]
    assert esim["service"] == "active"
    assert [row["kind"] for row in (await counter.truth())["charges"]] == ["esim", "topup"]


async def test_only_an_esim_that_is_there_and_renewable_is_topped_up(counter: Counter) -> None:
    iccid = (await counter.bought("A-1"))["iccid"]
    await counter.told(f"esims/{iccid}", {"renewable": False})
    assert (await counter.buy("T-1", iccid=iccid))[0] == 400
    assert (await counter.buy("T-2", iccid="8900000000000000000"))[0] == 404
    assert len((await counter.truth())["charges"]) == 1


async def test_an_unused_esim_can_be_cancelled_once(counter: Counter) -> None:
    iccid = (await counter.bought("A-1"))["iccid"]
    status, body = await counter.post(f"/esims/{iccid}/cancel")
    assert (status, body["state"], Decimal(body["refunded"])) == (200, "cancelled", price(counter))
    assert counter.simulator.balance == Decimal(100)
    assert (await counter.get(f"/_sandbox/esims/{iccid}"))["service"] == "revoked"
    assert (await counter.post(f"/esims/{iccid}/cancel"))[0] == 400
    assert (await counter.buy("T-1", iccid=iccid))[0] == 400
    truth = await counter.truth()
    assert truth["charges"][0]["delivered"]
    exact(truth)


async def test_a_used_or_installed_esim_cannot_be_cancelled(counter: Counter) -> None:
    for change in ({"used_mb": 1}, {"profile": "downloaded"}):
        iccid = (await counter.bought())["iccid"]
        await counter.told(f"esims/{iccid}", change)
        assert (await counter.post(f"/esims/{iccid}/cancel"))[0] == 400
    assert (await counter.post("/esims/8900000000000000000/cancel"))[0] == 404


async def test_a_cancel_whose_answer_is_lost_has_happened(counter: Counter) -> None:
    iccid = (await counter.bought("A-1"))["iccid"]
    await counter.trigger("charge_then_hang", act="cancel")
    with pytest.raises(TROUBLES):
        await counter.post(f"/esims/{iccid}/cancel")
    assert counter.simulator.balance == Decimal(100)
    other = (await counter.bought("A-2"))["iccid"]
    await counter.trigger("hang", act="cancel")
    with pytest.raises(TROUBLES):
        await counter.post(f"/esims/{other}/cancel")
    assert counter.simulator.balance == Decimal(100) - price(counter)


# --- the triggers ---------------------------------------------------------------------------------------


async def test_a_trigger_spares_lasts_and_keeps_to_its_plan(counter: Counter) -> None:
    other = next(item.key for item in counter.world.items("corner") if item.key != PLAN and item.price)
    await counter.trigger("refuse_stock", key=PLAN, after=1, calls=2)
    statuses = []
    for plan in (PLAN, other, PLAN, PLAN, PLAN):
        counter.simulator.deposit(Decimal(100))
        statuses.append((await counter.buy(plan=plan))[0])
    assert statuses == [200, 200, 422, 422, 200]


async def test_a_share_of_the_calls_is_struck(counter: Counter) -> None:
    await counter.trigger("refuse_balance", calls=None, share=0.5)
    counter.simulator.deposit(Decimal(10_000))
    statuses = [(await counter.buy())[0] for _ in range(60)]
    assert set(statuses) == {200, 402}
    assert 10 < statuses.count(402) < 50
    async with counter.http.delete(f"{counter.url}/_sandbox/triggers") as answer:
        assert answer.status == 200
    assert {(await counter.buy())[0] for _ in range(10)} == {200}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("triggers", {"kind": "no-such"}),
        ("triggers", {"kind": "hang", "factor": "-1"}),
        ("triggers", {"kind": "hang", "share": 2}),
        ("till", {"deposit": "plenty"}),
        ("till", {"deposit": "NaN"}),
        ("till", {"money": 5}),
        ("webhook", {"copies": 0}),
        ("esims/8900000000000000000", {"used_mb": 1}),
    ],
)
async def test_what_a_control_route_does_not_understand_changes_nothing(
    counter: Counter, path: str, body: object
) -> None:
    status, answer = await counter.post(f"/_sandbox/{path}", body)
    assert status in {404, 422}
    assert answer["error"]
    assert counter.simulator.balance == Decimal(100)


async def test_a_reset_begins_again(counter: Counter) -> None:
    await counter.told("till", {"delivery_seconds": 60})
    await counter.bought("A-1")
    await counter.trigger("hang", calls=None)
    await counter.told("reset", None)
    assert not (await counter.truth())["charges"]
    assert (await counter.bought("A-1"))["state"] == "completed"


async def test_a_supplier_keeps_what_it_has_while_its_sandbox_is_served_again() -> None:
    world = SandboxWorld(["corner"])
    async with corner_shop(world=world) as counter:
        await counter.told("till", {"delivery_seconds": 0.2})
        order_id = (await counter.bought("A-1"))["id"]
    await asyncio.sleep(0.25)
    async with corner_shop(world=world) as counter:
        assert (await counter.get(f"/orders/{order_id}"))["state"] == "completed"
        assert Money(counter.simulator.balance, "USD") < Money(Decimal(100), "USD")
