"""Entries: the dated facts a rule on an event looks at, each with the words it lays over those of the account.

Words that look back read up to their own entry: they say what was true then, whatever came since.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypedDict, cast

from services.cadence.account import Contract, Entries, Facts, Fields, Plain, Stamp, earliest, when
from services.cadence.features.compute import AccountView, ratio
from services.cadence.features.mail_engagement import Mails
from services.cadence.features.people import role_of

_WORDS = {
    "nps.answered": (("nps_score", "score"),),
    "survey.answered": (("survey", "survey"), ("survey_answer", "answer"), ("csat", "csat")),
    "milestone.reached": (("milestone", "milestone"), ("milestone_kind", "kind")),
    "expansion.signalled": (("signal", "signal"),),
    "interaction.logged": (("interaction_channel", "channel"),),
    "request.received": (("request_channel", "channel"),),
}


class Heard(NamedTuple):
    """An entry as a rule sees it. `at`: the moment its window counts from, in microseconds."""

    stamp: Stamp
    at: int
    words: dict[str, Plain]


def heard(
    facts: Facts, view: AccountView, event: str, since: int, wanted: frozenset[str] | None = None
) -> Iterator[Heard]:
    """Entries of an event not older than `since`, oldest first. Programs need `seen.values` to carry the segment.

    `wanted`: words that cost something are left out unless they are among these (None: all).
    """
    if event == "usage.reported":
        yield from _usage(facts, view, since, wanted)
        return
    special = _SPECIAL.get(event)
    if special is not None:
        yield from special(facts, view, since)
        return
    for stamp, fields in _recent(facts.entries.get(event, {}), since):
        yield Heard(stamp, when(stamp), {name: fields.get(key) for name, key in _WORDS.get(event, ())})


def recent_events(facts: Facts, view: AccountView, longest: Mapping[str, int]) -> Iterator[str]:
    """Of the events in `longest` those that may have an entry in so many microseconds before now."""
    for event, within in longest.items():
        derived = _DERIVED.get(event)
        if derived is not None:
            if derived(facts, view, view.now - within):
                yield event
            continue
        entries = facts.entries.get(event)
        if entries and when(next(reversed(entries))) >= view.now - within:
            yield event


def _recent(entries: Entries, since: int) -> list[tuple[Stamp, Fields]]:
    found: list[tuple[Stamp, Fields]] = []
    oldest = earliest(since)
    for stamp in reversed(entries):
        if stamp < oldest:
            break
        found.append((stamp, entries[stamp]))
    found.reverse()
    return found


class Score(NamedTuple):
    """A told health: `color` None where none was told with it; `drop`: the score before minus this one."""

    stamp: Stamp
    score: float | None
    color: str | None
    drop: float | None


class _Scored(TypedDict, total=False):
    score: float | None
    color: str | None


def scores(entries: Entries, since: Stamp) -> Iterator[Score]:
    """Told health from `since` on, oldest first."""
    before: float | None = None
    for stamp, fields in cast("dict[Stamp, _Scored]", entries).items():
        score, drop = fields.get("score"), None
        if score is not None:
            drop = None if before is None else before - score
            before = score
        if stamp >= since:
            yield Score(stamp, score, fields.get("color"), drop)


def scores_near(entries: Entries, stamps: Iterable[Stamp]) -> Iterator[Score]:
    """Told health at these places and up to the next score after each, as it reads among `entries`.

    Whatever comes or goes at a place, nothing beyond reads otherwise.
    """
    told = cast("dict[Stamp, _Scored]", entries)
    order = list(told)
    for stamp in stamps:
        place = bisect_left(order, stamp)
        before = _score_before(told, order, place)
        for own in order[place:]:
            fields = told[own]
            score = fields.get("score")
            drop = None if before is None or score is None else before - score
            yield Score(own, score, fields.get("color"), drop)
            if score is not None:
                before = score
                if own != stamp:
                    break


def _score_before(told: Mapping[Stamp, _Scored], order: list[Stamp], place: int) -> float | None:
    while place:
        place -= 1
        score = told[order[place]].get("score")
        if score is not None:
            return score
    return None


def _health(facts: Facts, _seen: AccountView, since: int) -> Iterator[Heard]:
    for stamp, score, color, drop in scores(facts.entries.get("health.scored", {}), earliest(since)):
        yield Heard(stamp, when(stamp), {"health_score": score, "color": color, "score_drop": drop})


def _usage(facts: Facts, view: AccountView, since: int, wanted: frozenset[str] | None) -> Iterator[Heard]:
    # A report without its seats is held against the seats last heard of: absent means unchanged.
    seats = view.values["seats"]
    for stamp, fields in _recent(facts.entries.get("usage.reported", {}), since):
        words: dict[str, Plain] = {
            "active_users": fields.get("active_users"),
            "limit_ratio": fields.get("limit_ratio"),
            "seat_ratio": ratio(fields.get("seats_used"), fields.get("seats", seats)),
        }
        if wanted is None or "usage_spike_ratio" in wanted:
            words["usage_spike_ratio"] = view.spikes.of(fields)
        if wanted is None or "usage_change" in wanted:
            words["usage_change"] = view.spikes.change(fields)
        yield Heard(stamp, when(stamp), words)


def _settled(facts: Facts, view: AccountView, since: int) -> Iterator[Heard]:
    meetings = view.attended()
    for stamp, fields in _recent(facts.entries.get("touchpoint.settled", {}), since):
        words: dict[str, Plain] = {
            "settled_type": fields.get("touchpoint_type"),
            "outcome": fields.get("outcome"),
            "declines_in_row": meetings.declines(stamp),
            "attendance_rate": meetings.rate(stamp),
        }
        yield Heard(stamp, when(stamp), words)


def _described(facts: Facts, _seen: AccountView, since: int) -> Iterator[Heard]:
    """The newest description of each contact, and the first of each, however often it was described anew since."""
    found: dict[Stamp, Plain] = {
        stamp: role_of(facts, contact_id)
        for contact_id, stamp in facts.joined.items()
        if when(stamp) >= since
    }
    first = set(found)
    for stamp, fields in _recent(facts.entries.get("contact.described", {}), since):
        found[stamp] = fields.get("role")
    for stamp in sorted(found):
        yield Heard(stamp, when(stamp), {"role": found[stamp], "joined": stamp in first})


def _left(facts: Facts, _seen: AccountView, since: int) -> Iterator[Heard]:
    for stamp, fields in _recent(facts.entries.get("contact.left", {}), since):
        yield Heard(stamp, when(stamp), {"role": role_of(facts, fields.get("contact_id"))})


def _mails(facts: Facts, view: AccountView, since: int) -> Iterator[Heard]:
    mails = Mails(facts)
    turn = mails.next_counted_at(view.now)
    if turn is not None:
        view.change_times.append(turn)
    for at, stamp, opened, clicked in mails.rates(view.now):
        if at >= since:
            yield Heard(stamp, at, {"open_rate": opened, "click_rate": clicked})


def _programs(_facts: Facts, view: AccountView, since: int) -> Iterator[Heard]:
    """Programs of the book whose audience the account belongs to; they count from when they ship or take place."""
    for program in sorted(view.portfolio.programs, key=lambda each: (each.at, each.id)):
        if program.at >= since and (program.audience is None or program.audience(view.values)):
            words: dict[str, Plain] = {"program_kind": program.kind, "meaningful": program.meaningful}
            yield Heard(program.stamp, program.at, words)


def _contracts(facts: Facts, view: AccountView, since: int) -> Iterator[Heard]:
    found: list[Heard] = []
    for each in view.contract_terms:
        contract = facts.contracts[each.contract_id]
        changes = _revenue_changes(contract)
        for stamp in contract.terms.keys() | changes.keys():
            if when(stamp) < since:
                continue
            fields = contract.terms.get(stamp, {})
            first, at = stamp == each.first_signature, when(stamp)
            signed_at = fields.get("signed_at")
            if first and isinstance(signed_at, int):
                at = min(at, signed_at)
            words: dict[str, Plain] = {
                "contract_status": fields.get("status"),
                "first_signature": first,
                "renewal_signature": stamp == each.signature,
                "arr_change": changes.get(stamp),
            }
            found.append(Heard(stamp, at, words))
    yield from sorted(found, key=lambda entry: entry.stamp)


def _terms_told(facts: Facts, _seen: AccountView, since: int) -> bool:
    for each in facts.contracts.values():
        if each.terms and when(next(reversed(each.terms))) >= since:
            return True
        if each.revenues and when(next(reversed(each.revenues))) >= since:
            return True
    return False


def _revenue_changes(contract: Contract) -> dict[Stamp, float | None]:
    found: dict[Stamp, float | None] = {}
    before: float | None = None
    for stamp, fields in contract.revenues.items():
        told = fields.get("arr")
        now = told if isinstance(told, int | float) else None
        found[stamp] = None if now is None or before is None else now - before
        before = now
    return found


_SPECIAL: Mapping[str, Callable[[Facts, AccountView, int], Iterator[Heard]]] = {
    "health.scored": _health,
    "touchpoint.settled": _settled,
    "contact.described": _described,
    "contact.left": _left,
    "mail.judged": _mails,
    "program.announced": _programs,
    "contract.changed": _contracts,
}
_DERIVED: Mapping[str, Callable[[Facts, AccountView, int], bool]] = {
    "contract.changed": _terms_told,
    "contact.described": lambda facts, _seen, _since: bool(facts.joined),
    "mail.judged": lambda facts, _seen, _since: bool(facts.entries.get("mail.sent")),
    "program.announced": lambda _facts, view, _since: bool(view.portfolio.programs),
}
