"""The definition of a feature, and the closed lists of values that conditions may compare with."""

from dataclasses import dataclass
from typing import Literal, get_args

from schemas import vocabulary

Kind = Literal["number", "text", "truth", "choice"]
Counts = Literal["since", "until"]

SEGMENTS: tuple[str, ...] = get_args(vocabulary.Segment)
STAGES: tuple[str, ...] = get_args(vocabulary.Stage)
COLORS: tuple[str, ...] = get_args(vocabulary.Color)
COMPLEXITIES: tuple[str, ...] = get_args(vocabulary.Complexity)
OWNERS: tuple[str, ...] = get_args(vocabulary.Owner)
CHANNELS: tuple[str, ...] = get_args(vocabulary.Channel)
TOPICS: tuple[str, ...] = get_args(vocabulary.Topic)
ROLES: tuple[str, ...] = get_args(vocabulary.Role)
CONTRACT_STATES: tuple[str, ...] = get_args(vocabulary.ContractStatus)
SIGNALS: tuple[str, ...] = get_args(vocabulary.ExpansionSignal)
MILESTONE_KINDS: tuple[str, ...] = get_args(vocabulary.MilestoneKind)
ANSWERS: tuple[str, ...] = get_args(vocabulary.SurveyAnswer)
OUTCOMES: tuple[str, ...] = get_args(vocabulary.Outcome)
PROGRAM_KINDS: tuple[str, ...] = get_args(vocabulary.ProgramKind)
FREQUENCIES = {"daily": 1, "weekly": 7, "biweekly": 14, "monthly": 30, "quarterly": 90}
"""The frequencies a contact may choose, in days."""

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
"""The touchpoint types of the shipped policy that a customer attends: calls and meetings."""
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
"""The touchpoint types of the shipped policy; a policy may add its own."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A value of the account view. `changed_by`: the event types that may change it. `counts`: a count of days since or
    until a moment, which time alone changes. `rests_on`: the stored fields it is computed from.
    """

    name: str
    kind: Kind
    description: str
    changed_by: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    nullable: bool = True
    counts: Counts | None = None
    rests_on: tuple[str, ...] = ()
