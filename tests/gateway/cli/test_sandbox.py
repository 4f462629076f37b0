from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 60
COMMAND = (sys.executable, "-c", "from gateway.cli import main; main()", "sandbox")


@contextmanager
def _running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command and all that it prints until it is up."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("# Other routes"):
                    break
            yield process, "".join(lines)
        finally:
            process.kill()


def test_it_prints_accounts_that_work_and_ends_when_it_is_told_to() -> None:
    with _running("--port", "0") as (process, text):
        accounts = tomllib.loads(text)["suppliers"]
        assert {"beppay", "pikasim", "s2s"} <= set(accounts)
        account = accounts["pikasim"]
        request = urllib.request.Request(f"{account['base_url']}/packages", headers={"X-API-Key": account["api_key"]})
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            assert json.load(answer)["success"] is True
        with urllib.request.urlopen(f"{account['base_url']}/_sandbox/state", timeout=SECONDS) as answer:
            assert json.load(answer)["seed"] == 7
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0


def test_what_was_bought_outlives_a_kill_where_books_are_kept(tmp_path: Path) -> None:
    for run in range(2):
        with _running("--port", "0", "--books", str(tmp_path / "books")) as (process, text):
            account = tomllib.loads(text)["suppliers"]["beppay"]
            where = f"{account['base_url']}/_sandbox/truth"
            if run == 0:
                request = urllib.request.Request(
                    f"{account['base_url']}/api/partner/esim/purchase",
                    data=b'{"plan_id": "JP-1GB-7D", "email": "a@shop.example"}',
                    headers={"X-API-Key": account["api_key"], "Content-Type": "application/json"},
                )
                with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                    assert json.load(answer)["success"] is True
            with urllib.request.urlopen(where, timeout=SECONDS) as answer:
                truth = json.load(answer)
            assert [row["details"]["email"] for row in truth["charges"]] == ["a@shop.example"]
            process.kill()


def test_a_market_list_is_sold_as_it_is(tmp_path: Path) -> None:
    market = tmp_path / "market.csv"
    market.write_text(
        "date,competitor,country,data,days,price_usd,source_url\n2026-01-01,Brand,Atlantis,1 GB,7,1.25,https://a.example\n"
    )
    with _running("--port", "0", "--market", str(market)) as (_, text):
        assert sorted(re.findall(r"# \w+, ([0-9]+) items", text)) == ["0", "0", "1"]  # a brand has one supplier


def test_a_file_that_is_no_market_list_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    found = subprocess.run(
        [*COMMAND, "--market", str(wrong)], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert "no column date" in found.stderr
