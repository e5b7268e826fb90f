"""Composes what measures opens and clicks of mails to customers: nothing, unless the settings say so."""

from fastapi import APIRouter

from services.chassis.clock import real_now
from services.chassis.loops import Loop
from services.chassis.service import Runtime
from services.chassis.settings import Settings
from services.notifier import settings
from services.notifier.adapters.engagement_requests import (
    EngagementReporter,
    EngagementRequestRepository,
    engagement_loop,
)
from services.notifier.adapters.objection_repository import ObjectionRepository
from services.notifier.adapters.service_mail_repository import ServiceMailRepository
from services.notifier.application.phrases import PhraseBook
from services.notifier.application.track_mail import MailTracking
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.link_token import LinkKeys
from services.notifier.entrypoints.customer_pages import PageServices
from services.notifier.entrypoints.http_tracking import TrackingServices, tracking_routes
from services.notifier.inbound import make_inbound


def make_tracking(configured: Settings, keys: LinkKeys) -> MailTracking | None:
    """None: nothing is measured."""
    kinds = settings.measured(configured)
    return MailTracking(kinds, settings.public_url(configured), keys, real_now) if kinds else None


def make_objections(runtime: Runtime) -> ObjectionRepository:
    return ObjectionRepository(runtime.database, settings.measured(runtime.settings))


def tracking_router(runtime: Runtime, pages: PageServices) -> APIRouter:
    """Links of mails that were sent go on working when nothing is measured any more."""
    requests = EngagementRequestRepository(runtime.database, settings.measured(runtime.settings))
    return tracking_routes(TrackingServices(pages.keys, requests, pages.objections, pages))


def tracking_loop(
    runtime: Runtime, addresses: AddressKey, mails: ServiceMailRepository, book: PhraseBook, keys: LinkKeys
) -> Loop:
    """Reports what was requested to the rules engine."""
    inbound = make_inbound(runtime, addresses, mails, book, keys)
    return engagement_loop(EngagementReporter(runtime.database, inbound))
