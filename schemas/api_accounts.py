"""Our accounts at the suppliers, as JSON: what a check found, keys that are turned over, webhooks that are set."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from schemas.account import SupplierAccount, SupplierKey
from schemas.api import Price, SupplierName


class CheckFinding(msgspec.Struct, frozen=True, omit_defaults=False):
    """One thing that was looked at. ``bad`` keeps it from working; ``warn`` will, or may; ``unknown``: not looked at.

    ``what_to_do`` is empty when nothing is; ``settings`` are the ones to look at, as the configuration names them.
    """

    about: str
    level: Literal["ok", "warn", "bad", "unknown"]
    detail: str
    what_to_do: str = ""
    settings: tuple[str, ...] = ()
    ms: int | None = None


class CheckReport(msgspec.Struct, frozen=True):
    """One account: what it can do, what its supplier says of it, what is wrong with it. ``answers``: nothing is bad.

    ``clock_ahead`` is how many seconds the supplier's clock is ahead of ours. ``key`` is the stored key in force,
    null when the configured one is. ``keys`` are those that the supplier lists, null where it does not.
    """

    name: SupplierName
    provider: str
    mode: Literal["live", "test"]
    at: datetime
    answers: bool
    capabilities: list[str]
    cannot: dict[str, str]
    account: SupplierAccount | None
    balance: Price | None
    spendable: Price | None
    clock_ahead: float | None
    key: str | None
    keys: list[SupplierKey] | None
    first_page: int | None
    findings: list[CheckFinding]


class KeyRotation(msgspec.Struct, frozen=True):
    """A key that takes the place of another at a supplier, and how far it is.

    The old one is valid until ``revoke_at`` at least. ``error`` is what is in the way, or what is left to a person.
    """

    id: str
    supplier: SupplierName
    state: Literal["asked", "kept", "known", "verified", "switched", "done", "undoing", "undone"]
    in_force: bool
    name: str
    prefix: str | None
    key_id: str | None
    old_key_id: str | None
    started_by: str
    started_at: datetime
    changed_at: datetime
    revoke_at: datetime | None
    look_at: datetime | None
    error: str | None


class WebhookSetUp(msgspec.Struct, frozen=True):
    """Whether a supplier's webhooks arrive at ``url``. ``state`` by_hand: a person has to do ``what_to_do`` there."""

    supplier: SupplierName
    url: str
    state: Literal["arrived", "forged", "not_arrived", "refused", "by_hand"]
    detail: str
    what_to_do: str
