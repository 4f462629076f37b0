"""What stands before every page: who may, where a form comes from, and what goes out with each answer."""

import re

import asyncpg
import orjson
import pytest

from gateway.console import all_pages
from gateway.console.pages import Pages

pytestmark = pytest.mark.usefixtures("nothing_judged")

_TOUCHED_BY_USE = {"sessions", "login_failures"}
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"


async def fingerprint(console):
    """What stands in the database, but for what using the console touches by itself."""
    await console.pool.execute("UPDATE users SET last_seen_at = NULL, last_visit_at = NULL")
    tables = [row[0] for row in await console.pool.fetch(_TABLES) if row[0] not in _TOUCHED_BY_USE]
    each = (f"SELECT '{t}:' || coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') FROM {t} t" for t in tables)
    return sorted(row[0] for row in await console.pool.fetch(" UNION ALL ".join(each)))


def filled(path):
    return re.sub(r"\{[^}]+\}", "1", path)


CHANGES = [page for page in all_pages() if page.method != "GET" and page.role is not None]
OF_OTHERS = [page for page in CHANGES if not page.own]


async def test_a_viewer_can_change_nothing_by_any_route(console):
    before = await fingerprint(console)
    for page in OF_OTHERS:
        for headers in ({}, {"HX-Request": "true"}):
            answer = await console.viewer.post(filled(page.path), {"role": "admin"}, headers=headers, follow=False)
            assert answer.status == 403, page.path
            assert "yours is viewer" in answer.words
    assert await fingerprint(console) == before


async def test_an_operator_cannot_do_what_is_for_admins(console):
    before = await fingerprint(console)
    for page in OF_OTHERS:
        if page.role == "admin":
            answer = await console.operator.post(filled(page.path), {"role": "admin"}, follow=False)
            assert answer.status == 403, page.path
    assert await fingerprint(console) == before


async def test_without_a_session_every_page_leads_to_the_log_in(console):
    before = await fingerprint(console)
    for page in all_pages():
        if page.role is None:
            continue
        ask = console.nobody.get if page.method == "GET" else console.nobody.post
        more = {} if page.method == "GET" else {"token": False}
        answer = await ask(filled(page.path), follow=False, **more)
        assert (answer.status, answer.location.partition("?")[0]) == (303, "/console/login"), page.path
        assert "Set-Cookie" not in answer.headers
    assert await fingerprint(console) == before


async def test_a_form_from_another_origin_is_refused_whatever_it_carries(console):
    before = await fingerprint(console)
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ):
        for page in [page for page in all_pages() if page.method != "GET"]:
            answer = await console.admin.post(filled(page.path), {"role": "admin"}, headers=headers, follow=False)
            assert answer.status == 403, page.path
            assert "another site" in answer.words
    assert await fingerprint(console) == before
    assert (await console.admin.get("/console", follow=False)).status == 200


async def test_a_form_without_the_token_of_its_session_is_refused(console):
    of_another = await console.log_in("admin")
    await of_another.get("/console/password")
    before = await fingerprint(console)
    for page in CHANGES:
        for given in ({}, {"csrf": ""}, {"csrf": "x" * 88}, {"csrf": "ä"}, {"csrf": of_another._token}):
            answer = await console.admin.post(filled(page.path), given, token=False, follow=False)
            assert answer.status == 403, page.path
            assert "has expired" in answer.words
    assert await fingerprint(console) == before


async def test_htmx_sends_the_token_in_a_header(console):
    await console.admin.get("/console/password")
    headers = {"X-CSRF-Token": console.admin._token, "HX-Request": "true"}
    answer = await console.admin.post(
        "/console/users/viewer/role", {"role": "operator"}, token=False, headers=headers, follow=False
    )
    assert (answer.status, answer.headers["HX-Redirect"]) == (204, "/console/users")


async def test_the_token_looks_different_on_each_page_and_holds_on_all(console):
    seen = set()
    for _ in range(3):
        await console.viewer.get("/console/password")
        seen.add(console.viewer._token)
        assert (await console.viewer.post("/console/mode", {"mode": "live"}, follow=False)).status == 303
    assert len(seen) == 3


async def test_whoever_logs_in_cannot_be_made_to_by_another_site(console):
    stranger = await console.stranger()
    answer = await stranger.post(
        "/console/login", {"name": "viewer", "password": "x"}, token=False, headers={"Origin": "https://evil.example"}
    )
    assert answer.status == 403


async def test_every_answer_is_bound_to_this_gateway(console):
    nonces = set()
    for person, path in (
        (console.viewer, "/console"),
        (console.viewer, "/console/users"),
        (console.viewer, "/console/nowhere/at/all"),
        (console.nobody, "/console/login"),
        (console.nobody, "/console"),
    ):
        answer = await person.get(path, follow=False)
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
        assert policy["img-src"] == "'self' data:"
        own, nonce = policy["script-src"].split(" ")
        assert own == "'self'"
        nonces.add(nonce)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server-Timing"].startswith("app;dur=")
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)\s*=", answer.text)
    assert len(nonces) == 5


async def test_what_is_not_there_is_a_page_and_the_api_stays_what_it_was(console):
    answer = await console.viewer.get("/console/nowhere")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "Page not found" in answer.words
    assert (await console.nobody.get("/console/nowhere", follow=False)).status == 303
    assert (await console.nobody.get("/v1/nowhere")).headers["Content-Type"] == "application/problem+json"
    assert (await console.viewer.get("/console/static/nothing.js")).status == 404
    assert (await console.viewer.get("/console/static/..%2fpages.py")).status == 404


async def test_lines_of_requests_name_pages_by_template_and_never_what_was_asked(console):
    await console.viewer.get("/console/search?q=8901000000000000001")
    await console.viewer.get("/console/secret-path/x@example.com")
    await console.admin.post("/console/users/viewer/logout")
    console.flush()
    lines = [orjson.loads(line) for block in console.lines for line in block.splitlines()]
    routes = {line["route"] for line in lines}
    assert {"/console/search", "/console/users/{name}/logout"} <= routes
    text = b"".join(console.lines)
    assert b"89010000" not in text
    assert b"secret-path" not in text
    assert b"x@example" not in text


async def test_without_the_database_there_is_a_page_that_says_so_and_nothing_half_done(console, servers):
    before, name = await fingerprint(console), await console.pool.fetchval("SELECT current_database()")
    await console.viewer.get("/console/password")
    # What has no address any more and no connection left is down for whoever asks.
    socket = servers.postgres.sockets / f".s.PGSQL.{servers.postgres.url().rpartition('=')[2]}"
    admin = await asyncpg.connect(servers.postgres.url("postgres"))
    socket.rename(socket.with_name("away"))
    try:
        await admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", name)
        for answer in (
            await console.viewer.get("/console"),
            await console.viewer.post("/console/mode", {"mode": "live"}),
            await console.nobody.post("/console/login", {"name": "viewer", "password": "x"}, token=False),
        ):
            assert answer.status == 503
            assert "Database unavailable" in answer.words
            assert answer.headers["Retry-After"] == "5"
        assert (await console.nobody.get("/console/login")).status == 200
    finally:
        socket.with_name("away").rename(socket)
        await admin.close()
    assert (await console.viewer.get("/console", follow=False)).status == 200
    assert await fingerprint(console) == before


async def test_a_fault_is_a_page_with_the_words_to_find_it_in_the_log(console, monkeypatch):
    async def broken(*_args, **_more):
        raise ValueError("secret detail")

    monkeypatch.setattr("gateway.access.user_rows.all_users", broken)
    answer = await console.admin.get("/console/users")
    assert answer.status == 500
    assert answer.headers["X-Request-Id"] in answer.words
    assert "secret detail" not in answer.text


async def test_htmx_gets_the_content_alone_and_a_person_the_page(console):
    part = await console.viewer.get("/console/password", headers={"HX-Request": "true"})
    whole = await console.viewer.get("/console/password")
    assert "<html" not in part.text
    assert "<h1>Your password</h1>" in part.text
    assert "<html" in whole.text
    assert "HX-Request" in whole.headers["Vary"]


async def test_who_was_logged_out_comes_back_to_the_page_that_htmx_was_on(console):
    headers = {"HX-Request": "true", "HX-Current-URL": f"{console.url}/console/changes?kind=up"}
    answer = await console.nobody.get("/console/changes?cursor=x", headers=headers, follow=False)
    assert answer.status == 204
    assert answer.headers["HX-Redirect"] == "/console/login?next=/console/changes%3Fkind%3Dup"


async def test_live_and_test_light_and_dark_are_kept(console):
    answer = await console.viewer.post("/console/mode", {"mode": "live", "next": "/console/password?x=1"})
    assert answer.url == "/console/password?x=1"
    assert re.search(r'value="live"[^>]*aria-pressed="true"', answer.text)
    answer = await console.viewer.post("/console/theme", {"theme": "dark", "next": "https://evil.example"})
    assert answer.url == "/console"
    assert '<html lang="en" data-theme="dark">' in answer.text
    assert "data-theme" not in (await console.operator.get("/console")).text


async def test_static_files_are_kept_for_good_under_an_address_that_names_their_contents(console):
    page = await console.nobody.get("/console/login")
    addresses = re.findall(r'"(/console/static/[^"]+)"', page.text)
    assert len(addresses) >= 5
    for address in addresses:
        answer = await console.nobody.get(address)
        assert "immutable" in answer.headers["Cache-Control"]
    assert "no-cache" in (await console.nobody.get("/console/static/console.css?v=old")).headers["Cache-Control"]


async def test_a_table_is_a_file_that_a_spreadsheet_runs_nothing_of(console):
    await console.pool.execute(
        "INSERT INTO audit_log (actor, action, object, detail) VALUES ('=cmd()', '@x', '+1', '{\"a\": \"b\\nc\"}')"
    )
    answer = await console.operator.get("/console/audit?format=csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert re.match(r'attachment; filename="audit-\d{8}-\d{4}\.csv"', answer.headers["Content-Disposition"])
    lines = answer.text.splitlines()
    assert lines[0] == "at,who,what,of,detail"
    assert "'=cmd(),'@x,'+1," in lines[1]


def test_a_route_that_changes_something_cannot_be_declared_for_viewers():
    with pytest.raises(ValueError, match="operator or admin"):
        Pages()("POST", "/console/x", role="viewer")


async def test_a_nul_in_a_search_or_an_address_is_no_fault_on_any_page(console):
    for page in all_pages():
        if page.method != "GET":
            continue
        plain, parts = re.sub(r"\{[^}]*\}", "x", page.path), re.sub(r"\{[^}]*\}", "a%00b", page.path)
        for name in ("q", "cursor", "after", "at", "offer", "a%00b"):
            answer = await console.admin.get(f"{plain}?{name}=a%00b")
            assert (page.path, name, answer.status) == (page.path, name, 422)
        if parts != plain:
            answer = await console.admin.get(parts)
            assert (page.path, answer.status) == (page.path, 404)
