"""Alerts to Slack and Telegram: what they get, what a refusal says, and that their secrets stay secret."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network

import msgspec
import pytest
from aiohttp import web

from gateway.access import audit_rows
from gateway.alerts import alert_message_rows, channels, chat
from gateway.alerts.delivery import Sender
from gateway.kit.guarded_http import GuardedHttpClient
from gateway.kit.problem import Problem
from gateway.kit.sealing import Seal
from gateway.kit.settings import load
from gateway.suppliers.deps import Deps
from schemas.api_alerts import Alert, AlertChannelRequest, AlertChannelSecret, AlertsTold
from tests.kit.receiver import Receiver, receiving
from tests.kit.secret_keys import SECRET_KEY

TOKEN = "12345:ABCDEFGHIJKLMNOPQRSTUVWXYZabcd"
CHAT = "-1001234567890"


@dataclass
class ChatServer(Receiver):
    """Slack and Telegram alike: ``replies`` are statuses and bodies for the next requests."""

    paths: list[str] = field(default_factory=list)
    replies: list[tuple[int, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        self.got.append((request.headers.copy(), await request.read()))
        status, text = self.replies.pop(0) if self.replies else (200, "ok")
        return web.Response(status=status, text=text)


@pytest.fixture
async def chats():
    async with receiving(ChatServer) as server:
        yield server


@pytest.fixture
def deps(pool, chats, tmp_path):
    settings = load(
        state_dir=str(tmp_path),
        secret_key=[SECRET_KEY],
        webhooks={"allow_private": ["127.0.0.0/8"]},
        alerts={"telegram_url": chats.url.removesuffix("/hook"), "console_url": "https://ops.example.com"},
    )
    return Deps(pool, {}, settings, Seal.from_settings(settings))


def alert(title, **more):
    given = dict.fromkeys(Alert.__struct_fields__, "x") | {
        "title": title, "detail": "from 5 to 7", "kind": "price_move", "level": "warn", "mode": "live", "link": "",
        "flapping": False, "raised_at": datetime.now(UTC), "cleared_at": None, "cleared_why": None,
    }  # fmt: skip
    return Alert(**(given | more))


async def make(deps, **fields):
    made = await channels.create(deps, AlertChannelRequest(name=fields["kind"], **fields), "anna")
    assert not isinstance(made, Problem), made
    return made


async def send(deps, *titles):
    """Tell every channel of alerts with these titles, and send what is due."""
    told = AlertsTold([alert(title) for title in titles], [], len(titles), 0, len(titles))
    async with deps.pool.acquire() as connection:
        for channel in await channels.all_channels(deps.pool):
            await alert_message_rows.add(connection, channel.id, told, datetime.now(UTC))
    await deliver(deps)


async def deliver(deps):
    async with GuardedHttpClient([ip_network("127.0.0.0/8")]) as outside:
        sender = Sender(deps.settings, deps.pool, deps.seal, outside, draw=lambda: 0.0)
        while await sender.start_due():
            await sender.drain()


async def test_slack_and_telegram_get_what_rose_as_text(deps, chats):
    await make(deps, kind="slack", url=chats.url)
    await make(deps, kind="telegram", token=TOKEN, recipients=[CHAT])
    await send(deps, "a: <b> & *cost* up 40 %")
    sent = {path: json.loads(body) for path, (_, body) in zip(chats.paths, chats.got, strict=True)}
    slack, telegram = sent["/hook"], sent[f"/bot{TOKEN}/sendMessage"]
    assert telegram["chat_id"] == CHAT
    lines = telegram["text"].splitlines()
    assert lines[0] == "[eSIM gateway] a: <b> & *cost* up 40 %"
    assert lines[-1] == "1 alerts stand now. https://ops.example.com/console/alerts"
    assert "  from 5 to 7" in lines
    # Slack reads these three as markup, and nothing else once formatting is off.
    assert slack["text"].splitlines()[0] == "[eSIM gateway] a: &lt;b&gt; &amp; *cost* up 40 %"
    assert slack["mrkdwn"] is False


async def test_what_is_refused_says_why_and_is_sent_again(deps, chats):
    made = await make(deps, kind="telegram", token=TOKEN, recipients=[CHAT])
    chats.replies = [(400, '{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}')]
    await send(deps, "a")
    (channel,) = await channels.all_channels(deps.pool)
    assert (channel.last_error, channel.waiting) == ("HTTP 400: Bad Request: chat not found", 1)
    await deps.pool.execute("UPDATE alert_messages SET next_at = now()")
    await deliver(deps)
    (message,) = await channels.messages(deps.pool, made.id)
    assert [one.said for one in message.attempts] == ["HTTP 400: Bad Request: chat not found", "HTTP 200"]
    assert message.status == "delivered"


async def test_the_secrets_of_chats_are_stored_encrypted_and_stand_nowhere(deps, chats, caplog):
    await make(deps, kind="slack", url=f"{chats.url}/T0/SECRET")
    await make(deps, kind="telegram", token=TOKEN, recipients=[CHAT])
    chats.replies = [(404, "no_team"), (404, '{"description":"Not Found"}')]
    await send(deps, "a")
    rows = await deps.pool.fetch("SELECT to_jsonb(c)::text AS row FROM alert_channels c")
    entries = (await audit_rows.newest(deps.pool)).data
    seen = " ".join(row["row"] for row in rows) + str(msgspec.to_builtins(entries)) + caplog.text
    for secret in ("SECRET", b"SECRET".hex(), TOKEN, TOKEN.encode().hex()):
        assert secret not in seen
    assert [entry.action for entry in entries] == ["alert_channel.added"] * 2


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"kind": "slack"}, "/url"),
        ({"kind": "slack", "url": "https://10.0.0.1/x"}, "/url"),
        ({"kind": "slack", "url": "https://hooks.example.com/x", "token": TOKEN}, "/token"),
        ({"kind": "telegram", "recipients": [CHAT]}, "/token"),
        ({"kind": "telegram", "token": TOKEN}, "/recipients"),
        ({"kind": "telegram", "token": TOKEN, "recipients": [CHAT, "@other"]}, "/recipients"),
        ({"kind": "telegram", "token": TOKEN, "recipients": ["ops@example.com"]}, "/recipients"),
        ({"kind": "telegram", "token": TOKEN, "recipients": [CHAT], "url": "https://example.com"}, "/url"),
        ({"kind": "email", "recipients": ["a@example.com"], "token": TOKEN}, "/token"),
        ({"kind": "webhook", "url": "https://example.com/x", "recipients": ["a@example.com"]}, "/recipients"),
    ],
)
async def test_a_channel_takes_what_its_kind_needs_and_nothing_else(deps, fields, pointer):
    refused = await channels.create(deps, AlertChannelRequest(name="x", **fields), "anna")
    assert isinstance(refused, Problem)
    assert refused.errors[0][0] == pointer
    assert await channels.all_channels(deps.pool) == []


async def test_a_channel_without_its_secret_says_so_until_it_is_set(deps, chats):
    request = AlertChannelRequest(name="team", kind="slack")
    made = await channels.create(deps, request, "anna", secret_follows=True)
    assert made.lacks_secret
    await send(deps, "a")
    (channel,) = await channels.all_channels(deps.pool)
    assert channel.last_error == f"set the channel's secret first: esim-gateway alerts secret {made.id}"
    assert isinstance(await channels.set_secret(deps, made.id, AlertChannelSecret(), "anna"), Problem)
    assert isinstance(await channels.set_secret(deps, made.id, AlertChannelSecret(token=TOKEN), "anna"), Problem)
    done = await channels.set_secret(deps, made.id, AlertChannelSecret(url=chats.url), "anna")
    assert (done.lacks_secret, done.secret) == (False, None)
    assert (await channels.test(deps, made.id, "anna")).arrived
    assert chats.paths == ["/hook"]


async def test_a_new_secret_of_a_webhook_signs_what_is_sent_from_then_on(deps, chats):
    made = await make(deps, kind="webhook", url=chats.url)
    done = await channels.set_secret(deps, made.id, AlertChannelSecret(), "anna")
    assert done.secret not in {None, made.secret}
    await send(deps, "a")
    assert [event["type"] for event in chats.verified(done.secret)] == ["alerts.changed"]
    assert isinstance(await channels.set_secret(deps, made.id, AlertChannelSecret(url=chats.url), "anna"), Problem)
    email = await make(deps, kind="email", recipients=["a@example.com"])
    assert isinstance(await channels.set_secret(deps, email.id, AlertChannelSecret(), "anna"), Problem)


def test_what_is_too_long_for_one_message_is_cut_in_whole_lines_and_keeps_the_last():
    lines = [f"line {number} \N{AIRPLANE}\N{SMILING FACE WITH SUNGLASSES}" for number in range(1000)]
    text = chat.cut([*lines, "the last"])
    kept = text.splitlines()
    assert kept[-2:] == ["…", "the last"]
    assert kept[:-2] == lines[: len(kept) - 2]
    units = len(text.encode("utf-16-le")) // 2
    assert chat.MOST_UNITS - 20 < units <= chat.MOST_UNITS
    assert chat.cut(["one", "two"]) == "one\ntwo"
    assert len(chat.cut(["\N{SMILING FACE WITH SUNGLASSES}" * 9000, "last"])) < chat.MOST_UNITS
