"""Policy diff: what another policy changes, for which accounts, in how many touchpoints and how much CSM time."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from schemas.plans import Change, Plan
from services.cadence.account.codec import AccountState
from services.cadence.evaluation.changes import plan_changes
from services.cadence.evaluation.evaluate import evaluate_account
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio

_PERSONS = frozenset({"csm", "pooled_csm"})
LISTED = 100
"""Accounts listed with their changes; the totals count all of them."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days that are counted, from `now` on."""

    now: datetime
    days: int

    @property
    def end(self) -> datetime:
        return self.now + timedelta(days=self.days)


@dataclass(slots=True)
class Amount:
    """Touchpoints and CSM minutes under the old policy and under the new one."""

    before: float = 0
    after: float = 0
    minutes_before: float = 0
    minutes_after: float = 0

    def document(self) -> dict[str, float]:
        rounded = {name: round(value, 1) for name, value in asdict(self).items()}
        rounded["difference"] = round(self.after - self.before, 1)
        rounded["minutes_difference"] = round(self.minutes_after - self.minutes_before, 1)
        return rounded


@dataclass(slots=True)
class Difference:
    """Grows by one account at a time. `accounts`: the first that change, each with its changes.

    `moved`: accounts of another segment or stage; `undecided`: accounts that one of the policies cannot evaluate.
    """

    old: Policy
    new: Policy
    period: Period
    compared: int = 0
    changed: int = 0
    undecided: int = 0
    moved: int = 0
    totals: dict[str, Amount] = field(default_factory=dict[str, Amount])
    accounts: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    listed: int | None = LISTED

    def compare(self, account_state: AccountState, portfolio: Portfolio) -> None:
        """Evaluate an account under both policies."""
        self.compared += 1
        facts, issued = account_state
        try:
            before = evaluate_account(self.old, facts, issued, portfolio, self.period.now)
            after = evaluate_account(self.new, facts, issued, portfolio, self.period.now)
            old, new = before.plan, after.plan
        except Exception:  # noqa: BLE001 - a policy that fails on one account must not hide what it does to the others
            self.undecided += 1
            return
        for kind, count, minutes in _amounts(old, self.period):
            amount = self.totals.setdefault(kind, Amount())
            amount.before += count
            amount.minutes_before += minutes
        for kind, count, minutes in _amounts(new, self.period):
            amount = self.totals.setdefault(kind, Amount())
            amount.after += count
            amount.minutes_after += minutes
        self.moved += (before.segment, before.stage) != (after.segment, after.stage)
        changes = [_change(change) for change in plan_changes(old, new)]
        if changes:
            self.changed += 1
            if self.listed is None or len(self.accounts) < self.listed:
                self.accounts.append(
                    {"account_id": facts.account_id, "segment": after.segment, "changes": changes}
                )

    def document(self) -> dict[str, object]:
        """JSON-ready but for moments."""
        whole = Amount()
        for amount in self.totals.values():
            whole.before += amount.before
            whole.after += amount.after
            whole.minutes_before += amount.minutes_before
            whole.minutes_after += amount.minutes_after
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


def _amounts(plan: Plan, period: Period) -> Iterator[tuple[str, float, float]]:
    """Touchpoint type, how many in the period, and CSM minutes: rhythms on average, one-offs whose window opens."""
    for rhythm in plan.rhythms:
        count = period.days / rhythm.every_days
        yield rhythm.touchpoint_type, count, count * rhythm.minutes * (rhythm.owner in _PERSONS)
    for item in plan.touchpoints:
        if item.window.from_ < period.end:
            yield item.touchpoint_type, 1, item.minutes * (item.owner in _PERSONS)


def _change(change: Change) -> dict[str, str]:
    kind = "removed" if change.kind == "withdrawn" else change.kind
    return {"kind": f"{change.what}_{kind}", "touchpoint_type": change.touchpoint_type, "text": change.text}
