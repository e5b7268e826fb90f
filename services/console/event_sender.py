"""Sends events until each has a result: waits as the server asks, and sends the rest of a request again."""

import gc
import time
from collections.abc import Callable, Iterable
from typing import Final

from services.console.client import NAMES, ApiClient, CallFailed, Unreachable
from services.console.event_batches import EventBatch
from services.console.json_fields import Json
from services.console.posted_events import PostedEvents
from services.console.posting_progress import Posted

GIVE_UP_SECONDS: Final = 300.0
"""Real time that is waited without progress; then the run ends, and can be resumed."""
FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 60.0
MOST_LISTED: Final = 10_000
"""Events that were not accepted, one by one; all of them are counted."""
COLLECTED_REQUESTS: Final = 40
"""Requests after which memory is freed: each leaves a cycle of few objects and many bytes, the two bodies, and the
collector counts objects only. Over 770 requests they grew to 100 MB."""
_BUSY: Final = (429, 503)


class EventSender:
    """Sends batches in order. `say`: shows a sentence to whoever waits; `rejected`: what was not accepted."""

    def __init__(self, api: ApiClient, posted: Posted, say: Callable[[str], None]) -> None:
        self._api = api
        self._posted = posted
        self._say = say
        self._waited_seconds = 0.0
        self._next_wait_seconds = FIRST_WAIT_SECONDS
        self._requests = 0
        self.rejected: list[Json] = []

    def send(self, batch: EventBatch) -> None:
        """Send what has no result yet. Raises `CallFailed`: `posted` says how far it came."""
        while (start := self._posted.sent - batch.first) < batch.count:
            self._requests += 1
            if self._requests % COLLECTED_REQUESTS == 0:
                gc.collect()
            answer = self._api.offer_events(batch.content(start), batch.media_type)
            if self._count(answer.results):
                self._waited_seconds, self._next_wait_seconds = 0.0, FIRST_WAIT_SECONDS
            if self._posted.sent < batch.first + batch.count:
                self._wait_after(answer)

    def _count(self, results: Iterable[Json]) -> bool:
        """Count results up to the first event that the broker did not acknowledge. Returns whether there were any."""
        before = self._posted.sent
        for result in results:
            status = result.get("status")
            if status == "unknown":
                break
            index = self._posted.sent
            self._posted.sent += 1
            if status == "accepted":
                self._posted.accepted += 1
                continue
            self._posted.refusals.add(result, index + 1)
            if len(self.rejected) < MOST_LISTED:
                self.rejected.append({**result, "index": index, "position": index + 1})
        return self._posted.sent > before

    def _wait_after(self, answer: PostedEvents) -> None:
        """Raises `CallFailed` where waiting does not help, or was in vain."""
        is_late = any(result.get("status") == "unknown" for result in answer.results)
        reason = f"{NAMES['rules_engine']} answered {answer.status}: {answer.reason or 'not all events have a result'}"
        if answer.status not in _BUSY and not is_late:
            raise CallFailed(reason)
        seconds = answer.retry_after_seconds
        if seconds is None:
            seconds = self._next_wait_seconds
            self._next_wait_seconds = min(2 * seconds, LONGEST_WAIT_SECONDS)
        if self._waited_seconds + seconds > GIVE_UP_SECONDS:
            raise (
                Unreachable("The broker did not acknowledge events in time.")
                if is_late
                else CallFailed(reason)
            )
        self._waited_seconds += seconds
        self._say(f"{reason} Trying again in {seconds:.0f} s.")
        time.sleep(seconds)
