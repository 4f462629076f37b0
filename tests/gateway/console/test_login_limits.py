"""Failed log-ins over HTTP: strangers lock nobody out, and each device, address and session has its own count."""

import asyncio
import threading

import pytest

from gateway.access import passwords, users
from tests.gateway.console.conftest import PASSWORD
from tests.gateway.console.test_entry import try_in


@pytest.fixture
async def console(make_console):
    """The console behind a proxy that names each client's address."""
    return await make_console(trusted_proxies=["127.0.0.1/32"])


async def try_from(console, address, name, password="wrong"):
    return await try_in(console, name, password, headers={"X-Forwarded-For": address})


async def lock(console, name="viewer"):
    """Failures of four addresses until the name is locked for unknown devices."""
    for number in range(10):
        answer = await try_from(console, f"198.51.100.{number // 3}", name)
        assert "Wrong name or password" in answer.words


async def after_many(console, counter):
    """Have the next failure cost a wait that no slow machine sits out."""
    changed = await console.pool.fetch("UPDATE login_failures SET failures = 30 WHERE kind = $1 RETURNING 1", counter)
    assert len(changed) == 1


async def test_one_address_never_locks_a_name(console):
    for _ in range(19):
        assert "Wrong name or password" in (await try_from(console, "198.51.100.7", "viewer")).words
    assert await console.pool.fetchval("SELECT count(*) FROM login_name_failures") == 3
    assert (await try_from(console, "203.0.113.5", "viewer", PASSWORD)).status == 303


async def test_one_ipv6_network_never_locks_a_name(console):
    for number in range(19):
        await try_from(console, f"2001:db8:1:2::{number + 1:x}", "viewer")
    assert (await try_from(console, "203.0.113.5", "viewer", PASSWORD)).status == 303


async def test_ten_failures_from_several_addresses_make_unknown_devices_wait_a_quarter_of_an_hour(console):
    await lock(console)
    answer = await try_from(console, "203.0.113.5", "viewer", PASSWORD)
    assert answer.status == 422
    assert "Too many attempts. Try again in 15 minutes." in answer.words
    assert (await try_from(console, "203.0.113.5", "operator@example.com", PASSWORD)).status == 303
    await console.pool.execute("UPDATE login_name_failures SET at = at - interval '15 min'")
    assert (await try_from(console, "203.0.113.5", "viewer", PASSWORD)).status == 303


async def test_a_lock_stands_in_the_audit_log_once(console):
    await lock(console)
    await try_from(console, "203.0.113.5", "viewer")
    rows = await console.pool.fetch("SELECT action FROM audit_log WHERE object = 'user:viewer' ORDER BY id")
    assert [row["action"] for row in rows] == ["user.login_failed"] * 10 + ["user.locked"]


async def test_a_device_that_logged_in_before_gets_into_a_locked_name(console):
    known = await console.log_in("viewer")
    await lock(console)
    values = {"name": "viewer", "password": PASSWORD}
    answer = await known.post("/console/login", values, token=False, follow=False)
    assert answer.status == 303
    other = await console.stranger()
    answer = await other.post("/console/login", values, token=False, follow=False)
    assert "Too many attempts" in answer.words


async def test_a_known_device_gets_in_from_an_address_that_has_to_wait(console):
    known = await console.log_in("viewer")
    headers = {"X-Forwarded-For": "198.51.100.7"}
    await try_from(console, "198.51.100.7", "nobody")
    await console.pool.execute("DELETE FROM login_failures WHERE tried <> '198.51.100.7'")
    await after_many(console, "address")
    await try_from(console, "198.51.100.7", "nobody")
    assert "Too many attempts" in (await try_from(console, "198.51.100.7", "viewer", PASSWORD)).words
    values = {"name": "viewer", "password": PASSWORD}
    assert (await known.post("/console/login", values, token=False, follow=False, headers=headers)).status == 303


async def test_a_known_device_has_its_own_count_and_is_a_stranger_to_other_names(console):
    known = await console.log_in("viewer")

    async def try_there(name, password):
        return await known.post("/console/login", {"name": name, "password": password}, token=False, follow=False)

    assert "Wrong name or password" in (await try_there("viewer", "wrong")).words
    await after_many(console, "device")
    assert "Wrong name or password" in (await try_there("viewer", "wrong")).words
    assert "Too many attempts" in (await try_there("viewer", PASSWORD)).words
    assert await console.pool.fetchval("SELECT count(*) FROM login_name_failures") == 0
    assert (await try_from(console, "203.0.113.5", "viewer", PASSWORD)).status == 303
    await try_there("operator@example.com", "wrong")
    assert await console.pool.fetchval("SELECT count(*) FROM login_name_failures") == 1


async def test_a_forged_device_cookie_is_an_unknown_device(console):
    known = await console.log_in("operator@example.com")
    cookie = {morsel.key: morsel.value for morsel in known.http.cookie_jar}["gw_device"]
    await lock(console)
    for text in (cookie, cookie.replace(cookie[:5], "AAAAA"), "x" * 5000):
        stranger = await console.stranger()
        answer = await stranger.post(
            "/console/login",
            {"name": "viewer", "password": PASSWORD},
            token=False,
            follow=False,
            headers={"Cookie": f"gw_device={text}"},
        )
        assert "Too many attempts" in answer.words


@pytest.mark.parametrize("lift", ["unlock", "reset"])
async def test_a_reset_and_an_unlock_lift_the_lock(console, lift):
    await lock(console)
    assert "Too many attempts" in (await try_from(console, "203.0.113.5", "viewer", PASSWORD)).words
    if lift == "unlock":
        assert await users.unlock(console.pool, "test", "viewer") == 10
    else:
        await users.set_password(console.pool, "test", "viewer", PASSWORD)
    assert (await try_from(console, "203.0.113.5", "viewer", PASSWORD)).status == 303


async def test_names_that_nobody_has_get_no_rows_and_are_never_locked(console):
    for number in range(12):
        assert "Wrong name or password" in (await try_from(console, f"198.51.100.{number}", "nobody-at-all")).words
    rows = await console.pool.fetch(
        "SELECT f::text FROM login_failures f UNION SELECT n::text FROM login_name_failures n"
    )
    assert rows
    assert not any("nobody-at-all" in row[0] for row in rows)


async def test_a_name_that_nobody_has_costs_the_same_argon2_work_outside_the_event_loop(
    console, monkeypatch, full_password_cost
):
    verified = []

    class Hasher(passwords.PasswordHasher):
        def verify(self, hashed, password):
            verified.append((hashed.rpartition("$")[0].rpartition("$")[0], threading.current_thread().name))
            return super().verify(hashed, password)

    await console.log_in("viewer")  # from now on its hash has today's parameters
    hasher = Hasher()
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    await try_in(console, "viewer", "wrong")
    await try_in(console, "nobody", "wrong")
    (theirs, thread), (nobodys, other_thread) = verified
    assert theirs == nobodys
    assert thread.startswith("passwords")
    assert other_thread.startswith("passwords")


async def test_a_hundred_tries_at_once_are_no_better_than_one_after_the_other(console):
    answers = await asyncio.gather(*(try_from(console, f"198.51.100.{n}", "viewer", f"wrong {n}") for n in range(16)))
    assert sum("Wrong name or password" in answer.words for answer in answers) == 10
    assert sum("Too many attempts" in answer.words for answer in answers) == 6


async def test_too_many_passwords_at_once_are_a_503_that_says_when_and_counts_nothing(console, monkeypatch):
    go_on = threading.Event()

    class Hasher(passwords.PasswordHasher):
        def verify(self, hashed, password):
            go_on.wait(60)
            return super().verify(hashed, password)

    hasher = Hasher()
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    room = passwords.AT_ONCE + passwords.MOST_WAITING
    tries = [asyncio.create_task(try_from(console, f"198.51.100.{n}", f"nobody{n}")) for n in range(room)]
    try:
        while len(passwords._places) < room:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)
        answer = await try_from(console, "203.0.113.5", "viewer", PASSWORD)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert "Too many passwords are being checked" in answer.words
        assert (await console.viewer.get("/console", follow=False)).status == 200
    finally:
        go_on.set()
        await asyncio.gather(*tries)
    assert not await console.pool.fetchval("SELECT count(*) FROM login_failures WHERE tried = '203.0.113.5'")
    assert (await try_from(console, "203.0.113.5", "viewer", PASSWORD)).status == 303


async def test_changing_a_password_is_limited_as_logging_in_is(console):
    good = {"old": PASSWORD, "new": "another horse battery", "again": "another horse battery"}
    for number in range(5):
        answer = await console.viewer.post("/console/password", good | {"old": f"wrong {number}"})
        assert "is not your current password" in answer.words
        if number == 3:
            await after_many(console, "session")
    answer = await console.viewer.post("/console/password", good)
    assert answer.status == 422
    assert "Too many attempts" in answer.words
    other = await console.log_in("viewer")  # a session's failures are its own
    assert (await other.post("/console/password", good)).status == 200


async def test_getting_in_forgets_the_failures_of_this_address(console):
    for _ in range(3):
        await try_from(console, "198.51.100.7", "viewer")
    await try_from(console, "198.51.100.8", "viewer")
    assert (await try_from(console, "198.51.100.7", "viewer", PASSWORD)).status == 303
    rows = await console.pool.fetch("SELECT address FROM login_name_failures")
    assert [row["address"] for row in rows] == ["198.51.100.8"]
