"""Getting in, step by step, and out; what each visitor has of their own: live or test, light or dark, the password."""

from __future__ import annotations

from typing import cast, get_args

from aiohttp import web

from gateway.access import login, user_rows, users
from gateway.access.key_rows import Mode
from gateway.access.login import LoggedIn, Step
from gateway.access.users import UserError
from gateway.console import guard
from gateway.console.forms import form_data
from gateway.console.pages import (
    CONTEXT,
    SESSION,
    STEP,
    Pages,
    View,
    deps_of,
    invalid,
    own_address,
    see_other,
    visitor,
)

pages = Pages()
EVERY_STEP: tuple[Step, ...] = get_args(Step)


@pages("GET", "/console/login", role=None)
async def login_page(request: web.Request) -> View | web.Response:
    """The log-in: name and password, then the code of a second factor. Who is in already goes on."""
    target = own_address(request.query.get("next", ""))
    if request.get(STEP) == "code":
        return _code_page(target)
    if SESSION in request:
        return see_other(request, target)
    return View("login.html", {"next": target}, title="Log in")


@pages("POST", "/console/login", role=None, own=True)
async def log_in(request: web.Request) -> View | web.Response:
    """Begin a session. Name and password are kept apart from what is said about a failure."""
    form = await form_data(request)
    target = own_address(form.text("next", most=2000))
    stage = deps_of(request)
    name, password = form.typed.get("name", ""), form.typed.pop("password", "")
    done = await login.log_in(
        stage,
        name,
        password,
        _first_mode(request),
        address=request.app[CONTEXT].address(request),
        device_cookie=guard.device_cookie(request),
    )
    if isinstance(done, LoggedIn):
        answer = see_other(request, target)
        guard.set_session(request, answer, done.token)
        guard.set_device(request, answer, done.device_cookie)
        return answer
    form.wrong("", too_many(done.wait) if done.wait else "Wrong name or password.")
    return invalid(View("login.html", {"next": target}, title="Log in"), form)


@pages("POST", "/console/login/code", role="user", own=True, steps=("code",))
async def enter_code(request: web.Request) -> View | web.Response:
    """Open the session if the code is right."""
    form = await form_data(request)
    target = own_address(form.text("next", most=2000))
    if STEP not in request:
        return see_other(request, target)
    done = await login.enter_code(
        deps_of(request),
        request[SESSION],
        form.typed.pop("code", ""),
        address=request.app[CONTEXT].address(request),
        device_cookie=guard.device_cookie(request),
    )
    if isinstance(done, str):
        answer = see_other(request, target)
        guard.set_device(request, answer, done)
        return answer
    form.wrong("code", too_many(done.wait) if done.wait else "is wrong or already used")
    return invalid(_code_page(target), form)


def _code_page(target: str) -> View:
    return View("login_code.html", {"next": target}, title="Second factor")


@pages("POST", "/console/logout", role="user", own=True, steps=EVERY_STEP)
async def log_out(request: web.Request) -> web.Response:
    """End this session."""
    await login.log_out(deps_of(request), request[SESSION])
    answer = see_other(request, "/console/login")
    guard.drop_session(request, answer)
    return answer


@pages("POST", "/console/mode", role="user", own=True)
async def set_mode(request: web.Request) -> web.Response:
    """Look at the other side: live or test."""
    form = await form_data(request)
    chosen = form.choice("mode", ("live", "test"))
    if chosen:
        await user_rows.set_mode(deps_of(request).pool, request[SESSION].digest, cast("Mode", chosen))
    return see_other(request, form.text("next", most=2000))


@pages("POST", "/console/theme", role="user", own=True)
async def set_theme(request: web.Request) -> web.Response:
    """Light, dark, or as the system has it."""
    form = await form_data(request)
    answer = see_other(request, form.text("next", most=2000))
    if chosen := form.choice("theme", guard.THEMES):
        guard.set_theme(request, answer, chosen)
    return answer


@pages("GET", "/console/password", role="user", steps=("password",))
async def password(request: web.Request) -> View:
    """One's own password."""
    return _password_page(own_address(request.query.get("next", "")))


@pages("POST", "/console/password", role="user", own=True, steps=("password",))
async def change_password(request: web.Request) -> View | web.Response:
    """Another password for oneself, which ends all other sessions."""
    form = await form_data(request)
    target = own_address(form.text("next", most=2000))
    old, new, again = (form.typed.pop(name, "") for name in ("old", "new", "again"))
    stage, user = deps_of(request), visitor(request)
    refused = await login.check_own_password(stage, request[SESSION], old)
    if refused is not None:
        form.wrong("old", too_many(refused.wait) if refused.wait else "is not your current password")
    if new == old:
        form.wrong("new", "is your current password; choose another one")
    if new != again:
        form.wrong("again", "does not match")
    if form:
        try:
            await users.set_password(stage.pool, user, user.name, new, keep=request[SESSION].digest)
        except UserError as error:
            form.wrong("new", str(error))
        else:
            return see_other(request, target, message="Password changed. All other sessions are ended.")
    return invalid(_password_page(target), form)


def _password_page(target: str) -> View:
    return View("password.html", {"next": target}, title="Your password")


def _first_mode(request: web.Request) -> Mode:
    accounts = deps_of(request).settings.suppliers.values()
    return "live" if any(account.get("mode") == "live" for account in accounts) else "test"


def too_many(seconds: int) -> str:
    """What is said to somebody who has to wait before the next password or code."""
    minute = 60
    if seconds < 2 * minute:
        wait = "1 second" if seconds == 1 else f"{seconds} seconds"
    else:
        wait = f"{-(-seconds // minute)} minutes"
    return f"Too many attempts. Try again in {wait}."
