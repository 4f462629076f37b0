"""Listening for NOTIFY on a connection of its own, opened again whenever it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from gateway.kit.pool import DATABASE_DOWN, connect

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 1.0
ALIVE_SECONDS = 10.0  # a connection whose server froze says nothing: it is asked this often
ANSWER_SECONDS = 5.0

Heard = Callable[[str], None]


async def listen(dsn: str, channels: Mapping[str, Heard], on_state: Callable[[bool], None], name: str) -> None:
    """Call each channel's function with every payload, until cancelled.

    ``on_state`` is called with True whenever it listens anew (what was notified before is lost, so look yourself),
    and with False when it does not.
    """
    while True:
        try:
            await _listen_once(dsn, channels, on_state, name)
        except DATABASE_DOWN as error:
            log.info("notifications_lost", error=type(error).__name__)
        finally:
            on_state(False)
        await asyncio.sleep(AGAIN_SECONDS)


async def _listen_once(dsn: str, channels: Mapping[str, Heard], on_state: Callable[[bool], None], name: str) -> None:
    connection = await connect(dsn, name=name)
    try:
        for channel, heard in channels.items():
            await connection.add_listener(channel, _callback(heard))
        on_state(True)
        while True:
            await asyncio.sleep(ALIVE_SECONDS)
            async with asyncio.timeout(ANSWER_SECONDS):
                await connection.execute("SELECT 1")
    finally:
        connection.terminate()


def _callback(heard: Heard) -> Callable[[object, int, str, object], None]:
    def called(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        heard(str(payload))

    return called
