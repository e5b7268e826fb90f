"""What the engine's tables store of one contact, found as an erasure finds it."""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

import orjson

from schemas.retention import RetentionRule, rule_of
from schemas.topics import THIRTY_DAYS_MS
from services.cadence.account.codec import UnreadableState, decode
from services.cadence.account.packing import unpacked
from services.cadence.account.person_facts import PersonFacts, person_facts
from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database, real_now
from services.chassis.dead_letters import Record, headers_from_bytes, is_about, letter_document, letters_about
from services.chassis.relay import Relay
from services.chassis.retention_settings import Retention
from services.rules_engine.adapters.account_identities import contact_key
from services.rules_engine.application.export_contact import (
    DecisionItem,
    EngineContactData,
    account_of_contact,
    addresses_of,
    events_of,
)
from services.rules_engine.application.queries import NotFound
from services.rules_engine.application.read_audit import person_object

ACCOUNTS: Final = """
SELECT a.account_id, a.name, a.state FROM account AS a WHERE a.state IS NOT NULL AND a.account_id IN (
    SELECT coalesce(p.merged_into, p.account_id) FROM account AS p
    WHERE p.account_id IN (SELECT jsonb_object_keys(places) FROM contact_home WHERE contact = $1))
ORDER BY a.account_id
"""
DECISIONS: Final = """
SELECT id, version, decided_at, policy, events::text, changes::text, suppressed::text, plan FROM decision
WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT 200
"""
PARKED: Final = """
SELECT account_id, type, source, event_id, reason, topic, headers, value, parked_at FROM parked
WHERE account_id = ANY($1::text[]) ORDER BY id
"""
AUDIT: Final = AuditLog("rules_engine")


class PostgresContactExport:
    """The `ContactExport` port. One transaction, so that all parts are of one moment."""

    def __init__(self, database: Database, relay: Relay, retention: Retention) -> None:
        self._database, self._relay, self._retention = database, relay, retention

    async def export(self, contact_id: str) -> EngineContactData:
        async with self._database.transaction() as connection:
            rows = await connection.fetch(ACCOUNTS, contact_key(contact_id))
            found = {row[0]: (row[1], _person(row[0], row[2], contact_id)) for row in rows}
            people = {account_id: person for account_id, (_, person) in found.items() if person}
            if not people:
                raise NotFound(f"Nothing is stored of a contact {contact_id!r}.")
            names = {contact_id}.union(*(addresses_of(person) for person in people.values()))
            data = EngineContactData(
                service="rules_engine",
                contact_id=contact_id,
                exported_at=await real_now(connection),
                accounts=[account_of_contact(each, found[each][0], people[each]) for each in people],
                decisions=await _decisions(connection, contact_id, people),
                parked_events=await _parked(connection, list(people), names),
                dead_letters=[
                    letter_document(letter)
                    async for letters in letters_about(connection, names)
                    for letter in letters
                ],
                retention=retention_rules(self._retention),
            )
            await AUDIT.record(connection, [Change("contact.exported", person_object("contact", contact_id))])
        self._relay.wake()
        return data


def retention_rules(retention: Retention) -> list[RetentionRule]:
    """How long each kind of what the export shows is kept, and the records of topics, which it does not show."""
    newest = "the newest of each kind, until the contact or the account is erased"
    days = THIRTY_DAYS_MS // 86_400_000
    return [
        RetentionRule(
            what="fields, preferences and pauses of the contact", ends="with the contact or the account"
        ),
        RetentionRule(what="answers, conversations and other entries that name the contact", ends=newest),
        rule_of("decisions_days", retention.decisions_days, "decisions"),
        rule_of("dead_letters_days", retention.dead_letters_days, "parked events and dead letters"),
        rule_of("audit_days", retention.audit_days, "entries of the audit log, by a derived id"),
        RetentionRule(what="records of events in Kafka", ends="deleted by the broker", days=days),
        RetentionRule(what="the account's record and plan in Kafka", ends="replaced by the next version"),
    ]


def _person(account_id: str, state: bytes, contact_id: str) -> PersonFacts:
    """Raises NotFound for a state that this version cannot read: an export that lacks it would look complete."""
    try:
        return person_facts(decode(account_id, state).facts, contact_id)
    except UnreadableState as unreadable:
        raise NotFound(
            f"The state of the account {account_id!r} cannot be read: {unreadable}."
        ) from unreadable


async def _parked(
    connection: Connection, account_ids: Sequence[str], names: Collection[str]
) -> list[Mapping[str, object]]:
    return [
        {
            **{
                name: row[name]
                for name in ("account_id", "type", "source", "event_id", "reason", "parked_at")
            },
            "value": (row["value"] or b"")[:10_000].decode(errors="replace"),
        }
        for row in await connection.fetch(PARKED, account_ids)
        if is_about(_record(row), names)
    ]


def _record(row: Any) -> Record:
    return Record(row["topic"], 0, 0, None, row["value"], tuple(headers_from_bytes(row["headers"])), 0)


async def _decisions(
    connection: Connection, contact_id: str, people: Mapping[str, PersonFacts]
) -> list[DecisionItem]:
    """Decisions in the order of their plan versions; they are read and unpacked a few hundred at a time."""
    found: list[DecisionItem] = []
    for account_id, person in people.items():
        search = _Search(account_id, contact_id, events_of(person))
        last: object = UUID(int=0)
        while rows := await connection.fetch(DECISIONS, account_id, last):
            last = rows[-1][0]
            found += await asyncio.to_thread(search.matches, rows)
    return sorted(found, key=lambda item: (item.account_id, item.plan_version))


@dataclass(frozen=True, slots=True)
class _Search:
    """Finds a contact in decisions: by the events of the contact, or by its id as a word of a text."""

    account_id: str
    contact_id: str
    events: set[tuple[str, str]]

    def matches(self, rows: Sequence[Any]) -> list[DecisionItem]:
        return [item for row in rows if (item := self._match(row)) is not None]

    def _match(self, row: Any) -> DecisionItem | None:
        causes = cast("list[dict[str, object]]", orjson.loads(row[4]))
        own = [each for each in causes if (each["source"], each["id"]) in self.events]
        named = [part for text in row[5:7] for part in self._naming(orjson.loads(text))]
        plan = unpacked(row[7])
        if orjson.dumps(self.contact_id)[1:-1] in plan:
            document = orjson.loads(plan)
            named += self._naming([*document["rhythms"], *document["touchpoints"]])
        if not own and not named:
            return None
        return DecisionItem(str(row[0]), self.account_id, row[1], row[2], row[3], own, named)

    def _naming(self, parts: Sequence[object]) -> list[object]:
        word = rf"(?<!\w){re.escape(self.contact_id)}(?!\w)"
        return [part for part in parts if any(re.search(word, text) for text in _texts(part))]


def _texts(document: object) -> list[str]:
    """Every text of a JSON document, the names of its members left out."""
    if isinstance(document, dict):
        return [text for part in cast("dict[str, object]", document).values() for text in _texts(part)]
    if isinstance(document, list):
        return [text for part in cast("list[object]", document) for text in _texts(part)]
    return [document] if isinstance(document, str) else []
