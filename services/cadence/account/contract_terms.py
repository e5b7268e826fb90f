"""The terms of a contract, read from its dated changes in the order of their stamps, not of their arrival.

`signed` while active signs the running term; any other first `signed` is the first signature. A renewal date that
moves is a correction and keeps the term, unless the old date has passed or its term is signed: then a new term starts
on the old date.
"""

from dataclasses import dataclass

from services.cadence.account import DAY, Contract, Plain, Stamp, when

NOT_LIVE = frozenset({"draft", "churned", "ended"})
"""States in which a contract brings no revenue and nobody is asked to renew it."""
_READ_AS = {"notice": "active", "ended": "churned"}


@dataclass(slots=True)
class ContractTerms:
    """The present status and dates of a contract; dates are days since 1970. `anchor`: the stamp of its renewal date."""

    contract_id: str
    status: str | None = None
    starts_on: int | None = None
    renews_on: int | None = None
    term_start: int | None = None
    signed_for: int | None = None
    signed_at: int | None = None
    first_signature: Stamp | None = None
    first_start: int | None = None
    anchor: Stamp | None = None
    status_stamp: Stamp | None = None
    signature: Stamp | None = None

    @property
    def live(self) -> bool:
        return self.status not in NOT_LIVE

    @property
    def signed(self) -> bool:
        """Whether the running term has been renewed by a signature."""
        return self.renews_on is not None and self.signed_for == self.renews_on


def read_contract_terms(contract_id: str, contract: Contract) -> ContractTerms:
    """Apply the changes of a contract in the order of their stamps."""
    terms = ContractTerms(contract_id)
    for stamp, fields in contract.terms.items():
        status = fields.get("status")
        renews_on, signed_at = terms.renews_on, terms.signed_at
        if "signed_at" in fields:
            terms.signed_at = _integer(fields["signed_at"])
        if isinstance(status, str):
            _change_status(
                terms, stamp, _READ_AS.get(status, status), renews_on=renews_on, signed_at=signed_at
            )
        if "renews_on" in fields:
            _change_renewal(terms, stamp, _integer(fields["renews_on"]))
        if "starts_on" in fields:
            terms.starts_on = _integer(fields["starts_on"])
            if terms.starts_on is not None:
                terms.term_start = terms.starts_on
                if terms.first_start is None or renews_on is None or terms.starts_on < renews_on:
                    terms.first_start = terms.starts_on
    return terms


def _integer(value: Plain) -> int | None:
    return value if isinstance(value, int) else None


def _change_status(
    terms: ContractTerms, stamp: Stamp, status: str, *, renews_on: int | None, signed_at: int | None
) -> None:
    """`renews_on`, `signed_at`: the dates before this change."""
    if status == "signed":
        repeated = terms.status == "signed" and None not in (signed_at, terms.signed_at)
        if terms.status == "active" or (repeated and signed_at != terms.signed_at):
            terms.signed_for, terms.signature = renews_on, stamp
        elif terms.status != "signed":
            terms.first_signature = stamp
    terms.status, terms.status_stamp = status, stamp


def _change_renewal(terms: ContractTerms, stamp: Stamp, renews_on: int | None) -> None:
    old = terms.renews_on
    if renews_on != old:
        if old is not None and (old == terms.signed_for or when(stamp) // DAY >= old):
            terms.term_start = old
        terms.renews_on, terms.anchor = renews_on, stamp
