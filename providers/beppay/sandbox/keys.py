"""The sandbox's keys: listed, made and revoked as BepPay's page describes it; and who is logged in to the dashboard."""

from __future__ import annotations

import msgspec
from aiohttp import web

from providers.beppay.sandbox.routes import answer
from providers.simulator.account import SandboxAccount, SandboxKey

PATH = "/api/partner/keys"
DASHBOARD = "/api/auth/me"
SESSION_COOKIE = "access_token"
SESSION = "beppay-sandbox-session"  # the sandbox has no page to log in at: this session is always there
PREFIX = "pk_live_"
SHOWN_PREFIX = 11  # as in the page's example
MOST_NAME = 200


class _NewKey(msgspec.Struct):
    name: str


def routes(account: SandboxAccount) -> list[web.RouteDef]:
    """The three calls, and the dashboard's. A key may revoke itself, as any other."""

    async def listed(_request: web.Request) -> web.Response:
        return answer([_row(key) for key in account.keys])

    async def create(request: web.Request) -> web.Response:
        try:
            body = msgspec.json.decode(await request.read(), type=_NewKey)
        except msgspec.MsgspecError:
            raise web.HTTPBadRequest(text="name is required") from None
        if not body.name.strip() or len(body.name) > MOST_NAME:
            raise web.HTTPBadRequest(text="name is required")
        key = account.create(body.name, PREFIX)
        return answer(
            {"api_key": key.secret, "key_prefix": key.secret[:SHOWN_PREFIX], "created_at": key.created_at.isoformat()}
        )

    async def revoke(request: web.Request) -> web.Response:
        wanted = request.query.get("id", "")
        if not wanted.isdecimal() or not account.revoke(int(wanted)):
            raise web.HTTPNotFound(text="Key not found")
        done = {"success": True, "message": "Key revoked successfully"}
        return web.Response(body=msgspec.json.encode(done), content_type="application/json")

    return [web.get(PATH, listed), web.post(PATH, create), web.delete(PATH, revoke), web.get(DASHBOARD, user)]


async def user(request: web.Request) -> web.Response:
    """GET /api/auth/me: who is logged in to the dashboard, by its session cookie. A key is no session."""
    if request.cookies.get(SESSION_COOKIE) != SESSION:
        raise web.HTTPUnauthorized(text="Not authenticated")
    since = "2026-03-30T12:00:00.000Z"
    return answer({"id": 123, "email": "partner@example.com", "created_at": since, "updated_at": since})


def _row(key: SandboxKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "key_prefix": key.secret[:SHOWN_PREFIX],
        "is_active": key.active,
        "last_used_at": key.last_used_at,
        "created_at": key.created_at,
    }
