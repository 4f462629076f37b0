"""What a process remembers for a while."""

import asyncio

import pytest

from gateway.kit.remembered import Remembered


async def test_a_value_is_read_anew_when_its_time_is_over_and_by_another_name():
    remembered, read = Remembered(), []

    async def one():
        read.append(len(read))
        return read[-1]

    assert [await remembered.get("a", 600, one) for _ in range(3)] == [0, 0, 0]
    assert await remembered.get("b", 0, one) == 1
    assert await remembered.get("b", 600, one) == 2
    assert await remembered.get("b", 600, one) == 2
    assert await remembered.get("a", 600, one) == 0


async def test_those_who_ask_at_one_moment_wait_for_one_reading_whoever_of_them_goes():
    remembered, read, may_end = Remembered(), [], asyncio.Event()

    async def slow():
        read.append(len(read))
        await may_end.wait()
        return "value"

    first, *others = [asyncio.create_task(remembered.get("a", 600, slow)) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    may_end.set()
    assert await asyncio.gather(*others) == ["value"] * 4
    assert read == [0]


async def test_a_reading_that_fails_is_told_to_all_who_wait_and_begun_anew_by_the_next():
    remembered = Remembered()

    async def fails():
        await asyncio.sleep(0)
        raise LookupError("away")

    async def works():
        return 1

    found = await asyncio.gather(*(remembered.get("a", 600, fails) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [LookupError] * 3
    with pytest.raises(LookupError):
        await remembered.get("a", 600, fails)
    assert await remembered.get("a", 600, works) == 1
