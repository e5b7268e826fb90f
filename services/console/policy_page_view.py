"""The policy page around the policy itself: status, findings, versions, a draft and what checking it showed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.chassis.clock import ServiceClock
from services.console import labels
from services.console.difference_view import DifferenceView, difference_view
from services.console.json_fields import Json, instant, nested, number, text
from services.console.policy_editor import CheckResult, PolicyEditor
from services.console.source_map import SourceLink, SourceMap

_MODES: Final = {
    "hold": " Mode “hold”: customer messages are on hold.",
    "observe": " Mode “observe”: decisions are made and explained, nothing is planned.",
}
_PROOFS: Final = {"analysis": "Proved by analysis", "search": "Found by search"}


@dataclass(frozen=True, slots=True)
class StatusView:
    """`evaluated`: how far accounts have followed, empty when unknown; `percent`: None when all have."""

    title: str
    about: str
    note: str
    money: str
    evaluated: str
    percent: float | None
    undecided: str


@dataclass(frozen=True, slots=True)
class FindingView:
    kind: str
    link: SourceLink
    rule: str
    message: str
    proof: str


@dataclass(frozen=True, slots=True)
class VersionView:
    number: int
    about: str
    note: str
    is_in_force: bool


@dataclass(frozen=True, slots=True)
class ErrorView:
    """An error of a draft; `line`: the line of the file with a caret below it."""

    position: str
    field: str
    message: str
    line: str


@dataclass(frozen=True, slots=True)
class ResultView:
    error: str
    verdict: str
    errors: tuple[ErrorView, ...]
    findings: tuple[FindingView, ...]
    difference: DifferenceView
    may_publish: bool


def status_view(editor: PolicyEditor, clock: ServiceClock) -> StatusView:
    in_force, progress = editor.in_force, editor.progress
    current = next((item for item in editor.versions if item.get("in_force") is True), None) or Json()
    is_read = in_force.policy is not None
    accounts, behind = number(progress, "accounts"), number(progress, "behind")
    undecided = number(progress, "undecided")
    percent = round(100 * number(progress, "decided") / accounts, 1) if accounts and behind else None
    failed = f"{labels.count(undecided, 'account')} could not be evaluated; their pages say why."
    return StatusView(
        title=f"Policy, version {in_force.version}" if is_read else "Policy",
        about=version_text(current or in_force.policy or Json(), clock) if is_read else "",
        note=text(current, "note"),
        money=money_text(progress),
        evaluated=_evaluated(progress) if progress else "",
        percent=percent,
        undecided=failed if undecided else "",
    )


def _evaluated(progress: Json) -> str:
    accounts, decided, behind = (number(progress, name) for name in ("accounts", "decided", "behind"))
    about = "about " if progress.get("estimated") is True else ""
    remaining = f", {behind:,} to go" if behind else ""
    total = f"{about}{labels.count(accounts, 'account')}"
    sentence = f"{decided:,} of {total} evaluated under this policy{remaining}."
    return sentence + _MODES.get(text(progress, "mode"), "")


def finding_views(findings: Sequence[Json], files: Mapping[str, str]) -> tuple[FindingView, ...]:
    """`files`: those whose lines the page shows."""
    sources = SourceMap(files if findings else {})
    return tuple(
        FindingView(
            kind=labels.title(text(finding, "kind") or "finding").lower(),
            link=sources.link_of(finding),
            rule=text(finding, "rule"),
            message=text(finding, "message"),
            proof=_proof_text(finding),
        )
        for finding in findings
    )


def version_views(versions: Sequence[Json], clock: ServiceClock) -> tuple[VersionView, ...]:
    return tuple(
        VersionView(
            number=number(version, "version"),
            about=version_text(version, clock),
            note=text(version, "note"),
            is_in_force=version.get("in_force") is True,
        )
        for version in versions
    )


def version_text(version: Json, clock: ServiceClock) -> str:
    """`cadence · by Kim · Mon 23 Nov, 18:00 UTC (2 hours ago) · hash 1a2b…`; `published_at` is real time."""
    published = instant(version, "published_at")
    author, origin = text(version, "author"), text(version, "origin")
    by = f"by {author}" if author else {"file": "loaded at start-up"}.get(origin, "")
    return labels.joined(
        text(version, "name"),
        by,
        "rolled back" if origin == "rollback" else "",
        "" if published is None else labels.when(clock.at(published), clock.now()),
        f"hash {text(version, 'hash')[:12]}",
    )


def money_text(progress: Json) -> str:
    """`Revenues are in USD; others are converted at the rates of 2026-06-01.`"""
    on = text(nested(progress, "rates"), "date")
    others = f"are converted at the rates of {on}" if on else "count as unknown: no exchange rates are set"
    currency = text(progress, "currency")
    return f"Revenues are in {currency}; those in other currencies {others}." if currency else ""


def _proof_text(finding: Json) -> str:
    """How it was found, and an account that shows it."""
    proof = _PROOFS.get(text(finding, "proof"), text(finding, "proof"))
    witness = nested(finding, "witness").items()
    account = ", ".join(f"{labels.title(name)} {labels.value(value)}" for name, value in witness)
    return f"{proof}, for an account with: {account}." if account else proof and f"{proof}."


def file_states(current: Mapping[str, str], drafted: Mapping[str, str]) -> list[tuple[str, str]]:
    """(name, new, changed, unchanged or removed), by name."""
    return [
        (name, _file_state(current.get(name), drafted.get(name))) for name in sorted({*drafted, *current})
    ]


def _file_state(current: str | None, drafted: str | None) -> str:
    if drafted is None:
        return "removed"
    if current is None:
        return "new"
    return "unchanged" if current == drafted else "changed"


def result_view(result: CheckResult, based_on: str) -> ResultView:
    return ResultView(
        error=result.error,
        verdict=_verdict(result),
        errors=tuple(_error_view(result, error) for error in (*result.errors, *result.failures)),
        findings=finding_views(result.findings, {}),
        difference=difference_view(result.difference),
        may_publish=result.is_valid and result.hash != based_on,
    )


def _verdict(result: CheckResult) -> str:
    if result.errors:
        return f"{labels.count(len(result.errors), 'error')}. The policy cannot be published with errors."
    if not result.is_valid:
        return ""
    if result.failures:
        return f"The policy is valid; {labels.count(len(result.failures), 'expectation')} of its tests are not met."
    count = len(result.findings)
    warnings = f", with {labels.count(count, 'warning')} about likely mistakes" if count else ""
    return f"The policy is valid{warnings}."


def _error_view(result: CheckResult, error: Json) -> ErrorView:
    position = (text(error, "file"), str(number(error, "line")), str(number(error, "column")))
    return ErrorView(
        position=":".join(position) if position[0] else "All files",
        field=text(error, "where"),
        message=text(error, "message"),
        line=_excerpt(result, error),
    )


def _excerpt(result: CheckResult, error: Json) -> str:
    """The line of an error, with a caret under its column."""
    lines = result.files.get(text(error, "file"), "").splitlines()
    line, column = number(error, "line"), number(error, "column")
    if not 0 < line <= len(lines):
        return ""
    return f"{lines[line - 1]}\n{' ' * max(0, column - 1)}^"
