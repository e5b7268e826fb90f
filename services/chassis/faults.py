"""Named fault points: where a test may kill, stop or break the process.

They are part of the shipped code, so that the tested code is the code that runs. Without `DRUMBEAT_FAULTS` a
point costs one dictionary look-up. The fault tests go through `POINTS` and kill the process at each.
"""

import os
import signal
import time
from typing import Literal, get_args

from services.chassis.settings import CannotStart

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
    "sender.after_begin",
    "sender.after_send",
    "sender.before_commit",
    "sender.after_commit",
]
POINTS: tuple[Point, ...] = get_args(Point)
ACTIONS = ("kill", "stop", "raise", "sleep")


class FaultPlanRejected(CannotStart):
    """DRUMBEAT_FAULTS names a point or an action that does not exist."""


class FaultInjected(Exception):
    """The failure that a test injected with the action `raise`."""


_armed: dict[str, tuple[str, int]] = {}  # by point: the action, and how many passes remain until it


def arm(plan: str) -> None:
    """Arm the points of a plan such as `consumer.before_commit=kill@3,relay.after_produce=stop`.

    Raises `FaultPlanRejected` for a point, an action or a number of passes that does not exist.
    """
    _armed.clear()
    for part in filter(None, (part.strip() for part in plan.split(","))):
        name, _, action_and_pass = part.partition("=")
        action, at, at_pass = action_and_pass.partition("@")
        number = int(at_pass) if at_pass.isdecimal() else 0 if at else 1
        if name not in POINTS or action not in ACTIONS or number < 1:
            raise FaultPlanRejected(
                f"DRUMBEAT_FAULTS: {part!r} is not <point>=<action>[@pass]; points: {', '.join(POINTS)}; "
                f"actions: {', '.join(ACTIONS)}"
            )
        _armed[name] = (action, number)


def fault(name: Point) -> None:
    """Pass a fault point: does nothing unless a test armed it."""
    if name not in _armed:
        return
    action, remaining = _armed[name]
    _armed[name] = (action, remaining - 1)
    match action if remaining == 1 else "":
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "sleep":
            time.sleep(40)
        case "raise":
            raise FaultInjected(name)
        case _:
            return
