"""A feature that nobody has made yet costs its own folder, a file in each face, a migration and a line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.kit.secret_keys import SECRET_KEY
from tests.layout import faults

ROOT = Path(__file__).parents[1]
MADE_UP = ROOT / "tests" / "made_up_feature"
LINE = '    Feature("loyalty"),\n'
USED = """
import asyncio, json, os, re, sys

import aiohttp
from aiohttp.test_utils import TestServer

from gateway.access import user_rows
from gateway.access.key_rows import create_key
from gateway.app import make_app
from gateway.kit.pool import open_pool
from gateway.kit.settings import load
from gateway.kit.worker_jobs import JobContext
from gateway.worker.periodic_jobs import PERIODIC_JOBS


async def main():
    dsn = os.environ["GATEWAY_DATABASE_URL"]
    settings, pool = load(), await open_pool(dsn)
    key = await create_key(pool, storefront="shop", mode="test", scopes=["ops"])
    (job,) = [job for job in PERIODIC_JOBS if job.name == "points_due"]
    await job.run(JobContext(None, settings, pool, dsn, asyncio.Event()))
    async with pool.acquire() as connection:
        user = await user_rows.add(connection, "ana", "viewer", "no hash")
        token = user_rows.new_token()
        await user_rows.begin_session(connection, user.id, token, "test", "127.0.0.1")
    jar = aiohttp.CookieJar(unsafe=True)
    async with TestServer(make_app(settings)) as server, aiohttp.ClientSession(cookie_jar=jar) as http:
        jar.update_cookies({"gw_session": token}, server.make_url("/"))
        async with http.get(server.make_url("/v1/ops/loyalty"), headers={"X-API-Key": key.key}) as answer:
            points = await answer.json()
        async with http.get(server.make_url("/console/loyalty")) as answer:
            page = await answer.text()
        async with http.get(server.make_url("/openapi-ops.json")) as answer:
            described = "/v1/ops/loyalty" in (await answer.json())["paths"]
    await pool.close()
    text = " ".join(re.sub("<[^>]+>", " ", page).split())
    link = 'href="/console/loyalty"' in page
    print(json.dumps({"points": points, "described": described, "page": text, "link": link}))


asyncio.run(main())
"""


def test_a_made_up_feature_works_with_one_line_in_the_list_of_features(empty_database_url, tmp_path):
    tree = tmp_path / "tree"
    for part in ("gateway", "providers", "schemas", "config"):
        shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
    before = {file for file in tree.rglob("*") if file.is_file()}
    shutil.copytree(MADE_UP, tree, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    features = tree / "gateway" / "features.py"
    text = features.read_text("utf-8")
    features.write_text(text.replace('    Feature("privacy"),\n', f'    Feature("privacy"),\n{LINE}'), "utf-8")
    new = {file for file in tree.rglob("*") if file.is_file()} - before
    assert {str(file.relative_to(tree)) for file in new} == {
        str(file.relative_to(MADE_UP)) for file in MADE_UP.rglob("*") if file.is_file() and file.suffix != ".pyc"
    }

    assert faults(tree) == []

    def run(*command: str) -> str:
        env = os.environ | {
            "GATEWAY_DATABASE_URL": empty_database_url,
            "GATEWAY_STATE_DIR": str(tmp_path / "state"),
            "GATEWAY_SECRET_KEY": SECRET_KEY,
        }
        done = subprocess.run(
            [sys.executable, *command], cwd=tree, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("-m", "gateway", "db", "upgrade")
    used = json.loads(run("-c", USED).splitlines()[-1])
    assert used["points"] == {"data": [{"storefront": "shop", "points": 1}]}
    assert used["described"]
    assert "shop: 1" in used["page"]
    assert used["link"]
    assert run("-m", "gateway", "loyalty", "list") == "shop  1\n"
