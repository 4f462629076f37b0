"""``esim-gateway rates`` as operators and cron use it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from gateway.pricing.rates import today
from tests.kit.command_line import command_with, environment_of
from tests.kit.rate_source import rate_source
from tests.kit.shelf import settings_for


@pytest.fixture
async def source():
    async with rate_source() as started:
        yield started


@pytest.fixture
def command(pool, database_url, tmp_path, source):
    settings = settings_for(tmp_path, database_url)

    sources = json.dumps(source.settings()["sources"])
    return command_with(environment_of(settings, COLUMNS="200", GATEWAY_RATES__SOURCES=sources), "rates")


async def listed(command):
    found = json.loads((await command("list", "--json"))[1])
    return {rate["currency"]: rate for rate in found["data"]}


async def test_rates_are_updated_and_a_jump_is_accepted(command, source):
    source.publishes(today() - timedelta(days=1), USD="1.00", TRY="40")
    code, said, _ = await command("update")
    assert (code, f"2 rates of {today() - timedelta(days=1)}" in said) == (0, True)
    source.publishes(today(), USD="1.00", TRY="50")
    assert "moved too far: TRY" in (await command("update"))[1]
    assert (await listed(command))["TRY"]["waiting"]["per_base"] == "50"
    code, said, _ = await command("accept")
    assert (code, said) == (0, f"1 TRY = 0.02 in base currency, of {today()}: in force\n")
    assert await command("accept") == (0, "no rate waits to be accepted\n", "")
    code, _, wrong = await command("accept", "TRY")
    assert (code, wrong) == (2, "esim-gateway: no rate of TRY waits to be accepted\n")
    source.status = 503
    code, said, _ = await command("update")
    assert (code, "HTTP 503" in said) == (4, True)


async def test_rates_are_set_imported_and_listed(command, tmp_path):
    day = today() - timedelta(days=2)
    code, said, _ = await command("set", "USD", "IDR", "16250", "--date", f"{day}")
    assert (code, said) == (0, f"1 IDR = 0.0000615384615385 in base currency, of {day}: in force\n")
    file = tmp_path / "rates.toml"
    file.write_text(f"base = 'USD'\n[[rates]]\ndate = '{day}'\nsource = 'the bank'\nEUR = '1.08'\nEGP = '0.02'\n")
    assert await command("import", str(file)) == (0, "2 rates of EGP, EUR\n", "")
    assert (await command("import", "-", typed=f"date,base,currency,rate\n{day},USD,TWD,32\n"))[:2] == (
        0, "1 rates of TWD\n",
    )  # fmt: skip
    found = await listed(command)
    assert [(found[name]["per_base"], found[name]["age_days"]) for name in ("IDR", "EGP", "TWD")] == [
        ("16250", 2), ("50", 2), ("32", 2),
    ]  # fmt: skip
    assert (found["EUR"]["source"], found["EUR"]["state"]) == ("the bank", "in_force")
    table = (await command("list"))[1]
    assert "What 1 USD buys:" in table
    assert "set by command line" in table
    for words, why in [
        (("set", "EGP", "EGP", "1"), "between two currencies"),
        (("set", "USD", "Rupiah", "1"), "currency"),
        (("set", "USD", "IDR", "dear"), "rate"),
        (("import", str(tmp_path / "none")), "cannot read"),
    ]:
        code, _, wrong = await command(*words)
        assert (code, why in wrong) == (2, True), wrong
