"""Rhythm obstacles: why an adjustment or a feedback step whose condition is true moves no rhythm."""

from datetime import timedelta

from services.cadence.account import moment
from services.cadence.evaluation import Decision
from services.cadence.explanation.model import Stopped
from services.cadence.policy import Adjustment, Feedback


def adjustment_obstacle(decision: Decision, rule: Adjustment) -> Stopped | None:
    """A preference, a minimum, or no rhythm at all."""
    bit = decision.state.policy.bits[rule.rule]
    own = [rhythm for rhythm in decision.outline.rhythms if rhythm.rule.touchpoint in rule.touchpoints]
    if any(bit in rhythm.adjustments for rhythm in own):
        return None
    preferred = next((rhythm for rhythm in own if rhythm.preferred_days is not None), None)
    if preferred is not None:
        return Stopped("preference", "the customer's own preference comes first", preferred.rule.rule)
    if own:
        return Stopped("precedence", f"{own[0].rule.rule} cannot be moved", own[0].rule.rule)
    kinds = ", ".join(rule.touchpoints)
    return Stopped("precedence", f"there is no rhythm of {kinds} to move")


def feedback_obstacle(decision: Decision, rule: Feedback) -> Stopped | None:
    """A step that comes too soon after another one does not count."""
    steps = decision.outline.feedback.steps
    if any(step.rule is rule for _, step in steps):
        return None
    others = [step for kind, step in steps if kind in rule.touchpoints]
    spacing = decision.state.policy.content.damping.spacing
    if not others:
        return Stopped("cooldown", f"another step came less than {spacing.days} days before it")
    until = moment(others[-1].at + spacing // timedelta(microseconds=1))
    other = others[-1].rule.rule
    return Stopped("cooldown", f"{other} made a step less than {spacing.days} days before it", other, until)
