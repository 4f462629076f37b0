"""The plans on which something goes wrong: that they are there, apart from all others, and do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from providers.loader import load_manifests
from providers.simulator import SandboxWorld, TriggerKind, world_for
from providers.simulator.trigger_plans import DEARER, PRICE, TRIGGER_PLANS, WHERE, table
from schemas.plan import DataAllowance, nominal_mb, plan_id
from tests.providers.simulator.corner_shop import corner_shop

DOCS = Path(__file__).parents[3] / "docs" / "sandbox.md"
SUPPLIERS = ("east", "north", "west")


@pytest.fixture(scope="module")
def world() -> SandboxWorld:
    return SandboxWorld(SUPPLIERS)


def test_every_trigger_has_its_plan() -> None:
    of_goods = {TriggerKind.CODES_MISSING}
    assert {trigger.kind for one in TRIGGER_PLANS for trigger in one.triggers} == set(TriggerKind) - of_goods


def test_each_is_a_plan_of_its_own_that_one_supplier_sells_cheapest(world: SandboxWorld) -> None:
    sold: dict[str, list[tuple[str, object]]] = {}
    for name in SUPPLIERS:
        for item in world.items(name):
            if item.label:
                assert item.mb is not None
                assert item.days is not None
                plan = plan_id(item.countries, DataAllowance(mb=nominal_mb(item.mb), declared=""), item.days)
                sold.setdefault(plan, []).append((name, item.price))
            else:
                assert WHERE not in item.countries
    listed = {plan: name for plan, name, _ in table(SUPPLIERS)}
    assert sold.keys() == listed.keys()
    assert len(listed) == len(SUPPLIERS) * len(TRIGGER_PLANS)
    fallbacks = 0
    for plan, sellers in sold.items():
        assert (listed[plan], PRICE) in sellers
        assert {price for name, price in sellers if name != listed[plan]} <= {DEARER}
        fallbacks += len(sellers) - 1
    assert fallbacks == len(SUPPLIERS) * sum(one.fallback for one in TRIGGER_PLANS)


def test_what_takes_the_place_of_a_refused_one_sells(world: SandboxWorld) -> None:
    instead = [
        item
        for name in SUPPLIERS
        for item in world.items(name)
        if item.key.startswith("SANDBOX-") and item.price == DEARER
    ]
    assert instead
    assert not any(item.triggers for item in instead)


def test_a_market_world_has_none_of_them(tmp_path: Path) -> None:
    market = tmp_path / "market.csv"
    market.write_text("date,competitor,country,data,days,price_usd,source_url\n2026-01-01,A,Japan,1 GB,7,4.50,\n")
    assert [item.place for item in SandboxWorld(["corner"], market=market).items("corner")] == ["Japan"]


def test_the_page_names_every_one_of_them() -> None:
    page = DOCS.read_text("utf-8")
    rows: dict[str, list[str]] = {}
    for plan, _, happens in table(world_for(load_manifests()).suppliers):
        rows.setdefault(happens, []).append(f"`{plan}`")
    for happens, plans in rows.items():
        assert f"| {happens} | {' | '.join(plans)} |\n" in page
    for kind in TriggerKind:
        assert f"`{kind.value}`" in page


async def test_buying_one_does_what_it_says_every_time() -> None:
    async with corner_shop() as counter:
        keys = {item.label: item.key for item in counter.world.items("corner") if item.label}
        refused = keys["Sandbox: out of stock when it is ordered"]
        assert [(await counter.buy(plan=refused))[0] for _ in range(3)] == [422, 422, 422]
        fails = keys["Sandbox: charged, then an error 500"]
        assert (await counter.buy("A-1", plan=fails))[0] == 500
        assert [row["reference"] for row in (await counter.truth())["charges"]] == ["A-1"]


async def test_what_happens_to_a_top_up_is_said_by_the_plan_that_is_added() -> None:
    async with corner_shop() as counter:
        keys = {item.label: item.key for item in counter.world.items("corner") if item.label}
        iccid = (await counter.bought("A-1", keys["Sandbox: delivered; its cancel is refused"]))["iccid"]
        assert (await counter.buy("T-1", plan=keys["Sandbox: charged, then an error 500"], iccid=iccid))[0] == 500
        assert len(counter.simulator.esims()[0].packages) == 2
        fresh = (await counter.bought("A-2", keys["Sandbox: delivered; its cancel is refused"]))["iccid"]
        assert (await counter.post(f"/esims/{fresh}/cancel"))[0] == 403
