"""PikaSim as its page describes it: an aiohttp app over a world of items. Sold-out packages are not listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from providers.kit import places
from providers.pikasim.sandbox import routes
from providers.pikasim.sandbox.routes import answer, esim_of, paged, same_place, whole
from providers.pikasim.sandbox.serializers import BYTES_PER_MB, dollars
from providers.simulator import Dirt, Item, PageExamples, SandboxWorld, codes_of, item_of, listing, sandbox_app
from schemas.plan import GLOBAL_FROM, AfterAllowance, Starts

PER_MINUTE = 60
DEFAULT_LIMIT, MAX_LIMIT = 50, 200
FEW = 3  # up to so many countries are written as codes in `location`, more as their region's name
HONG_KONG_OR_CHINA = frozenset({None, "HK", "CN"})


def sandbox(world: SandboxWorld, settings: Mapping[str, Any]) -> web.Application:
    """The reseller API below its base URL, for callers with the ``api_key`` of ``settings``."""
    account = world.open_account("pikasim", settings["api_key"], settings["webhook_secret"])

    def authenticate(request: web.Request) -> str | None:
        return None if account.admits(request.headers.get("X-API-Key", "")) else "Invalid or missing API key"

    return sandbox_app(
        world,
        "pikasim",
        [
            web.get("/packages", packages),
            web.get("/packages/{package_code}", package),
            web.get("/esims/{iccid}/topup-options", topup_options),
            *routes.routes(),
        ],
        authenticate=authenticate,
        error_body=lambda _status, message: {"success": False, "error": message},
        rate_limit=PER_MINUTE,
        rules=routes.RULES,
        examples=PageExamples.read(__package__),
    )


async def packages(request: web.Request) -> web.Response:
    """GET /packages with the page's filters and its paging by number."""
    wanted = _filters(request.query)
    found = listing(request, keep=lambda item: _listed(item) and all(fits(item) for fits in wanted))
    return paged(request, "packages", found.page, found.total, serialize_plan, DEFAULT_LIMIT, MAX_LIMIT)


async def package(request: web.Request) -> web.Response:
    """GET /packages/:packageCode, with the fields of the list."""
    item = item_of(request, request.match_info["package_code"])
    if item is None or not _listed(item):
        raise web.HTTPNotFound(text="Package not found")
    return answer(serialize_plan(item))


async def topup_options(request: web.Request) -> web.Response:
    """GET /esims/:iccid/topup-options: what is sold for the same countries, under codes of its own."""
    esim = esim_of(request)

    def fits(item: Item) -> bool:
        return _listed(item) and item.topup and item.price is not None and same_place(item, esim)

    found = listing(request, keep=fits).all() if esim.renewable else []
    return answer(
        {
            "topupPackages": [
                serialize_plan(item) | {"packageCode": f"{routes.TOPUP_PREFIX}{item.key}"} for item in found
            ]
        }
    )


def serialize_plan(item: Item) -> dict[str, Any]:
    """A package as PikaSim writes it, out of what the item says and nothing more."""
    codes = codes_of(item)
    duration, unit = _duration(item)
    volume, data_type = _data(item)
    exit_country = None if item.exit_country == "HK" else item.exit_country
    days = f"{item.days} Days" if item.days else ""
    name = item.label or " ".join(filter(None, (item.place, days, item.data_text, item.calls_text)))
    return {
        "packageCode": item.key,
        "name": name,
        "slug": name.lower().replace(" ", "-"),
        "location": _location(item, codes),
        "region": item.region,
        "isGlobalPackage": len(codes) >= GLOBAL_FROM or item.region == "Global",
        "locationNetworkList": _networks(item, codes),
        "volume": volume,
        "volumeGB": _gigabytes(volume),
        "dataType": data_type,
        "duration": duration,
        "durationUnit": unit,
        "speed": "5G" if any(network.generation == "5G" for network in item.networks) else "4G/LTE",
        "price": item.cents,
        "priceFormatted": None if item.price is None else dollars(item.price),
        "ipExport": exit_country,
        "maxPrivacy": exit_country not in HONG_KONG_OR_CHINA,
        "smsStatus": 1 if item.sms else 0,
        "supportTopUpType": item.topup,
        "activeType": 2 if item.starts is Starts.FIRST_USE else 1,
        "description": f"<p>{item.place} eSIM with {item.data_text or 'data'}</p>",
    }


def _location(item: Item, codes: tuple[str, ...]) -> str:
    if item.dirt is Dirt.CONTRADICTORY:
        return "DE" if "DE" not in codes else "JP"
    if item.region is not None and len(codes) > FEW:
        return item.region
    return ",".join(codes) or item.place


def _networks(item: Item, codes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Every country of the package by name; one without known operators has none listed."""
    return [
        {
            "locationName": item.place if len(codes) == 1 else places.country_name(code),
            "operatorList": [
                {"operatorName": network.operator, "networkType": network.generation}
                for network in item.networks
                if network.country == code
            ],
        }
        for code in codes
    ]


def _data(item: Item) -> tuple[int, int]:
    """``volume`` in bytes and ``dataType``."""
    mb = item.fair_use_mb if item.unlimited else item.mb
    volume = (mb or 0) * BYTES_PER_MB
    if item.dirt is Dirt.UNKNOWN_DATA_TYPE:
        return volume, 9
    if item.unlimited:
        return volume, 4
    if item.daily:
        return volume, 3 if item.after is AfterAllowance.CUT_OFF else 2
    return volume, 1


def _duration(item: Item) -> tuple[int | None, str]:
    if item.days and not item.market and item.days >= 90 and item.days % 30 == 0:  # noqa: PLR2004 - long ones
        return item.days // 30, "MONTH"
    return item.days, "DAY"


def _listed(item: Item) -> bool:
    return item.visible and item.in_stock


def _filters(query: Mapping[str, str]) -> list[Callable[[Item], bool]]:
    """What the query asks of a package. A word that is no number or no privacy level is a 400."""
    filters: list[Callable[[Item], bool]] = []
    if country := query.get("country", "").upper():
        filters.append(lambda item: country in codes_of(item))
    if region := query.get("region", "").lower():
        filters.append(lambda item: (item.region or "").lower() == region)
    if query.get("duration"):
        days = whole(query["duration"], default=0)
        filters.append(lambda item: item.days == days)
    if query.get("minData"):
        least = _number(query["minData"]) * 1024
        filters.append(lambda item: item.unlimited or (item.mb or 0) >= least)
    if query.get("maxData"):
        most = _number(query["maxData"]) * 1024
        filters.append(lambda item: not item.unlimited and (item.mb or 0) <= most)
    privacy = query.get("privacy", "all")
    if privacy not in {"max", "standard", "all"}:
        raise web.HTTPBadRequest(text="privacy must be max, standard or all")
    if privacy != "all":
        filters.append(lambda item: (item.exit_country not in HONG_KONG_OR_CHINA) is (privacy == "max"))
    return filters


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise web.HTTPBadRequest(text=f"{text[:20]} is not an amount of GB")
    return number


def _gigabytes(volume: int) -> float | int:
    whole, rest = divmod(volume, 1024 * BYTES_PER_MB)
    return whole if rest == 0 else round(volume / (1024 * BYTES_PER_MB), 3)
