"""What a word of the vocabulary is, and the closed lists of names that conditions may compare with."""

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
STAKEHOLDERS = ("champion", "decision_maker", "executive_sponsor")
CONTRACT_STATES = ("draft", "active", "signed", "churned")
SIGNALS = ("seat_limit", "usage_limit", "power_users", "advanced_feature", "team_growth", "other")
MILESTONE_KINDS = ("adoption", "success", "go_live")
ANSWERS = ("too_much", "too_little", "about_right")
OUTCOMES = ("completed", "attended", "missed", "declined", "rescheduled", "cancelled")
PROGRAM_KINDS = ("release", "webinar", "newsletter", "event")
FREQUENCIES = {"daily": 1, "weekly": 7, "biweekly": 14, "monthly": 30, "quarterly": 90}
"""How often a contact may wish to hear from us, in days."""

MEETINGS = (
    "kickoff",
    "go_live_review",
    "business_review",
    "executive_review",
    "pre_renewal_review",
    "renewal_discussion",
    "renewal_proposal",
    "milestone_check_in",
    "check_in",
    "intro_call",
    "expansion_discovery",
    "expansion_check_in",
    "post_renewal_check_in",
    "expansion_proposal",
    "renewal_negotiation",
    "training_session",
    "webinar",
)
"""Touchpoint types that a customer attends or does not: calls and meetings, as delivered."""
TOUCHPOINT_TYPES = (
    *MEETINGS,
    "risk_action_plan",
    "escalation",
    "renewal_escalation",
    "advocacy_ask",
    "renewal_urgency",
    "value_report",
    "usage_report",
    "renewal_value_summary",
    "renewal_reminder",
    "welcome",
    "onboarding_step",
    "nurture",
    "in_app_guide",
    "tips",
    "newsletter",
    "feature_spotlight",
    "product_update",
    "webinar_invitation",
    "event_invitation",
    "survey",
)
"""The touchpoint types everybody knows; a policy may add its own."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A field of the view. `counts`: a count of days that time alone changes. `rests_on`: stored facts behind it."""

    name: str
    kind: Kind
    description: str
    changed_by: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    nullable: bool = True
    counts: Counts | None = None
    rests_on: tuple[str, ...] = ()
