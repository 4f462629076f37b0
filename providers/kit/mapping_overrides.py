"""What operators told of words that no table knows, as one provider's mapping looks it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, eq=False)
class MappingOverrides:
    """Term mappings, as one provider's mapping looks them up. Equal when it says the same; a key of caches.

    ``countries``: key of a place -> its code. ``regions``: key -> sorted codes. ``units``: ``unit_key`` -> days.
    ``attributes``: country, data and days -> codes that mean it.
    """

    countries: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    units: Mapping[str, Fraction] = field(default_factory=dict)
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    digest: bytes = b""

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, MappingOverrides) and self.digest == other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)
