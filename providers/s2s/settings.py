"""What an S2S account is configured with."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from providers.contract import SupplierSettings

_PLACES = {"product": "{uuid}", "order": "{uuid}", "esim_status": "{iccid}", "esim_topup": "{iccid}"}


class Paths(BaseModel):
    """Where each call stands below ``base_url``. The page has lost its paths; these were seen 2026-11."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    me: str = "/me"
    balance: str = "/balance"
    balance_history: str = "/balance/history"
    products: str = "/catalog/products"
    product: str = "/catalog/products/{uuid}"
    pricelist: str = "/catalog/pricelist"
    categories: str = "/catalog/categories"
    orders: str = "/orders"
    order: str = "/orders/{uuid}"
    esim_status: str = "/services/esim/{iccid}/status"
    esim_topup: str = "/services/esim/{iccid}/topup"

    @model_validator(mode="after")
    def _with_its_place(self) -> Self:
        for name, place in _PLACES.items():
            if place not in getattr(self, name):
                raise ValueError(f"{name} must have {place} where the id goes")
        return self


class Attributes(BaseModel):
    """Which attribute code of a SKU or product means what; the names are read where one is missing.

    ``networks`` is a list of operators; the others from ``hotspot`` on are called as a plan's features are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: str | None = None
    data: str | None = None
    days: str | None = None
    hotspot: str | None = None
    voice_minutes: str | None = None
    sms_count: str | None = None
    phone_number: str | None = None
    kyc_required: str | None = None
    install_within_days: str | None = None
    exit_country: str | None = None
    networks: str | None = None


class Goods(BaseModel):
    """What the page leaves open of goods that are no eSIM.

    ``amount`` is the field of an order that carries a denomination of one's choice; ``least`` and ``most`` are
    the fields of a price row or SKU that bound it; ``country`` is the attribute that says where a good is accepted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: str = Field(default="amount", min_length=1)
    least: str = "min_amount"
    most: str = "max_amount"
    country: str = "country"


class S2SSettings(SupplierSettings):
    """An account at S2S. ``partner_secret`` signs orders and is not the bearer ``token``."""

    token: SecretStr = Field(min_length=1)
    partner_secret: SecretStr = Field(min_length=1)
    locale: Literal["en", "ru"] = "en"
    paths: Paths = Paths()
    attributes: Attributes = Attributes()
    goods: Goods = Goods()
