"""The file of ``config export`` and ``config apply``: what operators set in the database, as TOML. Pure.

A section that stands in the file replaces what the gateway has of it; one that does not is left alone.
"""

from __future__ import annotations

import tomllib
from typing import Any

import msgspec

from schemas.api import CountryCode, SupplierName
from schemas.api_alerts import AlertKind, ChannelKind, Name, Threshold
from schemas.api_mappings import MappingRequest
from schemas.api_pricing import RuleAmount, RuleBody, StorefrontName
from schemas.errors import ConfigurationError

_HEAD = """\
# What operators set in the database of an eSIM gateway, written by `esim-gateway config export`.
# `esim-gateway config apply FILE` shows what it would change, and changes it with --yes.
# A section that stands here replaces what the gateway has of it. One that does not is left alone.
# No secret stands here. Suppliers, and what gateway.toml and the environment set, belong there.
"""


class StorefrontEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A storefront. Its keys and webhook endpoints hold secrets of its own: they are made anew where it is new."""

    name: StorefrontName
    daily_spend_limit: RuleAmount | None = None


class StopEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A stop of selling that an operator made; without a supplier, of all of them."""

    supplier: SupplierName | None = None
    note: str = ""


class AlertChannelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where alerts go, without the secret of a webhook, the URL of Slack and the token of a bot."""

    name: Name
    kind: ChannelKind
    recipients: list[str] = []
    url: str | None = None
    enabled: bool = True


class AlertRuleEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule of alerts. ``channels`` are names; every channel when none stands here."""

    name: Name
    kind: AlertKind
    threshold: Threshold | None = None
    direction: str = "any"
    about: str = "offer"
    supplier: SupplierName | None = None
    country: CountryCode | None = None
    channels: list[Name] = []
    enabled: bool = True


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The sections in the order in which they are applied; None for one that the file does not have."""

    paused_suppliers: list[SupplierName] | None = None
    storefronts: list[StorefrontEntry] | None = None
    selling_stops: list[StopEntry] | None = None
    alert_channels: list[AlertChannelEntry] | None = None
    alert_rules: list[AlertRuleEntry] | None = None
    mappings: list[MappingRequest] | None = None
    pricing_rules: list[RuleBody] | None = None


def read_configuration(text: str) -> Configuration:
    """What a file says. Raises ``ConfigurationError`` naming the place that cannot be."""
    try:
        found = msgspec.convert(tomllib.loads(text), Configuration)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(str(error)) from None
    for rule in found.pricing_rules or ():
        if rule.position is not None:
            raise ConfigurationError(f'pricing_rules "{rule.name}": position: rules stand in the order of the file')
    for channel in found.alert_channels or ():
        if channel.kind == "slack" and channel.url is not None:
            why = "is a secret: set it with esim-gateway alerts secret, not here"
            raise ConfigurationError(f'alert_channels "{channel.name}": url: {why}')
    return found


def written(configuration: Configuration) -> str:
    """A configuration as its file. What is as it is by default is left out of an entry."""
    plain, tables = [_HEAD], []
    for section, entries in msgspec.structs.asdict(configuration).items():
        if entries is None:
            continue
        if not entries or isinstance(entries[0], str):
            plain.append(f"{section} = {_value(entries)}")
        for entry in entries if entries and not isinstance(entries[0], str) else ():
            lines = [f"{name} = {_value(value)}" for name, value in shown_fields(entry).items()]
            tables.append("\n".join([f"\n[[{section}]]", *lines]))
    return "\n".join([*plain, *tables]) + "\n"


def shown_fields(entry: msgspec.Struct) -> dict[str, Any]:
    """The fields of an entry that differ from their defaults, as plain values."""
    values: dict[str, Any] = msgspec.to_builtins(entry)
    defaults = {
        field.name: field.default if field.default is not msgspec.NODEFAULT else [] if not field.required else None
        for field in msgspec.structs.fields(entry)
    }
    return {name: value for name, value in values.items() if value is not None and value != defaults[name]}


def _value(value: Any) -> str:
    """A text, number, truth value or list of texts; JSON writes them as TOML does, but for one character."""
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
