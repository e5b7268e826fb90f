"""Rhythm changes: what made a rhythm denser or rarer than its rule, in sentences with the facts behind them."""

from collections.abc import Iterator

from schemas.recurrence_text import interval_text
from services.cadence.evaluation.feedback import FeedbackState
from services.cadence.evaluation.reasons import Reasons, Sentence, fact_reference
from services.cadence.evaluation.rhythms import ChosenRhythm
from services.cadence.evaluation.state import EvaluationState


def rhythm_changes(reasons: Reasons, chosen: ChosenRhythm, feedback: FeedbackState) -> Iterator[Sentence]:
    """In the order in which they act; none for a rhythm that is as its rule says."""
    rule = chosen.rule
    if chosen.preferred_days is not None:
        yield _preference(reasons.state, chosen)
    for bit in chosen.adjustments:
        yield reasons.sentence(reasons.state.policy.rules[bit])
    if chosen.level:
        for kind, step in feedback.steps:
            if kind == rule.touchpoint:
                yield reasons.sentence(step.rule, step.stamp, step.values)
    moved = chosen.preferred_days is None or chosen.is_kept
    if moved and chosen.every_days != rule.every_days:
        now, usual = (
            interval_text(chosen.every_days, chosen.rrule),
            interval_text(rule.every_days, rule.rrule),
        )
        usual = usual if chosen.rrule or rule.rrule else str(rule.every_days)
        yield Sentence(f"So it is {now} instead of {usual}.", [])
    if chosen.channel is not None:
        yield _channel(reasons.state, chosen, chosen.channel)


def _channel(state: EvaluationState, chosen: ChosenRhythm, channel: str) -> Sentence:
    if chosen.preferred_channel:
        return channel_preference(state, chosen.rule.touchpoint)
    return Sentence(f"It cannot become rarer, so it moves to {channel.replace('_', ' ')}.", [])


def _preference(state: EvaluationState, chosen: ChosenRhythm) -> Sentence:
    topic = state.policy.catalogue[chosen.rule.touchpoint].topic or ""
    preferred = chosen.preferred_days or 0
    text = f"The customer wishes to hear from us every {preferred} days"
    if chosen.is_kept:
        text += "; that makes others of this topic denser, and this one not rarer"
    elif chosen.every_days != preferred:
        end = "least" if preferred < chosen.every_days else "most"
        text += f"; the policy allows {chosen.every_days} days at the {end}"
    stamp = state.view.preference_stamps.get(topic)
    return Sentence(
        f"{text}.", [] if stamp is None else [fact_reference("preferred_days", chosen.preferred_days, stamp)]
    )


def channel_preference(state: EvaluationState, touchpoint_type: str) -> Sentence:
    """That a contact prefers the channel of a touchpoint type."""
    topic = state.policy.catalogue[touchpoint_type].topic or ""
    channel, stamp = state.view.preferred_channels[topic]
    over = "in the product" if channel == "in_app" else f"by {channel}"
    return Sentence(
        f"The customer wishes to be reached {over}.", [fact_reference("preferred_channel", channel, stamp)]
    )
