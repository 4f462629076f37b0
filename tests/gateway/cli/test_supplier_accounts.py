"""``suppliers check``, ``keys`` and ``setup-webhooks`` as people and scripts use them."""

import json

from aiohttp import web

from gateway.api import state
from gateway.api.webhooks import take_supplier_webhook
from gateway.suppliers import key_rotation
from tests.gateway.cli.test_orders import command, shop

__all__ = ["command", "shop"]


async def test_the_page_names_what_is_wrong_and_what_to_do_and_the_exit_code_says_how_many_are_good(shop, command):
    code, out, _ = await command("suppliers", "check")
    assert (code, out.count(": no problems found")) == (0, 3)
    await shop.suppliers.tell("s2s", "account", {"secret": "another", "clock_seconds": 360})
    await shop.suppliers.tell("beppay", "account", {"revoke": 1})
    code, out, _ = await command("suppliers", "check")
    assert code == 3
    lines = out.splitlines()
    for words in ("beppay  (beppay, test mode): problems found: 1", "s2s  (s2s, test mode): problems found: 2"):
        assert words in lines
    assert any(line.startswith("  WRONG    clock: the supplier's clock is 6 min 0 s ahead of ours") for line in lines)
    at = next(place for place, line in enumerate(lines) if line.startswith("  WRONG    credentials:"))
    assert "-> the key is wrong or was revoked: make one at BepPay and set suppliers.beppay.api_key" in lines[at + 1]
    code, out, _ = await command("suppliers", "check", "beppay", "--json")
    told = json.loads(out)
    assert (code, [row["name"] for row in told], told[0]["answers"]) == (4, ["beppay"], False)
    code, _, err = await command("suppliers", "check", "nobody")
    assert (code, "no supplier is named nobody; there are: beppay, pikasim, s2s" in err) == (2, True)


async def test_a_key_is_turned_over_and_the_gateway_goes_on_with_it(shop, command):
    code, out, _ = await command("suppliers", "keys", "beppay", "rotate", "--no-wait", "--json")
    told = json.loads(out)
    assert (code, told["state"], told["in_force"]) == (0, "switched", True)
    await shop.deps.pool.execute("UPDATE supplier_keys SET revoke_at = now(), look_at = now()")
    await key_rotation.go_on_all(shop.deps)
    code, out, _ = await command("suppliers", "keys", "beppay", "--json")
    assert [(key["name"], key["active"]) for key in json.loads(out)] == [("Sandbox", False), (told["name"], True)]
    code, _, err = await command("suppliers", "keys", "pikasim", "rotate")
    assert (code, "PikaSim gives its key to people" in err) == (2, True)


async def test_webhooks_are_set_and_waited_for_and_what_has_no_call_says_what_to_do(shop, command):
    app = web.Application()
    app[state.DEPS] = shop.deps
    app.router.add_post("/webhooks/{supplier}", take_supplier_webhook)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        code, out, err = await command("suppliers", "setup-webhooks", "--base-url", base)
        assert code == 0, err
        assert "pikasim: arrived: the test has arrived, and its signature fits" in out
        assert f"webhook URL to this address ({base}/webhooks/s2s)" in out
    finally:
        await runner.cleanup()
    code, _, err = await command("suppliers", "setup-webhooks", "--base-url", "http://gateway.example.com")
    assert (code, "the base URL cannot be used" in err) == (2, True)
