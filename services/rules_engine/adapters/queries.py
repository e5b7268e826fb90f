"""Read-only queries: accounts, decisions, receipts, parked events."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, cast
from uuid import UUID

import orjson

from schemas.recurrence_text import interval_text
from services.cadence.account import Facts, StampedValue
from services.cadence.account.codec import UnreadableState, decode
from services.cadence.account.packing import unpacked
from services.cadence.account.place import zones_of
from services.cadence.account.retention import bounds_reached
from services.cadence.csms import csm_record
from services.chassis.clock import ServiceClock
from services.chassis.database import Database
from services.chassis.dead_letters import replay
from services.chassis.outbox import Outbox
from services.chassis.relay import Relay
from services.rules_engine.adapters.messages import provenance_document
from services.rules_engine.adapters.portfolio_repository import unpack
from services.rules_engine.application.queries import Filter, NotFound
from services.rules_engine.domain.account import EvaluationContext, ReceiptState, links_of
from services.rules_engine.domain.doubts import find_doubts
from services.rules_engine.domain.rollup import Child, roll_up

ACCOUNT = """
SELECT state, segment, stage, color, csm_id, decided_at, next_evaluation_at, undecided
FROM account WHERE account_id = $1 AND state IS NOT NULL
"""
MERGED_INTO = "SELECT merged_into FROM account WHERE account_id = $1"
# Children may still name an account that was merged into their parent.
BELOW = """
parent_id = ANY(ARRAY(SELECT {0}::text UNION ALL SELECT account_id FROM account WHERE merged_into = {0}))
"""
CHILDREN = (
    f"SELECT account_id, color, arr, state FROM account WHERE {BELOW.format('$1')} AND state IS NOT NULL"
)
CSM = "SELECT csm_id, state, version FROM csm WHERE csm_id = $1"
ACCOUNTS = """
SELECT account_id AS id, name, segment, stage, color, csm_id, plan_version, decided_at, undecided FROM account
WHERE account_id > $1 AND state IS NOT NULL AND ($3::text IS NULL OR segment = $3) AND ($4::text IS NULL OR stage = $4)
  AND ($5::text IS NULL OR color = $5) AND ($6::text IS NULL OR csm_id = $6)
  AND ($7::text IS NULL OR account_id ILIKE $7 OR name ILIKE $7)
"""
UNDECIDED = {True: "undecided IS NOT NULL", False: "undecided IS NULL"}
# The newest version of that policy at the time: one hash may have been published, taken back and published again.
POLICY_VERSION = """
(SELECT max(v.number) FROM policy_version AS v WHERE v.hash = d.policy AND v.published_at <= d.recorded_at)
"""
# Under which policy the plan was confirmed last: the one in force when the account was evaluated under the present
# generation, by an event or by the sweep that has passed it; else that of the sweep before, or the one it was made under.
PLAN = """
SELECT p.version, n.policy, CASE WHEN c.confirmed THEN e.version ELSE (
    SELECT max(v.number) FROM policy_version AS v
    WHERE v.hash = n.policy AND (n.policy <> p.policy OR v.published_at <= p.recorded_at)
) END AS policy_version, p.plan
FROM account_plan AS p JOIN account AS a USING (account_id) CROSS JOIN epoch AS e CROSS JOIN sweep AS s
CROSS JOIN LATERAL (
    SELECT a.undecided IS NULL AND (a.decided_under >= e.number OR (
        a.decided_under >= 0 AND s.generation = e.number AND (s.completed = e.number OR a.account_id <= s.position)
    )) AS confirmed
) AS c CROSS JOIN LATERAL (
    SELECT CASE
        WHEN c.confirmed THEN e.policy_hash
        WHEN a.undecided IS NULL AND a.decided_under BETWEEN 0 AND s.completed THEN s.completed_policy
        ELSE p.policy
    END AS policy
) AS n WHERE p.account_id = $1
"""
DECISIONS = f"""
SELECT id::text, version AS plan_version, decided_at, policy, {POLICY_VERSION} AS policy_version,
       events::text, changes::text, suppressed::text, plan
FROM decision AS d
WHERE account_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3
"""
APPLIED = frozenset({ReceiptState.FOLDED, ReceiptState.UNCHANGED})
RECEIPT = "SELECT state, decision, reason FROM receipt WHERE identity = $1 ORDER BY seen_at"
PARKED = """
SELECT id, account_id, type, source, event_id, reason, value, parked_at, replayed_at FROM parked
WHERE id < $1 AND ($2 OR replayed_at IS NULL) ORDER BY id DESC LIMIT $3
"""
REPLAY = """
UPDATE parked SET replayed_at = clock_timestamp() WHERE id = $1
RETURNING topic, convert_to(account_id, 'UTF8') AS key, headers, value
"""


class Queries:
    """Queries of the engine's tables."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        relay: Relay,
        clock: ServiceClock,
        context: Callable[[], EvaluationContext],
    ) -> None:
        self._clock = clock
        self._database = database
        self._context = context
        self._outbox = outbox
        self._relay = relay

    async def account(self, account_id: str) -> dict[str, object]:
        """Facts and plan of one account. Raises `NotFound`."""
        row = await self._database.pool.fetchrow(ACCOUNT, account_id)
        if row is None:
            raise await self._not_found(account_id)
        columns = dict(row)
        facts = _readable_facts(account_id, columns.pop("state"))
        plan = await self._database.pool.fetchrow(PLAN, account_id)
        csm = await self._database.pool.fetchrow(CSM, columns["csm_id"])
        try:
            shown = self._facts_document(facts, csm)
        except Exception:  # noqa: BLE001 - a damaged state is still shown: `undecided` says why
            shown = self._facts_document(Facts(account_id), csm)
        return {
            "id": account_id,
            **columns,
            "rollup": await self._roll_up(account_id),
            **shown,
            "plan": None if plan is None else _plan_document(plan),
        }

    def _facts_document(self, facts: Facts, csm: Any) -> dict[str, object]:
        links = links_of(facts)
        return {
            "parent_id": links.parent_id,
            "external_ids": links.external_ids,
            "facts": {name: fact_document(known) for name, known in sorted(facts.account_values().items())},
            **_people(facts),
            "zones": _zones_document(facts),
            "doubts": self._doubts(facts, csm),
            "let_go": [*facts.usage.let_go(), *bounds_reached(facts.entries)],
        }

    async def _not_found(self, account_id: str) -> NotFound:
        stays = cast("str | None", await self._database.pool.fetchval(MERGED_INTO, account_id))
        if stays is None:
            return NotFound(f"There is no account {account_id!r}.")
        return NotFound(f"The account {account_id!r} was merged into {stays!r}: ask for that one.", stays)

    async def _roll_up(self, account_id: str) -> dict[str, object] | None:
        rows = await self._database.pool.fetch(CHILDREN, account_id)
        today = self._clock.now().date()
        return roll_up([_readable_child(row, today) for row in rows], today)

    def _doubts(self, facts: Facts, csm: Any) -> list[dict[str, str]]:
        context = self._context()
        described = None if csm is None else csm_record(csm[0], unpack(csm[1]), csm[2])
        found = find_doubts(facts, described, context.portfolio.rates, context.policy.content.currency)
        return [doubt._asdict() for doubt in found]

    async def accounts(self, wanted: Filter, *, after: str, limit: int) -> list[dict[str, object]]:
        pattern = f"%{_escaped(wanted.q)}%" if wanted.q else None
        values: list[object] = [
            after, limit, wanted.segment, wanted.stage, wanted.color, wanted.csm_id, pattern
        ]  # fmt: skip
        # Only what is asked for: each of these has an index of its own.
        more = ((BELOW, wanted.parent_id), ("external_ids @> ARRAY[{0}::text]", wanted.external_id))
        statement = ACCOUNTS
        for clause, value in more:
            if value is not None:
                values.append(value)
                statement += f" AND {clause.format(f'${len(values)}')}"
        if wanted.undecided is not None:
            statement += f" AND {UNDECIDED[wanted.undecided]}"
        rows = await self._database.pool.fetch(f"{statement} ORDER BY account_id LIMIT $2", *values)
        return [dict(row) for row in rows]

    async def decisions(self, account_id: str, *, before: int, limit: int) -> list[dict[str, Any]]:
        """Newest first, those with a version below `before`."""
        rows = await self._database.pool.fetch(DECISIONS, account_id, before, limit)
        return [_decision(row) for row in rows]

    async def receipt(self, identity: bytes) -> dict[str, object] | None:
        """What became of an event; None while it has not been read."""
        rows = await self._database.pool.fetch(RECEIPT, identity)
        if not rows:
            return None
        best = min(rows, key=lambda row: (row[0] not in APPLIED, row[0]))
        state = ReceiptState(best[0])
        return {
            "status": ReceiptState.FOLDED.name.lower() if state in APPLIED else state.name.lower(),
            "unchanged": state is ReceiptState.UNCHANGED,
            "decision_ids": [str(cast("UUID", row[1])) for row in rows if row[1] is not None],
            "reason": best[2],
            "contents": len(rows),
        }

    async def parked(self, *, before: int, limit: int, replayed: bool) -> list[dict[str, Any]]:
        rows = await self._database.pool.fetch(PARKED, before, replayed, limit)
        items = [dict(row) for row in rows]
        return [
            {**item, "data": (item.pop("value") or b"")[:10_000].decode(errors="replace")} for item in items
        ]

    async def replay_parked(self, parked_id: int) -> None:
        """Send a parked event to its topic again. Raises `NotFound`."""
        if not await replay(self._database, self._outbox, parked_id, REPLAY):
            raise NotFound(f"There is no parked event {parked_id}.")
        self._relay.wake()


def fact_document(known: StampedValue) -> dict[str, object]:
    """A fact as the API returns it."""
    return {"value": known.value, **provenance_document(known.provenance)}


def _readable_facts(account_id: str, state: bytes) -> Facts:
    """None of the facts when the state cannot be read: the account is still shown, and `undecided` says why."""
    try:
        return decode(account_id, state).facts
    except UnreadableState:
        return Facts(account_id)


def _readable_child(row: Any, today: date) -> Child:
    """A child whose state is damaged counts without its facts."""
    child = Child(row[1], row[2], _readable_facts(row[0], row[3]))
    try:
        roll_up([child], today)
    except Exception:  # noqa: BLE001 - the page of the child says why it is undecided
        return replace(child, facts=Facts(row[0]))
    return child


def _people(facts: Facts) -> dict[str, object]:
    def values(known: dict[str, StampedValue]) -> dict[str, object]:
        return {name: value.value for name, value in known.items()}

    return {
        "contacts": [{"contact_id": key, **values(known)} for key, known in facts.contact_values().items()],
        "contracts": [
            {"contract_id": key, **values(known)} for key, known in facts.contract_values().items()
        ],
        "pauses": [{"contact_id": key, **values(known)} for key, known in facts.pause_values().items()],
    }


def _zones_document(facts: Facts) -> dict[str, object]:
    timezone, derived, zones = zones_of(facts)
    return {"names": [timezone] if timezone else zones, "derived": derived or bool(zones)}


def _plan_document(decision: Any) -> dict[str, object]:
    columns = dict(decision)
    plan = orjson.loads(unpacked(columns.pop("plan")))
    rhythms = [_with_interval(rhythm) for rhythm in plan["rhythms"]]
    return {**columns, **plan, "rhythms": rhythms}


def _with_interval(rhythm: dict[str, Any]) -> dict[str, Any]:
    """With how often it is, for people."""
    return {**rhythm, "interval": interval_text(rhythm["every_days"], rhythm.get("rrule"))}


def _decision(row: Any) -> dict[str, Any]:
    columns = dict(row)
    plan = orjson.loads(unpacked(columns.pop("plan")))
    for name in ("events", "changes", "suppressed"):
        columns[name] = orjson.loads(columns[name])
    items: Sequence[dict[str, Any]] = (*plan["rhythms"], *plan["touchpoints"])
    reasons = [{"touchpoint_type": each["touchpoint_type"], **each["reason"]} for each in items]
    return {**columns, "reasons": reasons}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
