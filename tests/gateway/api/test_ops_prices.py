"""The matrix over HTTP: what a cell says is what the list of plans and a look at every offer say."""

import random
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

import msgspec
import pytest

from gateway.pricing.rate_files import shipped
from providers.kit import places
from schemas import api_prices as shapes
from schemas.page import Page
from schemas.plan import DataAllowance, nominal_mb, scope_of
from tests.kit.made_up_market import Item, offer, some_items

BUCKETS = [
    {}, {"data_mb": 1024, "days": 7}, {"data_mb": 1024, "days": 7, "exact": "true"}, {"data_mb": 3072}, {"days": 30},
    {"data_mb": 6000, "days": 7, "scope": "region"}, {"data_mb": 500, "scope": "country"}, {"unlimited": "true"},
    {"data_mb": 5120, "days": 3, "all": "true"}, {"days": 7, "exact": "true", "all": "true"},
]  # fmt: skip


def asked(bucket):
    return "&".join(f"{name}={value}" for name, value in bucket.items())


@pytest.fixture
async def ops(make_api):
    """An operator's API over a published catalogue of 600 offers that overlap much."""
    return await make_api(some_items(seed=4, count=600), published=True, **SETTINGS, scopes=["storefront", "ops"])


SUPPLIER = {"provider": "pikasim", "mode": "test", "base_url": "http://127.0.0.1:1", "api_key": "x" * 20}
SETTINGS = {"suppliers": {key: {**SUPPLIER, "charge_tolerance": "0"} for key in "abc"}}


async def stored(pool):
    """Every offer as PostgreSQL has it, with its cost in USD and whether it can be sold."""
    rates = {rate.currency: rate.rate for rate in shipped("USD")} | {"USD": Decimal(1), "USDT": Decimal(1)}
    found = []
    for row in map(dict, await pool.fetch("SELECT * FROM offers WHERE gone_at IS NULL")):
        data = row["data"]
        rate = rates.get(row["currency"])
        row["base"] = None if row["cost"] is None or rate is None else row["cost"] * rate
        row["sold"] = row["visible"] and row["stock"] != 0 and not row["suspect"] and row["base"] is not None
        row["data"] = msgspec.convert(data, DataAllowance)
        found.append(row)
    return found


def full_speed(row, days):
    """The nominal MB that a price per GB is of; None or 0 where there is none."""
    full = row["data"].full_speed
    return None if full is None else full.over(days or row["days"])


def competes(row, country, bucket):
    mb, days = bucket.get("data_mb"), bucket.get("days")
    data, exact = row["data"], "exact" in bucket
    amount, counted = data.total_mb(days or row["days"]), data.counted_mb(days or row["days"], 1000)
    return (
        country in row["coverage"]
        and ("all" in bucket or row["sold"])
        and ("scope" not in bucket or scope_of(tuple(row["coverage"])) == bucket["scope"])
        and ("unlimited" not in bucket or data.goes_on)
        and (mb is None or (amount == nominal_mb(mb) if exact else counted >= nominal_mb(mb)))
        and (days is None or (row["days"] == days if exact else row["days"] >= days))
    )


def cheapest(rows):
    return min(rows, key=lambda row: (row["base"] is None, row["base"] or 0, not row["sold"], row["supplier_plan_id"]))


def cents(amount):
    return str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))


async def test_500_random_cells_are_what_a_look_at_every_offer_finds(ops):
    rows, dice = await stored(ops.pool), random.Random(3)
    matrices = [await ops.read(f"/v1/ops/prices?{asked(bucket)}", shapes.PriceMatrix) for bucket in BUCKETS]
    filled = 0
    for _ in range(500):
        number = dice.randrange(len(BUCKETS))
        bucket, matrix = BUCKETS[number], matrices[number]
        line, supplier = dice.choice(matrix.data), dice.choice(matrix.suppliers).name
        cell = next((cell for cell in line.cells if cell.supplier == supplier), None)
        fitting = [row for row in rows if row["supplier"] == supplier and competes(row, line.country, bucket)]
        where = (bucket, line.country, supplier)
        assert (cell is None) == (not fitting), where
        if cell is None:
            continue
        filled += 1
        best = cheapest(fitting)
        assert cell.offer_id == best["id"], where
        assert (cell.selectable, cell.stock, cell.days) == (best["sold"], best["stock"], best["days"]), where
        if best["base"] is not None:
            amount = full_speed(best, bucket.get("days"))
            assert Decimal(cell.cost_base.amount) == best["base"], where
            assert (cell.per_gb and cell.per_gb.amount) == (cents(best["base"] * 1000 / amount) if amount else None), (
                where
            )
            assert cell.per_day.amount == cents(best["base"] / best["days"]), where
    assert filled > 250


async def test_the_cheapest_of_a_row_is_what_the_list_of_plans_begins_with(ops):
    for bucket in ({"data_mb": 1024, "days": 7}, {"data_mb": 6000, "days": 7, "scope": "region"}, {}):
        matrix = await ops.read(f"/v1/ops/prices?{asked(bucket)}", shapes.PriceMatrix)
        names = {"data_mb": "min_data_mb", "days": "min_days"}
        query = asked({names.get(name, name): value for name, value in bucket.items()})
        for line in matrix.data:
            plans = await (await ops.get(f"/v1/plans?country={line.country}&limit=1&{query}")).json()
            first = next((cell for cell in line.cells if cell.offer_id == line.cheapest.offer_id), None)
            assert first.price.amount == plans["data"][0]["price"]["amount"], (bucket, line.country)


async def test_the_cheapest_is_marked_by_the_figure_asked_for(ops):
    for per, figure in (("plan", "cost_base"), ("gb", "per_gb"), ("day", "per_day")):
        matrix = await ops.read(f"/v1/ops/prices?data_mb=1024&days=7&per={per}", shapes.PriceMatrix)
        for line in matrix.data:
            known = sorted(Decimal(getattr(cell, figure).amount) for cell in line.cells if getattr(cell, figure))
            first = next(cell for cell in line.cells if cell.offer_id == line.cheapest.offer_id)
            assert Decimal(getattr(first, figure).amount) == known[0]
            if len(known) > 1:
                assert abs(Decimal(line.cheapest.by.amount) - (known[1] - known[0])) <= Decimal("0.01")
                if per == "plan":
                    assert line.cheapest.percent == pytest.approx(float((1 - known[0] / known[1]) * 100), abs=0.06)
            else:
                assert line.cheapest.by is None


async def test_pages_go_on_by_name_and_hold_every_country_once(ops):
    whole = await ops.read("/v1/ops/prices", shapes.PriceMatrix)
    found = await ops.rows("/v1/ops/prices", 2, shapes.PriceRow)
    assert found == whole.data
    assert [line.name for line in found] == sorted((places.country_name(line.country) for line in found), key=str)


async def test_countries_and_regions_choose_the_rows(ops):
    matrix = await ops.read("/v1/ops/prices?country=KR&country=JP&country=AQ", shapes.PriceMatrix)
    assert [line.country for line in matrix.data] == ["AQ", "JP", "KR"]
    assert matrix.data[0].cells == []
    assert matrix.data[0].cheapest is None
    region = places.regions()[0]
    matrix = await ops.read(f"/v1/ops/prices?region={region.code}", shapes.PriceMatrix)
    assert {line.country for line in matrix.data} <= set(region.countries)
    for wrong in ("country=ZZ", "region=nowhere", "per=week", "limit=51", "data_mb=0", "cursor=zz", "what=1"):
        assert (await ops.get(f"/v1/ops/prices?{wrong}")).status == 422, wrong


async def test_the_offers_of_a_cell_come_the_one_to_buy_first_and_say_why_others_are_not(ops):
    rows = await stored(ops.pool)
    found = await ops.rows("/v1/ops/prices/JP/offers?data_mb=1024&days=7&supplier=a", 7, shapes.PricedOffer)
    bucket = {"data_mb": 1024, "days": 7, "all": True}
    wanted = [row for row in rows if row["supplier"] == "a" and competes(row, "JP", bucket)]
    assert len(found) > 14
    assert {offer.offer_id for offer in found} == {row["id"] for row in wanted}
    assert len({offer.offer_id for offer in found}) == len(found)
    matrix = await ops.read("/v1/ops/prices?country=JP&data_mb=1024&days=7", shapes.PriceMatrix)
    assert found[0].offer_id == next(cell.offer_id for cell in matrix.data[0].cells if cell.supplier == "a")
    order = [(not o.selectable, o.cost_base is None, Decimal(o.cost_base.amount) if o.cost_base else 0) for o in found]
    assert order == sorted(order)
    assert all((o.why_not is None) == o.selectable for o in found)
    assert {"out_of_stock", "invisible"} & {o.why_not for o in found}
    every = await ops.read("/v1/ops/prices/JP/offers?data_mb=1024&days=7&limit=200", Page[shapes.PricedOffer])
    assert {o.supplier for o in every.data} == set("abc")
    assert (await ops.get("/v1/ops/prices/ZZ/offers")).status == 404


async def test_offers_stand_side_by_side_in_the_order_asked(ops):
    page = await ops.read("/v1/ops/prices/JP/offers", Page[shapes.PricedOffer])
    first, second = page.data[3], page.data[1]
    costless = await ops.pool.fetchval(
        "SELECT id FROM offers WHERE cost IS NULL AND stock IS DISTINCT FROM 0 AND 'JP' = ANY(coverage) ORDER BY id"
    )
    query = f"offer={first.offer_id}&offer={second.offer_id}&offer=off_unknown&offer={first.offer_id}&offer={costless}"
    compared = await ops.read(f"/v1/ops/offers/compare?{query}", shapes.Comparison)
    assert [one.offer_id for one in compared.data] == [first.offer_id, second.offer_id, costless]
    assert (compared.data[2].cost, compared.data[2].priced_by, compared.data[2].why_not) == (
        None,
        None,
        "no_fixed_price",
    )
    assert "10 %" in compared.data[0].priced_by
    assert compared.missing == ["off_unknown"]
    plan = await (await ops.get(f"/v1/plans/{first.plan_id}")).json()
    assert msgspec.to_builtins(compared.data[0].countries) == plan["countries"]
    assert compared.data[0].plan_name == plan["name"]
    row = await ops.pool.fetchrow("SELECT * FROM offers WHERE id = $1", first.offer_id)
    assert msgspec.to_builtins(compared.data[0].networks) == row["networks"]
    assert compared.data[0].supplier_plan_id == row["supplier_plan_id"]
    for wrong in ("", "offer=off_1", "&".join(f"offer=off_{n}" for n in range(11))):
        assert (await ops.get(f"/v1/ops/offers/compare?{wrong}")).status == 422, wrong


async def test_live_and_test_suppliers_have_matrices_of_their_own(ops):
    live = await ops.read("/v1/ops/prices?mode=live", shapes.PriceMatrix)
    test = await ops.read("/v1/ops/prices?mode=test", shapes.PriceMatrix)
    assert (live.data, live.suppliers) == ([], [])
    assert [one.name for one in test.suppliers] == list("abc")


async def test_equal_costs_are_the_first_supplier_s_and_beat_the_next_by_nothing(make_api):
    items = [Item(name, offer(f"{name}1", cost="5.00")) for name in "ba"]
    api = await make_api(items, published=True, **SETTINGS, scopes=["storefront", "ops"])
    (line,) = (await api.read("/v1/ops/prices", shapes.PriceMatrix)).data
    assert (line.cheapest.supplier, line.cheapest.by.amount, line.cheapest.percent) == ("a", "0.00", 0.0)


def test_a_cell_s_figures_are_written_as_money_is():
    from gateway.prices.prices import _text
    from schemas.money import Money

    dice, seen = random.Random(1), defaultdict(int)
    for _ in range(500):
        scale, digits = dice.choice([0, 1, 2, 4]), dice.choice([("JPY", 0), ("USD", 2), ("KWD", 3)])
        whole = dice.choice([dice.randrange(10**6), dice.randrange(100) * 100])
        money = Money(Decimal(whole).scaleb(-scale), digits[0]).padded()
        assert _text(whole, scale, digits[1]) == f"{money.amount:f}"
        seen[scale] += 1
    assert len(seen) == 4
