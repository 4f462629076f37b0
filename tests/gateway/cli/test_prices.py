"""``prices matrix`` and ``prices compare`` as people and scripts use them."""

import asyncio
import csv
import io
import json

import pytest

from gateway.catalog.browse import Catalog
from gateway.catalog.index.matrix import Bucket
from gateway.catalog.publish import publish
from gateway.prices import prices
from tests.kit.command_line import command_with, environment_of
from tests.kit.made_up_market import some_items
from tests.kit.shelf import settings_for, stock


@pytest.fixture
async def settings(pool, database_url, tmp_path):
    made = settings_for(tmp_path, database_url)
    await stock(pool, some_items(seed=6, count=120))
    await publish(pool, None, made)
    return made


@pytest.fixture
def command(settings):
    return command_with(environment_of(settings, COLUMNS="200"), "prices")


async def test_the_matrix_on_the_terminal_has_the_figures_of_the_index_in_every_form(settings, pool, command):
    catalog = await Catalog.open(settings, pool, None)
    wanted = prices.prices(catalog.index("live"), prices.Ask(Bucket(1024, 7)))
    await catalog.close()
    words = ("matrix", "--data", "1GB", "--days", "7")
    (code, as_json, _), (_, as_csv, _), (_, table, _) = await asyncio.gather(
        command(*words, "--json"), command(*words, "--csv"), command(*words)
    )
    assert code == 0
    told = json.loads(as_json)
    assert [row["country"] for row in told["data"]] == [row.country for row in wanted.data]
    lines = list(csv.DictReader(io.StringIO(as_csv)))
    for line, row, json_row in zip(lines, wanted.data, told["data"], strict=True):
        assert [cell["offer_id"] for cell in json_row["cells"]] == [cell.offer_id for cell in row.cells]
        assert line["cheapest"] == row.cheapest.supplier
        for cell in row.cells:
            assert line[cell.supplier] == cell.cost_base.amount
        shown = next(words for words in table.splitlines() if words.startswith(row.country))
        assert all(cell.cost_base.amount in shown for cell in row.cells)


async def test_offers_are_compared_by_id_or_as_the_cheapest_of_each_supplier(command):
    words = ("compare", "--country", "Japan", "--data", "1GB")
    (_, as_json, _), (_, table, _) = await asyncio.gather(command(*words, "--json"), command(*words))
    ids = [one["offer_id"] for one in json.loads(as_json)["data"]]
    assert len(ids) == 3
    assert "≠" in table
    (_, again, _), (_, as_csv, err) = await asyncio.gather(
        command("compare", *ids, "--json"), command("compare", ids[0], "off_gone", "--csv")
    )
    assert [one["offer_id"] for one in json.loads(again)["data"]] == ids
    assert next(csv.reader(io.StringIO(as_csv)))[2:] == ids[:1]
    assert "off_gone is not in the catalogue" in err


async def test_what_cannot_be_is_said_in_one_line(command):
    wrong = {
        ("matrix", "--data", "much"): "not an amount of data",
        ("matrix", "--country", "Atlantis"): "unknown country",
        ("matrix", "--region", "nowhere"): "no region",
        ("compare", "off_1"): "two to ten offers",
        ("compare", "off_1", "off_2"): "none of these is in the catalogue",
    }
    for (code, _, err), said in zip(
        await asyncio.gather(*(command(*one) for one in wrong)), wrong.values(), strict=True
    ):
        assert (code, said in err) == (2, True), err
        assert err.count("\n") == 1
