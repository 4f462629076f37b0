"""``mappings`` and ``suppliers figures`` as scripts use them."""

import json
from datetime import UTC, datetime

import msgspec

from gateway.kit.pages import PageRequest
from gateway.prices import supplier_figures
from gateway.suppliers.balances import poll_if_due
from gateway.sync.mappings import add_mapping
from providers.kit.term_mappings import TermMapping, read_toml
from schemas.plan import About
from tests.gateway.cli.test_orders import GOOD, command, shop

__all__ = ["command", "shop"]


async def test_what_was_told_is_printed_as_the_file_for_the_configuration(shop, command):
    week = TermMapping(about=About.UNIT, word="week", means="7")
    asia = TermMapping(about=About.PLACE, word='Asia "3"', means="HK JP", provider="pikasim")
    for meaning in (week, asia):
        await add_mapping(shop.deps.pool, meaning, "", "command line")
    code, out, _ = await command("mappings", "export")
    assert (code, read_toml(out)) == (0, (week, asia))
    _, out, _ = await command("mappings", "list", "--json")
    assert [(row["word"], row["means"], row["applied"]) for row in json.loads(out)] == [
        ('Asia "3"', "HK JP", False),
        ("week", "7", False),
    ]
    _, out, _ = await command("mappings", "list")
    assert "every provider: unit 'week' means 7  (from the next sync on)" in out


async def test_a_mapping_of_one_account_is_previewed_added_listed_and_removed(shop, command):
    week = ("--about", "unit", "--word", "week", "--means", "7")
    code, out, _ = await command("mappings", "preview", *week, "--supplier", "pikasim")
    assert (code, out) == (0, "0 of 0 unmapped items would become offers of 0 plans\n")
    code, out, _ = await command("mappings", "add", *week, "--supplier", "pikasim", "--note", "their support")
    assert (code, out) == (0, "pikasim: unit 'week' means 7  (from the next sync on)\n")
    await command("mappings", "add", *week, "--provider", "pikasim")
    _, out, _ = await command("mappings", "list", "--supplier", "pikasim", "--json")
    [row] = json.loads(out)
    assert (row["provider"], row["supplier"], row["note"]) == ("pikasim", "pikasim", "their support")
    _, out, _ = await command("mappings", "export")
    assert [(each.provider, each.supplier) for each in read_toml(out)] == [("pikasim", ""), ("pikasim", "pikasim")]
    code, out, _ = await command("mappings", "remove", row["id"])
    assert (code, out) == (0, "removed: unit 'week'\n")
    _, out, _ = await command("mappings", "list", "--json")
    assert [row["supplier"] for row in json.loads(out)] == [None]


async def test_suppliers_stand_in_figures_as_everywhere_else(shop, command):
    await shop.buy(GOOD)
    await poll_if_due(shop.deps.pool, shop.deps.accounts, datetime.now(UTC))
    code, out, _ = await command("suppliers", "figures", "--json")
    assert code == 0
    told = json.loads(out)
    same = await supplier_figures.figures(shop.deps, PageRequest(100))
    assert told == json.loads(msgspec.json.encode(same.data))
    assert [one["orders"]["attempts"] for one in told] == [0, 1, 0]
    _, out, _ = await command("suppliers", "figures")
    assert "100.0%" in out
