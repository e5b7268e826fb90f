"""Rules of a policy in words: where they hold, what they ask for, how far they go."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from services.console import labels
from services.console.json_fields import Json, number, text
from services.console.source_map import NOWHERE, Place, Places

_SPAN: Final = re.compile(r"(\d+)([dh])")
_FALLBACK: Final = "unless another rhythm is as frequent"
_STRENGTHS: Final = {"floor": "at least", "escalation": "escalation"}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EVENTS: Final = {
    "contract.changed": "A contract is signed or changes",
    "health.scored": "Health is scored",
    "usage.reported": "Usage is reported",
    "nps.answered": "NPS is answered",
    "survey.answered": "A survey is answered",
    "milestone.reached": "A milestone is reached",
    "expansion.signalled": "The customer shows a sign of growth",
    "contact.described": "A contact joins or changes",
    "contact.left": "A contact leaves",
    "request.received": "The customer asks for something",
    "touchpoint.settled": "A touchpoint is settled",
    "mail.judged": "Three days after a mail",
    "program.announced": "A program is announced",
    "account.described": "The account is described",
}


@dataclass(frozen=True, slots=True)
class Said:
    """A rule in words. `terms`: what it asks for; `tags`: where alone it holds; `conditions`: in its author's words."""

    rule: str
    title: str = ""
    terms: str = ""
    how: str = ""
    tags: tuple[str, ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()
    because: str = ""
    strength: str = ""
    place: Place = NOWHERE


def texts(document: Json, name: str) -> list[str]:
    """The strings of the list under `name`."""
    found = document.get(name)
    listed = cast("list[object]", found) if isinstance(found, list) else []
    return [each for each in listed if isinstance(each, str)]


def span(written: str) -> str:
    """`14d` -> `14 days`, `2d` -> `2 days`, `36h` -> `36 hours`."""
    found = _SPAN.fullmatch(written)
    if found is None:
        return written
    return labels.count(int(found[1]), "day" if found[2] == "d" else "hour")


def event(name: str) -> str:
    return _EVENTS.get(name, labels.title(name.replace(".", "_")))


def offset(days: int, of: str) -> str:
    """A day on the line: `90 days before`, `the start`, `3 days after`."""
    if days == 0:
        return f"The day of {of}"
    return f"{labels.count(abs(days), 'day')} {'before' if days < 0 else 'after'}"


def strength(rhythm: Json) -> str:
    """The word for a rhythm that guarantees something; empty for one that does not."""
    if rhythm.get("fallback") is True:
        return "minimum"
    return _STRENGTHS.get(text(rhythm, "precedence"), "")


def damping(feedback: Json) -> str:
    """How feedback acts, in a paragraph."""
    found = cast("list[object]", feedback.get("ladder")) if isinstance(feedback.get("ladder"), list) else []
    ladder = [labels.value(each) for each in found]
    said = [
        f"A step moves an interval along {labels.listing(ladder)} days" if ladder else "",
        f"at most one step in {span(text(feedback, 'spacing'))}",
        f"a step lasts {span(text(feedback, 'lasts'))}",
        f"past the longest it moves to {labels.channel(text(feedback, 'at_the_end'))}"
        if text(feedback, "at_the_end")
        else "",
    ]
    return "; ".join(each for each in said if each) + "."


class Teller:
    """Tells rules; names of segments and stages that mean all of them are left out."""

    def __init__(self, places: Places, segments: Iterable[str], stages: Iterable[str]) -> None:
        self._places = places
        self._segments = tuple(segments)
        self._stages = tuple(stages)

    def named(self, each: Json) -> Said:
        """A segment or a stage."""
        when = text(each, "when")
        rest = "everybody else" if when == "true" else ""
        conditions = () if rest else (("when", when),)
        name = labels.title(text(each, "name"))
        return Said(name, name, rest, conditions=conditions, place=self._places.of(each))

    def rhythm(self, each: Json) -> Said:
        """A rhythm without its intervals."""
        within = each.get("within")
        ends = cast("list[object]", within) if isinstance(within, list) else []
        terms = [
            f"may move between {labels.value(ends[0])} and {labels.value(ends[1])} days"
            if len(ends) == 2
            else "",
            "any contact counts" if each.get("any_contact") is True else "",
            "starts soon" if text(each, "urgency") == "soon" else "",
            _FALLBACK if each.get("fallback") is True else "",
        ]
        return self._said(each, terms)

    def guarantee(self, each: Json) -> Said:
        """A rhythm that guarantees something, with its interval."""
        terms = [
            labels.every(number(each, "every_days")),
            _FALLBACK if each.get("fallback") is True else "",
        ]
        return self._said(each, terms, tagged=True)

    def trigger(self, each: Json) -> Said:
        after, within, deadline, cooldown = (
            span(text(each, name)) for name in ("after", "within", "deadline", "cooldown")
        )
        cap = cast("Json", each["cap"]) if isinstance(each.get("cap"), dict) else {}
        terms = [
            f"from {after} after it" if text(each, "after") not in ("", "0d") else "",
            f"within {within}" if within else "",
            f"deadline {deadline}" if deadline else "",
            f"at most once in {cooldown}" if cooldown else "",
            f"at most {number(cap, 'at_most')} in {span(text(cap, 'per'))}" if cap else "",
        ]
        return self._said(each, terms, tagged=True)

    def step(self, each: Json) -> Said:
        deadline = span(text(each, "deadline"))
        terms = [f"within {span(text(each, 'within'))}", f"deadline {deadline}" if deadline else ""]
        return self._said(each, terms, tagged=True)

    def move(self, each: Json) -> Said:
        """An adjustment or feedback."""
        steps, kinds = number(each, "steps"), texts(each, "touchpoints")
        way = f"{labels.count(abs(steps), 'step')} {'rarer' if steps > 0 else 'denser'}"
        on = f"{event(text(each, 'on'))}: " if text(each, "on") else ""
        return self._said(each, [way], tagged=True, title=f"{on}{_kinds(kinds)}")

    def limit(self, each: Json) -> Said:
        terms = [f"at most {number(each, 'at_most')} in {span(text(each, 'per'))}"]
        return self._said(each, terms, title=_kinds(texts(each, "touchpoints")))

    def blackout(self, each: Json) -> Said:
        terms = [f"{_date(text(each, 'from'))} to {_date(text(each, 'to'))}"]
        return self._said(each, terms, tagged=True, title=_kinds(texts(each, "touchpoints")))

    def _said(self, each: Json, terms: Iterable[str], *, tagged: bool = False, title: str = "") -> Said:
        conditions = ((name, text(each, name)) for name in ("when", "unless"))
        owner = text(each, "owner")
        return Said(
            rule=text(each, "rule"),
            title=title or labels.title(text(each, "touchpoint")),
            terms=" · ".join(term for term in terms if term),
            how=labels.how(text(each, "channel"), owner, None, anybody=True) if owner else "",
            tags=tuple(self._tags(each)) if tagged else (),
            conditions=tuple((name, said) for name, said in conditions if said),
            because=text(each, "because"),
            strength=strength(each),
            place=self._places.of(each),
        )

    def _tags(self, each: Json) -> Iterable[str]:
        for name, known in (("segments", self._segments), ("stages", self._stages)):
            held = texts(each, name)
            left_out = [one for one in known if one not in held]
            if held and len(left_out) == 1 and len(held) > 1:
                yield f"not {labels.title(left_out[0]).lower()}"
            elif left_out:
                yield from map(labels.title, held)


def _kinds(names: Iterable[str]) -> str:
    first, *rest = [labels.title(name) for name in names] or [""]
    return labels.listing(
        [first, *(name[:1].lower() + name[1:] if name[1:2].islower() else name for name in rest)]
    )


def _date(month_day: str) -> str:
    """`11-01` -> `1 Nov`."""
    month, _, day = month_day.partition("-")
    if not (month.isdigit() and day.isdigit() and 1 <= int(month) <= len(_MONTHS)):
        return month_day
    return f"{int(day)} {_MONTHS[int(month) - 1]}"
