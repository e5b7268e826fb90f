"""The features of an event: what a condition may read of the event that a rule is about, besides the account's."""

from collections.abc import Mapping

from services.cadence.features import feature
from services.cadence.features.feature import Feature, Kind

EVENTS: Mapping[str, str] = {
    "health.scored": "The account's health was scored",
    "nps.answered": "A contact answered the NPS question",
    "survey.answered": "A contact answered a survey",
    "usage.reported": "The usage of a period was reported",
    "milestone.reached": "The customer reached a milestone",
    "expansion.signalled": "There is a sign that the customer needs more of the product",
    "contract.changed": "A contract was created or changed",
    "touchpoint.settled": "A touchpoint took place or did not, or the customer declined the invitation to it",
    "interaction.logged": "Contact outside the plan was logged",
    "request.received": "The customer sent us a request",
    "contact.described": "A contact was described, for the first time or again",
    "contact.left": "A contact left",
    "mail.judged": "Three days have passed since a mail was sent to a contact, so its opens and clicks are counted",
    "program.announced": "A release, webinar, newsletter or event was announced to an audience with this account",
}
"""Event type -> when it happens, of the events that a rule may be about."""


def _nullable(name: str, kind: Kind, description: str, values: tuple[str, ...] = ()) -> Feature:
    return Feature(name, kind, description, values=values)


def _required(name: str, kind: Kind, description: str, values: tuple[str, ...] = ()) -> Feature:
    return Feature(name, kind, description, values=values, nullable=False)


_FEATURES: Mapping[str, tuple[Feature, ...]] = {
    "health.scored": (
        _nullable("health_score", "number", "The score in this event"),
        _nullable("color", "choice", "The colour in this event, else from its score", feature.COLORS),
        _nullable(
            "score_drop", "number", "The score before minus this one: 15 is a fall by 15; null without both"
        ),
    ),
    "nps.answered": (_required("nps_score", "number", "The answer"),),
    "survey.answered": (
        _nullable("survey", "text", "Which survey"),
        _nullable("survey_answer", "choice", "The answer", feature.ANSWERS),
        _nullable("csat", "number", "The satisfaction, 1-5"),
    ),
    "usage.reported": (
        _nullable("seat_ratio", "number", "Of this report"),
        _nullable("limit_ratio", "number", "Of this report"),
        _nullable("usage_spike_ratio", "number", "Of this report"),
        _nullable("usage_change", "number", "Like the account's, up to the end of this report"),
        _nullable("active_users", "number", "Of this report; of a day of shorter ones the most"),
    ),
    "milestone.reached": (
        _required("milestone", "text", "Which milestone"),
        _nullable("milestone_kind", "choice", "Its kind", feature.MILESTONE_KINDS),
    ),
    "expansion.signalled": (_required("signal", "choice", "Which signal", feature.SIGNALS),),
    "contract.changed": (
        _nullable("contract_status", "choice", "The status in this event", feature.CONTRACT_STATES),
        _required("first_signature", "truth", "This is the contract's first signature"),
        _required("renewal_signature", "truth", "This signs the next term"),
        _nullable(
            "arr_change",
            "number",
            "The contract's revenue minus the one before, in its own currency; null without both",
        ),
    ),
    "touchpoint.settled": (
        _nullable("settled_type", "text", "Type of the touchpoint"),
        _required("outcome", "choice", "How it ended", feature.OUTCOMES),
        _required("declines_in_row", "number", "Like the account's, up to and including this one"),
        _nullable("attendance_rate", "number", "Like the account's, up to and including this one"),
    ),
    "interaction.logged": (
        _nullable("interaction_channel", "choice", "The channel of the contact", feature.CHANNELS),
    ),
    "request.received": (
        _nullable("request_channel", "choice", "The channel of the request", feature.CHANNELS),
    ),
    "contact.described": (
        _nullable("role", "choice", "The contact's role", feature.ROLES),
        _required("joined", "truth", "This is the first description of the contact"),
    ),
    "contact.left": (_nullable("role", "choice", "The contact's last role", feature.ROLES),),
    "mail.judged": (
        _nullable("open_rate", "number", "Like the account's, up to and including this mail"),
        _nullable("click_rate", "number", "Like the account's, up to and including this mail"),
    ),
    "program.announced": (
        _nullable("program_kind", "choice", "The kind of program", feature.PROGRAM_KINDS),
        _required("meaningful", "truth", "The program matters to customers; false unless announced so"),
    ),
}
EVENT_FEATURES: Mapping[str, Mapping[str, Feature]] = {
    event: {item.name: item for item in features} for event, features in _FEATURES.items()
}
"""Event type -> feature name -> feature. Within a rule they replace the account's features of the same name."""
