"""Metrics as Prometheus sees them: what registries declare, and what a scrape holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from gateway.api.metrics import Metrics
from gateway.worker.sync_jobs import Figures
from tests.kit.promql import Selector

# Which names a metric of each kind has in expressions, and which label comes with it.
_SAMPLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "gauge": {"": ()},
    "counter": {"_total": ()},
    "histogram": {"_bucket": ("le",), "_sum": (), "_count": ()},
}


@dataclass(frozen=True)
class Declared:
    """A metric as the code declares it. ``processes`` are those that have it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    processes: tuple[str, ...]

    @property
    def samples(self) -> dict[str, set[str]]:
        """Its names in expressions, each with its labels."""
        return {self.name + end: {*self.labels, *more} for end, more in _SAMPLES[self.kind].items()}

    @property
    def shown(self) -> str:
        """Its name as the documentation has it."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


def declared() -> dict[str, Declared]:
    """Every metric of the gateway by its name."""
    found: dict[str, Declared] = {}
    for process, registry in (("serve", Metrics(CollectorRegistry()).registry), ("worker", Figures().registry)):
        for collector in registry._collector_to_names:
            for family in collector.describe():
                before = found[family.name].processes if family.name in found else ()
                labels = getattr(family, "_labelnames", None) or getattr(collector, "_labelnames", ())
                found[family.name] = Declared(
                    family.name, family.type, tuple(labels), family.documentation, (*before, process)
                )
    return found


def samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """The samples of a scrape: name, labels, value."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def selected(text: str, selector: Selector) -> list[float]:
    """The values of a scrape that a selector takes."""
    return [value for name, labels, value in samples(text) if selector.takes(name, labels)]
