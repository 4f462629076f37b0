"""The records of a supplier simulator, which outlive its process where a folder for them is named."""

from __future__ import annotations

import asyncio
import os
from decimal import Decimal
from pathlib import Path

import pytest

from providers.simulator import SandboxWorld
from schemas.errors import ConfigurationError
from tests.providers.simulator.corner_shop import corner_shop


def world(folder: Path) -> SandboxWorld:
    return SandboxWorld(["corner"], records=folder)


async def test_what_was_sold_is_there_in_the_next_process(tmp_path: Path) -> None:
    async with corner_shop(world=world(tmp_path)) as counter:
        await counter.told("till", {"deposit": "50"})
        first = await counter.bought("A-1")
        second = await counter.bought("A-2")
        await counter.post(f"/esims/{second['iccid']}/cancel")
        await counter.told(f"esims/{first['iccid']}", {"used_mb": 100})
        assert (await counter.buy("A-1"))[0] == 409
        await counter.trigger("failed_after_processing")
        failing = await counter.bought("A-3")
        truth = await counter.truth()
    await asyncio.sleep(0.3)
    async with corner_shop(world=world(tmp_path)) as counter:
        again = await counter.truth()
        assert again == truth
        assert again["charges"][1]["refunded"] == again["charges"][1]["charged"]
        assert (await counter.get(f"/orders/{failing['id']}"))["state"] == "failed"
        assert (await counter.buy("A-2"))[0] == 409, "references stay used"
        esim = await counter.get(f"/_sandbox/esims/{first['iccid']}")
        assert (esim["packages"][0]["used_mb"], esim["service"]) == (100, "active")
        later = await counter.bought("A-4")
        numbers = [row["number"] for row in (await counter.truth())["charges"]]
        assert numbers == sorted(set(numbers))
        assert later["iccid"] not in {first["iccid"], second["iccid"]}
        moves = (await counter.truth())["moves"]
        assert sum(Decimal(move["amount"]) for move in moves) == counter.simulator.balance
        assert [move["number"] for move in moves] == list(range(1, len(moves) + 1))


async def test_a_line_that_was_cut_off_never_happened(tmp_path: Path) -> None:
    file = tmp_path / "corner.jsonl"
    async with corner_shop(world=world(tmp_path)) as counter:
        await counter.bought("A-1")
        truth = await counter.truth()
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"moves":[{"number":3,"ki')
    async with corner_shop(world=world(tmp_path)) as counter:
        assert await counter.truth() == truth
        await counter.bought("A-2")
    assert file.read_bytes().startswith(whole)
    async with corner_shop(world=world(tmp_path)) as counter:
        assert [row["reference"] for row in (await counter.truth())["charges"]] == ["A-1", "A-2"]


async def test_a_reset_begins_new_records(tmp_path: Path) -> None:
    async with corner_shop(world=world(tmp_path)) as counter:
        await counter.bought("A-1")
        await counter.told("reset", None)
    async with corner_shop(world=world(tmp_path)) as counter:
        assert not (await counter.truth())["charges"]
        assert counter.simulator.balance == Decimal(100)


async def test_a_file_that_holds_no_records_is_named(tmp_path: Path) -> None:
    (tmp_path / "corner.jsonl").write_text("price,stock\n1,2\n")
    with pytest.raises(ConfigurationError, match=r"corner\.jsonl"):
        async with corner_shop(world=world(tmp_path)):
            pass


async def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with corner_shop() as counter:
        await counter.bought("A-1")
    assert not os.listdir()  # noqa: PTH208 - pathlib's would be awaited
