"""The queries of the dashboards of deploy/grafana, and how Prometheus's own tool runs them over metrics of services."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from services.chassis.metric_catalogue import MetricSpec
from services.devstack.metrics_page import GROUPS
from tests.unit.architecture.sources import ROOT

FOLDER = ROOT / "deploy" / "grafana"
SPECS: Mapping[str, MetricSpec] = {spec.name: spec for group in GROUPS for spec in group.specs}
MINUTES = 10
"""How long each series of the test is: longer than the ranges that the queries look back."""


class Query(NamedTuple):
    """An expression of a panel, with the range that Grafana fills in as it does for a scrape each minute."""

    dashboard: str
    panel: str
    expression: str


class Sample(NamedTuple):
    """A series that a service shows."""

    name: str
    labels: Mapping[str, str]
    value: float


class Selector(NamedTuple):
    """The series that an expression names: `matchers` are label, operator, value."""

    name: str
    matchers: Sequence[tuple[str, str, str]]

    @property
    def spec(self) -> MetricSpec:
        """Of the metric to which the series belongs. Raises KeyError for one that no service has."""
        return SPECS.get(self.name) or SPECS[re.sub(r"_(bucket|count|sum)$", "", self.name)]

    def takes(self, sample: Sample) -> bool:
        return sample.name == self.name and all(
            _holds(operator, value, sample.labels.get(label, "")) for label, operator, value in self.matchers
        )


def dashboards() -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def queries() -> list[Query]:
    return [
        Query(name, panel["title"], target["expr"].replace("$__rate_interval", "4m"))
        for name, board in dashboards().items()
        for panel in board["panels"]
        for target in panel["targets"]
    ]


def selectors(expression: str) -> list[Selector]:
    found = re.findall(r"\b(drumbeat_\w+)(?:\{([^}]*)\})?", expression)
    return [Selector(name, re.findall(r'(\w+)(!~|=~|!=|=)"([^"]*)"', matchers)) for name, matchers in found]


def read_samples(text: str, job: str) -> list[Sample]:
    """What a service shows, with the label that a scrape adds; not when each series began, which `_created` tells."""
    return [
        Sample(sample.name, {**sample.labels, "job": job}, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("drumbeat_") and not sample.name.endswith("_created")
    ]


def run_queries(asked: Sequence[Query], samples: Sequence[Sample], folder: Path) -> str:
    """What promtool says of a test in which every query has to have a result over these series; empty: they all have.

    Counters and histograms grow by one a minute. What no service had a reason to show yet is one series with its labels.
    """
    series = [*samples, *(each for query in asked for each in _never_shown(query, samples))]
    document = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": written, "values": values} for written, values in _unique(series).items()
                ],
                "promql_expr_test": [
                    {
                        # 1 where there is a result; without one there is no sample, and the test fails.
                        "expr": f"count({query.expression}) >= bool 1",
                        "eval_time": f"{MINUTES}m",
                        "exp_samples": [{"labels": "{}", "value": 1}],
                    }
                    for query in asked
                ],
            }
        ],
    }
    path = folder / "dashboards.test.yaml"
    path.write_text(json.dumps(document))  # JSON is YAML
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _never_shown(query: Query, samples: Sequence[Sample]) -> list[Sample]:
    missing = [
        selector
        for selector in selectors(query.expression)
        if not any(selector.takes(sample) for sample in samples)
    ]
    made: list[Sample] = []
    for selector in missing:
        labels = dict.fromkeys(selector.spec.labels, "x") | {"job": "drumbeat"}
        labels |= {
            label: value.split("|")[0]
            for label, operator, value in selector.matchers
            if operator in ("=", "=~")
        }
        unbound = list[dict[str, str]]([{}])
        bounds = [{"le": "1"}, {"le": "+Inf"}] if selector.name.endswith("_bucket") else unbound
        made += [Sample(selector.name, labels | bound, 1) for bound in bounds]
    return made


def _unique(samples: Sequence[Sample]) -> dict[str, str]:
    written: dict[str, str] = {}
    for name, labels, value in samples:
        grows = SPECS.get(name, None) is None or SPECS[name].kind == "counter"
        inside = ",".join(f"{label}={json.dumps(text)}" for label, text in sorted(labels.items()))
        step = 1 if grows else 0
        written[f"{name}{{{inside}}}"] = f"{value:g}+{step}x{MINUTES}"
    return written


def _holds(operator: str, wanted: str, value: str) -> bool:
    matches = re.fullmatch(wanted, value) is not None if "~" in operator else value == wanted
    return matches != operator.startswith("!")
