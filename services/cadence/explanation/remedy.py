"""Remedy: the smallest change that would make a stopped rule fire, as data and as a sentence."""

from collections.abc import Mapping
from datetime import datetime

from services.cadence.account import moment
from services.cadence.explanation.case import Case
from services.cadence.explanation.model import Remedy, Stopped
from services.cadence.explanation.phrasing import needs_text, value_text
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.tree import IsNull, Node, Not, names
from services.cadence.policy import Feedback, Step, Trigger


def failing_clause(case: Case) -> Stopped:
    """The clause that fails; of several the first that would have to change."""
    failing = [truth.node for truth in case.truth.clauses() if truth.holds is not True]
    if not failing:  # two conditions that would have to differ are both true
        return Stopped("clause", "")
    wanted = {name for need in case.needs or () for name in need.words}
    relevant = [node for node in failing if wanted & set(names(node))] or failing
    node = next((node for node in relevant if not _asks_for_null(node)), relevant[0])
    clause = format_expression(node)
    now = ", ".join(text for name in names(node) if (text := value_text(name, case.values.get(name))))
    return Stopped("clause", f"`{clause}` is not true ({now})" if now else f"`{clause}` is not true", clause)


def _asks_for_null(node: Node) -> bool:
    return isinstance(node.item if isinstance(node, Not) else node, IsNull)


def remedy_for(case: Case, stopped: Stopped) -> Remedy:
    """What undoes this cause."""
    if stopped.cause == "clause":
        if case.needs is None:
            return Remedy("no change is known that would make its condition true")
        return Remedy(needs_text(case.needs), case.needs)
    if stopped.cause == "event":
        return _event_remedy(case)
    if stopped.cause == "window":
        return _window_remedy(case)
    if stopped.until is not None and stopped.cause in {"cooldown", "cap", "limit", "pause", "blackout"}:
        return _time_remedy(case, stopped, stopped.until)
    return Remedy(_TEXTS[stopped.cause].format(by=stopped.by), without=stopped.by)


_TEXTS: Mapping[str, str] = {
    "precedence": "{by} would have to be rarer, or its condition not true",
    "preference": "{by}, which the customer chose, would have to be given up",
    "asked_first": "the event that {by} answers would have to be absent: only one is planned at a time",
    "fallback": "{by} would have to reach the customer less often",
    "over": "nothing: this touchpoint is done, and the next event may lead to another one",
    "pause": "the pause would have to be lifted",
    "blackout": "{by} would have to leave room",
    "cooldown": "there would have to be more time between two touchpoints of its type",
    "cap": "there would have to be room under its cap",
    "limit": "there would have to be room under {by}",
    "opt_out": "a contact of the audience would have to opt in again",
    "quiet_hours": "its deadline would have to be after the quiet hours, or the quiet hours shorter",
    "no_content": "its content would have to be published: a content file, and where it has one, its program",
    "channel": "its channel would have to be one over which messages are sent: email, or in the product",
    "no_recipient": "somebody of its audience, or the owner of the account, would have to be named",
    "no_address": "the recipient would need an email address that takes mail",
    "on_hold": "customer messages would have to be let out",
    "deadline": "its deadline would have to be later",
    "contact_budget": "there would have to be room in the contact budget, or a higher precedence",
    "approval": "whoever leads the account would have to approve its message in time",
    "failed": "the mail server would have to take the message",
}


def _time_remedy(case: Case, stopped: Stopped, until: datetime) -> Remedy:
    closes = case.basis.closes
    at = f"{until:%Y-%m-%d %H:%M} UTC"
    if isinstance(case.rule, Trigger | Step) and closes is not None and until >= moment(closes):
        end = f"{moment(closes):%Y-%m-%d %H:%M} UTC"
        text = f"its window would have to be open after {at}; it ends at {end}"
        return Remedy(text, at=until, without=stopped.by)
    return Remedy(f"at {at} it fires without any change", at=until, without=stopped.by)


def _event_remedy(case: Case) -> Remedy:
    rule = case.rule
    if isinstance(rule, Trigger | Feedback):
        needs = case.needs or ()
        condition = f", and {needs_text(needs)}" if needs else ""
        return Remedy(f"an event {rule.on} would have to arrive{condition}", needs, event=rule.on)
    events = {"go_live": "milestone.reached", "program": "program.announced"}
    event = events.get(rule.anchor, "contract.changed") if isinstance(rule, Step) else ""
    return Remedy(f"an event {event} with the date would have to arrive", event=event)


def _window_remedy(case: Case) -> Remedy:
    rule = case.rule
    if isinstance(rule, Trigger | Feedback):
        return Remedy(f"another event {rule.on} would have to arrive", event=rule.on)
    closes = moment(case.basis.closes or 0)
    return Remedy(
        f"the date it counts from would have to be later: its window ended at {closes:%Y-%m-%d %H:%M} UTC"
    )
