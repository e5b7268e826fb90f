"""Entries of `contract.changed`: what is new in the statements about contracts, each thing once.

A thing is a signature, a status in a term, a revenue or a date. What the same event stated is one entry, known by the
first of these; a statement without anything new is no entry.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from services.cadence.account import DAY, Plain, Stamp, day_text, when, who
from services.cadence.account.contracts import Statement, newest
from services.cadence.account.relation import Relation, Standing, begins_at
from services.cadence.account.terms import NEAR_DAYS, ContractTerms, Signature, Term
from services.cadence.evaluation.entry import AboutThing, EventEntry

Key = tuple[str, ...]


@dataclass(slots=True)
class _News:
    """What one statement says first. `keys`: of its things, the leading one first; `at`: its time in microseconds.

    `contract_id`: of several that begin or renew together the first.
    """

    stamp: Stamp
    at: int
    contract_id: str
    keys: list[Key] = field(default_factory=list)
    values: dict[str, Plain] = field(default_factory=dict)
    stamps: set[Stamp] = field(default_factory=set)


def contract_entries(relation: Relation, since: int) -> Iterator[EventEntry]:
    """The entries since that moment, in microseconds, by time and event."""
    news: dict[Stamp, _News] = {}
    for key, signature, values in _signatures(relation):
        # A signature that follows from a start has the time of the start, whatever else its event states.
        place = signature.stamp if signature.stamps else f"start {signature.stamp}"
        item = news.setdefault(place, _News(signature.stamp, signature.at, key[0][1]))
        item.keys += key
        item.values |= values
        item.stamps |= signature.stamps
    for standing in relation.standings:
        if any(when(statement.last) >= since for statement in standing.terms.statements):
            _add_changes(news, standing)
    causes = {
        statement.first: statement.cause
        for standing in relation.standings
        for statement in standing.terms.statements
    }
    entries = [_entry(item, causes.get(item.stamp)) for item in news.values() if item.at >= since]
    yield from sorted(entries, key=lambda entry: (entry.at, entry.stamp))


def _entry(item: _News, cause: Stamp | None) -> EventEntry:
    names = ("contract_status", "first_signature", "renewal_signature", "arr_change")
    defaults: dict[str, Plain] = {"first_signature": False, "renewal_signature": False}
    values = {name: item.values.get(name, defaults.get(name)) for name in names}
    events = [who(stamp) for stamp in sorted({item.stamp, *item.stamps})]
    known: list[Key] = [] if cause is None else [who(cause)]
    key, *aliases = dict.fromkeys([*known, *item.keys, *events])
    return EventEntry(item.stamp, item.at, values, key, tuple(aliases), AboutThing(item.contract_id))


def _signatures(relation: Relation) -> Iterator[tuple[list[Key], Signature, dict[str, Plain]]]:
    yield from _first_signatures(relation)
    renewals: dict[int | str, list[tuple[str, Term, Signature]]] = {}
    for standing in relation.standings:
        for term, signature in _renewals(relation, standing):
            day = term.starts_on if term.starts_on is not None else standing.contract_id
            renewals.setdefault(day, []).append((standing.contract_id, term, signature))
    for group in renewals.values():
        keys = [
            ("signature", contract_id, key)
            for contract_id, term, _ in group
            for key in (term.key, *term.other_keys)
        ]
        yield keys, _joined(signature for *_, signature in group), {"renewal_signature": True}


def _joined(signatures: Iterable[Signature]) -> Signature:
    """The earliest of several, with the events of all."""
    ordered = sorted(signatures, key=lambda signature: (signature.at, signature.stamp))
    return ordered[0]._replace(stamps=frozenset(stamp for signature in ordered for stamp in signature.stamps))


def _renewals(relation: Relation, standing: Standing) -> Iterator[tuple[Term, Signature]]:
    """The signatures of terms that follow another; that of the next, unknown term too."""
    terms = standing.terms
    continues = standing.contract_id in relation.continuing
    for index, term in enumerate(terms.terms):
        if term.signature is not None and (not term.opens or (index == 0 and continues)):
            yield term, term.signature
    if terms.signature is not None:
        last = terms.terms[-1]
        ends = [day_text(day) for day in dict.fromkeys([*reversed(last.ends)])] or [""]
        yield Term(last.ends_on, key=ends[0], other_keys=tuple(ends[1:]), opens=False), terms.signature


def _first_signatures(relation: Relation) -> Iterator[tuple[list[Key], Signature, dict[str, Plain]]]:
    """One of contracts that begin together: the earliest; of a relation without any its start, if one is active."""
    for members in _beginning_together(relation):
        signatures = [term.signature for _, term in members if term.signature is not None]
        opens = any(
            opening.contract_id == standing.contract_id and opening.at == begins_at(term)
            for standing, term in members
            for opening in relation.openings
        )
        if not signatures and opens:
            signatures = [signature for member in members if (signature := _implied(*member))]
        if signatures:
            keys = [
                ("signature", standing.contract_id, key)
                for standing, term in members
                for key in (term.key, *term.other_keys)
            ]
            yield keys, _joined(signatures), {"first_signature": True}


def _beginning_together(relation: Relation) -> list[list[tuple[Standing, Term]]]:
    """Contracts that continue no other, by the term that they begin with, those within some days together."""
    begun = [
        (at, standing.contract_id, standing, term)
        for standing in relation.standings
        if standing.contract_id not in relation.continuing and standing.state != "draft"
        for term in standing.terms.terms
        if term.opens and (at := begins_at(term)) is not None
    ]
    groups: list[list[tuple[Standing, Term]]] = []
    first = 0
    for at, _, standing, term in sorted(begun, key=lambda item: item[:2]):
        if not groups or at > first + NEAR_DAYS * DAY:
            groups.append([])
            first = at
        groups[-1].append((standing, term))
    return groups


def _implied(standing: Standing, term: Term) -> Signature | None:
    """A contract that is reported as active from a day on was signed by then, if no signature was reported."""
    terms = standing.terms
    known = term.start_stamp is not None and term.starts_on is not None
    if not known or terms.status != "active" or not standing.is_served:
        return None
    return Signature((term.starts_on or 0) * DAY, term.start_stamp or "", frozenset())


def _add_changes(news: dict[Stamp, _News], standing: Standing) -> None:
    """Statuses, revenues and dates, each where it was first stated."""
    terms, known = standing.terms, set[Key]()
    changes = {stamp: (key, change, at) for key, stamp, change, at in _revenue_changes(terms)}
    for statement in terms.statements:
        keys = [key for key in _keys(terms, statement) if key not in known]
        revenue = changes.pop(statement.first, None)
        if revenue is not None:
            keys.insert(1 if keys and keys[0][0] == "status" else 0, revenue[0])
        known.update(keys)
        item = news.get(statement.first)
        if not keys and item is None:
            continue
        if item is None:
            item = news[statement.first] = _News(statement.first, when(statement.first), terms.contract_id)
        item.keys += keys
        item.stamps.add(statement.last)
        item.values.setdefault("contract_status", statement.fields.get("status"))
        if revenue is not None:
            item.values["arr_change"] = revenue[1]
    for stamp, (key, change, at) in changes.items():
        news[stamp] = _News(stamp, at, terms.contract_id, [key], {"arr_change": change})


def _keys(terms: ContractTerms, statement: Statement) -> Iterator[Key]:
    fields = statement.fields
    status = fields.get("status")
    if isinstance(status, str) and status != "signed":
        day = when(statement.first) // DAY
        begun = [term for term in terms.terms if term.starts_on is not None and term.starts_on <= day]
        yield "status", terms.contract_id, status, begun[-1].key if begun else ""
    for name in ("renews_on", "starts_on"):
        if name in fields:
            yield name, terms.contract_id, str(fields[name])


def _revenue_changes(terms: ContractTerms) -> Iterator[tuple[Key, Stamp, float | None, int]]:
    """(key, event, change, moment) of each revenue, against the one before; null without both.

    Of a return to an earlier revenue the first event is not known any more; it is taken for the moment at which the one
    in between was last stated.
    """
    revenues = terms.values.get("arr", [])
    before: Plain = None
    for revenue in revenues:
        yield (
            ("revenue", terms.contract_id, str(revenue.value)),
            revenue.first,
            _change(before, revenue.value),
            when(revenue.first),
        )
        before = revenue.value
    present = newest(revenues)
    if present is not None and present.value != before:
        replaced = revenues[-1]
        stamp = next(statement.last for statement in terms.statements if statement.ended == present.ended)
        key = ("revenue", terms.contract_id, str(present.value), str(before))
        yield key, stamp, _change(before, present.value), replaced.ended[0]


def _change(before: Plain, revenue: Plain) -> float | None:
    if isinstance(before, int | float) and isinstance(revenue, int | float):
        return revenue - before
    return None
