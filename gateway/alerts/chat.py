"""Messages to Slack and Telegram: the request that each takes, and what its answer means. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.kit.guarded_http import Reply
from gateway.webhooks.redelivery_rules import meaning

# Telegram takes 4096 characters, each outside the BMP counted twice; Slack advises 4000.
MOST_UNITS = 3800
MOST_ANSWER_BYTES = 64 * 1024
_SAID = 200


def slack_body(text: str) -> bytes:
    """What an incoming webhook of Slack takes. Nothing of the text is read as a link, a mention or formatting."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return msgspec.json.encode({"text": escaped, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False})


def telegram_body(chat: str, text: str) -> bytes:
    """What ``sendMessage`` of Telegram's Bot API takes. Without ``parse_mode`` the text is shown as it is."""
    return msgspec.json.encode({"chat_id": chat, "text": text, "link_preview_options": {"is_disabled": True}})


def telegram_url(server: str, token: str) -> str:
    """Where a bot sends messages. The address holds its token: it may stand in no log."""
    return f"{server.rstrip('/')}/bot{token}/sendMessage"


def cut(lines: list[str]) -> str:
    """The lines as one text of at most ``MOST_UNITS``: what is too much goes from before the last line, in whole lines.

    Nothing of a single line is lost but its end.
    """
    *body, last = [_of_units(line, MOST_UNITS // 4) for line in lines]
    kept: list[str] = []
    left = MOST_UNITS - _units(last) - _units("…") - 2
    for line in body:
        left -= _units(line) + 1
        if left < 0:
            kept.append("…")
            break
        kept.append(line)
    return "\n".join([*kept, last])


def outcome(reply: Reply) -> tuple[bool, str]:
    """Whether a message arrived, and what the other side said."""
    if reply.status is None:
        return False, reply.error or "no answer"
    if meaning(reply.status) == "delivered":
        return True, f"HTTP {reply.status}"
    said = _reason(reply.body)
    return False, f"HTTP {reply.status}: {said}" if said else f"HTTP {reply.status}"


def _reason(body: bytes) -> str:
    """Why it was refused: Telegram's ``description``, or the words that Slack answers with."""
    try:
        found: Any = msgspec.json.decode(body)
        text = found.get("description", "") if isinstance(found, dict) else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body.decode("utf-8", "replace")
    line = " ".join(str(text).split())
    return "".join(letter for letter in line if letter.isprintable())[:_SAID]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _of_units(text: str, most: int) -> str:
    return text.encode("utf-16-le")[: most * 2].decode("utf-16-le", "ignore")
