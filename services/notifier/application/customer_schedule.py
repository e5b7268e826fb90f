"""The schedule on a contact's own page: what they take part in or receive within a year, by month, and the rhythms."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol

from schemas.directory import ContactRecord
from schemas.schedule import AccountSchedule, ScheduledRhythm, ScheduledTouchpoint
from services.notifier.application.customer_choices import Choices, rhythm_line
from services.notifier.application.phrases import Phrases
from services.notifier.application.write_customer_mail import Reader
from services.notifier.domain.acts import OWNERS_WHO_ARE_PEOPLE
from services.notifier.domain.customer_policy import rank_contact
from services.notifier.domain.message import sentence_case


class AccountCalendar(Protocol):
    async def schedule_of(self, account_id: str) -> AccountSchedule:
        """What the account has before it within a year. Raises CalendarAway."""
        ...

    async def make_feed(self, account_id: str) -> str:
        """The secret address of the account's calendar as a feed (iCalendar). Raises CalendarAway and TooManyFeeds."""
        ...


@dataclass(frozen=True, slots=True)
class PageDate:
    """A line of the schedule. `instant`: for programs, empty where only the week or month is known."""

    when: str
    instant: str
    name: str
    led_by: str


@dataclass(frozen=True, slots=True)
class PageMonth:
    name: str
    dates: Sequence[PageDate]


@dataclass(frozen=True, slots=True)
class PageRhythm:
    """`is_guaranteed`: it stays at least as often, whatever the contact wishes."""

    text: str
    is_guaranteed: bool


@dataclass(frozen=True, slots=True)
class PageSchedule:
    """`is_approximate`: whether some of it has no time yet."""

    months: Sequence[PageMonth]
    rhythms: Sequence[PageRhythm]
    is_approximate: bool


def page_schedule(
    schedule: AccountSchedule, reader: Reader, choices: Choices, phrases: Phrases, organization: str
) -> PageSchedule:
    """What concerns this reader: what people lead, and of what is sent the topics that the reader gets."""
    own = [one for one in schedule.touchpoints if _concerns(one, reader, choices)]
    months = [
        PageMonth(
            sentence_case(phrases.formatter.month(next_at)),
            [_date(one, phrases, organization) for one in touchpoints],
        )
        for next_at, touchpoints in _by_month(own, phrases)
    ]
    rhythms = [
        PageRhythm(rhythm_line(one, phrases), one.is_guaranteed)
        for one in schedule.rhythms
        if _concerns(one, reader, choices)
    ]
    return PageSchedule(months, rhythms, any(one.exactness != "time" for one in own))


def _by_month(
    touchpoints: Sequence[ScheduledTouchpoint], phrases: Phrases
) -> list[tuple[datetime, Sequence[ScheduledTouchpoint]]]:
    def month_of(one: ScheduledTouchpoint) -> tuple[int, int]:
        local = one.due_at.astimezone(phrases.zone)
        return local.year, local.month

    groups = [list(group) for _, group in groupby(touchpoints, month_of)]
    return [(group[0].due_at.astimezone(phrases.zone), group) for group in groups]


def _date(one: ScheduledTouchpoint, phrases: Phrases, organization: str) -> PageDate:
    local = one.due_at.astimezone(phrases.zone)
    if one.exactness == "month":
        when, instant = phrases.text("page", "in_month", month=phrases.formatter.month(local)), ""
    elif one.exactness == "week":
        monday = local.date() - timedelta(days=local.weekday())
        when, instant = phrases.text("page", "in_week", date=phrases.date(monday)), ""
    elif one.owner in OWNERS_WHO_ARE_PEOPLE:
        when, instant = phrases.moment(local), local.isoformat(timespec="minutes")
    else:
        when, instant = phrases.date(local.date()), local.date().isoformat()
    person = one.person or organization
    return PageDate(
        when=when,
        instant=instant,
        name=phrases.touchpoint_type(one.touchpoint_type),
        led_by=phrases.text("page", "how", person=person, channel=phrases.channel(one.channel)),
    )


def _concerns(one: ScheduledTouchpoint | ScheduledRhythm, reader: Reader, choices: Choices) -> bool:
    """Whether the reader takes part in it or receives it."""
    if one.owner in OWNERS_WHO_ARE_PEOPLE:
        return True
    return choices[one.topic].opted_in and _is_addressed(one.audience, reader)


def _is_addressed(audience: Collection[str], reader: Reader) -> bool:
    """Whether what is sent goes to the reader: to the roles it is for, where nobody has one, to the first contact."""
    contact, account = reader.contact, reader.account
    if contact is None or account is None:
        return False
    present = [one for one in account.contacts if not one.left]
    members = [one for one in present if _has_role(one, audience)]
    first = min(present, key=rank_contact, default=None)
    return _has_role(contact, audience) if members else contact == first


def _has_role(contact: ContactRecord, audience: Collection[str]) -> bool:
    return not audience or contact.role in audience
