"""`python -m services.devstack.demo` (`make demo`): sixty days of the sample in some minutes, with people who act.

The service clock stands (rate 0) until all work of a step is done, so that a slow machine only takes longer.
"""

import asyncio
import json
import sys
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from schemas.times import format_instant
from services.chassis.clock import real_now
from services.console.client import ApiClient, CallFailed
from services.console.clock_commands import NotAtRest, advance
from services.console.sample.accounts import ACCOUNTS
from services.devstack.embedded.processes import print_line
from services.devstack.supervisor.run import supervise
from services.devstack.supervisor.stack import Stack

DAYS: Final = 60
STEP: Final = timedelta(hours=6)
STEPS_A_PASS: Final = 2  # between two looks of the people at what is due
PEOPLE: Final = ("csm", "pooled_csm", "sales")
NAMES: Final = {account.id: account.name for account in ACCOUNTS}

NEGLECTED: Final = "halcyon"  # its health is red from the start, and nobody acts
DECLINING: Final = "brightside"  # the customer declines everything
LATE: Final = "cedar-bank"  # the CSM acts only when a touchpoint is overdue
RECOVERING: Final = "sakura-retail"  # its health turns red and recovers

# By day: the account, the event type, its score.
EVENTS: Final = (
    (8, (RECOVERING, "health.scored", 28)),
    (12, (LATE, "nps.answered", 3)),
    (24, (RECOVERING, "health.scored", 83)),
)


class People:
    """CSMs and customers: they act over the public API as service time passes."""

    def __init__(self, api: ApiClient, start: datetime) -> None:
        self._api = api
        self._events = [(start + timedelta(days=day), *event) for day, event in EVENTS]
        self.acts: Counter[str] = Counter()

    def act(self, now: datetime) -> None:
        """Post the events whose time has come, and settle touchpoints that are due. Raises `CallFailed`."""
        while self._events and self._events[0][0] <= now:
            self._post_event(*self._events[0])
            del self._events[0]
        for status in ("due", "overdue"):
            for touchpoint in self._touchpoints(status):
                outcome = choose_outcome(touchpoint)
                if outcome is not None:
                    self._settle(touchpoint, outcome)

    def _touchpoints(self, status: str) -> list[dict[str, Any]]:
        page: Any = self._api.get("scheduler", "/v1/touchpoints", status=status, limit=500)
        return page["items"]

    def _post_event(self, at: datetime, account: str, kind: str, score: int) -> None:
        time = format_instant(at)
        event = {
            "specversion": "1.0",
            "type": f"drumbeat.{kind}.v1",
            "source": "/demo",
            "id": f"{account}:{kind}:{time}",
            "subject": account,
            "time": time,
            "data": {"score": score},
        }
        self._api.post_events(json.dumps(event).encode(), "application/cloudevents+json")
        print_line(f"  {at:%d %B %Y}: {kind} of {NAMES[account]}, {score}")

    def _settle(self, touchpoint: dict[str, Any], outcome: str) -> None:
        body: dict[str, Any] = {"outcome": outcome, "version": touchpoint["sequence"]}
        try:
            self._api.send("POST", "scheduler", f"/v1/touchpoints/{touchpoint['id']}/settle", body)
        except CallFailed:  # it has changed since it was read: the next pass decides again
            return
        late = "completed late" if touchpoint["status"] == "overdue" else "completed"
        self.acts["declined" if outcome == "declined" else late] += 1

    def summary(self, console: str) -> str:
        """What the people did, and which accounts are worth a look."""
        overdue = Counter(touchpoint["account_id"] for touchpoint in self._touchpoints("overdue"))
        counts = ", ".join(f"{count} {act}" for act, count in self.acts.most_common())
        lines = [
            f"  People's touchpoints: {counts}, {overdue.total()} overdue",
            "",
            "  Three accounts to look at:",
        ]
        for account, reason in (
            (NEGLECTED, f"its health is red and nobody acted: {overdue[NEGLECTED]} touchpoints are overdue"),
            (
                DECLINING,
                f"it declined all {self.acts['declined']} touchpoints and opens no mail: fewer are planned",
            ),
            (RECOVERING, "its health turned red and recovered: its history shows what that led to"),
        ):
            lines += [f"    {NAMES[account]}: {reason}", f"      {console}/?account={account}"]
        return "\n".join(lines)


def choose_outcome(touchpoint: dict[str, Any]) -> str | None:
    """The outcome of a touchpoint that is due or overdue; None while nobody acts."""
    account = touchpoint["account_id"]
    if account == NEGLECTED or touchpoint["owner"]["kind"] not in PEOPLE:
        return None
    if account == LATE and touchpoint["status"] != "overdue":
        return None
    if account == DECLINING and touchpoint["topic"] is not None:  # without a topic it is internal work
        return "declined"
    return "attended" if touchpoint["channel"] == "meeting" else "completed"


async def play(stack: Stack) -> None:
    """Let the people act for sixty days of service time, then set the clock to normal speed and sum up."""
    settings = stack.options.settings
    print_line(f"{DAYS} days pass as fast as this machine can, and people act:\n")
    with ApiClient(settings) as api:
        now = stack.clock.start or real_now()
        people, end = People(api, now), now + timedelta(days=DAYS)
        while now < end:
            try:
                await asyncio.to_thread(people.act, now)
                now = await asyncio.to_thread(advance, api, STEP * STEPS_A_PASS, STEP)
            except (CallFailed, NotAtRest) as problem:
                print_line(f"  {problem}")
        await stack.change_rate(1.0)
        print_line(f"\n{DAYS} days have passed: it is {now:%d %B %Y}, and the clock runs at normal speed.\n")
        print_line(await asyncio.to_thread(people.summary, settings.url_of("console")))
    print_line(f"\n  Sign in to the console with the key in {stack.options.key_file}.")
    print_line("  Ctrl-C stops Drumbeat; `make demo` starts again from the beginning.")


if __name__ == "__main__":
    sys.exit(supervise(play))
