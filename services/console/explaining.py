"""Why, and why not: what the rules engine explains of one rule or one kind of touchpoint, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from services.console import words
from services.console.reading import Json, items, moment, part, text

_CAUSES: Final = {
    "clause": "a condition does not hold",
    "condition": "a condition does not hold",
    "precedence": "another rule comes first",
    "preference": "a wish of the customer",
    "cooldown": "it was asked for not long ago",
    "cap": "it was asked for often enough",
    "limit": "a contact budget is used up",
    "asked_first": "another rule asked first",
    "pause": "contact is paused",
    "blackout": "a season in which it is not held",
    "over": "its window has passed",
    "fallback": "other rhythms reach the customer as often",
    "no_event": "nothing happened that it answers",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a condition. `values` and `events`: what it was judged by, and from where that was heard."""

    text: str
    holds: bool
    values: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`verdict`: planned or not, in a word; `cause` and `change`: empty for what is planned."""

    verdict: str
    fires: bool
    rule: str
    text: str
    cause: str
    change: str
    clauses: tuple[Clause, ...]
    others: tuple[str, ...]


def explanation(document: Json, now: datetime) -> Explanation:
    """The answer of `/why`, read tolerantly."""
    fires = document.get("fires") is True
    return Explanation(
        verdict="planned" if fires else "not planned",
        fires=fires,
        rule=text(document, "rule"),
        text=text(document, "text"),
        cause=_cause(document),
        change=_told(document, "smallest_change"),
        clauses=tuple(_clause(each, now) for each in items(document, "clauses")),
        others=tuple(filter(None, (_other(each) for each in items(document, "others")))),
    )


def _cause(document: Json) -> str:
    stopped = part(document, "stopped_by")
    kind = text(stopped, "cause") or text(stopped, "kind") or text(document, "stopped_by")
    told = text(stopped, "text") or text(stopped, "reason")
    named = _CAUSES.get(kind, kind.replace("_", " "))
    return told or named


def _told(document: Json, name: str) -> str:
    """A sentence, whether it came as text or as an object with text."""
    return text(document, name) or text(part(document, name), "text")


def _clause(clause: Json, now: datetime) -> Clause:
    return Clause(
        text=text(clause, "text"),
        holds=clause.get("holds") is True,
        values=", ".join(_values(clause)),
        events=tuple(dict.fromkeys(_event(each, now) for each in items(clause, "events"))),
    )


def _values(clause: Json) -> Iterable[str]:
    for name, value in part(clause, "values").items():
        inner = cast("Json", value).get("value") if isinstance(value, dict) else value
        yield f"{words.title(name).lower()}: {words.value(inner)}"
    for each in items(clause, "values"):
        yield f"{words.title(text(each, 'name')).lower()}: {words.value(each.get('value'))}"


def _event(event: Json, now: datetime) -> str:
    when = moment(event, "time")
    kind = text(event, "type") or text(event, "name")
    parts = [
        words.title(kind.replace(".", " ")),
        "" if when is None else words.when(when, now),
        text(event, "source"),
        text(event, "id"),
    ]
    return " · ".join(each for each in parts if each)


def _other(other: Json) -> str:
    told = text(other, "text") or _cause(other)
    verdict = "" if told else ("planned" if other.get("fires") is True else "not planned")
    return f"{text(other, 'rule')}: {told or verdict}" if text(other, "rule") else told
