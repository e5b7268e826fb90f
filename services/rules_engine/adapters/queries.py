"""What the engine answers when it is asked: accounts, decisions, receipts, parked facts. Reads only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import orjson

from services.cadence.account import Facts, Known
from services.cadence.account.codec import decode
from services.chassis.database import Database
from services.chassis.dead_letters import headers_from_bytes
from services.chassis.outbox import Outbox, Raw, timestamp
from services.chassis.relay import Relay
from services.rules_engine.adapters.account_repository import decision_id
from services.rules_engine.application.queries import Filter
from services.rules_engine.domain.account import ReceiptState

ACCOUNTS = """
SELECT account_id, name, segment, stage, color, csm_id, plan_version, decided_at, undecided FROM account
WHERE account_id > $1 AND state IS NOT NULL AND ($3::text IS NULL OR segment = $3) AND ($4::text IS NULL OR stage = $4)
  AND ($5::text IS NULL OR color = $5) AND ($6::text IS NULL OR csm_id = $6)
  AND ($7::text IS NULL OR account_id ILIKE $7 OR name ILIKE $7)
ORDER BY account_id LIMIT $2
"""
# The newest version of that policy at the time: one hash may have been published, taken back and published again.
POLICY_VERSION = """
(SELECT max(v.number) FROM policy_version AS v WHERE v.hash = d.policy AND v.published_at <= d.recorded_at)
"""
PLAN = f"SELECT plan, policy, {POLICY_VERSION} AS policy_version FROM decision AS d WHERE id = $1"
DECISIONS = f"""
SELECT id, version, decided_at, policy, events::text, changes::text, suppressed::text, plan,
       {POLICY_VERSION} AS policy_version
FROM decision AS d
WHERE account_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3
"""
RECEIPT = "SELECT state, decision, reason FROM receipt WHERE identity = $1 ORDER BY seen_at"
PARKED = """
SELECT id, account_id, type, source, event_id, reason, value, parked_at, replayed_at FROM parked
WHERE id < $1 AND ($2 OR replayed_at IS NULL) ORDER BY id DESC LIMIT $3
"""
REPLAY = """
UPDATE parked SET replayed_at = clock_timestamp() WHERE id = $1 RETURNING topic, account_id, headers, value
"""


class Queries:
    """Answers from the engine's tables."""

    def __init__(self, database: Database, outbox: Outbox, relay: Relay) -> None:
        self._database = database
        self._outbox = outbox
        self._relay = relay

    async def account(self, account_id: str) -> dict[str, object] | None:
        """AccountState and plan of one account; None when nothing was heard of it."""
        row = await self._database.pool.fetchrow(
            "SELECT state, plan_version, segment, stage, color, decided_at, next_evaluation_at, undecided, csm_id"
            " FROM account WHERE account_id = $1",
            account_id,
        )
        if row is None or row["state"] is None:
            return None
        facts, _ = decode(account_id, row["state"])
        decision = await self._database.pool.fetchrow(PLAN, decision_id(account_id, row["plan_version"]))
        plan: dict[str, object] | None = None
        if decision is not None:
            plan = {
                "version": row["plan_version"],
                "policy": decision["policy"],
                "policy_version": decision["policy_version"],
                **orjson.loads(decision["plan"]),
            }
        return {
            "id": account_id,
            "segment": row["segment"],
            "stage": row["stage"],
            "color": row["color"],
            "csm_id": row["csm_id"],
            "facts": {name: shown(known) for name, known in sorted(facts.known().items())},
            **_people(facts),
            "plan": plan,
            "decided_at": row["decided_at"],
            "next_evaluation_at": row["next_evaluation_at"],
            "undecided": row["undecided"],
        }

    async def accounts(self, wanted: Filter, *, after: str, limit: int) -> list[dict[str, object]]:
        pattern = f"%{_escaped(wanted.q)}%" if wanted.q else None
        rows = await self._database.pool.fetch(
            ACCOUNTS, after, limit, wanted.segment, wanted.stage, wanted.color, wanted.csm_id, pattern
        )
        return [
            {
                "id": row[0],
                "name": row[1],
                "segment": row[2],
                "stage": row[3],
                "color": row[4],
                "csm_id": row[5],
                "plan_version": row[6],
                "decided_at": row[7],
                "undecided": row[8],
            }
            for row in rows
        ]

    async def decisions(self, account_id: str, *, before: int, limit: int) -> list[dict[str, Any]]:
        """Newest first, those with a version below `before`."""
        rows = await self._database.pool.fetch(DECISIONS, account_id, before, limit)
        return [_decision(row) for row in rows]

    async def receipt(self, identity: bytes) -> dict[str, object] | None:
        """What became of an event; None while it has not been read."""
        rows = await self._database.pool.fetch(RECEIPT, identity)
        if not rows:
            return None
        best = min(rows, key=lambda row: (row[0] != ReceiptState.FOLDED, row[0]))
        return {
            "status": ReceiptState(best[0]).name.lower(),
            "decision_ids": [str(cast("UUID", row[1])) for row in rows if row[1] is not None],
            "reason": best[2],
            "contents": len(rows),
        }

    async def parked(self, *, before: int, limit: int, replayed: bool) -> list[dict[str, Any]]:
        rows = await self._database.pool.fetch(PARKED, before, replayed, limit)
        return [
            {
                "id": row["id"],
                "account_id": row["account_id"],
                "type": row["type"],
                "source": row["source"],
                "event_id": row["event_id"],
                "reason": row["reason"],
                "data": (row["value"] or b"")[:10_000].decode(errors="replace"),
                "parked_at": row["parked_at"],
                "replayed_at": row["replayed_at"],
            }
            for row in rows
        ]

    async def replay_parked(self, parked_id: int) -> bool:
        """Send a parked fact through the door again; False when there is none of that id."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(REPLAY, parked_id)
            if row is None:
                return False
            headers = headers_from_bytes(row["headers"])
            record = Raw(row["topic"], row["account_id"], headers, row["value"])
            await self._outbox.append(connection, [record])
        self._relay.wake()
        return True


def shown(known: Known) -> dict[str, object]:
    """A fact as the contract shows it."""
    return {
        "value": known.value,
        "time": timestamp(known.provenance.time),
        "source": known.provenance.source,
        "id": known.provenance.id,
    }


def _people(facts: Facts) -> dict[str, object]:
    def values(said: dict[str, Known]) -> dict[str, object]:
        return {name: known.value for name, known in said.items()}

    return {
        "contacts": [{"contact_id": key, **values(said)} for key, said in facts.known_contacts().items()],
        "contracts": [{"contract_id": key, **values(said)} for key, said in facts.known_contracts().items()],
        "pauses": [{"contact_id": key, **values(said)} for key, said in facts.known_pauses().items()],
    }


def _decision(row: Any) -> dict[str, Any]:
    plan = orjson.loads(row["plan"])
    items: Sequence[dict[str, Any]] = (*plan["rhythms"], *plan["touchpoints"])
    return {
        "id": str(row["id"]),
        "plan_version": row["version"],
        "decided_at": cast("datetime", row["decided_at"]),
        "policy": row["policy"],
        "policy_version": row["policy_version"],
        "events": orjson.loads(row["events"]),
        "changes": orjson.loads(row["changes"]),
        "suppressed": orjson.loads(row["suppressed"]),
        "reasons": [{"touchpoint_type": each["touchpoint_type"], **each["reason"]} for each in items],
    }


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
