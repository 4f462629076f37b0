"""What is asked for of a plan's features, from a request, a quote and a stored order to one ``Wanted``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from providers.kit.places import is_country, unknown_country
from schemas.features import Wanted, requirements


class InvalidFeature(ValueError):  # noqa: N818 - says what cannot be asked for
    """A feature cannot be asked for so; ``feature`` is its name."""

    def __init__(self, feature: str, detail: str) -> None:
        super().__init__(f"{feature}: {detail}")
        self.feature = feature
        self.detail = detail


def read(sent: Wanted) -> Wanted:
    """The features that a request asks for, whatever else it has. Raises ``InvalidFeature`` for an unknown country."""
    needs = [*requirements(sent)]
    for name, rule, value in needs:
        for code in value.split(",") if rule.is_country else ():
            if not is_country(code):
                raise InvalidFeature(name, unknown_country(code))
    return Wanted(**{need.name: need.value for need in needs})


def both(requested: Wanted, quoted: Wanted) -> Wanted:
    """What an order and its quote ask for. Raises ``InvalidFeature`` where they differ in one feature."""
    ours, theirs = (msgspec.to_builtins(wanted) for wanted in (requested, quoted))
    for name in ours.keys() & theirs.keys():
        if ours[name] != theirs[name]:
            raise InvalidFeature(name, "the quote was made for another")
    return Wanted(**theirs, **{name: value for name, value in ours.items() if name not in theirs})


def stored(values: Mapping[str, Any]) -> Wanted:
    """What an order's row keeps. Orders from before 2026-11-22 have each feature, with false or null for not asked."""
    fast = {"network": "5G"} if values.get("five_g") else {}
    wanted = {
        name: value
        for name, value in values.items()
        if name != "five_g" and value is not None and (value is not False or name == "kyc_required")
    }
    return msgspec.convert(wanted | fast, Wanted)
