"""The metrics of a service, declared in one place each: what `/metrics` shows and docs/metrics.md lists.

Labels name topics, channels, states and routes: never an account, a person or an address.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from prometheus_client import Counter, Gauge, Histogram


class MetricSpec(NamedTuple):
    """A metric. `unit`: what it counts or measures."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    unit: str
    meaning: str


class MetricGroup:
    """The metrics of one owner: a service, or `every service`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.specs: list[MetricSpec] = []

    def counter(self, name: str, meaning: str, labels: Sequence[str] = (), *, unit: str) -> Counter:
        self.specs.append(MetricSpec(name, "counter", tuple(labels), unit, meaning))
        return Counter(name, meaning, labels)

    def gauge(self, name: str, meaning: str, labels: Sequence[str] = (), *, unit: str) -> Gauge:
        self.specs.append(MetricSpec(name, "gauge", tuple(labels), unit, meaning))
        return Gauge(name, meaning, labels)

    def seconds(
        self, name: str, meaning: str, labels: Sequence[str] = (), *, buckets: Sequence[float]
    ) -> Histogram:
        """A histogram of durations; `buckets`: their upper limits."""
        self.specs.append(MetricSpec(name, "histogram", tuple(labels), "seconds", meaning))
        return Histogram(name, meaning, labels, buckets=buckets)
