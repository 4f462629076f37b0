"""The steps between a password and the console: a password of one's own, and the second factor."""

import asyncio
import io
import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import expect

from gateway.access import users
from tests.gateway.console.conftest import PASSWORD, _chromium
from tests.gateway.console.test_entry import try_in
from tests.gateway.console.test_in_chromium import _AXE, _TOO_WIDE, read_by_axe
from tests.gateway.console.test_login_limits import after_many

NEW = "another horse battery"
HOME = "What needs attention"


class Phone:
    """An authenticator app. Its clock and the gateway's stand still until ``pass_time``."""

    def __init__(self, console):
        self.now = datetime(2026, 11, 21, 12, tzinfo=UTC)
        self.secret = ""
        object.__setattr__(console.deps, "clock", lambda: self.now)

    def code(self):
        return pyotp.TOTP(self.secret).at(self.now)

    def wrong_code(self):
        return f"{(int(self.code()) + 1) % 10**6:06}"

    def pass_time(self):
        self.now += timedelta(seconds=30)
        return self


@pytest.fixture
def phone(console):
    return Phone(console)


def setup_in(answer):
    """Token and secret of a page that sets up a second factor."""
    token = re.search(r'name="setup" value="([^"]+)"', answer.text)[1]
    return token, re.search(r"Secret: <code>([A-Z2-7 ]+)</code>", answer.text)[1].replace(" ", "")


async def turn_on(person, phone):
    """Turn the second factor on, and have the next code be unused."""
    token, phone.secret = setup_in(await person.get("/console/second-factor"))
    form = {"setup": token, "password": PASSWORD, "code": phone.code()}
    answer = await person.post("/console/second-factor", form)
    assert "Your second factor is on" in answer.words
    phone.pass_time()
    return answer


async def password_given(console, name, **headers):
    """A browser in which the password was right."""
    person = await console.stranger(name)
    form = {"name": name, "password": PASSWORD}
    answer = await person.post("/console/login", form, token=False, follow=False, headers=headers)
    assert answer.status == 303, answer.words
    await person.get("/console/login")
    return person


# -- a password of one's own -----------------------------------------------------------------------------------------


async def test_a_made_up_password_opens_nothing_but_the_page_that_changes_it(console):
    made = await console.admin.post("/console/users", {"name": "new.person", "role": "operator"})
    password = re.search(r"<code>([^<]+)</code>", made.text)[1]
    person = await console.stranger()
    form = {"name": "new.person", "password": password, "next": "/console/orders"}
    answer = await person.post("/console/login", form, token=False)
    assert answer.url == "/console/password?next=/console/orders"
    assert "Somebody else has seen the password" in answer.words
    for path in ("/console", "/console/orders", "/console/second-factor", "/console/nowhere"):
        assert (await person.get(path, follow=False)).location.startswith("/console/password")
    answer = await person.post("/console/alerts/rules", {"name": "x"}, follow=False)
    assert (answer.status, answer.location) == (303, "/console/password")
    change = {"old": password, "next": "/console/orders?q=1"}
    answer = await person.post("/console/password", {**change, "new": password, "again": password})
    assert "is your current password; choose another one" in answer.words
    answer = await person.post("/console/password", {**change, "new": NEW, "again": NEW})
    assert (answer.status, answer.url) == (200, "/console/orders?q=1")
    assert (await try_in(console, "new.person", password)).status == 422
    person = await console.log_in("new.person", NEW)
    assert (await person.get("/console", follow=False)).status == 200


async def test_a_password_that_an_admin_reset_must_be_changed(console):
    made = await console.admin.post("/console/users/viewer/password")
    password = re.search(r"<code>([^<]+)</code>", made.text)[1]
    person = await console.log_in("viewer", password)
    assert (await person.get("/console", follow=False)).location == "/console/password"


async def test_who_must_change_a_password_may_log_out_instead(console):
    await users.set_password(console.pool, "test", "viewer", NEW, must_change=True)
    person = await console.log_in("viewer", NEW)
    assert "Log out" in (await person.get("/console")).words
    await person.post("/console/logout")
    assert (await person.get("/console", follow=False)).location == "/console/login"


# -- turning the second factor on and off ----------------------------------------------------------------------------


async def test_a_second_factor_is_turned_on_by_password_and_code_and_its_secret_is_kept_sealed(console, phone):
    elsewhere = await console.log_in("viewer")
    token, phone.secret = setup_in(await console.viewer.get("/console/second-factor"))
    form = {"setup": token, "password": PASSWORD, "code": phone.code()}
    answer = await console.viewer.post("/console/second-factor", form | {"password": "wrong"})
    assert (answer.status, "is not your password" in answer.words) == (422, True)
    answer = await console.viewer.post("/console/second-factor", form | {"code": phone.wrong_code()})
    assert (answer.status, "is wrong" in answer.words) == (422, True)
    assert setup_in(answer)[1] == phone.secret  # what is in the app already stays
    answer = await console.viewer.post("/console/second-factor", form)
    assert "Your second factor is on; you are logged out everywhere else." in answer.words
    assert (await elsewhere.get("/console", follow=False)).location == "/console/login"
    row = await console.pool.fetchrow("SELECT totp_secret, users::text AS all_of_it FROM users WHERE name = 'viewer'")
    assert phone.secret not in row["all_of_it"]
    assert console.deps.seal.open_text(row["totp_secret"]) == phone.secret
    assert phone.secret not in (await console.viewer.get("/console/second-factor")).text
    assert "user.second_factor_on" in (await console.admin.get("/console/audit")).words


async def test_a_setup_of_somebody_else_is_not_taken(console, phone):
    token, phone.secret = setup_in(await console.operator.get("/console/second-factor"))
    form = {"password": PASSWORD, "code": phone.code()}
    for given in (token, "", "x" * 40, "é"):
        answer = await console.viewer.post("/console/second-factor", {"setup": given, **form})
        assert answer.status == 422
        assert setup_in(answer)[1] != phone.secret
    assert await console.pool.fetchval("SELECT count(*) FROM users WHERE totp_secret IS NOT NULL") == 0


async def test_a_second_factor_is_turned_off_by_a_code_and_guesses_are_limited(console, phone):
    await turn_on(console.viewer, phone)
    for _ in range(2):
        answer = await console.viewer.post("/console/second-factor/off", {"code": phone.wrong_code()})
        assert "is wrong" in answer.words
        await after_many(console, "session")
    answer = await console.viewer.post("/console/second-factor/off", {"code": phone.code()})
    assert "Too many attempts" in answer.words
    await users.unlock(console.pool, "test", "viewer")
    answer = await console.viewer.post("/console/second-factor/off", {"code": phone.code()})
    assert "Your second factor is off." in answer.words
    person = await console.log_in("viewer")
    assert (await person.get("/console", follow=False)).status == 200


async def test_without_a_secret_key_the_page_says_what_is_missing(make_console):
    console = await make_console(secret_key=[])
    answer = await console.viewer.get("/console/second-factor")
    assert answer.status == 200
    assert "esim-gateway secrets new" in answer.words


# -- logging in with it ----------------------------------------------------------------------------------------------


async def test_a_log_in_asks_for_a_code_and_opens_nothing_before(console, phone):
    await turn_on(console.operator, phone)
    person = await console.stranger()
    form = {"name": "operator@example.com", "password": PASSWORD, "next": "/console/audit"}
    answer = await person.post("/console/login", form, token=False)
    assert answer.url == "/console/login?next=/console/audit"
    assert "gw_device" not in {morsel.key for morsel in person.http.cookie_jar}
    for path in ("/console", "/console/audit", "/console/password", "/console/second-factor"):
        assert (await person.get(path, follow=False)).location.startswith(
            "/console/login?next=" if path != "/console" else "/console/login"
        )
    answer = await person.post("/console/password", {"old": PASSWORD, "new": NEW, "again": NEW}, follow=False)
    assert answer.location == "/console/login"
    answer = await person.post("/console/login/code", {"code": phone.wrong_code(), "next": "/console/audit"})
    assert (answer.status, "is wrong" in answer.words) == (422, True)
    answer = await person.post("/console/login/code", {"code": phone.code(), "next": "/console/audit"})
    assert (answer.status, answer.url) == (200, "/console/audit")
    assert "gw_device" in {morsel.key for morsel in person.http.cookie_jar}
    rows = await console.pool.fetch("SELECT action FROM audit_log WHERE action LIKE 'user.log%' ORDER BY id")
    assert [row["action"] for row in rows] == ["user.login_failed", "user.logged_in"]


async def test_a_code_works_once_even_when_two_send_it_at_once(console, phone):
    await turn_on(console.viewer, phone)
    first, second = [await password_given(console, "viewer") for _ in range(2)]
    form = {"code": phone.code()}
    answers = await asyncio.gather(*(who.post("/console/login/code", form, follow=False) for who in (first, second)))
    assert sorted(answer.status for answer in answers) == [303, 422]
    left = first if answers[0].status == 422 else second
    assert "already used" in (await left.post("/console/login/code", form)).words
    answer = await left.post("/console/login/code", {"code": phone.pass_time().code()}, follow=False)
    assert answer.status == 303


async def test_codes_are_limited_as_passwords_are_and_a_right_password_forgets_none(make_console):
    console = await make_console(trusted_proxies=["127.0.0.1/32"])
    phone = Phone(console)
    await turn_on(console.viewer, phone)
    for number in range(10):
        headers = {"X-Forwarded-For": f"198.51.100.{number // 3}"}
        person = await password_given(console, "viewer", **headers)
        answer = await person.post("/console/login/code", {"code": phone.wrong_code()}, headers=headers)
        assert "is wrong" in answer.words
    answer = await person.post("/console/login/code", {"code": phone.code()}, headers=headers)
    assert "Too many attempts" in answer.words
    answer = await try_in(console, "viewer", PASSWORD, headers={"X-Forwarded-For": "203.0.113.5"})
    assert "Too many attempts" in answer.words


async def test_a_right_password_does_not_stay_good_for_long_without_a_code(console, phone):
    await turn_on(console.viewer, phone)
    person = await password_given(console, "viewer")
    await console.pool.execute("UPDATE sessions SET created_at = created_at - interval '10 min' WHERE awaits_code")
    answer = await person.post("/console/login/code", {"code": phone.code()}, follow=False)
    assert answer.location == "/console/login"


async def test_a_secret_that_no_key_opens_lets_nobody_in(console, phone):
    await turn_on(console.viewer, phone)
    await console.pool.execute("UPDATE users SET totp_secret = '\\x00' WHERE name = 'viewer'")
    person = await password_given(console, "viewer")
    answer = await person.post("/console/login/code", {"code": phone.code()})
    assert (answer.status, "is wrong" in answer.words) == (422, True)


async def test_who_lost_the_app_gets_in_after_a_reset(console, phone):
    await turn_on(console.viewer, phone)
    await users.reset_totp(console.pool, "test", "viewer")
    assert (await console.viewer.get("/console", follow=False)).location == "/console/login"
    person = await console.log_in("viewer")
    assert (await person.get("/console", follow=False)).status == 200
    with pytest.raises(users.UserError, match="no second factor"):
        await users.reset_totp(console.pool, "test", "viewer")


async def test_admins_alone_must_have_one_where_the_setting_says_so(make_console):
    console = await make_console(console={"totp_for_admins": True})
    phone = Phone(console)
    assert (await console.viewer.get("/console", follow=False)).status == 200
    assert (await console.operator.get("/console", follow=False)).status == 200
    answer = await console.admin.get("/console/users")
    assert answer.url == "/console/second-factor?next=/console/users"
    assert "Admins need a second factor here." in answer.words
    assert (await console.admin.post("/console/users/viewer/disable", follow=False)).status == 303
    assert (await console.viewer.get("/console", follow=False)).status == 200
    await turn_on(console.admin, phone)
    assert (await console.admin.get("/console/users", follow=False)).status == 200
    await console.admin.post("/console/second-factor/off", {"code": phone.code()})
    assert (await console.admin.get("/console/users", follow=False)).location.startswith("/console/second-factor")


# -- in a browser ----------------------------------------------------------------------------------------------------


async def reads_well(page):
    """Whether a page fits and axe finds nothing serious in it, light and dark."""
    assert await page.evaluate(_TOO_WIDE) <= 0
    await page.evaluate(_AXE)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        assert not await read_by_axe(page), (page.url, scheme)


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
async def test_from_a_made_password_to_the_console_on_a_phone_in_the_dark(make_console, scripts):
    console = await make_console(console={"totp_for_admins": True})
    phone = Phone(console)
    await users.set_password(console.pool, "test", "admin", PASSWORD, must_change=True)
    async with _chromium(console) as open_:
        page = await open_(None, "/console/users", scripts=scripts, phone=True, scheme="dark")

        async def check():
            if scripts:
                await reads_well(page)

        await check()
        await page.get_by_label("Name").fill("admin")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await page.wait_for_url("**/console/password?**")
        await check()
        await page.get_by_label("Current password").fill(PASSWORD)
        await page.get_by_label("New password", exact=True).fill(NEW)
        await page.get_by_label("Repeat the new password").fill(NEW)
        await page.get_by_role("button", name="Change password").click()
        await page.wait_for_url("**/console/second-factor?**")
        await check()
        # A phone's camera reads the secret from the picture, in the dark too.
        await page.emulate_media(color_scheme="dark")
        picture = Image.open(io.BytesIO(await page.locator("img.qr").screenshot()))
        uri = pyotp.parse_uri(zxingcpp.read_barcode(picture).text)
        assert (uri.name, uri.issuer) == ("admin", "eSIM gateway")
        phone.secret = uri.secret
        assert (await page.locator(".card code").inner_text()).replace(" ", "") == uri.secret
        await page.get_by_label("Your password").fill(NEW)
        await page.get_by_label("Code").fill(phone.code())
        await page.get_by_role("button", name="Turn it on").click()
        await expect(page.locator("h1")).to_have_text("Users")
        await page.locator("details.person summary").click()
        await page.get_by_role("button", name="Log out").click()
        await page.wait_for_url("**/console/login")
        await page.get_by_label("Name").fill("admin")
        await page.get_by_label("Password").fill(NEW)
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_label("Code")).to_be_visible()
        await check()
        await page.get_by_label("Code").fill(phone.pass_time().code())
        await page.get_by_role("button", name="Log in").click()
        await expect(page.locator("h1")).to_have_text("Home")
        await page.goto("/console/second-factor")
        await check()
