"""The clock knocks: senders of mail and webhooks, and the sweep that rouses what was held.

No task holds a transaction while it talks to the outside. What a sender could not write down is tried again;
what it never came to write is claimed by another one when the lease ends.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from services.chassis.clock import real_now
from services.chassis.faults import fault
from services.chassis.loops import Loop
from services.notifier.application.deliver_webhooks import call_hook
from services.notifier.application.ports import Desk, Poster, Settled, Sign, WebhookClaim
from services.notifier.application.send_messages import Post, tell_people

log = structlog.get_logger(__name__)

PEOPLE_AT_ONCE = 50
HOOKS_AT_ONCE = 200
CLAIMED_AT_MOST = 500  # on their way, waiting for a worker, or not yet written down
WORTH_CLAIMING = 150  # room for fewer is left to gather
FRESH = 45.0  # real seconds from the claim in which an attempt may begin: it ends before the lease of 90 s
SETTLE_AT_ONCE = 300
WORTH_SETTLING = 150  # outcomes; fewer wait a moment for company while others are under way
COMPANY = 0.02  # real seconds
FALLBACK_POLL = 0.5  # real seconds; intake wakes the senders in process, this finds what others left


class Sweeper(Protocol):
    async def rouse(self) -> int: ...

    async def close_orphans(self) -> int: ...


def people_sender(desk: Desk, post: Post, reported: Callable[[], None]) -> Loop:
    """Tells people; one batch after another."""

    async def run_once() -> float | None:
        claims, directory, now = await desk.claim_people(PEOPLE_AT_ONCE)
        if not claims:
            return None
        settled = await tell_people(claims, directory, now, post=post)
        fault("sender.after_send")
        await desk.complete(settled)
        reported()
        return 0

    return Loop("people sender", interval=FALLBACK_POLL, run_once=run_once)


def sweep(desk: Sweeper, senders: Sequence[Loop], *, interval: float) -> Loop:
    """Rouses what was held on the service clock; `interval` in real seconds."""

    async def run_once() -> float | None:
        roused = await desk.rouse()
        closed = await desk.close_orphans()
        if roused:
            for each in senders:
                each.wake()
        return 0 if roused or closed else None

    return Loop("delivery sweep", interval=interval, run_once=run_once)


class HookSender:
    """Keeps up to two hundred webhooks under way and writes their outcomes down in batches.

    The next ones are claimed while those before are sent and written down, so that no worker waits for the
    database; and workers live as long as there is work: a task for each webhook costs a third more CPU.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        poster: Poster,
        sign: Sign,
        instant: Callable[[datetime], str],
        reported: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._poster = poster
        self._sign = sign
        self._instant = instant
        self._reported = reported
        self._waiting: deque[tuple[float, WebhookClaim]] = deque()  # with the moment before it was claimed
        self._under_way: Counter[str] = Counter()  # by endpoint
        self._workers: set[asyncio.Task[None]] = set()
        self._settled: deque[Settled] = deque()
        self._waited = False
        self.claiming = Loop("webhook sender", interval=FALLBACK_POLL, run_once=self.claim_once)
        self.settling = Loop("webhook outcomes", interval=FALLBACK_POLL, run_once=self.settle_once)

    async def claim_once(self) -> float | None:
        """Put on their way as many as there is room for; 0 when there may be more."""
        room = CLAIMED_AT_MOST - self._under_way.total() - len(self._settled)
        if room < WORTH_CLAIMING:
            return None  # woken when outcomes are written
        began = asyncio.get_running_loop().time()
        claims, _ = await self._desk.claim_webhooks(room, self._under_way)
        self._waiting.extend((began, each) for each in claims)
        self._under_way.update(each.endpoint.id for each in claims)
        for _ in range(min(len(self._waiting), HOOKS_AT_ONCE - len(self._workers))):
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        return 0 if claims else None

    async def _work(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._waiting:
            began, claim = self._waiting.popleft()
            try:
                if clock() - began > FRESH:
                    log.warning("webhook.claim_went_stale", delivery=claim.delivery.id)
                    continue  # it may be another's by now: whoever claims it next sends it
                self._settled.append(await self._call(claim))
            except Exception:
                log.exception("webhook.attempt_broke", delivery=claim.delivery.id)  # its lease will end
            finally:
                self._under_way[claim.endpoint.id] -= 1
            if len(self._settled) in (1, WORTH_SETTLING):
                self.settling.wake()

    async def _call(self, claim: WebhookClaim) -> Settled:
        return await call_hook(
            claim, at=real_now(), poster=self._poster, sign=self._sign, instant=self._instant(claim.time)
        )

    async def settle_once(self) -> float | None:
        """Write down what came of the attempts, many at a time."""
        alone = 0 < len(self._settled) < WORTH_SETTLING and self._under_way.total() > 0
        if alone and not self._waited:
            self._waited = True
            return COMPANY
        self._waited = False
        return await self._settle()

    async def _settle(self) -> float | None:
        batch = [self._settled.popleft() for _ in range(min(SETTLE_AT_ONCE, len(self._settled)))]
        if not batch:
            return None
        fault("sender.after_send")
        try:
            await self._desk.complete(batch)
        except Exception:
            self._settled.extendleft(reversed(batch))
            raise
        self._reported()
        self.claiming.wake()
        return 0 if self._settled else None

    async def close(self) -> None:
        """Give what is under way a moment, and write down what came of it."""
        if self._workers:
            await asyncio.wait(list(self._workers), timeout=5)
        for each in list(self._workers):
            each.cancel()
        while self._settled:
            await self._settle()
