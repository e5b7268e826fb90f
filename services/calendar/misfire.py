"""What an outage does to touchpoints that came due meanwhile: released late, or expired with the reason.

By the policy of their type (`misfire` and `grace` in the catalogue), else by who leads them and what they are.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from schemas.times import format_instant
from schemas.vocabulary import Misfire
from services.calendar.touchpoint import Cancellation, Closure, Origin, Touchpoint


class MisfirePolicy(NamedTuple):
    """Of a type. `action`: None, what is usual for its owner. `grace`: no lateness up to it is a misfire."""

    action: Misfire | None = None
    grace: timedelta = timedelta()


USUAL: Final = MisfirePolicy()
Misfires = Mapping[str, MisfirePolicy]
"""What a policy says about outages, by type; a type that is missing is treated as usual."""


def is_coalesced(touchpoint: Touchpoint, policy: MisfirePolicy) -> bool:
    """Whether of several occurrences that came due only the newest is released."""
    if touchpoint.origin is not Origin.RHYTHM:
        return False
    if policy.action is None:
        return not touchpoint.is_led_by_person
    return policy.action == "fire_latest"


def check_misfire(
    touchpoint: Touchpoint, now: datetime, *, superseded: bool, policy: MisfirePolicy = USUAL
) -> Cancellation | None:
    """Why a touchpoint that comes due long after its time expires instead; None: release it late.

    Where the policy does not say otherwise, a person's rhythm is always released, so that nothing they owe is forgotten,
    and a digital rhythm keeps only its newest occurrence (`superseded`: a newer one is due as well): nobody gets three
    newsletters at once. What was planned by hand is always released, and so are escalations of the calendar.
    """
    if touchpoint.origin not in (Origin.RHYTHM, Origin.ONE_OFF):
        return None
    late = now - touchpoint.due_at
    if policy.action == "skip" and late > policy.grace:
        text = f"skipped after an outage: {_span(late)} late, and its type allows {_span(policy.grace)}"
        return Cancellation(Closure.EXPIRED, text)
    if superseded and late > policy.grace and is_coalesced(touchpoint, policy):
        return Cancellation(
            Closure.EXPIRED, "superseded after an outage: a newer one of its rhythm is due as well"
        )
    overdue_at = touchpoint.overdue_at
    is_past = touchpoint.origin is Origin.ONE_OFF and overdue_at is not None and overdue_at <= now
    if is_past and policy.action != "fire_all" and overdue_at is not None:
        ended = "window ended" if touchpoint.deadline is None else "deadline passed"
        return Cancellation(Closure.EXPIRED, f"its {ended} at {format_instant(overdue_at)} during an outage")
    return None


def _span(span: timedelta) -> str:
    """Such as `9 d 4 h` or `24 h`; what is below a minute is left out."""
    minutes = span // timedelta(minutes=1)
    days, hours = divmod(minutes // 60, 24)
    if days >= 2:
        return f"{days} d {hours} h" if hours else f"{days} d"
    parts = (f"{minutes // 60} h" if minutes >= 60 else "", f"{minutes % 60} min" if minutes % 60 else "")
    return " ".join(filter(None, parts)) or "0 min"
