"""The least a customer hears: is there an account, not churned, that no rhythm reaches at least once a month?"""

from collections.abc import Iterator, Mapping

from services.cadence.account import Plain
from services.cadence.evaluation.feedback import STEPS
from services.cadence.evaluation.rhythms import NONE, Days, resolve
from services.cadence.expressions.ranges import domain_of
from services.cadence.expressions.tree import names
from services.cadence.features.registry import FREQUENCIES
from services.cadence.lint.accounts import Accounts, World
from services.cadence.lint.findings import Finding, Proof
from services.cadence.lint.sampling import Dice
from services.cadence.lint.standing import MOST, reaches, sure
from services.cadence.lint.trees import constants
from services.cadence.policy import Location, Policy

DAYS = 30
"""Paying customers hear from us at least this often, human or not."""
_TRIED = 200
_LOST = "churned"
_Silent = tuple[World, Mapping[str, Plain], Proof]


def below(accounts: Accounts) -> Iterator[Finding]:
    """One finding for each segment that has such accounts."""
    policy = accounts.policy
    enough = [each.rule for each in sure(policy, DAYS)][:MOST]
    silent: dict[str, list[_Silent]] = {}
    for world in accounts.worlds:
        if world.stage != _LOST and world.by_rule is not None:
            found = _silent(accounts, world, enough)
            if found is not None:
                silent.setdefault(world.segment, []).append(found)
    for segment, found in silent.items():
        place, rule = _blamed(policy, segment)
        stages = ", ".join(dict.fromkeys(world.stage for world, _, _ in found))
        told = f"{segment} accounts in {stages} may hear from us less than once in {DAYS} days"
        more = f"; let a rhythm of `minimum` hold for them, every {DAYS}d or more often"
        yield Finding("below-minimum", place, rule, told + more, found[0][2], found[0][1])


def _blamed(policy: Policy, segment: str) -> tuple[Location, str]:
    """The minimum that leaves them out; without one, the segment."""
    fallbacks = [each for _, each in policy.rhythms if each.fallback]
    if fallbacks:
        first = min(fallbacks, key=lambda each: (each.every_days, each.rule))
        return first.place, first.rule
    index = next(index for index, (name, _) in enumerate(policy.content.segments) if name == segment)
    return policy.content.places.get(f"segment/{index}", Location()), segment


def _silent(accounts: Accounts, world: World, enough: list[str]) -> _Silent | None:
    """An account of this world below the minimum. Without any: proved where nothing beyond `enough` can be avoided."""
    first = accounts.can(world, fail=enough)
    if first.answer == "no":
        return None
    policy = accounts.policy
    often = [rule.rule for _, rule in policy.rhythms if rule.every_days <= DAYS and reaches(policy, rule)][
        :MOST
    ]
    none = accounts.can(world, fail=often)
    for verdict in (none, first):
        if verdict.witness is not None:
            wishes = _lowest(accounts, world, verdict.witness)
            if wishes is not None:
                return world, {**verdict.witness, **wishes}, "analysis"
    return _searched(accounts, world, first.witness or {})


def _searched(accounts: Accounts, world: World, start: Mapping[str, Plain]) -> _Silent | None:
    """Accounts near that one, their values near the constants of the rhythms that may hold."""
    trees = [accounts.reduced(rule.rule, world) for _, rule in accounts.policy.rhythms]
    read = sorted({name for tree in trees for name in names(tree)} - {"segment_override"})
    near = [each for tree in trees for each in constants(tree)]
    numbers = [each for each in near if isinstance(each, int | float) and not isinstance(each, bool)]
    offered = {
        name: domain_of(accounts.words[name]).samples(
            numbers if accounts.words[name].kind == "number" else ()
        )
        for name in read
    }
    dice = Dice()
    for _ in range(_TRIED if read else 0):
        name = read[dice.pick(len(read))]
        start = {**start, name: offered[name][dice.pick(len(offered[name]))]}
        wishes = _lowest(accounts, world, start)
        if wishes is not None:
            return world, {**start, **wishes}, "search"
    return None


def _lowest(accounts: Accounts, world: World, witness: Mapping[str, Plain]) -> dict[str, Plain] | None:
    """With which wish or feedback nothing reaches this account often enough; None: it is another, or always is."""
    policy = accounts.policy
    segment, stage, _, fired = policy.evaluate_conditions(accounts.whole(world, witness))
    fired &= policy.rhythm_bits
    if (segment, stage) != (world.segment, world.stage):
        return None
    fed = sorted({kind for rule in policy.content.feedback if rule.steps > 0 for kind in rule.touchpoints})
    topics = sorted({each.topic for each in policy.catalogue.values() if each.topic is not None})
    most = max(FREQUENCIES.values())
    rarest: Days = tuple((topic, most) for topic in topics)
    asked: Days = tuple((kind, STEPS) for kind in fed)
    tries: tuple[tuple[Days, Days, dict[str, Plain]], ...] = (
        (NONE, NONE, {}),
        (rarest, NONE, {"preferred_frequency": "quarterly"}),
        (NONE, asked, {"feedback": "rarer, twice"}),
    )
    for wishes, levels, told in tries:
        chosen = resolve(policy, fired, wishes, levels).chosen
        if not any(each.every_days <= DAYS and reaches(policy, each.rule) for each in chosen):
            return told
    return None
