"""A kind of alert is declared once: what the API, the evaluation and the docs know are the same kinds."""

from pathlib import Path
from typing import get_args

import pytest

from gateway.alerts.alert_kinds import HEALTH_KINDS, KINDS
from gateway.alerts.evaluate import EVALUATIONS
from schemas.api_alerts import AlertKind

DOCS = Path(__file__).parents[3] / "docs" / "alerts.md"


def test_every_kind_of_the_api_is_declared_evaluated_and_documented():
    kinds = set(get_args(AlertKind))
    assert set(KINDS) == kinds
    assert {"price_move"} | HEALTH_KINDS | EVALUATIONS.keys() == kinds
    rows = {line.split("`")[1] for line in DOCS.read_text().splitlines() if line.startswith("| `")}
    assert rows == kinds


@pytest.mark.parametrize(
    ("kind", "threshold", "says"),
    [
        ("price_move", "25", "the cost of an offer moves by 25 % up"),
        ("orders_attention", "30", "an order has needed attention for 30 minutes"),
        ("orders_attention", "0", "an order has needed attention"),
        ("sync_trouble", "0", "its sync failed, is quarantined, or late by 0 minutes"),
        ("sync_trouble", None, "its sync failed, is quarantined, or late by two intervals"),
        ("no_worker", None, "no worker has been seen for 60 seconds"),
    ],
)
def test_a_rule_is_told_in_words(kind, threshold, says):
    assert KINDS[kind].says(threshold, way="up", about="of an offer") == says
