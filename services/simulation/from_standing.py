"""The book of a deployment: stored accounts, and the calendar as the scheduler has it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from schemas.standing import StandingAccount, StandingPerson
from schemas.times import clock_time
from services.cadence.account.codec import UnreadableState, decode
from services.calendar.assignment import AccountOwners, Line
from services.calendar.busy_time import make_busy_time
from services.calendar.customer_days import CustomerPlace
from services.calendar.open_hours import DateSpan
from services.calendar.person_book import DEFAULT_WEEKLY_MINUTES
from services.calendar.person_hours import PersonDays, read_hours
from services.calendar.standing import read_standing_series, read_standing_touchpoint
from services.simulation.book import EMPTY_CALENDAR, BookAccount, Colleague, StandingCalendar
from services.simulation.from_events import owners_of, place_of


class StoredAccount(NamedTuple):
    """A row of the rules engine; without a key the account is to be evaluated at once."""

    account_id: str
    state: bytes
    key: bytes | None
    next_evaluation_at: datetime | None


def book_accounts(
    stored: Iterable[StoredAccount], calendars: Sequence[StandingAccount]
) -> tuple[list[BookAccount], list[str]]:
    """The accounts with their calendars, and those that cannot be read."""
    by_id = {each.account_id: each for each in calendars}
    accounts: list[BookAccount] = []
    unreadable: list[str] = []
    for row in stored:
        try:
            accounts.append(_book_account(row, by_id.get(row.account_id)))
        except UnreadableState:
            unreadable.append(row.account_id)
    return accounts, unreadable


def _book_account(row: StoredAccount, standing: StandingAccount | None) -> BookAccount:
    facts = decode(row.account_id, row.state).facts
    if standing is None:
        return BookAccount(row.account_id, row.state, owners_of(facts), place_of(facts), EMPTY_CALENDAR)
    named = AccountOwners(row.account_id, standing.csm_id, standing.sales_id, standing.pool)
    assigned: dict[Line, str] = {}
    if standing.pooled_csm is not None:
        assigned["pooled_csm"] = standing.pooled_csm
    if standing.sales is not None:
        assigned["sales"] = standing.sales
    calendar = StandingCalendar(
        standing.plan,
        tuple(read_standing_touchpoint(each, row.account_id) for each in standing.touchpoints),
        tuple(map(read_standing_series, standing.series)),
        dict(standing.last_due_at),
        assigned,
        None if standing.spec is None else bytes.fromhex(standing.spec),
    )
    decided = None if row.key is None else (row.key, row.next_evaluation_at)
    place = CustomerPlace(standing.timezone, standing.zones, standing.country, standing.region)
    return BookAccount(
        row.account_id, row.state, named.hand_over(standing.handovers), place, calendar, decided
    )


def colleague_of_person(person: StandingPerson) -> Colleague:
    """Somebody as the scheduler knows them."""
    start, end = (None if each is None else clock_time(each) for each in (person.day_start, person.day_end))
    minutes = DEFAULT_WEEKLY_MINUTES if person.weekly_minutes is None else person.weekly_minutes
    hours = read_hours(person.timezone, person.working_days, start, end)[0]
    hours = replace(hours, busy=make_busy_time(zip(person.busy[::2], person.busy[1::2], strict=True)))
    away = tuple(DateSpan(time_off.from_, time_off.to) for time_off in person.time_off)
    return Colleague(
        person.csm_id, hours, minutes, person.pool, person.role,
        is_described=person.described, is_levelled=person.levelled,
        days=PersonDays(person.name, person.country, person.region, away),
    )  # fmt: skip
