"""Entries: the dated facts a rule on an event looks at, each with the words it lays over those of the account.

Words that look back read up to their own entry: they say what was true then, whatever came since.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypedDict, cast

from services.rules_engine.domain.facts import Contract, Entries, Facts, Fields, Mark, Plain, earliest, when
from services.rules_engine.domain.vocabulary.mails import Mails
from services.rules_engine.domain.vocabulary.people import role_of
from services.rules_engine.domain.vocabulary.view import View, ratio

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

    mark: Mark
    at: int
    words: dict[str, Plain]


def heard(
    facts: Facts, seen: View, event: str, since: int, wanted: frozenset[str] | None = None
) -> Iterator[Heard]:
    """Entries of an event not older than `since`, oldest first. Programs need `seen.values` to carry the segment.

    `wanted`: words that cost something are left out unless they are among these (None: all).
    """
    if event == "usage.reported":
        yield from _usage(facts, seen, since, wanted)
        return
    special = _SPECIAL.get(event)
    if special is not None:
        yield from special(facts, seen, since)
        return
    for mark, fields in _recent(facts.entries.get(event, {}), since):
        yield Heard(mark, when(mark), {name: fields.get(key) for name, key in _WORDS.get(event, ())})


def recent_events(facts: Facts, seen: View, longest: Mapping[str, int]) -> Iterator[str]:
    """Of the events in `longest` those that may have an entry in so many microseconds before now."""
    for event, within in longest.items():
        derived = _DERIVED.get(event)
        if derived is not None:
            if derived(facts, seen, seen.now - within):
                yield event
            continue
        entries = facts.entries.get(event)
        if entries and when(next(reversed(entries))) >= seen.now - within:
            yield event


def _recent(entries: Entries, since: int) -> list[tuple[Mark, Fields]]:
    found: list[tuple[Mark, Fields]] = []
    oldest = earliest(since)
    for mark in reversed(entries):
        if mark < oldest:
            break
        found.append((mark, entries[mark]))
    found.reverse()
    return found


class Score(NamedTuple):
    """A told health: `color` None where none was told with it; `drop`: the score before minus this one."""

    mark: Mark
    score: float | None
    color: str | None
    drop: float | None


class _Scored(TypedDict, total=False):
    score: float | None
    color: str | None


def scores(entries: Entries, since: Mark) -> Iterator[Score]:
    """Told health from `since` on, oldest first."""
    before: float | None = None
    for mark, fields in cast("dict[Mark, _Scored]", entries).items():
        score, drop = fields.get("score"), None
        if score is not None:
            drop = None if before is None else before - score
            before = score
        if mark >= since:
            yield Score(mark, score, fields.get("color"), drop)


def scores_near(entries: Entries, marks: Iterable[Mark]) -> Iterator[Score]:
    """Told health at these places and up to the next score after each, as it reads among `entries`.

    Whatever comes or goes at a place, nothing beyond reads otherwise.
    """
    told = cast("dict[Mark, _Scored]", entries)
    order = list(told)
    for mark in marks:
        place = bisect_left(order, mark)
        before = _score_before(told, order, place)
        for own in order[place:]:
            fields = told[own]
            score = fields.get("score")
            drop = None if before is None or score is None else before - score
            yield Score(own, score, fields.get("color"), drop)
            if score is not None:
                before = score
                if own != mark:
                    break


def _score_before(told: Mapping[Mark, _Scored], order: list[Mark], place: int) -> float | None:
    while place:
        place -= 1
        score = told[order[place]].get("score")
        if score is not None:
            return score
    return None


def _health(facts: Facts, _seen: View, since: int) -> Iterator[Heard]:
    for mark, score, color, drop in scores(facts.entries.get("health.scored", {}), earliest(since)):
        yield Heard(mark, when(mark), {"health_score": score, "color": color, "score_drop": drop})


def _usage(facts: Facts, seen: View, since: int, wanted: frozenset[str] | None) -> Iterator[Heard]:
    # A report without its seats is held against the seats last heard of: absent means unchanged.
    seats = seen.values["seats"]
    for mark, fields in _recent(facts.entries.get("usage.reported", {}), since):
        words: dict[str, Plain] = {
            "active_users": fields.get("active_users"),
            "limit_ratio": fields.get("limit_ratio"),
            "seat_ratio": ratio(fields.get("seats_used"), fields.get("seats", seats)),
        }
        if wanted is None or "usage_spike_ratio" in wanted:
            words["usage_spike_ratio"] = seen.spikes.of(fields)
        if wanted is None or "usage_change" in wanted:
            words["usage_change"] = seen.spikes.change(fields)
        yield Heard(mark, when(mark), words)


def _settled(facts: Facts, seen: View, since: int) -> Iterator[Heard]:
    meetings = seen.attended()
    for mark, fields in _recent(facts.entries.get("touchpoint.settled", {}), since):
        words: dict[str, Plain] = {
            "settled_type": fields.get("touchpoint_type"),
            "outcome": fields.get("outcome"),
            "declines_in_row": meetings.declines(mark),
            "attendance_rate": meetings.rate(mark),
        }
        yield Heard(mark, when(mark), words)


def _described(facts: Facts, _seen: View, since: int) -> Iterator[Heard]:
    """The newest description of each contact, and the first of each, however often it was described anew since."""
    found: dict[Mark, Plain] = {
        mark: role_of(facts, contact_id) for contact_id, mark in facts.joined.items() if when(mark) >= since
    }
    first = set(found)
    for mark, fields in _recent(facts.entries.get("contact.described", {}), since):
        found[mark] = fields.get("role")
    for mark in sorted(found):
        yield Heard(mark, when(mark), {"role": found[mark], "joined": mark in first})


def _left(facts: Facts, _seen: View, since: int) -> Iterator[Heard]:
    for mark, fields in _recent(facts.entries.get("contact.left", {}), since):
        yield Heard(mark, when(mark), {"role": role_of(facts, fields.get("contact_id"))})


def _mails(facts: Facts, seen: View, since: int) -> Iterator[Heard]:
    mails = Mails(facts)
    turn = mails.next_judged(seen.now)
    if turn is not None:
        seen.turns.append(turn)
    for at, mark, opened, clicked in mails.judged(seen.now):
        if at >= since:
            yield Heard(mark, at, {"open_rate": opened, "click_rate": clicked})


def _programs(_facts: Facts, seen: View, since: int) -> Iterator[Heard]:
    """Programs of the book whose audience the account belongs to; they count from when they ship or take place."""
    for program in sorted(seen.book.programs, key=lambda each: (each.at, each.id)):
        if program.at >= since and (program.audience is None or program.audience(seen.values)):
            words: dict[str, Plain] = {"program_kind": program.kind, "meaningful": program.meaningful}
            yield Heard(program.mark, program.at, words)


def _contracts(facts: Facts, seen: View, since: int) -> Iterator[Heard]:
    found: list[Heard] = []
    for each in seen.standings:
        contract = facts.contracts[each.contract_id]
        changes = _revenue_changes(contract)
        for mark in contract.terms.keys() | changes.keys():
            if when(mark) < since:
                continue
            fields = contract.terms.get(mark, {})
            first, at = mark == each.first_signature, when(mark)
            signed_at = fields.get("signed_at")
            if first and isinstance(signed_at, int):
                at = min(at, signed_at)
            words: dict[str, Plain] = {
                "contract_status": fields.get("status"),
                "first_signature": first,
                "renewal_signature": mark == each.signature,
                "arr_change": changes.get(mark),
            }
            found.append(Heard(mark, at, words))
    yield from sorted(found, key=lambda entry: entry.mark)


def _terms_told(facts: Facts, _seen: View, since: int) -> bool:
    for each in facts.contracts.values():
        if each.terms and when(next(reversed(each.terms))) >= since:
            return True
        if each.revenues and when(next(reversed(each.revenues))) >= since:
            return True
    return False


def _revenue_changes(contract: Contract) -> dict[Mark, float | None]:
    found: dict[Mark, float | None] = {}
    before: float | None = None
    for mark, fields in contract.revenues.items():
        told = fields.get("arr")
        now = told if isinstance(told, int | float) else None
        found[mark] = None if now is None or before is None else now - before
        before = now
    return found


_SPECIAL: Mapping[str, Callable[[Facts, View, int], Iterator[Heard]]] = {
    "health.scored": _health,
    "touchpoint.settled": _settled,
    "contact.described": _described,
    "contact.left": _left,
    "mail.judged": _mails,
    "program.announced": _programs,
    "contract.changed": _contracts,
}
_DERIVED: Mapping[str, Callable[[Facts, View, int], bool]] = {
    "contract.changed": _terms_told,
    "contact.described": lambda facts, _seen, _since: bool(facts.joined),
    "mail.judged": lambda facts, _seen, _since: bool(facts.entries.get("mail.sent")),
    "program.announced": lambda _facts, seen, _since: bool(seen.book.programs),
}
