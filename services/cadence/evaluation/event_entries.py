"""Event entries: the dated events that triggers and feedback answer, each with the features of the event itself.

They take the place of the account's features of the same name. Features that look back, such as streaks, read up to their
own entry: they state what was true then, whatever happened since.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from services.cadence.account import Plain, Stamp, earliest, when, who
from services.cadence.account.identity import Thing
from services.cadence.account.merging import LAST, newest_stamp
from services.cadence.account.retention import ANSWERS, SETTLED_KINDS
from services.cadence.account.usage_reports import UsageReport
from services.cadence.evaluation.contract_entries import contract_entries
from services.cadence.evaluation.entry import AboutThing, EventEntry
from services.cadence.evaluation.scores import scores
from services.cadence.features.compute import AccountView, ratio
from services.cadence.features.contacts import newcomers_of
from services.cadence.features.mail_engagement import Mails

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
        yield from usage_entries(view, view.usage.since(since), wanted)
        return
    reader = _READERS.get(event)
    if reader is not None:
        yield from reader(view, since)
        return
    fields_of = _FIELDS.get(event, ())
    for thing in _things(view, event):
        if thing.at >= since:
            yield _of_thing(thing, {name: thing.fields.get(key) for name, key in fields_of})


def _things(view: AccountView, event: str) -> list[Thing]:
    return view.answers(event) if event in ANSWERS else view.things(event)


def _of_thing(thing: Thing, values: dict[str, Plain]) -> EventEntry:
    return EventEntry(thing.stamp, thing.at, values, thing.key, thing.aliases)


def recent_events(view: AccountView, longest: Mapping[str, int]) -> Iterator[str]:
    """Of the event types in `longest` those that may have an entry in so many microseconds before now."""
    for event, within in longest.items():
        has_entries = _HAS_ENTRIES.get(event)
        if has_entries is not None:
            if has_entries(view, view.now - within):
                yield event
            continue
        since = earliest(view.now - within)
        if any(_is_recent(view, kind, since) for kind in _KINDS.get(event, (event,))):
            yield event


def _is_recent(view: AccountView, kind: str, since: Stamp) -> bool:
    """Whether there is an entry since then. A thing may have happened long before it was told of, but not after."""
    entries = view.facts.entries.get(kind, {})
    return bool(entries) and (next(reversed(entries)) >= since or (newest_stamp(entries) or "") >= since)


def _event_keys(view: AccountView, kind: str, stamp: Stamp) -> tuple[tuple[str, ...], ...]:
    last = view.facts.entries[kind][stamp].get(LAST)
    return (who(stamp),) if last is None else (who(stamp), who(str(last)))


def _health_entries(view: AccountView, since: int) -> Iterator[EventEntry]:
    for stamp, score, color, drop in scores(view.facts.entries.get("health.scored", {}), earliest(since)):
        values: dict[str, Plain] = {"health_score": score, "color": color, "score_drop": drop}
        at = when(stamp)
        yield EventEntry(
            stamp, at, values, ("health.scored", str(at)), _event_keys(view, "health.scored", stamp)
        )


def usage_entries(
    view: AccountView, reports: Iterable[UsageReport], wanted: frozenset[str] | None
) -> Iterator[EventEntry]:
    """One entry for each report, shorter ones joined to days; a report counts from the end of its period."""
    ordered = [(report.at, report.stamps, report.key, report) for report in reports]
    for at, stamps, own_key, report in sorted(ordered, key=lambda each: each[:3]):
        # A report without seats is compared with the seats last reported: absent means unchanged.
        seats = report.value("seats") if report.says("seats") else _seats(view, report.source)
        values: dict[str, Plain] = {
            "active_users": report.value("active_users") if report.complete else None,
            "limit_ratio": report.value("limit_ratio"),
            "seat_ratio": ratio(report.value("seats_used"), seats),
        }
        if wanted is None or "usage_spike_ratio" in wanted:
            values["usage_spike_ratio"] = view.usage.spike(report)
        if wanted is None or "usage_change" in wanted:
            values["usage_change"] = view.usage.change(report)
        key = ("usage.reported", report.source, own_key)
        yield EventEntry(stamps[0], at, values, key, tuple(map(who, stamps)))


def _seats(view: AccountView, source: str) -> Plain:
    own = view.facts.usage.sources[source]["m"].get("seats")
    return view.values["seats"] if own is None else own["v"]


def _settled_touchpoints(view: AccountView, since: int) -> Iterator[EventEntry]:
    meetings = view.attended()
    for thing in view.things("touchpoint.settled"):
        if thing.at < since or thing.fields.get("outcome") == "reopened":
            continue
        values: dict[str, Plain] = {
            "settled_type": thing.fields.get("touchpoint_type"),
            "outcome": thing.fields.get("outcome"),
            "declines_in_row": meetings.declines(thing),
            "attendance_rate": meetings.rate(thing),
        }
        yield _of_thing(thing, values)


def _described_contacts(view: AccountView, since: int) -> Iterator[EventEntry]:
    """Each description of a contact that says anything new; with the first one of a newcomer the contact joined."""
    roles = {contact_id: someone.role for contact_id, someone in view.people().items()}
    newcomers = newcomers_of(view.facts)
    for thing in view.things("contact.described"):
        if thing.at >= since:
            contact_id = str(thing.fields.get("contact_id"))
            joined = newcomers.get(contact_id) == thing.first
            role = roles.get(contact_id) if joined else thing.fields.get("role")
            yield _of_thing(thing, {"role": role, "joined": joined})


def _left_contacts(view: AccountView, since: int) -> Iterator[EventEntry]:
    people = view.people()
    for thing in view.things("contact.left"):
        if thing.at >= since:
            someone = people.get(str(thing.fields.get("contact_id")))
            yield _of_thing(thing, {"role": None if someone is None else someone.role})


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
            yield EventEntry(
                program.stamp, program.at, values, key, aliases, AboutThing(program_id=program.id)
            )


_READERS: Mapping[str, Callable[[AccountView, int], Iterator[EventEntry]]] = {
    "health.scored": _health_entries,
    "touchpoint.settled": _settled_touchpoints,
    "contact.described": _described_contacts,
    "contact.left": _left_contacts,
    "mail.judged": _mail_entries,
    "program.announced": _program_entries,
    "contract.changed": lambda view, since: contract_entries(view.relation, since),
}
_KINDS: Mapping[str, tuple[str, ...]] = {"touchpoint.settled": SETTLED_KINDS}
"""Event of a rule -> the kinds of stored entries behind it, where it is not itself alone."""
_HAS_ENTRIES: Mapping[str, Callable[[AccountView, int], bool]] = {
    "usage.reported": lambda view, since: (view.facts.usage.newest or -1) >= since,
    "contract.changed": lambda view, _since: bool(view.facts.contracts),
    "mail.judged": lambda view, _since: bool(view.facts.entries.get("mail.sent")),
    "program.announced": lambda view, _since: bool(view.portfolio.programs),
}
