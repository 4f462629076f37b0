"""``pricing list``, ``preview`` and ``margins`` as people and scripts use them."""

import asyncio
import csv
import io
import json

import pytest

from gateway.catalog.publish import publish
from gateway.pricing import edit_rules
from schemas.api_pricing import RuleBody
from tests.kit.command_line import command_with, environment_of
from tests.kit.made_up_market import Item, offer
from tests.kit.shelf import settings_for, stock


@pytest.fixture
async def settings(pool, database_url, tmp_path):
    made = settings_for(tmp_path, database_url)
    await stock(pool, [Item("a", offer("JP1", cost="5.00")), Item("b", offer("FR1", countries="FR", cost="4.00"))])
    await publish(pool, None, made)
    await edit_rules.create(pool, made, "a test", RuleBody(name="Japan", percent="25", countries=["JP"]))
    return made


@pytest.fixture
def command(settings):
    return command_with(environment_of(settings, COLUMNS="200"), "pricing")


async def test_rules_and_what_another_would_do_in_every_form(pool, command):
    rule = '{"name": "France", "percent": "50", "countries": ["FR"], "position": 1}'
    rule_id = await pool.fetchval("SELECT id FROM pricing_rules")
    (code, table, _), (_, as_json, _), (_, as_csv, _), tried, (_, examples, _), removed, wrong = await asyncio.gather(
        command("list"),
        command("list", "--json"),
        command("list", "--csv"),
        command("preview", "-", "--json", typed=rule),
        command("preview", rule, "--csv"),
        command("preview", "--id", rule_id, "--remove"),
        command("preview", '{"name": "x", "percent": "1", "region": "atlantis"}'),
    )
    assert code == 0
    assert "Japan +25 %" in table
    assert "within JP" in table
    assert json.loads(as_json)["data"][0]["countries"] == ["JP"]
    assert [line["name"] for line in csv.DictReader(io.StringIO(as_csv))] == ["Japan", "default"]
    told = json.loads(tried[1])
    assert (told["rise"]["count"], told["same"], told["mode"]) == (1, 1, "live")
    (line,) = csv.DictReader(io.StringIO(examples))
    assert (line["before"], line["after"], line["rule after"]) == ("4.40", "6.00", "rule 1: France +50 %")
    assert "1 fall (median 0.75, 12 %; most 0.75, 12 %)" in removed[1]
    assert (wrong[0], wrong[2]) == (2, "esim-gateway: region: there is no region atlantis\n")
    assert await pool.fetchval("SELECT count(*) FROM pricing_rules") == 1


async def test_margins_in_every_form(command):
    (code, table, _), (_, as_json, _), (_, as_csv, _), wrong = await asyncio.gather(
        command("margins"),
        command("margins", "--json", "--country", "Japan"),
        command("margins", "--csv"),
        command("margins", "--storefront", "nobody"),
    )
    assert code == 0
    assert "2 offers, median" in table
    (only,) = json.loads(as_json)["data"]
    assert (only["margin"]["amount"], only["margin_percent"]) == ("1.25", 20.0)
    lines = list(csv.DictReader(io.StringIO(as_csv)))
    assert [line["margin"] for line in lines] == ["0.40", "1.25"]
    assert "there is no storefront nobody" in wrong[2]
