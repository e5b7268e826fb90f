"""Composes what sends messages: the mail relay, and the gateways for short texts."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter

from services.chassis.clock import real_now
from services.chassis.mail_server import find_mail_problem
from services.chassis.settings import Settings
from services.chassis.text_channels import closed_channels
from services.notifier import settings
from services.notifier.adapters.channels.email import Mailer, OnWritten, Tls
from services.notifier.adapters.channels.gateway_client import GatewayClient
from services.notifier.adapters.channels.phone import PhoneSender, PhoneTasks
from services.notifier.adapters.channels.slack import SlackSender, SlackWorkspace
from services.notifier.adapters.channels.sms import SmsAccount, SmsSender
from services.notifier.adapters.channels.traced_attempts import TracedSender
from services.notifier.application.text_ports import TextSender, TextSending
from services.notifier.entrypoints.http_channels import ChannelServices, MailRoute, channel_routes
from services.notifier.entrypoints.http_inbound_sms import STATUS_PATH


@dataclass(frozen=True, slots=True)
class TextChannels:
    """How short texts are sent, and the connections that this takes."""

    sending: TextSending
    clients: Sequence[GatewayClient]

    async def start(self) -> None:
        for client in self.clients:
            await client.start()

    async def stop(self) -> None:
        for client in self.clients:
            await client.stop()


def make_text_channels(configured: Settings) -> TextChannels:
    closed, private = closed_channels(configured), configured.webhook_allow_private
    senders, clients = dict[str, TextSender](), list[GatewayClient]()
    account, workspace = _sms_account(configured), _slack_workspace(configured)
    if account is not None and "sms" not in closed:
        clients.append(GatewayClient(private, "the gateway for text messages"))
        senders["sms"] = SmsSender(clients[-1], account)
    if workspace is not None and "slack" not in closed:
        clients.append(GatewayClient(private, "Slack"))
        senders["slack"] = SlackSender(clients[-1], workspace)
    if configured.phone.url is not None:
        clients.append(GatewayClient(private, "the receiver of telephone tasks"))
        tasks = PhoneTasks(configured.phone.url, configured.phone.token)
        senders["call"] = PhoneSender(clients[-1], tasks)
    traced = {channel: TracedSender(channel, sender) for channel, sender in senders.items()}
    return TextChannels(TextSending(traced, closed, configured.sms.takes_answers), clients)


def _sms_account(configured: Settings) -> SmsAccount | None:
    sms = configured.sms
    if sms.account is None or sms.token is None:
        return None
    return SmsAccount(
        url=sms.url,
        account=sms.account,
        token=sms.token,
        sender=sms.sender,
        messaging_service=sms.messaging_service,
        status_url=f"{settings.public_url(configured)}{STATUS_PATH}",
        redirect_to=sms.redirect_to,
    )


def _slack_workspace(configured: Settings) -> SlackWorkspace | None:
    slack = configured.slack
    return SlackWorkspace(slack.url, slack.token, slack.redirect_to) if slack.token is not None else None


def make_mailer(configured: Settings, on_written: OnWritten) -> Mailer:
    email = configured.email
    return Mailer(
        email.host,
        email.port,
        sender=settings.sender(configured),
        username=email.username,
        password=email.password,
        tls=Tls(email.tls),
        on_written=on_written,
    )


def channel_router(configured: Settings, mailer: Mailer) -> APIRouter:
    email = configured.email

    async def find_problem() -> str | None:
        problem = await find_mail_problem(email)
        return None if problem is None else str(problem)

    mailbox = settings.sender(configured).mailbox
    route = MailRoute(
        f"{email.host}:{email.port}" if email.is_relay else None,
        f"{mailbox.name} <{mailbox.address}>" if mailbox.name else mailbox.address,
        email.redirect_to,
        configured.mail_hold(),
    )
    closed = closed_channels(configured)
    return channel_routes(ChannelServices(route, closed, find_problem, mailer, real_now))
