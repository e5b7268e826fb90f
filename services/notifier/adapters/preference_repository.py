"""A contact's preferences: read for pages, and changed so that they bind at once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final, get_args

from schemas.directory import PreferenceRecord
from schemas.facts import PreferenceChanged, SurveyAnswered
from schemas.ids import derived_id
from schemas.vocabulary import Topic
from services.chassis.audit import AuditLog, Change
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.ids import fresh
from services.chassis.outbox import Outbox
from services.notifier.adapters.address_repository import load_consents
from services.notifier.adapters.directory_repository import load_preferences, save_preferences
from services.notifier.adapters.messages import preference_changed, survey_answered
from services.notifier.application.read_models import ContactPreferences
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.consent import preferences_by_topic, record_preference

ACCOUNT_ID = "SELECT account_id FROM contact WHERE contact_id = $1"
ADDRESS = "SELECT email FROM contact WHERE contact_id = $1"
TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)
AUDIT = AuditLog("notifier")


@dataclass(frozen=True, slots=True)
class PreferenceStore:
    """Preferences within a transaction of others."""

    outbox: Outbox
    addresses: AddressKey

    async def load(self, connection: Connection, contact_id: str) -> ContactPreferences:
        own = (await load_preferences(connection, [contact_id])).get(contact_id, [])
        address = await connection.fetchval(ADDRESS, contact_id)
        consents = await load_consents(connection, self.addresses, [address] if address else [])
        return ContactPreferences(own, [record for records in consents.values() for record in records])

    async def save(
        self,
        connection: Connection,
        contact_id: str,
        account_id: str | None,
        records: Sequence[PreferenceRecord],
        actor: str | None = None,
    ) -> None:
        """Store what a contact changes, with its entry of the audit log, and publish it.

        `account_id`: None of no account. `actor`: None for who made the call that is being answered.
        """
        before = await self.load(connection, contact_id)
        await save_preferences(connection, records)
        await self._record(connection, contact_id, before, actor)
        if account_id is not None:
            facts = [preference_changed(record, str(account_id)) for record in records]
            await self.outbox.append(connection, facts)

    async def _record(
        self, connection: Connection, contact_id: str, before: ContactPreferences, actor: str | None
    ) -> None:
        """The entry of the audit log: the topics for which something else holds now. People stand in it by derived id."""
        after = await self.load(connection, contact_id)
        old, new = (preferences_by_topic(each.own, TOPICS, each.same_address) for each in (before, after))
        changed = [topic for topic in TOPICS if old[topic] != new[topic]]
        if changed:
            was, now = ({topic: asdict(side[topic]) for topic in changed} for side in (old, new))
            person = f"contact/{derived_id('contact', contact_id)}"
            await AUDIT.record(connection, [Change("preference.changed", person, was, now, actor=actor)])


class PreferenceRepository:
    """Implements the port `Preferences`."""

    def __init__(
        self, database: Database, outbox: Outbox, clock: ServiceClock, addresses: AddressKey
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self.store = PreferenceStore(outbox, addresses)

    async def of_contact(self, contact_id: str) -> ContactPreferences | None:
        """All preferences of a contact; None when the contact is unknown."""
        async with self._database.transaction() as connection:
            if await connection.fetchval(ACCOUNT_ID, contact_id) is None:
                return None
            return await self.store.load(connection, contact_id)

    async def change(
        self, contact_id: str, changes: Sequence[PreferenceChanged], *, must_exist: bool = True
    ) -> ContactPreferences | None:
        """Store changes and publish them as facts, in one transaction; returns all preferences afterwards.

        None when the contact is unknown. With `must_exist` False the changes are stored even then: the holder of
        a signed link may opt out although the directory does not have them.
        """
        async with self._database.transaction() as connection:
            account_id = await connection.fetchval(f"{ACCOUNT_ID} FOR UPDATE", contact_id)
            if account_id is None and must_exist:
                return None
            now = self._clock.at(await real_now(connection))
            before = await self.store.load(connection, contact_id)
            after = [*before.own, *before.same_address]
            records = [
                record_preference(change, after=after, now=now, preference_id=fresh()) for change in changes
            ]
            await self.store.save(connection, contact_id, account_id, records)
            return await self.store.load(connection, contact_id)

    async def answer_survey(self, answer: SurveyAnswered) -> bool:
        """Publish the answer of a contact as a fact; False when the contact is unknown, and nothing is published."""
        async with self._database.transaction() as connection:
            account_id = await connection.fetchval(f"{ACCOUNT_ID} FOR UPDATE", answer.contact_id)
            if account_id is None:
                return False
            now = self._clock.at(await real_now(connection))
            fact = survey_answered(answer, str(account_id), fresh(), now)
            await self._outbox.append(connection, [fact])
            return True
