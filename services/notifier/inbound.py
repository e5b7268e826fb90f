"""Composes what receives mail, text messages, and the events of mail providers."""

from fastapi import APIRouter

from services.chassis.clock import real_now
from services.chassis.service import Runtime
from services.notifier import settings
from services.notifier.adapters.channels.sns import SnsVerifier, guarded_fetch
from services.notifier.adapters.inbound_repository import InboundRepository
from services.notifier.adapters.preference_repository import PreferenceRepository
from services.notifier.adapters.service_mail_repository import ServiceMailRepository
from services.notifier.adapters.text_consents import TextConsents
from services.notifier.application.answer_news import AnswerWriter
from services.notifier.application.phrases import PhraseBook
from services.notifier.domain.action_token import action_links
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.link_token import LinkKeys
from services.notifier.entrypoints.http_inbound import inbound_routes
from services.notifier.entrypoints.http_inbound_sms import SmsServices, sms_routes
from services.notifier.entrypoints.http_provider_events import ProviderServices, provider_routes


def make_inbound(
    runtime: Runtime, addresses: AddressKey, mails: ServiceMailRepository, book: PhraseBook, keys: LinkKeys
) -> InboundRepository:
    configured = runtime.settings
    writer = AnswerWriter(
        book,
        action_links(settings.public_url(configured), keys),
        settings.console_url(configured),
        settings.fallback_to(configured),
    )
    return InboundRepository(
        runtime.database,
        runtime.outbox,
        runtime.clock,
        addresses,
        mails,
        writer,
        runtime.relay.wake,
        settings.measured(configured),
    )


def inbound_router(
    runtime: Runtime, addresses: AddressKey, mails: ServiceMailRepository, book: PhraseBook, keys: LinkKeys
) -> APIRouter:
    configured = runtime.settings
    inbound = make_inbound(runtime, addresses, mails, book, keys)
    sns = SnsVerifier(
        configured.inbound.ses_topic_arn, guarded_fetch(configured.webhook_allow_private), real_now
    )
    consents = TextConsents(
        runtime.database,
        runtime.clock,
        addresses,
        PreferenceRepository(runtime.database, runtime.outbox, runtime.clock, addresses),
        runtime.relay.wake,
    )
    router = APIRouter()
    router.include_router(inbound_routes(inbound))
    router.include_router(provider_routes(ProviderServices(inbound, sns, configured.inbound.postmark_secret)))
    public_url = settings.public_url(configured)
    router.include_router(sms_routes(SmsServices(inbound, consents, configured.sms.token, public_url)))
    return router
