"""Whether a password is a user's, asked of the database."""

from __future__ import annotations

from gateway.access import user_rows
from gateway.access.passwords import verify_password
from gateway.kit.pool import Pool


async def is_password(pool: Pool, name: str, password: str) -> bool:
    """Whether the user of that name may log in with this password."""
    found = await user_rows.credentials(pool, name)
    return found is not None and await verify_password(found.password, password)
