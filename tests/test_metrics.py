"""Dashboard, alert rules and documentation name metrics and labels that the gateway has."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.kit.settings import load
from tests.kit.programs import program
from tests.kit.promql import Expression, parse
from tests.kit.scraped import declared
from tests.layout import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = PROMETHEUS / "alerts.yml"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
# What Prometheus adds to every target's series, and the series that it makes itself.
_OF_TARGETS = {"job", "instance"}
_MADE_BY_PROMETHEUS: dict[str, set[str]] = {"up": set()}


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def expressions() -> Iterator[Any]:
    for panel in panels():
        for target in panel["targets"]:
            yield pytest.param(target["expr"], id=f"panel {panel['title']} {target['refId']}")
    for rule in rules():
        yield pytest.param(rule["expr"], id=rule["alert"])


def samples() -> dict[str, set[str]]:
    """Every name that an expression may have, with its labels."""
    found = dict(_MADE_BY_PROMETHEUS)
    for metric in declared().values():
        found |= metric.samples
    return found


def faults(expression: Expression) -> list[str]:
    """The names of an expression that there are not. What it groups by has to be a label of all that it reads."""
    known, found = samples(), []
    for selector in expression.selectors:
        if selector.name not in known:
            found.append(f"no metric {selector.name}")
            continue
        labels = known[selector.name] | _OF_TARGETS
        found += [f"{selector.name} has no label {label}" for label in (selector.labels | expression.grouped) - labels]
    return found


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_name_of_an_expression_is_one_of_the_gateway(expression: str) -> None:
    assert faults(parse(expression)) == []


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("max(gateway_orders_overdue_total)", "no metric gateway_orders_overdue_total"),
        ("sum(gateway_orders)", "no metric gateway_orders"),
        ('gateway_orders_total{storefront="a"}', "gateway_orders_total has no label storefront"),
        ("sum by (supplier) (gateway_orders_total)", "gateway_orders_total has no label supplier"),
        ("sum by (le) (gateway_attempt_seconds_count)", "gateway_attempt_seconds_count has no label le"),
    ],
)
def test_a_name_that_there_is_not_is_found(expression: str, fault: str) -> None:
    assert faults(parse(expression)) == [fault]


@pytest.mark.parametrize(
    "expression",
    [
        "rates(gateway_orders_total[5m])",
        "sum by supplier (gateway_attempts_total)",
        "gateway_orders_total{mode=live}",
        "rate(gateway_orders_total[$interval])",
        '{mode="live"}',
        "time() > 5",
        "gateway_orders_total{mode='live'}",
        "max(gateway_orders_overdue) ? 1",
    ],
)
def test_an_expression_that_is_not_understood_is_refused(expression: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ
        parse(expression)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule["annotations"]) == {"summary", "description"}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    expression = parse(rule["expr"])
    left = expression.grouped - {"le"} or (_OF_TARGETS if "(" not in rule["expr"].replace("(?", "") else set())
    named = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    assert named <= left


def test_names_of_rules_are_given_once() -> None:
    names = [rule["alert"] for rule in rules()]
    assert sorted(set(names)) == sorted(names)


def test_panels_stand_apart_and_read_the_chosen_data_source() -> None:
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    for panel in panels():
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        used = {name for target in panel["targets"] for name in re.findall(r"\$(\w+)", target["expr"])}
        assert used <= {*variables, "__rate_interval"}


def test_the_dashboard_shows_the_whole_shop() -> None:
    rows = {panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"}
    assert rows >= {"Orders", "Money", "Suppliers", "Webhooks", "Catalogue", "Processes"}


def test_the_sample_scrapes_the_ports_of_serve_and_worker() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    settings = load().metrics
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    assert targets == {
        "esim-gateway-serve": [f"{settings.host}:{settings.port}"],
        "esim-gateway-worker": [f"{settings.host}:{settings.worker_port}"],
    }
    assert config["rule_files"] == [RULES.name]
    jobs = {
        value
        for rule in rules()
        for selector in parse(rule["expr"]).selectors
        for label, _, value in selector.matchers
        if label == "job"
    }
    assert jobs
    assert {name for value in jobs for name in value.split("|")} <= set(targets)


def test_the_documentation_has_each_metric_with_its_labels_and_meaning() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text()
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in text.splitlines()
        if line.startswith("| `gateway_")
    ]
    expected = []
    for metric in declared().values():
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        expected.append((f"`{metric.shown}`", metric.kind, ", ".join(metric.processes), labels, metric.meaning))
    assert sorted(rows) == sorted(expected)


@pytest.mark.parametrize(
    "words", [("check", "rules", "alerts.yml"), ("check", "config", "prometheus.yml")], ids=" ".join
)
def test_promtool_takes_the_files(words: tuple[str, ...]) -> None:
    ended = subprocess.run([program("promtool"), *words], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_promtool_takes_the_expressions_of_the_dashboard(tmp_path: Path) -> None:
    written = [target["expr"] for panel in panels() for target in panel["targets"]]
    filled = [text.replace("$__rate_interval", "5m").replace("$mode", "live") for text in written]
    records = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(filled)]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": records}]}))
    ended = subprocess.run(
        [program("promtool"), "check", "rules", "panels.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
