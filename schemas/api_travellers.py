"""What a storefront's travellers see: its name, logo and colours on their page."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.examples import example

ShopName = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
Color = Annotated[str, Meta(pattern="^(#[0-9A-Fa-f]{6})?$", max_length=7)]
TopupUrl = Annotated[str, Meta(max_length=1000, pattern=r"^[!-~]*$")]
LogoText = Annotated[str, Meta(max_length=56_000, pattern="^[A-Za-z0-9+/=]*$")]


class TravellerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a storefront's pages for travellers look, and where they lead.

    Attributes:
        storefront_id: The storefront's id.
        shop_name: The name on the page; null shows none.
        accent_color: The colour of buttons; null is the page's own.
        header_color: The colour behind name and logo; null is none.
        logo: The logo, a PNG or JPEG in base64; null without one.
        topup_url: Where the page's top-up button leads, with its placeholders; null shows no button.
        updated_at: When this was last changed; null when it never was.
    """

    storefront_id: Annotated[str, example("sf_0123456789abcdef")]
    shop_name: Annotated[str | None, example("Sunny eSIM")] = None
    accent_color: Annotated[str | None, example("#0b5cad")] = None
    header_color: Annotated[str | None, example("#0b2545")] = None
    logo: Annotated[str | None, example(None)] = None
    topup_url: Annotated[str | None, example("https://shop.example.com/topup?esim={esim_id}")] = None
    updated_at: Annotated[datetime | None, example("2026-11-20T10:00:00Z")] = None


class TravellerSettingsPatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays as it is, and an empty text takes it away.

    Attributes:
        shop_name: The name on the page.
        accent_color: The colour of buttons: # and six hexadecimal digits.
        header_color: The colour behind name and logo.
        logo: A PNG or JPEG of at most 40,000 bytes and 1024 by 1024 pixels, in base64.
        topup_url: Where the top-up button leads: https, with {esim_id}, {iccid}, {order_id} and {language}.
    """

    shop_name: Annotated[ShopName | UnsetType, example("Sunny eSIM")] = UNSET
    accent_color: Annotated[Color | UnsetType, example("#0b5cad")] = UNSET
    header_color: Annotated[Color | UnsetType, example("#0b2545")] = UNSET
    logo: Annotated[LogoText | UnsetType, example("")] = UNSET
    topup_url: Annotated[TopupUrl | UnsetType, example("https://shop.example.com/topup?esim={esim_id}")] = UNSET
