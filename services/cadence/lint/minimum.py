"""The minimum of contact: accounts, not churned, that no rhythm reaches at least once a month."""

from collections.abc import Iterator, Mapping

from services.cadence.account import Plain
from services.cadence.evaluation.feedback import MOST_STEPS
from services.cadence.evaluation.rhythms import NONE, Amounts, resolve_rhythms
from services.cadence.expressions.tree import names
from services.cadence.features.feature import FREQUENCIES
from services.cadence.lint.accounts import OVERRIDE, Cohort, PossibleAccounts, repeatable_numbers
from services.cadence.lint.findings import Finding, Proof
from services.cadence.lint.precedence import MOST, certain, reaches_customer
from services.cadence.policy import Location, Policy, Rhythm

DAYS = 30
"""Paying customers hear from us at least this often, whoever contacts them."""
_TRIED = 200
_Values = Mapping[str, Plain]
_Example = tuple[_Values, Proof]


def monthly(policy: Policy) -> list[Rhythm]:
    """Rhythms that reach the customer at least once a month where nothing moves them."""
    return [rule for _, rule in policy.rhythms if rule.every_days <= DAYS and reaches_customer(policy, rule)]


def below(accounts: PossibleAccounts) -> Iterator[Finding]:
    """One finding for each segment that has such accounts."""
    by_segment: dict[str, dict[str, _Example]] = {}
    for cohort in accounts.cohorts:
        if cohort.stage != "churned" and cohort.by_rule is not None:
            example = _example(accounts, cohort)
            if example is not None:
                by_segment.setdefault(cohort.segment, {}).setdefault(cohort.stage, example)
    for segment, by_stage in by_segment.items():
        place, rule = _responsible(accounts.policy, segment)
        witness, proof = next(iter(by_stage.values()))
        message = (
            f"{segment} accounts in {', '.join(by_stage)} may hear from us less than once in {DAYS} days; "
            f"let a rhythm of `minimum` hold for them, every {DAYS}d or more often"
        )
        yield Finding("below-minimum", place, rule, message, proof, witness)


def _responsible(policy: Policy, segment: str) -> tuple[Location, str]:
    """The fallback that leaves them out; without any, the segment."""
    fallbacks = [rule for _, rule in policy.rhythms if rule.fallback]
    if fallbacks:
        first = min(fallbacks, key=lambda rule: (rule.every_days, rule.rule))
        return first.place, first.rule
    names_of = [name for name, _ in policy.content.segments]
    place = f"segment/{names_of.index(segment)}" if segment in names_of else f"model/{policy.content.model}"
    return policy.content.places.get(place, Location()), segment


def _example(accounts: PossibleAccounts, cohort: Cohort) -> _Example | None:
    """An account of this cohort below the minimum; None where it is proved that there is none, or none is found."""
    of_certain = accounts.query(cohort, fail=certain(accounts.policy, DAYS)[:MOST])
    if of_certain.answer == "no":
        return None
    of_all = accounts.query(cohort, fail=[rule.rule for rule in monthly(accounts.policy)[:MOST]])
    for witness in filter(None, (of_all.witness, of_certain.witness)):
        moved = _least_contact(accounts, cohort, witness)
        if moved is not None:
            return {**witness, **moved}, "analysis"
    return _searched(accounts, cohort, of_certain.witness or cohort.values)


def _searched(accounts: PossibleAccounts, cohort: Cohort, witness: _Values) -> _Example | None:
    """Accounts near that one, with values near the constants of the rhythms that may hold."""
    trees = [accounts.simplified(rule.rule, cohort) for _, rule in accounts.policy.rhythms]
    read = sorted({name for tree in trees for name in names(tree)} - {OVERRIDE})
    options, numbers = accounts.samples(trees, read), repeatable_numbers()
    for _ in range(_TRIED if read else 0):
        name = read[next(numbers) % len(read)]
        changed = {**witness, name: options[name][next(numbers) % len(options[name])]}
        witness = changed if accounts.may_have(changed) else witness
        moved = _least_contact(accounts, cohort, witness)
        if moved is not None:
            return {**witness, **moved}, "search"
    return None


def _least_contact(accounts: PossibleAccounts, cohort: Cohort, witness: _Values) -> _Values | None:
    """The preference or feedback with which nothing reaches this account often enough.

    None: it is not of this cohort, or is reached in any case.
    """
    policy = accounts.policy
    segment, stage, _, fired = policy.evaluate_conditions(accounts.complete(cohort, witness))
    if (segment, stage) != (cohort.segment, cohort.stage):
        return None
    answered = {kind for rule in policy.content.feedback if rule.steps > 0 for kind in rule.touchpoints}
    topics = {kind.topic for kind in policy.catalogue.values() if kind.topic is not None}
    rarest: Amounts = tuple((topic, max(FREQUENCIES.values())) for topic in sorted(topics))
    rarer: Amounts = tuple((kind, MOST_STEPS) for kind in sorted(answered))
    quarterly, twice = {"preferred_frequency": "quarterly"}, {"feedback": "rarer, twice"}
    for preferences, levels, moved in ((NONE, NONE, {}), (rarest, NONE, quarterly), (NONE, rarer, twice)):
        chosen = resolve_rhythms(policy, fired & policy.rhythm_bits, preferences, levels).chosen
        if not any(rhythm.every_days <= DAYS and reaches_customer(policy, rhythm.rule) for rhythm in chosen):
            return moved
    return None
