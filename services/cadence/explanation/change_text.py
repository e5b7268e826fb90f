"""Changing: the smallest change that would make a stopped rule fire, as data and as a sentence."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from services.cadence.account import Plain, moment
from services.cadence.explanation.conditions_read import Ground, Land
from services.cadence.explanation.evidence import words_of
from services.cadence.explanation.model import Change, Stopped
from services.cadence.explanation.phrasing import needed, valued
from services.cadence.explanation.smallest_change import Need, smallest_change
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.trace import Trace
from services.cadence.expressions.tree import IsNull, Node, Not, names
from services.cadence.policy import Feedback, Rule, Step, Trigger, condition_of


class Case(NamedTuple):
    """A rule, what it stands on, and the truth of its condition there."""

    land: Land
    rule: Rule
    ground: Ground
    truth: Trace

    def values(self) -> Mapping[str, Plain]:
        return {**self.land.view.values, **self.ground.words}


def clause_change(case: Case) -> Change:
    """What the words of its condition would have to become."""
    found = _needs(case)
    if found is None:
        return Change("nothing is known that would make its condition hold")
    return Change(needed(found), found)


def _needs(case: Case) -> tuple[Need, ...] | None:
    """Only of what the condition reads, so that values that would do lie near what it speaks of."""
    tree, values = condition_of(case.rule), case.values()
    read = {name: values.get(name) for name in names(tree)}
    return smallest_change(tree, read, words_of(case.land.policy, case.rule))


def change_of(stopped: Stopped, case: Case, change: Change) -> Stopped:
    """The clause that fails, of several the first that would have to turn."""
    failing = [each for each in case.truth.clauses() if each.holds is not True]
    wanted = {word for need in change.needs for word in need.words}
    told = [each for each in failing if wanted & set(names(each.node))] or failing
    plain = [each for each in told if not _asks_for_null(each.node)] or told
    if not plain:
        return stopped
    clause = format_expression(plain[0].node)
    now = ", ".join(valued(name, case.values().get(name)) for name in names(plain[0].node))
    return replace(
        stopped, text=f"`{clause}` does not hold ({now})" if now else f"`{clause}` never holds", by=clause
    )


def _asks_for_null(node: Node) -> bool:
    return isinstance(node.item if isinstance(node, Not) else node, IsNull)


def said_change(case: Case, stopped: Stopped) -> Change:
    """For every cause but a clause."""
    if stopped.cause == "event":
        return _unheard(case)
    if stopped.cause == "window":
        return _late(case)
    if stopped.until is not None and stopped.cause in {"cooldown", "cap", "limit", "pause", "blackout"}:
        return _waits(case, stopped, stopped.until)
    return Change(_TEXTS[stopped.cause].format(by=stopped.by), without=stopped.by)


_TEXTS: Mapping[str, str] = {
    "precedence": "{by} would have to give way: not hold, or ask for it less often",
    "preference": "{by}, which the customer's choice stands for, would have to give way",
    "asked_first": "what {by} answers would have to be unheard of: one is asked for at a time",
    "fallback": "{by} would have to stop reaching the customer as often",
    "over": "nothing: this one is done, and the next fact may ask for another",
    "pause": "the pause would have to be lifted",
    "blackout": "{by} would have to make room",
    "cooldown": "there would have to be more time between two of its kind",
    "cap": "there would have to be room under its cap",
    "limit": "there would have to be room under {by}",
    "opt_out": "a contact of the audience would have to opt in again",
}


def _waits(case: Case, stopped: Stopped, until: datetime) -> Change:
    closes = case.ground.closes
    at = f"{until:%Y-%m-%d %H:%M} UTC"
    if isinstance(case.rule, Trigger | Step) and closes is not None and until >= moment(closes):
        over = f"{moment(closes):%Y-%m-%d %H:%M} UTC"
        return Change(
            f"it would have to be asked for from {at} on; what asked for it is over at {over}",
            at=until,
            without=stopped.by,
        )
    return Change(f"at {at} it fires by itself", at=until, without=stopped.by)


def _unheard(case: Case) -> Change:
    rule = case.rule
    if isinstance(rule, Trigger | Feedback):
        found = _needs(case) or ()
        return Change(f"an event {rule.on} would have to be heard{_asks(found)}", found, event=rule.on)
    events = {"renewal": "contract.changed", "start": "contract.changed", "go_live": "milestone.reached"}
    event = events.get(rule.anchor, "program.announced") if isinstance(rule, Step) else ""
    return Change(f"an event {event} would have to be heard that says the date", event=event)


def _late(case: Case) -> Change:
    rule = case.rule
    if isinstance(rule, Trigger | Feedback):
        return Change(f"an event {rule.on} would have to be heard anew", event=rule.on)
    closes = moment(case.ground.closes or 0)
    return Change(
        f"the date it counts from would have to lie later: its time was over at {closes:%Y-%m-%d %H:%M} UTC"
    )


def _asks(needs: tuple[Need, ...]) -> str:
    return f", and {needed(needs)}" if needs else ""
