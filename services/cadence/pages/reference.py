"""The reference page of the policy, made from what reads it: grammar, vocabulary and functions of the language."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from services.cadence.expressions.functions import FUNCTIONS
from services.cadence.features.registry import (
    EVENT_FEATURES,
    EVENTS,
    FEATURES,
    TOUCHPOINT_TYPES,
    Feature,
)
from services.cadence.lint import KINDS
from services.cadence.policy.forms import FORMS
from services.cadence.policy.grammar import LONGEST, SECTIONS, TEXT, Form, Key, Shape
from services.cadence.policy.timelines import SLOTS

_TEMPLATE = Path(__file__).with_name("reference.md")
_TYPE_WORDS = frozenset(f"days_since_{each}" for each in TOUCHPOINT_TYPES)
_WRITTEN: Mapping[Shape, str] = {
    "lines": "text, one or several",
    "rule": "name",
    "truth": "`true` or `false`",
    "rhythm": "days, or days by stage",
    "offset": "days from the anchor",
    "date": "month-day",
    "ladder": "list of days",
    "touchpoint": "touchpoint",
}
_ARRANGED = {"one": "keys of `{}`", "list": "list of `{}`", "named": "`{}` by name"}


def policy_reference() -> str:
    """The page as Markdown."""
    page = _TEMPLATE.read_text(encoding="utf-8")
    parts = {
        "sections": _table(("section", "holds", "", "is"), _sections()),
        "forms": "\n\n".join(_form(form) for form in FORMS.values()),
        "functions": "\n".join(f"| `{each.usage}` | {each.description} |" for each in FUNCTIONS.values()),
        "words": _words(word for word in FEATURES.values() if not _of_type(word)),
        "events": "\n\n".join(_event(event, words) for event, words in EVENT_FEATURES.items()),
        "slots": "; ".join(f"{anchor}: {_several(names)}" for anchor, names in SLOTS.items()),
        "findings": _table(("kind", "is"), ((f"`{kind}`", told) for kind, told in KINDS.items())),
        "text": f"{TEXT:,}",
        "longest": f"{LONGEST:,}",
    }
    for name, made in parts.items():
        page = page.replace("{" + name + "}", made)
    return page


def _sections() -> Iterable[tuple[str, ...]]:
    for section in SECTIONS:
        holds = _ARRANGED[section.arrangement].format(section.form)
        yield f"`{section.name}`", holds, "required" if section.required else "", section.text


def _form(form: Form) -> str:
    rows = [(f"`{key.name}`", _value(key), _need(key, form), key.text) for key in form.keys]
    return f"### `{form.name}`\n\n" + _table(("key", "value", "", "means"), rows)


def _value(key: Key) -> str:
    match key.shape:
        case "choice" if key.name == "on":
            said = "[event](#events-and-their-words)"
        case "choice":
            said = _several(key.values)
        case "number" | "whole" if key.least < key.most:
            said = f"{'whole ' if key.shape == 'whole' else ''}number, {key.least} to {key.most}"
        case "number" | "whole":
            said = f"{key.least}"
        case "day":
            said = f"day, 1 to {LONGEST}"
        case "forms":
            said = f"list of `{key.form}`"
        case _:
            said = _WRITTEN.get(key.shape, key.shape)
    return f"{said}; one or several" if key.many else said


def _need(key: Key, form: Form) -> str:
    if key.required:
        return "required"
    if key.name in form.either:
        return "one of the two"
    return f"left out: {key.default}" if key.default else ""


def _words(words: Iterable[Feature]) -> str:
    rows = (
        (
            f"`{word.name}`",
            _kind(word),
            "may be null" if word.nullable else "",
            word.description,
            ", ".join((*word.changed_by, *(("time",) if word.counts else ()))),
        )
        for word in words
    )
    return _table(("word", "kind", "", "is", "changed by"), rows)


def _event(event: str, words: Mapping[str, Feature]) -> str:
    rows = (
        (f"`{word.name}`", _kind(word), "may be null" if word.nullable else "", word.description)
        for word in words.values()
    )
    return f"### `{event}`\n\n{EVENTS[event]}.\n\n" + _table(("word", "kind", "", "is"), rows)


def _of_type(word: Feature) -> bool:
    return word.name in _TYPE_WORDS and word.name != "days_since_survey"


def _kind(word: Feature) -> str:
    return _several(word.values) if word.values else word.kind


def _several(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "\n".join(
        f"| {' | '.join(line)} |" if line[0] != "---" else "|" + "---|" * len(head) for line in lines
    )
