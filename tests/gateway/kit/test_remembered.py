"""What a process remembers for a while."""

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
