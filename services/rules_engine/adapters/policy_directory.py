"""Publishes on `directory.policy` what other services need of the policy in force: once a start, then as it changes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from schemas.directory import POLICY_DIRECTORY, PolicyRecord
from schemas.ids import digest
from services.cadence.policy import Policy
from services.chassis.clock import ServiceClock
from services.chassis.database import Database, real_now
from services.chassis.outbox import Outbox, Outgoing
from services.rules_engine.domain.account import EvaluationContext

KEY: Final = "policy"
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
FIELDS: Final = (
    "owner", "channel", "purpose", "topic", "minutes", "audience", "agenda", "expects", "invites", "misfire",
    "group", "send_window",
    "approve", "hand_off", "share",
)  # fmt: skip


@dataclass(slots=True)
class PolicyDirectory:
    """Every replica publishes; the generation is the version of the record, so the order does not matter."""

    database: Database
    outbox: Outbox
    clock: ServiceClock
    context: Callable[[], EvaluationContext]
    published: str | None = None

    async def publish(self) -> None:
        context = self.context()
        if context.policy.hash == self.published:
            return
        data = policy_record(context.policy, context.generation).write()
        async with self.database.transaction() as connection:
            now = self.clock.at(await real_now(connection))
            # Another release may say more of the same policy: what differs has another id.
            record_id = f"{KEY}:{context.generation}:{digest(data.decode()).hex()[:8]}"
            record = Outgoing("directory.policy", KEY, record_id, POLICY_DIRECTORY, now, data)
            await self.outbox.append(connection, [record])
        self.published = context.policy.hash


def policy_record(policy: Policy, version: int) -> PolicyRecord:
    """The record of `directory.policy`."""
    types = [
        {
            "touchpoint_type": name,
            **{field: getattr(kind, field) for field in FIELDS},
            "remind_hours": sorted((ahead // HOUR for ahead in kind.remind), reverse=True),
            "grace_minutes": kind.misfire_grace // MINUTE,
            "approve_hours": None if kind.approve_within is None else max(1, kind.approve_within // HOUR),
        }
        for name, kind in sorted(policy.catalogue.items())
    ]
    hours = policy.content.quiet_hours
    content = {
        "policy": policy.hash,
        "touchpoint_types": types,
        "quiet_hours": hours,
        "send_window": policy.content.send_window,
        "contact_budgets": [
            {
                "name": budget.rule,
                "per": budget.per,
                "at_most": budget.cap.count,
                "within_hours": budget.cap.per // HOUR,
                "channels": budget.channels,
                "exempt": budget.exempt,
            }
            for budget in policy.content.contact_budgets
        ],
        "holidays": policy.content.holidays,
        "version": version,
    }
    return PolicyRecord.model_validate(content, strict=False)
