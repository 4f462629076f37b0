"""``sync``, ``suppliers`` and ``worker`` as scripts use them, on the real sandboxes."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession

from providers.loader import load_manifests

HOUSE = Path(__file__).parents[3]


@pytest.fixture
def command(sandbox, database_url, tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")} | {
        "GATEWAY_DATABASE_URL": database_url,
        "GATEWAY_STATE_DIR": str(tmp_path),
        "GATEWAY_SUPPLIERS": json.dumps(
            {
                name: {**manifest.sandbox_settings, "provider": name, "mode": "test", "base_url": sandbox.urls[name]}
                for name, manifest in load_manifests().items()
                if manifest.sandbox is not None
            },
            default=str,
        ),
    }

    async def run(*arguments, **more):
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *arguments),
            cwd=HOUSE,
            env=environment | more,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(child.communicate(), 120)
        return child.returncode, out.decode(), err.decode()

    run.environment = environment
    return run


async def test_sync_prints_the_run_and_its_exit_code_says_it_all(command, sandbox):
    code, out, err = await command("sync", "--json")
    run = json.loads(out)
    assert (code, run["state"], err) == (0, "ok", "")
    for part in run["suppliers"]:
        assert part["total"] == part["mapped"] + sum(part["set_aside"].values()) > 500

    code, out, _ = await command("sync", "--json")
    assert {(p["new"], p["changed"], p["gone"]) for p in json.loads(out)["suppliers"]} == {(0, 0, 0)}

    async with (
        ClientSession() as session,
        session.post(f"{sandbox.urls['beppay']}/_sandbox/faults", json={"kind": "html"}) as answer,
    ):
        assert answer.ok
    code, out, _ = await command("sync", "--json")
    states = {part["supplier"]: part["state"] for part in json.loads(out)["suppliers"]}
    assert (code, states.pop("beppay"), set(states.values())) == (3, "failed", {"ok"})

    code, out, _ = await command("sync", "--quiet")
    assert code == 3
    assert [line.split()[:2] for line in out.splitlines() if "items" in line] == [["beppay", "failed"]]

    code, out, err = await command("sync", "--quiet", "--supplier", "pikasim")
    assert (code, out, err) == (0, "", "")
    code, out, err = await command("sync", "--verbose", "--supplier", "pikasim")
    assert (code, "supplier_synced" in err) == (0, True)

    code, out, _ = await command("sync", "--supplier", "beppay")
    assert code == 4
    assert "beppay  failed" in out

    code, out, _ = await command("suppliers", "list", "--json")
    listed = {row["name"]: row["last_sync_state"] for row in json.loads(out)}
    assert code == 0
    assert listed.items() >= {"beppay": "failed", "pikasim": "ok", "s2s": "ok"}.items()
    states = {row["name"]: (row["state"], row["reason"]) for row in json.loads(out)}
    assert (states["pikasim"], states["beppay"][0]) == (("ok", None), "degraded")
    assert states["beppay"][1].startswith("its last sync failed, so its offers are stale")
    code, out, _ = await command("suppliers", "check", "--json")
    assert (code, {row["name"]: row["answers"] for row in json.loads(out)}["beppay"]) == (3, False)


async def test_a_dry_run_prints_what_a_sync_would_change_and_nothing_is_synced(command, pool, sandbox):
    async with (
        ClientSession() as session,
        session.post(f"{sandbox.urls['beppay']}/_sandbox/faults", json={"kind": "html"}) as answer,
    ):
        assert answer.ok
    code, out, err = await command("sync", "--dry-run", "--json")
    tried = json.loads(out)
    states = {part["supplier"]: part["state"] for part in tried["suppliers"]}
    assert (code, tried["id"], states.pop("beppay"), set(states.values())) == (3, "dry_run", "failed", {"ok"})
    assert await pool.fetchval("SELECT count(*) FROM suppliers") == 0

    code, out, err = await command("sync", "--dry-run", "--supplier", "pikasim")
    [part] = [part for part in tried["suppliers"] if part["supplier"] == "pikasim"]
    title, heads, row, *notes = out.splitlines()
    assert (code, err, title) == (0, "", "dry run: ok; nothing was written")
    assert heads.split()[:8] == ["supplier", "state", "items", "mapped", "unmapped", "new", "changed", "gone"]
    unmapped = sum(part["set_aside"].values())
    assert row.split()[:6] == ["pikasim", "ok", *map(str, (part["total"], part["mapped"], unmapped, part["new"]))]
    reasons = ", ".join(f"{count} {reason}" for reason, count in part["set_aside"].items())
    assert f"pikasim: unmapped: {reasons}" in notes

    code, out, err = await command("sync", "--dry-run", "--quiet", "--supplier", "pikasim")
    assert (code, out, err) == (0, "", "")
    code, out, _ = await command("sync", "--dry-run", "--quiet")
    assert (code, {line.split()[0].rstrip(":") for line in out.splitlines()}) == (3, {"supplier", "beppay"})
    assert await pool.fetchval("SELECT count(*) FROM offers") == 0


async def test_sync_of_an_unknown_supplier_is_a_wrong_configuration(command):
    code, _, err = await command("sync", "--supplier", "nobody")
    assert code == 2
    assert "no supplier with a catalogue is named nobody" in err


async def test_sync_without_a_database_says_so_and_syncs_none(command):
    code, _, err = await command("sync", GATEWAY_DATABASE_URL="postgresql://postgres@127.0.0.1:1/x")
    assert code == 4
    assert "the database is away" in err


async def test_a_worker_syncs_soon_after_its_start_and_ends_on_a_signal(command, pool):
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "worker"),
        cwd=HOUSE,
        env=command.environment | {"GATEWAY_METRICS__WORKER_PORT": "0"},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(90):
            while not await pool.fetchval("SELECT count(*) FROM sync_runs WHERE state = 'ok'"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        child.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(child.wait(), 60) == 0
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
