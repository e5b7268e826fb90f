"""Composes what is asked and changed of one contact over the API: preferences, and the export of personal data."""

from fastapi import APIRouter

from services.chassis.service import Runtime
from services.notifier.adapters.contact_export import PostgresContactExport
from services.notifier.application.read_models import Preferences
from services.notifier.domain.addresses import AddressKey
from services.notifier.entrypoints.http_contact_data import contact_data_routes
from services.notifier.entrypoints.http_preferences import preference_routes


def contact_router(runtime: Runtime, addresses: AddressKey, preferences: Preferences) -> APIRouter:
    export = PostgresContactExport(
        runtime.database, addresses, runtime.settings.retention, runtime.relay.wake
    )
    router = APIRouter()
    router.include_router(preference_routes(preferences))
    router.include_router(contact_data_routes(export))
    return router
