"""The dashboards of deploy/grafana: about metrics and labels that exist, and installed by the chart when asked for."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.dashboards import FOLDER, Query, dashboards, queries, run_queries, selectors
from tests.unit.test_alerts import needs_promtool
from tests.unit.test_deploy import CHART
from tests.unit.test_documents import code

OF_SCRAPES = {"job"}


def test_there_is_a_dashboard_for_each_concern() -> None:
    assert set(dashboards()) == {"overview", "engine", "calendar", "deliveries"}
    for name, board in dashboards().items():
        assert board["uid"] == f"drumbeat-{name}"
        assert [each["type"] for each in board["templating"]["list"]] == ["datasource"]
        for panel in board["panels"]:
            assert panel["title"]
            assert panel["description"].endswith(".")
            assert panel["datasource"]["uid"] == "${datasource}"


def test_no_two_panels_of_a_dashboard_overlap() -> None:
    for board in dashboards().values():
        taken = [
            (x, y)
            for place in (panel["gridPos"] for panel in board["panels"])
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(taken) == len(set(taken))
        assert max(x for x, _ in taken) < 24


@pytest.mark.parametrize("query", queries(), ids=lambda query: f"{query.dashboard}: {query.panel}")
def test_every_metric_label_and_value_that_a_query_names_exists(query: Query) -> None:
    named = selectors(query.expression)
    assert named
    labels = OF_SCRAPES.union(*(selector.spec.labels for selector in named))
    assert all(selector.name == selector.spec.name or selector.spec.kind == "histogram" for selector in named)
    grouped = {
        label for group in re.findall(r"by \(([^)]*)\)", query.expression) for label in group.split(", ")
    }
    assert grouped - {"le"} <= labels
    assert ("le" in grouped) == ("histogram_quantile" in query.expression)
    for selector in named:
        for label, _, values in selector.matchers:
            assert label in labels
            for value in values.split("|"):
                assert f'"{value}"' in code("services", "schemas"), value


def test_what_a_panel_shows_by_labels_is_what_its_query_leaves() -> None:
    for board in dashboards().values():
        for panel in board["panels"]:
            for target in panel["targets"]:
                shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
                for group in re.findall(r"by \(([^)]*)\)", target["expr"]):
                    assert shown <= set(group.split(", "))
                assert not shown or "by (" in target["expr"]


@needs_promtool
def test_every_query_has_a_result_over_the_metrics_of_the_catalogue(tmp_path: Path) -> None:
    assert run_queries(queries(), [], tmp_path) == ""


@needs_promtool
def test_a_query_without_a_result_is_found(tmp_path: Path) -> None:
    wrong = Query("overview", "wrong", "sum(drumbeat_consumer_lag) > 1e9")
    assert "got: nil" in run_queries([wrong], [], tmp_path)


def test_the_chart_takes_the_dashboards_from_the_same_files() -> None:
    assert (CHART / "dashboards").resolve() == FOLDER


@pytest.mark.skipif(shutil.which("helm") is None, reason="needs Helm")
def test_the_chart_installs_them_when_it_is_asked_to() -> None:
    wanted = ["--set", "dashboards.enabled=true", "--set", "dashboards.labels.grafana_dashboard=yes"]
    command = ["helm", "template", "drumbeat", CHART, "--kube-version", "1.31.0", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    maps = [
        each
        for each in yaml.safe_load_all(done.stdout)
        if each and each["metadata"]["name"].endswith("-dashboards")
    ]
    assert [each["metadata"]["labels"]["grafana_dashboard"] for each in maps] == ["yes"]
    assert {name: yaml.safe_load(text) for name, text in maps[0]["data"].items()} == {
        f"{name}.json": board for name, board in dashboards().items()
    }
