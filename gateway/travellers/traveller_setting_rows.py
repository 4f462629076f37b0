"""How the pages of storefronts for travellers look: one row for each storefront that said so."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gateway.kit.pool import Connection, Pool


class Appearance(msgspec.Struct, frozen=True, kw_only=True):
    """What a storefront said of its pages; None where it said nothing."""

    storefront_id: str
    shop_name: str | None = None
    accent_color: str | None = None
    header_color: str | None = None
    logo: bytes | None = None
    logo_type: str | None = None
    topup_url: str | None = None
    email_enabled: bool = False
    email_usage: bool = True
    email_topups: bool = True
    email_name: str | None = None
    email_address: str | None = None
    email_language: str | None = None
    updated_at: datetime | None = None


async def find(connection: Connection | Pool, storefront_id: str) -> Appearance | None:
    """What the storefront said; nothing but its id when it never said anything. None when there is no such one."""
    row = await connection.fetchrow(
        """SELECT s.id AS storefront_id, t.shop_name, t.accent_color, t.header_color, t.logo, t.logo_type, t.topup_url,
                  coalesce(t.email_enabled, false) AS email_enabled, coalesce(t.email_usage, true) AS email_usage,
                  coalesce(t.email_topups, true) AS email_topups, t.email_name, t.email_address, t.email_language,
                  t.updated_at
           FROM storefronts s LEFT JOIN traveller_settings t ON t.storefront_id = s.id WHERE s.id = $1""",
        storefront_id,
    )
    return None if row is None else Appearance(**dict(row))


async def save(connection: Connection, wanted: Appearance) -> None:
    """Write what the storefront says now, all of it."""
    await connection.execute(
        """INSERT INTO traveller_settings (storefront_id, shop_name, accent_color, header_color, logo, logo_type,
                                           topup_url, email_enabled, email_usage, email_topups, email_name,
                                           email_address, email_language)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
           ON CONFLICT (storefront_id) DO UPDATE SET
               shop_name = excluded.shop_name, accent_color = excluded.accent_color,
               header_color = excluded.header_color, logo = excluded.logo, logo_type = excluded.logo_type,
               topup_url = excluded.topup_url, email_enabled = excluded.email_enabled,
               email_usage = excluded.email_usage, email_topups = excluded.email_topups,
               email_name = excluded.email_name, email_address = excluded.email_address,
               email_language = excluded.email_language, updated_at = now()""",
        wanted.storefront_id,
        wanted.shop_name,
        wanted.accent_color,
        wanted.header_color,
        wanted.logo,
        wanted.logo_type,
        wanted.topup_url,
        wanted.email_enabled,
        wanted.email_usage,
        wanted.email_topups,
        wanted.email_name,
        wanted.email_address,
        wanted.email_language,
    )
