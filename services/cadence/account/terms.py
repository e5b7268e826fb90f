"""The terms of a contract and their signatures, read from what the events about it state.

A term is known by its contract and its anniversary, the day it starts. A renewal date that moves by about half a term
opens the next term on the old date; a smaller move corrects the date. A term has one signature, however often and by
however many tools it is stated. `docs/contract-states.md` has the rules with their reasons.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import starmap
from typing import NamedTuple, cast

from services.cadence.account.contracts import Contract, Statement, Value, newest, values_of
from services.cadence.account.stamps import DAY, Stamp, day_text, when

NOT_LIVE = frozenset({"draft", "ended"})
"""Statuses of contracts that bring no revenue; one that is reported as churned is served until its term ends."""
CLOSING = frozenset({"notice", "churned", "ended"})
YEAR_DAYS, MONTH_DAYS = 365, 30.4375
NEAR_DAYS = 14
"""Two dates of one contract or of two that are this close mean one day: tools disagree, and paperwork takes time."""
GAP_DAYS = 30
"""Longer without a running term ends a relation. A signature this soon after the start of a term is that term's own."""


class Signature(NamedTuple):
    """`at`: when it was made, in microseconds. `stamp`: the event that stated it first; `stamps`: all known events."""

    at: int
    stamp: Stamp
    stamps: frozenset[Stamp]


@dataclass(slots=True)
class Term:
    """Dates in days since 1970. `key`: what its touchpoints are known by; `other_keys`: what they may be known by, too.

    `stamp` and `start_stamp`: the events that first stated its end and its start; `ends`: every end it was given.
    `opens`: it is the first of its contract, or it starts after a gap.
    """

    starts_on: int | None = None
    ends_on: int | None = None
    key: str = ""
    other_keys: tuple[str, ...] = ()
    stamp: Stamp | None = None
    start_stamp: Stamp | None = None
    ends: list[int] = field(default_factory=list)
    opens: bool = True
    signature: Signature | None = None

    def length(self, months: int | None) -> int:
        """In days: as agreed, else from its dates, else a year."""
        if months is not None:
            return round(months * MONTH_DAYS)
        if self.starts_on is None or self.ends_on is None:
            return YEAR_DAYS
        return max(1, self.ends_on - self.starts_on)


@dataclass(slots=True)
class ContractTerms:
    """The terms of one contract, oldest first; the last is the one that renews next. `values`: of each field.

    `signature`: of the term after the last, whose dates are not known yet. `renews_until`: the day up to which it renews
    by itself; None: it does so still. `closed_at`: when notice, churn or the end was first stated since the contract was
    last stated to go on, in microseconds; where that is not known, when it was last stated to go on: `closed_again`.
    """

    contract_id: str
    statements: list[Statement]
    values: dict[str, list[Value]]
    terms: list[Term]
    months: int | None = None
    notice_days: int | None = None
    arr: float | None = None
    auto_renew: bool = False
    renews_until: int | None = 0
    status: str | None = None
    status_stamp: Stamp | None = None
    closed_at: int | None = None
    closed_again: bool = False
    active_since: int | None = None
    signature: Signature | None = None

    def signature_of(self, index: int) -> Signature | None:
        return self.terms[index].signature if index < len(self.terms) else self.signature

    def sign(self, index: int, signature: Signature) -> None:
        """Add to the signature of a term, which is the earliest of all that were stated."""
        known = self.signature_of(index)
        if known is not None:
            stamp = min(known.stamp, signature.stamp)
            signature = Signature(min(known.at, signature.at), stamp, known.stamps | signature.stamps)
        if index < len(self.terms):
            self.terms[index].signature = signature
        else:
            self.signature = signature


def read_terms(contract_id: str, contract: Contract) -> ContractTerms:
    """The terms of a contract: they depend on what was stated and when, never on the order of arrival."""
    return _read_terms(contract_id, tuple((content, *span) for content, span in contract.statements.items()))


@lru_cache(maxsize=1024)
def _read_terms(contract_id: str, stated: tuple[tuple[str, ...], ...]) -> ContractTerms:
    """Cached: one evaluation reads a contract several times. Nobody changes what is returned."""
    statements = sorted(starmap(Statement, stated), key=lambda statement: statement.began)
    values = values_of(statements)
    months = _whole(newest(values.get("term_months", ())))
    starts = [value for value in values.get("starts_on", ()) if isinstance(value.value, int)]
    split = _split_terms(values.get("renews_on", []), starts, months)
    _date_starts(split, starts)
    _name(split)
    terms = ContractTerms(contract_id, statements, values, split, months)
    _fill_present(terms)
    for act in sorted(_acts(statements), key=lambda act: (act.at, act.statement.began)):
        index = _signed_term(terms, act)
        if index is not None:
            stamps = frozenset({act.statement.first, act.statement.last})
            terms.sign(index, Signature(act.at, act.statement.first, stamps))
    return terms


def _whole(value: Value | None) -> int | None:
    return value.value if value is not None and isinstance(value.value, int) else None


def _fill_present(terms: ContractTerms) -> None:
    """The present values, and since when they hold where that counts."""
    values = terms.values
    terms.notice_days = _whole(newest(values.get("notice_days", ())))
    arr = newest(values.get("arr", ()))
    terms.arr = arr.value if arr is not None and isinstance(arr.value, int | float) else None
    renewing = values.get("auto_renew", [])
    present = newest(renewing)
    terms.auto_renew = present is not None and present.value is True
    began = next((when(value.first) for value in renewing if value.value is True), None)
    if terms.auto_renew:
        terms.renews_until = None
    elif present is not None and began is not None:
        terms.renews_until = max(when(present.first), began) // DAY
    statuses = values.get("status", [])
    status = newest(statuses)
    if status is not None and status.value is not None:
        terms.status, terms.status_stamp = str(status.value), status.first
    if status is not None and terms.status in CLOSING:
        _fill_closing(terms, status)
    agreed = (when(value.first) for value in statuses if value.value == "active" or value.value in CLOSING)
    terms.active_since = min(agreed, default=None)


def _fill_closing(terms: ContractTerms, status: Value) -> None:
    """The last event is no evidence: a tool that repeats the closing every night moves it. See `ContractTerms`."""
    first = when(status.first)
    going_on = (value.ended[0] for value in terms.values["status"] if value.value not in CLOSING)
    reopened_at = max((at for at in going_on if at > first), default=first)
    closings = [each for each in terms.statements if each.fields.get("status") == status.value]
    known = [at for each in closings if (at := when(each.first)) >= reopened_at]
    terms.closed_at, terms.closed_again = min(known, default=reopened_at), not known


def _split_terms(ends: list[Value], starts: list[Value], months: int | None) -> list[Term]:
    terms, present = [Term()], newest(ends)
    for value in ends:
        if value.value is not None:
            _move_end(terms, value, starts, months)
    if present is not None and present.value != terms[-1].ends_on:
        _move_end(terms, present, starts, months)
    return terms


def _move_end(terms: list[Term], value: Value, starts: list[Value], months: int | None) -> None:
    """A move by about half a term opens the next term on the old date; a smaller one, or one back, is a correction."""
    day = _whole(value)
    if day is None:
        terms[-1].ends_on = terms[-1].stamp = None
        return
    while len(terms) > 1 and day - (terms[-1].starts_on or 0) < _half(terms[-1], months):
        terms.pop()
    last = terms[-1]
    if len(terms) == 1 and last.ends_on is not None:
        start = newest(value for value in starts if cast("int", value.value) < last.ends_on)
        last.starts_on = _whole(start)
    begun = last.starts_on is None or when(value.first) // DAY >= last.starts_on or len(terms) > 1
    if last.ends_on is not None and begun and day - last.ends_on >= _half(last, months):
        terms.append(Term(last.ends_on, day, stamp=value.first, ends=[day]))
    else:
        last.ends_on, last.stamp = day, value.first
        last.ends.append(day)


def _half(term: Term, months: int | None) -> int:
    """Half of a term, at most half a year: after three years a contract often renews by one."""
    return min(term.length(months), YEAR_DAYS) // 2


def _date_starts(terms: list[Term], starts: list[Value]) -> None:
    """Give each term the newest start that lies in it; without one it starts where the term before ends."""
    for index, term in enumerate(terms):
        before = terms[index - 1].ends_on if index else None
        first = 0 if before is None else before - NEAR_DAYS
        last = term.ends_on if term.ends_on is not None and index < len(terms) - 1 else None
        end = term.ends_on if last is None else last - NEAR_DAYS
        within = [
            value
            for value in starts
            if first <= cast("int", value.value) and (end is None or cast("int", value.value) < end)
        ]
        chosen = newest(within)
        term.starts_on = before if chosen is None else _whole(chosen)
        term.start_stamp = None if chosen is None else chosen.first
        term.opens = before is None or (term.starts_on or 0) > before + GAP_DAYS
        texts = [day_text(cast("int", value.value)) for value in within]
        term.other_keys = tuple(texts if index else [*texts, ""])


def _name(terms: list[Term]) -> None:
    """The key of a term: the first start that was stated where it opens, else the end of the term before."""
    before: list[int] = []
    for term in terms:
        ends = [day_text(day) for day in before]
        names = [*term.other_keys, *reversed(ends)] if term.opens else [*reversed(ends), *term.other_keys]
        term.key, *others = dict.fromkeys(names)
        term.other_keys = tuple(others)
        before = term.ends


class _Act(NamedTuple):
    """A statement that something is signed. `at`: `signed_at`, else when it was first stated; `dated`: by `signed_at`.

    `explicit`: its status is `signed`.
    """

    statement: Statement
    at: int
    dated: bool
    explicit: bool


def _acts(statements: Iterable[Statement]) -> Iterator[_Act]:
    for statement in statements:
        status, signed_at = statement.fields.get("status"), statement.fields.get("signed_at")
        dated = isinstance(signed_at, int)
        if status == "signed" or (dated and status in {None, "active"}):
            at = signed_at if isinstance(signed_at, int) else when(statement.first)
            yield _Act(statement, at, dated, status == "signed")


def _signed_term(terms: ContractTerms, act: _Act) -> int | None:
    """The index of the term that is signed; None: the statement repeats an earlier signature."""
    split = terms.terms
    running = 0
    for index, term in enumerate(split):
        if index and term.starts_on is not None and term.starts_on * DAY <= act.at:
            running = index
    start = split[running].starts_on
    own = start is not None and act.at < (start + min(GAP_DAYS, _half(split[running], terms.months))) * DAY
    opened = _opened_by(split, act.statement)
    if opened is not None and opened > running and not (own and act.dated):
        return opened
    if not act.dated and _is_repeated(terms.statements, act.statement):
        return None
    signature = split[running].signature
    if own or (signature is not None and abs(act.at - signature.at) <= NEAR_DAYS * DAY):
        return running
    active = terms.active_since is not None and terms.active_since < when(act.statement.first)
    if running > 0 or signature is not None or active:
        return running + 1 if act.explicit else None
    return running


def _opened_by(terms: list[Term], statement: Statement) -> int | None:
    """The term whose end was first stated together with this signature."""
    day = statement.fields.get("renews_on")
    return next(
        (
            index
            for index, term in enumerate(terms)
            if index and term.ends_on == day and term.stamp is not None
            and when(term.stamp) == when(statement.first)
        ),
        None,
    )  # fmt: skip


def _is_repeated(statements: list[Statement], statement: Statement) -> bool:
    """Whether a signature without a date only goes on: the contract has not been stated to be active in between."""
    before = [other for other in statements if other.began < statement.began]
    earlier = [other for other in before if other.fields.get("status") == "signed"]
    if not earlier:
        return False
    last = max(when(other.last) for other in earlier)
    active = [other for other in before if other.fields.get("status") == "active"]
    resumed = any(when(other.last) > last for other in active)
    return not resumed or last > when(statement.first) - NEAR_DAYS * DAY
