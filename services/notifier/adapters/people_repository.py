"""Reads people and content outside the queue: for a contact's page for previews, and for the pages of people of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from schemas.directory import CsmRecord, TouchpointTypeRecord
from services.chassis.database import Connection, Database
from services.notifier.adapters import content_repository, engagement_repository
from services.notifier.adapters.directory_repository import (
    PERSON_FIELDS,
    load_accounts,
    load_directory,
    read_person,
)
from services.notifier.application.write_customer_mail import Reader
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.event import Event
from services.notifier.domain.situation import Directory

PERSON = f"SELECT {PERSON_FIELDS} FROM person WHERE csm_id = $1"
PEOPLE = f"SELECT {PERSON_FIELDS} FROM person WHERE csm_id > $1 ORDER BY csm_id LIMIT $2"
ACCOUNT_NAME = """
SELECT name FROM account
WHERE account_id = coalesce((SELECT stays FROM account_alias WHERE ended = $1), $1)
"""
ACCOUNT_ID = "SELECT account_id FROM contact WHERE contact_id = $1"


class PeopleRepository:
    """Implements the ports `People`, `Colleagues` and `PreviewSource`."""

    def __init__(self, database: Database, addresses: AddressKey) -> None:
        self._database, self._addresses = database, addresses

    async def reader(self, contact_id: str) -> Reader | None:
        """The contact with the account and who leads it; None when the contact is not known."""
        async with self._database.transaction() as connection:
            account_id = await connection.fetchval(ACCOUNT_ID, contact_id)
            if account_id is None:
                return None
            account = (await load_accounts(connection, [account_id])).get(account_id)
            contacts = account.contacts if account else ()
            contact = next((one for one in contacts if one.contact_id == contact_id), None)
            csm = await load_person(connection, account.csm_id) if account and account.csm_id else None
            return Reader(account, contact, csm)

    async def directory_of(self, event: Event) -> Directory:
        """Everyone whom an event would concern, the content about its type, and what the customer got lately."""
        async with self._database.transaction() as connection:
            directory = await load_directory(connection, self._addresses, [event])
            contents = await content_repository.load_contents(connection, [event.content.touchpoint_type])
            account_ids, at = [event.content.account_id], event.time
            sent = await engagement_repository.sent_lately(connection, account_ids, at)
            return replace(directory, contents=contents, sent=sent)

    async def catalogue(self) -> Mapping[str, TouchpointTypeRecord]:
        """The touchpoint types of the policy in force, by name."""
        async with self._database.transaction() as connection:
            return await content_repository.load_catalogue(connection)

    async def people(self, *, after: str, limit: int) -> Sequence[CsmRecord]:
        """The people of ours by id, those whose id is greater than `after`."""
        return [read_person(row) for row in await self._database.pool.fetch(PEOPLE, after, limit)]

    async def account_name(self, account_id: str) -> str | None:
        return await self._database.pool.fetchval(ACCOUNT_NAME, account_id)


async def load_person(connection: Connection, csm_id: str) -> CsmRecord | None:
    row = await connection.fetchrow(PERSON, csm_id)
    return read_person(row) if row is not None else None
