"""The loop that sends the mails of the service itself, one after the other."""

from services.chassis.loops import Loop
from services.chassis.work_poll import FALLBACK_SECONDS
from services.notifier.application.service_mail import MailEnd, ServiceMailing, send_service_mail


def service_mail_loop(mailing: ServiceMailing, work: str) -> Loop:
    """`work`: as of `Loop`."""
    unwritten: list[MailEnd] = []

    async def run_once() -> float | None:
        return 0 if await send_service_mail(mailing, unwritten) else None

    return Loop("service mails", interval=FALLBACK_SECONDS, run_once=run_once, work=work)
