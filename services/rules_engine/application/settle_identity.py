"""Settle who is who before a batch is applied: accounts that were merged, and contacts that several accounts describe.

Later events of an account that ended go to the one that stays. The states of accounts that merge, or that exchange a
contact, change here; the events of the batch are applied to what this leaves.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from services.cadence.account import Facts, Stamp, apply_fact
from services.cadence.account.codec import AccountState, decode, encode
from services.cadence.account.homes import join_persons, named_contact, place_contact, placing_stamp
from services.cadence.account.merge import merge_states
from services.rules_engine.application.ports import Homes, UnitOfWork
from services.rules_engine.domain.account import Account, IncomingEvent, Parked, reason_of

MERGED = "account.merged"


class AccountEnded(Exception):
    """An account ended between its events were routed and its row was locked: the batch is to be handled again."""


@dataclass(slots=True)
class Merge:
    """One account ends in another; `items`: the events of the batch that go to the other for this reason."""

    item: IncomingEvent
    ended: str
    stays: str
    items: list[IncomingEvent] = field(default_factory=list[IncomingEvent])


@dataclass(slots=True)
class Routing:
    """The events of a batch by the account they are applied to, the merges in order, and what cannot be applied.

    `homes`: contacts that several accounts described.
    """

    by_account: dict[str, list[IncomingEvent]] = field(default_factory=dict[str, list[IncomingEvent]])
    merges: list[Merge] = field(default_factory=list[Merge])
    refused: list[Parked] = field(default_factory=list[Parked])
    homes: Homes = field(default_factory=dict[str, Mapping[str, Stamp]])

    @property
    def account_ids(self) -> list[str]:
        """Every account that the batch may change, in order."""
        ended = (merge.ended for merge in self.merges)
        described = (account_id for places in self.homes.values() for account_id in places)
        return sorted({*self.by_account, *ended, *described})


async def route_events(work: UnitOfWork, incoming: Sequence[IncomingEvent]) -> Routing:
    """Find the account of each event, and the contacts that several accounts described."""
    routing = Routing()
    subjects = {item.event.account_id for item in incoming}
    merging = [item for item in incoming if item.event.type == MERGED]
    merged = dict(await work.find_merged(subjects | {_ended_id(item) for item in merging}))
    for item in merging:
        _route_merge(routing, merged, item)
    refused = {id(parked.incoming) for parked in routing.refused}
    merges = {merge.ended: merge for merge in routing.merges}
    for item in incoming:
        subject = item.event.account_id
        account_id = _resolve(merged, subject)
        if id(item) in refused:
            continue
        routed = item
        if account_id != subject:
            routed = item._replace(event=item.event._replace(account_id=account_id))
            if subject in merges:
                merges[subject].items.append(routed)
        routing.by_account.setdefault(account_id, []).append(routed)
    routing.homes = await _find_homes(work, routing.by_account, merged)
    return routing


def _ended_id(item: IncomingEvent) -> str:
    return str(item.event.fields["from_"])


def _resolve(merged: Mapping[str, str], account_id: str) -> str:
    while account_id in merged:
        account_id = merged[account_id]
    return account_id


def _route_merge(routing: Routing, merged: dict[str, str], item: IncomingEvent) -> None:
    subject, ended = item.event.account_id, _ended_id(item)
    stays, goes_to = _resolve(merged, subject), _resolve(merged, ended)
    if ended in merged and goes_to == stays:
        return  # said again
    if ended in merged:
        problem = f"account {ended!r} was merged into {goes_to!r} before: merge that one, if it is the same customer"
        routing.refused.append(Parked(item, problem))
    elif ended == stays:
        problem = f"account {subject!r} was merged into {ended!r} before, which therefore stays"
        routing.refused.append(Parked(item, problem))
    else:
        merged[ended] = stays
        routing.merges.append(Merge(item, ended, stays))


async def _find_homes(
    work: UnitOfWork, by_account: Mapping[str, Sequence[IncomingEvent]], merged: dict[str, str]
) -> Homes:
    described: dict[str, dict[str, Stamp]] = {}
    for account_id, items in by_account.items():
        for item in items:
            contact_id, stamp = named_contact(item.event), placing_stamp(item.event)
            if contact_id is None:
                continue
            places = described.setdefault(contact_id, {})
            if stamp is not None:
                places[account_id] = max(stamp, places.get(account_id, ""))
    if not described:
        return {}
    shared = await work.place_contacts(described)
    elsewhere = {account_id for places in shared.values() for account_id in places} - by_account.keys()
    if elsewhere:
        merged |= await work.find_merged(elsewhere)
    homes = {contact_id: _merge_places(places, merged) for contact_id, places in shared.items()}
    return {contact_id: places for contact_id, places in homes.items() if len(places) > 1}


def _merge_places(places: Mapping[str, Stamp], merged: Mapping[str, str]) -> Mapping[str, Stamp]:
    resolved: dict[str, Stamp] = {}
    for account_id, stamp in places.items():
        stays = _resolve(merged, account_id)
        resolved[stays] = max(stamp, resolved.get(stays, ""))
    return resolved


def settle_identity(routing: Routing, accounts: Mapping[str, Account]) -> list[tuple[Account, str]]:
    """Merge states and move contacts; returns the accounts that end, each with the id of the one that stays.

    Raises `AccountEnded`.
    """
    for account in accounts.values():
        if account.merged_into is not None:
            raise AccountEnded(account.account_id)
    ended = [
        (accounts[merge.ended], merge.stays) for merge in routing.merges if _merge(routing, merge, accounts)
    ]
    for contact_id, places in routing.homes.items():
        _move_contact(contact_id, places, accounts, routing.by_account)
    return ended


def _merge(routing: Routing, merge: Merge, accounts: Mapping[str, Account]) -> bool:
    """Merge the states. When one cannot be read, the merge is parked, with what else was told of the ended account."""
    stays, ended = accounts[merge.stays], accounts[merge.ended]
    try:
        state, other = decode(stays.account_id, stays.state), decode(ended.account_id, ended.state)
        merge_states(state, other)
        merged = encode(*state)
    except Exception as problem:  # noqa: BLE001 - an account that cannot be merged must not stop the others
        parked = [merge.item, *merge.items]
        routing.refused += [Parked(item, reason_of(problem)) for item in parked]
        ids = set(map(id, parked))
        remaining = [item for item in routing.by_account[merge.stays] if id(item) not in ids]
        routing.by_account[merge.stays] = remaining
        return False
    stays.restate(merged)
    stays.published_key = None  # the calendar moves with the next plan
    return True


def _move_contact(
    contact_id: str,
    places: Mapping[str, Stamp],
    accounts: Mapping[str, Account],
    by_account: Mapping[str, Sequence[IncomingEvent]],
) -> None:
    states = _readable_states([accounts[name] for name in places if name in accounts], contact_id)
    now = _person_of_batch(contact_id, [item for name in places for item in by_account.get(name, ())])
    person = join_persons([*(state.facts for state in states.values()), now], contact_id)
    home = max(places, key=lambda account_id: (places[account_id], account_id))
    for account_id, state in states.items():
        try:
            changed = place_contact(state.facts, contact_id, person, is_home=account_id == home)
            placed = encode(*state)
        except Exception:  # noqa: BLE001, S112 - what is damaged stays; its own events are parked
            continue
        if changed:
            accounts[account_id].restate(placed)


def _readable_states(accounts: Collection[Account], contact_id: str) -> dict[str, AccountState]:
    """The states of which the contact can be read."""
    states: dict[str, AccountState] = {}
    for account in accounts:
        try:
            state = decode(account.account_id, account.state)
            join_persons([state.facts], contact_id)
        except Exception:  # noqa: BLE001, S112 - its own events are parked
            continue
        states[account.account_id] = state
    return states


def _person_of_batch(contact_id: str, items: Sequence[IncomingEvent]) -> Facts:
    """What the events of this batch say of a contact."""
    facts = Facts("")
    for item in items:
        if named_contact(item.event) == contact_id:
            apply_fact(facts, item.event)
    return facts
