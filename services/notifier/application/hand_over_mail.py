"""Hand a message to its relay or gateway: begin under the lease, decide once more, record the outcome before the next."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.notifier.application.mail_ports import (
    BeginningMail,
    Handover,
    Mail,
    Mailer,
    MailRecorder,
    OptOuts,
)
from services.notifier.application.ports import ClaimResult
from services.notifier.domain.delivery import Response
from services.notifier.domain.situation import Directory

StopMail = Callable[[OptOuts], Sequence[ClaimResult]]
"""The results of a mail that must not go after all; none: it goes."""
ResultsOf = Callable[[Response], Sequence[ClaimResult]]
Send = Callable[[Handover], Awaitable[Response]]
"""Makes one attempt, which begins and ends the handover."""


def with_opt_outs(directory: Directory, opt_outs: OptOuts) -> Directory:
    """The directory as it was when the mail was decided on, with the opt-outs of now."""
    return replace(
        directory,
        preferences={**directory.preferences, **opt_outs.preferences},
        consents={**directory.consents, **opt_outs.consents},
        unknown_addresses=directory.unknown_addresses | opt_outs.unknown_addresses,
        mode=opt_outs.mode,
    )


def _go(_: OptOuts) -> Sequence[ClaimResult]:
    """For mails that nobody opts out of."""
    return ()


@dataclass(slots=True)
class _Handover:
    """Implements the port `Handover`. `open_results`: what is still to be recorded; None: that of the response."""

    mail: BeginningMail
    recorder: MailRecorder
    results_of: ResultsOf
    stop: StopMail
    open_results: Sequence[ClaimResult] | None = field(default=None)

    async def begin(self) -> bool:
        opt_outs = await self.recorder.begin(self.mail)
        stopped = () if opt_outs is None else self.stop(opt_outs)
        if opt_outs is None or stopped:
            self.open_results = stopped
            return False
        return True

    async def end(self, response: Response) -> None:
        await self.recorder.record(self.results_of(response))
        self.open_results = ()


async def hand_over_mail(
    mail: Mail,
    beginning: BeginningMail,
    through: tuple[Mailer, MailRecorder],
    at: datetime,
    *,
    results_of: ResultsOf,
    stop: StopMail = _go,
) -> Sequence[ClaimResult]:
    """Make one attempt at this real moment; returns the results that are not recorded yet.

    A mail whose lease is lost has none.
    """
    mailer, recorder = through

    def send(handover: Handover) -> Awaitable[Response]:
        return mailer.send(mail, at=at, handover=handover)

    return await hand_over(send, beginning, recorder, results_of=results_of, stop=stop)


async def hand_over(
    send: Send,
    beginning: BeginningMail,
    recorder: MailRecorder,
    *,
    results_of: ResultsOf,
    stop: StopMail = _go,
) -> Sequence[ClaimResult]:
    """The same for a message that goes another way."""
    handover = _Handover(beginning, recorder, results_of, stop)
    response = await send(handover)
    return results_of(response) if handover.open_results is None else handover.open_results
