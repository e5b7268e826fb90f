"""The view: what the vocabulary's words mean for one account at one moment, as one flat dictionary."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from services.rules_engine.domain.book import Book
from services.rules_engine.domain.facts import DAY, Entries, Facts, Fields, Mark, Plain, micros, when
from services.rules_engine.domain.terms import Standing, standing
from services.rules_engine.domain.vocabulary.registry import WORDS
from services.rules_engine.domain.vocabulary.usage import Spikes

_BLANK: dict[str, Plain] = {
    name: None if word.nullable else {"truth": False, "number": 0}.get(word.kind)
    for name, word in WORDS.items()
}
ALL = frozenset(WORDS)
_OF_USAGE = frozenset({"usage_spike_ratio", "days_since_usage"})
_MET = frozenset({"completed", "attended"})


@dataclass(slots=True)
class View:
    """`values` by word; `bases`: the moment each day-count counts from (or to), in microseconds."""

    now: int
    values: dict[str, Plain]
    bases: dict[str, int]
    standings: list[Standing]
    primary: Standing | None
    spikes: Spikes
    last_touch: dict[str | None, tuple[int, Mark]]
    turns: list[int]
    """Moments at which a word turns by itself, day-counts apart."""


def view(facts: Facts, book: Book, now: datetime, wanted: AbstractSet[str] = ALL) -> View:
    """What conditions read. Pure. Words that cost something are only worked out when they are `wanted`."""
    at = micros(now)
    values = _BLANK.copy()
    values["account_id"] = facts.account_id
    for fields in facts.account.values():
        values.update(fields)
    values["paid_success"] = values["paid_success"] is True
    usage = facts.entries.get("usage.reported", {})
    spikes = Spikes(usage)
    bases: dict[str, int] = {}
    values["seat_ratio"] = ratio(values["seats_used"], values["seats"])
    if usage and not _OF_USAGE.isdisjoint(wanted):
        _usage(values, bases, usage, spikes)
    standings = [standing(key, facts.contracts[key]) for key in sorted(facts.contracts)]
    turns: list[int] = []
    primary = _contract(values, bases, turns, facts, standings) if standings else None
    start = _start(facts, standings)
    if start is not None:
        bases["days_since_start"] = start
    touches = last_touches(facts)
    if None in touches:
        bases["days_since_touch"] = touches[None][0]
    pause = facts.pauses.get("")
    if pause:
        values["paused"] = _paused(pause, turns, at)
    for name, base in bases.items():
        count = (at - base) // DAY
        values[name] = -count if name == "days_to_renewal" else count
    if values["auto_renew"] and _negative(values["days_to_renewal"]):
        # A term that ended and renews by itself is running again; when it ends next is not known yet.
        values["days_to_renewal"] = None
    del book  # Ranks and programs are words yet to come.
    return View(at, values, bases, standings, primary, spikes, touches, turns)


def next_day(base: int, now: int, counts: tuple[int, ...] | None) -> int | None:
    """When the whole days since `base` next become one of `counts` (sorted; None: any), in microseconds."""
    passed = (now - base) // DAY
    for count in (passed + 1,) if counts is None else counts:
        if count > passed:
            return base + count * DAY
    return None


def ratio(part: Plain, whole: Plain) -> float | None:
    if isinstance(part, int | float) and isinstance(whole, int | float) and whole > 0:
        return part / whole
    return None


def _usage(values: dict[str, Plain], bases: dict[str, int], entries: Entries, spikes: Spikes) -> None:
    end, newest = max((cast("int", fields["period_end"]), mark) for mark, fields in entries.items())
    values["usage_spike_ratio"] = spikes.of(entries[newest])
    bases["days_since_usage"] = end


def _contract(
    values: dict[str, Plain],
    bases: dict[str, int],
    turns: list[int],
    facts: Facts,
    standings: list[Standing],
) -> Standing:
    primary = min(standings, key=_urgency)
    values["contract_status"] = primary.status
    values["contract_signed"] = primary.signed
    values["auto_renew"] = renews_itself(facts, primary)
    if primary.renews_on is not None and primary.live:
        bases["days_to_renewal"] = primary.renews_on * DAY
        turns.append((primary.renews_on + 1) * DAY)
    if values["arr"] is None:
        values["arr"] = _revenue(facts, standings)
    return primary


def renews_itself(facts: Facts, each: Standing) -> bool:
    held = facts.contracts[each.contract_id].held
    return any(said.get("auto_renew") is True for said in held.values())


def _urgency(each: Standing) -> tuple[int, bool, int, str]:
    rank = 0 if each.status in {"active", "signed"} else 2 if each.status == "churned" else 1
    return rank, each.renews_on is None or each.signed, each.renews_on or 0, each.contract_id


def _revenue(facts: Facts, standings: list[Standing]) -> float | None:
    found = [
        value
        for each in standings
        if each.live
        for said in facts.contracts[each.contract_id].held.values()
        if isinstance(value := said.get("arr"), int | float)
    ]
    return sum(found) if found else None


def _start(facts: Facts, standings: list[Standing]) -> int | None:
    starts = [each.first_start * DAY for each in standings if each.first_start is not None]
    starts = starts or [when(each.first_signature) for each in standings if each.first_signature is not None]
    return min(starts) if starts else facts.first_heard


def last_touches(facts: Facts) -> dict[str | None, tuple[int, Mark]]:
    """By touchpoint type, and under None for any: the latest moment we spoke, and the fact that says so."""
    found: dict[str | None, tuple[int, Mark]] = {}
    for kind in ("interaction.logged", "touchpoint.settled"):
        for mark, fields in facts.entries.get(kind, {}).items():
            if kind == "touchpoint.settled" and fields.get("outcome") not in _MET:
                continue
            at = fields.get("at")
            spoke = (at if isinstance(at, int) else when(mark), mark)
            for key in {None, cast("str | None", fields.get("touchpoint_type"))}:
                if key not in found or found[key] < spoke:
                    found[key] = spoke
    return found


def _negative(value: Plain) -> bool:
    return isinstance(value, int) and value < 0


def _paused(held: dict[Mark, Fields], turns: list[int], now: int) -> bool:
    fields = {name: value for said in held.values() for name, value in said.items()}
    until = fields.get("until")
    if isinstance(until, int):
        turns.append(until)
    return fields.get("paused") is True and (not isinstance(until, int) or until > now)
