"""The alert rules of deploy/: about metrics that exist, each with its section of the runbook, firing when they should."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.architecture.sources import ROOT
from tests.unit.test_deploy import CHART
from tests.unit.test_documents import PAGES, anchors, code, metrics

RULES = ROOT / "deploy" / "alerts.yaml"
TESTS = ROOT / "deploy" / "alerts.test.yaml"
RUNBOOK = ROOT / "docs" / "runbook.md"
ALERTS: Sequence[Mapping[str, Any]] = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
# Of Prometheus itself: whether a scrape succeeded, and what it adds to each sample.
SCRAPED, OF_SCRAPES = {"up"}, {"job", "instance"}
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool of Prometheus")
each_alert = pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])


def labels_of_metrics() -> dict[str, set[str]]:
    """The names of the labels of each metric, as the services declare them."""
    declared = re.findall(
        r'"(drumbeat_[a-z_]+)",\s*"[^"]*",?\s*(?:\[([^\]]*)\])?', code("services"), re.MULTILINE
    )
    return {name: set(re.findall(r'"(\w+)"', labels)) for name, labels in declared}


@each_alert
def test_every_metric_label_and_value_that_an_alert_names_exists(rule: Mapping[str, Any]) -> None:
    expression = rule["expr"]
    named = set(re.findall(r"\b(drumbeat_\w+|up)\b", expression))
    assert named
    assert named <= metrics() | SCRAPED
    labels = OF_SCRAPES.union(*(labels_of_metrics().get(name, set()) for name in named))
    grouped = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")}
    matchers: list[tuple[str, str]] = re.findall(r'(\w+)[!=]=?~?"([^"]*)"', expression)
    described = re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values()))
    assert grouped | set(described) | {label for label, _ in matchers} <= labels
    assert set(described) <= (grouped or OF_SCRAPES), "an aggregation leaves no other label"
    for label, values in matchers:
        if label != "job":
            assert not [value for value in values.split("|") if f'"{value}"' not in code("services")]


def test_a_metric_with_labels_is_read_with_them() -> None:
    """The test above would accept every label if it read none."""
    assert labels_of_metrics()["drumbeat_consumer_lag"] == {"topic", "partition"}
    assert labels_of_metrics()["drumbeat_outbox_oldest_seconds"] == set()
    assert set(labels_of_metrics()) == metrics()


@each_alert
def test_every_alert_has_its_section_of_the_runbook(rule: Mapping[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert (page, anchor in anchors(RUNBOOK)) == ("docs/runbook.md", True)
    table = RUNBOOK.read_text().partition("\n## Alerts\n")[2].partition("\n## ")[0]
    assert re.search(rf"^\| `{rule['alert']}` .*\(#{anchor}\)", table, re.MULTILINE)
    assert rule["labels"]["severity"] in ("critical", "warning")


def alerts_of(page: Path) -> set[str]:
    """The alerts that a page names."""
    return set(re.findall(r"`(Drumbeat[A-Z]\w+)`", page.read_text()))


def test_the_runbook_names_every_alert_and_no_other() -> None:
    assert alerts_of(RUNBOOK) == {rule["alert"] for rule in ALERTS}


def test_no_page_names_an_alert_that_does_not_exist() -> None:
    named = {alert for page in PAGES for alert in alerts_of(page)}
    assert named <= {rule["alert"] for rule in ALERTS}


def test_every_alert_is_tested() -> None:
    fired = set(re.findall(r'alertname="(\w+)"', TESTS.read_text()))
    assert fired == {rule["alert"] for rule in ALERTS}


@needs_promtool
def test_the_rules_fire_when_they_should_and_not_before() -> None:
    done = subprocess.run(["promtool", "test", "rules", TESTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_chart_takes_the_rules_from_the_same_file() -> None:
    assert (CHART / "alerts.yaml").resolve() == RULES
    assert '.Files.Get "alerts.yaml"' in (CHART / "templates" / "alerts.yaml").read_text()


@pytest.mark.skipif(shutil.which("helm") is None, reason="needs Helm")
def test_the_chart_makes_a_rule_object_of_them_when_it_is_asked_to() -> None:
    wanted = ["--set", "alerts.enabled=true", "--set", "alerts.labels.release=monitoring"]
    command = ["helm", "template", "drumbeat", CHART, "--kube-version", "1.31.0", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rules = [each for each in yaml.safe_load_all(done.stdout) if each and each["kind"] == "PrometheusRule"]
    assert [each["spec"]["groups"][0]["rules"] for each in rules] == [ALERTS]
    assert rules[0]["metadata"]["labels"]["release"] == "monitoring"
    assert rules[0]["metadata"]["labels"]["app.kubernetes.io/name"] == "drumbeat"
