"""The status of the policy in force: version, author, age, the progress of evaluation, and the linter's findings."""

from collections.abc import Sequence
from typing import Final

from services.chassis.clock import ServiceClock
from services.console import labels
from services.console.json_fields import Json, instant, nested, number, text
from services.console.pages.elements import Badge, KeyedList, Message, Node
from services.console.policy_editor import PolicyEditor, PolicyInForce
from services.console.source_map import SourceLink, SourceMap

_MODES: Final = {
    "hold": " Mode “hold”: customer messages are on hold.",
    "observe": " Mode “observe”: decisions are made and explained, nothing is planned.",
}
_PROOFS: Final = {"analysis": "Proved by analysis", "search": "Found by search"}


class StatusPanel:
    """Version, hash, author, note, and how many accounts have been evaluated under the policy."""

    def __init__(self) -> None:
        self._title = Node("h2", "Policy", "sheet-name")
        self._about = Message("sheet-id")
        self._note = Message("why")
        self._money = Message("timing")
        self._error = Message("error", role="alert")
        with Node("div", classes="progress") as self._progress:
            self._evaluated = Node("p", classes="timing", id="evaluated", role="status")
            self._bar = Node("progress", classes="bar", max="100", aria_labelledby="evaluated")
        self._undecided = Message("warning")

    def show(self, editor: PolicyEditor, clock: ServiceClock) -> None:
        in_force, progress = editor.in_force, editor.progress
        self._error.show_text(in_force.error)
        current = next((item for item in editor.versions if item.get("in_force") is True), None) or Json()
        if in_force.policy is not None:
            self._title.show_text(f"Policy, version {in_force.version}")
            self._about.show_text(version_text(current or in_force.policy, clock))
            self._note.show_text(text(current, "note"))
        self._progress.show(bool(progress))
        if progress:
            self._show_progress(progress)

    def _show_progress(self, progress: Json) -> None:
        accounts, decided, behind, undecided = (
            number(progress, name) for name in ("accounts", "decided", "behind", "undecided")
        )
        about = "about " if progress.get("estimated") is True else ""
        remaining = f", {behind:,} to go" if behind else ""
        total = f"{about}{labels.count(accounts, 'account')}"
        sentence = f"{decided:,} of {total} evaluated under this policy{remaining}."
        self._evaluated.show_text(sentence + _MODES.get(text(progress, "mode"), ""))
        self._bar.set_attribute("value", str(round(100 * decided / accounts, 1)) if accounts else "100")
        self._bar.show(bool(behind))
        failed = f"{labels.count(undecided, 'account')} could not be evaluated; their pages say why."
        self._undecided.show_text(failed if undecided else "")
        self._money.show_text(money_text(progress))


class FindingsPanel:
    """The findings of the policy in force, with links to their lines."""

    def __init__(self) -> None:
        with Node("section", classes="chapter", aria_labelledby="findings-title") as self._root:
            Node("h3", "Findings", id="findings-title")
            self._none = Node("p", "No findings.", "empty")
            self._findings = FindingList()

    def show(self, in_force: PolicyInForce) -> None:
        self._root.show(in_force.policy is not None)
        self._none.show(not in_force.findings)
        sources = SourceMap(in_force.files if in_force.findings else {})
        self._findings.show(in_force.findings, sources)


class FindingList:
    """A list of findings."""

    def __init__(self) -> None:
        self._list = Node("ul", classes="findings")
        self._rows = KeyedList[tuple[Json, SourceLink]](self._list, _FindingRow, lambda row: str(row[0]))

    def show(self, findings: Sequence[Json], sources: SourceMap) -> None:
        self._list.show(bool(findings))
        self._rows.show([(finding, sources.link_of(finding)) for finding in findings])


class _FindingRow:
    def __init__(self) -> None:
        with Node("li", classes="finding") as self.root:
            with Node("p", classes="item-head"):
                self._kind = Badge()
                self._link = Node("a", classes="source-link")
                self._rule = Node("span", classes="contact")
            self._message = Node("p", classes="why")
            self._proof = Node("p", classes="timing")

    def show(self, item: tuple[Json, SourceLink]) -> None:
        finding, link = item
        self._kind.show_word(labels.title(text(finding, "kind") or "finding").lower(), "due")
        if link.anchor:
            self._link.set_attribute("href", f"#{link.anchor}")
        self._link.show_text(link.text)
        self._rule.show_text(text(finding, "rule"))
        self._message.show_text(text(finding, "message"))
        self._proof.show_text(_proof_text(finding))


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
