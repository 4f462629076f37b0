"""Background tasks end, even where a library swallows their cancellation."""

import asyncio

from gateway.kit.tasks import end
from tests.kit.waiting import PATIENCE


async def test_a_task_that_swallowed_a_cancellation_is_ended_all_the_same():
    swallowed = 0

    async def stubborn():
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 2:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(end(task), PATIENCE)
    assert task.done()
    assert swallowed == 2


async def test_what_a_task_ended_with_is_nobodys_surprise():
    async def failing():
        raise ValueError("gone wrong")

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)
    await end(task)
    assert isinstance(task.exception(), ValueError)
