"""The audit log as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class AuditEntry(msgspec.Struct, frozen=True):
    """One log-in or change. ``actor`` is a user's name, or what else acted ("command line, root", "key key_1f…").

    ``user_id`` is null when no user of the console acted. ``action`` reads "user.logged_in", ``object`` "user:ana".
    """

    id: str
    at: datetime
    user_id: str | None
    actor: str
    action: str
    object: str
    detail: dict[str, Any]
