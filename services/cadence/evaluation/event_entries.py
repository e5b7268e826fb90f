"""Event entries: the dated events that triggers and feedback answer, each with the features of the event itself.

They take the place of the account's features of the same name. Features that look back, such as streaks, read up to their
own entry: they state what was true then, whatever happened since.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypedDict, cast

from services.cadence.account import Entries, Fields, Plain, Stamp, earliest, when, who
from services.cadence.evaluation.contract_entries import contract_entries
from services.cadence.evaluation.entry import EventEntry
from services.cadence.features.compute import AccountView, ratio
from services.cadence.features.mail_engagement import Mails
from services.cadence.features.people import role_of

_FIELDS = {
    "nps.answered": (("nps_score", "score"),),
    "survey.answered": (("survey", "survey"), ("survey_answer", "answer"), ("csat", "csat")),
    "milestone.reached": (("milestone", "milestone"), ("milestone_kind", "kind")),
    "expansion.signalled": (("signal", "signal"),),
    "interaction.logged": (("interaction_channel", "channel"),),
    "request.received": (("request_channel", "channel"),),
}


def _entry(stamp: Stamp, at: int, values: dict[str, Plain]) -> EventEntry:
    return EventEntry(stamp, at, values, who(stamp))


def entries_of(
    view: AccountView, event: str, since: int, wanted: frozenset[str] | None = None
) -> Iterator[EventEntry]:
    """Entries of an event type since that moment, oldest first. Programs need the segment in `view.values`.

    `wanted`: features that are costly to compute are left out unless they are among these (None: all).
    """
    if event == "usage.reported":
        yield from _usage_entries(view, since, wanted)
        return
    reader = _READERS.get(event)
    if reader is not None:
        yield from reader(view, since)
        return
    for stamp, fields in _recent(view, event, since):
        yield _entry(stamp, when(stamp), {name: fields.get(key) for name, key in _FIELDS.get(event, ())})


def recent_events(view: AccountView, longest: Mapping[str, int]) -> Iterator[str]:
    """Of the event types in `longest` those that may have an entry in so many microseconds before now."""
    for event, within in longest.items():
        has_entries = _HAS_ENTRIES.get(event)
        if has_entries is not None:
            if has_entries(view, view.now - within):
                yield event
            continue
        entries = view.facts.entries.get(event)
        if entries and when(next(reversed(entries))) >= view.now - within:
            yield event


def _recent(view: AccountView, event: str, since: int) -> list[tuple[Stamp, Fields]]:
    """The entries of a type since that moment, oldest first."""
    recent: list[tuple[Stamp, Fields]] = []
    entries, oldest = view.facts.entries.get(event, {}), earliest(since)
    for stamp in reversed(entries):
        if stamp < oldest:
            break
        recent.append((stamp, entries[stamp]))
    recent.reverse()
    return recent


class Score(NamedTuple):
    """A health score: `color` None where the event had none; `drop`: the score before minus this one."""

    stamp: Stamp
    score: float | None
    color: str | None
    drop: float | None


class _Scored(TypedDict, total=False):
    score: float | None
    color: str | None


def scores(entries: Entries, since: Stamp) -> Iterator[Score]:
    """Health scores from `since` on, oldest first."""
    previous: float | None = None
    for stamp, fields in cast("dict[Stamp, _Scored]", entries).items():
        score, drop = fields.get("score"), None
        if score is not None:
            drop = None if previous is None else previous - score
            previous = score
        if stamp >= since:
            yield Score(stamp, score, fields.get("color"), drop)


def scores_near(entries: Entries, stamps: Iterable[Stamp]) -> Iterator[Score]:
    """Health scores at these stamps and up to the next score after each, as they read among `entries`.

    Whatever is added or removed at a stamp, the scores beyond read the same.
    """
    stored = cast("dict[Stamp, _Scored]", entries)
    order = list(stored)
    for stamp in stamps:
        index = bisect_left(order, stamp)
        previous = _score_before(stored, order, index)
        for own in order[index:]:
            fields = stored[own]
            score = fields.get("score")
            drop = None if previous is None or score is None else previous - score
            yield Score(own, score, fields.get("color"), drop)
            if score is not None:
                previous = score
                if own != stamp:
                    break


def _score_before(stored: Mapping[Stamp, _Scored], order: list[Stamp], index: int) -> float | None:
    while index:
        index -= 1
        score = stored[order[index]].get("score")
        if score is not None:
            return score
    return None


def _health_entries(view: AccountView, since: int) -> Iterator[EventEntry]:
    for stamp, score, color, drop in scores(view.facts.entries.get("health.scored", {}), earliest(since)):
        yield _entry(stamp, when(stamp), {"health_score": score, "color": color, "score_drop": drop})


def _usage_entries(view: AccountView, since: int, wanted: frozenset[str] | None) -> Iterator[EventEntry]:
    # A report without seats is compared with the seats last reported: absent means unchanged.
    seats = view.values["seats"]
    for stamp, fields in _recent(view, "usage.reported", since):
        values: dict[str, Plain] = {
            "active_users": fields.get("active_users"),
            "limit_ratio": fields.get("limit_ratio"),
            "seat_ratio": ratio(fields.get("seats_used"), fields.get("seats", seats)),
        }
        if wanted is None or "usage_spike_ratio" in wanted:
            values["usage_spike_ratio"] = view.spikes.of(fields)
        if wanted is None or "usage_change" in wanted:
            values["usage_change"] = view.spikes.change(fields)
        yield _entry(stamp, when(stamp), values)


def _settled_touchpoints(view: AccountView, since: int) -> Iterator[EventEntry]:
    meetings = view.attended()
    for stamp, fields in _recent(view, "touchpoint.settled", since):
        values: dict[str, Plain] = {
            "settled_type": fields.get("touchpoint_type"),
            "outcome": fields.get("outcome"),
            "declines_in_row": meetings.declines(stamp),
            "attendance_rate": meetings.rate(stamp),
        }
        yield _entry(stamp, when(stamp), values)


def _described_contacts(view: AccountView, since: int) -> Iterator[EventEntry]:
    """The newest description of each contact, and the first one, however often it was described since."""
    roles: dict[Stamp, Plain] = {
        stamp: role_of(view.facts, contact_id)
        for contact_id, stamp in view.facts.joined.items()
        if when(stamp) >= since
    }
    first = set(roles)
    for stamp, fields in _recent(view, "contact.described", since):
        roles[stamp] = fields.get("role")
    for stamp in sorted(roles):
        yield _entry(stamp, when(stamp), {"role": roles[stamp], "joined": stamp in first})


def _left_contacts(view: AccountView, since: int) -> Iterator[EventEntry]:
    for stamp, fields in _recent(view, "contact.left", since):
        yield _entry(stamp, when(stamp), {"role": role_of(view.facts, fields.get("contact_id"))})


def _mail_entries(view: AccountView, since: int) -> Iterator[EventEntry]:
    mails = Mails(view.facts)
    upcoming = mails.next_counted_at(view.now)
    if upcoming is not None:
        view.change_times.append(upcoming)
    for at, stamp, opened, clicked in mails.rates(view.now):
        if at >= since:
            yield _entry(stamp, at, {"open_rate": opened, "click_rate": clicked})


def _program_entries(view: AccountView, since: int) -> Iterator[EventEntry]:
    """Programs whose audience the account belongs to; they count from when they ship or take place."""
    for program in sorted(view.portfolio.programs, key=lambda program: (program.at, program.id)):
        if program.at >= since and (program.audience is None or program.audience(view.values)):
            values: dict[str, Plain] = {"program_kind": program.kind, "meaningful": program.meaningful}
            aliases = (who(program.stamp),) if program.stamp else ()
            key = ("program.announced", program.id)
            yield EventEntry(program.stamp, program.at, values, key, aliases)


_READERS: Mapping[str, Callable[[AccountView, int], Iterator[EventEntry]]] = {
    "health.scored": _health_entries,
    "touchpoint.settled": _settled_touchpoints,
    "contact.described": _described_contacts,
    "contact.left": _left_contacts,
    "mail.judged": _mail_entries,
    "program.announced": _program_entries,
    "contract.changed": lambda view, since: contract_entries(view.relation, since),
}
_HAS_ENTRIES: Mapping[str, Callable[[AccountView, int], bool]] = {
    "contract.changed": lambda view, _since: bool(view.facts.contracts),
    "contact.described": lambda view, _since: bool(view.facts.joined),
    "mail.judged": lambda view, _since: bool(view.facts.entries.get("mail.sent")),
    "program.announced": lambda view, _since: bool(view.portfolio.programs),
}
