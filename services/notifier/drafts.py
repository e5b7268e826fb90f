"""Composes what asks for approvals of messages, and what decides on them."""

from dataclasses import replace

from fastapi import APIRouter

from services.chassis.loops import Loop
from services.chassis.service import Runtime
from services.notifier import settings
from services.notifier.adapters import work
from services.notifier.adapters.draft_reader import DraftRepository
from services.notifier.application.draft_mail import DraftMailing
from services.notifier.application.phrases import PhraseBook
from services.notifier.application.service_mail import ServiceMailing
from services.notifier.application.write_customer_mail import CustomerWriter
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.draft_link import draft_links
from services.notifier.domain.link_token import LinkKeys
from services.notifier.entrypoints.action_pages import ActionServices
from services.notifier.entrypoints.draft_mail_sender import draft_mail_loop
from services.notifier.entrypoints.draft_pages import DraftPages
from services.notifier.entrypoints.http_actions import action_routes
from services.notifier.entrypoints.http_drafts import draft_routes


def draft_router(
    runtime: Runtime, addresses: AddressKey, writer: CustomerWriter, actions: ActionServices
) -> APIRouter:
    """The API of drafts, and the pages of links in mails to people of ours: to touchpoints and to drafts."""
    drafts = DraftRepository(runtime.database, runtime.clock, addresses)
    console_url = settings.console_url(runtime.settings)
    pages = DraftPages(
        drafts, writer, actions.keys, actions.people, actions.book, actions.render, console_url
    )
    router = APIRouter()
    router.include_router(draft_routes(drafts, writer))
    router.include_router(action_routes(replace(actions, others=pages)))
    return router


def draft_loop(
    runtime: Runtime, addresses: AddressKey, mailing: ServiceMailing, book: PhraseBook, keys: LinkKeys
) -> Loop:
    """Asks for approvals by mail. They are written and sent as the mails of the service itself are."""
    configured = runtime.settings
    drafts = DraftRepository(runtime.database, runtime.clock, addresses)
    return draft_mail_loop(
        DraftMailing(
            drafts,
            mailing.writer,
            book,
            mailing.mailer,
            draft_links(settings.public_url(configured), keys),
            settings.console_url(configured),
            settings.fallback_to(configured),
        ),
        work.DRAFT_MAILS,
    )
