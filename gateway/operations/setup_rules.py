"""What a new installation still needs: the steps of its set-up, and which of them are done. Pure."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

SetupStep: TypeAlias = Literal["supplier", "sync", "key", "pricing_rule", "rates", "alert_channel", "webhook"]
# Without these nothing can be sold.
_NEEDED: tuple[SetupStep, ...] = ("supplier", "sync", "key")


class SetupFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the database has, for one mode where it is of a mode.

    Attributes:
        supplier: A supplier is configured.
        sync: The catalogue of one was taken over.
        key: A storefront has a key in force.
        pricing_rule: A pricing rule is enabled.
        rates: An exchange rate other than a shipped one is in force.
        alert_channel: A channel for alerts is enabled.
        webhook: A storefront has an enabled webhook endpoint.
    """

    supplier: bool
    sync: bool
    key: bool
    pricing_rule: bool
    rates: bool
    alert_channel: bool
    webhook: bool


class Checklist(msgspec.Struct, frozen=True):
    """The steps in their order, each with whether it is done. ``sells``: those that selling needs are done."""

    steps: tuple[tuple[SetupStep, bool], ...]
    sells: bool

    @property
    def done(self) -> int:
        """How many steps are done."""
        return sum(done for _, done in self.steps)


def checklist(facts: SetupFacts) -> Checklist | None:
    """The steps of the set-up; None once all are done."""
    found: dict[SetupStep, bool] = msgspec.structs.asdict(facts)  # type: ignore[assignment]
    if all(found.values()):
        return None
    return Checklist(tuple(found.items()), all(found[step] for step in _NEEDED))
