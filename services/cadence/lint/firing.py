"""Segments, stages and rules that never hold, and clauses that change nothing."""

from collections.abc import Callable, Iterator

from services.cadence.account import DAY
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.search import Constraint
from services.cadence.expressions.tree import And, Const, Node, Or, names, walk
from services.cadence.lint.accounts import OVERRIDE, PossibleAccounts, prepare
from services.cadence.lint.conditions import clauses, condition, conjunction, simplify, substitute
from services.cadence.lint.findings import Finding, finding
from services.cadence.policy import Location, Rule, Step, condition_of
from services.cadence.policy.compiled import CONTRACT_ANCHORS

_COLOR_LAW = (
    "color is null and health_score is null or color is not null and health_score is not null and ("
    'color == "red" and health_score < red_below'
    ' or color == "yellow" and health_score >= red_below and health_score < yellow_below'
    ' or color == "green" and health_score >= red_below and health_score >= yellow_below)'
)
_ANCHORED = {
    "start": "days_since_start",
    "go_live": "days_since_go_live",
    "renewal": "days_to_renewal",
    "notice": "days_to_notice",
}


def unreached(accounts: PossibleAccounts) -> Iterator[Finding]:
    """Segments and stages that no account reaches after those before them, and clauses of theirs without effect."""
    content = accounts.policy.content
    for what, options in (("segment", content.segments), ("stage", content.stages)):
        before: tuple[Constraint, ...] = ()
        for index, (name, tree) in enumerate(options):
            place = content.places.get(f"{what}/{index}", Location())
            messages = _without_effect(
                tree,
                tree,
                lambda node, before=before: accounts.satisfiable((*before, (node, True))).answer != "no",
            )
            if accounts.satisfiable((*before, (tree, True))).answer == "no":
                messages = [f"no account reaches this {what} after those before it; move it up or remove it"]
            yield from (Finding("shadowed", place, name, message) for message in messages)
            before = (*before, (tree, False))


def without_effect(accounts: PossibleAccounts) -> Iterator[Finding]:
    """Clauses of rules that always have the same result where they are evaluated, and parts that are repeated."""
    for rule in accounts.policy.rules:
        repeated, near = _repeated(condition_of(rule)), accounts.cohorts_of(rule.rule)
        # Where the rule can hold its clauses can, too; most others fail beside them.
        cohorts = (*near, *(cohort for cohort in accounts.cohorts if cohort not in near))
        if repeated:
            yield finding("shadowed", rule, f"`{repeated}` appears twice in its condition; remove one")
        elif near:
            for message in _without_effect(
                condition_of(rule),
                accounts.conditions[rule.rule],
                lambda node, cohorts=cohorts: accounts.possible((node,), cohorts=cohorts),
            ):
                yield finding("shadowed", rule, message)


def _without_effect(written: Node, tree: Node, is_possible: Callable[[Node], bool]) -> Iterator[str]:
    for (text, _), (clause, before) in zip(clauses(written), clauses(tree), strict=True):
        results = [result for result in (True, False) if is_possible(conjunction(*before, (clause, result)))]
        if len(results) == 1 and is_possible(conjunction(*before)):
            result = f"`{format_expression(text)}` always {'holds' if results[0] else 'fails'}"
            yield f"{result} where it is evaluated, so it changes nothing; remove or correct it"


def _repeated(tree: Node) -> str:
    """A part that appears twice in one chain of `and` or `or`; empty where there is none."""
    for node in walk(tree):
        texts = [format_expression(part) for part in node.parts] if isinstance(node, And | Or) else []
        for index, text in enumerate(texts):
            if text in texts[:index]:
                return text
    return ""


def never(accounts: PossibleAccounts) -> Iterator[Finding]:
    """Rules whose condition no account can meet, unless they are switched off on purpose by `when: false`."""
    for rule in accounts.policy.rules:
        parts = rule.when.parts if isinstance(rule.when, And) else (rule.when,)
        if any(isinstance(part, Const) and part.value is False for part in parts):
            continue
        text = f"`{format_expression(condition_of(rule))}`"
        message = _never(accounts, rule, text)
        is_met = accounts.example(rule.rule) is not None
        if message:
            yield finding("never-fires", rule, f"{message}; change or remove it")
        elif not is_met and not accounts.is_exhausted:
            message = f"none of the accounts that were tried meets {text}; change or remove it"
            yield finding("never-fires", rule, message, "search")


def _never(accounts: PossibleAccounts, rule: Rule, text: str) -> str:
    """Why no account meets the condition; empty where one does."""
    if not accounts.cohorts_of(rule.rule):
        return f"no account can meet {text}, given how segments and stages are defined"
    if not _without_override(accounts, rule):
        return f"no account meets {text} unless its segment is set by hand"
    if not _with_derived_color(accounts, rule):
        health = accounts.policy.content.health
        scores = f"red is below {health.red_below:g}, yellow below {health.yellow_below:g}"
        return f"{text} holds only where an event names a colour that contradicts its score ({scores})"
    if isinstance(rule, Step) and not _in_window(accounts, rule):
        days = f"{rule.days} to {rule.days + rule.within.days} days from the {rule.anchor.replace('_', ' ')}"
        return f"while its window is open, {days}, no account meets {text}"
    return ""


def _without_override(accounts: PossibleAccounts, rule: Rule) -> bool:
    cohorts = accounts.cohorts_of(rule.rule)
    by_rule = [
        cohort._replace(constraints=cohort.by_rule) for cohort in cohorts if cohort.by_rule is not None
    ]
    return OVERRIDE in names(accounts.conditions[rule.rule]) or accounts.possible(
        (rule.rule,), cohorts=by_rule
    )


def _with_derived_color(accounts: PossibleAccounts, rule: Rule) -> bool:
    """Whether the rule can hold for an account whose colour always follows from its score."""
    tree, health = accounts.conditions[rule.rule], accounts.policy.content.health
    laws: list[Constraint] = []
    for prefix in ("", "health.scored:"):
        if {f"{prefix}color", f"{prefix}health_score"} <= {*names(tree)}:
            ends = {"red_below": health.red_below, "yellow_below": health.yellow_below}
            constants = {f"{prefix}{name}": Const(value, 0) for name, value in ends.items()}
            laws.append((substitute(condition(_COLOR_LAW, prefix), constants), True))
    return not laws or any(
        accounts.satisfiable([(simplify(tree, cohort.values), True), *laws]).answer != "no"
        for cohort in accounts.cohorts_of(rule.rule)
    )


def _in_window(accounts: PossibleAccounts, rule: Step) -> bool:
    """Whether the rule can hold while its window is open, where a feature counts days from its anchor."""
    name = _ANCHORED.get(rule.anchor)
    if name is None:
        return True
    first, last = rule.days - 1, rule.days + int(-(-rule.within.total_seconds() * 1_000_000 // DAY)) + 1
    if rule.anchor in CONTRACT_ANCHORS:
        first, last = -last, -first
    # Of an account with one contract, its features are those of the step's own.
    tree = condition_of(rule) if rule.anchor in CONTRACT_ANCHORS else prepare(rule)
    is_open = condition(f"{name} is not null and {name} between {first} and {last}")
    cohorts = accounts.cohorts_of(rule.rule)
    return accounts.possible((is_open, tree), cohorts=cohorts)
