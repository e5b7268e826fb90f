"""The book of a file of events: its accounts with empty calendars, its people, and what the rules need of both."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from services.cadence.account.codec import encode
from services.cadence.account.event_file import EventFile, FactsRefused
from services.cadence.account.place import text_fact, zones_of
from services.cadence.account.state import Facts
from services.cadence.announcements import program_rows, revenue_ranks
from services.cadence.csms import csm_records
from services.cadence.policy.load import load_policy_texts
from services.cadence.rates import NO_RATES, Rates
from services.calendar.assignment import AccountOwners
from services.calendar.customer_days import CustomerPlace
from services.simulation.book import BookAccount, Colleague, colleague_of
from services.simulation.jobs import RuleTexts


class EventBook(NamedTuple):
    """`now`: the time of the newest event, where no other was asked for."""

    rules: RuleTexts
    accounts: list[BookAccount]
    colleagues: list[Colleague]
    now: datetime


def book_of_events(
    events: EventFile, files: Mapping[str, str], now: datetime | None, rates: Rates = NO_RATES
) -> EventBook:
    """Raises `PolicyRefused`, and `FactsRefused` for a file without events."""
    at = now or events.newest
    if at is None:
        raise FactsRefused("the file has no event to take the time from; give --at")
    currency = load_policy_texts(files).content.currency
    ranks = revenue_ranks(events.account_states.values(), rates, currency)
    rules = RuleTexts(files, ranks, program_rows(events.announcements), rates)
    accounts = [
        BookAccount(account_id, encode(*state), owners_of(state.facts), place_of(state.facts))
        for account_id, state in sorted(events.account_states.items())
    ]
    colleagues = [colleague_of(record) for record in csm_records(events.csms)]
    return EventBook(rules, accounts, colleagues, at)


def owners_of(facts: Facts) -> AccountOwners:
    """Whom an account names."""
    csm_id, sales_id, pool = (text_fact(facts, name) for name in ("csm_id", "sales_id", "pool"))
    return AccountOwners(facts.account_id, csm_id, sales_id, pool)


def place_of(facts: Facts) -> CustomerPlace:
    """Where it is, as the directory describes it."""
    zones = zones_of(facts)
    return CustomerPlace(zones.timezone, zones.zones, text_fact(facts, "country"), text_fact(facts, "region"))
