"""The forms of policy files: which keys each has, what they take and what they mean."""

from collections.abc import Mapping

from services.cadence.features.registry import (
    CHANNELS,
    EVENT_FEATURES,
    OWNERS,
    SEGMENTS,
    STAGES,
    TOPICS,
)
from services.cadence.policy import AIMS, PRECEDENCES
from services.cadence.policy.grammar import Form, Key, Shape

INTERNAL = "internal"
PERSONS = ("csm", "pooled_csm", "sales")
SPOKEN = ("call", "meeting")


def _need(
    name: str, shape: Shape, text: str, *, values: tuple[str, ...] = (), many: bool = False, form: str = ""
) -> Key:
    return Key(name, shape, text, required=True, values=values, many=many, form=form)


def _moves(most: int) -> tuple[Key, Key]:
    return (
        Key("rarer", "whole", "How many rungs of the ladder rarer", least=1, most=most),
        Key("denser", "whole", "How many rungs of the ladder denser", least=1, most=most),
    )


def _rule(what: str) -> Key:
    return _need("rule", "rule", f"Name of the {what}: lower case, digits and dashes; no two rules share one")


_TOUCHPOINT = _need("touchpoint", "touchpoint", "The kind of touchpoint it asks for, from `touchpoints`")
_BECAUSE = _need(
    "because", "text", "The sentence a CSM reads as the reason; `{word}` becomes the word's value"
)
_SCOPE = (
    Key("segment", "choice", "Only accounts of this segment, or of one of these", values=SEGMENTS, many=True),
    Key("stage", "choice", "Only accounts in this stage, or in one of these", values=STAGES, many=True),
)
_WHEN = Key("when", "condition", "What has to hold as well", default="true")
_UNLESS = Key("unless", "condition", "What must not hold")
_LED = (
    Key("owner", "choice", "Who leads it, where that differs from the touchpoint's own", values=OWNERS),
    Key("channel", "choice", "Over which channel, where that differs", values=CHANNELS),
)
_EVERY = _need(
    "every",
    "rhythm",
    "How often, in days (`14d`); or by stage (`{onboarding: 7d, growth: 30d}`), which also limits it to these stages",
)
_URGENCY = Key(
    "urgency",
    "choice",
    "Where the first one lies: `spread` over the interval, or as `soon` as it fits",
    values=("spread", "soon"),
    default="spread",
)
_ANY = Key(
    "any_contact",
    "truth",
    "A contact of any kind counts as the last one, not only of this type",
    default="false",
)
_WITHIN = Key(
    "within", "span", "How long the touchpoint makes sense from there; after that nobody asks for it"
)
_DEADLINE = Key("deadline", "span", "How long until it counts as overdue", default="the end of `within`")
_MOVED = _need(
    "touchpoints",
    "touchpoint",
    "Whose rhythms move; each of them has one that says `within`",
    many=True,
)
_ONLY = Key(
    "touchpoints", "touchpoint", "Which kinds", many=True, default="every kind that customers hear of"
)
_STEP = (_rule("step"), _TOUCHPOINT, _BECAUSE)
_STEP_REST = (
    Key("within", "span", _WITHIN.text, default="until the next step; after the last, 7 days"),
    *_SCOPE, _WHEN, _UNLESS, _DEADLINE, *_LED,
)  # fmt: skip
_ANCHORS = (
    "`renewal`: the day a contract's term ends; `start`: the first contract's start, without one the day we first"
    " heard of the account; `go_live`: the first go-live milestone"
)

_FORMS = (
    Form(
        "health",
        (
            Key("red_below", "number", "Scores below this are red", required=True, most=100),
            Key("yellow_below", "number", "Scores below this, and not red, are yellow; the rest is green", required=True,
                most=100),
        ),
    ),
    Form(
        "segment",
        (
            _need("segment", "choice", "The segment", values=SEGMENTS),
            _need("when", "condition", "What has to hold; the last segment says `true`"),
        ),
    ),
    Form(
        "stage",
        (
            _need("stage", "choice", "The stage", values=STAGES),
            _need("when", "condition", "What has to hold; the last stage says `true`"),
        ),
    ),
    Form(
        "touchpoint",
        (
            _need("purpose", "text", "Why it is held, in one line"),
            _need("aim", "choice", "What it is worth to the customer; what has no aim is not held", values=AIMS),
            _need("expects", "text", "The outcome it is held for"),
            Key("agenda", "lines", "What is talked about; required where a person leads, and for calls and meetings"),
            _need("topic", "choice", "What a customer can opt out of; `internal` is our own work",
                values=(*TOPICS, INTERNAL)),
            _need("owner", "choice", "Who leads it", values=OWNERS),
            _need("channel", "choice", "Over which channel", values=CHANNELS),
            Key("minutes", "whole", "What one costs the leader, preparation included", required=True, most=600),
            Key("audience", "condition", "Whom it is for, asked of each contact's `role`", default="every contact"),
            Key("never_skip", "truth", "It may move, but one of its period always happens", default="false"),
        ),
    ),
    Form(
        "rhythm",
        (
            _rule("rhythm"), _TOUCHPOINT, _EVERY, _BECAUSE, *_SCOPE, _WHEN,
            Key("within", "range", "How far wishes, adjustments and feedback may move it, as `7d..90d`",
                default="it stands as it is"),
            Key("precedence", "choice", "Its strength against other rhythms of the same touchpoint",
                values=PRECEDENCES, default="default"),
            _URGENCY, _ANY, *_LED,
        ),
    ),
    Form("minimum", (_rule("minimum"), _TOUCHPOINT, _EVERY, _BECAUSE, *_SCOPE, _WHEN, _URGENCY, _ANY, *_LED)),
    Form(
        "adjustment",
        (_rule("adjustment"), _MOVED, *_moves(3), _BECAUSE, *_SCOPE, _WHEN),
        either=("rarer", "denser"),
    ),
    Form(
        "feedback",
        (
            Key("ladder", "ladder", "The intervals that feedback and adjustments step along, shortest first",
                default="[7d, 14d, 30d, 60d, 90d, 180d, 365d]"),
            Key("spacing", "span", "At most one step in this time", default="60d"),
            Key("lasts", "span", "How long a step counts", default="180d"),
            Key("at_the_end", "choice", "The channel a rhythm moves to when a step asks for rarer than its longest",
                values=CHANNELS),
            Key("rules", "forms", "What is heard and what follows", form="feedback_rule"),
        ),
    ),
    Form(
        "feedback_rule",
        (
            _rule("feedback"),
            _need("on", "choice", "The event that is heard",
                values=tuple(event for event, words in EVENT_FEATURES.items() if words)),
            _MOVED,
            _need("when", "condition", "What has to hold; reads at least one word of the event"),
            *_moves(1), _BECAUSE, *_SCOPE,
        ),
        either=("rarer", "denser"),
    ),
    Form(
        "trigger",
        (
            _rule("trigger"),
            _need("on", "choice", "The event it answers", values=tuple(EVENT_FEATURES)),
            _TOUCHPOINT,
            _need("within", "span", "How long after the event the touchpoint makes sense; older news asks for nothing"),
            _BECAUSE, *_SCOPE, _WHEN, _UNLESS,
            Key("after", "span", "How long after the event it makes sense at the earliest", default="0h"),
            _DEADLINE,
            Key("cooldown", "span", "The least time between two of its kind, whichever rule asks"),
            Key("cap", "cap", "At most this many of its kind, as `2 per 365d`"),
            *_LED,
        ),
    ),
    Form(
        "timeline",
        (
            _need("anchor", "choice", f"The date the steps lie around. {_ANCHORS}; `program`: a release,"
                " webinar, newsletter or event whose audience the account belongs to",
                values=("renewal", "start", "go_live", "program")),
            *_SCOPE, _WHEN,
            _need("steps", "forms", "The steps", form="step"),
        ),
    ),
    Form(
        "step",
        (
            *_STEP,
            _need("at", "offset", "Days from the anchor: `-90d` before it, `0d` on it, `30d` after it"),
            *_STEP_REST,
        ),
    ),
    Form(
        "sequence",
        (
            _need("sequence", "rule", "Name of the sequence"),
            Key("anchor", "choice", f"The date that is day 1. {_ANCHORS}", values=("start", "go_live", "renewal"),
                default="start"),
            *_SCOPE, _WHEN,
            _need("steps", "forms", "The steps", form="day_step"),
        ),
    ),
    Form(
        "day_step",
        (
            *_STEP,
            _need("day", "day", "The day it is for; day 1 is the anchor's own day. A list asks for one on each",
                many=True),
            *_STEP_REST,
        ),
    ),
    Form(
        "limit",
        (
            _need("limit", "rule", "Name of the limit; it shares one list of names with the rules"),
            _need("at_most", "cap", "How many in which time, as `2 per 90d`"),
            _ONLY, _BECAUSE,
        ),
    ),
    Form(
        "blackout",
        (
            _need("blackout", "rule", "Name of the blackout; it shares one list of names with the rules"),
            _need("from", "date", "Its first day of the year, as month-day: `11-01`"),
            _need("to", "date", "Its last day, included; before `from` it lies in the next year"),
            _ONLY, _BECAUSE, *_SCOPE, _WHEN,
        ),
    ),
)  # fmt: skip
FORMS: Mapping[str, Form] = {form.name: form for form in _FORMS}
