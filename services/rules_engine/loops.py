"""The loops of the engine beside its consumer: what is published again, ranked, told to customers and dropped by age."""

from datetime import timedelta
from functools import partial

from services.chassis.database import Database
from services.chassis.loops import Loop
from services.chassis.partitions import partition_loop
from services.chassis.pruning import prune_loop
from services.chassis.service import Runtime
from services.chassis.work_poll import FALLBACK_SECONDS
from services.rules_engine.adapters import work
from services.rules_engine.adapters.active_policy import ActivePolicy
from services.rules_engine.adapters.audit_repository import AuditRepository
from services.rules_engine.adapters.content_directory import ContentDirectory
from services.rules_engine.adapters.decision_rows import DECISIONS
from services.rules_engine.adapters.notice_repository import NoticeRepository
from services.rules_engine.adapters.policy_directory import PolicyDirectory
from services.rules_engine.adapters.progress_queries import count_undecided
from services.rules_engine.adapters.ranking_repository import Ranking
from services.rules_engine.domain.account import EvaluationContext
from services.rules_engine.entrypoints.cadence_notices import CadenceNotices
from services.rules_engine.metrics import UNDECIDED
from services.rules_engine.people import people_loops


def engine_loops(runtime: Runtime, active_policy: ActivePolicy) -> tuple[Loop, ...]:
    """All of them."""
    return (
        *_directory_loops(runtime, active_policy),
        _undecided_loop(runtime.database),
        *_retention_loops(runtime),
    )


def reads_ranks(context: EvaluationContext) -> bool:
    """Whether the policy or an audience reads the rank of an account by revenue."""
    return "arr_percentile" in context.policy.reads | context.portfolio.reads


def _undecided_loop(database: Database) -> Loop:
    async def run_once() -> None:
        UNDECIDED.set(await count_undecided(database))

    return Loop("undecided accounts", interval=5.0, run_once=run_once)


def _retention_loops(runtime: Runtime) -> tuple[Loop, ...]:
    """What nobody works on any more is dropped by age, in real time."""
    database, retention = runtime.database, runtime.settings.retention
    audit_kept = timedelta(days=retention.audit_days)
    drop_audit = partial(AuditRepository(database).drop_old, audit_kept)
    return (
        partition_loop(database, DECISIONS, keep=timedelta(days=retention.decisions_days)),
        prune_loop(database, "receipt", "seen_at", keep=timedelta(days=retention.receipts_days)),
        prune_loop(database, "parked", "parked_at", keep=timedelta(days=retention.dead_letters_days)),
        *people_loops(runtime),
        Loop("prune audit_entry", interval=60.0, run_once=drop_audit),
    )


def _directory_loops(runtime: Runtime, active_policy: ActivePolicy) -> tuple[Loop, ...]:
    """Publish what others need of the policy in force, rank what it reads ranks of, tell customers their cadence."""
    database, outbox, clock = runtime.database, runtime.outbox, runtime.clock
    policy = PolicyDirectory(database, outbox, clock, active_policy.context)
    content = ContentDirectory(database, outbox, clock, active_policy.context)
    notices = partial(NoticeRepository, outbox=outbox)
    cadence_notices = CadenceNotices(database, clock, active_policy.context, notices, runtime.relay.wake)
    ranking = Ranking(database, clock, lambda: reads_ranks(active_policy.context()))
    return (
        Loop("policy directory", interval=1.0, run_once=policy.publish),
        Loop("content directory", interval=1.0, run_once=content.publish),
        Loop(
            "cadence notices",
            interval=FALLBACK_SECONDS,
            run_once=cadence_notices.run_once,
            work=work.NOTICES,
        ),
        Loop("ranking", interval=5.0, run_once=ranking.run_once),
    )
