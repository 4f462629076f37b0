"""What a product's name says ("10GB Europe Data", "USA 5GB 30 Days"), and what a plan is called."""

from __future__ import annotations

import msgspec

from schemas.plan import DataAllowance


class Parsed(msgspec.Struct, frozen=True):
    """The parts of a name that were understood.

    ``data`` is None when the name states no amount, ``days`` None when it states no number of days.
    ``place`` is what is left of the words ("Europe"), for ``places.place``; empty when nothing is.
    ``other_unit`` is a duration that is neither days nor months ("2 weeks"), None when there is none.
    """

    data: DataAllowance | None = None
    days: int | None = None
    place: str = ""
    other_unit: str | None = None

    @property
    def unlimited(self) -> bool:
        return self.data is not None and self.data.unlimited


def parse(text: str) -> Parsed:
    """The amount, duration and place in a name. Never raises; a text that is too long says nothing."""
    raise NotImplementedError


def plan_name(coverage: tuple[str, ...], data: DataAllowance, days: int) -> str:
    """A plan's display name, a function of what the plan is: "Japan 1 GB, 7 days".

    Two or three countries are named ("Japan, South Korea 3 GB, 10 days"); more are their region and
    number ("Europe (33 countries) 5 GB, 30 days").
    """
    raise NotImplementedError
