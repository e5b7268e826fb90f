"""All Kafka topics: the event types of each, its writers and readers, and its broker settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from schemas.audit import AUDIT_RECORDED, KEY_USED, AuditEntry, KeyUsed
from schemas.base import SchemaModel
from schemas.directory import (
    ACCOUNT_DIRECTORY,
    CLOCK_DIRECTORY,
    CONTENT_DIRECTORY,
    CSM_DIRECTORY,
    KEY_DIRECTORY,
    MODE_DIRECTORY,
    POLICY_DIRECTORY,
    AccountRecord,
    ClockRecord,
    ContentRecord,
    CsmRecord,
    KeyRecord,
    ModeRecord,
    PolicyRecord,
)
from schemas.events import FACTS, OUTCOMES
from schemas.notices import NOTICE_REQUESTED, NoticeRequested
from schemas.outcomes import DELIVERY_FINISHED, DeliveryFinished
from schemas.plans import PLAN_ADJUSTED, PlanAdjusted
from schemas.touchpoints import TOUCHPOINT_EVENTS, TouchpointData

Party = Literal["rules_engine", "scheduler", "notifier", "outside"]

_DAY_MS: Final = 24 * 3600 * 1000
THIRTY_DAYS_MS: Final = 30 * _DAY_MS
_COMPACTED_MS: Final = 7 * _DAY_MS
"""Within this time a compacted topic drops what a newer record of the same key replaces."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic. No record is older than `retention_ms` by its timestamp, which is the real clock's; None: for ever."""

    name: str
    key: str
    writers: tuple[Party, ...]
    readers: tuple[Party, ...]
    types: tuple[str, ...]
    cleanup: Literal["delete", "compact"]
    retention_ms: int | None
    about: str


MODELS: Final[Mapping[str, type[SchemaModel]]] = {
    **FACTS,
    **OUTCOMES,
    DELIVERY_FINISHED: DeliveryFinished,
    PLAN_ADJUSTED: PlanAdjusted,
    NOTICE_REQUESTED: NoticeRequested,
    ACCOUNT_DIRECTORY: AccountRecord,
    CSM_DIRECTORY: CsmRecord,
    KEY_DIRECTORY: KeyRecord,
    POLICY_DIRECTORY: PolicyRecord,
    CONTENT_DIRECTORY: ContentRecord,
    MODE_DIRECTORY: ModeRecord,
    CLOCK_DIRECTORY: ClockRecord,
    AUDIT_RECORDED: AuditEntry,
    KEY_USED: KeyUsed,
    **dict.fromkeys(TOUCHPOINT_EVENTS, TouchpointData),
}
"""Event type -> model of its data, for all topics."""

TOPICS: Final[tuple[Topic, ...]] = (
    Topic(
        name="account.signals",
        key="account id (csm id for csm.described, * for program.announced)",
        writers=("rules_engine", "notifier", "outside"),
        readers=("rules_engine",),
        types=tuple(FACTS),
        cleanup="delete",
        retention_ms=THIRTY_DAYS_MS,
        about="Facts about accounts.",
    ),
    Topic(
        name="touchpoint.commands",
        key="account id",
        writers=("rules_engine",),
        readers=("scheduler",),
        types=(PLAN_ADJUSTED,),
        cleanup="compact",
        retention_ms=None,
        about="The whole plan of an account; a tombstone on erasure.",
    ),
    Topic(
        name="account.notices",
        key="account id",
        writers=("rules_engine",),
        readers=("notifier",),
        types=(NOTICE_REQUESTED,),
        cleanup="delete",
        retention_ms=THIRTY_DAYS_MS,
        about="Notices to the customer about the cadence itself.",
    ),
    Topic(
        name="directory.accounts",
        key="account id",
        writers=("rules_engine",),
        readers=("scheduler", "notifier"),
        types=(ACCOUNT_DIRECTORY,),
        cleanup="compact",
        retention_ms=None,
        about="Profile, contacts and preferences of accounts.",
    ),
    Topic(
        name="directory.csms",
        key="csm id",
        writers=("rules_engine",),
        readers=("scheduler", "notifier"),
        types=(CSM_DIRECTORY,),
        cleanup="compact",
        retention_ms=None,
        about="Working hours, time zone, capacity and time off of CSMs.",
    ),
    Topic(
        name="directory.keys",
        key="key id",
        writers=("rules_engine",),
        readers=("scheduler", "notifier"),
        types=(KEY_DIRECTORY,),
        cleanup="compact",
        retention_ms=None,
        about="API keys (hash, scopes, expiry), so that every service can check them.",
    ),
    Topic(
        name="directory.policy",
        key="policy",
        writers=("rules_engine",),
        readers=("scheduler", "notifier"),
        types=(POLICY_DIRECTORY,),
        cleanup="compact",
        retention_ms=None,
        about="The touchpoint types and the quiet hours of the policy in force: one record.",
    ),
    Topic(
        name="directory.content",
        key="language/touchpoint type, for the owner language/owner/touchpoint type",
        writers=("rules_engine",),
        readers=("notifier",),
        types=(CONTENT_DIRECTORY,),
        cleanup="compact",
        retention_ms=None,
        about="The content files in force: what customers and owners read.",
    ),
    Topic(
        name="directory.mode",
        key="mode",
        writers=("rules_engine",),
        readers=("notifier",),
        types=(MODE_DIRECTORY,),
        cleanup="compact",
        retention_ms=None,
        about="The mode in force, switched while services run.",
    ),
    Topic(
        name="directory.clock",
        key="clock",
        writers=("rules_engine",),
        readers=("scheduler", "notifier"),
        types=(CLOCK_DIRECTORY,),
        cleanup="compact",
        retention_ms=None,
        about="Where a service clock with rate 0 stands (rehearsals and tests); empty in production.",
    ),
    Topic(
        name="touchpoint.events",
        key="account id",
        writers=("scheduler",),
        readers=("rules_engine", "notifier"),
        types=TOUCHPOINT_EVENTS,
        cleanup="delete",
        retention_ms=THIRTY_DAYS_MS,
        about=(
            "A touchpoint was scheduled, moved or cancelled, has a reminder, came due, is overdue, or will not be done in"
            " time; a record without a value follows the last one about an account that was erased."
        ),
    ),
    Topic(
        name="touchpoint.outcomes",
        key="account id",
        writers=("rules_engine", "scheduler", "notifier", "outside"),
        readers=("rules_engine", "scheduler", "notifier"),
        types=(*OUTCOMES, DELIVERY_FINISHED),
        cleanup="delete",
        retention_ms=THIRTY_DAYS_MS,
        about="Outcomes of touchpoints and messages.",
    ),
    Topic(
        name="audit.entries",
        key="the service that made the change",
        writers=("rules_engine", "scheduler", "notifier"),
        readers=("rules_engine",),
        types=(AUDIT_RECORDED, KEY_USED),
        cleanup="delete",
        retention_ms=365 * _DAY_MS,
        about="Who changed what: policy, content, keys, sessions, preferences, subscriptions, accounts, books, the mode.",
    ),
    Topic(
        name="dead.letters",
        key="the original key",
        writers=("rules_engine", "scheduler", "notifier"),
        readers=("outside",),
        types=(),
        cleanup="delete",
        retention_ms=THIRTY_DAYS_MS,
        about="Records that could not be read, unchanged; headers name the reason and the origin.",
    ),
)


PERSONAL: Final = frozenset(
    {
        "account.signals",
        "touchpoint.commands",
        "account.notices",
        "directory.accounts",
        "touchpoint.events",
        "touchpoint.outcomes",
        "dead.letters",
    }
)
"""The topics with records about contacts, in their values."""
PERSONAL_OF_CSMS: Final = frozenset(
    {"account.signals", "directory.csms", "touchpoint.events", "dead.letters"}
)
"""The topics with records that name CSMs, in their values."""


def ages_out_ms(topic: Topic) -> int:
    """How long after an erasure a record about it may still be read, in milliseconds of real time.

    A broker compacts what is behind the segment that it writes to: in a compacted topic the time counts from the next
    record of the partition on, and takes a segment more.
    """
    return topic.retention_ms or _COMPACTED_MS + _DAY_MS


def broker_configs() -> list[tuple[str, dict[str, str]]]:
    """(name, broker settings) of every topic, as it is created."""
    return [(topic.name, _configs(topic)) for topic in TOPICS]


def _configs(topic: Topic) -> dict[str, str]:
    """Topic settings of Apache Kafka 4.1, times in milliseconds."""
    if topic.retention_ms is None:
        # What a tombstone erases disappears within days; a service that was away for a month still reads the tombstone.
        lags = {"max.compaction.lag.ms": str(_COMPACTED_MS), "delete.retention.ms": str(THIRTY_DAYS_MS)}
        return {"cleanup.policy": topic.cleanup, "retention.ms": "-1", **lags}
    # The record timestamp is the real clock's: by the event's own time the broker would delete a backfill at once. The
    # broker deletes whole segments, when the youngest record is old enough: a segment is of one day.
    retention = str(topic.retention_ms - _DAY_MS)
    return {"cleanup.policy": topic.cleanup, "retention.ms": retention, "segment.ms": str(_DAY_MS)}
