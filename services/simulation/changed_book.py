"""A book as it would be if further events came: accounts that they change are evaluated at once, new ones are added."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from schemas.envelope import from_structured
from services.cadence.account import FactEvent
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import UnreadableState, decode, encode
from services.cadence.account.events import read_event
from services.cadence.csms import csm_records
from services.simulation.book import BookAccount, Colleague, colleague_of
from services.simulation.from_events import owners_of, place_of

_OWNERS: Final = frozenset({"csm_id", "sales_id", "pool"})
"""Without a change of these an account stays with whom it was handed over to."""


class ChangedBook:
    """`most_accounts`: of new ones beyond it only their number is known, `left_out`."""

    def __init__(
        self, accounts: Sequence[BookAccount], colleagues: Sequence[Colleague], most_accounts: int
    ) -> None:
        self._accounts = {each.account_id: each for each in accounts}
        self._colleagues = {each.csm_id: each for each in colleagues}
        self._most_accounts = most_accounts
        self.left_out = 0

    @property
    def accounts(self) -> list[BookAccount]:
        return [self._accounts[key] for key in sorted(self._accounts)]

    @property
    def colleagues(self) -> list[Colleague]:
        return list(self._colleagues.values())

    def apply(self, raw: bytes) -> None:
        """Apply a description of an account, contact or CSM, or a change of a contract, as structured JSON."""
        event = read_event(from_structured(raw))
        if event.type == "csm.described":
            self._describe(event)
            return
        known = self._accounts.get(event.account_id)
        if known is None and len(self._accounts) >= self._most_accounts:
            self.left_out += 1
            return
        try:
            state = decode(event.account_id, None if known is None else known.state)
        except UnreadableState:
            return
        apply_event(state, event)
        written, place = encode(*state), place_of(state.facts)
        if known is None:
            known = BookAccount(event.account_id, written, owners_of(state.facts), place)
        elif not event.fields.keys().isdisjoint(_OWNERS):
            known = known._replace(owners=owners_of(state.facts))
        self._accounts[event.account_id] = known._replace(state=written, decided=None, place=place)

    def _describe(self, event: FactEvent) -> None:
        """Fields that the event leaves out stay; without a description so far it is the whole one."""
        known, described = self._colleagues.get(event.account_id), colleague_of(csm_records([event])[0])
        if known is None:
            self._colleagues[event.account_id] = described
            return
        changes: dict[str, object] = {
            name: getattr(described, name)
            for name in ("weekly_minutes", "pool", "role")
            if name in event.fields
        }
        if not event.fields.keys().isdisjoint({"timezone", "working_days", "working_hours"}):
            changes["hours"] = replace(described.hours, busy=known.hours.busy)
        days = {
            name: getattr(described.days, name)
            for field, name in (("country", "country"), ("region", "region"), ("time_off", "away"))
            if field in event.fields
        }
        changes["days"] = known.days._replace(**days)
        self._colleagues[event.account_id] = known._replace(**changes)
