"""The workers: senders of messages and webhooks, and the sweep that wakes what is due on the service clock.

No worker holds a transaction while it talks to the outside. A result that could not be recorded is recorded
again; one that was lost with its process is claimed by another sender when the lease ends.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence

import structlog

from services.chassis.clock import monotonic, real_now
from services.chassis.database import INFRASTRUCTURE
from services.chassis.faults import fault
from services.chassis.loops import Loop
from services.chassis.outages import OUTAGES
from services.chassis.work_poll import FALLBACK_SECONDS
from services.notifier.application.calendar import Calendar, CalendarAway
from services.notifier.application.deliver_webhooks import deliver_webhook
from services.notifier.application.open_day import Days, Opening, read_day
from services.notifier.application.ports import DeliveryQueue, WebhookClaim, WebhookResult
from services.notifier.application.send_messages import send_messages
from services.notifier.application.sending import Sending
from services.notifier.application.webhook_ports import WebhookClient

log = structlog.get_logger(__name__)

MESSAGES_AT_ONCE = 50
WEBHOOKS_AT_ONCE = 64  # as long as endpoints answer; more tasks only cost more
MOST_AT_ONCE = 200  # when endpoints are slow
SLOW_SECONDS = 0.25  # real time that a claim waits for a task until endpoints count as slow
MOST_CLAIMED = 1000  # under way, waiting for a task, or not yet recorded
LEAST_TO_CLAIM = 300  # while fewer may be claimed, wait until there is room for more
FRESH_SECONDS = (
    45.0  # real time from the claim in which an attempt may begin, so that it ends within the 90 s lease
)
MOST_RECORDED_AT_ONCE = 600
LEAST_TO_RECORD = 400  # fewer results wait a moment for others while webhooks are under way
GATHER_SECONDS = 0.05  # real time; each transaction costs as much as some ten webhooks
AWAY_SECONDS = 5.0  # real time until a calendar that was away is asked again
RECORD_SECONDS = 0.5  # real time


def message_sender(queue: DeliveryQueue, sending: Sending, reported: Callable[[], None], work: str) -> Loop:
    """Sends messages to people, one batch after another. `work`: as of `Loop`."""

    async def run_once() -> float | None:
        claims, directory, now = await queue.claim_messages(MESSAGES_AT_ONCE)
        if not claims:
            return None
        await queue.complete(await send_messages(claims, directory, now, sending=sending))
        reported()
        return 0

    return Loop("people sender", interval=FALLBACK_SECONDS, run_once=run_once, work=work)


def sweep(queue: DeliveryQueue, sender: Loop, work: str) -> Loop:
    """Wakes what is due on the service clock and closes orphans. `work`: as of `Loop`."""

    async def run_once() -> float | None:
        woken = await queue.wake_due()
        closed = await queue.close_orphans()
        if woken:
            sender.wake()
        return 0 if woken or closed else None

    return Loop("delivery sweep", interval=FALLBACK_SECONDS, run_once=run_once, work=work)


def day_opener(days: Days, calendar: Calendar, sender: Loop, work: str) -> Loop:
    """Opens the days of people of ours. While the scheduler is away, the mails wait. `work`: as of `Loop`."""
    again_at = 0.0

    async def open_one(opening: Opening) -> bool:
        try:
            await days.open(opening, await read_day(opening, calendar))
        except CalendarAway as problem:
            OUTAGES.report("calendar", TimeoutError(str(problem)), part="scheduler")
            return False
        OUTAGES.works("calendar")
        return True

    async def run_once() -> float | None:
        nonlocal again_at
        if (pause := again_at - monotonic()) > 0:
            return pause
        openings = await days.mornings()
        if not openings:
            OUTAGES.works("calendar")
        opened = [await open_one(opening) for opening in openings]
        if any(opened):
            sender.wake()
        if not all(opened):
            again_at = monotonic() + AWAY_SECONDS
            return AWAY_SECONDS
        return 0 if openings else None

    return Loop("day opener", interval=FALLBACK_SECONDS, run_once=run_once, work=work)


class WebhookSender:
    """Keeps up to two hundred webhooks under way and records their results in batches.

    The next ones are claimed while those before are sent and recorded, so that no task waits for the database.
    A task lives as long as there is work: one task for each webhook costs a third more CPU.
    """

    def __init__(
        self,
        queue: DeliveryQueue,
        *,
        client: WebhookClient,
        reported: Callable[[], None],
        work: str | None = None,
    ) -> None:
        """`work`: as of `Loop`."""
        self._queue = queue
        self._client = client
        self._reported = reported
        self._waiting: deque[tuple[float, WebhookClaim]] = deque()  # with the moment before it was claimed
        self._under_way: Counter[str] = Counter()  # by endpoint
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: deque[WebhookResult] = deque()
        self._has_gathered = False
        self._is_recording_late = False
        self.claiming = Loop(
            "webhook sender",
            interval=FALLBACK_SECONDS,
            run_once=self.claim_once,
            is_busy=self._is_busy,
            work=work,
        )
        self.recording = Loop("webhook outcomes", interval=RECORD_SECONDS, run_once=self.record_once)

    def _is_busy(self) -> bool:
        return self._under_way.total() > 0 or bool(self._results)

    async def claim_once(self) -> float | None:
        """Claim and start as many as there is room for; 0 when there may be more.

        None while results cannot be recorded: their leases end, and what was sent would be claimed again.
        """
        if self._is_recording_late:
            return None
        room = MOST_CLAIMED - self._under_way.total() - len(self._results)
        began = asyncio.get_running_loop().time()
        claims: Sequence[WebhookClaim] = ()
        if room >= LEAST_TO_CLAIM:  # else woken when results are recorded
            claims = await self._queue.claim_webhooks(room, self._under_way)
            self._waiting.extend((began, claim) for claim in claims)
            self._under_way.update(claim.endpoint.id for claim in claims)
        self._start_tasks(began)
        return 0 if claims else None

    def _start_tasks(self, now: float) -> None:
        """As many as are worth it for what waits; more where endpoints are slow."""
        is_slow = bool(self._waiting) and now - self._waiting[0][0] > SLOW_SECONDS
        at_once = MOST_AT_ONCE if is_slow else WEBHOOKS_AT_ONCE
        for _ in range(min(len(self._waiting), at_once - len(self._tasks))):
            task = asyncio.create_task(self._send_waiting())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send_waiting(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._waiting:
            began, claim = self._waiting.popleft()
            try:
                if clock() - began > FRESH_SECONDS:
                    log.warning("webhook.claim_went_stale", delivery=claim.delivery_id)
                    continue  # the lease may have ended: whoever claims it next sends it
                self._results.append(await deliver_webhook(claim, at=real_now(), client=self._client))
            except Exception:
                log.exception("webhook.attempt_broke", delivery=claim.delivery_id)  # its lease will end
            finally:
                self._under_way[claim.endpoint.id] -= 1
            if len(self._results) in (1, LEAST_TO_RECORD):
                self.recording.wake()

    async def record_once(self) -> float | None:
        """Record results, many at a time."""
        is_few = 0 < len(self._results) < LEAST_TO_RECORD and self._under_way.total() > 0
        if is_few and not self._has_gathered:
            self._has_gathered = True
            return GATHER_SECONDS
        self._has_gathered = False
        return await self._record()

    async def _record(self) -> float | None:
        batch = [self._results.popleft() for _ in range(min(MOST_RECORDED_AT_ONCE, len(self._results)))]
        if not batch:
            return None
        fault("sender.after_send")
        try:
            await self._queue.complete_webhooks(batch)
        except Exception:
            self._results.extendleft(reversed(batch))
            self._is_recording_late = True
            raise
        self._is_recording_late = False
        self._reported()
        self.claiming.wake()
        return 0 if self._results else None

    async def close(self) -> None:
        """Wait a moment for what is under way, then record the results."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=5)
        for task in list(self._tasks):
            task.cancel()
        try:
            while self._results:
                await self._record()
        except INFRASTRUCTURE:
            log.exception("webhooks.not_recorded", webhooks=len(self._results))  # their leases will end
