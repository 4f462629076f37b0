"""A sandbox's account: its keys, its secret, its clock, and a path that moved, as they are told over HTTP."""

import pytest
from aiohttp import ClientSession

from providers.loader import load_manifests
from providers.simulator import SandboxWorld, serve
from providers.simulator.account import SandboxAccount
from schemas.errors import ConfigurationError

BEARER = {"Authorization": "Bearer pk_live_beppay_sandbox"}


@pytest.fixture
async def beppay():
    manifests = {"beppay": load_manifests()["beppay"]}
    async with await serve(SandboxWorld(["beppay"]), manifests, port=0) as served, ClientSession() as http:
        yield served.urls["beppay"], http


async def told(http, url, body, status=200):
    async with http.post(f"{url}/_sandbox/account", json=body) as answer:
        assert answer.status == status
        return await answer.json()


async def test_a_key_is_revoked_and_put_back_and_keys_are_shown_without_themselves(beppay):
    url, http = beppay
    shown = await told(http, url, {"revoke": 1})
    assert shown == {"keys": [{"id": 1, "name": "Sandbox", "active": False}], "clock_seconds": 0.0}
    async with http.get(f"{url}/api/partner/balance", headers=BEARER) as answer:
        assert answer.status == 401
    await told(http, url, {"restore": 1})
    async with http.get(f"{url}/api/partner/balance", headers=BEARER) as answer:
        assert answer.status == 200
    assert "no key 9" in (await told(http, url, {"revoke": 9}, 422))["error"]
    await told(http, url, {"clock": 1}, 422)


async def test_its_clock_shows_in_the_date_and_a_reset_puts_everything_right(beppay):
    url, http = beppay
    await told(http, url, {"clock_seconds": -86400 * 365, "revoke": 1})
    async with http.get(f"{url}/api/partner/esim/plans") as answer:
        before = answer.headers["Date"]
    async with http.post(f"{url}/_sandbox/reset") as answer:
        assert answer.ok
    async with http.get(f"{url}/api/partner/balance", headers=BEARER) as answer:
        assert answer.status == 200
        assert answer.headers["Date"][12:16] != before[12:16]


async def test_a_path_that_moved_is_answered_as_one_that_never_was(beppay):
    url, http = beppay
    async with http.post(f"{url}/_sandbox/faults", json={"kind": "moved", "path": "/api/partner/balance"}) as answer:
        assert answer.ok
    said = []
    for path in ("balance", "no-such-path"):
        async with http.get(f"{url}/api/partner/{path}", headers=BEARER) as answer:
            said.append((answer.status, await answer.text()))
    assert said[0] == said[1]
    assert said[0][0] == 404


def test_keys_outlive_the_process_where_there_is_a_folder_for_books(tmp_path):
    file = tmp_path / "beppay.keys.json"
    first = SandboxAccount("configured", file=file)
    made = first.create("new", "pk_live_")
    first.revoke(1)
    again = SandboxAccount("configured", file=file)
    assert (again.admits(made.secret), again.admits("configured")) == (True, False)
    file.write_text("{")
    with pytest.raises(ConfigurationError, match="delete the file"):
        SandboxAccount("configured", file=file)
