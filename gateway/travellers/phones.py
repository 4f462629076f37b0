"""Phones by brand, with what is known of each: whether it can use an eSIM. The list is dated and names its source."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

Verdict = Literal["yes", "varies", "no"]
_VERDICTS: tuple[Verdict, ...] = ("yes", "varies", "no")


class Phone(NamedTuple):
    """A model, and whether it can use an eSIM."""

    model: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class PhoneList:
    """The list of a day; ``brands`` have their models in the order in which they are shown."""

    source: str
    date: date
    brands: Mapping[str, Sequence[Phone]]


@cache
def phones() -> PhoneList:
    """The list that comes with the gateway."""
    values = tomllib.loads(resources.files("gateway.travellers").joinpath("phones.toml").read_text("utf-8"))
    brands = {
        brand["name"]: tuple(Phone(model, verdict) for verdict in _VERDICTS for model in brand.get(verdict, ()))
        for brand in values["brands"]
    }
    return PhoneList(values["source"], values["date"], brands)
