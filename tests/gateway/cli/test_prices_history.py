"""Changes, histories and quarantined syncs on the terminal."""

import csv
import io
import json

import pytest

from tests.conftest import _run as execute
from tests.kit.command_line import environment_of, run_command
from tests.kit.shelf import settings_for

PLAN = "jp-1gb-7d-1"
FILL = """
INSERT INTO suppliers (name, provider, mode, last_good_at, last_sync_state)
VALUES ('alpha', 'pikasim', 'test', now(), 'ok');
INSERT INTO offers (id, supplier, supplier_plan_id, plan_id, name, coverage, data, days, starts, cost, currency, digest,
    first_seen_at, changed_at)
VALUES ('off_1', 'alpha', 'A1', 'jp-1gb-7d-1', 'Japan [bold]1 GB', '{JP}', '{"mb": 1024}', 7, 'install', 5.50, 'USD',
    decode(repeat('00', 24), 'hex'), now() - interval '9 days', now());
INSERT INTO price_changes (supplier, supplier_plan_id, plan_id, old, new, old_currency, new_currency, at, sync_run_id)
VALUES ('alpha', 'A1', 'jp-1gb-7d-1', 5, 5.50, 'USD', 'USD', now() - interval '1 hour', 'sync_1');
INSERT INTO offer_events (at, supplier, supplier_plan_id, plan_id, kind, cost, currency, sync_run_id)
VALUES (now() - interval '2 days', 'alpha', 'A7', 'fr-1gb-7d-1', 'gone', 3, 'USD', 'sync_1');
INSERT INTO sync_runs (id, suppliers, ended_at, state)
VALUES ('sync_0', '{alpha}', now() - interval '3 days', 'ok'), ('sync_1', '{alpha}', now(), 'failed');
INSERT INTO sync_run_suppliers (run_id, supplier, state, up, at)
VALUES ('sync_0', 'alpha', 'ok', 0, now() - interval '3 days'), ('sync_1', 'alpha', 'quarantined', 0, now());
INSERT INTO quarantines (run_id, supplier, at, reason, before, new, changed, gone, up, down, moved_far, difference)
VALUES ('sync_1', 'alpha', now(), 'all of it moved', 1, 0, 1, 0, 1, 0, 1, 'd');
INSERT INTO quarantine_rows
VALUES ('sync_1', 'alpha', 'moved', 1, 'A1', 'jp-1gb-7d-1', 'Japan', 5.5, 'USD', 55, 'USD', 9);
"""


@pytest.fixture
def run(database_url, tmp_path):
    """Runs a command on a database with one change, one offer gone and one sync that waits; what it prints."""
    execute(database_url, FILL)
    account = {"provider": "pikasim", "mode": "test", "base_url": "http://127.0.0.1:1", "api_key": "x" * 20}
    environment = environment_of(settings_for(tmp_path, database_url, suppliers={"alpha": account}), COLUMNS="200")

    def call(*words, code=0):
        done = run_command(environment, *words)
        assert done.code == code, done
        return done.out

    return call


def test_changes_as_a_table_as_csv_and_as_json(run):
    shown = run("prices", "changes")
    assert "+10 %" in shown
    assert "Japan [bold]1 GB" in shown
    assert "gone" in shown
    (change,) = json.loads(run("prices", "changes", "--kind", "up", "--since", "24h", "--min-percent", "10", "--json"))
    assert (change["kind"], change["old"]["amount"], change["percent"]) == ("up", "5.00", 10.0)
    assert json.loads(run("prices", "changes", "--kind", "up", "--min-amount", "0.51", "--json")) == []
    assert [c["kind"] for c in json.loads(run("prices", "changes", "--country", "japan", "--json"))] == ["up"]
    rows = list(csv.DictReader(io.StringIO(run("prices", "changes", "--limit", "1", "--csv"))))
    assert [(row["kind"], row["old"], row["new"]) for row in rows] == [("up", "5.00", "5.50")]
    assert "nothing" not in run("prices", "changes", "--plan", PLAN)


def test_a_summary_and_words_that_mean_nothing(run):
    assert json.loads(run("prices", "changes", "--summary", "--json"))["countries"][0]["country"] == "JP"
    assert "alpha" in run("prices", "changes", "--summary", "--since", "7d")
    assert run("prices", "changes", "--summary", "--csv").startswith("of,name,up")
    for words in (["--kind", "sideways"], ["--since", "lately"], ["--min-percent", "much"], ["--country", "Atlantis"]):
        run("prices", "changes", *words, code=2)


def test_a_history_by_plan_and_by_offer(run):
    shown = run("prices", "history", PLAN)
    assert "5.00 USD" in shown
    assert "was not synced" in shown
    found = json.loads(run("prices", "history", "off_1", "--json"))
    assert [step["cost"]["amount"] for step in found["offers"][0]["steps"]] == ["5.00", "5.50"]
    rows = list(csv.DictReader(io.StringIO(run("prices", "history", PLAN, "--csv"))))
    assert [row["cost"] for row in rows] == ["5.00", "5.50"]
    for name in ("none", "off_none"):
        run("prices", "history", name, code=2)


def test_a_quarantined_sync_is_seen_and_refused(run):
    assert "all of it moved" in run("quarantine", "list")
    assert "+900 %" in run("quarantine", "show", "alpha")
    found = json.loads(run("quarantine", "show", "alpha", "--json"))
    assert (found["quarantine"]["state"], found["data"][0]["new"]["amount"]) == ("waiting", "55.00")
    assert "A1" in run("quarantine", "show", "alpha", "--csv")
    assert "refused" in run("quarantine", "refuse", "alpha", "--why", "their fault")
    assert json.loads(run("quarantine", "list", "--json")) == []
    run("quarantine", "refuse", "alpha", "--why", "again", code=2)
