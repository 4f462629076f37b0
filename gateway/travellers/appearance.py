"""What a storefront's travellers see and are sent: shown, and changed by operators."""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec
from msgspec import UNSET

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.kit.settings import Settings
from gateway.travellers import traveller_setting_rows
from gateway.travellers.appearance_rules import fault_of_topup_url, read_logo
from gateway.travellers.languages import LANGUAGES
from gateway.travellers.traveller_setting_rows import Appearance
from schemas.api_travellers import ADDRESS, TravellerSettings, TravellerSettingsPatch

_ADDRESS = re.compile(ADDRESS)
_COLOR = re.compile("(#[0-9A-Fa-f]{6})?")


def is_color(text: str) -> bool:
    """Whether it is a colour as the API takes one, or empty."""
    return _COLOR.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Whether it is an e-mail address as the API takes one."""
    return _ADDRESS.fullmatch(text) is not None


async def find(pool: Pool, storefront_id: str) -> TravellerSettings | None:
    """What a storefront said of its pages; None when there is no such storefront."""
    found = await traveller_setting_rows.find(pool, storefront_id)
    return None if found is None else _shown(found)


async def change(
    pool: Pool, settings: Settings, storefront_id: str, patch: TravellerSettingsPatch, actor: Visitor | str
) -> TravellerSettings | Problem:
    """Change what the patch names. Problems: not_found, conflict (with the field)."""
    values: dict[str, Any] = {
        name: None if value == "" else value
        for name, value in msgspec.structs.asdict(patch).items()
        if value is not UNSET
    }
    faults = _read(values)
    if faults:
        first = faults[0]
        return Problem("conflict", f"{first[0]}: {first[1]}", tuple((f"/{name}", why) for name, why in faults))
    async with pool.acquire() as connection, connection.transaction():
        before = await traveller_setting_rows.find(connection, storefront_id)
        if before is None:
            return Problem("not_found", "there is no such storefront")
        wanted = msgspec.structs.replace(before, **values)
        if wanted.email_enabled and not (settings.smtp.host and (wanted.email_address or settings.smtp.sender)):
            why = "needs a mail server: set [smtp] host and sender"
            return Problem("conflict", f"email_enabled: {why}", (("/email_enabled", why),))
        await traveller_setting_rows.save(connection, wanted)
        detail = {name: value for name, value in values.items() if name != "logo"}
        if "logo" in values:
            detail["logo"] = "removed" if values["logo"] is None else f"{len(values['logo'])} bytes"
        await audit_rows.record(
            connection, actor, "storefront.traveller_settings", f"storefront:{storefront_id}", detail
        )
        after = await traveller_setting_rows.find(connection, storefront_id)
    return Problem("not_found", "there is no such storefront") if after is None else _shown(after)


def _read(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Turn what was sent into what is kept, in place; what is wrong with it, by field."""
    faults: list[tuple[str, str]] = []
    for name in ("accent_color", "header_color"):
        if values.get(name):
            values[name] = values[name].lower()
    if values.get("topup_url") and (fault := fault_of_topup_url(values["topup_url"])) is not None:
        faults.append(("topup_url", fault))
    if values.get("email_language") and values["email_language"] not in LANGUAGES:
        faults.append(("email_language", f"must be one of {', '.join(LANGUAGES)}"))
    if "logo" in values:
        values["logo_type"] = None
        if values["logo"]:
            logo = read_logo(values["logo"])
            if isinstance(logo, str):
                faults.append(("logo", logo))
            else:
                values["logo"], values["logo_type"] = logo
    return faults


def _shown(found: Appearance) -> TravellerSettings:
    return TravellerSettings(
        storefront_id=found.storefront_id,
        shop_name=found.shop_name,
        accent_color=found.accent_color,
        header_color=found.header_color,
        logo=None if found.logo is None else base64.b64encode(found.logo).decode(),
        topup_url=found.topup_url,
        email_enabled=found.email_enabled,
        email_usage=found.email_usage,
        email_topups=found.email_topups,
        email_name=found.email_name,
        email_address=found.email_address,
        email_language=found.email_language,
        updated_at=found.updated_at,
    )
