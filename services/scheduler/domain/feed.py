"""What stands in a calendar feed: all work of a CSM, or of an account what its customer takes part in.

A customer's feed has no internal work, no message, and no reason, purpose or agenda of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from schemas.links import account_page
from schemas.standing import TouchpointContent
from schemas.vocabulary import SPOKEN
from schemas.zones import TimeZone
from services.calendar.announcing import find_announce_from
from services.calendar.icalendar_events import CalendarEntry, CalendarPerson, end_of
from services.calendar.touchpoint import Status, Touchpoint

KEPT: Final = timedelta(days=30)
"""How long what is over or was cancelled stays in a feed."""
AHEAD: Final = timedelta(days=366)
# Names of types that are written for us; a customer sees the same words in invitations.
CUSTOMER_NAMES: Final[Mapping[str, str]] = {
    "pre_renewal_review": "Review before the renewal",
    "renewal_discussion": "Talk about the renewal",
    "intro_call": "First call",
    "ad_hoc_call": "Call",
    "training_session": "Training",
    "milestone_check_in": "Milestone check-in",
    "go_live_review": "Go-live review",
    "check_in": "Check-in",
    "expansion_discovery": "Talk about what you need next",
    "expansion_proposal": "Proposal for an extension",
    "expansion_check_in": "Check-in on your extension",
    "renewal_negotiation": "Terms of the renewal",
    "post_renewal_check_in": "Check-in after the renewal",
    "win_back": "Invitation back",
}


class FeedTouchpoint(NamedTuple):
    """A touchpoint with its content, the name of its account, and when it changed last."""

    touchpoint: Touchpoint
    content: TouchpointContent
    account_name: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class FeedCalendar:
    """A calendar as it is stored. `zone`: of its reader. `people`: who leads, by id. `agendas` by type; `invited`: the
    types that people are invited to. Exactly one of `account_id` and `csm_id` says whose it is, `name` their name.
    """

    account_id: str | None
    csm_id: str | None
    name: str | None
    zone: TimeZone
    touchpoints: tuple[FeedTouchpoint, ...]
    people: Mapping[str, CalendarPerson]
    agendas: Mapping[str, tuple[str, ...]]
    invited: frozenset[str]


class Publisher(NamedTuple):
    """Who publishes feeds: the organisation, None: its name is not set, and where links to the console lead."""

    organization: str | None
    console_url: str


def name_feed(feed: FeedCalendar, publisher: Publisher) -> str:
    """The name of the calendar in its reader's list."""
    if feed.csm_id is not None:
        return f"Drumbeat: {feed.name or feed.csm_id}"
    return f"Meetings with {publisher.organization}" if publisher.organization else "Meetings"


def make_entries(feed: FeedCalendar, publisher: Publisher, now: datetime) -> tuple[CalendarEntry, ...]:
    """The entries in the order of the touchpoints. Cancelled are those that were known within the last 30 days."""
    shown = (each for each in feed.touchpoints if _is_shown(each, feed.invited, now))
    if feed.csm_id is not None:
        return tuple(_own_entry(each, feed, publisher) for each in shown)
    return tuple(_customer_entry(each, feed) for each in shown if is_for_customer(each))


def is_for_customer(each: FeedTouchpoint) -> bool:
    """Whether the customer takes part: a person talks with them."""
    content = each.content
    return each.touchpoint.is_led_by_person and content.topic is not None and content.channel in SPOKEN


def _is_shown(each: FeedTouchpoint, invited: frozenset[str], now: datetime) -> bool:
    """What was never planned, or only so far ahead that nobody knew it, is not cancelled for anybody."""
    touchpoint = each.touchpoint
    if touchpoint.status is not Status.CANCELLED:
        return True
    planned = touchpoint._replace(status=Status.PLANNED)
    was_known = find_announce_from(planned, invited, each.changed_at) is None
    return was_known and touchpoint.sequence > 1 and each.changed_at > now - KEPT


def _own_entry(each: FeedTouchpoint, feed: FeedCalendar, publisher: Publisher) -> CalendarEntry:
    touchpoint, content = each.touchpoint, each.content
    entry = _entry(each, feed, f"{label_of(touchpoint.type)}: {each.account_name or touchpoint.account_id}")
    agenda = [f"- {item}" for item in feed.agendas.get(touchpoint.type, ())]
    deadline = touchpoint.deadline
    lines = [content.purpose, *agenda, f"Why: {content.reason.text}" if content.reason.text else ""]
    if deadline is not None:
        lines.append(f"Deadline: {deadline.astimezone(feed.zone):%Y-%m-%d %H:%M}")
    return entry._replace(
        description="\n".join(filter(None, lines)),
        url=f"{publisher.console_url}{account_page(touchpoint.account_id)}",
        is_free=content.topic is None,
    )


def _customer_entry(each: FeedTouchpoint, feed: FeedCalendar) -> CalendarEntry:
    person = feed.people.get(each.touchpoint.csm_id or "")
    title = name_for_customer(each.touchpoint.type)
    entry = _entry(each, feed, f"{title}: {person.name}" if person and person.name else title)
    return entry._replace(organizer=person if person and person.address else None)


def _entry(each: FeedTouchpoint, feed: FeedCalendar, summary: str) -> CalendarEntry:
    touchpoint = each.touchpoint
    return CalendarEntry(
        uid=touchpoint.id,
        sequence=touchpoint.sequence,
        starts_at=touchpoint.due_at,
        ends_at=end_of(touchpoint.due_at, touchpoint.minutes),
        zone=feed.zone.key,
        summary=summary,
        stamp=each.changed_at,
        status="cancelled" if touchpoint.status is Status.CANCELLED else "confirmed",
    )


def label_of(touchpoint_type: str) -> str:
    return touchpoint_type.replace("_", " ").capitalize()


def name_for_customer(touchpoint_type: str) -> str:
    return CUSTOMER_NAMES.get(touchpoint_type) or label_of(touchpoint_type)
