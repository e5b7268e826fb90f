"""Records of mails while they are handed over: what begins, and how each ended, together for all connections.

Whoever waits joins the next transaction, so that many connections share one. Outcomes that cannot be written because the
database is away are kept and written when it returns; nothing begins meanwhile.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from services.chassis.database import INFRASTRUCTURE
from services.chassis.faults import fault
from services.chassis.outages import AWAY, OUTAGES
from services.chassis.tracing import traces
from services.notifier.adapters.delivery_queue import DeliveryQueue
from services.notifier.application.mail_ports import BeginningMail, OptOuts
from services.notifier.application.ports import ClaimResult

log = structlog.get_logger(__name__)

LONGEST_RETRY_SECONDS = 5.0
CLOSE_SECONDS = 5.0
REPORTER = "mail recorder"
_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class _Begin:
    mail: BeginningMail
    done: "asyncio.Future[OptOuts | None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


@dataclass(slots=True)
class _End:
    results: Sequence[ClaimResult]
    done: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class MailRecorder:
    """Implements the port `MailRecorder`. `reported`: called when outcomes are recorded."""

    def __init__(self, queue: DeliveryQueue, reported: Callable[[], None]) -> None:
        self._queue = queue
        self._reported = reported
        self._begins: list[_Begin] = []
        self._ends: list[_End] = []
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    async def begin(self, mail: BeginningMail) -> OptOuts | None:
        traces().link([claim.delivery.id for claim in mail.claims])
        begin = _Begin(mail)
        self._begins.append(begin)
        self._start()
        opt_outs = await begin.done
        fault("sender.after_begin")
        return opt_outs

    async def record(self, results: Sequence[ClaimResult]) -> None:
        """Never raises: what cannot be recorded at all is logged, and its lease ends."""
        fault("sender.after_send")
        end = _End(results)
        self._ends.append(end)
        self._start()
        await end.done

    async def close(self) -> None:
        """Give up on what the database does not take within some seconds: its leases end."""
        self._is_closing = True
        if self._task is not None:
            await asyncio.wait([self._task], timeout=CLOSE_SECONDS)

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        failures = 0
        while self._begins or self._ends:
            begins, self._begins = self._begins, []
            ends, self._ends = self._ends, []
            try:
                await self._write(begins, ends)
                failures = 0
                OUTAGES.works(REPORTER)
            except INFRASTRUCTURE as problem:
                failures += 1
                _note_failure(problem, failures, keeps_outcomes=bool(ends))
                for begin in begins:
                    _answer(begin.done, None)
                self._ends = [*ends, *self._ends]
                if self._is_closing:
                    self._give_up_recording()
                    return
                await asyncio.sleep(min(0.1 * 2**failures, LONGEST_RETRY_SECONDS))
            except Exception:
                log.exception("mails.not_recorded_together", mails=len(begins) + len(ends))
                await self._write_one_by_one(begins, ends)

    async def _write(self, begins: Sequence[_Begin], ends: Sequence[_End]) -> None:
        results = [result for end in ends for result in end.results]
        opt_outs = await self._queue.hand_over([begin.mail for begin in begins], results)
        for end in ends:
            _answer(end.done, None)
        for begin, found in zip(begins, opt_outs, strict=True):
            _answer(begin.done, found)
        if ends:
            self._reported()

    async def _write_one_by_one(self, begins: Sequence[_Begin], ends: Sequence[_End]) -> None:
        """One that cannot be written must not stop the others."""
        for begin in begins:
            try:
                await self._write([begin], [])
            except Exception:
                log.exception("mail.not_begun", message=begin.mail.claims[0].message_id)
                _answer(begin.done, None)
        for end in ends:
            try:
                await self._write([], [end])
            except INFRASTRUCTURE:
                self._ends.append(end)
            except Exception:
                log.exception("mail.not_recorded", deliveries=[result.delivery.id for result in end.results])
                _answer(end.done, None)

    def _give_up_recording(self) -> None:
        ends, self._ends = self._ends, []
        log.error("mails.not_recorded", mails=len(ends))
        for end in ends:
            _answer(end.done, None)


def _note_failure(problem: Exception, failures: int, *, keeps_outcomes: bool) -> None:
    """An outage is a line of the whole process. Only who keeps outcomes tries again, and can say that it works."""
    if keeps_outcomes and OUTAGES.report(REPORTER, problem):
        return
    if failures == 1 and not isinstance(problem, AWAY):
        log.warning("mails.wait_for_database", problem=repr(problem))


def _answer(waiting: "asyncio.Future[_Answer]", answer: _Answer) -> None:
    """Whoever waited may have gone."""
    if not waiting.done():
        waiting.set_result(answer)
