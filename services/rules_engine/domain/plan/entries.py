"""Entries: the dated facts a trigger looks at, each with the words it lays over those of the account."""

from collections.abc import Iterator
from typing import NamedTuple

from services.rules_engine.domain.facts import Entries, Facts, Fields, Mark, Plain, when
from services.rules_engine.domain.vocabulary.view import View, ratio

_WORDS = {
    "health.scored": (("health_score", "score"), ("color", "color")),
    "nps.answered": (("nps_score", "score"),),
    "survey.answered": (("survey_answer", "answer"), ("csat", "csat")),
    "milestone.reached": (("milestone", "milestone"), ("milestone_kind", "kind")),
    "expansion.signalled": (("signal", "signal"),),
    "touchpoint.settled": (("settled_type", "touchpoint_type"), ("outcome", "outcome")),
    "interaction.logged": (("interaction_channel", "channel"),),
}


class Heard(NamedTuple):
    """An entry as a trigger sees it. `at`: the moment its window counts from, in microseconds."""

    mark: Mark
    at: int
    words: dict[str, Plain]


def heard(facts: Facts, seen: View, event: str, since: int) -> Iterator[Heard]:
    """Entries of an event not older than `since`, oldest first."""
    if event == "contract.changed":
        yield from _contracts(facts, seen, since)
        return
    for mark, fields in _recent(facts.entries.get(event, {}), since):
        if event == "usage.reported":
            yield Heard(mark, when(mark), _usage(seen, fields))
        else:
            yield Heard(mark, when(mark), {name: fields.get(key) for name, key in _WORDS.get(event, ())})


def _recent(entries: Entries, since: int) -> list[tuple[Mark, Fields]]:
    found: list[tuple[Mark, Fields]] = []
    for mark in reversed(entries):
        if when(mark) < since:
            break
        found.append((mark, entries[mark]))
    found.reverse()
    return found


def _usage(seen: View, fields: Fields) -> dict[str, Plain]:
    # A report without its seats is held against the seats last heard of: absent means unchanged.
    values = seen.values
    return {
        "active_users": fields.get("active_users"),
        "limit_ratio": fields.get("limit_ratio"),
        "seat_ratio": ratio(fields.get("seats_used"), fields.get("seats", values["seats"])),
        "usage_spike_ratio": seen.spikes.of(fields),
    }


def _contracts(facts: Facts, seen: View, since: int) -> Iterator[Heard]:
    found: list[Heard] = []
    for each in seen.standings:
        for mark, fields in _recent(facts.contracts[each.contract_id].terms, since):
            first, at = mark == each.first_signature, when(mark)
            signed_at = fields.get("signed_at")
            if first and isinstance(signed_at, int):
                at = min(at, signed_at)
            found.append(
                Heard(
                    mark,
                    at,
                    {
                        "contract_status": fields.get("status"),
                        "first_signature": first,
                        "renewal_signature": mark == each.signature,
                    },
                )
            )
    yield from sorted(found, key=lambda entry: entry.mark)
