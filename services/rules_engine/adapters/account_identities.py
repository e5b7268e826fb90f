"""Which accounts were merged, which accounts describe a contact, and by which ids others find an account."""

from collections.abc import Collection, Mapping, Sequence

import orjson

from schemas.directory import ACCOUNT_DIRECTORY, AccountRecord
from schemas.ids import digest
from services.chassis.database import Connection
from services.chassis.outbox import Outbox, Outgoing
from services.rules_engine.application.ports import Homes
from services.rules_engine.domain.account import Account, Clocks

DIRECTORY = "directory.accounts"
MERGED = """
SELECT account_id, merged_into FROM account WHERE account_id = ANY($1::text[]) AND merged_into IS NOT NULL
"""
# One statement that locks each contact, in order, and keeps the later stamp of each account.
PLACE = """
INSERT INTO contact_home AS h (contact, places)
SELECT contact, places::jsonb FROM unnest($1::bytea[], $2::text[]) AS n (contact, places)
ON CONFLICT (contact) DO UPDATE SET places = (
    SELECT coalesce(jsonb_object_agg(key, stamp), '{}') FROM (
        SELECT key, max(value COLLATE "C") AS stamp FROM (
            SELECT * FROM jsonb_each_text(h.places) UNION ALL SELECT * FROM jsonb_each_text(excluded.places)
        ) AS told GROUP BY key
    ) AS latest)
RETURNING contact, places::text
"""
# No other account leads to one that has ended, so that a look at one row is enough.
END = """
UPDATE account SET state = NULL, plan_key = NULL, published_key = NULL, directory_key = NULL, decided_at = NULL,
    next_evaluation_at = NULL, undecided = NULL, name = NULL, segment = NULL, stage = NULL, color = NULL,
    csm_id = NULL, arr = NULL, parent_id = NULL, external_ids = NULL, merged_into = $2, directory_version = $3
WHERE account_id = $1
"""
MOVE = (
    "UPDATE account SET merged_into = $2 WHERE merged_into = $1",
    "UPDATE decision SET account_id = $2 WHERE account_id = $1",
    "UPDATE parked SET account_id = $2 WHERE account_id = $1",
)
END_PLAN = "DELETE FROM account_plan WHERE account_id = $1"
SAVE_LINKS = """
UPDATE account AS a SET parent_id = n.parent_id, external_ids = nullif(n.external_ids, '{}')
FROM json_to_recordset($1::json) AS n (account_id text, parent_id text, external_ids text[])
WHERE a.account_id = n.account_id
"""


def contact_key(contact_id: str) -> bytes:
    """What stands for a contact, whose id is not stored outside the states of accounts."""
    return digest("contact", contact_id)


class AccountIdentities:
    """The part of the `UnitOfWork` port about who is who, on a connection inside a transaction."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox

    async def find_merged(self, account_ids: Collection[str]) -> Mapping[str, str]:
        rows = await self._connection.fetch(MERGED, list(account_ids))
        return {row[0]: row[1] for row in rows}

    async def place_contacts(self, described: Homes) -> Homes:
        keys = {contact_key(contact_id): contact_id for contact_id in described}
        ordered = sorted(keys)
        places = [orjson.dumps(described[keys[key]]).decode() for key in ordered]
        rows = await self._connection.fetch(PLACE, ordered, places)
        homes = {keys[row[0]]: orjson.loads(row[1]) for row in rows}
        return {contact_id: places for contact_id, places in homes.items() if len(places) > 1}

    async def end_accounts(self, ended: Sequence[tuple[Account, str]], clocks: Clocks) -> None:
        records: list[Outgoing] = []
        for account, stays in ended:
            version = max(account.directory_version + 1, int(clocks.real.timestamp() * 1000))
            await self._connection.execute(END, account.account_id, stays, version)
            await self._connection.execute(END_PLAN, account.account_id)
            for statement in MOVE:
                await self._connection.execute(statement, account.account_id, stays)
            record = AccountRecord(account_id=account.account_id, merged_into=stays, version=version)
            record_id = f"{account.account_id}:{version}"
            records.append(
                Outgoing(
                    DIRECTORY,
                    account.account_id,
                    record_id,
                    ACCOUNT_DIRECTORY,
                    clocks.service,
                    record.write(),
                )
            )
        await self._outbox.append(self._connection, records)

    async def save_links(self, accounts: Sequence[Account]) -> None:
        """Store the parents and the external ids of those accounts where they may have changed."""
        rows = [
            {
                "account_id": account.account_id,
                "parent_id": account.links.parent_id,
                "external_ids": [f"{system}:{key}" for system, key in account.links.external_ids.items()],
            }
            for account in accounts
            if account.links is not None
        ]
        if rows:
            await self._connection.execute(SAVE_LINKS, orjson.dumps(rows).decode())
