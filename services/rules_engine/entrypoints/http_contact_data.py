"""HTTP: export what the rules engine stores of a contact."""

from fastapi import APIRouter

from services.chassis.web import require
from services.rules_engine.application.export_contact import ContactExport, EngineContactData


def contact_data_routes(contacts: ContactExport) -> APIRouter:
    router = APIRouter(prefix="/v1/contacts", tags=["personal data"], dependencies=[require("admin")])

    @router.get(
        "/{contact_id:path}/data",
        summary="Everything that the rules engine stores of a contact",
        description=(
            "Facts, answers and preferences of the contact in every account that described them, decisions that name"
            " them, and events that could not be applied; `retention` says how long each kind is kept. Scheduler and"
            " notifier have the same call; `drumbeat export person` puts the three into one document. The audit log"
            " records the export."
        ),
        responses={404: {"description": "no account has stored anything of this contact"}},
    )
    async def get_contact_data(contact_id: str) -> EngineContactData:
        return await contacts.export(contact_id)

    return router
