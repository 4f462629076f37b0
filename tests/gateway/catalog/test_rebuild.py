"""A snapshot made by another process, which ends with the one that started it."""

from __future__ import annotations

import asyncio
import os

import pytest

from gateway.catalog import rebuild
from gateway.catalog.rebuild import Rebuild
from tests.kit.shelf import settings_for
from tests.kit.waiting import until

# It takes longer to end than a task that is cancelled is waited for before it is cancelled again.
SLOW_TO_END = """#!/bin/sh
trap 'sleep 1.2; exit 0' TERM
echo $$ > {noted}.tmp && mv {noted}.tmp {noted}
while :; do sleep 0.05; done
"""


@pytest.mark.parametrize("begun", [True, False])
async def test_a_rebuild_that_is_stopped_leaves_no_process(tmp_path, monkeypatch, begun):
    noted, slow = tmp_path / "pid", tmp_path / "slow"
    slow.write_text(SLOW_TO_END.format(noted=noted))
    slow.chmod(0o755)
    monkeypatch.setattr(rebuild.sys, "executable", str(slow))
    made = Rebuild(settings_for(tmp_path, "postgresql://nobody@127.0.0.1:1/nothing"))
    assert made.start()
    await (until(noted.exists) if begun else asyncio.sleep(0))
    await made.stop()
    assert not made.running
    if noted.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(noted.read_text()), 0)
    assert not made.start(), "what was stopped does not begin again"
