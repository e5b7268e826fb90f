"""Terms: where a contract stands, read from its dated changes in the order they happened, not the order they came.

A `signed` while active signs the term that is running; any other first `signed` is the first signature. A renewal date
that moves is a correction and keeps the term, unless the old date had passed or its term was signed: then a new
term began on the old date.
"""

from dataclasses import dataclass

from services.cadence.account import DAY, Contract, Stamp, when


@dataclass(slots=True)
class Standing:
    """One contract now. Days count from 1970. `anchor` is the stamp that said when it renews."""

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
    status_mark: Stamp | None = None
    signature: Stamp | None = None

    @property
    def live(self) -> bool:
        return self.status not in {"draft", "churned"}

    @property
    def signed(self) -> bool:
        """The term that is running has been signed on beyond its end."""
        return self.renews_on is not None and self.signed_for == self.renews_on


def standing(contract_id: str, contract: Contract) -> Standing:
    """Walk the changes of a contract in order of their stamps."""
    now = Standing(contract_id)
    for stamp, said in contract.terms.items():
        status = said.get("status")
        before, signed_before = now.renews_on, now.signed_at
        if "signed_at" in said:
            now.signed_at = _whole(said["signed_at"])
        if isinstance(status, str):
            _status(now, stamp, status, before=before, signed_before=signed_before)
        if "renews_on" in said:
            _renews(now, stamp, _whole(said["renews_on"]))
        if "starts_on" in said:
            now.starts_on = _whole(said["starts_on"])
            if now.starts_on is not None:
                now.term_start = now.starts_on
                if now.first_start is None or before is None or now.starts_on < before:
                    now.first_start = now.starts_on
    return now


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _status(
    now: Standing, stamp: Stamp, status: str, *, before: int | None, signed_before: int | None
) -> None:
    if status == "signed":
        again = now.status == "signed" and None not in (signed_before, now.signed_at)
        if now.status == "active" or (again and signed_before != now.signed_at):
            now.signed_for, now.signature = before, stamp
        elif now.status != "signed":
            now.first_signature = stamp
    now.status, now.status_mark = status, stamp


def _renews(now: Standing, stamp: Stamp, renews_on: int | None) -> None:
    old = now.renews_on
    if renews_on == old:
        return
    if old is not None and (old == now.signed_for or when(stamp) // DAY >= old):
        now.term_start = old
    now.renews_on, now.anchor = renews_on, stamp
