"""A registry of metrics that remembers how it described them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.metrics_core import Metric


@dataclass(frozen=True, slots=True)
class Described:
    """One metric as a reader of ``/metrics`` meets it.

    Fields:
        name: As exposed; a histogram's without ``_bucket``, ``_sum`` and ``_count``.
        kind: ``counter``, ``gauge`` or ``histogram``.
        labels: Their names.
        help: One sentence.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


class _Collectors(CollectorRegistry):
    """Without the times of creation, which would double every series and which nobody reads."""

    def collect(self) -> Iterable[Metric]:
        for metric in super().collect():
            metric.samples = [each for each in metric.samples if each.name[-8:] != "_created"]
            yield metric


class MetricRegistry:
    """Makes metrics, each named in full as it is exposed.

    Fields:
        described: What was made, in that order.
    """

    def __init__(self) -> None:
        self.described: list[Described] = []
        self._collectors = _Collectors()

    def counter(self, name: str, help: str, *labels: str) -> Counter:
        """Something that only grows; the name ends in ``_total``."""
        self.described.append(Described(name, "counter", labels, help))
        return Counter(name, help, labels, registry=self._collectors)

    def gauge(self, name: str, help: str, *labels: str) -> Gauge:
        """Something that goes up and down."""
        self.described.append(Described(name, "gauge", labels, help))
        return Gauge(name, help, labels, registry=self._collectors)

    def histogram(self, name: str, help: str, *labels: str, buckets: Sequence[float]) -> Histogram:
        """Durations in seconds; the name ends in ``_seconds``."""
        self.described.append(Described(name, "histogram", labels, help))
        return Histogram(name, help, labels, buckets=buckets, registry=self._collectors)

    def info(self, name: str, help: str, **labels: str) -> None:
        """What never changes, as labels of a gauge that is 1; the name ends in ``_info``."""
        self.described.append(Described(name, "gauge", tuple(labels), help))
        Info(name.removesuffix("_info"), help, registry=self._collectors).info(labels)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._collectors)


_ONE_WORD = re.compile(r"[a-z][a-z_]{0,31}")


def one_word(text: str) -> str:
    """The text, where it is one word as a label has to be; ``other`` elsewhere."""
    return text if _ONE_WORD.fullmatch(text) else "other"


def metrics_table(described: Iterable[Described]) -> str:
    """The README's table; ends without a newline."""
    lines = ["| metric | type | labels | what it is |", "| --- | --- | --- | --- |"]
    for each in described:
        labels = ", ".join(f"`{label}`" for label in each.labels)
        lines.append(f"| `{each.name}` | {each.kind} | {labels} | {each.help} |")
    return "\n".join(lines)
