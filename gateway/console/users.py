"""Users: who may use the console, and as what. For admins."""

from __future__ import annotations

import asyncio
from typing import cast

from aiohttp import web

from gateway.access import user_rows as store
from gateway.access import users
from gateway.access.passwords import new_password
from gateway.access.user_rows import ROLES, STAFF_ROLES, Role, StaffRole
from gateway.access.users import UserError
from gateway.console.forms import Form, form_data
from gateway.console.pages import SESSION, Csv, Hit, Pages, View, deps_of, invalid, see_other, visitor
from gateway.orders.order_search_rows import storefronts_named

pages = Pages()
_WORDS = {
    "viewer": "viewer: read-only",
    "operator": "operator: settles orders, sets rules, accepts syncs",
    "admin": "admin: an operator who also manages users and keys",
    "storefront": "storefront: sees the orders, eSIMs, keys and webhooks of one storefront",
}
_LIST = "/console/users"


@pages("GET", "/console/users", role="admin", nav="Users")
async def list_users(request: web.Request) -> View:
    """Everybody, with what can be done about each, and the form for a new one."""
    return await _list(request)


@pages("POST", "/console/users", role="admin", nav="Users")
async def create(request: web.Request) -> View | web.Response:
    """A new user, with a password that is shown once."""
    form = await form_data(request)
    name = form.text("name", required=True, most=100)
    role = form.choice("role", ROLES)
    storefront = form.text("storefront", most=100)
    password = new_password()
    if form:
        try:
            made = await users.create(
                deps_of(request).pool,
                visitor(request),
                name,
                cast("Role", role),
                password,
                must_change=True,
                storefront=storefront or None,
            )
        except UserError as error:
            form.wrong(error.field, str(error))
        else:
            return _shown_once(made.name, password)
    return invalid(await _list(request), form)


@pages("POST", "/console/users/{name}/password", role="admin", nav="Users")
async def reset(request: web.Request) -> View | web.Response:
    """A new random password for somebody who lost theirs. It ends their sessions."""
    name, password = request.match_info["name"], new_password()
    try:
        await users.set_password(deps_of(request).pool, visitor(request), name, password, must_change=True)
    except UserError as error:
        return await _refused(request, error)
    return _shown_once(name, password)


@pages("POST", "/console/users/{name}/role", role="admin", nav="Users")
async def set_role(request: web.Request) -> View | web.Response:
    """Another role."""
    form, name = await form_data(request), request.match_info["name"]
    role = form.choice("role", STAFF_ROLES)
    if not form:
        return invalid(await _list(request), form)
    try:
        await users.set_role(deps_of(request).pool, visitor(request), name, cast("StaffRole", role))
    except UserError as error:
        return await _refused(request, error)
    return see_other(request, _LIST, message=f"{name} is {role} now.")


@pages("POST", "/console/users/{name}/disable", role="admin", nav="Users")
async def disable(request: web.Request) -> View | web.Response:
    """Shut somebody out, at once and everywhere."""
    return await _switch(request, disabled=True)


@pages("POST", "/console/users/{name}/enable", role="admin", nav="Users")
async def enable(request: web.Request) -> View | web.Response:
    """Let somebody in again."""
    return await _switch(request, disabled=False)


@pages("POST", "/console/users/{name}/logout", role="admin", nav="Users")
async def log_out(request: web.Request) -> View | web.Response:
    """End every session of somebody, but for this very one."""
    name = request.match_info["name"]
    try:
        count = await users.end_sessions(deps_of(request).pool, visitor(request), name, keep=request[SESSION].digest)
    except UserError as error:
        return await _refused(request, error)
    return see_other(request, _LIST, message=f"{count} session{'' if count == 1 else 's'} of {name} ended.")


@pages.finds("Users")
async def find(request: web.Request, question: str) -> list[Hit]:
    """Users by a part of their name; admins alone find them."""
    if not visitor(request).may("admin"):
        return []
    everybody = await store.all_users(deps_of(request).pool)
    return [Hit(user.name, _LIST, user.role) for user in everybody if question.lower() in user.name][:10]


async def _switch(request: web.Request, *, disabled: bool) -> View | web.Response:
    name = request.match_info["name"]
    try:
        await users.set_disabled(deps_of(request).pool, visitor(request), name, disabled=disabled)
    except UserError as error:
        return await _refused(request, error)
    return see_other(request, _LIST, message=f"{name} is {'disabled' if disabled else 'enabled'}.")


async def _list(request: web.Request) -> View:
    pool = deps_of(request).pool
    everybody, storefronts = await asyncio.gather(store.all_users(pool), storefronts_named(pool))
    rows = [
        (u.name, u.role, u.storefront, u.created_at, u.last_seen_at, u.totp_since, u.disabled_at) for u in everybody
    ]
    columns = ("name", "role", "storefront", "made", "last seen", "second factor", "disabled")
    context = {
        "users": everybody,
        "roles": STAFF_ROLES,
        "role_words": [(role, _WORDS[role]) for role in ROLES],
        "storefronts": storefronts,
    }
    return View("users.html", context, title="Users", csv=Csv("users", columns, rows))


async def _refused(request: web.Request, error: UserError) -> View:
    form = Form({})
    form.wrong("", f"{str(error)[:1].upper()}{str(error)[1:]}.")
    return invalid(await _list(request), form)


def _shown_once(name: str, password: str) -> View:
    return View("user_password.html", {"name": name, "password": password}, title=f"Password of {name}")
