"""The loop that sends the mails about drafts."""

from services.chassis.loops import Loop
from services.notifier.application.draft_mail import DraftMailing, send_draft_mails

AT_ONCE = 20
INTERVAL_SECONDS = 1.0  # real time


def draft_mail_loop(mailing: DraftMailing) -> Loop:
    async def run_once() -> float | None:
        return 0 if await send_draft_mails(mailing, AT_ONCE) == AT_ONCE else None

    return Loop("draft mails", interval=INTERVAL_SECONDS, run_once=run_once)
