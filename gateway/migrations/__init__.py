"""The database schema and its history: ``upgrade`` brings a database to the newest revision.

Each revision is a file of plain SQL under ``versions/`` beside a few lines that name its place in the
chain. Several processes may upgrade one database at once: an advisory lock lets one work and the
others find the work done.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from gateway.kit.pool import CONNECT_SECONDS, connect

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0024"
LOCK = 7_310_577_101  # any number that nothing else locks in this database
_HERE = Path(__file__).parent
_ONE_AT_A_TIME = threading.Lock()  # Alembic keeps the running upgrade in module globals


async def current(dsn: str) -> str | None:
    """The revision that the database is at; None for an empty one."""
    connection = await connect(dsn)
    try:
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
    return revision


async def upgrade(dsn: str) -> bool:
    """Bring the database to ``HEAD``. True when something had to be done.

    A database that is at ``HEAD`` already costs one query. Everything runs in one transaction: an
    upgrade that fails or is killed leaves the database as it was.
    """
    if await current(dsn) == HEAD:
        return False
    await asyncio.to_thread(_upgrade, dsn)
    return True


def _upgrade(dsn: str) -> None:
    with _ONE_AT_A_TIME:
        asyncio.run(_run(dsn))


async def _run(dsn: str) -> None:
    # Loading Alembic takes longer than asking, and most starts have nothing to upgrade.
    from alembic import command  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(dsn, timeout=CONNECT_SECONDS),
        poolclass=NullPool,
    )
    try:
        async with engine.connect() as connection:
            config = alembic_config()
            config.attributes["connection"] = connection.sync_connection
            await connection.run_sync(lambda _: command.upgrade(config, "head"))
    finally:
        await engine.dispose()


def alembic_config() -> Config:
    """Alembic's configuration, made in code: there is no ini file to find."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
