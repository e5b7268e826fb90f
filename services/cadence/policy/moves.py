"""What moves, caps and holds back the rest: adjustments, feedback, limits and blackouts, read into the draft."""

from collections.abc import Mapping
from datetime import date

import yaml

from services.cadence.expressions.tree import names
from services.cadence.features.registry import EVENT_FEATURES, Feature
from services.cadence.policy import Adjustment, Blackout, Cap, Feedback, Limit
from services.cadence.policy.draft import UNKNOWN, Draft, because, condition
from services.cadence.policy.values import Record, record
from services.cadence.policy.yaml_source import NEVER, Sheet, shown

_YEAR = 2026
"""Any that has no leap day."""


def read_adjustments(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    for each in sheet.items(node, "adjustments"):
        read = record(sheet, each, "adjustment")
        words = draft.words()
        draft.adjustments.append(
            Adjustment(
                draft.take(read),
                _moved(read, draft),
                condition(read, words),
                _steps(read),
                because(read, words),
                read.place,
            )
        )


def read_feedback(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    """The ladder and its damping are said once; rules may stand in several files."""
    read = record(sheet, node, "feedback", "feedback")
    for key in ("ladder", "spacing", "lasts", "at_the_end"):
        if read.has(key):
            draft.once(read, f"feedback.{key}")
            draft.places["feedback"] = read.place
    if read.has("ladder"):
        draft.ladder = read.ladder("ladder")
    draft.spacing = read.span("spacing") or draft.spacing
    draft.lasts = read.span("lasts") or draft.lasts
    draft.at_the_end = read.choice("at_the_end") or draft.at_the_end
    for each in sheet.items(read.found["rules"], "feedback.rules") if read.has("rules") else ():
        _feedback_rule(record(sheet, each, "feedback_rule"), draft)


def _feedback_rule(read: Record, draft: Draft) -> None:
    event = read.choice("on")
    words = draft.words(event or UNKNOWN)
    when = condition(read, words)
    own = EVENT_FEATURES.get(event, {})
    if event and read.has("when") and when is not NEVER and not set(names(when)) & set(own):
        listed = ", ".join(own)
        read.fault("when", f"this reads nothing of {event} ({listed}); what simply holds is an adjustment")
    draft.feedback.append(
        Feedback(
            draft.take(read),
            event,
            _moved(read, draft),
            when,
            _steps(read),
            because(read, words),
            read.place,
        )
    )


def _steps(read: Record) -> int:
    """Rungs: above zero is rarer."""
    found = {key: read.number(key) for key in ("rarer", "denser") if read.has(key)}
    return int((found.get("rarer") or 0) - (found.get("denser") or 0))


def _moved(read: Record, draft: Draft) -> tuple[str, ...]:
    said = read.choices("touchpoints", draft.touchpoints)
    for kind in said:
        if kind not in draft.gives_way:
            own = any(rhythm.touchpoint == kind for rhythm in draft.rhythms)
            what = "has no rhythm that says `within`" if own else "has no rhythm"
            read.fault("touchpoints", f"{shown(kind)} {what}, so there is nothing to move")
    return tuple(sorted(said))


def _kinds(read: Record, draft: Draft) -> tuple[str, ...]:
    """Without a word on it, every kind that customers hear of."""
    said = read.choices("touchpoints", draft.touchpoints)
    return tuple(sorted(said)) if read.has("touchpoints") else draft.customer_facing()


def read_limits(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    for each in sheet.items(node, "limits"):
        read = record(sheet, each, "limit")
        # A limit has no words: it holds for everybody.
        none: Mapping[str, Feature] = {}
        cap = read.cap("at_most") or Cap(1, draft.spacing)
        draft.limits.append(
            Limit(draft.take(read, "limit"), cap, _kinds(read, draft), because(read, none), read.place)
        )


def read_blackouts(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    for each in sheet.items(node, "blackouts"):
        read = record(sheet, each, "blackout")
        words = draft.words()
        first, last = read.date("from"), read.date("to")
        if first and last and _open_days(first, last) < 1:
            read.fault("to", "this covers the whole year; leave some days open")
        draft.blackouts.append(
            Blackout(
                draft.take(read, "blackout"),
                first or (1, 1),
                last or (1, 1),
                condition(read, words),
                _kinds(read, draft),
                because(read, words),
                read.place,
            )
        )


def _open_days(first: tuple[int, int], last: tuple[int, int]) -> int:
    """Days of a year that are not between these two."""
    begin, end = date(_YEAR, *first).toordinal(), date(_YEAR, *last).toordinal()
    return (begin - end - 1) % 365
