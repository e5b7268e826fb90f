"""The events of the contract: the model and the topic of each event type."""

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from schemas import facts, merges, outcomes
from schemas.base import SchemaModel
from schemas.cleaning import CleanData, read_clean
from schemas.problems import Malformed, excerpt

FACTS: Final[Mapping[str, type[SchemaModel]]] = {
    "drumbeat.account.described.v1": facts.AccountDescribed,
    "drumbeat.account.merged.v1": merges.AccountMerged,
    "drumbeat.contact.described.v1": facts.ContactDescribed,
    "drumbeat.contact.left.v1": facts.ContactLeft,
    "drumbeat.csm.described.v1": facts.CsmDescribed,
    "drumbeat.usage.reported.v1": facts.UsageReported,
    "drumbeat.milestone.reached.v1": facts.MilestoneReached,
    "drumbeat.health.scored.v1": facts.HealthScored,
    "drumbeat.nps.answered.v1": facts.NpsAnswered,
    "drumbeat.survey.answered.v1": facts.SurveyAnswered,
    "drumbeat.contract.changed.v1": facts.ContractChanged,
    "drumbeat.expansion.signalled.v1": facts.ExpansionSignalled,
    "drumbeat.request.received.v1": facts.RequestReceived,
    "drumbeat.request.answered.v1": facts.RequestAnswered,
    "drumbeat.preference.changed.v1": facts.PreferenceChanged,
    "drumbeat.interaction.logged.v1": facts.InteractionLogged,
    "drumbeat.outreach.paused.v1": facts.OutreachPaused,
    "drumbeat.outreach.resumed.v1": facts.OutreachResumed,
    "drumbeat.program.announced.v1": facts.ProgramAnnounced,
}
"""Event type -> model of its data, of the events about accounts, contacts, CSMs, contracts and programs."""

OUTCOMES: Final[Mapping[str, type[SchemaModel]]] = {
    outcomes.TOUCHPOINT_SETTLED: outcomes.TouchpointSettled,
    outcomes.MESSAGE_ENGAGED: outcomes.MessageEngaged,
}
"""Event type -> model of its data, of the outcomes that producers outside may send."""

ROUTES: Final[Mapping[str, str]] = {
    **dict.fromkeys(FACTS, "account.signals"),
    **dict.fromkeys(OUTCOMES, "touchpoint.outcomes"),
}
"""Event type -> topic, of the types that producers outside may send."""

READABLE: Final[Mapping[str, type[SchemaModel]]] = {
    **FACTS,
    **OUTCOMES,
    outcomes.DELIVERY_FINISHED: outcomes.DeliveryFinished,
}

ABOUT_MANY: Final = frozenset({"drumbeat.csm.described.v1", "drumbeat.program.announced.v1"})
"""Event types whose subject is no account."""
OWN_SOURCE: Final = "/drumbeat"
"""The source of Drumbeat's own events, and the beginning of it: `/drumbeat/scheduler`."""
MAX_DATA_BYTES: Final = 1_000_000
"""Bytes that the data of one event may have."""


def read_data(event_type: str, data: bytes) -> CleanData[SchemaModel]:
    """Clean and read the data of a fact or an outcome. Raises Malformed with all problems, or the nearest known type."""
    model = READABLE.get(event_type)
    if model is None:
        raise _unknown_type(event_type, READABLE)
    if len(data) > MAX_DATA_BYTES:
        raise Malformed(
            f"data: has {len(data):,} bytes, more than {MAX_DATA_BYTES:,}; send less, or several events"
        )
    return read_clean(model, data)


def route(event_type: str) -> str:
    """The topic of an event from outside. Raises Malformed when producers outside may not send this type."""
    topic = ROUTES.get(event_type)
    if topic is None:
        raise _unknown_type(event_type, ROUTES)
    return topic


def check_subject(subject: str, data: SchemaModel) -> None:
    """Raise Malformed when an account is to be merged into itself."""
    if isinstance(data, merges.AccountMerged) and data.from_ == subject:
        raise Malformed(
            f"data.from: {excerpt(subject)} is the subject itself; send the account that ends as `from`"
            " and the one that stays as subject"
        )


@lru_cache(maxsize=1024)
def refuse_own_source(source: str) -> None:
    """Raise Malformed for an event from outside that calls itself one of Drumbeat's own. Senders are few: cached."""
    start = source.strip().rstrip("/").casefold()
    if start == OWN_SOURCE or start.startswith(f"{OWN_SOURCE}/"):
        raise Malformed(
            f"source: {excerpt(source)} is reserved for Drumbeat's own events; name the system that sends, like /crm"
        )


def did_you_mean(word: str, words: Iterable[str], otherwise: str = "see the list in the policy") -> str:
    """A hint for an unknown word: the nearest of `words`, if one is near."""
    nearest = difflib.get_close_matches(word[:255], words, n=1, cutoff=0.6)
    return f"did you mean {nearest[0]}?" if nearest else otherwise


def _unknown_type(event_type: str, event_types: Mapping[str, object]) -> Malformed:
    hint = did_you_mean(event_type, event_types, "see the list of types in the documentation")
    return Malformed(f"type: {excerpt(event_type)} is not known; {hint}")
