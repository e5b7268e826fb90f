"""A contact's preferences: read for the page, and taken in so that they bind at once."""

import secrets
from collections.abc import Sequence
from typing import cast

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.ids import fresh
from services.chassis.outbox import Outbox
from services.notifier.adapters.directory_repository import keep_preferences, preferences_of
from services.notifier.adapters.messages import preference_facts
from services.notifier.domain.consent import Choice, Preference, stated

CONTACT = "SELECT account_id, name FROM contact WHERE contact_id = $1"
MAKE_KEY = "INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"
KEY_VALUE = "SELECT value FROM secret WHERE name = $1"
UNSUBSCRIBE = "unsubscribe"


class PreferenceBook:
    """Implements `ChoiceBook`."""

    def __init__(self, database: Database, outbox: Outbox, clock: ServiceClock) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock

    async def of(self, contact_id: str) -> list[Preference] | None:
        """What a contact has said so far; None when nobody knows the contact."""
        async with self._database.transaction() as connection:
            if await connection.fetchrow(CONTACT, contact_id) is None:
                return None
            return await _said(connection, contact_id)

    async def choose(
        self, contact_id: str, choices: Sequence[Choice], *, known: bool = True
    ) -> list[Preference] | None:
        """Take choices in, in one transaction with the facts they become; answer all that holds now.

        None when nobody knows the contact. With `known` False the choice is kept even then: somebody who
        holds a signed link has the last word, whatever the directory says by now.
        """
        async with self._database.transaction() as connection:
            account_id = await connection.fetchval(f"{CONTACT} FOR UPDATE", contact_id)
            if account_id is None and known:
                return None
            now = self._clock.at(await real_now(connection))
            before = await _said(connection, contact_id)
            words = [stated(contact_id, each, after=before, now=now, word_id=fresh()) for each in choices]
            await keep_preferences(connection, [part for word in words for part in word.aspects()])
            if account_id is not None:
                await self._outbox.append(connection, preference_facts(words, str(account_id)))
            return await _said(connection, contact_id)

    async def secret(self) -> bytes:
        """The key that signs unsubscribe links; made once for all replicas."""
        async with self._database.transaction() as connection:
            await connection.execute(MAKE_KEY, UNSUBSCRIBE, secrets.token_bytes(32))
            return cast("bytes", await connection.fetchval(KEY_VALUE, UNSUBSCRIBE))


async def _said(connection: Connection, contact_id: str) -> list[Preference]:
    return (await preferences_of(connection, [contact_id])).get(contact_id, [])
