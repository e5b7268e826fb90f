"""Moves: what made a rhythm denser or rarer than its rule says, in sentences with the facts behind them."""

from collections.abc import Iterator

from services.cadence.evaluation.feedback import Felt
from services.cadence.evaluation.reasons import Reasons, Said, fact_of
from services.cadence.evaluation.rhythms import Chosen
from services.cadence.features.compute import AccountView
from services.cadence.policy import Policy


def moves(policy: Policy, each: Chosen, view: AccountView, felt: Felt, reasons: Reasons) -> Iterator[Said]:
    """In the order in which they act; nothing for a rhythm that stands as its rule says."""
    rule = each.rule
    if each.wish is not None:
        yield _wished(policy, each, view)
    for bit in each.adjustments:
        yield reasons.said(policy.rules[bit])
    if each.level:
        for kind, step in felt.steps:
            if kind == rule.touchpoint:
                yield reasons.said(step.rule, step.stamp, step.words)
    if each.wish is None and each.every_days != rule.every_days:
        yield Said(f"So it is every {each.every_days} days instead of {rule.every_days}.", [])
    if each.channel is not None:
        yield Said(f"It cannot become rarer, so it moves to {each.channel.replace('_', ' ')}.", [])


def _wished(policy: Policy, each: Chosen, view: AccountView) -> Said:
    topic = policy.catalogue[each.rule.touchpoint].topic or ""
    text = f"The customer wishes to hear from us every {each.wish} days"
    if each.every_days != each.wish:
        end = "least" if (each.wish or 0) < each.every_days else "most"
        text += f"; the policy allows {each.every_days} days at the {end}"
    stamp = view.preference_stamps.get(topic)
    return Said(f"{text}.", [] if stamp is None else [fact_of("preferred_days", each.wish, stamp)])
