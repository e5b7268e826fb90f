"""What counts against contact budgets: messages while they wait and are sent, and once they are, besides talks.

Room is reserved under locks on the account and the person, so that two replicas never take the same room. A reserved row
counts until its delivery is recorded: a process that dies leaves it, and it is counted until the delivery is tried again
or has ended.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.chassis.database import Connection
from services.notifier.adapters.contact_rules_repository import load_contact_rules
from services.notifier.adapters.merging import find_ended, keep_merges_out
from services.notifier.application.ports import ClaimResult, Now
from services.notifier.application.sending import MessageUse
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.contact_budget import (
    ContactLedger,
    CountedContact,
    NoRoom,
    RoomRequest,
    WaitingMessage,
    reserve_room,
)
from services.notifier.domain.contact_rules import ContactRules
from services.notifier.domain.delivery import CALENDAR, AttemptOutcome, RecipientKind, State
from services.notifier.metrics import BUDGET_DEFERRALS

AHEAD: Final = 4
"""How many times the longest budget lies ahead of now what is planned and still counts when room is looked for."""
NO_BUDGET: Final = timedelta(days=7)
ServiceNow = Callable[[Connection], Awaitable[datetime]]

LOCK: Final = """
SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest($1::text[]) WITH ORDINALITY AS u(name, number)
ORDER BY number
"""
# An attempt that may have arrived counts; the rest of earlier attempts of these deliveries does not.
KEEP_DOUBTFUL: Final = """
UPDATE counted_message m SET state = 'made' FROM unnest($1::uuid[], $2::uuid[]) AS u(id, token)
WHERE m.delivery_id = u.id AND m.token <> u.token AND m.state = 'reserved'
"""
FORGET: Final = (
    "DELETE FROM counted_message WHERE delivery_id = ANY($1::uuid[]) AND state IN ('waiting', 'reserved')"
)
# What is reserved or waits counts while its delivery is pending; an attempt that may have arrived counts for good.
MESSAGES: Final = """
SELECT m.delivery_id::text AS id, account_id, person, occasion, channel, at, state, precedence_rank, due_at
FROM counted_message m
WHERE (account_id = ANY($1::text[]) OR person = ANY($2::text[])) AND at > $3 AND (state = 'made'
    OR EXISTS (SELECT FROM delivery_queue q WHERE q.delivery_id = m.delivery_id)
    OR (state = 'reserved' AND EXISTS (SELECT FROM delivery d WHERE d.id = m.delivery_id AND d.ambiguous)))
"""
TALKS: Final = """
SELECT account_id, touchpoint_id, channel, at FROM counted_talk
WHERE account_id = ANY($1::text[]) AND at > $2 AND at < $3 AND touchpoint_type <> ALL($4::text[])
"""
# A person is whoever has the address at any account, with the roles that the contacts have there now.
TALKS_OF_PEOPLE: Final = """
SELECT DISTINCT u.person, t.touchpoint_id, t.channel, t.at
FROM unnest($1::text[], $2::bytea[], $3::text[]) AS u(person, address_hash, contact_id)
CROSS JOIN LATERAL (
    SELECT account_id, role FROM contact WHERE address_hash = u.address_hash AND NOT has_left
    UNION SELECT account_id, role FROM contact WHERE contact_id = u.contact_id AND NOT has_left
) c
JOIN counted_talk t ON t.account_id = c.account_id AND (t.audience = '{}' OR c.role = ANY(t.audience))
WHERE t.at > $4 AND t.at < $5 AND t.touchpoint_type <> ALL($6::text[])
"""
ADD: Final = """
INSERT INTO counted_message (delivery_id, token, account_id, contact_id, person, occasion, channel, at, state,
    precedence_rank, due_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::timestamptz[], $9::text[], $10::smallint[], $11::timestamptz[])
ON CONFLICT (delivery_id, token) DO UPDATE SET at = excluded.at, state = excluded.state
"""
MAKE: Final = """
UPDATE counted_message SET state = 'made', at = $2 WHERE delivery_id = ANY($1::uuid[]) AND state = 'reserved'
"""
END: Final = """
DELETE FROM counted_message WHERE delivery_id = ANY($1::uuid[]) AND state = ANY($2::text[])
RETURNING account_id, person
"""
# What is locked is decided on at this moment, or woken by somebody else. Its time has come from now on, so that what is
# less urgent leaves it the room, whoever asks first. A person may be a contact of several accounts.
WAKE: Final = """
WITH waiting AS (
    SELECT delivery_id FROM delivery_queue WHERE (lease_until IS NULL OR lease_until < $2) AND delivery_id IN (
        SELECT delivery_id FROM counted_message WHERE state = 'waiting' AND (account_id = ANY($1::text[])
            OR person = ANY($3::text[]) OR person IN (
                SELECT encode(address_hash, 'hex') FROM contact WHERE account_id = ANY($1::text[]))))
    FOR UPDATE SKIP LOCKED
), ready AS (
    UPDATE counted_message m SET at = least(m.at, $4) FROM waiting w
    WHERE m.delivery_id = w.delivery_id AND m.state = 'waiting'
)
UPDATE delivery_queue q SET next_at = least(next_at, $2) FROM waiting w WHERE q.delivery_id = w.delivery_id
"""
# Another policy may leave more room.
WAKE_ALL: Final = """
WITH waiting AS (
    SELECT delivery_id FROM delivery_queue WHERE (lease_until IS NULL OR lease_until < $1) AND delivery_id IN (
        SELECT delivery_id FROM counted_message WHERE state = 'waiting')
    FOR UPDATE SKIP LOCKED
)
UPDATE delivery_queue q SET next_at = least(next_at, $1) FROM waiting w WHERE q.delivery_id = w.delivery_id
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A message that asks for room, with its request as the pure rule reads it."""

    use: MessageUse
    request: RoomRequest


async def reserve(
    connection: Connection, key: AddressKey, uses: Sequence[MessageUse], service_now: ServiceNow
) -> dict[str, NoRoom]:
    """Reserve room for these messages; returns those that have none, by their first delivery.

    `service_now` is asked once nobody else reserves room for their accounts and people.
    """
    await keep_merges_out(connection)
    ended = await find_ended(connection, {use.account_id for use in uses})
    asked = [_Asked(use, _request(key, use, ended.get(use.account_id, use.account_id))) for use in uses]
    await connection.execute(LOCK, _lock_names([one.request for one in asked]))
    now = await service_now(connection)
    await _forget_earlier(connection, uses)
    rules = await load_contact_rules(connection)
    ledger = await _load(connection, key, asked, rules, now)
    refused = reserve_room([one.request for one in asked], ledger, rules.budgets, now)
    await _add(connection, asked, refused, now)
    for no_room in refused.values():
        BUDGET_DEFERRALS.labels(no_room.budget.name).inc()
    return refused


def _request(key: AddressKey, use: MessageUse, account_id: str) -> RoomRequest:
    """Whoever has the address is one person, else the contact."""
    person = key.hash_address(use.address).hex() if use.address else f"contact:{use.contact_id}"
    priority = (use.rank, use.due_at, use.delivery_ids[0])
    return RoomRequest(
        use.delivery_ids[0],
        account_id,
        person,
        use.occasion,
        use.channel,
        use.types,
        priority,
        use.never_waits,
    )


def _lock_names(requests: Sequence[RoomRequest]) -> list[str]:
    """In one order, so that no two wait for each other."""
    accounts = {f"contacts of account {request.account_id}" for request in requests}
    return sorted(accounts | {f"contacts of person {request.person}" for request in requests})


async def _forget_earlier(connection: Connection, uses: Sequence[MessageUse]) -> None:
    """What earlier passes stored of these messages, except attempts that may have arrived: those count for good."""
    doubtful = [(id_, use.token) for use in uses if use.is_ambiguous for id_ in use.delivery_ids]
    await _keep_doubtful(connection, doubtful)
    await connection.execute(FORGET, [id_ for use in uses for id_ in use.delivery_ids])


async def _keep_doubtful(connection: Connection, doubtful: Sequence[tuple[str, str]]) -> None:
    """Count the attempts before those with these tokens, each of a delivery."""
    if doubtful:
        await connection.execute(
            KEEP_DOUBTFUL, [id_ for id_, _ in doubtful], [token for _, token in doubtful]
        )


async def _load(
    connection: Connection, key: AddressKey, asked: Sequence[_Asked], rules: ContactRules, now: datetime
) -> ContactLedger:
    """What counts of the accounts and the people that are asked for, and what waits there."""
    ledger = ContactLedger()
    longest = max((budget.within for budget in rules.budgets), default=NO_BUDGET)
    since, until = now - longest, now + AHEAD * longest
    accounts = sorted({one.request.account_id for one in asked})
    people = {one.request.person: one.use for one in asked}
    for row in await connection.fetch(MESSAGES, accounts, sorted(people), since):
        _count(row, ledger)
    names = sorted(rules.groups)
    for row in await connection.fetch(TALKS, accounts, since, until, names):
        ledger.of_account[row[0]].append(CountedContact(row[3], row[1], row[2]))
    hashes = [key.hash_address(use.address) if use.address else None for use in people.values()]
    ids = [use.contact_id for use in people.values()]
    for row in await connection.fetch(TALKS_OF_PEOPLE, list(people), hashes, ids, since, until, names):
        ledger.of_person[row[0]].append(CountedContact(row[3], row[1], row[2]))
    return ledger


def _count(row: Any, ledger: ContactLedger) -> None:
    priority = (row["precedence_rank"], row["due_at"], row["id"])
    person = row["person"] or ""
    request = RoomRequest(
        row["id"], row["account_id"], person, row["occasion"], row["channel"], frozenset(), priority
    )
    if row["state"] == "waiting":
        ledger.waiting.append(WaitingMessage(request, row["at"]))
    else:
        ledger.add(request, row["at"])


async def _add(
    connection: Connection, asked: Sequence[_Asked], refused: Mapping[str, NoRoom], now: datetime
) -> None:
    no_rooms = [refused.get(one.request.key) for one in asked]
    await connection.execute(
        ADD,
        [one.request.key for one in asked],
        [one.use.token for one in asked],
        [one.request.account_id for one in asked],
        [one.use.contact_id for one in asked],
        [one.request.person for one in asked],
        [one.request.occasion for one in asked],
        [one.request.channel for one in asked],
        [no_room.until if no_room else now for no_room in no_rooms],
        ["waiting" if no_room else "reserved" for no_room in no_rooms],
        [one.use.rank for one in asked],
        [one.use.due_at for one in asked],
    )


async def settle(connection: Connection, results: Sequence[ClaimResult], now: Now) -> None:
    """Count the messages of these recorded results that were sent or may have arrived; free the room of the others."""
    to_contacts = [
        result
        for result in results
        if result.delivery.recipient.kind is RecipientKind.CONTACT and result.delivery.channel != CALENDAR
    ]
    # Also where it is not asked for room again: too late, opted out, or a text message, which is not repeated.
    doubtful = [(one.delivery.id, one.claim.token) for one in to_contacts if one.claim.ambiguous]
    await _keep_doubtful(connection, doubtful)
    made = [result.delivery.id for result in to_contacts if _may_have_arrived(result)]
    if made:
        await connection.execute(MAKE, made, now.service)
    over = [result for result in to_contacts if not _may_have_arrived(result)]
    if not over:
        return
    waiting = [result.delivery.id for result in over if result.waits_for_room]
    others = [result.delivery.id for result in over if not result.waits_for_room]
    freed = await connection.fetch(END, waiting, ["reserved"])
    freed += await connection.fetch(END, others, ["reserved", "waiting"])
    await wake_waiting(connection, {row[0] for row in freed}, now, people={row[1] for row in freed})


async def free_room(connection: Connection, delivery_id: str, now: Now) -> None:
    """Count a message no more: it was sent and did not reach anybody."""
    freed = await connection.fetch(END, [delivery_id], ["made"])
    await wake_waiting(connection, {row[0] for row in freed}, now, people={row[1] for row in freed})


def _may_have_arrived(result: ClaimResult) -> bool:
    is_ambiguous = result.attempt is not None and result.attempt.outcome is AttemptOutcome.AMBIGUOUS
    return is_ambiguous or result.delivery.state is State.SENT


async def wake_all_waiting(connection: Connection, real: datetime) -> None:
    """Decide again on what waits for room, under the budgets in force now."""
    await connection.execute(WAKE_ALL, real)


async def wake_waiting(
    connection: Connection, account_ids: Collection[str], now: Now, *, people: Collection[str | None] = ()
) -> None:
    """Decide again on what waits for room at these accounts and for their people, the most urgent first."""
    if account_ids:
        names = sorted(filter(None, people))
        await connection.execute(WAKE, sorted(account_ids), now.real, names, now.service)
