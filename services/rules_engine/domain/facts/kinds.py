"""What is remembered of each type of fact: the one table of fields, dated entries and how many of them."""

from collections.abc import Mapping
from dataclasses import dataclass

CONTACTS_KEPT = 1_000
"""A guard against runaway producers, far above any account; the contact heard of longest ago makes room."""

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


@dataclass(frozen=True, slots=True)
class Kept:
    """Which fields of a dated entry are kept, and how many entries."""

    fields: tuple[str, ...]
    newest: int = 16


ENTRIES: Mapping[str, Kept] = {
    "usage.reported": Kept(
        ("period_start", "period_end", "active_users", "seats", "seats_used", "daily", "limit_ratio"), 48
    ),
    "health.scored": Kept(("score", "color")),
    "nps.answered": Kept(("contact_id", "score")),
    "survey.answered": Kept(("survey", "touchpoint_type", "answer", "csat")),
    "milestone.reached": Kept(("milestone", "kind")),
    "expansion.signalled": Kept(("signal",)),
    "request.received": Kept(("request_id", "channel")),
    "request.answered": Kept(("request_id", "channel")),
    "interaction.logged": Kept(("channel", "touchpoint_type", "contact_id", "at", "initiated_by"), 32),
    "touchpoint.settled": Kept(("touchpoint_id", "touchpoint_type", "outcome", "at"), 32),
    "message.engaged": Kept(("delivery_id", "touchpoint_id", "kind"), 32),
    "contact.left": Kept(("contact_id",)),
    "contact.described": Kept(("contact_id", "role")),
}
"""Kinds of dated entries: windows, streaks and triggers read them."""

CONTACT_FIELDS = ("name", "email", "role", "language", "timezone", "phone", "slack")
CONTRACT_FIELDS = ("status", "starts_on", "renews_on", "signed_at", "arr", "auto_renew")
TERM_FIELDS = ("status", "starts_on", "renews_on", "signed_at")
TERMS_KEPT = 24
