"""Every setting of the gateway: shipped defaults, a file over them, the environment over both.

``config/gateway.toml`` < the file that ``GATEWAY_CONFIG`` names < ``GATEWAY_…`` variables, with two
underscores between the levels: ``GATEWAY_SUPPLIERS__<NAME>__BASE_URL``.
"""

from __future__ import annotations

import json
import os
import tomllib
from decimal import Decimal
from importlib import resources
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.kit.addresses import LOOPBACK, fault_of_url, is_loopback
from gateway.kit.secret_strength import is_weak
from schemas.errors import ConfigurationError

ENV_CONFIG = "GATEWAY_CONFIG"
SHORTEST_SECRET_KEY = 32
_DATABASE_URLS = ("database_url", "database_direct_url")
LONGEST_SUPPLIER_NAME = 40
Share = Annotated[float, Field(ge=0, le=1)]
Network = IPv4Network | IPv6Network


def _listed(value: Any) -> Any:
    """A list written in one variable: JSON, or values between commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_listed)]
Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pricing(_Section):
    """The last pricing rule, for what no other one prices: cost x (1 + percent/100) + fixed, rounded.

    Never below cost + ``minimum_margin``, which also holds for rules that state none. Amounts are in base currency.
    Fees are what being paid costs, of the price and each time: they are reckoned with where margins are shown.
    """

    percent: Decimal = Field(default=Decimal(10), ge=0, le=1000)
    fixed: Decimal = Field(default=Decimal(0), ge=0)
    rounding: Literal["currency", ".99"] = "currency"
    minimum_margin: Decimal = Field(default=Decimal(0), ge=0)
    fee_percent: Decimal = Field(default=Decimal(0), ge=0, le=100)
    fee_fixed: Decimal = Field(default=Decimal(0), ge=0)


class Needs(_Section):
    """How much of an unlimited plan counts against a need where it does not say what runs at full speed.

    In MB as the API reads them; 0: it meets no amount.
    """

    unstated_unlimited_mb_per_day: int = Field(default=1000, ge=0, le=1_000_000)


class RateSource(_Section):
    """Where exchange rates are fetched: the European Central Bank's daily XML, or a service that answers in JSON.

    ``base``, ``rates`` and ``date`` name the fields of JSON ("data.rates"); without ``date`` rates are of the day on
    which they are fetched. https only, and http to this machine.
    """

    kind: Literal["ecb", "json"]
    url: SecretStr  # services put a key into it
    base: str = Field(default="base", min_length=1)
    rates: str = Field(default="rates", min_length=1)
    date: str = ""

    @field_validator("url")
    @classmethod
    def _guarded(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if (fault := fault_of_url(url, LOOPBACK)) is not None:
            raise ValueError(fault)
        parts = urlsplit(url)
        if parts.scheme.lower() == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError("must be https; http is only for this machine")
        return value

    @property
    def name(self) -> str:
        """What it is called: the address may hold a key."""
        return f"{self.kind} {urlsplit(self.url.get_secret_value()).netloc}"

    def __str__(self) -> str:
        return self.name


class ExchangeRates(_Section):
    """Where exchange rates come from, the first source that has a currency first, and when they are too old.

    A fetched rate that moved by more than ``max_move_percent`` in a day waits for an operator. Days count from the last
    fetch (``fetch_warn_days``) or from a rate's own date.
    """

    sources: tuple[RateSource, ...] = ()
    max_move_percent: Decimal = Field(default=Decimal(10), gt=0)
    fetch_warn_days: int = Field(default=3, gt=0)
    warn_days: int = Field(default=6, gt=0)
    no_rate_days: int = Field(default=14, gt=0)

    @field_validator("sources")
    @classmethod
    def _apart(cls, value: tuple[RateSource, ...]) -> tuple[RateSource, ...]:
        if len({source.name for source in value}) < len(value):
            raise ValueError("two sources have one kind and one host")
        return value


class Quotes(_Section):
    ttl_seconds: int = Field(default=900, gt=0)


class Sync(_Section):
    """Bounds of a sync. Shares are 0 to 1; ``suspect_rise`` 2.00 means 200 % above; ``…_times`` are factors."""

    interval_seconds: int = Field(default=900, gt=0)
    expire_after_seconds: int = Field(default=86400, gt=0)
    max_gone_share: Share = 0.30
    moved_by: float = Field(default=0.40, gt=0)
    max_moved_share: Share = 0.30
    max_suspect_share: Share = 0.20
    dear_times: float = Field(default=10, gt=1)
    max_dear_share: Share = 0.50
    one_cost_share: Share = 0.50
    one_cost_times: float = Field(default=4, gt=1)
    max_flat_share: Share = 0.50
    per_gb_times: float = Field(default=8, gt=1)
    quarantine_from: int = Field(default=10, ge=1)
    suspect_drop: Share = 0.60
    suspect_rise: float = Field(default=2.00, gt=0)
    suspect_below_median: Share = 0.25
    suspect_below_less: Share = 0.15
    suspect_minimum_usd: Decimal = Field(default=Decimal("0.05"), ge=0)
    suspect_release_days: int = Field(default=7, ge=0)
    suspect_release_share: Share = 0.05


class Orders(_Section):
    """How long what is sold out, or a supplier without our money, is left alone, and how old a price may be.

    ``email_days`` is how long a customer's address is kept, ``max_open`` how many orders of a storefront may be open at
    once (0: any number). Without ``fast_admission`` every order is chosen from the database and sent after admission.
    """

    price_check_seconds: int = Field(default=300, gt=0)
    out_of_stock_seconds: int = Field(default=600, gt=0)
    no_balance_seconds: int = Field(default=300, gt=0)
    email_days: int = Field(default=400, gt=0)
    max_open: int = Field(default=200, ge=0)
    fast_admission: bool = True


class Checkouts(_Section):
    """How long the price of a checkout is held and its payment link stays good."""

    hold_seconds: int = Field(default=3600, ge=60, le=30 * 86400)


class RateLimit(_Section):
    per_minute: int = Field(default=600, gt=0)


class Connections(_Section):
    """How many requests of one address may be on their way at once: a head that has begun, a body not whole."""

    unfinished_per_address: int = Field(default=32, gt=0)


class Webhooks(_Section):
    allow_private: Networks = ()


class Esim(_Section):
    """``page_base_url`` is where travellers reach this gateway, if elsewhere than at ``public_base_url``."""

    cache_seconds: int = Field(default=60, ge=0)
    poll_share: float = Field(default=0.2, gt=0, le=1)
    page_days: int = Field(default=30, gt=0, le=3650)
    page_base_url: str = ""
    qr_link_minutes: int = Field(default=60, gt=0, le=1440)


class Alerts(_Section):
    """How long alerts stand and are kept; raised ``flap_times`` within ``flap_hours`` one ends only after calm."""

    price_hours: int = Field(default=24, gt=0)
    flap_times: int = Field(default=3, ge=2)
    flap_hours: int = Field(default=6, gt=0)
    calm_minutes: int = Field(default=60, gt=0)
    keep_days: int = Field(default=90, gt=0)
    console_url: str = ""
    telegram_url: str = "https://api.telegram.org"


Days = Annotated[int, Field(ge=0, le=36_500)]


class Retention(_Section):
    """After how many days rows that only tell of the past are deleted; 0 keeps them for ever.

    Orders, attempts, the ledger, payments, what was delivered and idempotency keys are never deleted.
    """

    queue_log_days: Days = 14
    supplier_calls_days: Days = 90
    webhooks_days: Days = 90
    sync_runs_days: Days = 90
    price_changes_days: Days = 400
    offer_events_days: Days = 400
    plan_successors_days: Days = 90
    order_events_days: Days = 400
    esim_usage_days: Days = 400
    checkout_events_days: Days = 400
    supplier_transactions_days: Days = 1100
    audit_days: Days = 1100


class Smtp(_Section):
    """The mail server that e-mails are handed to; without ``host`` none is sent. Port 465 is TLS from the start."""

    host: str = ""
    port: int = Field(default=587, gt=0, le=65535)
    user: str = ""
    password: SecretStr | None = None
    sender: str = ""
    starttls: bool = True


class Metrics(_Section):
    """Where figures are served; port 0 switches them off."""

    host: str = "127.0.0.1"
    port: int = Field(default=9090, ge=0, le=65535)
    worker_port: int = Field(default=9091, ge=0, le=65535)


class CatalogLists(_Section):
    """``networks_in_lists``: the list of plans has networks without ``expand=networks``, as in 0.2; gone in 0.4."""

    networks_in_lists: bool = False


class Console(_Section):
    """``totp_for_admins``: an admin without a second factor comes no further than the page that turns it on."""

    totp_for_admins: bool = False


class Settings(BaseSettings):
    """All settings. ``suppliers`` are checked against their plugins' own types by the loader.

    ``database_password`` may have any characters: it is put into the URLs of the database, percent-encoded.
    ``database_direct_url`` is the database itself where ``database_url`` is a pooler that shares sessions.
    """

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_", env_nested_delimiter="__", extra="forbid", frozen=True, case_sensitive=False
    )

    database_url: SecretStr | None = None
    database_direct_url: SecretStr | None = None
    database_password: SecretStr | None = None
    redis_url: SecretStr | None = None
    state_dir: Path = Path(".state")
    base_currency: str = "USD"
    public_base_url: str = ""
    secret_key: Secrets = ()
    cors_origins: Texts = ()
    trusted_proxies: Networks = ()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    pricing: Pricing = Pricing()
    needs: Needs = Needs()
    rates: ExchangeRates = ExchangeRates()
    quotes: Quotes = Quotes()
    sync: Sync = Sync()
    orders: Orders = Orders()
    checkouts: Checkouts = Checkouts()
    rate_limit: RateLimit = RateLimit()
    connections: Connections = Connections()
    webhooks: Webhooks = Webhooks()
    esim: Esim = Esim()
    alerts: Alerts = Alerts()
    retention: Retention = Retention()
    smtp: Smtp = Smtp()
    metrics: Metrics = Metrics()
    console: Console = Console()
    catalog: CatalogLists = CatalogLists()
    suppliers: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _whole_database_urls(cls, values: Any) -> Any:
        """The URLs with the password in them, whichever of the two it came by."""
        if not isinstance(values, dict):
            return values
        if values.get("database_direct_url") and not values.get("database_url"):
            raise ValueError("database_direct_url is beside database_url, the pooler's: set both")
        password = _plain(values.get("database_password") or "")
        urls = {name: _plain(values[name]) for name in _DATABASE_URLS if values.get(name)}
        return {**values, **{name: with_password(url, password) for name, url in urls.items()}}

    @field_validator("secret_key")
    @classmethod
    def _strong(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(key.get_secret_value()) < SHORTEST_SECRET_KEY for key in value):
            raise ValueError(f"each secret key must have {SHORTEST_SECRET_KEY} characters or more")
        # Older keys only open what they sealed: a weak one must stay in the list until `secrets rotate` replaced it.
        if value and is_weak(value[0].get_secret_value()):
            raise ValueError(
                "the first secret key can be guessed: it is made of repetitions, runs or common words. "
                "Print a good one with `esim-gateway secrets new`, put it in front of the key in use, "
                "and run `esim-gateway secrets rotate`"
            )
        return value

    @field_validator("public_base_url")
    @classmethod
    def _whole_url(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("must be an address such as https://gateway.example.com")
        return value.rstrip("/")

    @property
    def has_pooler(self) -> bool:
        """Whether ``database_url`` is a pooler, at which no session lasts longer than a transaction."""
        return bool(self.database_direct_url)

    @property
    def direct_url(self) -> SecretStr | None:
        """The database itself: for LISTEN, session locks, migrations, and whatever else needs a session of its own."""
        return self.database_direct_url or self.database_url

    @property
    def page_base_url(self) -> str:
        """Where travellers reach this gateway; empty where that is not told: an address is then a path."""
        return self.esim.page_base_url or self.public_base_url

    @field_validator("suppliers")
    @classmethod
    def _names(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name in value:
            letters = name.replace("_", "").replace("-", "")
            if not letters.isalnum() or name != name.lower() or len(name) > LONGEST_SUPPLIER_NAME:
                raise ValueError(f"supplier name {name!r} must be lower-case letters, digits, - and _")
        return value

    @classmethod
    def settings_customise_sources(  # the base names what is not used here
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def load(config: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings. ``config`` defaults to what ``GATEWAY_CONFIG`` names; ``overrides`` lie under the environment.

    Raises ``ConfigurationError`` with one line for each thing that is wrong.
    """
    path = config or (Path(os.environ[ENV_CONFIG]) if os.environ.get(ENV_CONFIG) else None)
    values = tomllib.loads(resources.files("config").joinpath("gateway.toml").read_text("utf-8"))
    if path is not None:
        try:
            values = _over(values, tomllib.loads(path.read_text("utf-8")))
        except OSError as error:
            raise ConfigurationError(f"{ENV_CONFIG}: cannot read {path}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}: {error}") from None
    try:
        return Settings(**_over(values, overrides))
    except ValidationError as error:
        lines = [_line(".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors()]
        raise ConfigurationError("; ".join(lines)) from None


_UNREADABLE_URL = (
    "database_url cannot be read: set a password with special characters as GATEWAY_DATABASE_PASSWORD, "
    "or percent-encode it"
)


def _line(place: str, message: str) -> str:
    what = message.removeprefix("Value error, ")
    return f"{place}: {what}" if place else what


def with_password(url: str, password: str) -> str:
    """A database's URL with a password put into it, whatever characters that has; "" leaves it as it is.

    Raises ``ValueError`` for a URL that cannot be read, or that has a password of its own beside this one.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # a "[" in the password begins no IPv6 address
        raise ValueError(_UNREADABLE_URL) from None
    # A "/", "?" or "#" in the password ends the address too soon; what follows then has the "@".
    if parts.netloc.count("@") > 1 or "@" in parts.path + parts.query + parts.fragment:
        raise ValueError(_UNREADABLE_URL)
    if not password:
        return url
    user, at, host = parts.netloc.rpartition("@")
    if not at or not user:
        raise ValueError("database_url must name the user that GATEWAY_DATABASE_PASSWORD is for: postgresql://user@…")
    if ":" in user:
        raise ValueError("database_url has a password already: leave it out there, or GATEWAY_DATABASE_PASSWORD")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def _plain(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _over(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
