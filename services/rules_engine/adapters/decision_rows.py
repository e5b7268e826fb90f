"""Decisions and the plans in force as rows: a decision is history and is dropped by age, a plan in force stays."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
import structlog

from schemas.ids import digest
from schemas.plans import Change
from services.cadence.account.packing import packed, unpacked
from services.cadence.evaluation import StoredPlan
from services.chassis.database import Connection
from services.chassis.partitions import PartitionedTable
from services.chassis.time_slices import in_slices
from services.rules_engine.adapters.columns import columns_of
from services.rules_engine.adapters.messages import cause_document
from services.rules_engine.domain.account import NewPlan

log = structlog.get_logger(__name__)

DECISIONS = PartitionedTable("decision", "recorded_at", storage="toast_tuple_target = 8160")
MOST_CAUSES = 50
PLANS = """
SELECT p.account_id, p.plan FROM account_plan AS p JOIN unnest($1::text[], $2::bigint[]) AS n (account_id, version)
USING (account_id, version)
"""
RECORD = """
INSERT INTO decision (id, account_id, version, decided_at, policy, events, changes, suppressed, plan, state, fired)
SELECT id, account_id, version, decided_at, policy, events::jsonb, changes::jsonb, suppressed::jsonb, plan, state, fired
FROM unnest(
    $1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::bytea[], $10::bytea[], $11::text[]
) AS n (id, account_id, version, decided_at, policy, events, changes, suppressed, plan, state, fired)
"""
# The rows of the accounts are locked, so that no two transactions write one plan.
PUT_IN_FORCE = """
INSERT INTO account_plan (account_id, version, policy, plan)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bytea[])
ON CONFLICT (account_id) DO UPDATE SET
    version = excluded.version, policy = excluded.policy, plan = excluded.plan, recorded_at = excluded.recorded_at
"""


def decision_id(account_id: str, version: int) -> UUID:
    return UUID(bytes=digest("decision", account_id, str(version)))


async def read_plans(connection: Connection, versions: Mapping[str, int]) -> dict[str, StoredPlan]:
    """The plans in force of these versions; one that cannot be read is left out."""
    plans: dict[str, StoredPlan] = {}
    rows = await connection.fetch(PLANS, list(versions), list(versions.values()))
    async for account_id, document in in_slices(rows):
        try:
            plans[account_id] = StoredPlan.read_stored(unpacked(document))
        except Exception as problem:  # noqa: BLE001 - one unreadable plan must not stop the others
            log.warning("plan.unreadable", account_id=account_id, problem=repr(problem))
    return plans


async def record_decisions(connection: Connection, new_plans: Sequence[NewPlan]) -> None:
    """Store each decision, and its plan as the one in force."""
    await connection.execute(RECORD, *columns_of([_decision_row(new) async for new in in_slices(new_plans)]))
    in_force = [
        (new.account.account_id, new.account.version, new.policy, packed(new.document)) for new in new_plans
    ]
    await connection.execute(PUT_IN_FORCE, *columns_of(in_force))


def _decision_row(new: NewPlan) -> tuple[object, ...]:
    account, decision = new.account, new.decision
    return (
        decision_id(account.account_id, account.version),
        account.account_id,
        account.version,
        new.decided_at,
        new.policy,
        orjson.dumps([cause_document(event) for event in new.causes[:MOST_CAUSES]]).decode(),
        orjson.dumps([_change_document(change) for change in new.changes]).decode(),
        orjson.dumps(decision.suppressed, option=orjson.OPT_UTC_Z).decode(),
        packed(new.document),
        account.state,
        f"{decision.fired:x}",
    )


def _change_document(change: Change) -> dict[str, object]:
    return change.model_dump(mode="json", exclude_unset=True)
