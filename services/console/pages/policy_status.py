"""How the policy in force stands: which version, since when, who follows it already, and what a linter found."""

from services.chassis.clock import ServiceClock
from services.console import labels
from services.console.json_fields import Json, moment, number, part, text
from services.console.pages.elements import Badge, Keyed, Node
from services.console.policy_editor import Desk, InForce
from services.console.source_map import Place, Places


class StandingPanel:
    """Version, hash, author, note, and the progress of deciding every account again."""

    def __init__(self) -> None:
        self._title = Node("h2", "Policy", "sheet-name")
        self._about = Node("p", classes="sheet-id")
        self._note = Node("p", classes="why")
        self._trouble = Node("p", classes="trouble", role="alert")
        with Node("div", classes="progress") as self._progress:
            self._followed = Node("p", classes="timing", id="followed", role="status")
            self._bar = Node("progress", classes="bar", max="100", aria_labelledby="followed")
        self._undecided = Node("p", classes="warning")
        for each in (self._about, self._note, self._trouble, self._undecided):
            each.say("")

    def show(self, desk: Desk, clock: ServiceClock) -> None:
        held, progress = desk.in_force, desk.progress
        self._trouble.say(held.trouble)
        version = next((each for each in desk.versions if each.get("in_force") is True), None)
        if held.policy is not None:
            self._title.say(f"Policy, version {number(held.policy, 'version')}")
            self._about.say(about(version or held.policy, clock))
            self._note.say(text(version or {}, "note"))
        self._progress.show(bool(progress))
        if progress:
            self._follow(progress)

    def _follow(self, progress: Json) -> None:
        accounts, decided, behind = (number(progress, name) for name in ("accounts", "decided", "behind"))
        about = "about " if progress.get("estimated") is True else ""
        everybody = f"{about.capitalize()}{labels.count(accounts, 'account')} decided under it."
        followed = (
            f"{decided:,} of {about}{labels.count(accounts, 'account')} decided under it, {behind:,} to go."
        )
        mode = text(progress, "mode")
        self._followed.say((followed if behind else everybody) + _MODES.get(mode, ""))
        self._bar.put("value", str(round(100 * decided / accounts, 1)) if accounts else "100")
        self._bar.show(bool(behind))
        undecided = number(progress, "undecided")
        failed = (
            f"{labels.count(undecided, 'account')} could not be decided under this policy; each says why."
        )
        self._undecided.say(failed if undecided else "")


_MODES = {
    "hold": " Mode “hold”: nothing reaches a customer.",
    "observe": " Mode “observe”: decisions are made and explained, nothing is planned.",
}


class FindingsPanel:
    """What is sound and yet hardly meant, each with its place."""

    def __init__(self) -> None:
        with Node("section", classes="chapter", aria_labelledby="findings-title") as self._root:
            Node("h3", "Findings", id="findings-title")
            self._none = Node("p", "No findings.", "empty")
            self._rows = Findings()

    def show(self, held: InForce) -> None:
        self._root.show(held.policy is not None)
        self._none.show(not held.findings)
        self._rows.show(held.findings, Places(held.files) if held.findings else None)


class Findings:
    """A list of findings."""

    def __init__(self) -> None:
        self._list = Node("ul", classes="findings")
        self._rows = Keyed[tuple[Json, Place]](self._list, _Finding, lambda each: str(each[0]))

    def show(self, findings: tuple[Json, ...], places: Places | None) -> None:
        self._list.show(bool(findings))
        self._rows.show([(each, (places or Places({})).of(each)) for each in findings])


class _Finding:
    def __init__(self) -> None:
        with Node("li", classes="finding") as self.root:
            with Node("p", classes="wish-head"):
                self._kind = Badge()
                self._place = PlaceLink()
                self._rule = Node("span", classes="how")
            self._message = Node("p", classes="why")
            self._proof = Node("p", classes="timing")

    def show(self, item: tuple[Json, Place]) -> None:
        finding, place = item
        self._kind.tell(labels.title(text(finding, "kind") or "finding").lower(), "due")
        self._place.lead(place)
        self._rule.say(text(finding, "rule"))
        self._message.say(text(finding, "message"))
        self._proof.say(_proof(finding))


class PlaceLink(Node):
    """The place of something in a file; a link when its line stands on the page."""

    def __init__(self) -> None:
        super().__init__("a", classes="place")

    def lead(self, place: Place) -> None:
        if place.anchor:
            self.put("href", f"#{place.anchor}")
        self.say(place.text)


def about(version: Json, clock: ServiceClock) -> str:
    """`cadence · by Kim · Mon 23 Nov, 18:00 UTC (2 hours ago) · hash 1a2b…`."""
    published = moment(version, "published_at")  # real time: a policy is published by people
    author, origin = text(version, "author"), text(version, "origin")
    by = f"by {author}" if author else {"file": "from its files at a start"}.get(origin, "")
    parts = [
        text(version, "name"),
        f"{by}, rolled back" if origin == "rollback" and by else by,
        "" if published is None else labels.when(clock.at(published), clock.now()),
        f"hash {text(version, 'hash')[:12]}",
    ]
    return " · ".join(each for each in parts if each)


def _proof(finding: Json) -> str:
    """How it was found, and an account that shows it."""
    found = _PROOFS.get(text(finding, "proof"), text(finding, "proof"))
    witness = part(finding, "witness")
    shown = ", ".join(f"{labels.title(name)} {labels.value(value)}" for name, value in witness.items())
    return f"{found}, for an account with: {shown}." if shown else found and f"{found}."


_PROOFS = {"analysis": "Proved by analysis", "search": "Found by search"}
