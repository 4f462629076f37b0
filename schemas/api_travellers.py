"""What a storefront's travellers see: its name, logo and colours on their page."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.examples import example

ShopName = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Color = Annotated[str, Meta(pattern=r"^(#[0-9A-Fa-f]{6})?\Z", max_length=7)]
TopupUrl = Annotated[str, Meta(max_length=1000, pattern=r"^[!-~]*\Z")]
ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,8}"
SenderAddress = Annotated[str, Meta(max_length=254, pattern=rf"^({ADDRESS})?\Z")]
EmailLanguage = Annotated[str, Meta(pattern=r"^([a-z]{2})?\Z", max_length=2)]
LogoText = Annotated[str, Meta(max_length=56_000, pattern=r"^[A-Za-z0-9+/=]*\Z")]


class TravellerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a storefront's pages for travellers look, where they lead, and what e-mails travellers get.

    Attributes:
        storefront_id: The storefront's id.
        shop_name: The name on the page; null shows none.
        accent_color: The colour of buttons; null is the page's own.
        header_color: The colour behind name and logo; null is none.
        logo: The logo, a PNG or JPEG in base64; null without one.
        topup_url: Where the page's top-up button leads, with its placeholders; null shows no button.
        email_enabled: Whether the gateway sends each delivery to the order's `customer.email`.
        email_usage: Whether it also warns when data runs out.
        email_topups: Whether it also confirms top-ups.
        email_name: The sender's name; null is the shop's name.
        email_address: The sender's address; null is that of the settings.
        email_language: The language where an order names none; null is English.
        updated_at: When this was last changed; null when it never was.
    """

    storefront_id: Annotated[str, example("sf_0123456789abcdef")]
    shop_name: Annotated[str | None, example("Sunny eSIM")] = None
    accent_color: Annotated[str | None, example("#0b5cad")] = None
    header_color: Annotated[str | None, example("#0b2545")] = None
    logo: Annotated[str | None, example(None)] = None
    topup_url: Annotated[str | None, example("https://shop.example.com/topup?esim={esim_id}")] = None
    email_enabled: Annotated[bool, example(True)] = False
    email_usage: Annotated[bool, example(True)] = True
    email_topups: Annotated[bool, example(True)] = True
    email_name: Annotated[str | None, example("Sunny eSIM")] = None
    email_address: Annotated[str | None, example("esim@shop.example.com")] = None
    email_language: Annotated[str | None, example("de")] = None
    updated_at: Annotated[datetime | None, example("2026-11-20T10:00:00Z")] = None


class TravellerSettingsPatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays as it is, and an empty text takes it away.

    Attributes:
        shop_name: The name on the page.
        accent_color: The colour of buttons: # and six hexadecimal digits.
        header_color: The colour behind name and logo.
        logo: A PNG or JPEG of at most 40,000 bytes and 1024 by 1024 pixels, in base64.
        topup_url: Where the top-up button leads: https, with {esim_id}, {iccid}, {order_id} and {language}.
        email_enabled: Whether the gateway sends each delivery to the order's `customer.email`.
        email_usage: Whether it also warns when data runs out.
        email_topups: Whether it also confirms top-ups.
        email_name: The sender's name.
        email_address: The sender's address; your mail server must be allowed to send from it.
        email_language: The language where an order names none.
    """

    shop_name: Annotated[ShopName | UnsetType, example("Sunny eSIM")] = UNSET
    accent_color: Annotated[Color | UnsetType, example("#0b5cad")] = UNSET
    header_color: Annotated[Color | UnsetType, example("#0b2545")] = UNSET
    logo: Annotated[LogoText | UnsetType, example("")] = UNSET
    topup_url: Annotated[TopupUrl | UnsetType, example("https://shop.example.com/topup?esim={esim_id}")] = UNSET
    email_enabled: Annotated[bool | UnsetType, example(True)] = UNSET
    email_usage: bool | UnsetType = UNSET
    email_topups: bool | UnsetType = UNSET
    email_name: Annotated[ShopName | UnsetType, example("Sunny eSIM")] = UNSET
    email_address: Annotated[SenderAddress | UnsetType, example("esim@shop.example.com")] = UNSET
    email_language: Annotated[EmailLanguage | UnsetType, example("de")] = UNSET


EmailKind = Literal["delivery", "usage", "topup"]
EmailStatus = Literal["pending", "sent", "bounced", "failed", "unknown", "skipped"]


class TravellerEmail(msgspec.Struct, frozen=True, kw_only=True):
    """An e-mail to the traveller of an order.

    Attributes:
        id: The e-mail's id.
        order_id: The order that it is about.
        kind: The delivery, a warning that data runs out, or the confirmation of a top-up.
        status: `bounced`: the mail server refused it for good. `unknown`: it was handed over, and no answer came.
        detail: What the mail server said, or why nothing was sent; it holds no address.
        resent: Whether somebody asked for it.
        created_at: When it was queued.
        sent_at: When the mail server took it; null when it did not.
    """

    id: Annotated[str, example("eml_5c1f0a9be2d44b7788aa0c13")]
    order_id: Annotated[str, example("ord_7f3a9c20e1b84d65")]
    kind: Annotated[EmailKind, example("delivery")]
    status: Annotated[EmailStatus, example("sent")]
    detail: Annotated[str | None, example("250 OK")]
    resent: bool
    created_at: Annotated[datetime, example("2026-11-20T10:00:00Z")]
    sent_at: Annotated[datetime | None, example("2026-11-20T10:00:02Z")]


class TravellerEmailList(msgspec.Struct, frozen=True):
    """The e-mails of an order, the newest first.

    Attributes:
        data: The e-mails.
    """

    data: list[TravellerEmail]
