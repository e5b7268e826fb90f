"""The rules of a policy as text: where they apply, what they plan, and their limits."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.console import labels
from services.console.json_fields import Json, nested, number, text, texts, values
from services.console.source_map import NO_LINK, SourceLink, SourceMap

_SPAN: Final = re.compile(r"(\d+)([dh])")
_FALLBACK: Final = "unless another rhythm is at least as frequent"
_GUARANTEES: Final = {"floor": "at least", "escalation": "escalation"}
_EVENTS: Final = {
    "contract.changed": "A contract is signed or changes",
    "health.scored": "Health is scored",
    "usage.reported": "Usage is reported",
    "nps.answered": "An NPS survey is answered",
    "survey.answered": "A survey is answered",
    "milestone.reached": "A milestone is reached",
    "expansion.signalled": "The customer shows a sign of growth",
    "contact.described": "A contact joins or changes",
    "contact.left": "A contact leaves",
    "request.received": "The customer sends a request",
    "touchpoint.settled": "A touchpoint is settled",
    "mail.judged": "Three days after a mail",
    "program.announced": "A program is announced",
    "account.described": "The account is described",
}


@dataclass(frozen=True, slots=True)
class RuleView:
    """`tags`: the segments and stages it is limited to; `conditions`: (keyword, expression as written)."""

    rule: str
    title: str = ""
    terms: str = ""
    contact: str = ""
    tags: tuple[str, ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()
    because: str = ""
    guarantee: str = ""
    link: SourceLink = NO_LINK


def span_text(span: str) -> str:
    """`14d` -> `14 days`, `36h` -> `36 hours`; anything else as it is."""
    match = _SPAN.fullmatch(span)
    return labels.count(int(match[1]), "day" if match[2] == "d" else "hour") if match else span


def event_text(name: str) -> str:
    return _EVENTS.get(name, labels.title(name.replace(".", "_")))


def offset_text(days: int, anchor: str) -> str:
    """A day relative to its anchor: `90 days before`, `The day of the renewal`, `3 days after`."""
    if days == 0:
        return f"The day of {anchor}"
    return f"{labels.count(abs(days), 'day')} {'before' if days < 0 else 'after'}"


def interval(rhythm: Json) -> str:
    """How often a rhythm is, of a policy or of a plan."""
    return labels.interval(number(rhythm, "every_days"), text(rhythm, "rrule") or None)


def guarantee_text(rhythm: Json) -> str:
    """`at least`, `escalation` or `minimum` for a rhythm that is a guarantee; else empty."""
    return "minimum" if rhythm.get("fallback") is True else _GUARANTEES.get(text(rhythm, "precedence"), "")


def feedback_text(feedback: Json) -> str:
    """How feedback moves intervals, in a paragraph."""
    ladder = labels.listing(map(labels.value, values(feedback, "ladder")))
    last = text(feedback, "at_the_end")
    sentences = [
        f"A step moves an interval to the next of {ladder} days." if ladder else "",
        f"There is at most one step in {span_text(text(feedback, 'spacing'))}.",
        f"A step lasts {span_text(text(feedback, 'lasts'))}.",
        f"After the longest interval the touchpoint moves to {labels.channel(last)}." if last else "",
    ]
    return " ".join(filter(None, sentences))


class RuleViews:
    """Makes the views of one policy's rules; a rule for all segments or all stages has no tag for them."""

    def __init__(self, sources: SourceMap, segments: Iterable[str], stages: Iterable[str]) -> None:
        self._sources = sources
        self._segments = tuple(segments)
        self._stages = tuple(stages)

    def category(self, rule: Json) -> RuleView:
        """A segment or a stage."""
        when = text(rule, "when")
        is_last = when == "true"
        name = labels.title(text(rule, "name"))
        return RuleView(
            name,
            name,
            "all others" if is_last else "",
            conditions=() if is_last else (("when", when),),
            link=self._sources.link_of(rule),
        )

    def rhythm(self, rule: Json) -> RuleView:
        """A rhythm without its intervals."""
        within = values(rule, "within")
        shortest, longest = map(labels.value, within) if len(within) == 2 else ("", "")
        terms = [
            f"may move between {shortest} and {longest} days" if longest else "",
            "any contact counts" if rule.get("any_contact") is True else "",
            "starts soon" if text(rule, "urgency") == "soon" else "",
            _FALLBACK if rule.get("fallback") is True else "",
        ]
        return self._view(rule, terms)

    def guarantee(self, rule: Json) -> RuleView:
        """A rhythm that is a guarantee, with its interval."""
        terms = [
            interval(rule),
            _FALLBACK if rule.get("fallback") is True else "",
        ]
        return self._view(rule, terms, tagged=True)

    def trigger(self, rule: Json) -> RuleView:
        after, within, deadline, cooldown = (
            span_text(text(rule, name)) for name in ("after", "within", "deadline", "cooldown")
        )
        cap = nested(rule, "cap")
        terms = [
            f"from {after} after it" if text(rule, "after") not in ("", "0d") else "",
            f"within {within}" if within else "",
            f"deadline {deadline}" if deadline else "",
            f"at most once in {cooldown}" if cooldown else "",
            _at_most(cap) if cap else "",
        ]
        return self._view(rule, terms, tagged=True)

    def step(self, rule: Json) -> RuleView:
        deadline = span_text(text(rule, "deadline"))
        terms = [f"within {span_text(text(rule, 'within'))}", f"deadline {deadline}" if deadline else ""]
        return self._view(rule, terms, tagged=True)

    def adjustment(self, rule: Json) -> RuleView:
        """An adjustment or a feedback rule."""
        steps = number(rule, "steps")
        direction = "less often" if steps > 0 else "more often"
        on = f"{event_text(text(rule, 'on'))}: " if text(rule, "on") else ""
        terms = [f"{labels.count(abs(steps), 'step')} {direction}"]
        return self._view(rule, terms, tagged=True, title=f"{on}{_touchpoint_types(rule)}")

    def limit(self, rule: Json) -> RuleView:
        return self._view(rule, [_at_most(rule)], title=_touchpoint_types(rule))

    def budget(self, rule: Json) -> RuleView:
        """A contact budget: whose contacts it counts, over which channels, and what never waits."""
        channels = labels.listing(labels.title(name).lower() for name in texts(rule, "channels"))
        exempt = labels.listing(labels.title(name).lower() for name in texts(rule, "exempt"))
        terms = [
            _at_most(rule),
            f"by {channels}" if channels else "over all channels",
            f"{exempt} never {'wait' if len(texts(rule, 'exempt')) > 1 else 'waits'}" if exempt else "",
        ]
        whose = "Of one person" if text(rule, "whose") == "person" else "Of one account"
        return self._view(rule, terms, title=whose)

    def blackout(self, rule: Json) -> RuleView:
        terms = [f"{_date(text(rule, 'from'))} to {_date(text(rule, 'to'))}"]
        return self._view(rule, terms, tagged=True, title=_touchpoint_types(rule))

    def _view(self, rule: Json, terms: Iterable[str], *, tagged: bool = False, title: str = "") -> RuleView:
        owner = text(rule, "owner")
        return RuleView(
            rule=text(rule, "rule"),
            title=title or labels.title(text(rule, "touchpoint")),
            terms=labels.joined(*terms),
            contact=(
                labels.channel_and_owner(text(rule, "channel"), labels.owner_kind(owner)) if owner else ""
            ),
            tags=tuple(self._tags(rule)) if tagged else (),
            conditions=tuple((name, text(rule, name)) for name in ("when", "unless") if text(rule, name)),
            because=text(rule, "because"),
            guarantee=guarantee_text(rule),
            link=self._sources.link_of(rule),
        )

    def _tags(self, rule: Json) -> Iterable[str]:
        for field, names in (("segments", self._segments), ("stages", self._stages)):
            included = texts(rule, field)
            excluded = [name for name in names if name not in included]
            if len(included) > 1 and len(excluded) == 1:
                yield f"not {labels.title(excluded[0]).lower()}"
            elif excluded:
                yield from map(labels.title, included)


def _at_most(limit: Json) -> str:
    return f"at most {number(limit, 'at_most')} in {span_text(text(limit, 'per'))}"


def _touchpoint_types(rule: Json) -> str:
    """`Advocacy ask and survey`: the titles of the rule's touchpoint types, as one phrase."""
    first, *rest = [labels.title(name) for name in texts(rule, "touchpoints")] or [""]
    lowered = (name[:1].lower() + name[1:] if name[1:2].islower() else name for name in rest)
    return labels.listing([first, *lowered])


def _date(text: str) -> str:
    """`11-01` -> `1 Nov`, `2026-11-20` -> `20 Nov 2026`."""
    is_yearly = text.count("-") == 1
    day = date.fromisoformat(f"2000-{text}" if is_yearly else text)
    return f"{day.day} {day:%b}" if is_yearly else f"{day.day} {day:%b %Y}"
