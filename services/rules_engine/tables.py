"""Composes the import and the export of tables: what they are compared with, how events are sent, the dry run."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from fastapi import APIRouter

from services.chassis.compute_budget import ComputeBudget
from services.chassis.problems import Problem
from services.chassis.service import Runtime
from services.connectors.tables.kinds import TABLES, KindName, TableKind
from services.rules_engine.adapters.book_simulation import BookSimulation
from services.rules_engine.adapters.table_repository import TableRepository
from services.rules_engine.application.export_table import export_table
from services.rules_engine.application.import_table import (
    Event,
    ImportPorts,
    ImportResult,
    SentRow,
    import_table,
)
from services.rules_engine.entrypoints.event_scopes import missing_scope
from services.rules_engine.entrypoints.http_exports import export_routes
from services.rules_engine.entrypoints.http_imports import TableRequest, import_routes
from services.rules_engine.entrypoints.http_ingest import Ingest


@dataclass(frozen=True, slots=True)
class Tables:
    """The routes of tables."""

    runtime: Runtime
    ingest: Ingest
    simulation: BookSimulation
    budget: ComputeBudget
    """For exports: who may only read must not take the processor from the engine."""

    @property
    def _repository(self) -> TableRepository:
        return TableRepository(self.runtime.database, self.runtime.relay.wake)

    def routers(self) -> tuple[APIRouter, APIRouter]:
        records = self._repository
        return (
            import_routes(self._import, self.simulation.forecast, records.record_import),
            export_routes(self._export, records.record_export),
        )

    async def _import(self, file: IO[bytes], wanted: TableRequest) -> tuple[ImportResult, datetime]:
        key = wanted.key

        async def send(events: Sequence[Event]) -> list[SentRow]:
            items = await self.ingest.take(events, key, validate_only=wanted.validate_only)
            return [SentRow(item.status, item.problem, item.warnings) for item in items]

        def check_kind(kind: TableKind) -> None:
            problem = missing_scope(kind.event_type, key)
            if problem is not None:
                raise Problem(403, f"The import needs another key: {problem}.")

        moment = wanted.as_of or self.runtime.clock.now()
        ports = ImportPorts(self._repository, check_kind, send)
        result = await import_table(file, wanted.options, moment, ports, keep_events=wanted.validate_only)
        return result, moment

    def _export(self, kind: KindName) -> AsyncIterator[str]:
        return export_table(TABLES[kind], self._repository, self.budget.run)
