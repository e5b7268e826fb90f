"""Why, or why not: the rules engine's explanation of a rule or a touchpoint type, as text."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from services.console import labels
from services.console.json_fields import Json, instant, items, nested, text


@dataclass(frozen=True, slots=True)
class ClauseView:
    """A clause of a condition. `holds`: None when an unknown value before it left it unevaluated.

    `events`: what led to its values, each with the source and the id under which it was sent.
    """

    text: str
    holds: bool | None
    values: str
    events: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """`cause` and `change` are empty for what is planned; `text` is empty where they say it all."""

    verdict: str
    fires: bool
    rule: str
    text: str
    cause: str
    change: str
    clauses: tuple[ClauseView, ...]
    others: tuple[str, ...]


def explanation_view(document: Json, now: datetime) -> ExplanationView:
    """The answer of `/why`; fields that are missing are left out."""
    fires = document.get("fires") is True
    cause, change = (
        ("", "") if fires else (_text_of(document, "stopped_by"), _text_of(document, "smallest_change"))
    )
    return ExplanationView(
        verdict=_verdict(document),
        fires=fires,
        rule=text(document, "rule"),
        text="" if cause and change else labels.with_dates(text(document, "text")),
        cause=_capitalized(cause),
        change=_capitalized(change),
        clauses=tuple(_clause(clause, now) for clause in items(document, "clauses")),
        others=tuple(filter(None, map(_other_rule, items(document, "others")))),
    )


def _verdict(document: Json) -> str:
    return "planned" if document.get("fires") is True else "not planned"


def _text_of(document: Json, name: str) -> str:
    return labels.with_dates(text(nested(document, name), "text"))


def _clause(clause: Json, now: datetime) -> ClauseView:
    holds = clause.get("holds")
    return ClauseView(
        text=text(clause, "text"),
        holds=holds if isinstance(holds, bool) else None,
        values=", ".join(_values(clause)),
        events=tuple(dict.fromkeys(_event(event, now) for event in items(clause, "events"))),
    )


def _values(clause: Json) -> Iterable[str]:
    for name, value in nested(clause, "values").items():
        inner = cast("Json", value).get("value") if isinstance(value, dict) else value
        yield f"{labels.title(name)}: {labels.value(inner)}"


def _event(event: Json, now: datetime) -> tuple[str, str]:
    return (
        labels.joined(
            labels.title(text(event, "type").replace(".", "_")), labels.when(instant(event, "time"), now)
        ),
        labels.joined(text(event, "source"), text(event, "id")),
    )


def _other_rule(other: Json) -> str:
    sentence, rule = text(other, "text") or _verdict(other), text(other, "rule")
    return sentence if sentence.startswith(rule) else f"{rule}: {sentence}"


def _capitalized(sentence: str) -> str:
    """With a capital, unless the first word is a name of the policy."""
    return sentence if "_" in sentence.partition(" ")[0] else labels.capitalized(sentence)
