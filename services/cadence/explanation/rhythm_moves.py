"""Moving: why an adjustment or a step of feedback that holds moves no rhythm."""

from datetime import timedelta

from services.cadence.account import moment
from services.cadence.evaluation.feedback import Felt, feel
from services.cadence.evaluation.rhythms import NONE, Chosen, resolve
from services.cadence.explanation.conditions_read import Land
from services.cadence.explanation.model import Stopped
from services.cadence.policy import Adjustment, Feedback


def adjustment_stop(land: Land, rule: Adjustment, held: int) -> Stopped | None:
    """`held`: the bits of the rules that hold. A wish, a guarantee, or no rhythm at all stands in its way."""
    bit = land.policy.bits[rule.rule]
    chosen = _chosen(land, feel(land.policy, land.facts, land.view), held)
    own = [each for each in chosen if each.rule.touchpoint in rule.touchpoints]
    if any(bit in each.adjustments for each in own):
        return None
    wished = next((each for each in own if each.wish is not None), None)
    if wished is not None:
        return Stopped("preference", "the customer's own wish comes first", wished.rule.rule)
    if own:
        return Stopped("precedence", f"{own[0].rule.rule} stands as it is", own[0].rule.rule)
    kinds = ", ".join(rule.touchpoints)
    return Stopped("precedence", f"no rhythm of {kinds} stands that could move")


def feedback_stop(land: Land, rule: Feedback) -> Stopped | None:
    """A step soon after another one does not count."""
    felt = feel(land.policy, land.facts, land.view)
    live = [step for _, step in felt.steps if step.rule is rule]
    if live:
        return None
    others = [step for kind, step in felt.steps if kind in rule.touchpoints]
    spacing = land.policy.content.damping.spacing
    if not others:
        return Stopped("cooldown", f"a step came less than {spacing.days} days before it")
    until = moment(others[-1].at + spacing // timedelta(microseconds=1))
    said = f"{others[-1].rule.rule} made a step less than {spacing.days} days before it"
    return Stopped("cooldown", said, others[-1].rule.rule, until)


def _chosen(land: Land, felt: Felt, held: int) -> tuple[Chosen, ...]:
    view, policy = land.view, land.policy
    wishes = tuple(sorted(view.preferred_days.items())) if view.preferred_days and policy.gives_way else NONE
    return resolve(policy, held & policy.rhythm_bits, wishes, felt.levels).chosen
