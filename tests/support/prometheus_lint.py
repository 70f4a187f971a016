"""The rules of ``promtool check metrics``, and that every duration is a histogram of seconds.

Source: https://github.com/prometheus/prometheus/tree/main/util/promlint and
https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

BASE_UNITS = {"seconds", "bytes", "ratio", "celsius", "meters", "volts", "amperes", "joules"}
OTHER_UNITS = re.compile(
    r"(?:milli|micro|nano|kilo|mega|giga|kibi|mebi)\w+|minutes?|hours?|days?|bits?|percent"
)
SHORT_UNITS = {"s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "m", "h", "d"}
KINDS = {"counter", "gauge", "histogram", "summary", "untyped", "info"}
OF_HISTOGRAMS = ("_bucket", "_sum", "_count")


def families(text: str) -> list[Metric]:
    """What an exposition holds; a counter's name as it is written."""
    return list(text_string_to_metric_families(text))


def exposed_name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else str(family.name)


def problems(text: str) -> list[str]:
    """What is wrong with an exposition."""
    return [
        f"{exposed_name(family)}: {problem}"
        for family in families(text)
        for problem in _problems(family)
    ]


def _problems(family: Metric) -> Iterator[str]:
    name = exposed_name(family)
    words = name.split("_")
    if not family.documentation.strip():
        yield "no help text"
    if family.type not in ("counter", "gauge", "histogram"):
        yield f"the type is {family.type}"
    if not re.fullmatch(r"botkit(_[a-z]+)+", name):
        yield "not botkit_ and lower-case words"
    if family.type != "counter" and name.endswith("_total"):
        yield "only a counter ends in _total"
    if family.type != "histogram" and name.endswith(OF_HISTOGRAMS):
        yield "the suffix is a histogram's"
    if set(words) & KINDS - ({"info"} if name.endswith("_info") else set()):
        yield "the name tells its type"
    if set(words) & SHORT_UNITS:
        yield "the unit is abbreviated"
    if any(OTHER_UNITS.fullmatch(word) for word in words):
        yield "not a base unit"
    units = [word for word in words if word in BASE_UNITS]
    if units and name.removesuffix("_total").rpartition("_")[2] != units[-1]:
        yield "the unit is not the suffix"
    if family.type == "histogram" and not name.endswith("_seconds"):
        yield "a histogram of what?"
    if name.endswith(("_wait", "_latency", "_duration", "_age")):
        yield "a time without a unit"
    yield from _of_samples(family)


def _of_samples(family: Metric) -> Iterator[str]:
    for sample in family.samples:
        if sample.name.endswith("_created"):
            yield "the time of its creation is a series of its own"
        for label in sample.labels:
            if not re.fullmatch(r"[a-z][a-z_]*", label):
                yield f"the label {label}"
            if label == "le" and family.type != "histogram":
                yield "the label le is a histogram's"
