"""The relation with an account: where each of its contracts stands at a moment, and when the relation began.

`docs/contract-states.md` has the state machine with its picture.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, NamedTuple, get_args

from services.cadence.account.contracts import Contract
from services.cadence.account.stamps import DAY, EPOCH_ORDINAL, Stamp, day_text
from services.cadence.account.terms import (
    GAP_DAYS,
    MONTH_DAYS,
    NEAR_DAYS,
    NOT_LIVE,
    YEAR_DAYS,
    ContractTerms,
    Signature,
    Term,
    read_terms,
)

_FOREVER = 1 << 40
State = Literal[
    "draft", "signed", "active", "renewed", "renewing", "notice", "leaving", "superseded", "ended"
]
STATES: tuple[State, ...] = get_args(State)
"""draft: not agreed; signed: agreed, not begun; active: its end is to be renewed; renewed: the next term is signed early;
renewing: it renews by itself; notice, leaving (churned): served until the term ends; superseded: another contract goes on
from its end; ended."""
SETTLED = frozenset[State]({"renewed", "renewing", "notice", "leaving", "superseded", "ended"})
"""States in which nobody is asked to sign the next term."""
CLOSED = frozenset[State]({"notice", "leaving", "ended"})


@dataclass(slots=True)
class Standing:
    """A contract at a moment. `term`: the one that renews next; its dates may be assumed.

    `assumed_from`: the last end that was stated, where the term is assumed to follow from it. `serves_until`: the day
    service ends; None: not known to end. `opened`: it began before or today.
    """

    terms: ContractTerms
    term: Term
    state: State
    serves_until: int | None
    assumed_from: int | None = None
    opened: bool = True

    @property
    def contract_id(self) -> str:
        return self.terms.contract_id

    @property
    def is_settled(self) -> bool:
        """Whether nobody is to be asked to sign the next term."""
        return self.state in SETTLED or self.terms.auto_renew

    @property
    def is_served(self) -> bool:
        """Whether it is agreed and its service has not ended."""
        return self.state not in {"draft", "ended"}

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the term that renews next, the first of which its touchpoints get."""
        return (self.term.key, *self.term.other_keys)


class Opening(NamedTuple):
    """The beginning of a relation. `at`: in microseconds; `key`: what touchpoints counted from it are known by."""

    contract_id: str
    at: int
    stamp: Stamp | None
    key: tuple[str, ...] = ("start",)


@dataclass(slots=True)
class Relation:
    """The contracts of an account by id, the relations there were, oldest first, and contracts that continue another."""

    standings: list[Standing] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    continuing: frozenset[str] = frozenset()

    @property
    def primary(self) -> Standing | None:
        """The contract that leads: served, begun, of the most revenue, ending first; else what was served last."""
        return min(self.standings, key=_lead, default=None)

    @property
    def beginning(self) -> Opening | None:
        """Of the present relation; before any contract is agreed, the start of a draft."""
        if self.openings:
            return self.openings[-1]
        drafts = [
            Opening(standing.contract_id, term.starts_on * DAY, term.start_stamp)
            for standing in self.standings
            if (term := standing.term).starts_on is not None
        ]
        return min(drafts, key=lambda draft: (draft.at, draft.contract_id), default=None)


def relate(contracts: Mapping[str, Contract], now: int) -> Relation:
    """Where the contracts of an account stand at `now`, in microseconds since 1970."""
    standings = [stand(read_terms(key, contract), now) for key, contract in sorted(contracts.items())]
    relation = Relation(standings)
    if len(standings) > 1:
        relation.continuing = frozenset(_supersede(standings, now // DAY))
    relation.openings = list(_openings(standings))
    return relation


def earning_contracts(contracts: Mapping[str, Contract]) -> list[str]:
    """The ids of the contracts that bring revenue; where a record is kept for each term, the newest of a row."""
    terms = [read_terms(key, contract) for key, contract in sorted(contracts.items())]
    live = [item for item in terms if item.status not in NOT_LIVE]
    ends = {item.contract_id: item.terms[-1].ends_on for item in live}
    return [
        item.contract_id
        for item in live
        if (end := ends[item.contract_id]) is None
        or not any(other is not item and _follows(other, item, end) for other in live)
    ]


def stand(terms: ContractTerms, now: int) -> Standing:
    """Where one contract stands by itself."""
    today, last = now // DAY, terms.terms[-1]
    term, assumed_from = _assume(terms, last, today)
    began = last.starts_on if last.opens else terms.terms[0].starts_on
    opened = began is None or began <= today
    if terms.status == "draft" and last.signature is None:
        return Standing(terms, term, "draft", None, None, opened)
    state, until = _close(terms, term.ends_on)
    if state == "active":
        if terms.signature is not None and assumed_from is None:
            state, until = "renewed", None
        elif opened and terms.auto_renew:
            state, until = "renewing", None
        elif not opened:
            state = "signed"
    lapses_on = until if until is None or terms.closed_at is not None else until + GAP_DAYS
    if lapses_on is not None and today >= lapses_on:
        state = "ended"
    return Standing(terms, term, state, until, assumed_from, opened)


def _close(terms: ContractTerms, end: int | None) -> tuple[State, int | None]:
    """The state by notice, churn or end, and the day service ends: with the term, unless it is known to end before."""
    closed_on = (terms.closed_at or 0) // DAY
    match terms.status:
        case "notice":
            return "notice", end
        case "churned":
            return "leaving", closed_on if end is None else end
        case "ended" if end is not None:
            return "ended", end if terms.closed_again else min(end, closed_on)
        case "ended":
            return "ended", closed_on
        case _:
            return "active", end


def _assume(terms: ContractTerms, term: Term, today: int) -> tuple[Term, int | None]:
    """The term that runs where an end has passed: of a contract that renews by itself, or whose next term is signed."""
    until = today if terms.closed_at is None else min(today, terms.closed_at // DAY)
    if terms.renews_until is not None:
        until = min(until, terms.renews_until)
    assumed, length = term, _assumed_length(term, terms.months)
    while assumed.ends_on is not None and assumed.ends_on <= until:
        assumed = _next_term(assumed, terms.months, length, None)
    if assumed is term and terms.signature is not None and term.ends_on is not None and term.ends_on <= today:
        assumed = _next_term(term, terms.months, length, terms.signature)
    return assumed, None if assumed is term else term.ends_on


def _assumed_length(term: Term, months: int | None) -> int:
    """As long as agreed, else as the last, else a year; never longer: what began years ago often renews by a year."""
    length = term.length(months)
    return length if months is not None or length < YEAR_DAYS - NEAR_DAYS else YEAR_DAYS


def _next_term(term: Term, months: int | None, length: int, signature: Signature | None) -> Term:
    day = term.ends_on or 0
    end = _months_later(day, months or round(length / MONTH_DAYS)) if _is_in_months(length) else day + length
    names = dict.fromkeys(day_text(end) for end in reversed(term.ends or [day]))
    key, *others = names
    return replace(
        term, starts_on=day, ends_on=end, key=key, other_keys=tuple(others), ends=[end], opens=False, signature=signature
    )  # fmt: skip


def _is_in_months(length: int) -> bool:
    months = round(length / MONTH_DAYS)
    return months > 0 and abs(length - months * MONTH_DAYS) <= 3


def _months_later(day: int, months: int) -> int:
    """The same day of a later month, or the last of that month."""
    start = date.fromordinal(day + EPOCH_ORDINAL)
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last)).toordinal() - EPOCH_ORDINAL


def _lead(standing: Standing) -> tuple[int, float, int, str]:
    rank = 0 if standing.is_served else 2 if standing.state == "ended" else 3
    if rank == 0 and not standing.opened:
        rank = 1
    end = standing.term.ends_on if standing.term.ends_on is not None else _FOREVER
    nearest = end if rank < 2 else -end
    return rank, -(standing.terms.arr or 0) if rank < 2 else 0, nearest, standing.contract_id


def _supersede(standings: list[Standing], today: int) -> Iterator[str]:
    """Mark the contracts that another goes on from; yields the ids of those others."""
    agreed = [standing for standing in standings if standing.state != "draft"]
    for old in agreed:
        end = old.terms.terms[-1].ends_on
        for new in agreed:
            if new is old or end is None or not _follows(new.terms, old.terms, end):
                continue
            yield new.contract_id
            if old.state != "ended":
                old.state = "superseded" if today < end else "ended"


def _follows(new: ContractTerms, old: ContractTerms, end: int) -> bool:
    start, old_start = new.terms[0].starts_on, old.terms[0].starts_on
    return start is not None and abs(start - end) <= NEAR_DAYS and (old_start is None or old_start < start)


def _openings(standings: Iterable[Standing]) -> Iterator[Opening]:
    """A relation begins with the first start, and with the first after more than `GAP_DAYS` without a running term."""
    agreed = [standing for standing in standings if standing.state != "draft"]
    spans = [span for standing in agreed for span in _spans(standing)]
    covered: int | None = None
    for at, end, contract_id, stamp in sorted(spans, key=lambda span: (span[0], span[2])):
        day = at // DAY
        if covered is None:
            yield Opening(contract_id, at, stamp)
        elif day > covered + GAP_DAYS:
            yield Opening(contract_id, at, stamp, ("start", day_text(day)))
        covered = end if covered is None else max(covered, end)


def _spans(standing: Standing) -> Iterator[tuple[int, int, str, Stamp | None]]:
    """(moment of the start, last day, contract, event) of the times that a contract covers without a gap."""
    terms = standing.terms.terms
    for index, term in enumerate(terms):
        at = begins_at(term)
        if not term.opens or at is None:
            continue
        later = next((number for number in range(index + 1, len(terms)) if terms[number].opens), None)
        end = terms[later - 1].ends_on if later is not None else standing.serves_until
        yield at, _FOREVER if end is None else end, standing.contract_id, term.start_stamp


def begins_at(term: Term) -> int | None:
    """When a term starts, in microseconds; where that was never stated, when it was signed."""
    if term.starts_on is not None:
        return term.starts_on * DAY
    return None if term.signature is None else term.signature.at
