"""Composes what is asked about personal data: its export and its erasure."""

from collections.abc import Callable

from fastapi import APIRouter

from services.chassis.service import Runtime
from services.rules_engine.adapters.contact_export import PostgresContactExport
from services.rules_engine.adapters.csm_erasure import CsmErasureRepository
from services.rules_engine.adapters.erasure_repository import ErasureRepository
from services.rules_engine.domain.account import EvaluationContext
from services.rules_engine.entrypoints.http_contact_data import contact_data_routes
from services.rules_engine.entrypoints.http_erasure import csm_erasure_routes, erasure_routes


def privacy_routers(
    runtime: Runtime, context: Callable[[], EvaluationContext]
) -> tuple[APIRouter, APIRouter, APIRouter]:
    database, relay = runtime.database, runtime.relay
    return (
        erasure_routes(ErasureRepository(database, runtime.outbox, relay, runtime.clock, context)),
        csm_erasure_routes(CsmErasureRepository(database, runtime.outbox, relay, runtime.clock)),
        contact_data_routes(PostgresContactExport(database, relay, runtime.settings.retention)),
    )
