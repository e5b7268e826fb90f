"""The loop that sends the mails of the service itself."""

from services.chassis.loops import Loop
from services.chassis.work_poll import FALLBACK_SECONDS
from services.notifier.application.service_mail import ServiceMailing, send_service_mails

AT_ONCE = 10


def service_mail_loop(mailing: ServiceMailing, work: str) -> Loop:
    """`work`: as of `Loop`."""

    async def run_once() -> float | None:
        return 0 if await send_service_mails(mailing, AT_ONCE) == AT_ONCE else None

    return Loop("service mails", interval=FALLBACK_SECONDS, run_once=run_once, work=work)
