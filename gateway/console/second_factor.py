"""One's own second factor: turned on by a code of an authenticator app, turned off by another."""

from __future__ import annotations

from aiohttp import web

from gateway.access import login, user_rows
from gateway.access import second_factor as flow
from gateway.console.entry import too_many
from gateway.console.forms import form_data
from gateway.console.pages import SESSION, Pages, View, deps_of, invalid, own_address, see_other, visitor

pages = Pages()
_WRONG_CODE = "is wrong or already used"


@pages("GET", "/console/second-factor", role="user", steps=("second_factor",))
async def second_factor(request: web.Request) -> View:
    """Whether it is on; else a fresh secret, as text and as a picture."""
    return await _page(request, own_address(request.query.get("next", "")))


@pages("POST", "/console/second-factor", role="user", own=True, steps=("second_factor",))
async def turn_on(request: web.Request) -> View | web.Response:
    """Keep the secret, once password and code are right."""
    form, stage, session = await form_data(request), deps_of(request), request[SESSION]
    target = own_address(form.text("next", most=2000))
    password, code = form.typed.pop("password", ""), form.typed.pop("code", "")
    setup = form.text("setup", most=1000)
    refused = await login.check_own_password(stage, session, password)
    if refused is not None:
        form.wrong("password", too_many(refused.wait) if refused.wait else "is not your password")
    elif session.has_totp:
        form.wrong("code", "A second factor is on already. Turn it off first.")
    elif await flow.turn_on(stage, session, setup, code):
        return see_other(request, target, message="Your second factor is on; you are logged out everywhere else.")
    else:
        form.wrong("code", _WRONG_CODE)
    return invalid(await _page(request, target, setup), form)


@pages("POST", "/console/second-factor/off", role="user", own=True)
async def turn_off(request: web.Request) -> View | web.Response:
    """Forget the secret, once a code of it is right."""
    form = await form_data(request)
    wait = await flow.turn_off(deps_of(request), request[SESSION], form.typed.pop("code", ""))
    if wait is None:
        return see_other(request, "/console/second-factor", message="Your second factor is off.")
    form.wrong("code", too_many(wait) if wait else _WRONG_CODE)
    return invalid(await _page(request, "/console"), form)


async def _page(request: web.Request, target: str, token: str = "") -> View:
    stage, actor = deps_of(request), visitor(request)
    user = await user_rows.by_name(stage.pool, actor.name)
    since = user.totp_since if user is not None else None
    setup = flow.setup_of(stage, actor, token) if since is None and stage.settings.secret_key else None
    context = {"since": since, "setup": setup, "next": target, "name": actor.name}
    return View("second_factor.html", context, title="Second factor")
