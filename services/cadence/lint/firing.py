"""What never holds, what is never reached, and what changes nothing: segments, stages, rules and their clauses."""

from collections.abc import Iterator

from services.cadence.expressions.format import format_expression
from services.cadence.expressions.search import Constraint
from services.cadence.expressions.tree import And, Const, Node, names
from services.cadence.lint.accounts import HAND, Accounts, prepared, unprefixed, window_of
from services.cadence.lint.findings import Finding
from services.cadence.lint.trees import chains, clauses, reduced
from services.cadence.policy import Location, Rule, Step, condition_of


def unreached(accounts: Accounts) -> Iterator[Finding]:
    """Segments and stages that those before them take all accounts of, and clauses that change nothing about them."""
    content = accounts.policy.content
    for what, options in (("segment", content.segments), ("stage", content.stages)):
        before: tuple[Constraint, ...] = ()
        for index, (name, tree) in enumerate(options):
            place = content.places.get(f"{what}/{index}", Location())
            if accounts.meet([*before, (tree, True)]).answer == "no":
                told = f"no account comes as far as this {what}: those before it take all that it would"
                yield Finding("shadowed", place, name, f"{told}; move it up or take it out")
            else:
                yield from _idle_of_option(accounts, (name, tree), place, before)
            before = (*before, (tree, False))


def never(accounts: Accounts) -> Iterator[Finding]:
    """Rules that no account can meet. One that says `when: false` is switched off, and meant to be."""
    for rule in accounts.policy.rules:
        if _switched_off(rule.when):
            continue
        told = _never(accounts, rule)
        if told:
            yield Finding("never-fires", rule.place, rule.rule, f"{told}; change it or take it out")
        elif not _shown(accounts, rule):
            condition = format_expression(condition_of(rule))
            told = f"none of the accounts that were tried meets `{condition}`; change it or take it out"
            yield Finding("never-fires", rule.place, rule.rule, told, "search")


def _shown(accounts: Accounts, rule: Rule) -> bool:
    """Is there an account that meets it? Where analysis does not know, some were tried."""
    alive = accounts.alive(rule.rule)
    return any(accounts.can(world, (rule.rule,)).answer == "yes" for world in alive) or accounts.exhausted


def _switched_off(when: Node) -> bool:
    return any(
        part == Const(value=False, at=part.at) for part in (when.parts if isinstance(when, And) else (when,))
    )


def _never(accounts: Accounts, rule: Rule) -> str:
    """Empty where some account meets it."""
    condition = f"`{format_expression(condition_of(rule))}`"
    if not accounts.alive(rule.rule):
        return f"no account can meet {condition}, given how segments and stages are defined"
    if not _by_rule(accounts, rule):
        return f"no account meets {condition} unless its segment is set by hand"
    if not _by_color(accounts, rule):
        health = accounts.policy.content.health
        line = f"red is below {health.red_below:g}, yellow below {health.yellow_below:g}"
        return f"{condition} holds only where a colour is told against its own score ({line})"
    if isinstance(rule, Step) and not _in_window(accounts, rule):
        days = f"{rule.days} to {rule.days + rule.within.days} days from the {rule.anchor.replace('_', ' ')}"
        return f"while its window is open, {days}, no account meets {condition}"
    return ""


def _by_rule(accounts: Accounts, rule: Rule) -> bool:
    if HAND in names(accounts.conditions[rule.rule]):
        return True
    alive = accounts.alive(rule.rule)
    return any(accounts.can(world, (rule.rule,), by_rule=True).answer != "no" for world in alive)


def _by_color(accounts: Accounts, rule: Rule) -> bool:
    tree = accounts.conditions[rule.rule]
    if not {"color", "health_score"} <= {unprefixed(name) for name in names(tree)}:
        return True
    places = ({"segment": each.segment, "stage": each.stage} for each in accounts.alive(rule.rule))
    return any(accounts.meet([(reduced(tree, held), True)], derived=True).answer != "no" for held in places)


def _in_window(accounts: Accounts, rule: Step) -> bool:
    window = tuple(window_of(rule))
    if not window:
        return True
    # Of an account with one contract, its words are those of the step's own.
    tree = condition_of(rule) if rule.anchor == "renewal" else prepared(rule)
    also = (*window, (tree, True))
    return any(accounts.can(world, also=also).answer != "no" for world in accounts.alive(rule.rule))


def idle(accounts: Accounts) -> Iterator[Finding]:
    """Clauses of rules that are the same whenever they are looked at, and parts that are said twice."""
    for rule in accounts.policy.rules:
        twice = _twice(condition_of(rule))
        if twice:
            told = f"`{twice}` is said twice in its condition; leave one out"
            yield Finding("shadowed", rule.place, rule.rule, told)
        elif accounts.alive(rule.rule):
            for clause, before in clauses(accounts.conditions[rule.rule]):
                yield from _idle(accounts, rule, clause, before)


def _twice(tree: Node) -> str:
    for chain in chains(tree):
        told = [format_expression(part) for part in chain.parts]
        for index, text in enumerate(told):
            if text in told[:index]:
                return text
    return ""


def _idle(accounts: Accounts, rule: Rule, clause: Node, before: tuple[Constraint, ...]) -> Iterator[Finding]:
    # Where the rule can hold its clauses can, too; most others fail beside them.
    near = accounts.alive(rule.rule)
    worlds = (*near, *(each for each in accounts.worlds if each not in near))
    for want in (True, False):
        goals = (*before, (clause, want))
        if any(accounts.can(world, also=goals).answer != "no" for world in worlds):
            continue
        if any(accounts.can(world, also=before).answer != "no" for world in worlds):
            yield Finding("shadowed", rule.place, rule.rule, _told(clause, holds=not want))


def _idle_of_option(
    accounts: Accounts, option: tuple[str, Node], place: Location, ahead: tuple[Constraint, ...]
) -> Iterator[Finding]:
    for clause, before in clauses(option[1]):
        if accounts.meet([*ahead, *before]).answer == "no":
            continue
        for want in (True, False):
            if accounts.meet([*ahead, *before, (clause, want)]).answer == "no":
                yield Finding("shadowed", place, option[0], _told(clause, holds=not want))


def _told(clause: Node, *, holds: bool) -> str:
    always = "always holds" if holds else "never holds"
    text = unprefixed(format_expression(clause))
    return f"`{text}` {always} where it is looked at, so it changes nothing; leave it out or correct it"
