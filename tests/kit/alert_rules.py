"""The Prometheus rules of ``deploy/``, evaluated by Prometheus' own ``promtool`` over scrapes of the gateway."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from tests.kit.programs import program
from tests.kit.promql import parse
from tests.kit.scraped import samples
from tests.layout import ROOT

RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
# Minutes: the trouble comes after half an hour, and the rule is looked at soon after.
_BEFORE, _LOOKED_AT = 30, 35


def expression_of(alert: str) -> str:
    """A rule's expression, about test orders: rules are about live ones."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    (found,) = [rule["expr"] for group in groups for rule in group["rules"] if rule["alert"] == alert]
    return str(found).replace('mode="live"', 'mode="test"')


def fires(expression: str, before: str, after: str, folder: Path) -> bool:
    """Whether an expression gives anything, some minutes after the one scrape was followed by the other."""
    names = {selector.name for selector in parse(expression).selectors}
    old = {(name, *sorted(labels.items())): value for name, labels, value in samples(before)}
    series = [
        {
            "series": name + "{" + ",".join(f'{label}="{text}"' for label, text in labels.items()) + "}",
            "values": f"{_run(old.get((name, *sorted(labels.items()))))} {value}+0x{_BEFORE}",
        }
        for name, labels, value in samples(after)
        if name in names
    ]
    looked_at = {
        "expr": f"count({expression}) > bool 0",
        "eval_time": f"{_LOOKED_AT}m",
        "exp_samples": [{"labels": "{}", "value": 1}],
    }
    test = {"interval": "1m", "input_series": series, "promql_expr_test": [looked_at]}
    file = folder / "rule.yml"
    file.write_text(yaml.safe_dump({"tests": [test]}))
    ended = subprocess.run(
        [program("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0 or "got: nil" in ended.stdout + ended.stderr, ended.stdout + ended.stderr
    return ended.returncode == 0


def _run(value: float | None) -> str:
    return f"_x{_BEFORE}" if value is None else f"{value}+0x{_BEFORE}"
