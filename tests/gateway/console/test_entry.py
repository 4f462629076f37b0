"""Getting in and out of the console: sessions, passwords, failed tries, the first admin."""

import asyncio
import html
from hashlib import sha256

import pytest

from gateway.access import users
from gateway.access.users import UserError
from tests.gateway.console.conftest import PASSWORD
from tests.kit.stored_password import is_password


async def try_in(console, name, password, **more):
    stranger = await console.stranger()
    return await stranger.post(
        "/console/login", {"name": name, "password": password}, token=False, follow=False, **more
    )


def cookie(answer):
    return answer.headers.get("Set-Cookie", "")


async def test_whoever_logs_in_comes_to_the_page_that_was_asked_for(console):
    stranger = await console.stranger()
    answer = await stranger.get("/console/password?x=1", follow=False)
    assert (answer.status, answer.location) == (303, "/console/login?next=/console/password%3Fx%3D1")
    answer = await stranger.post(
        "/console/login", {"name": "Viewer ", "password": PASSWORD, "next": "/console/password"}, token=False
    )
    assert (answer.status, answer.url) == (200, "/console/password")
    assert "viewer" in answer.words


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "/v1/plans", "/console\n"]
)
async def test_a_log_in_never_leads_away_from_the_console(console, target):
    stranger = await console.stranger()
    answer = await stranger.post(
        "/console/login", {"name": "viewer", "password": PASSWORD, "next": target}, token=False, follow=False
    )
    assert (answer.status, answer.location) == (303, "/console")


async def test_a_wrong_password_and_a_name_that_nobody_has_read_alike(console):
    answers = [await try_in(console, name, "wrong") for name in ("viewer", "nobody")]
    assert [answer.status for answer in answers] == [422, 422]
    texts = [answer.words.replace("viewer", "nobody") for answer in answers]
    assert texts[0] == texts[1]
    assert "Wrong name or password." in texts[0]
    assert 'value="viewer"' in answers[0].text
    assert "wrong" not in answers[0].words


async def test_a_session_is_kept_as_a_digest_in_a_cookie_that_scripts_cannot_read(console):
    answer = await try_in(console, "viewer", PASSWORD)
    made = cookie(answer)
    assert made.startswith("gw_session=")
    assert "HttpOnly" in made
    assert "SameSite=Lax" in made
    assert "Secure" not in made
    token = made.partition("=")[2].partition(";")[0]
    digests = {row["digest"] for row in await console.pool.fetch("SELECT digest FROM sessions")}
    assert sha256(token.encode()).digest() in digests
    rows = await console.pool.fetch("SELECT s::text AS all_of_it FROM sessions s")
    assert not any(token in row["all_of_it"] for row in rows)


async def test_behind_a_proxy_that_is_trusted_https_makes_the_cookie_secure(make_console):
    console = await make_console(trusted_proxies=["127.0.0.1/32"])
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "ops.example.com", "Origin": "https://ops.example.com"}
    answer = await try_in(console, "viewer", PASSWORD, headers=headers)
    assert answer.status == 303, answer.words
    made = cookie(answer)
    assert made.startswith("__Host-gw_session=")
    assert "Secure" in made
    assert "Path=/" in made
    assert "Domain" not in made


async def test_whoever_is_not_trusted_cannot_claim_https(console):
    answer = await try_in(console, "viewer", PASSWORD, headers={"X-Forwarded-Proto": "https"})
    assert cookie(answer).startswith("gw_session=")


async def test_logging_out_ends_the_session_and_not_only_the_cookie(console):
    person = await console.log_in("viewer")
    kept = {morsel.key: morsel.value for morsel in person.http.cookie_jar}
    answer = await person.post("/console/logout", follow=False)
    assert (answer.status, answer.location) == (303, "/console/login")
    again = await console.stranger()
    again.http.cookie_jar.update_cookies({"gw_session": kept["gw_session"]})
    assert (await again.get("/console", follow=False)).location == "/console/login"


@pytest.mark.parametrize(
    "ended", ["seen_at = now() - interval '12 h 1 s'", "created_at = now() - interval '7 days 1 s'"]
)
async def test_a_session_ends_when_it_is_left_alone_and_when_it_is_old(console, ended):
    assert (await console.viewer.get("/console", follow=False)).status == 200
    await console.pool.execute(f"UPDATE sessions SET {ended}")
    assert (await console.viewer.get("/console", follow=False)).location == "/console/login"


async def test_using_a_session_keeps_it_alive_and_a_break_begins_a_new_visit(console):
    await console.pool.execute("UPDATE sessions SET seen_at = now() - interval '11 h'")
    await console.pool.execute("UPDATE users SET last_seen_at = now() - interval '11 h'")
    assert (await console.viewer.get("/console", follow=False)).status == 200
    row = await console.pool.fetchrow(
        """SELECT now() - s.seen_at < interval '1 min' AS alive, now() - u.last_seen_at < interval '1 min' AS seen,
                  now() - u.last_visit_at > interval '10 h' AS visit
           FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.name = 'viewer'"""
    )
    assert tuple(row) == (True, True, True)


async def test_a_lost_redis_logs_nobody_out(console, redis):
    await redis.flushall()
    assert (await console.viewer.get("/console", follow=False)).status == 200


async def test_a_new_password_ends_every_other_session_of_its_user(console):
    here, elsewhere = await console.log_in("viewer"), console.viewer
    values = {"old": PASSWORD, "new": "another horse battery", "again": "another horse battery"}
    answer = await here.post("/console/password", values)
    assert "Password changed" in answer.words
    assert "Password changed" not in (await here.get("/console")).words
    assert (await elsewhere.get("/console", follow=False)).status == 303
    assert (await try_in(console, "viewer", PASSWORD)).status == 422
    assert (await try_in(console, "viewer", "another horse battery")).status == 303
    assert (await console.operator.get("/console", follow=False)).status == 200


async def test_a_password_is_not_changed_by_mistake(console):
    good = {"old": PASSWORD, "new": "another horse battery", "again": "another horse battery"}
    for wrong, why in (
        ({"old": "wrong"}, "is not your current password"),
        ({"new": "short", "again": "short"}, "12 to 500 characters"),
        ({"again": "another horse"}, "does not match"),
    ):
        answer = await console.viewer.post("/console/password", good | wrong)
        assert answer.status == 422
        assert why in answer.words
    assert (await console.viewer.get("/console", follow=False)).status == 200


async def test_a_user_who_is_shut_out_is_out_at_once_and_can_be_let_in_again(console):
    answer = await console.admin.post("/console/users/viewer/disable")
    assert "viewer is disabled." in answer.words
    assert (await console.viewer.get("/console", follow=False)).status == 303
    assert (await try_in(console, "viewer", PASSWORD)).status == 422
    await console.admin.post("/console/users/viewer/enable")
    assert (await console.viewer.get("/console", follow=False)).status == 303
    assert (await try_in(console, "viewer", PASSWORD)).status == 303


async def test_another_role_holds_with_the_next_request(console):
    assert (await console.operator.get("/console/users")).status == 403
    await console.admin.post("/console/users/operator@example.com/role", {"role": "admin"})
    assert (await console.operator.get("/console/users")).status == 200
    await console.admin.post("/console/users/operator@example.com/role", {"role": "viewer"})
    assert (await console.operator.get("/console/audit")).status == 403


async def test_the_last_admin_stays(console):
    for path, values in (("disable", {}), ("role", {"role": "viewer"})):
        answer = await console.admin.post(f"/console/users/admin/{path}", values)
        assert answer.status == 422
        assert "Admin is the only admin" in answer.words
    assert (await console.admin.get("/console/users")).status == 200


async def test_a_made_user_gets_a_password_that_is_shown_once_and_kept_nowhere(console):
    answer = await console.admin.post("/console/users", {"name": "New.Person", "role": "operator"})
    password = answer.text.partition("<code>")[2].partition("</code>")[0]
    assert (await try_in(console, "new.person", password)).status == 303
    assert password not in (await console.admin.get("/console/users")).text
    assert password not in (await console.admin.get("/console/audit")).text
    assert password.encode() not in b"".join(console.lines)


async def test_a_user_who_cannot_be_is_refused_with_what_was_typed(console):
    for name in ("", "viewer", "with space", "<script>", "ä", "a" * 101):
        answer = await console.admin.post("/console/users", {"name": name, "role": "operator"})
        assert answer.status == 422
        assert 'aria-invalid="true"' in answer.text
        assert f'value="{html.escape(name)}"' in answer.text
        assert "<script>" not in answer.text.partition("<main")[2]


async def test_every_change_of_a_user_is_on_record(console):
    await console.admin.post("/console/users/viewer/role", {"role": "operator"})
    await console.admin.post("/console/users/viewer/password")
    await console.admin.post("/console/users/viewer/logout")
    await console.admin.post("/console/users/viewer/disable")
    rows = await console.pool.fetch("SELECT actor, action, object, detail FROM audit_log ORDER BY id")
    assert [(row["actor"], row["action"], row["object"]) for row in rows] == [
        ("admin", f"user.{action}", "user:viewer") for action in ("role", "password", "logged_out", "disabled")
    ]
    assert rows[0]["detail"] == {"before": "viewer", "after": "operator"}
    words = (await console.admin.get("/console/audit?action=user.role")).words
    assert "viewer → operator" in words
    assert "user.password" not in words


async def test_log_ins_failed_ones_and_log_outs_stand_in_the_audit_log(console):
    person = await console.log_in("viewer")
    await try_in(console, "viewer", "wrong")
    await try_in(console, "a-password-typed-as-name", "wrong")
    await person.post("/console/logout")
    rows = await console.pool.fetch("SELECT user_id, actor, action, object, detail FROM audit_log ORDER BY id")
    assert [(row["actor"], row["action"], row["object"]) for row in rows] == [
        ("viewer", "user.logged_in", "user:viewer"),
        ("anonymous", "user.login_failed", "user:viewer"),
        ("anonymous", "user.login_failed", "user:unknown"),
        ("viewer", "user.logged_out", "user:viewer"),
    ]
    assert rows[0]["user_id"] == rows[3]["user_id"] is not None
    assert [row["detail"].get("address") for row in rows] == ["127.0.0.1"] * 3 + [None]
    assert "a-password-typed-as-name" not in repr(rows)
    assert "user.login_failed" in (await console.operator.get("/console/audit")).words


# -- people ----------------------------------------------------------------------------------------------------------


async def test_the_first_admin_is_made_once_however_many_processes_start(pool):
    made = await asyncio.gather(*(users.first_admin(pool) for _ in range(5)))
    passwords = [password for password in made if password is not None]
    assert len(passwords) == 1
    assert await users.first_admin(pool) is None
    assert await is_password(pool, "admin", passwords[0])
    kept = await pool.fetchval("SELECT string_agg(u::text || a::text, '') FROM users u, audit_log a")
    assert passwords[0] not in kept
    assert "$argon2id$" in kept


async def test_a_password_under_old_parameters_is_kept_anew_when_its_owner_comes(console, full_password_cost):
    before = await console.pool.fetchval("SELECT password FROM users WHERE name = 'viewer'")
    await console.log_in("viewer")
    after = await console.pool.fetchval("SELECT password FROM users WHERE name = 'viewer'")
    assert before != after
    assert "m=65536" in after
    await console.log_in("viewer")


async def test_what_cannot_be_is_said_and_changes_nothing(pool):
    with pytest.raises(UserError, match="12 to 500"):
        await users.create(pool, "test", "somebody", "viewer", "short")
    with pytest.raises(UserError, match="no user"):
        await users.set_role(pool, "test", "somebody", "viewer")
    await users.create(pool, "test", "somebody", "viewer", "long enough for it")
    with pytest.raises(UserError, match="already"):
        await users.create(pool, "test", "Somebody", "admin", "long enough for it")
    assert await pool.fetchval("SELECT count(*) FROM audit_log") == 1
