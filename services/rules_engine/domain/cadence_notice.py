"""What a customer is told of their cadence, and when: at the beginning, and once for each change that stands."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from schemas.ids import derived_id
from schemas.notices import NoticeCause, NoticePhase, NoticeRequested, NoticeRhythm
from schemas.plans import Reason
from schemas.vocabulary import Role
from services.cadence.evaluation.outlook import Outlook, OutlookPhase

STANDS: Final = timedelta(hours=24)
"""Service time for which a cadence must stand before a customer is told of it."""
BEGUN_WITHIN: Final = 30
"""Days after its start in which an account that was told nothing begins; an older one is established."""
LEAST_DAYS: Final = 7
"""A difference of fewer days in all is not worth a notice."""
SOON: Final = timedelta(days=30)
"""How far a cadence that was told counts when its twelve months are over: it goes on as it was told last."""
AUDIENCE: Final[tuple[Role, ...]] = ("champion", "decision_maker")
_BAD: Final = {"green": 0, None: 0, "yellow": 1, "red": 2}
Noticed = frozenset[tuple[str, int, str]]
"""What a customer notices of rhythms: type, interval and channel."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """A cadence as a customer is told of it, today's phase first, known until a day, and what it follows from."""

    phases: tuple[NoticePhase, ...]
    until: date
    segment: str
    stage: str
    color: str | None

    def noticed_on(self, day: date) -> Noticed:
        """On that day; before the first phase as in it, after `until` as in the last."""
        begun = [phase for phase in self.phases if phase.begins_on <= day] or self.phases[:1]
        return frozenset(
            (rhythm.touchpoint_type, rhythm.every_days, rhythm.channel)
            for phase in begun[-1:]
            for rhythm in phase.rhythms
        )


@dataclass(frozen=True, slots=True)
class NoticeState:
    """What the customer was told last, how often anything, and what has stood since when without being told."""

    announced: Cadence | None = None
    announced_count: int = 0
    pending: Cadence | None = None
    pending_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoticeStep:
    """What becomes of it. `state` None: nothing is kept. `check_at`: when it is looked at again; None: with a plan."""

    state: NoticeState | None
    check_at: datetime | None = None
    notice: NoticeRequested | None = None


def decide_notice(
    account_id: str, version: int, state: NoticeState, outlook: Outlook, now: datetime
) -> NoticeStep:
    """Whether the customer is told of the cadence of this outlook now. `version`: of the plan."""
    cadence, today = cadence_of(outlook), now.date()
    if state.announced is None and not _begins(outlook):
        return NoticeStep(None)
    if state.announced is not None and find_difference(state.announced, cadence, today) is None:
        return NoticeStep(replace(state, pending=None, pending_since=None))
    since = state.pending_since
    if state.pending is None or since is None or find_difference(state.pending, cadence, today) is not None:
        return NoticeStep(replace(state, pending=cadence, pending_since=now), now + STANDS)
    if now < since + STANDS:
        return NoticeStep(state, since + STANDS)
    count = state.announced_count + 1
    notice = _notice(account_id, version, count, state.announced, outlook, now)
    return NoticeStep(NoticeState(cadence, count), None, notice)


def cadence_of(outlook: Outlook) -> Cadence:
    decision = outlook.decision
    phases = tuple(_notice_phase(phase) for phase in outlook.phases)
    return Cadence(phases, outlook.ends_at.date(), decision.segment, decision.stage, decision.color)


def find_difference(announced: Cadence, cadence: Cadence, today: date) -> date | None:
    """The first day on which the two differ, from today on; None when they do on too few days to matter.

    They are compared as far as both are known, a month at least.
    """
    end = max(today + SOON, min(announced.until, cadence.until))
    begins = (phase.begins_on for phase in (*announced.phases, *cadence.phases))
    days = sorted({today, end, *(day for day in begins if today < day < end)})
    spans = [span for span in pairwise(days) if announced.noticed_on(span[0]) != cadence.noticed_on(span[0])]
    return spans[0][0] if sum((until - day).days for day, until in spans) >= LEAST_DAYS else None


def _begins(outlook: Outlook) -> bool:
    """Whether onboarding begins: an account that comes with a history is told nothing unasked."""
    decision = outlook.decision
    days = decision.state.view.values.get("days_since_start")
    is_new = not isinstance(days, int | float) or days <= BEGUN_WITHIN
    return decision.stage == "onboarding" and is_new and any(phase.rhythms for phase in outlook.phases)


def _notice(
    account_id: str, version: int, count: int, announced: Cadence | None, outlook: Outlook, now: datetime
) -> NoticeRequested:
    phases = tuple(_notice_phase(phase) for phase in outlook.phases)
    cause, reason = _why(announced, outlook, now.date())
    return NoticeRequested(
        notice_id=derived_id("notice", account_id, str(count), str(version)),
        account_id=account_id,
        kind="cadence_told" if announced is None else "cadence_changed",
        version=version,
        rhythms=phases[0].rhythms,
        phases=phases,
        cause=cause,
        audience=AUDIENCE,
        reason=reason,
        at=now,
    )


def _why(announced: Cadence | None, outlook: Outlook, today: date) -> tuple[NoticeCause, Reason | None]:
    """Why the customer is told, and the reason of the first rhythm that is new or other."""
    rhythms = outlook.phases[0].rhythms
    if announced is None:
        return "start", rhythms[0].reason if rhythms else None
    cadence = cadence_of(outlook)
    day = find_difference(announced, cadence, today) or today
    changed = {kind for kind, _, _ in announced.noticed_on(day) ^ cadence.noticed_on(day)}
    phase = _phase_on(outlook.phases, day)
    reasons = [item.reason for item in phase.rhythms if item.touchpoint_type in changed]
    reason = reasons[0] if reasons else None
    return ("wish" if changed & phase.preferred else _cause(announced, cadence)), reason


def _cause(announced: Cadence, cadence: Cadence) -> NoticeCause:
    if announced.stage != cadence.stage:
        return "renewal" if cadence.stage == "renewal" else "stage"
    if announced.segment != cadence.segment:
        return "contract"
    before, after = _BAD.get(announced.color, 0), _BAD.get(cadence.color, 0)
    return "attention" if after > before else "calm" if after < before else "other"


def _phase_on(phases: Sequence[OutlookPhase], day: date) -> OutlookPhase:
    begun = [phase for phase in phases if phase.begins_at.date() <= day]
    return begun[-1] if begun else phases[0]


def _notice_phase(phase: OutlookPhase) -> NoticePhase:
    rhythms = tuple(
        NoticeRhythm(
            touchpoint_type=item.touchpoint_type,
            every_days=item.every_days,
            channel=item.channel,
            owner=item.owner,
        )
        for item in phase.rhythms
    )
    return NoticePhase(begins_on=phase.begins_at.date(), rhythms=rhythms)
