"""Over which channel a contact gets a message: the one that they asked for where it reaches them, else the planned one.

A wish for another channel counts for what comes after it (S186). Where it cannot reach them, that channel has a decision
of its own, which says why, and the message goes over the planned channel, or by mail.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from schemas.directory import ContactRecord, PreferenceRecord
from services.notifier.domain.addresses import clean_address
from services.notifier.domain.consent import find_opt_out, preferences_by_topic
from services.notifier.domain.decision import DeliveryDecision, Reason, suppress
from services.notifier.domain.event import Event, readable_name
from services.notifier.domain.phone_number import international_number
from services.notifier.domain.situation import Situation

MAIL: Final = "email"
IN_APP: Final = "in_app"
SMS: Final = "sms"
SLACK: Final = "slack"
CALL: Final = "call"
TEXT_CHANNELS: Final = frozenset({SMS, SLACK})
"""Those that carry a short text to an address that is no mail address."""
ALL_TOPICS: Final = "all"
_NAMES: Final[Mapping[str, str]] = {SMS: "text messages", SLACK: "Slack"}


@dataclass(frozen=True, slots=True)
class ChosenChannel:
    """`instead_of` with `problem`: the channel that was preferred or planned, and why it does not reach the contact."""

    channel: str
    instead_of: str | None = None
    problem: DeliveryDecision | None = None


def open_channels(situation: Situation) -> frozenset[str]:
    """The channels over which Drumbeat itself reaches customers."""
    return frozenset({MAIL, IN_APP, *TEXT_CHANNELS}).difference(situation.closed)


def choose_channel(event: Event, contact: ContactRecord, situation: Situation) -> ChosenChannel:
    """The channel for this contact, whatever consent says about it as a whole."""
    planned = event.customer_channel
    wanted = preferred_channel(contact, event.content.topic, situation) or planned
    if wanted not in TEXT_CHANNELS:
        return ChosenChannel(wanted if wanted in (MAIL, IN_APP) else planned)
    problem = find_problem(contact, wanted, event.content.topic, situation)
    if problem is None:
        return ChosenChannel(wanted)
    other = planned if planned not in TEXT_CHANNELS else MAIL
    return ChosenChannel(other, wanted, problem)


def preferred_channel(contact: ContactRecord, topic: str | None, situation: Situation) -> str | None:
    """What the contact asked for, for this topic."""
    own = [record for record in situation.preferences if record.contact_id == contact.contact_id]
    name = topic or ALL_TOPICS
    return preferences_by_topic(own, [name])[name].channel if own else None


def address_on(contact: ContactRecord, channel: str) -> str | None:
    """Where the contact is reached over this channel: an address, a number (E.164), or an id of Slack."""
    match channel:
        case "sms":
            return international_number(contact.phone)
        case "slack":
            return contact.slack
        case _:
            return contact.email


def addresses_of(contact: ContactRecord) -> Iterable[str]:
    """Every address of the contact that may have been refused, or under which consent may be stored."""
    return filter(None, (address_on(contact, channel) for channel in (MAIL, *sorted(TEXT_CHANNELS))))


def find_problem(
    contact: ContactRecord, channel: str, topic: str | None, situation: Situation
) -> DeliveryDecision | None:
    """Why this channel for texts does not reach the contact; None: it does."""
    if channel in situation.closed:
        return suppress(Reason.CHANNEL, f"{readable_name(channel)}: {situation.closed[channel]}")
    address = address_on(contact, channel)
    if address is None:
        return suppress(
            Reason.NO_NUMBER if channel == SMS else Reason.NO_SLACK_ID, _not_usable(contact, channel)
        )
    if clean_address(address) in situation.unknown_addresses:
        return suppress(Reason.UNKNOWN_NUMBER, _NAMES[channel])
    opt_out = find_opt_out(consents_on(contact, channel, situation), topic, channel)
    return suppress_opt_out(opt_out) if opt_out is not None and opt_out.channel == channel else None


def consents_on(contact: ContactRecord, channel: str, situation: Situation) -> Iterable[PreferenceRecord]:
    """What contacts with the address of this one on the channel, or with the mail address, allow and refuse."""
    person = situation.same_person(contact)
    yield from (record for record in situation.preferences if record.contact_id in person)
    own_address = address_on(contact, channel) if channel in TEXT_CHANNELS else None
    for address in filter(None, (contact.email, own_address)):
        yield from situation.consents.get(clean_address(address), ())


def suppress_opt_out(opt_out: PreferenceRecord) -> DeliveryDecision:
    topic, channel = opt_out.topic or "all topics", opt_out.channel or "all channels"
    return suppress(Reason.OPTED_OUT, f"{readable_name(topic)} on {readable_name(channel)}")


def _not_usable(contact: ContactRecord, channel: str) -> str:
    return "the phone number has no country code" if channel == SMS and contact.phone else ""
