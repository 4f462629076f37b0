"""The same commands on the local database and, with an ops key, at a gateway that serves it."""

from __future__ import annotations

import json

import aiohttp
import pytest

from benchmarks.processes import free_port
from gateway.access.key_rows import create_key
from tests.gateway.cli.test_orders import GOOD, PARTLY, shop
from tests.gateway.cli.test_serve import serve, until
from tests.kit.command_line import Finished, command_with, environment_of, environment_with

__all__ = ["shop"]


async def run(env: dict[str, str], *words: str) -> Finished:
    return await command_with(env)(*words)


def remote(url: str, key: str) -> dict[str, str]:
    """Nothing but the gateway's address and a key: no database, no supplier."""
    return environment_with(GATEWAY_URL=url, GATEWAY_KEY=key)


@pytest.fixture
async def serving(shop, tmp_path):
    """The address of a gateway that serves the shop's database."""
    port = free_port()
    env = environment_of(shop.deps.settings, GATEWAY_METRICS__PORT="0")

    async def ready() -> bool:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/readyz") as got:
            return got.status == 200

    with serve(tmp_path, env, "--port", str(port)):
        await until(ready)
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def ops_key(shop) -> str:
    return (await create_key(shop.deps.pool, storefront="ops", mode="test", scopes=["ops"])).key


async def test_commands_print_the_same_of_the_database_and_of_a_remote_gateway(shop, serving, ops_key):
    good, stuck = await shop.buy(GOOD), await shop.buy(PARTLY)
    away, here = remote(serving, ops_key), environment_of(shop.deps.settings)
    for words in (
        ("orders", "list", "--json"),
        ("orders", "list", "--status", "needs_review"),
        ("orders", "list", "--csv", "--limit", "1"),
        ("orders", "show", good, "--json"),
        ("orders", "show", stuck),
        ("checkouts", "list", "--json"),
        ("alerts", "list"),
        ("alerts", "test"),
        ("selling", "list", "--json"),
        ("mappings", "list", "--json"),
        ("suppliers", "money", "--json"),
        ("suppliers", "transactions"),
        ("suppliers", "ledger", "pikasim", "--json"),
        ("pricing", "list", "--csv"),
        ("pricing", "margins", "--limit", "3", "--mode", "test"),
        ("prices", "matrix", "--country", "Bhutan", "--json", "--mode", "test"),
        ("prices", "changes", "--json"),
        ("prices", "changes", "--summary", "--since", "2026-01-01", "--csv"),
        ("orders", "show", "ord_nobody"),
    ):
        assert await run(away, *words) == await run(here, *words), words


async def test_what_is_done_remotely_is_logged_with_the_key_and_locally_with_the_user(shop, serving, ops_key):
    away, here = remote(serving, ops_key), environment_of(shop.deps.settings)
    code, out, _ = await run(away, "selling", "stop", "--supplier", "pikasim", "--note", "prices")
    assert (code, out) == (0, "stopped: pikasim\n")
    assert (await run(here, "selling", "resume", "--supplier", "pikasim"))[0] == 0
    actors = await shop.deps.pool.fetch("SELECT action, actor FROM audit_log ORDER BY id")
    assert [(row["action"], row["actor"].partition(",")[0].partition(" key_")[0]) for row in actors] == [
        ("selling.stopped", "key"),
        ("selling.resumed", "command line"),
    ]


async def test_an_order_is_cancelled_remotely(shop, serving, ops_key):
    order_id = await shop.buy(GOOD)
    code, out, _ = await run(remote(serving, ops_key), "orders", "cancel", order_id, "--note", "agreed", "--json")
    assert (code, json.loads(out)["status"]) == (0, "cancelled")


async def test_what_a_remote_gateway_refuses_is_one_line_that_says_what_to_do(shop, serving):
    weak = await create_key(shop.deps.pool, storefront="ops", mode="test", scopes=["ops:read"])
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert (await run(remote(serving, weak.key), "selling", "list"))[0] == 0
    for env, words, said in (
        (remote(serving, weak.key), ("selling", "stop"), "this needs a key with the scope ops; the key in GATEWAY_KEY"),
        (remote(serving, "gw_test_wrong"), ("selling", "list"), f"{serving} does not take the key in GATEWAY_KEY"),
        (remote(serving, ""), ("selling", "list"), "set GATEWAY_KEY to a key with the scope ops"),
        (remote(nowhere, weak.key), ("selling", "list"), f"{nowhere} cannot be reached: "),
        (remote("gateway.example.com", weak.key), ("selling", "list"), "is no address such as https://"),
        (remote(serving, weak.key), ("orders", "erase-email", "a@example.com"), "run it beside the gateway"),
        (remote(serving, weak.key), ("orders", "show", "ord_1"), "there is no such order: ord_1"),
        (remote(serving, weak.key), ("orders", "list", "--storefront", ""), "storefront: "),
    ):
        code, out, err = await run(env, *words)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert said in err
        assert weak.key not in err


async def test_a_state_folder_is_local_whatever_the_environment_names(shop, tmp_path):
    env = environment_of(shop.deps.settings, GATEWAY_URL="http://127.0.0.1:9", GATEWAY_KEY="x")
    code, out, _ = await run(env, "orders", "list", "--json", "--state-dir", str(tmp_path))
    assert (code, json.loads(out)) == (0, [])
