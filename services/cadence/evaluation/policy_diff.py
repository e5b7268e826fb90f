"""Policy diff: what another policy changes, for which accounts, in how many touchpoints and how much CSM time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schemas.plans import Change, Plan
from services.cadence.account.codec import AccountState
from services.cadence.evaluation.changes import plan_changes
from services.cadence.evaluation.evaluate import evaluate_account
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio

_PERSONS = frozenset({"csm", "pooled_csm"})
_AMOUNTS = ("before", "after", "minutes_before", "minutes_after")
"""Touchpoints and CSM minutes under the old policy and under the new one."""
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
class Difference:
    """Grows by one account at a time. `totals`: the amounts by touchpoint type.

    `accounts`: the first that change, each with its changes. `moved`: accounts of another segment or stage; `undecided`:
    accounts that one of the policies cannot evaluate.
    """

    old: Policy
    new: Policy
    period: Period
    compared: int = 0
    changed: int = 0
    undecided: int = 0
    moved: int = 0
    totals: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
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
        for side, plan in (("before", old), ("after", new)):
            for kind, count, minutes in _amounts(plan, self.period):
                amounts = self.totals.setdefault(kind, dict.fromkeys(_AMOUNTS, 0.0))
                amounts[side] += count
                amounts[f"minutes_{side}"] += minutes
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
        whole = {name: sum(amounts[name] for amounts in self.totals.values()) for name in _AMOUNTS}
        return {
            "old": self.old.hash,
            "new": self.new.hash,
            "at": self.period.now,
            "days": self.period.days,
            "compared": self.compared,
            "changed": self.changed,
            "moved": self.moved,
            "undecided": self.undecided,
            "totals": {kind: _rounded(self.totals[kind]) for kind in sorted(self.totals)},
            "all": _rounded(whole),
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


def _rounded(amounts: Mapping[str, float]) -> dict[str, float]:
    """The amounts with their differences, to one decimal."""
    rounded = {name: round(amount, 1) for name, amount in amounts.items()}
    rounded["difference"] = round(amounts["after"] - amounts["before"], 1)
    rounded["minutes_difference"] = round(amounts["minutes_after"] - amounts["minutes_before"], 1)
    return rounded


def _change(change: Change) -> dict[str, str]:
    kind = "removed" if change.kind == "withdrawn" else change.kind
    return {"kind": f"{change.what}_{kind}", "touchpoint_type": change.touchpoint_type, "text": change.text}
