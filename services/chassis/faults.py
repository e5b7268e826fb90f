"""Named fault points: places where a test may kill, freeze or break the process.

They are compiled in, because the binary that is tested must be the one that runs. Without `DRUMBEAT_FAULTS`
a point costs one dictionary look-up. The fault suite walks `POINTS` and kills the process at each.
"""

import os
import signal
import time
from dataclasses import dataclass
from typing import Literal, get_args

Point = Literal[
    "ingest.before_produce",
    "ingest.after_produce",
    "consumer.after_claim",
    "consumer.after_offset",
    "consumer.before_commit",
    "consumer.after_commit",
    "relay.before_produce",
    "relay.after_produce",
    "relay.after_delete",
    "release.before_commit",
    "release.after_commit",
    "sweep.before_commit",
    "sender.after_claim",
    "sender.after_send",
    "sender.before_commit",
    "sender.after_commit",
]
POINTS: tuple[Point, ...] = get_args(Point)
ACTIONS = ("kill", "stop", "raise", "sleep")


class FaultPlanRejected(Exception):
    """DRUMBEAT_FAULTS names a point or an action that does not exist."""


class FaultInjected(Exception):
    """A test asked for this failure."""


@dataclass(slots=True)
class _Plan:
    action: str
    at_pass: int
    passes: int = 0


_armed: dict[str, _Plan] = {}


def arm(plan: str) -> None:
    """Arm the points of a plan such as `consumer.before_commit=kill@3,relay.after_produce=stop`."""
    _armed.clear()
    for part in filter(None, (each.strip() for each in plan.split(","))):
        name, _, what = part.partition("=")
        action, at, at_pass = what.partition("@")
        number = int(at_pass) if at_pass.isdecimal() else 0 if at else 1
        if name not in POINTS or action not in ACTIONS or number < 1:
            raise FaultPlanRejected(
                f"DRUMBEAT_FAULTS: {part!r} is not <point>=<action>[@pass]; points: {', '.join(POINTS)}; "
                f"actions: {', '.join(ACTIONS)}"
            )
        _armed[name] = _Plan(action, number)


def fault(name: Point) -> None:
    """Pass a fault point: nothing, unless a test armed it."""
    if not _armed:
        return
    plan = _armed.get(name)
    if plan is None:
        return
    plan.passes += 1
    if plan.passes == plan.at_pass:
        _act(plan.action, name)


def _act(action: str, name: str) -> None:
    match action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "sleep":
            time.sleep(40)
        case _:
            raise FaultInjected(name)
