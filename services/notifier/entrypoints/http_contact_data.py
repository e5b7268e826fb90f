"""HTTP: export what the notifier stores of a contact."""

from fastapi import APIRouter

from services.chassis.problems import Problem
from services.chassis.web import require
from services.notifier.application.export_contact import ContactExport, NotifierContactData


def contact_data_routes(contacts: ContactExport) -> APIRouter:
    router = APIRouter(prefix="/v1/contacts", tags=["personal data"], dependencies=[require("admin")])

    @router.get(
        "/{contact_id:path}/data",
        summary="Everything that the notifier stores of a contact",
        description=(
            "Addresses, preferences and consent, messages with their attempts and texts, opens, clicks, replies,"
            " invitations, drafts and budgets; `retention` says how long each kind is kept. Links in texts are without"
            " the proof with which the contact acts. The audit log records the export."
        ),
        responses={404: {"description": "nothing is stored of this contact"}},
    )
    async def get_contact_data(contact_id: str) -> NotifierContactData:
        data = await contacts.export(contact_id)
        if data is None:
            raise Problem(404, f"Nothing is stored of a contact {contact_id!r}.")
        return data

    return router
