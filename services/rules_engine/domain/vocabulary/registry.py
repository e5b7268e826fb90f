"""The vocabulary: every word a condition may read, with its type and what may change it.

The one source for the checker and for everything derived from the words: documents, columns, schemas.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "text", "truth", "choice"]
Counts = Literal["since", "until"]

SEGMENTS = ("enterprise", "mid_market", "small_business", "self_service")
STAGES = ("onboarding", "adoption", "growth", "renewal", "churned")
COLORS = ("red", "yellow", "green")
COMPLEXITIES = ("simple", "standard", "complex")
OWNERS = ("csm", "pooled_csm", "marketing", "sales", "automation")
CHANNELS = ("call", "meeting", "email", "sms", "slack", "in_app", "webhook")
TOPICS = ("account", "education", "product_updates", "training", "promotion", "events", "surveys")
ROLES = ("champion", "decision_maker", "executive_sponsor", "admin", "user")
CONTRACT_STATES = ("draft", "active", "signed", "churned")
SIGNALS = ("seat_limit", "usage_limit", "power_users", "advanced_feature", "team_growth", "other")
MILESTONE_KINDS = ("adoption", "success", "go_live")
ANSWERS = ("too_much", "too_little", "about_right")
OUTCOMES = ("completed", "attended", "missed", "declined", "rescheduled", "cancelled")


@dataclass(frozen=True, slots=True)
class Word:
    """A field of the view. `counts`: a count of days that time alone changes. `rests_on`: stored facts behind it."""

    name: str
    kind: Kind
    description: str
    changed_by: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    nullable: bool = True
    counts: Counts | None = None
    rests_on: tuple[str, ...] = ()


def _described(name: str, kind: Kind, description: str, values: tuple[str, ...] = ()) -> Word:
    return Word(name, kind, description, ("account.described",), values, rests_on=(name,))


_USAGE = ("usage.reported",)
_CONTRACT = ("contract.changed",)
_TOUCH = ("interaction.logged", "touchpoint.settled")

_ALL = (
    _described(
        "arr", "number", "Yearly recurring revenue; without one described, the sum of the live contracts"
    ),
    _described("currency", "text", "Currency of the revenue"),
    _described("segment_override", "choice", "Segment set by hand", SEGMENTS),
    _described("complexity", "choice", "How complex the product is for this account", COMPLEXITIES),
    _described("csm_id", "text", "The customer success manager"),
    _described("pool", "text", "The pool of customer success managers"),
    _described("industry", "text", "Industry"),
    _described("country", "text", "Country"),
    _described("language", "text", "Language"),
    _described("timezone", "text", "Time zone"),
    Word(
        "paid_success",
        "truth",
        "Has bought a success package; not said means no",
        ("account.described",),
        nullable=False,
        rests_on=("paid_success",),
    ),
    Word(
        "color", "choice", "Health colour, said or derived", ("health.scored",), COLORS, rests_on=("color",)
    ),
    Word("health_score", "number", "Health, 0-100", ("health.scored",), rests_on=("health_score",)),
    Word("nps_score", "number", "Newest NPS answer, 0-10", ("nps.answered",), rests_on=("nps_score",)),
    Word("csat", "number", "Newest satisfaction, 1-5", ("survey.answered",), rests_on=("csat",)),
    Word(
        "survey_answer",
        "choice",
        "Newest view of our rhythm",
        ("survey.answered",),
        ANSWERS,
        rests_on=("survey_answer",),
    ),
    Word("active_users", "number", "Active users of the newest report", _USAGE, rests_on=("active_users",)),
    Word("seats", "number", "Seats bought", _USAGE, rests_on=("seats",)),
    Word("seats_used", "number", "Seats in use", _USAGE, rests_on=("seats_used",)),
    Word("seat_ratio", "number", "Seats in use per seat bought", _USAGE, rests_on=("seats_used", "seats")),
    Word(
        "limit_ratio",
        "number",
        "The fullest of the account's limits, used per limit",
        _USAGE,
        rests_on=("limit_ratio",),
    ),
    Word(
        "usage_spike_ratio",
        "number",
        "Daily usage of the newest period per mean daily usage of the 28 days before it (21 of them known)",
        _USAGE,
        rests_on=("usage",),
    ),
    Word(
        "contract_status",
        "choice",
        "Status of the contract that renews next",
        _CONTRACT,
        CONTRACT_STATES,
        rests_on=("status",),
    ),
    Word(
        "contract_signed",
        "truth",
        "That contract is signed beyond its term",
        _CONTRACT,
        nullable=False,
        rests_on=("signature",),
    ),
    Word(
        "auto_renew",
        "truth",
        "That contract renews by itself",
        _CONTRACT,
        nullable=False,
        rests_on=("contract",),
    ),
    Word(
        "days_to_renewal",
        "number",
        "Days until that contract's term ends",
        _CONTRACT,
        counts="until",
        rests_on=("renewal",),
    ),
    Word(
        "days_since_start",
        "number",
        "Days since the first contract started; without one, since the account was first heard of",
        counts="since",
        rests_on=("start",),
    ),
    Word(
        "days_since_touch",
        "number",
        "Days since we last spoke, planned or not",
        _TOUCH,
        counts="since",
        rests_on=("touch",),
    ),
    Word(
        "days_since_usage",
        "number",
        "Days since the newest usage report",
        _USAGE,
        counts="since",
        rests_on=("usage",),
    ),
    Word(
        "paused",
        "truth",
        "Outreach to the account is paused",
        ("outreach.paused", "outreach.resumed"),
        nullable=False,
    ),
    Word(
        "segment",
        "choice",
        "Segment by the policy",
        values=SEGMENTS,
        nullable=False,
        rests_on=("segment_override", "arr"),
    ),
    Word(
        "stage", "choice", "Stage by the policy", values=STAGES, nullable=False, rests_on=("renewal", "start")
    ),
)
WORDS: Mapping[str, Word] = {word.name: word for word in _ALL}
"""What conditions may read about the account."""


def _said(
    name: str, kind: Kind, description: str, values: tuple[str, ...] = (), *, nullable: bool = True
) -> Word:
    return Word(name, kind, description, (), values, nullable)


ENTRY_WORDS: Mapping[str, Mapping[str, Word]] = {
    event: {word.name: word for word in words}
    for event, words in {
        "health.scored": (
            _said("health_score", "number", "The score that was told"),
            _said("color", "choice", "The colour that was told, or derived from its score", COLORS),
        ),
        "nps.answered": (_said("nps_score", "number", "The answer", nullable=False),),
        "survey.answered": (
            _said("survey_answer", "choice", "The answer", ANSWERS),
            _said("csat", "number", "The satisfaction told"),
        ),
        "usage.reported": (
            _said("seat_ratio", "number", "Of this report"),
            _said("limit_ratio", "number", "Of this report"),
            _said("usage_spike_ratio", "number", "Of this report"),
            _said("active_users", "number", "Of this report"),
        ),
        "milestone.reached": (
            _said("milestone", "text", "Which milestone", nullable=False),
            _said("milestone_kind", "choice", "Its kind", MILESTONE_KINDS),
        ),
        "expansion.signalled": (_said("signal", "choice", "Which signal", SIGNALS, nullable=False),),
        "contract.changed": (
            _said("contract_status", "choice", "The status told", CONTRACT_STATES),
            _said("first_signature", "truth", "This is the contract's first signature", nullable=False),
            _said("renewal_signature", "truth", "This signs the next term", nullable=False),
        ),
        "touchpoint.settled": (
            _said("settled_type", "text", "Type of the touchpoint"),
            _said("outcome", "choice", "How it ended", OUTCOMES, nullable=False),
        ),
        "interaction.logged": (_said("interaction_channel", "choice", "Over which channel", CHANNELS),),
        "request.received": (),
        "contact.left": (),
    }.items()
}
"""Per event that a trigger may stand on: words of the entry itself, laid over those of the account."""


def scope(event: str | None = None) -> Mapping[str, Word]:
    """The words a condition may use: those of the account, and within a trigger those of its event over them."""
    return WORDS if event is None else {**WORDS, **ENTRY_WORDS[event]}
