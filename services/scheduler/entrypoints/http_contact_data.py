"""HTTP: export what the scheduler stores that names a contact."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from schemas.base import Id, SchemaModel
from schemas.retention import RetentionRule
from schemas.times import Instant
from services.chassis.problems import Problem
from services.chassis.web import JSON, require
from services.scheduler.application.export_contact import ContactExport
from services.scheduler.application.read_touchpoints import TouchpointReader
from services.scheduler.entrypoints.http_models import TouchpointItem, show_touchpoints


class SchedulerContactData(SchemaModel):
    """`planned`: open touchpoints that contact the customer; `naming`: those whose reason or notes name the contact."""

    service: str
    contact_id: Id
    exported_at: Annotated[Instant, Field(description="real time")]
    planned: tuple[TouchpointItem, ...]
    naming: tuple[TouchpointItem, ...]
    dead_letters: tuple[Mapping[str, Any], ...]
    retention: tuple[RetentionRule, ...]


def contact_data_routes(contacts: ContactExport, reader: TouchpointReader) -> APIRouter:
    router = APIRouter(prefix="/v1/contacts", tags=["personal data"], dependencies=[require("admin")])

    @router.get(
        "/{contact_id:path}/data",
        summary="Everything that the scheduler stores about a contact",
        description=(
            "The scheduler knows accounts, not contacts: name the accounts of the contact, as the rules engine's"
            " `GET /v1/contacts/{contact_id}/data` lists them. The audit log records the export."
        ),
        responses={404: {"description": "none of these accounts has a calendar"}},
        response_model=SchedulerContactData,
    )
    async def get_contact_data(
        contact_id: str,
        account_id: Annotated[list[Id], Query(min_length=1, max_length=100, description="may be repeated")],
    ) -> JSON:
        data = await contacts.export(contact_id, account_id)
        if data is None:
            raise Problem(404, f"None of these accounts has a calendar: {', '.join(account_id)[:300]}.")
        return JSON(
            {
                "service": "scheduler",
                "contact_id": contact_id,
                "exported_at": data.exported_at,
                "planned": await show_touchpoints(data.planned, reader),
                "naming": await show_touchpoints(data.naming, reader),
                "dead_letters": data.dead_letters,
                "retention": [rule.model_dump() for rule in data.retention],
            }
        )

    return router
