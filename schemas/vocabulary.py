"""The closed word lists of the contract. A value outside its list is rejected where it is read."""

from typing import Final, Literal

Segment = Literal["enterprise", "mid_market", "small_business", "self_service"]
Stage = Literal["onboarding", "adoption", "growth", "renewal", "churned"]
Color = Literal["red", "yellow", "green"]
Complexity = Literal["simple", "standard", "complex"]
Owner = Literal["csm", "pooled_csm", "marketing", "sales", "automation"]
Channel = Literal["call", "meeting", "email", "sms", "slack", "in_app", "webhook"]
SPOKEN: Final = frozenset[Channel]({"call", "meeting"})
"""Channels on which people talk with each other at a time that both keep."""
Topic = Literal["account", "education", "product_updates", "training", "promotion", "events", "surveys"]
Role = Literal["champion", "decision_maker", "executive_sponsor", "admin", "user"]
Frequency = Literal["daily", "weekly", "biweekly", "monthly", "quarterly"]
PreferredFrequency = Literal["daily", "weekly", "biweekly", "monthly", "quarterly", "suggested"]
"""`suggested`: no wish any more, as the policy suggests."""
PreferredChannel = Literal["call", "meeting", "email", "sms", "slack", "in_app", "webhook", "suggested"]
"""`suggested`: no wish any more, as the policy suggests."""
ContractStatus = Literal["draft", "active", "signed", "notice", "churned", "ended"]
MilestoneKind = Literal["adoption", "success", "go_live"]
SurveyAnswer = Literal["too_much", "too_little", "about_right"]
ExpansionSignal = Literal[
    "seat_limit", "usage_limit", "power_users", "advanced_feature", "team_growth", "other"
]
ProgramKind = Literal["release", "webinar", "newsletter", "event", "tips"]
Outcome = Literal["completed", "attended", "missed", "declined", "rescheduled", "cancelled"]
ReportedOutcome = Literal[
    "completed", "attended", "missed", "declined", "rescheduled", "cancelled", "reopened"
]
"""`reopened`: the outcome reported before does not count, and the touchpoint is open again."""
Engagement = Literal[
    "delivered",
    "opened",
    "clicked",
    "replied",
    "bounced",
    "complained",
    "unsubscribed",
    "accepted",
    "declined",
]
Bounce = Literal["hard", "soft"]
CsmRole = Literal["csm", "manager", "sales", "marketing"]
Misfire = Literal["fire_all", "fire_latest", "skip"]
"""What an outage does to what came due meanwhile; the words of schedulers such as Quartz and APScheduler."""
Mode = Literal["live", "hold", "observe"]
TouchpointStatus = Literal["planned", "due", "settled", "cancelled", "overdue"]
DeliveryState = Literal["sent", "failed", "suppressed", "expired"]
DeliveryCause = Literal[
    "quiet_hours",
    "channel",
    "no_recipient",
    "no_address",
    "opt_out",
    "pause",
    "on_hold",
    "deadline",
    "contact_budget",
    "withdrawn",
    "no_content",
    "approval",
    "handed_off",
    "failed",
]
"""Why a delivery was not sent."""
Urgency = Literal["soon", "spread"]
Precedence = Literal["default", "preference", "floor", "escalation"]
"""What a rule outranks. An escalation is told at once and never displaced."""
Priority = Literal[0, 1, 2, 3]
"""When work is given up that does not fit: 0 first, 3 never."""
BudgetScope = Literal["account", "person"]
"""Whose contacts a budget counts: all of an account's, or those of one person at the customer."""
Reader = Literal["customer", "owner"]
"""Who reads a content file: a contact at the customer, or the person who owns the touchpoint."""
