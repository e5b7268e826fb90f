"""The difference of two policies over accounts: what changes for whom, how many touchpoints and how much time of CSMs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.cadence.account.codec import AccountState
from services.cadence.evaluation import Document, Plan, changes, evaluate_account
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio

_PERSONS = frozenset({"csm", "pooled_csm"})
LISTED = 100


@dataclass(frozen=True, slots=True)
class Period:
    """What is counted: from a moment on, so many days."""

    now: datetime
    days: int

    @property
    def end(self) -> datetime:
        return self.now + timedelta(days=self.days)


@dataclass(slots=True)
class Amount:
    """Touchpoints of a type and minutes of CSMs under the old policy and under the new one."""

    before: float = 0
    after: float = 0
    minutes_before: float = 0
    minutes_after: float = 0

    def document(self) -> dict[str, object]:
        names = ("before", "after", "minutes_before", "minutes_after")
        said: dict[str, object] = {name: round(getattr(self, name), 1) for name in names}
        said["difference"] = round(self.after - self.before, 1)
        said["minutes_difference"] = round(self.minutes_after - self.minutes_before, 1)
        return said


@dataclass(slots=True)
class Difference:
    """Grows by one account at a time. `accounts`: the first that change, with what changes for each."""

    old: Policy
    new: Policy
    period: Period
    compared: int = 0
    changed: int = 0
    undecided: int = 0
    moved: int = 0
    """Accounts whose segment or stage is another."""
    totals: dict[str, Amount] = field(default_factory=dict[str, Amount])
    accounts: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    listed: int | None = LISTED

    def compare(self, account_state: AccountState, portfolio: Portfolio) -> None:
        """Decide an account under both."""
        self.compared += 1
        try:
            before = evaluate_account(
                self.old, account_state.facts, account_state.issued, portfolio, self.period.now
            )
            after = evaluate_account(
                self.new, account_state.facts, account_state.issued, portfolio, self.period.now
            )
            old, new = before.document, after.document
        except Exception:  # noqa: BLE001 - a policy that fails on one account must not hide what it does to the others
            self.undecided += 1
            return
        self._count(before.plan, new=False)
        self._count(after.plan, new=True)
        self.moved += (before.segment, before.stage) != (after.segment, after.stage)
        found = list(_changes(old, new))
        if found:
            self.changed += 1
            if self.listed is None or len(self.accounts) < self.listed:
                account_id = account_state.facts.account_id
                self.accounts.append({"account_id": account_id, "segment": after.segment, "changes": found})

    def _count(self, plan: Plan, *, new: bool) -> None:
        for kind, count, minutes in _held(plan, self.period):
            amount = self.totals.setdefault(kind, Amount())
            if new:
                amount.after += count
                amount.minutes_after += minutes
            else:
                amount.before += count
                amount.minutes_before += minutes

    def document(self) -> dict[str, object]:
        """JSON-ready but for moments."""
        whole = Amount()
        for each in self.totals.values():
            whole.before += each.before
            whole.after += each.after
            whole.minutes_before += each.minutes_before
            whole.minutes_after += each.minutes_after
        return {
            "old": self.old.hash,
            "new": self.new.hash,
            "at": self.period.now,
            "days": self.period.days,
            "compared": self.compared,
            "changed": self.changed,
            "moved": self.moved,
            "undecided": self.undecided,
            "totals": {kind: self.totals[kind].document() for kind in sorted(self.totals)},
            "all": whole.document(),
            "accounts": self.accounts,
        }


def _held(plan: Plan, period: Period) -> Iterator[tuple[str, float, float]]:
    """Touchpoint type, how many in the period, and minutes of CSMs for them: rhythms on average, one-offs that open."""
    for each in plan.rhythms:
        count = period.days / each.every_days
        yield each.touchpoint_type, count, count * each.minutes * (each.owner in _PERSONS)
    for item in plan.touchpoints:
        if item.window_from < period.end:
            yield item.touchpoint_type, 1, item.minutes * (item.owner in _PERSONS)


def _changes(old: Document, new: Document) -> Iterator[Mapping[str, str]]:
    for each in changes(old, new):
        yield {"kind": each.kind, "touchpoint_type": each.touchpoint_type, "text": each.text}
