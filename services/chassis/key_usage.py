"""When keys were last used: gathered in memory, reported to the rules engine on `audit.entries` once a minute.

No request waits for it; what a replica gathered since its last report is lost when it ends.
"""

from typing import Final

import orjson

from services.chassis.database import Database, real_now
from services.chassis.ids import fresh
from services.chassis.keys import KeyRing
from services.chassis.loops import Loop
from services.chassis.outbox import Outbox, Outgoing, timestamp
from services.chassis.relay import Relay

TOPIC: Final = "audit.entries"
TYPE: Final = "drumbeat.key.used.v1"
REPORT_SECONDS: Final = 60.0  # real time
MOST_KEYS: Final = 1_000
"""In one report; the others are in the next one."""


def usage_loop(database: Database, keys: KeyRing, outbox: Outbox, relay: Relay) -> Loop:
    """A loop that reports what the ring has noted since its last pass."""
    service = outbox.source.rpartition("/")[2]

    async def report() -> float | None:
        used = dict(list(keys.used.items())[:MOST_KEYS])
        if not used:
            return None
        async with database.transaction() as connection:
            now = await real_now(connection)
            moments = {key_id: timestamp(at) for key_id, at in used.items()}
            content = orjson.dumps({"service": service, "used": moments})
            await outbox.append(connection, [Outgoing(TOPIC, service, fresh(), TYPE, now, content)])
        relay.wake()
        for key_id, at in used.items():
            if keys.used.get(key_id) == at:
                del keys.used[key_id]
        return 0 if len(used) == MOST_KEYS else None

    return Loop("key usage", interval=REPORT_SECONDS, run_once=report)
