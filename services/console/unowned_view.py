"""Work that nobody has: what it is, for which account, by when, and who could do it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.console import labels
from services.console.account_summary import AccountSummary, account_summary
from services.console.json_fields import Json
from services.console.my_day_view import is_for_a_person
from services.console.touchpoints import Touchpoint, due_since

_RANKS = {"overdue": 0, "due": 1}


@dataclass(frozen=True, slots=True)
class UnownedRow:
    """`timing`: since when it is due, empty while it is planned; `left`: `in 2 days`, until its deadline.

    `owner`: the kind of person that the rule names.
    """

    touchpoint: Touchpoint
    account: AccountSummary
    timing: str
    left: str
    owner: str


def unowned_rows(
    touchpoints: Iterable[Touchpoint], accounts: Mapping[str, Json], now: datetime
) -> list[UnownedRow]:
    """The most urgent first; what Drumbeat sends by itself needs nobody and is left out."""
    shown = sorted(
        filter(is_for_a_person, touchpoints),
        key=lambda item: (_RANKS.get(item.status, 2), item.deadline or item.due_at, item.id),
    )
    return [
        UnownedRow(
            touchpoint=item,
            account=account_summary(item.account_id, accounts.get(item.account_id, {}), now),
            timing="" if item.status == "planned" else labels.capitalized(due_since(item, now)),
            left=labels.relative(item.deadline, now) if item.deadline is not None else "",
            owner=labels.owner_kind(item.owner),
        )
        for item in shown
    ]
