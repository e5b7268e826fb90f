"""The documents say what is true, as far as a machine can tell: targets, settings, links, metrics, tests, paths."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import cast

import pytest
from pydantic import BaseModel

from services.chassis.settings import Settings, variable_name
from services.chassis.webhook_settings import WebhookSource

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
HEADINGS = ["Context", "Decision", "Consequences", "Alternatives"]
SOURCES = ("services", "schemas", "migrations", "tests")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


every_page = pytest.mark.parametrize("page", PAGES, ids=relative)


def settings_with_defaults() -> Iterator[tuple[str, object]]:
    """Every variable, and the default that the code gives it."""
    for name, field in Settings.model_fields.items():
        default: object = field.get_default()
        if isinstance(default, BaseModel):
            for member in type(default).model_fields:
                yield variable_name((name, member)), cast("object", getattr(default, member))
        else:
            yield f"DRUMBEAT_{name}".upper(), default


def webhook_settings() -> set[str]:
    """The settings of the sources that the page about connectors names."""
    names = ("HUBSPOT", "OPENTELEMETRY", "STRIPE", "STANDARD", "ACME_CRM")
    return {
        variable_name(("webhooks", name, member)) for name in names for member in WebhookSource.model_fields
    }


def as_written(default: object) -> str:
    """A default as the page writes it."""
    if default is None or default in ("", {}):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


@cache
def code(*folders: str) -> str:
    """All Python source below these folders."""
    files = (file for folder in folders for file in sorted((ROOT / folder).rglob("*.py")))
    return "\n".join(file.read_text() for file in files if file != Path(__file__))


def metrics() -> set[str]:
    return set(re.findall(r'"(drumbeat_[a-z_]+)",\s*"', code("services")))


def anchors(page: Path) -> set[str]:
    """The fragments that a page's headings give."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", each.lower()).replace(" ", "-") for each in headings}


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:`|^ +)make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert named >= {"run", "test", "check"}
    assert named <= targets


@every_page
def test_every_setting_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"DRUMBEAT_[A-Z][A-Z_]*[A-Z]", page.read_text()))
    assert named <= {variable for variable, _ in settings_with_defaults()} | webhook_settings()


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(
        re.findall(
            r"^\| `(DRUMBEAT_\w+)` \| (.+?) \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE
        )
    )
    assert rows == {variable: as_written(default) for variable, default in settings_with_defaults()}


@every_page
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        path, _, fragment = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        if place.suffix == ".yaml" and fragment.startswith("L"):
            assert 0 < int(fragment[1:]) <= len(place.read_text().splitlines()), target
            continue
        assert not fragment or fragment in anchors(place), target


@every_page
def test_every_metric_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"\bdrumbeat_[a-z_]+", page.read_text()))
    others = {
        "drumbeat_rules", "drumbeat_scheduler", "drumbeat_notifier",  # databases and roles
        "drumbeat_account_id",  # in the metadata of an object of Stripe
        "drumbeat_reason", "drumbeat_topic", "drumbeat_partition", "drumbeat_offset",  # headers of dead letters
    }  # fmt: skip
    assert named - others <= metrics()


def test_the_runbook_explains_every_metric() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    assert {metric for metric in metrics() if metric not in runbook} == set()


@every_page
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", page.read_text()))
    assert {each for each in named if f"def {each}(" not in code("tests")} == set()


@every_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = re.findall(rf"`((?:{'|'.join(SOURCES)}|docs|deploy)/[\w./-]+)`", page.read_text())
    assert [each for each in named if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=relative)
def test_every_decision_has_the_four_headings(decision: Path) -> None:
    text = decision.read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert text.startswith(f"# {decision.name[:4]}. ")


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(each.name[:4]) for each in DECISIONS] == list(range(1, len(DECISIONS) + 1))
