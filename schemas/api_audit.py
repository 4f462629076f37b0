"""The audit log as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from schemas.examples import example


class AuditEntry(msgspec.Struct, frozen=True):
    """One log-in or change.

    Attributes:
        id: The entry's id.
        at: When it happened.
        user_id: The user of the console; null when none acted.
        actor: A user's name, or what else acted, such as a command line or a key.
        action: What was done.
        object: What it was done to.
        detail: More of it.
    """

    id: Annotated[str, example("aud_4711")]
    at: datetime
    user_id: Annotated[str | None, example("usr_5c1f0a9be2d44b77")]
    actor: Annotated[str, example("ana")]
    action: Annotated[str, example("user.logged_in")]
    object: Annotated[str, example("user:ana")]
    detail: Annotated[dict[str, Any], example({"address": "192.0.2.10"})]
