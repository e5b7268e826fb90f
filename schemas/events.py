"""The events of the contract: which model reads which type, and on which topic it travels."""

import difflib
from collections.abc import Mapping
from typing import Final

from schemas.base import Wire, unknown_fields
from schemas.facts import (
    AccountDescribed,
    ContactDescribed,
    ContactLeft,
    ContractChanged,
    CsmDescribed,
    Driver,
    ExpansionSignalled,
    HealthScored,
    InteractionLogged,
    Limit,
    MilestoneReached,
    NpsAnswered,
    OutreachPaused,
    OutreachResumed,
    PreferenceChanged,
    ProgramAnnounced,
    RequestAnswered,
    RequestReceived,
    SurveyAnswered,
    UsageReported,
)
from schemas.outcomes import (
    DELIVERY_FINISHED,
    MESSAGE_ENGAGED,
    TOUCHPOINT_SETTLED,
    DeliveryFinished,
    MessageEngaged,
    TouchpointSettled,
)
from schemas.problems import Malformed, excerpt

__all__ = [
    "FACTS",
    "OUTCOMES",
    "READABLE",
    "ROUTES",
    "AccountDescribed",
    "ContactDescribed",
    "ContactLeft",
    "ContractChanged",
    "CsmDescribed",
    "DeliveryFinished",
    "Driver",
    "ExpansionSignalled",
    "HealthScored",
    "InteractionLogged",
    "Limit",
    "Malformed",
    "MessageEngaged",
    "MilestoneReached",
    "NpsAnswered",
    "OutreachPaused",
    "OutreachResumed",
    "PreferenceChanged",
    "ProgramAnnounced",
    "RequestAnswered",
    "RequestReceived",
    "SurveyAnswered",
    "TouchpointSettled",
    "UsageReported",
    "parse_data",
    "route",
    "unknown_fields",
]

FACTS: Final[Mapping[str, type[Wire]]] = {
    "drumbeat.account.described.v1": AccountDescribed,
    "drumbeat.contact.described.v1": ContactDescribed,
    "drumbeat.contact.left.v1": ContactLeft,
    "drumbeat.csm.described.v1": CsmDescribed,
    "drumbeat.usage.reported.v1": UsageReported,
    "drumbeat.milestone.reached.v1": MilestoneReached,
    "drumbeat.health.scored.v1": HealthScored,
    "drumbeat.nps.answered.v1": NpsAnswered,
    "drumbeat.survey.answered.v1": SurveyAnswered,
    "drumbeat.contract.changed.v1": ContractChanged,
    "drumbeat.expansion.signalled.v1": ExpansionSignalled,
    "drumbeat.request.received.v1": RequestReceived,
    "drumbeat.request.answered.v1": RequestAnswered,
    "drumbeat.preference.changed.v1": PreferenceChanged,
    "drumbeat.interaction.logged.v1": InteractionLogged,
    "drumbeat.outreach.paused.v1": OutreachPaused,
    "drumbeat.outreach.resumed.v1": OutreachResumed,
    "drumbeat.program.announced.v1": ProgramAnnounced,
}
"""What may be told about an account, by type."""

OUTCOMES: Final[Mapping[str, type[Wire]]] = {
    TOUCHPOINT_SETTLED: TouchpointSettled,
    MESSAGE_ENGAGED: MessageEngaged,
}
"""What may be told, from outside, about a touchpoint or a message."""

ROUTES: Final[Mapping[str, str]] = {
    **dict.fromkeys(FACTS, "account.signals"),
    **dict.fromkeys(OUTCOMES, "touchpoint.outcomes"),
}
"""The topic of every type that the outside may send."""

READABLE: Final[Mapping[str, type[Wire]]] = {**FACTS, **OUTCOMES, DELIVERY_FINISHED: DeliveryFinished}

LARGEST: Final = 1_000_000
"""Bytes the data of one event may have."""


def parse_data(event_type: str, data: bytes) -> Wire:
    """The letter of a fact or an outcome. Raises Malformed: every problem, or a hint what type was meant."""
    model = READABLE.get(event_type)
    if model is None:
        raise _unknown_type(event_type, READABLE)
    if len(data) > LARGEST:
        raise Malformed(f"data: {len(data):,} bytes, more than {LARGEST:,}; send less, or several events")
    return model.read(data)


def route(event_type: str) -> str:
    """The topic for an event from outside. Raises Malformed when the outside may not send such a type."""
    topic = ROUTES.get(event_type)
    if topic is None:
        raise _unknown_type(event_type, ROUTES)
    return topic


def _unknown_type(event_type: str, known: Mapping[str, object]) -> Malformed:
    near = difflib.get_close_matches(event_type[:255], known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else "see the list of types in the documentation"
    return Malformed(f"type: {excerpt(event_type)} is not known; {hint}")
