"""What is stored of each type of event: the fields, the dated entries and how many of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from schemas.facts import AccountDescribed
from schemas.vocabulary import Channel
from services.cadence.account.stamps import DAY, Entries, when

ACCOUNT_FIELDS: Mapping[str, Mapping[str, str]] = {
    "account.described": {name: name for name in AccountDescribed.model_fields}
    | {"segment": "segment_override"},
    "health.scored": {"score": "health_score", "color": "color", "drivers": "drivers"},
}
"""Event type -> {field of its data: name under which the account stores it}."""

ANSWERS: Mapping[str, Mapping[str, str]] = {
    "nps.answered": {"score": "nps_score"},
    "survey.answered": {"answer": "survey_answer", "csat": "csat"},
}
"""Event type of an answer -> {field of its data: name under which the newest answer is read}."""

STAKEHOLDERS = frozenset({"champion", "decision_maker", "executive_sponsor"})
"""The roles whose arrival, departure and preferences matter most."""
MET = frozenset({"completed", "attended"})
"""Outcomes of a touchpoint that took place."""


ALWAYS = 1 << 62
"""The gap of statements that are the same whenever they are told."""
_NIGHTLY = 30 * DAY
"""What is told again within this time is told in one go: lists are sent every night, week or month."""
_HALF_A_YEAR = 180 * DAY
_ASKED_AGAIN = 14 * DAY
"""People answer less often than this; tools repeat an answer more often."""
OWN_TIME: Mapping[str, str] = {
    "nps.answered": "answered_at",
    "survey.answered": "answered_at",
    "milestone.reached": "reached_at",
    "request.answered": "answered_at",
    "interaction.logged": "at",
    "touchpoint.settled": "at",
}
"""Event type -> the field with the time of the thing itself; without it the time of its first telling counts."""


@dataclass(frozen=True, slots=True)
class EntryRule:
    """A kind of dated entry: its name, the fields it keeps, and how many entries (`limit`).

    Equal fields told within `gap` microseconds of each other are one entry; so are, whenever they are told, those that
    state their own time (`OWN_TIME`). `known_by`: without this field the gap is 0, because equal words may be of two
    people. `latest_of`: of the entries with the same value in this field only the latest is kept. `only`: an event makes
    an entry if each of these fields has one of these values, and `needs` names a field that has one. `looks_back`: how
    long conditions look back at them, in microseconds. `newest_of`: of the entries with the same value in this field, or
    of one event without it, the one that was told last is kept.
    """

    name: str
    fields: tuple[str, ...]
    limit: int = 16
    gap: int = 0
    known_by: str | None = None
    latest_of: str | None = None
    only: tuple[tuple[str, frozenset[object]], ...] = ()
    looks_back: int = 0
    needs: str | None = None
    newest_of: str | None = None

    def accepts(self, fields: Mapping[str, object]) -> bool:
        if self.needs is not None and not fields.get(self.needs):
            return False
        return not self.only or all(fields.get(name) in values for name, values in self.only)

    def gap_of(self, fields: Mapping[str, object]) -> int:
        """How far apart two tellings of these fields are still one statement, in microseconds."""
        if fields.get(OWN_TIME.get(self.name, "")) is not None:
            return ALWAYS
        return 0 if self.known_by is not None and fields.get(self.known_by) is None else self.gap


_SENT = ("state", frozenset[object]({"sent"}))
_TO_CUSTOMER = ("recipient_kind", frozenset[object]({"contact"}))
_BY_EMAIL = ("channel", frozenset[object]({"email"}))
_OPENED = ("kind", frozenset[object]({"opened", "clicked", "replied"}))
_CLICKED = ("kind", frozenset[object]({"clicked"}))
_FETCHED = ("kind", frozenset[object]({"opened"}))
_BY_A_PERSON = ("automatic", frozenset[object]({None, False}))
_BY_A_MACHINE = ("automatic", frozenset[object]({True}))
_MET = ("outcome", frozenset[object](MET))
_INTERACTION = ("channel", "touchpoint_type", "contact_id", "at", "initiated_by")
_SETTLED = ("touchpoint_id", "touchpoint_type", "outcome", "at")
_SURVEY = ("contact_id", "survey", "touchpoint_type", "answer", "csat", "answered_at")
_MAIL = ("delivery_id", "touchpoint_type")
_OUTSIDE_PRODUCT = ("channel", frozenset[object]({None, *get_args(Channel)} - {"in_app"}))
_ANSWERED = ("delivery_id", "touchpoint_id", "touchpoint_type", "answer")
_NOTED = ("touchpoint_id", "touchpoint_type", "channel", "contact_id", "outcome", "at", "notes")
NOTES = "noted"
INVITATION_ANSWERED = "invitation.answered"
"""The kind of entries with what customers answered to invitations, the latest for each touchpoint."""
SETTLED_KINDS = ("touchpoint.settled", INVITATION_ANSWERED)
"""The kinds of entries from which it follows how touchpoints ended."""
NOTES_KEPT = 6
"""Of the newest conversations and attempts: one that is withdrawn gives way to that before it."""
REQUESTS_KEPT = 48

ENTRY_RULES: Mapping[str, tuple[EntryRule, ...]] = {
    "health.scored": (EntryRule("health.scored", ("score", "color"), looks_back=7 * DAY),),
    "nps.answered": (
        EntryRule(
            "nps.answered",
            ("contact_id", "score", "answered_at"),
            48,
            _ASKED_AGAIN,
            "contact_id",
            looks_back=_HALF_A_YEAR,
        ),
    ),
    "survey.answered": (
        EntryRule("survey.answered", _SURVEY, 48, _ASKED_AGAIN, "contact_id", looks_back=_HALF_A_YEAR),
    ),
    "milestone.reached": (
        EntryRule("milestone.reached", ("milestone", "kind", "reached_at"), 200, ALWAYS, looks_back=ALWAYS),
    ),
    "expansion.signalled": (
        EntryRule("expansion.signalled", ("signal", "about"), 32, _NIGHTLY, looks_back=_HALF_A_YEAR),
    ),
    "request.received": (
        EntryRule("request.received", ("request_id", "channel"), REQUESTS_KEPT, ALWAYS, looks_back=56 * DAY),
    ),
    "request.answered": (
        EntryRule(
            "request.answered",
            ("request_id", "channel", "answered_at"),
            REQUESTS_KEPT,
            ALWAYS,
            looks_back=56 * DAY,
        ),
    ),
    "interaction.logged": (
        EntryRule("interaction.logged", _INTERACTION, 32),
        EntryRule("touched", ("touch", "at"), 64, latest_of="touch", only=(_OUTSIDE_PRODUCT,)),
        EntryRule(NOTES, _NOTED, NOTES_KEPT, needs="notes", newest_of="touchpoint_id"),
    ),
    "touchpoint.settled": (
        EntryRule("touchpoint.settled", _SETTLED, 48, ALWAYS, "touchpoint_id", looks_back=_HALF_A_YEAR),
        EntryRule("touched", ("touch", "touchpoint_id", "at"), 64, latest_of="touch", only=(_MET,)),
        EntryRule(NOTES, _NOTED, NOTES_KEPT, needs="notes", newest_of="touchpoint_id"),
    ),
    "delivery.finished": (
        EntryRule("mail.sent", _MAIL, 16, latest_of="delivery_id", only=(_SENT, _TO_CUSTOMER, _BY_EMAIL)),
        EntryRule("reached", ("touch",), 64, latest_of="touch", only=(_SENT, _TO_CUSTOMER)),
    ),
    "message.engaged": (
        EntryRule(
            "mail.opened", ("delivery_id", "kind"), 32, latest_of="delivery_id", only=(_OPENED, _BY_A_PERSON)
        ),
        EntryRule(
            "mail.clicked", ("delivery_id",), 16, latest_of="delivery_id", only=(_CLICKED, _BY_A_PERSON)
        ),
        EntryRule(
            "mail.fetched", ("delivery_id",), 32, latest_of="delivery_id", only=(_FETCHED, _BY_A_MACHINE)
        ),
        EntryRule(INVITATION_ANSWERED, _ANSWERED, 64, latest_of="touchpoint_id", needs="answer"),
    ),
    "contact.left": (EntryRule("contact.left", ("contact_id",), 200, _NIGHTLY, looks_back=_HALF_A_YEAR),),
    "contact.described": (
        EntryRule("contact.described", ("contact_id", "role", "content"), 400, _NIGHTLY, looks_back=_NIGHTLY),
    ),
}
"""Event type -> the dated entries it makes, which windows, streaks and triggers read.

`touched`: the latest contact of each touchpoint type. `reached`: the newest message of each touchpoint type to a
contact. `mail.opened`: any sign that a mail was read. `mail.fetched`: a machine opened it, so whether a person did is
not known. `noted`: what was written down after a conversation.
"""


def bounds_reached(stored: Mapping[str, Entries]) -> list[str]:
    """The bounds that may have let go of entries that conditions look back at, in words; empty below the bounds."""
    reached: list[str] = []
    for rules in ENTRY_RULES.values():
        for rule in rules:
            entries = stored.get(rule.name, {})
            if rule.looks_back and len(entries) >= rule.limit:
                stamps = sorted(entries)
                if when(stamps[0]) > when(stamps[-1]) - rule.looks_back:
                    reached.append(bound_text(rule.name))
    return reached


def bound_text(kind: str) -> str:
    """How many entries of a kind are kept, in words."""
    limit = next(rule.limit for rules in ENTRY_RULES.values() for rule in rules if rule.name == kind)
    return f"the newest {limit} entries of {kind}; an older one that conditions may look back at no longer counts"
