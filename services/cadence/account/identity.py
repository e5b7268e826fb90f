"""What makes a thing the same thing, however often, late, under whatever id and in whatever spelling it is told.

The account stores statements: what was told, with its first and its last telling (`add_statement`). Here they become
things: statements of one milestone, request, touchpoint or respondent are one thing, dated by the moment the thing itself
happened. `docs/identity.md` has the whole table.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

import orjson

from services.cadence.account.merging import LAST, SUPERSEDED
from services.cadence.account.retention import INVITATION_ANSWERED, OWN_TIME
from services.cadence.account.stamps import DAY, Entries, Fields, Stamp, StampedFields, when, who

_SETTLED: Final = "touchpoint.settled"
_OPEN: Final = frozenset({"rescheduled", "reopened"})
"""Outcomes after which a touchpoint is still to take place."""
ANSWER_ROUND = 30 * DAY
"""Answers of one respondent to one survey within this time are one round, unless the policy says otherwise."""


class Statement(NamedTuple):
    """What was told in equal words. `at`: its own time where it states one, else that of its first telling."""

    at: int
    first: Stamp
    last: Stamp
    fields: Fields
    dated: bool


class Thing(NamedTuple):
    """A thing that happened. `at` in microseconds; `stamp`: the telling that counts; `fields`: what is known of it.

    `key`: what it is known by, `other_keys`: what else it may be known by; `stamps`: first and last of each statement.
    """

    at: int
    first: Stamp
    stamp: Stamp
    fields: Fields
    key: tuple[str, ...]
    stamps: tuple[Stamp, ...]
    other_keys: tuple[tuple[str, ...], ...] = ()

    @property
    def aliases(self) -> tuple[tuple[str, ...], ...]:
        """What touchpoints that answer it may have been known by before."""
        return (*self.other_keys, *dict.fromkeys(map(who, dict.fromkeys(self.stamps))))


def name_key(name: object) -> str:
    """A name of a milestone, survey or program for comparison: without case, outer blanks and repeated blanks."""
    return " ".join(str(name or "").casefold().split())


def statements_of(entries: Entries, kind: str) -> list[Statement]:
    """The statements that no correction under the same (source, id) replaced, in the order of their times."""
    own_time = OWN_TIME.get(kind, "")
    statements: list[Statement] = []
    for first, fields in entries.items():
        if SUPERSEDED in fields:
            continue
        own = fields.get(own_time)
        dated = isinstance(own, int)
        last = str(fields[LAST]) if LAST in fields else first
        statements.append(Statement(own if isinstance(own, int) else when(first), first, last, fields, dated))
    statements.sort()
    return statements


def things_of(stored: Mapping[str, Entries], kind: str) -> list[Thing]:
    """The things that events of a type tell of, in the order in which they happened."""
    declines = _declined(stored) if kind == _SETTLED else {}
    entries = stored.get(kind, {})
    if not entries and not declines:
        return []
    group_of = _GROUPS[kind]
    groups: dict[tuple[str, ...], list[Statement]] = {}
    for statement in statements_of(entries, kind):
        groups.setdefault(group_of(statement), []).append(statement)
    things = {group: _thing((kind, *group), members) for group, members in groups.items()}
    for group, decline in declines.items():
        known = things.get(group)
        if known is None or (known.fields.get("outcome") in _OPEN and when(known.stamp) < decline.at):
            things[group] = decline
    return sorted(things.values(), key=_order)


def _declined(stored: Mapping[str, Entries]) -> dict[tuple[str, ...], Thing]:
    """Invitations that the customer declined last, as touchpoints that were declined. What was recorded of a touchpoint
    comes first, unless it was open again when it was declined.
    """
    declines: dict[tuple[str, ...], Thing] = {}
    for stamp, fields in stored.get(INVITATION_ANSWERED, {}).items():
        if fields.get("answer") == "declined":
            touchpoint_id = str(fields.get("touchpoint_id"))
            names: Fields = {name: fields.get(name) for name in ("touchpoint_id", "touchpoint_type")}
            key = (_SETTLED, touchpoint_id)
            decline = Thing(when(stamp), stamp, stamp, {**names, "outcome": "declined"}, key, (stamp, stamp))
            declines[touchpoint_id,] = decline
    return declines


def _order(thing: Thing) -> tuple[int, int, tuple[str, ...]]:
    """Of things at one moment what they are decides their order, not the ids of the events that tell of them."""
    return thing.at, when(thing.first), thing.key


def _statement_order(statement: Statement) -> tuple[int, bytes]:
    """Statements by their last telling. Of one moment the content decides, whoever repeats which of them."""
    return when(statement.last), _content(statement.fields)


def _content(fields: Fields) -> bytes:
    stated = {name: value for name, value in fields.items() if name != LAST}
    return orjson.dumps(stated, option=orjson.OPT_SORT_KEYS)


def _thing(key: tuple[str, ...], members: list[Statement]) -> Thing:
    """Each field as it was told last. A time of its own counts as it was told last, else the first telling of all."""
    if len(members) == 1:
        at, first, last, fields, _ = members[0]
        return Thing(at, first, first, fields, key, (first, last))
    members = sorted(members, key=_statement_order)
    newest, fields = members[-1], _merged(members)
    first = min(statement.first for statement in members)
    at = next((statement.at for statement in reversed(members) if statement.dated), when(first))
    return Thing(at, first, newest.first, fields, key, _stamps_of(members))


def _merged(members: Iterable[Statement]) -> Fields:
    return {name: value for statement in members for name, value in statement.fields.items()}


def _stamps_of(members: Iterable[Statement]) -> tuple[Stamp, ...]:
    return tuple(stamp for statement in members for stamp in (statement.first, statement.last))


def answers_of(
    stored: Mapping[str, Entries],
    contacts: Mapping[str, StampedFields],
    kind: str,
    round_length: int = ANSWER_ROUND,
) -> list[Thing]:
    """The rounds of answers, each as its latest answer has it, in the order of these.

    A round begins with an answer and lasts `round_length` microseconds. Answers without a respondent are rounds of their
    own: nobody knows whether two are of one person.
    """
    entries = stored.get(kind)
    if not entries:
        return []
    persons = persons_of(contacts)
    by_respondent: dict[tuple[str, str], list[list[Statement]]] = {}
    for statement in statements_of(entries, kind):
        contact_id = statement.fields.get("contact_id")
        anonymous = contact_id is None
        person = str(statement.at) if anonymous else persons.get(str(contact_id), str(contact_id))
        rounds = by_respondent.setdefault((person, name_key(statement.fields.get("survey"))), [])
        if anonymous or not rounds or statement.at >= rounds[-1][0].at + round_length:
            rounds.append([])
        rounds[-1].append(statement)
    found = [
        _round((kind, *respondent), statements)
        for respondent, rounds in by_respondent.items()
        for statements in rounds
    ]
    return sorted(found, key=lambda answer: (*_order(answer), _content(answer.fields)))


def _round(key: tuple[str, ...], statements: list[Statement]) -> Thing:
    """Known by the day of its first answer; the days of its other answers are aliases."""

    def asserted(statement: Statement) -> tuple[int, int, bytes]:
        stated_at, content = _statement_order(statement)
        return statement.at if statement.dated else stated_at, stated_at, content

    ordered = sorted(statements, key=asserted)
    latest = ordered[-1]
    at = latest.at
    if not latest.dated and any(latest.at < other.at <= when(latest.last) for other in ordered[:-1]):
        at = when(latest.last)  # another answer came in between: this one was given again
    days = tuple(dict.fromkeys((*key, str(statement.at // DAY)) for statement in statements))
    fields = latest.fields if len(ordered) == 1 else _merged(ordered)
    return Thing(at, statements[0].first, latest.first, fields, days[0], _stamps_of(statements), days[1:])


def persons_of(contacts: Mapping[str, StampedFields]) -> dict[str, str]:
    """Contact id -> the first id, in alphabetical order, of the contacts with the same address, letter case apart."""
    by_address: dict[str, str] = {}
    persons: dict[str, str] = {}
    for contact_id in sorted(contacts):
        address = next(
            (fields["email"] for fields in contacts[contact_id].values() if "email" in fields), None
        )
        person = contact_id
        if isinstance(address, str) and address.strip():
            person = by_address.setdefault(address.strip().casefold(), contact_id)
        persons[contact_id] = person
    return persons


def departures_of(stored: Mapping[str, Entries]) -> dict[str, Stamp]:
    """Contact id -> the event with which a contact left, of those who were not described in new words since.

    A list that a tool sends every night describes those who left as before; it does not bring them back.
    """
    left, described = (_newest_by_contact(stored, kind) for kind in ("contact.left", "contact.described"))
    return {key: stamp for key, stamp in left.items() if when(described.get(key, "0")) <= when(stamp)}


def _newest_by_contact(stored: Mapping[str, Entries], kind: str) -> dict[str, Stamp]:
    return {
        str(fields["contact_id"]): stamp
        for stamp, fields in stored.get(kind, {}).items()
        if SUPERSEDED not in fields
    }


def _milestone(statement: Statement) -> tuple[str, ...]:
    return (name_key(statement.fields.get("milestone")),)


def _request(statement: Statement) -> tuple[str, ...]:
    return (str(statement.fields.get("request_id")),)


def _settled(statement: Statement) -> tuple[str, ...]:
    touchpoint_id = statement.fields.get("touchpoint_id")
    if isinstance(touchpoint_id, str):
        return (touchpoint_id,)
    return _contact_made(statement)


def _contact_made(statement: Statement) -> tuple[str, ...]:
    names = ("touchpoint_type", "channel", "contact_id", "outcome")
    return str(statement.at), *(str(statement.fields.get(name) or "") for name in names)


def _signal(statement: Statement) -> tuple[str, ...]:
    fields = statement.fields
    return str(fields.get("signal")), str(fields.get("about", "")), str(statement.at // DAY)


def _contact(statement: Statement) -> tuple[str, ...]:
    fields = statement.fields
    return str(fields.get("contact_id")), str(fields.get("content", "")), str(statement.at // DAY)


_GROUPS: Mapping[str, Callable[[Statement], tuple[str, ...]]] = {
    "milestone.reached": _milestone,
    "request.received": _request,
    "request.answered": _request,
    _SETTLED: _settled,
    "interaction.logged": _contact_made,
    "expansion.signalled": _signal,
    "contact.described": _contact,
    "contact.left": _contact,
}
"""Event type -> what its things are known by, besides the type."""
