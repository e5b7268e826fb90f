"""Moves: what made a rhythm denser or rarer than its rule says, in sentences with the facts behind them."""

from collections.abc import Iterator

from services.rules_engine.domain.facts import Facts, Mark
from services.rules_engine.domain.plan.feedback import Felt
from services.rules_engine.domain.plan.reasons import Reasons, Said, fact_of
from services.rules_engine.domain.plan.rhythms import Chosen
from services.rules_engine.domain.policy import Policy
from services.rules_engine.domain.vocabulary.registry import FREQUENCIES


def moves(policy: Policy, facts: Facts, each: Chosen, felt: Felt, reasons: Reasons) -> Iterator[Said]:
    """In the order in which they act; nothing for a rhythm that stands as its rule says."""
    rule = each.rule
    if each.wish is not None:
        yield _wished(policy, facts, each)
    for bit in each.adjustments:
        yield reasons.said(policy.rules[bit])
    if each.level:
        for kind, step in felt.steps:
            if kind == rule.touchpoint:
                yield reasons.said(step.rule, step.mark, step.words)
    if each.wish is None and each.every_days != rule.every_days:
        yield Said(f"So it is every {each.every_days} days instead of {rule.every_days}.", [])
    if each.channel is not None:
        yield Said(f"It cannot become rarer, so it moves to {each.channel.replace('_', ' ')}.", [])


def _wished(policy: Policy, facts: Facts, each: Chosen) -> Said:
    topic = policy.catalogue[each.rule.touchpoint].topic
    text = f"The customer wishes to hear from us every {each.wish} days"
    if each.every_days != each.wish:
        text += f"; the policy allows {each.every_days} days at the {_end(each)}"
    found = wish_mark(facts, topic or "", each.wish or 0)
    return Said(f"{text}.", [] if found is None else [fact_of("preferred_frequency", *found)])


def _end(each: Chosen) -> str:
    return "least" if (each.wish or 0) < each.every_days else "most"


def wish_mark(facts: Facts, topic: str, days: int) -> tuple[str, Mark] | None:
    """The newest wish of so many days for a topic, or for all of them: its frequency and whose word it is."""
    found: list[tuple[Mark, str]] = []
    for key, held in facts.preferences.items():
        if key.split("\n")[1] not in {topic, ""}:
            continue
        for mark, said in held.items():
            frequency = said.get("frequency")
            if isinstance(frequency, str) and FREQUENCIES.get(frequency) == days:
                found.append((mark, frequency))
    newest = max(found, default=None)
    return None if newest is None else (newest[1], newest[0])
