"""One catalogue of metrics: what is declared is what processes show, and what docs/metrics.md lists."""

import re
from pathlib import Path

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from services.devstack.metrics_page import GROUPS, metrics_page
from tests.unit.architecture.sources import ROOT

ALLOWED_LABELS = {
    "budget", "channel", "group", "loop", "method", "outcome", "part", "partition", "result", "route", "source",
    "state", "status", "topic", "what",
}  # fmt: skip
"""Names of things of Drumbeat's own: a label that names an account or a person would be kept by whoever scrapes."""
SPECS = [spec for group in GROUPS for spec in group.specs]


def test_no_metric_is_declared_twice_or_outside_the_catalogue() -> None:
    names = [spec.name for spec in SPECS]
    assert len(names) == len(set(names))
    kinds = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}
    for spec in SPECS:
        registered = REGISTRY._names_to_collectors  # pyright: ignore[reportPrivateUsage]
        collector = registered[spec.name if spec.kind != "histogram" else f"{spec.name}_bucket"]
        assert isinstance(collector, kinds[spec.kind])
        labels = collector._labelnames  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType, reportUnknownVariableType]
        assert labels == spec.labels
    declaring = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "services").rglob("*.py")
        if re.search(
            r"prometheus_client import .*\b(Counter|Gauge|Histogram|Summary|Info|Enum)\b", path.read_text()
        )
    }
    assert declaring == {"services/chassis/metric_catalogue.py", "services/chassis/telemetry.py"}


def test_a_counter_ends_in_total_and_a_duration_in_seconds() -> None:
    for spec in SPECS:
        assert spec.name.endswith("_total") == (spec.kind == "counter")
        assert spec.name.endswith("_seconds") == (spec.unit == "seconds")
        assert spec.meaning[0].isupper() or spec.meaning.startswith("1: ")


def test_labels_name_nobody() -> None:
    assert {label for spec in SPECS for label in spec.labels} <= ALLOWED_LABELS


def test_the_page_is_up_to_date() -> None:
    assert Path("docs/metrics.md").read_text() == metrics_page()
