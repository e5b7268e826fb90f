"""The words of an event: what a condition may read of the one entry it judges, laid over the words of the account."""

from collections.abc import Mapping

from services.cadence.features.feature import (
    ANSWERS,
    CHANNELS,
    COLORS,
    CONTRACT_STATES,
    MILESTONE_KINDS,
    OUTCOMES,
    PROGRAM_KINDS,
    ROLES,
    SIGNALS,
    Feature,
    Kind,
)


def _said(
    name: str, kind: Kind, description: str, values: tuple[str, ...] = (), *, nullable: bool = True
) -> Feature:
    return Feature(name, kind, description, (), values, nullable)


EVENTS: Mapping[str, str] = {
    "health.scored": "The account's health was scored",
    "nps.answered": "A contact answered the NPS question",
    "survey.answered": "A contact answered a survey",
    "usage.reported": "Usage of a period was reported",
    "milestone.reached": "The customer reached a milestone",
    "expansion.signalled": "Something says that the customer needs more",
    "contract.changed": "Something was told of a contract",
    "touchpoint.settled": "A touchpoint took place, or did not",
    "interaction.logged": "Contact outside the plan was logged",
    "request.received": "The customer came to us",
    "contact.described": "A contact was described, for the first time or anew",
    "contact.left": "A contact left",
    "mail.judged": "A mail was sent to a contact three days ago: whoever wanted to open it has done so",
    "program.announced": "A release, webinar, newsletter or event was announced whose audience the account belongs to",
}
"""What a rule may stand on, and when it happens."""

EVENT_FEATURES: Mapping[str, Mapping[str, Feature]] = {
    event: {word.name: word for word in words}
    for event, words in {
        "health.scored": (
            _said("health_score", "number", "The score that was told"),
            _said("color", "choice", "The colour that was told, or derived from its score", COLORS),
            _said(
                "score_drop",
                "number",
                "The score before minus this one: 15 is a fall by 15 points, less than 0 a rise; null without both",
            ),
        ),
        "nps.answered": (_said("nps_score", "number", "The answer", nullable=False),),
        "survey.answered": (
            _said("survey", "text", "Which survey"),
            _said("survey_answer", "choice", "The answer", ANSWERS),
            _said("csat", "number", "The satisfaction told"),
        ),
        "usage.reported": (
            _said("seat_ratio", "number", "Of this report"),
            _said("limit_ratio", "number", "Of this report"),
            _said("usage_spike_ratio", "number", "Of this report"),
            _said(
                "usage_change", "number", "The 28 days up to the end of this report, per the 28 days before"
            ),
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
            _said(
                "arr_change",
                "number",
                "The contract's revenue told minus the one told before; null without both",
            ),
        ),
        "touchpoint.settled": (
            _said("settled_type", "text", "Type of the touchpoint"),
            _said("outcome", "choice", "How it ended", OUTCOMES, nullable=False),
            _said(
                "declines_in_row",
                "number",
                "Calls and meetings declined or missed in a row, up to and with this one",
                nullable=False,
            ),
            _said(
                "attendance_rate",
                "number",
                "Share attended of the last 8 calls and meetings, up to and with this one; null until there are 8",
            ),
        ),
        "interaction.logged": (_said("interaction_channel", "choice", "Over which channel", CHANNELS),),
        "request.received": (_said("request_channel", "choice", "Over which channel", CHANNELS),),
        "contact.described": (
            _said("role", "choice", "The contact's role", ROLES),
            _said("joined", "truth", "It is the first we heard of this contact", nullable=False),
        ),
        "contact.left": (_said("role", "choice", "The role the contact had", ROLES),),
        "mail.judged": (
            _said(
                "open_rate",
                "number",
                "Share opened of the last 8 mails, up to and with this one; null until there are 8",
            ),
            _said(
                "click_rate",
                "number",
                "Share with a link followed of the last 8 mails, up to and with this one; null until there are 8",
            ),
        ),
        "program.announced": (
            _said("program_kind", "choice", "What it is", PROGRAM_KINDS),
            _said("meaningful", "truth", "It matters to customers; not said means no", nullable=False),
        ),
    }.items()
}
"""Per event that a rule may stand on: words of the entry itself, laid over those of the account."""
