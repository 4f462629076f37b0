"""A supplier's webhooks set by a call, and waited for until its test has arrived, or not."""

import pytest
from aiohttp import web

from gateway.api import state
from gateway.api.webhooks import take_supplier_webhook
from gateway.suppliers.webhook_setup import set_up
from tests.gateway.suppliers.test_checkup import open_deps
from tests.kit.admitted import code_of

__all__ = ["open_deps"]


@pytest.fixture
async def gateway(open_deps):
    """Deps, and where suppliers reach them."""
    app = web.Application()
    app[state.DEPS] = deps = await open_deps()
    app.router.add_post("/webhooks/{supplier}", take_supplier_webhook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield deps, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_test_that_arrives_is_seen_each_time_it_is_asked_for(gateway):
    deps, base = gateway
    told = []
    for _ in range(2):
        done = await set_up(deps, "pikasim", f"{base}/", "the test", seconds=20, report=told.append)
        assert (done.state, done.url) == ("arrived", f"{base}/webhooks/pikasim")
    assert told[0] == f"pikasim: setting {base}/webhooks/pikasim"
    rows = await deps.pool.fetch("SELECT action, detail FROM audit_log")
    assert [(row["action"], row["detail"]) for row in rows] == [("supplier_webhook.set", {"url": done.url})] * 2


async def test_a_test_with_another_secret_is_told_from_one_that_does_not_come(gateway, suppliers):
    deps, base = gateway
    await suppliers.tell("pikasim", "account", {"secret": "another"})
    done = await set_up(deps, "pikasim", base, "the test", seconds=20)
    assert (done.state, "suppliers.pikasim.webhook_secret is not the one" in done.what_to_do) == ("forged", True)
    done = await set_up(deps, "pikasim", "http://127.0.0.1:9", "the test", seconds=0.5)
    assert (done.state, "reaches the gateway from outside" in done.what_to_do) == ("not_arrived", True)


async def test_a_supplier_that_refuses_and_one_without_the_call_say_so(gateway, suppliers):
    deps, base = gateway
    done = await set_up(deps, "s2s", base, "the test")
    assert (done.state, "partner settings" in done.what_to_do) == ("by_hand", True)
    await suppliers.tell("pikasim", "account", {"revoke": 1})
    done = await set_up(deps, "pikasim", base, "the test")
    assert (done.state, "Invalid or missing API key" in done.detail) == ("refused", True)


@pytest.mark.parametrize(
    "base", ["http://gateway.example.com", "https://10.0.0.1", "ftp://x", "https://[", "", "http://1"]
)
async def test_an_address_that_a_supplier_cannot_or_may_not_use_is_refused(gateway, base):
    assert code_of(await set_up(gateway[0], "pikasim", base, "the test")) == "invalid"
