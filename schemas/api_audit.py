"""The audit log as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from schemas.examples import example


class AuditEntry(msgspec.Struct, frozen=True):
    """One log-in or change. ``actor`` is a user's name, or what else acted ("command line, root", "key key_1f…").

    ``user_id`` is null when no user of the console acted. ``action`` reads "user.logged_in", ``object`` "user:ana".
    """

    id: Annotated[str, example("aud_4711")]
    at: datetime
    user_id: Annotated[str | None, example("usr_5c1f0a9be2d44b77")]
    actor: Annotated[str, example("ana")]
    action: Annotated[str, example("user.logged_in")]
    object: Annotated[str, example("user:ana")]
    detail: Annotated[dict[str, Any], example({"address": "192.0.2.10"})]
