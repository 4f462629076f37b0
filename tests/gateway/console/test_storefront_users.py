"""A storefront's own users: every route of the console but theirs refuses them, and theirs show what is its own.

A route that is neither in the table below nor answers 404 to them fails the walk, so a new page says first who sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import asyncpg
import pytest

from gateway.access import audit_rows
from gateway.access.key_rows import create_key
from gateway.inventory import esim_rows
from gateway.orders.admit import Admitted, admit
from gateway.webhooks import endpoints as making
from gateway.webhooks.endpoint_rows import Owner
from schemas.order_requests import NumberChoice, OrderForGood, OrderForNumber
from tests.gateway.api.test_suppliers_unnamed import naming
from tests.gateway.console.conftest import PASSWORD
from tests.gateway.console.test_guard import fingerprint
from tests.kit.working import answered

pytestmark = pytest.mark.usefixtures("nothing_judged")

MY = "/console/my"
# What is for anybody who is logged in, or for nobody yet.
ACCOUNT = {
    ("GET", "/console/login"),
    ("POST", "/console/login"),
    ("POST", "/console/login/code"),
    ("POST", "/console/logout"),
    ("POST", "/console/mode"),
    ("POST", "/console/theme"),
    ("GET", "/console/password"),
    ("POST", "/console/password"),
    ("GET", "/console/second-factor"),
    ("POST", "/console/second-factor"),
    ("POST", "/console/second-factor/off"),
    ("POST", "/console/saved-filters"),
    ("POST", "/console/saved-filters/delete"),
    ("GET", "/console/static/{name}"),
}
OWN = {
    ("GET", f"{MY}/orders"),
    ("GET", f"{MY}/orders/{{id}}"),
    ("POST", f"{MY}/orders/{{id}}/reveal"),
    ("GET", f"{MY}/esims"),
    ("GET", f"{MY}/esims/{{id}}"),
    ("POST", f"{MY}/esims/{{id}}/reveal"),
    ("GET", f"{MY}/keys"),
    ("POST", f"{MY}/keys"),
    ("POST", f"{MY}/keys/{{key}}/revoke"),
    ("GET", f"{MY}/webhooks"),
    ("GET", f"{MY}/webhooks/{{endpoint}}"),
    ("POST", f"{MY}/webhooks/{{endpoint}}/deliveries/{{delivery}}/replay"),
}
NAMED = {(method, path) for method, path in OWN if "{" in path}
COST = Decimal("987654.32")


@dataclass
class Things:
    """What a storefront has: ids by which an address names them, and texts that only its own pages may show."""

    ids: dict[str, str]
    marks: list[str]

    def path(self, template: str) -> str:
        ids = self.ids | {"id": self.ids["esim" if "/esims/" in template else "order"]}
        return template.format(**ids)


async def things_of(console, storefront_id, order_id):
    """One of everything, around an order that was delivered."""
    esim = (await esim_rows.of_orders(console.pool, console.deps.seal, [order_id]))[order_id]
    owner = Owner(storefront_id, "test")
    endpoint = await making.create(
        console.pool, console.deps.seal, owner, url=f"http://127.0.0.1:9/{storefront_id}", events=[], description=""
    )
    assert endpoint is not None
    delivery = await making.test(console.pool, console.deps.seal, owner, endpoint)
    key_id = await console.pool.fetchval(
        "SELECT id FROM api_keys WHERE storefront_id = $1 AND scopes = '{storefront}'", storefront_id
    )
    reference = f"ref-{storefront_id}"
    await console.pool.execute("UPDATE orders SET reference = $2 WHERE id = $1", order_id, reference)
    ids = {
        "order": order_id,
        "esim": esim.id,
        "endpoint": endpoint.id,
        "delivery": delivery.id,
        "key": key_id,
    }
    marks = [
        order_id,
        esim.id,
        esim.iccid,
        endpoint.id,
        endpoint.url,
        delivery.id,
        delivery.event_id,
        key_id,
        reference,
    ]
    return Things(ids, marks)


@pytest.fixture
async def both(console):
    """What the user's storefront has, and what another one has in the same mode."""
    named = {row["name"]: row["id"] for row in await console.pool.fetch("SELECT id, name FROM storefronts")}
    mine, other = named["shop"], named["other shop"]
    rows = await console.pool.fetch(
        """SELECT o.id FROM orders o JOIN esims e ON e.order_id = o.id
           WHERE o.status = 'fulfilled' AND e.activation_code IS NOT NULL ORDER BY o.id LIMIT 2"""
    )
    own_order, other_order = (row["id"] for row in rows)
    await console.pool.execute("UPDATE orders SET storefront_id = $2 WHERE id = $1", other_order, other)
    await console.pool.execute("UPDATE esims SET storefront_id = $2 WHERE order_id = $1", other_order, other)
    return await things_of(console, mine, own_order), await things_of(console, other, other_order)


async def ask(console, method, path, **more):
    person = console.storefront
    return await (person.get(path, **more) if method == "GET" else person.post(path, follow=False, **more))


async def newest(console, action):
    return (await audit_rows.newest(console.pool, action=action)).data[0]


async def test_every_route_of_the_console_but_its_own_refuses_a_storefronts_user(console, both):
    mine, _ = both
    routes = {route for route in console.routes if route[1].startswith("/console") and route[0] != "HEAD"}
    assert routes >= OWN | ACCOUNT
    await console.storefront.get("/console/password")
    before = await fingerprint(console)
    for method, template in sorted(routes - OWN - ACCOUNT):
        path = re.sub(r"\{[^}]*\}", mine.ids["order"], template)
        answer = await ask(console, method.replace("*", "GET"), path, **({"follow": False} if method != "POST" else {}))
        if template == "/console":
            assert (answer.status, answer.location) == (303, f"{MY}/orders")
        else:
            assert (method, template, answer.status) == (method, template, 404)
        assert not [mark for mark in mine.marks if mark in answer.text.replace(path, "")], template
    assert await fingerprint(console) == before
    for method, template in ACCOUNT:
        if method == "GET" and "{" not in template:
            assert (await ask(console, method, template)).status == 200, template


async def test_its_own_pages_name_no_supplier_no_cost_and_nothing_of_another_storefront(console, both):
    mine, others = both
    await console.pool.execute(
        "UPDATE attempts SET listed = $1, charged = $1, cost_base = $1, supplier_order_id = 'their-order-' || id", COST
    )
    await console.pool.execute("UPDATE ledger SET amount = $1", COST)
    await console.pool.execute("UPDATE orders SET max_cost = $1", COST)
    attempts = [row["id"] for row in await console.pool.fetch("SELECT id FROM attempts")]
    own = "SELECT id FROM orders WHERE storefront_id = (SELECT id FROM storefronts WHERE name = 'shop')"
    orders = [row["id"] for row in await console.pool.fetch(own)]
    esims = [row["id"] for row in await console.pool.fetch("SELECT id FROM esims WHERE order_id = ANY($1)", orders)]
    read = {}

    async def keep(method, path):
        answer = await ask(console, method, path)
        assert answer.status == 200, (method, path, answer.words[:200])
        read[f"{method} {path}"] = f"{dict(answer.headers)}\n{answer.text}"
        return answer

    pages = ["/orders", "/esims", "/keys", "/webhooks", f"/webhooks/{mine.ids['endpoint']}"]
    pages += [f"/orders/{order}" for order in orders] + [f"/esims/{esim}" for esim in esims]
    for page in pages:
        await keep("GET", MY + page)
        await keep("GET", f"{MY}{page}?format=csv")
    for esim in esims:
        await keep("POST", f"{MY}/esims/{esim}/reveal")
    await keep("POST", mine.path(f"{MY}/orders/{{id}}/reveal"))
    for mark in mine.marks[:3]:
        found = await keep("GET", f"{MY}/orders?q={mark}")
        assert f"{MY}/orders/{mine.ids['order']}" in found.text
        assert f"{MY}/esims/{mine.ids['esim']}" in (await keep("GET", f"{MY}/esims?q={mark}")).text
    for mark in (*others.marks, attempts[0], f"their-order-{attempts[0]}"):
        for page in ("orders", "esims"):
            answer = await ask(console, "GET", f"{MY}/{page}?q={mark}")
            assert f'<a href="{MY}/{page}/' not in answer.text, mark
    assert naming(read) == {}
    forbidden = ["987654", "987,654", "their-order", "argin", "Cost", *attempts, *others.marks]
    assert not [(path, word) for path, text in read.items() for word in forbidden if word in text]
    assert len(read) > 20


async def test_another_storefronts_things_and_those_of_the_other_mode_are_not_there(console, both):
    mine, others = both
    await console.storefront.get("/console/password")
    before = await fingerprint(console)
    for method, template in sorted(NAMED):
        assert (await ask(console, method, others.path(template))).status == 404, template
    assert await fingerprint(console) == before
    await console.storefront.post("/console/mode", {"mode": "live"})
    for page in ("orders", "esims", "webhooks"):
        listed = await console.storefront.get(f"{MY}/{page}")
        assert (listed.status, [mark for mark in mine.marks if mark in listed.text]) == (200, []), page
    for method, template in sorted(NAMED):
        if "/keys/" not in template:
            assert (await ask(console, method, mine.path(template))).status == 404, template


async def test_an_admin_makes_the_user_who_gets_in_by_the_same_door(console):
    shop = await console.pool.fetchval("SELECT id FROM storefronts WHERE name = 'shop'")
    form = {"name": "ben", "role": "storefront"}
    without = await console.admin.post("/console/users", form)
    assert (without.status, "needs the storefront they belong to" in without.words) == (422, True)
    wrong = await console.admin.post("/console/users", {"name": "ben", "role": "viewer", "storefront": shop})
    assert (wrong.status, "only a user with the role storefront" in wrong.words) == (422, True)
    made = await console.admin.post("/console/users", form | {"storefront": shop})
    password = re.search(r'class="once"><code>([^<]+)<', made.text)[1]
    assert (await newest(console, "user.created")).detail == {"role": "storefront", "storefront": shop}
    ben = await console.log_in("ben", password)
    due = await ben.get("/console")
    assert due.url == "/console/password"
    changed = await ben.post(
        "/console/password", {"old": password, "new": PASSWORD + "x", "again": PASSWORD + "x"}, follow=False
    )
    assert changed.status == 303
    home = await ben.get("/console")
    assert (home.status, home.url) == (200, f"{MY}/orders")
    assert "shop" in home.words
    moved = await console.admin.post("/console/users/ben/role", {"role": "admin"})
    assert "create another user" in moved.words
    await console.admin.post("/console/users/ben/disable")
    assert (await ben.get("/console", follow=False)).location.startswith("/console/login")


@pytest.mark.parametrize(("role", "storefront"), [("storefront", None), ("admin", "shop")])
async def test_the_database_holds_that_a_storefronts_user_and_nobody_else_has_a_storefront(console, role, storefront):
    with pytest.raises(asyncpg.CheckViolationError, match="users_storefront_check"):
        await console.pool.execute(
            """INSERT INTO users (id, name, password, role, storefront_id)
               VALUES ('usr_x', 'x', 'x', $1, (SELECT id FROM storefronts WHERE name = $2))""",
            role,
            storefront,
        )


async def test_it_makes_keys_of_its_own_scopes_only_and_revokes_none_of_operators(console):
    shop = await console.pool.fetchval("SELECT id FROM storefronts WHERE name = 'shop'")
    form = {"key_name": "Blue", "mode": "live"}
    for scopes in ([], ["ops"], ["storefront", "ops:read"], ["storefront", "routing"], ["storefront", "goods"]):
        answer = await console.storefront.post(f"{MY}/keys", form | {"scope": scopes})
        assert (answer.status, "choose one or more of" in answer.words) == (422, True), scopes
    made = await console.storefront.post(f"{MY}/keys", form | {"scope": "storefront", "per_minute": "100000"})
    key = re.search(r"gw_live_[0-9A-Za-z]{38}", made.text)[0]
    assert (await console.api("/v1/orders", key=key))[0] == 200
    row = await console.pool.fetchrow("SELECT * FROM api_keys WHERE name = 'Blue'")
    assert (row["storefront_id"], row["scopes"], row["per_minute"]) == (shop, ["storefront"], None)
    noted = await newest(console, "key.created")
    assert (noted.actor, noted.object) == ("storefront", f"key:{row['id']}")
    gone = await console.storefront.post(f"{MY}/keys/{row['id']}/revoke")
    assert "The key is revoked" in gone.words
    assert (await newest(console, "key.revoked")).actor == "storefront"
    of_operators = await create_key(console.pool, storefront="shop", mode="test", scopes=["storefront", "ops"])
    assert of_operators.id not in (await console.storefront.get(f"{MY}/keys")).text
    assert (await console.storefront.post(f"{MY}/keys/{of_operators.id}/revoke")).status == 404
    revoked = "SELECT revoked_at FROM api_keys WHERE id = $1"
    assert await console.pool.fetchval(revoked, of_operators.id) is None


async def test_it_sees_an_order_its_esim_and_code_and_each_look_at_a_code_is_recorded(console, both):
    mine, _ = both
    order = await console.storefront.get(f"{MY}/orders/{mine.ids['order']}")
    assert "fulfilled" in order.words
    assert mine.marks[2] in order.words  # the ICCID
    assert re.search(r"\d+\.\d\d USD", order.words)
    assert "LPA:1$" not in order.text
    esim = await console.storefront.get(f"{MY}/esims/{mine.ids['esim']}")
    assert "LPA:1$" not in esim.text
    code = await console.storefront.post(f"{MY}/esims/{mine.ids['esim']}/reveal")
    assert "LPA:1$" in code.text
    assert "data:image/svg+xml;base64," in code.text
    assert "/e/" in code.text
    noted = await newest(console, "esim.code_shown")
    assert (noted.actor, noted.object) == ("storefront", f"esim:{mine.ids['esim']}")
    shown = await console.storefront.post(f"{MY}/orders/{mine.ids['order']}/reveal")
    assert "LPA:1$" in shown.text
    assert (await newest(console, "order.code_shown")).actor == "storefront"


@pytest.mark.parametrize("kind", ["number", "voucher"])
async def test_it_sees_a_number_and_a_vouchers_codes_only_when_it_asks_for_them(console, kind):
    shop = await console.pool.fetchval("SELECT id FROM storefronts WHERE name = 'shop'")
    good = "SELECT good_id FROM goods WHERE texts::text LIKE '%$10 Apple gift card USA%' LIMIT 1"
    wanted = (
        OrderForNumber(number=NumberChoice("US", "7d"))
        if kind == "number"
        else OrderForGood(good_id=await console.pool.fetchval(good))
    )
    admitted = await admit(console.deps, shop, "test", wanted, "an item")
    assert isinstance(admitted, Admitted), admitted
    await answered(console.deps, admitted.order_id, 20)
    place = f"{MY}/orders/{admitted.order_id}"
    hidden = await console.storefront.get(place)
    revealed = await console.storefront.post(f"{place}/reveal")
    secrets = re.findall(r'class="once"><code>(?:<bdi[^>]*>)?([^<]+)<', revealed.text)
    assert secrets
    assert (hidden.status, [secret for secret in secrets if secret in hidden.text]) == (200, [])
    assert (await newest(console, "order.code_shown")).object == f"order:{admitted.order_id}"


async def test_it_has_a_failed_delivery_sent_again(console, both):
    mine, _ = both
    await console.pool.execute("UPDATE webhook_deliveries SET status = 'failed', next_at = NULL")
    log = await console.storefront.get(mine.path(f"{MY}/webhooks/{{endpoint}}"))
    (place,) = re.findall(rf'action="({MY}/webhooks/[^"]*/replay)"', log.text)
    again = await console.storefront.post(place)
    assert "It is sent again" in again.words
    pending = "SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = $1 AND status = 'pending'"
    assert await console.pool.fetchval(pending, mine.ids["endpoint"]) == 1
    noted = await newest(console, "delivery.replayed")
    assert (noted.actor, noted.object) == ("storefront", f"delivery:{mine.ids['delivery']}")
