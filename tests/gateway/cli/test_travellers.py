"""``travellers`` as people and scripts use it."""

import asyncio
import json
from functools import partial

import pytest

from gateway.kit.pool import open_pool
from tests.gateway.travellers.test_appearance_rules import picture
from tests.kit.command_line import environment_with, run_command


@pytest.fixture
def command(database_url, tmp_path):
    environment = environment_with(
        GATEWAY_DATABASE_URL=database_url,
        GATEWAY_STATE_DIR=str(tmp_path),
        GATEWAY_SMTP__HOST="127.0.0.1",
        GATEWAY_SMTP__SENDER="gateway@example.com",
    )
    return partial(run_command, environment)


async def storefront(database_url):
    pool = await open_pool(database_url)
    try:
        return await pool.fetchval("SELECT id FROM storefronts")
    finally:
        await pool.close()


def test_what_travellers_see_is_set_from_files_and_words_and_shown(command, database_url, tmp_path):
    assert command("keys", "create", "--storefront", "Shop").code == 0
    shop = asyncio.run(storefront(database_url))
    logo = tmp_path / "logo.png"
    logo.write_bytes(picture())
    words = ("--shop-name", "Sunny", "--logo", str(logo), "--email-enabled", "on", "--email-usage", "off")
    done = command("travellers", "set", shop, *words)
    assert (done.code, done.err) == (0, "")
    shown = json.loads(command("travellers", "show", shop, "--json").out)
    assert (shown["shop_name"], shown["email_enabled"], shown["email_usage"]) == ("Sunny", True, False)
    assert f"logo            {len(picture())} bytes" in command("travellers", "show", shop).out
    assert command("travellers", "set", shop, "--logo", "", "--shop-name", "").code == 0
    shown = json.loads(command("travellers", "show", shop, "--json").out)
    assert (shown["shop_name"], shown["logo"], shown["email_enabled"]) == (None, None, True)
    assert "neither on nor off" in command("travellers", "set", shop, "--email-enabled", "maybe").err
    assert "cannot read" in command("travellers", "set", shop, "--logo", str(tmp_path / "none.png")).err
