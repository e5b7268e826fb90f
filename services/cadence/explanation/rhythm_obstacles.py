"""Rhythm obstacles: why an adjustment or a feedback step whose condition is true moves no rhythm."""

from datetime import timedelta

from services.cadence.account import moment
from services.cadence.evaluation.feedback import evaluate_feedback
from services.cadence.evaluation.rhythms import NONE, resolve_rhythms
from services.cadence.explanation.basis import Subject
from services.cadence.explanation.model import Stopped
from services.cadence.policy import Adjustment, Feedback


def adjustment_obstacle(subject: Subject, rule: Adjustment, fired: int) -> Stopped | None:
    """`fired`: the bits of the rules whose conditions are true. A preference, a minimum, or no rhythm at all."""
    policy, view = subject.policy, subject.view
    bit, feedback = policy.bits[rule.rule], evaluate_feedback(policy, subject.facts, view)
    preferred_days = tuple(sorted(view.preferred_days.items())) if policy.gives_way else NONE
    chosen = resolve_rhythms(policy, fired & policy.rhythm_bits, preferred_days, feedback.levels).chosen
    own = [rhythm for rhythm in chosen if rhythm.rule.touchpoint in rule.touchpoints]
    if any(bit in rhythm.adjustments for rhythm in own):
        return None
    preferred = next((rhythm for rhythm in own if rhythm.preferred_days is not None), None)
    if preferred is not None:
        return Stopped("preference", "the customer's own preference comes first", preferred.rule.rule)
    if own:
        return Stopped("precedence", f"{own[0].rule.rule} cannot be moved", own[0].rule.rule)
    kinds = ", ".join(rule.touchpoints)
    return Stopped("precedence", f"there is no rhythm of {kinds} to move")


def feedback_obstacle(subject: Subject, rule: Feedback) -> Stopped | None:
    """A step that comes too soon after another one does not count."""
    feedback = evaluate_feedback(subject.policy, subject.facts, subject.view)
    if any(step.rule is rule for _, step in feedback.steps):
        return None
    others = [step for kind, step in feedback.steps if kind in rule.touchpoints]
    spacing = subject.policy.content.damping.spacing
    if not others:
        return Stopped("cooldown", f"another step came less than {spacing.days} days before it")
    until = moment(others[-1].at + spacing // timedelta(microseconds=1))
    other = others[-1].rule.rule
    return Stopped("cooldown", f"{other} made a step less than {spacing.days} days before it", other, until)
