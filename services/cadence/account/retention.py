"""What is stored of each type of event: the fields, the dated entries and how many of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from schemas.facts import AccountDescribed
from schemas.vocabulary import Role

ACCOUNT_FIELDS: Mapping[str, Mapping[str, str]] = {
    "account.described": {name: name for name in AccountDescribed.model_fields}
    | {"segment": "segment_override"},
    "health.scored": {"score": "health_score", "color": "color", "drivers": "drivers"},
    "nps.answered": {"score": "nps_score"},
    "survey.answered": {"answer": "survey_answer", "csat": "csat"},
}
"""Event type -> {field of its data: name under which the account stores it}."""

MET = frozenset({"completed", "attended"})
"""Outcomes of a touchpoint that took place."""


@dataclass(frozen=True, slots=True)
class EntryRule:
    """A kind of dated entry: its name, the fields it keeps, and how many entries (`limit`).

    `key`: of the entries with the same value in this field only the newest is kept. `only`: an event makes an entry if
    each of these fields has one of these values.
    """

    name: str
    fields: tuple[str, ...]
    limit: int = 16
    key: str | None = None
    only: tuple[tuple[str, frozenset[object]], ...] = ()

    def accepts(self, fields: Mapping[str, object]) -> bool:
        return not self.only or all(fields.get(name) in values for name, values in self.only)


_SENT = ("state", frozenset[object]({"sent"}))
_TO_CUSTOMER = ("recipient_kind", frozenset[object]({"contact"}))
_BY_EMAIL = ("channel", frozenset[object]({"email"}))
_OPENED = ("kind", frozenset[object]({"opened", "clicked", "replied"}))
_CLICKED = ("kind", frozenset[object]({"clicked"}))
_MET = ("outcome", frozenset[object](MET))
_ROLE = ("role", frozenset[object](get_args(Role)))
_INTERACTION = ("channel", "touchpoint_type", "contact_id", "at", "initiated_by")
_SETTLED = ("touchpoint_id", "touchpoint_type", "outcome", "at")
_MAIL = ("delivery_id", "touchpoint_type")
REQUESTS_KEPT = 48

ENTRY_RULES: Mapping[str, tuple[EntryRule, ...]] = {
    "health.scored": (EntryRule("health.scored", ("score", "color")),),
    "nps.answered": (EntryRule("nps.answered", ("contact_id", "score")),),
    "survey.answered": (EntryRule("survey.answered", ("survey", "touchpoint_type", "answer", "csat")),),
    "milestone.reached": (EntryRule("milestone.reached", ("milestone", "kind")),),
    "expansion.signalled": (EntryRule("expansion.signalled", ("signal",)),),
    "request.received": (EntryRule("request.received", ("request_id", "channel"), REQUESTS_KEPT),),
    "request.answered": (EntryRule("request.answered", ("request_id", "channel"), REQUESTS_KEPT),),
    "interaction.logged": (
        EntryRule("interaction.logged", _INTERACTION, 32),
        EntryRule("touched", ("touch", "at"), 64, "touch"),
    ),
    "touchpoint.settled": (
        EntryRule("touchpoint.settled", _SETTLED, 32, "touchpoint_id"),
        EntryRule("touched", ("touch", "touchpoint_id", "at"), 64, "touch", (_MET,)),
    ),
    "delivery.finished": (
        EntryRule("mail.sent", _MAIL, 16, "delivery_id", (_SENT, _TO_CUSTOMER, _BY_EMAIL)),
        EntryRule("reached", ("touch",), 64, "touch", (_SENT, _TO_CUSTOMER)),
    ),
    "message.engaged": (
        EntryRule("mail.opened", ("delivery_id",), 32, "delivery_id", (_OPENED,)),
        EntryRule("mail.clicked", ("delivery_id",), 16, "delivery_id", (_CLICKED,)),
    ),
    "contact.left": (EntryRule("contact.left", ("contact_id",)),),
    "contact.described": (
        EntryRule("contact.described", ("contact_id", "role"), 16, "contact_id", (_ROLE,)),
    ),
}
"""Event type -> the dated entries it makes, which windows, streaks and triggers read.

`touched`: the newest contact of each touchpoint type. `reached`: the newest message of each touchpoint type to a
contact. `mail.opened`: any sign that a mail was read.
"""

WENT_LIVE = "milestone.go_live"
"""The name of the entries of which only the earliest is kept."""
