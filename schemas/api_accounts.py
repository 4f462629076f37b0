"""Our accounts at the suppliers, as JSON: what a check found, keys that are rotated, webhooks that are set."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from schemas.account import SupplierAccount, SupplierKey
from schemas.api import Price, SupplierName
from schemas.examples import example


class CheckFinding(msgspec.Struct, frozen=True, omit_defaults=False):
    """One thing that was looked at.

    Attributes:
        about: What was looked at.
        level: `bad` keeps it from working; `warn` will, or may; `unknown`: it was not looked at.
        detail: What was found.
        what_to_do: What an operator does about it; empty when nothing.
        settings: The settings to look at, as the configuration names them.
        ms: How long the supplier took, in milliseconds; null where it was not asked.
    """

    about: Annotated[str, example("signature")]
    level: Annotated[Literal["ok", "warn", "bad", "unknown"], example("bad")]
    detail: Annotated[str, example("Invalid signature. (HTTP 401)")]
    what_to_do: Annotated[
        str,
        example("suppliers.s2s.partner_secret is not the one that S2S has for us: copy it from there"),
    ] = ""
    settings: Annotated[tuple[str, ...], example(["suppliers.s2s.partner_secret"])] = ()
    ms: Annotated[int | None, example(41)] = None


class CheckReport(msgspec.Struct, frozen=True):
    """One account: what it can do, what its supplier says of it, what is wrong with it.

    Attributes:
        name: The account's name in the configuration.
        provider: The plugin that talks to the supplier.
        mode: Live or test.
        at: When the account was checked.
        answers: Whether nothing is bad.
        capabilities: What the supplier can do.
        cannot: What it cannot do, and why.
        account: What the supplier says of the account; null where it says nothing.
        balance: Our money there; null where it does not say.
        spendable: What can be spent of it; null where it does not say.
        clock_ahead: How many seconds the supplier's clock is ahead of ours; null where it does not say.
        key: The stored key in force; null when the configured one is.
        keys: The keys that the supplier lists; null where it lists none.
        first_page: How many items the first page of the catalogue has; null when it was not fetched.
        findings: What was looked at.
    """

    name: Annotated[SupplierName, example("s2s")]
    provider: Annotated[str, example("s2s")]
    mode: Annotated[Literal["live", "test"], example("live")]
    at: datetime
    answers: bool
    capabilities: Annotated[list[str], example(["balance", "catalog", "esim_status", "orders"])]
    cannot: Annotated[dict[str, str], example({"cancel": "S2S has no cancel call"})]
    account: SupplierAccount | None
    balance: Annotated[Price | None, example({"amount": "-58.18"})]
    spendable: Annotated[Price | None, example({"amount": "41.82"})]
    clock_ahead: Annotated[float | None, example(0.2)]
    key: str | None
    keys: Annotated[list[SupplierKey] | None, example(None)]
    first_page: Annotated[int | None, example(200)]
    findings: list[CheckFinding]


class KeyRotation(msgspec.Struct, frozen=True):
    """A key that takes the place of another at a supplier, and how far it is.

    The old one is valid until ``revoke_at`` at least. ``error`` is what is in the way, or what is left to an operator.
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
    """Whether a supplier's webhooks arrive at ``url``. ``state`` by_hand: an operator must do ``what_to_do`` there."""

    supplier: SupplierName
    url: str
    state: Literal["arrived", "forged", "not_arrived", "refused", "by_hand"]
    detail: str
    what_to_do: str
