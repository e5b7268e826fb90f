"""The limits: what this machine does with the same I/O and no business in between."""

from collections.abc import Sequence
from datetime import datetime

import orjson

from services.chassis.database import Connection
from services.chassis.dead_letters import Record
from services.chassis.outbox import Outbox, Outgoing

TABLES = """
CREATE TABLE bare_account (key text PRIMARY KEY, state jsonb NOT NULL, version bigint NOT NULL);
CREATE TABLE bare_inbox (source text, id text, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (source, id));
"""
INBOX = """
INSERT INTO bare_inbox (source, id) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING
RETURNING source, id
"""
LOCK = (
    "SELECT key, state::text, version FROM bare_account WHERE key = ANY($1::text[]) ORDER BY key FOR UPDATE"
)
UPSERT = """
INSERT INTO bare_account (key, state, version) SELECT k, s::jsonb, v FROM unnest($1::text[], $2::text[], $3::bigint[])
    AS n (k, s, v)
ON CONFLICT (key) DO UPDATE SET state = excluded.state, version = excluded.version
"""


class BareLoop:
    """Offset, inbox, lock, state, one outbox row a changed account: one transaction a batch, nothing decided."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def __call__(self, connection: Connection, records: Sequence[Record], real: datetime) -> None:
        events: dict[tuple[str, str], Record] = {}
        for record in records:
            headers = dict(record.headers)
            events[headers["ce_source"].decode(), headers["ce_id"].decode()] = record
        got = await connection.fetch(INBOX, [key[0] for key in events], [key[1] for key in events])
        fresh = None if len(got) == len(events) else {(row[0], row[1]) for row in got}
        keys = sorted({(record.key or b"").decode() for record in events.values()})
        rows = await connection.fetch(LOCK, keys)
        state: dict[str, list[object]] = {row[0]: [orjson.loads(row[1]), row[2]] for row in rows}
        for key, record in events.items():
            if fresh is not None and key not in fresh:
                continue
            account = state.setdefault((record.key or b"").decode(), [{}, 0])
            data = orjson.loads(record.value or b"{}")
            account[0] = {**account[0], **data}  # pyright: ignore[reportGeneralTypeIssues]
            account[1] += 1  # pyright: ignore[reportOperatorIssue]
        bodies = [orjson.dumps(account[0]) for account in state.values()]
        await connection.execute(
            UPSERT, [*state], [body.decode() for body in bodies], [account[1] for account in state.values()]
        )
        await self._outbox.append(
            connection,
            [
                Outgoing("touchpoint.commands", key, f"{key}:{account[1]}", "bench", real, body)
                for (key, account), body in zip(state.items(), bodies, strict=True)
            ],
        )
