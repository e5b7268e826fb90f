"""The sample data as CloudEvents in order of time, with all times relative to now on the service clock."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from schemas.times import format_instant
from services.console.sample.accounts import ACCOUNTS, CSMS, HOUR, Account, Csm

SOURCE = "/sample-book"
Event = dict[str, object]


def sample_events(now: datetime) -> list[Event]:
    """All events by time; none is later than `now` (aware, service time)."""
    now = now.replace(microsecond=0)
    events = [event for csm in CSMS for event in _csm(csm, now)]
    events += [event for account in ACCOUNTS for event in _account(account, now)]
    return sorted(events, key=lambda event: str(event["time"]))


def _event(subject: str, kind: str, number: int, at: datetime, data: Event) -> Event:
    return {
        "specversion": "1.0",
        "id": f"{subject}:{kind}:{number}",
        "source": SOURCE,
        "type": f"drumbeat.{kind}.v1",
        "subject": subject,
        "time": format_instant(at),
        "data": data,
    }


def _csm(csm: Csm, now: datetime) -> Iterator[Event]:
    data: Event = {
        "name": csm.name,
        "email": f"{csm.id.removeprefix('csm-')}@drumbeat.example",
        "timezone": csm.timezone,
        "weekly_minutes": csm.weekly_minutes,
        "working_days": list(csm.days),
        "working_hours": csm.hours,
    }
    if csm.pool is not None:
        data["pool"] = csm.pool
    yield _event(csm.id, "csm.described", 1, now - timedelta(days=900), data)


def _account(account: Account, now: datetime) -> Iterator[Event]:
    yield from _people(account, now)
    yield from _contract(account, now)
    yield from _usage(account, now)
    yield from _recent_events(account, now)


def _people(account: Account, now: datetime) -> Iterator[Event]:
    began = now - timedelta(days=account.started)
    described: Event = {
        "name": account.name,
        "arr": account.arr,
        "currency": "USD",
        "industry": account.industry,
        "country": account.country,
        "timezone": account.timezone,
        "language": account.language,
    }
    if account.csm is not None:
        described["csm_id"] = account.csm
    yield _event(account.id, "account.described", 1, began, described)
    people = ((account.champion, "champion"), (f"Chris at {account.name}", "decision_maker"))
    for number, (name, role) in enumerate(people, start=1):
        person: Event = {
            "contact_id": f"{account.id}-{number}",
            "name": name,
            "email": f"{name.split()[0].lower()}@{account.id}.example",
            "role": role,
            "language": account.language,
            "timezone": account.timezone,
        }
        yield _event(account.id, "contact.described", number, began, person)


def _contract(account: Account, now: datetime) -> Iterator[Event]:
    began = now - timedelta(days=account.started)
    renews = now + timedelta(days=account.renews_in)
    contract: Event = {
        "contract_id": f"{account.id}-contract",
        "status": "active",
        "starts_on": f"{renews - timedelta(days=365):%Y-%m-%d}",
        "renews_on": f"{renews:%Y-%m-%d}",
        "arr": account.arr,
        "auto_renew": False,
    }
    yield _event(account.id, "contract.changed", 1, began, contract)


def _usage(account: Account, now: datetime) -> Iterator[Event]:
    """Five weekly reports, the last ending an hour ago; with a spike the last has twice the usual events."""
    seats, used = account.seats
    for week in range(5):
        ends = now - timedelta(days=7 * (4 - week) + HOUR)
        usual = used * 40 + 13 * week
        yield _event(
            account.id,
            "usage.reported",
            week + 1,
            ends,
            {
                "period_start": format_instant(ends - timedelta(days=7)),
                "period_end": format_instant(ends),
                "active_users": max(1, used * (20 + week) // 25),
                "seats": seats,
                "seats_used": used,
                "events": usual * 2 if account.spike and week == 4 else usual,
            },
        )


def _recent_events(account: Account, now: datetime) -> Iterator[Event]:
    recent = now - timedelta(hours=1)
    for number, score in enumerate(account.scores, start=1):
        at = recent - timedelta(weeks=len(account.scores) - number)
        yield _event(account.id, "health.scored", number, at, {"score": score})
    if account.last_contact is not None:
        data: Event = {"channel": "call", "touchpoint_type": "check_in", "initiated_by": "us"}
        at = now - timedelta(days=account.last_contact)
        yield _event(account.id, "interaction.logged", 1, at, {**data, "at": format_instant(at)})
    if account.milestone is not None:
        reached: Event = {"milestone": account.milestone, "kind": "success"}
        yield _event(account.id, "milestone.reached", 1, now - timedelta(days=10), reached)
    if account.nps is not None:
        answer: Event = {
            "contact_id": f"{account.id}-1",
            "score": account.nps,
            "comment": "We would miss it.",
        }
        yield _event(account.id, "nps.answered", 1, recent, answer)
    if account.expansion is not None:
        signal: Event = {"signal": account.expansion, "detail": "A second office asks for access."}
        yield _event(account.id, "expansion.signalled", 1, recent, signal)
    if account.opted_out_of is not None:
        preference: Event = {
            "contact_id": f"{account.id}-1",
            "topic": account.opted_out_of,
            "opted_in": False,
        }
        yield _event(account.id, "preference.changed", 1, now - timedelta(days=30), preference)
