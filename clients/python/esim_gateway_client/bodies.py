"""What is handed to operations beside plain values: dicts with these keys.

Made by `make clients` from the API's description. Do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, NotRequired, TypedDict


class Customer(TypedDict):
    """Who travels. The address is kept encrypted and never given to a supplier.

    Attributes:
        email: The traveller's e-mail address.
        language: The language of e-mails to the traveller, such as `de` or `pt-BR`; the storefront's by default.
    """

    email: NotRequired[str]
    language: NotRequired[str]


class NeedFeatures(TypedDict):
    """Features that a plan must have; what is left out may be either way.

    Attributes:
        topup: Can be topped up.
        voice: Has voice.
        sms: Has SMS.
        network: 5G in each country asked for, or in some country when none is.
        operator: This operator's network in each country asked for, or in some country when none is: words of its name,
            or its MCC and MNC.
        exit_country: Where traffic reaches the internet; matches only what is known.
        not_exit_country: Traffic does not reach the internet in this country, or, with commas, in any of these; matches
            only what is known.
        hotspot: Can be shared.
        voice_minutes: Includes at least so many minutes of calls.
        sms_count: Includes at least so many SMS.
        phone_number: Has a phone number of its own.
        kyc_required: Whether the traveller must be identified before it works; `false` leaves such plans out.
        usage: Its supplier tells how much is used.
        refundable: Its supplier takes an unused eSIM back.
    """

    topup: NotRequired[Literal[True]]
    voice: NotRequired[Literal[True]]
    sms: NotRequired[Literal[True]]
    network: NotRequired[Literal["5G"]]
    operator: NotRequired[str]
    exit_country: NotRequired[str]
    not_exit_country: NotRequired[str]
    hotspot: NotRequired[Literal[True]]
    voice_minutes: NotRequired[int]
    sms_count: NotRequired[int]
    phone_number: NotRequired[Literal[True]]
    kyc_required: NotRequired[bool]
    usage: NotRequired[Literal[True]]
    refundable: NotRequired[Literal[True]]


class NumberChoice(TypedDict):
    """A virtual number: where, and how long it is held.

    Attributes:
        country: The country of the number.
        tier_id: How long it is held: `id` in the list of tiers.
    """

    country: str
    tier_id: str


class PriceLimit(TypedDict):
    """The most that an order may cost the customer.

    Attributes:
        amount: The amount.
        currency: The currency of the amount.
    """

    amount: Decimal | str
    currency: str


class SupplierChoice(TypedDict):
    """Which suppliers an order may go to; needs the scope `routing`.

    Attributes:
        only: Only these suppliers.
        ignore: All suppliers but these.
    """

    only: NotRequired[Sequence[str]]
    ignore: NotRequired[Sequence[str]]
