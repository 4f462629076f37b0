"""What a snapshot needs to know of places and names, apart from where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from providers.kit import places, plan_names
from schemas.plan import DataAllowance

_SOMEWHERE = "AD"  # a plan's name is its place, then the rest; any country's name shows where the rest begins
_SOMETHING = DataAllowance(mb=1000, declared="1 GB")


@dataclass(frozen=True, slots=True)
class Region:
    """A named region."""

    code: str
    name: str
    countries: tuple[str, ...]


@dataclass(frozen=True)
class Geography:
    """Names of countries, regions and plans.

    ``plan_name`` must be a function that puts the place before everything else.
    """

    country_name: Callable[[str], str]
    regions: tuple[Region, ...]
    region_of: Callable[[tuple[str, ...]], str | None]
    plan_name: Callable[[tuple[str, ...], DataAllowance, int, tuple[str, ...]], str]

    def rest_of_name(self, data: DataAllowance, days: int, included: tuple[str, ...] = ()) -> str:
        """A plan's name after its place: " 1 GB, 7 days"."""
        return self.plan_name((_SOMEWHERE,), data, days, included)[len(self.country_name(_SOMEWHERE)) :]

    def place_name(self, coverage: tuple[str, ...]) -> str:
        """A plan's name before its amount: "Japan", "Europe (33 countries)"."""
        return self.plan_name(coverage, _SOMETHING, 1, ()).removesuffix(self.rest_of_name(_SOMETHING, 1))


def of_this_world() -> Geography:
    """The countries of CLDR and the regions of the configuration."""
    regions = tuple(Region(r.code, r.name, r.countries) for r in places.regions())
    return Geography(places.country_name, regions, places.region_of, plan_names.plan_name)
