"""Where the made-up suppliers sell: countries, operators, spellings and each one's own regional sets."""

from __future__ import annotations

from importlib import resources

import msgspec

from providers.kit import places


class _Geography(msgspec.Struct, forbid_unknown_fields=True):
    not_sold: str
    popular: str
    global_sizes: tuple[int, ...]
    regions: tuple[dict[str, str], ...]
    spellings: dict[str, tuple[str, str, str]]
    operators: dict[str, tuple[str, ...]]


_FILE = msgspec.toml.decode(resources.files(__package__).joinpath("geography.toml").read_bytes(), type=_Geography)
POPULAR = tuple(_FILE.popular.split())
REGIONS = tuple({name: tuple(codes.split()) for name, codes in supplier.items()} for supplier in _FILE.regions)
GLOBAL_SIZES = _FILE.global_sizes


def sold_countries() -> list[str]:
    """Every country that the suppliers may sell, in order."""
    return [code for code in places.country_codes() if code not in _FILE.not_sold.split()]


def spelling(code: str, supplier: int) -> str:
    """The country's name as the supplier of that rank writes it."""
    spellings = _FILE.spellings.get(code)
    return places.country_name(code) if spellings is None else spellings[supplier % len(spellings)]


def operators(code: str) -> tuple[str, ...]:
    """Operators in a country: the real ones where they are listed, made-up ones elsewhere."""
    name = places.country_name(code)
    return _FILE.operators.get(code, (f"{name} Telecom", f"{name} Mobile"))
