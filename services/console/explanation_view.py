"""Why, and why not: what the rules engine explains of one rule or one kind of touchpoint, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from services.console import labels
from services.console.json_fields import Json, items, moment, part, text

_CAUSES: Final = {
    "clause": "a condition does not hold",
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
    "event": "nothing happened that it answers",
    "window": "its time is over",
    "opt_out": "nobody of the audience wants to hear of it",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a condition. `values` and `events`: what it was judged by, and from where that was heard.

    `holds` None: something unknown before it left it unjudged.
    """

    text: str
    holds: bool | None
    values: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`verdict`: planned or not. `cause` and `change`: empty for what is planned; `text`: empty where they say it all."""

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
    cause, change = ("", "") if fires else (_cause(document), _told(document, "smallest_change"))
    return Explanation(
        verdict="planned" if fires else "not planned",
        fires=fires,
        rule=text(document, "rule"),
        text="" if cause and change else text(document, "text"),
        cause=_sentence(cause),
        change=_sentence(change),
        clauses=tuple(_clause(each, now) for each in items(document, "clauses")),
        others=tuple(filter(None, (_other(each) for each in items(document, "others")))),
    )


def _cause(document: Json) -> str:
    stopped = part(document, "stopped_by")
    kind = text(stopped, "cause") or text(stopped, "kind") or text(document, "stopped_by")
    told = text(stopped, "text") or text(stopped, "reason")
    named = _CAUSES.get(kind, kind.replace(".", "_"))
    return told or named


def _told(document: Json, name: str) -> str:
    """A sentence, whether it came as text or as an object with text."""
    return text(document, name) or text(part(document, name), "text")


def _clause(clause: Json, now: datetime) -> Clause:
    return Clause(
        text=text(clause, "text"),
        holds=found if isinstance(found := clause.get("holds"), bool) else None,
        values=", ".join(_values(clause)),
        events=tuple(dict.fromkeys(_event(each, now) for each in items(clause, "events"))),
    )


def _values(clause: Json) -> Iterable[str]:
    for name, value in part(clause, "values").items():
        inner = cast("Json", value).get("value") if isinstance(value, dict) else value
        yield f"{labels.title(name)}: {labels.value(inner)}"
    for each in items(clause, "values"):
        yield f"{labels.title(text(each, 'name'))}: {labels.value(each.get('value'))}"


def _event(event: Json, now: datetime) -> str:
    when = moment(event, "time")
    kind = text(event, "type") or text(event, "name")
    parts = [
        labels.title(kind.replace(".", "_")),
        "" if when is None else labels.when(when, now),
        text(event, "source"),
        text(event, "id"),
    ]
    return " · ".join(each for each in parts if each)


def _other(other: Json) -> str:
    told = (
        text(other, "text") or _cause(other) or ("planned" if other.get("fires") is True else "not planned")
    )
    rule = text(other, "rule")
    return told if told.startswith(rule) else f"{rule}: {told}"


def _sentence(words_of: str) -> str:
    named = "_" in words_of.partition(" ")[0]  # a word of the policy stays as it is written
    return words_of if named else words_of[:1].upper() + words_of[1:]
