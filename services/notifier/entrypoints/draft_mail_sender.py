"""The loop that sends the mails about drafts."""

import structlog

from services.chassis.loops import Loop
from services.chassis.work_poll import FALLBACK_SECONDS
from services.notifier.application.draft_mail import DraftMailing, send_draft_mails

log = structlog.get_logger(__name__)

AT_ONCE = 20


def draft_mail_loop(mailing: DraftMailing, work: str) -> Loop:
    """`work`: as of `Loop`."""

    async def run_once() -> float | None:
        sent = await send_draft_mails(mailing, AT_ONCE)
        for draft_id, problem in sent.failed.items():
            log.warning("drafts.mail_failed", draft=draft_id, problem=problem)
        return 0 if sent.drafts == AT_ONCE else None

    return Loop("draft mails", interval=FALLBACK_SECONDS, run_once=run_once, work=work)
