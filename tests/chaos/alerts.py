"""Whether the Prometheus rules fire that should, by what ``serve`` shows while no worker is there, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.chaos.machine import Machine
from tests.kit.alert_rules import expression_of, fires
from tests.kit.scraped import samples

WITHOUT_WORKER = ("GatewayNoWorker", "GatewayOrdersOverdue")
_PRODUCT_SECONDS = 60.0


@dataclass
class Scrapes:
    """What one serving process showed: at rest after the storm, without a worker, and at rest again."""

    at_rest: str = ""
    unworked: str = ""
    again: str = ""
    fired: list[str] = field(default_factory=list)

    def evaluate(self, folder: Path, overdue: float) -> list[str]:
        """The rules that fire and should not, or the reverse; ``overdue`` is after how long this machine reports it."""
        expected = set(WITHOUT_WORKER)
        self.fired = sorted(_firing(expected, self.at_rest, self.unworked, folder, overdue))
        faults = [f"without a worker, the rule {name} did not fire" for name in sorted(expected - {*self.fired})]
        still = _firing(expected, self.unworked, self.again, folder, overdue)
        return faults + [f"with workers again, the rule {name} still fired" for name in sorted(still)]


async def scrape(machine: Machine) -> str:
    """What Prometheus would read of a serving process now."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http,
        http.get(f"http://127.0.0.1:{machine.metrics_ports[0]}/metrics") as answer,
    ):
        return await answer.text()


def is_at_rest(text: str, overdue: float) -> bool:
    """Whether a scrape shows a worker, and nothing overdue."""
    seen = {name: value for name, labels, value in samples(text) if labels.get("mode", "test") == "test"}
    late, last_seen = seen.get("gateway_orders_overdue"), seen.get("gateway_worker_last_seen_seconds")
    return late == 0 and last_seen is not None and last_seen < overdue


def _firing(alerts: Iterable[str], before: str, after: str, folder: Path, overdue: float) -> set[str]:
    return {name for name in alerts if fires(_scaled(expression_of(name), overdue), before, after, folder)}


def _scaled(expression: str, overdue: float) -> str:
    """The rule with this machine's clocks: what the product reports after a minute, it reports earlier."""
    return expression.replace(f"> {_PRODUCT_SECONDS:.0f}", f"> {overdue}")
