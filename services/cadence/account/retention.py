"""What is remembered of each type of fact: the one table of fields, dated entries and how many of them."""

from collections.abc import Mapping
from dataclasses import dataclass

CONTACTS_KEPT = 1_000
CONTRACTS_KEPT = 200
PREFERENCES_KEPT = 4_000
"""Guards against runaway producers, far above any account. Beyond them the ids first in the alphabet stay: which those
are does not depend on the order of arrival, and nothing that was let go ever comes back in half."""

ACCOUNT_FIELDS: Mapping[str, Mapping[str, str]] = {
    "account.described": {
        name: name
        for name in (
            "name",
            "arr",
            "currency",
            "industry",
            "country",
            "timezone",
            "language",
            "complexity",
            "csm_id",
            "pool",
            "paid_success",
        )
    }
    | {"segment": "segment_override"},
    "health.scored": {"score": "health_score", "color": "color", "drivers": "drivers"},
    "nps.answered": {"score": "nps_score"},
    "survey.answered": {"answer": "survey_answer", "csat": "csat"},
    "usage.reported": {
        "active_users": "active_users",
        "seats": "seats",
        "seats_used": "seats_used",
        "limit_ratio": "limit_ratio",
    },
}
"""Event type -> {field of its data: name under which the account remembers it}."""

MET = frozenset({"completed", "attended"})
"""Outcomes of a touchpoint that took place."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Which fields of a dated entry are kept, under which name, and how many entries.

    `key`: of the entries equal in this field only the newest is kept (without a value each stands for itself).
    `only`: kept when each of these fields has one of these values. `needs`: kept when this field has a value.
    """

    name: str
    fields: tuple[str, ...]
    newest: int = 16
    key: str | None = None
    only: tuple[tuple[str, frozenset[object]], ...] = ()
    needs: str | None = None

    def wants(self, fields: Mapping[str, object]) -> bool:
        if self.needs is not None and fields.get(self.needs) is None:
            return False
        return not self.only or all(fields.get(name) in values for name, values in self.only)


_SENT = ("state", frozenset[object]({"sent"}))
_CUSTOMER = ("recipient_kind", frozenset[object]({"contact"}))
_OPENED = ("kind", frozenset[object]({"opened", "clicked", "replied"}))
REQUESTS_KEPT = 48

_KEPT = (
    (
        "usage.reported",
        Kept(
            "usage.reported",
            ("period_start", "period_end", "active_users", "seats", "seats_used", "daily", "limit_ratio"),
            56,
        ),
    ),
    ("health.scored", Kept("health.scored", ("score", "color"))),
    ("nps.answered", Kept("nps.answered", ("contact_id", "score"))),
    ("survey.answered", Kept("survey.answered", ("survey", "touchpoint_type", "answer", "csat"))),
    ("milestone.reached", Kept("milestone.reached", ("milestone", "kind"))),
    ("expansion.signalled", Kept("expansion.signalled", ("signal",))),
    ("request.received", Kept("request.received", ("request_id", "channel"), REQUESTS_KEPT)),
    ("request.answered", Kept("request.answered", ("request_id", "channel"), REQUESTS_KEPT)),
    (
        "interaction.logged",
        Kept("interaction.logged", ("channel", "touchpoint_type", "contact_id", "at", "initiated_by"), 32),
    ),
    ("interaction.logged", Kept("touched", ("touch", "at"), 64, "touch")),
    (
        "touchpoint.settled",
        Kept(
            "touchpoint.settled", ("touchpoint_id", "touchpoint_type", "outcome", "at"), 32, "touchpoint_id"
        ),
    ),
    (
        "touchpoint.settled",
        Kept("touched", ("touch", "touchpoint_id", "at"), 64, "touch", (("outcome", frozenset(MET)),)),
    ),
    (
        "delivery.finished",
        Kept(
            "mail.sent",
            ("delivery_id", "touchpoint_type"),
            16,
            "delivery_id",
            (_SENT, _CUSTOMER, ("channel", frozenset({"email"}))),
        ),
    ),
    ("delivery.finished", Kept("reached", ("touch",), 64, "touch", (_SENT, _CUSTOMER))),
    ("message.engaged", Kept("mail.opened", ("delivery_id",), 32, "delivery_id", (_OPENED,))),
    (
        "message.engaged",
        Kept("mail.clicked", ("delivery_id",), 16, "delivery_id", (("kind", frozenset({"clicked"})),)),
    ),
    ("contact.left", Kept("contact.left", ("contact_id",))),
    ("contact.described", Kept("contact.described", ("contact_id", "role"), 16, "contact_id", needs="role")),
)
ENTRIES: Mapping[str, tuple[Kept, ...]] = {
    event: tuple(kept for of, kept in _KEPT if of == event) for event in dict.fromkeys(of for of, _ in _KEPT)
}
"""Per type of fact the dated entries it leaves: windows, streaks and triggers read them.

`touched`: contact of each type, however long ago. `reached`: messages of each type to a contact. `mail.opened`: any
sign that a mail was read.
"""

WENT_LIVE = "milestone.go_live"
"""The entries of which the earliest is kept, and only that."""

CONTACT_FIELDS = ("name", "email", "role", "language", "timezone", "phone", "slack")
CONTRACT_FIELDS = ("status", "starts_on", "renews_on", "signed_at", "arr", "auto_renew")
TERM_FIELDS = ("status", "starts_on", "renews_on", "signed_at")
TERMS_KEPT = 24
REVENUES_KEPT = 8
