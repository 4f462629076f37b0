"""``esim-gateway travellers``: how the pages of storefronts for travellers look."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from gateway.cli.declared import Command, Option, command_group
from schemas.errors import ConfigurationError


def _logo(path: str) -> str:
    """The contents of a file as base64; "" for "". Raises ``ConfigurationError``."""
    if not path:
        return ""
    try:
        return base64.b64encode(Path(path).read_bytes()).decode()
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from None


def _switch(word: str) -> bool:
    """Whether something is on. Raises ``ConfigurationError``."""
    if word not in {"on", "off"}:
        raise ConfigurationError(f"{word!r} is neither on nor off")
    return word == "on"


def _show(settings: Any) -> None:
    logo = None if settings.logo is None else f"{len(base64.b64decode(settings.logo)):,} bytes"
    for name in settings.__struct_fields__:
        value = logo if name == "logo" else getattr(settings, name)
        print(f"{name.replace('_', ' '):15} {'none' if value is None else value}")


app = command_group(
    "What travellers see of a storefront and are sent: name, logo, colours, top-up link, e-mails.",
    {
        "show": Command(
            operation="travellers.get_traveller_settings",
            help="Show what a storefront's travellers see.",
            show=_show,
        ),
        "set": Command(
            operation="travellers.change_traveller_settings",
            help="Change it. What is not named stays as it is; an empty text takes it away.",
            options={
                "logo": Option(help="A PNG or JPEG file of at most 40,000 bytes.", parse=_logo, metavar="FILE"),
                "email_enabled": Option(help="Send deliveries by e-mail.", parse=_switch, metavar="on|off"),
                "email_usage": Option(help="Also warn when data runs out.", parse=_switch, metavar="on|off"),
                "email_topups": Option(help="Also confirm top-ups.", parse=_switch, metavar="on|off"),
            },
            show=_show,
        ),
    },
)
