"""The linter on random policies: it never fails, and its findings are true of every account that is tried."""

from collections.abc import Mapping
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.cadence.account import Plain
from services.cadence.evaluation.rhythms import resolve_rhythms
from services.cadence.expressions.compile import Health
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import Const, Node, names
from services.cadence.lint import Finding, lint
from services.cadence.lint.accounts import PossibleAccounts
from services.cadence.policy import (
    Cap,
    Damping,
    Location,
    Policy,
    PolicyContent,
    Rhythm,
    Step,
    Trigger,
    compile_policy,
)
from tests.conftest import examples
from tests.unit.cadence.expression_trees import conditions, rows
from tests.unit.cadence.policies import (
    CATALOGUE,
    adjustment,
    blackout,
    feedback,
    limit,
    rhythm,
    step,
    trigger,
)
from tests.unit.cadence.policies import policy as small_policy

_KINDS = tuple(each.type for each in CATALOGUE)
_FOR_CUSTOMERS = tuple(each.type for each in CATALOGUE if each.topic is not None)
_ALWAYS = Const(value=True, at=0)
_names = st.sampled_from(_KINDS)
_days = st.sampled_from((7, 14, 30, 60, 90))
_date = st.tuples(st.integers(1, 12), st.integers(1, 28))
_bounded = settings(
    max_examples=examples(0.4), suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much)
)


@st.composite
def _rhythms(draw: st.DrawFn, index: int) -> Rhythm:
    every, fallback = draw(_days), draw(st.integers(0, 9)) == 0
    precedence = (
        "floor"
        if fallback
        else draw(st.sampled_from(("default", "default", "preference", "floor", "escalation")))
    )
    loose = precedence in {"default", "preference"} and draw(st.booleans())
    return rhythm(
        f"rhythm-{index}",
        draw(st.sampled_from(_FOR_CUSTOMERS) if fallback else _names),
        every,
        draw(conditions(size=3)),
        precedence=precedence,
        fallback=fallback,
        within=(draw(st.integers(1, every)), draw(st.integers(every, 120))) if loose else None,
        owner=draw(st.sampled_from((None, "automation", "pooled_csm"))),
        any_contact=draw(st.booleans()),
        place=Location("random.yaml", index),
    )


@st.composite
def _triggers(draw: st.DrawFn, index: int) -> Trigger:
    event = draw(st.sampled_from(("nps.answered", "health.scored", "contract.changed")))
    return trigger(
        f"trigger-{index}",
        event,
        draw(_names),
        draw(st.integers(1, 60)),
        draw(conditions(size=3)),
        cooldown=draw(st.none() | st.integers(0, 90).map(lambda days: timedelta(days=days))),
        deadline=draw(st.none() | st.integers(0, 90).map(lambda days: timedelta(days=days))),
        cap=draw(st.none() | st.just(Cap(2, timedelta(days=30)))),
    )


@st.composite
def _steps(draw: st.DrawFn, index: int) -> Step:
    anchor = draw(st.sampled_from(("renewal", "start", "go_live", "program")))
    name, days, within = draw(_names), draw(st.integers(0, 90)), draw(st.integers(1, 30))
    when = draw(conditions(size=3))
    return step(f"step-{index}", name, days, within, when, anchor=anchor)


def _options(names: tuple[str, ...], trees: list[Node]) -> tuple[tuple[str, Node], ...]:
    return (*zip(names, trees, strict=False), (names[-1], _ALWAYS))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    free = conditions(size=2).filter(lambda tree: "segment" not in names(tree))
    counts = st.integers(0, 5)
    return compile_policy(
        PolicyContent(
            Health(40, 70),
            _options(("enterprise", "mid_market", "self_service"), draw(st.lists(free, max_size=2))),
            _options(("onboarding", "churned", "growth"), draw(st.lists(conditions(size=2), max_size=2))),
            CATALOGUE,
            rhythms=tuple(draw(_rhythms(index)) for index in range(draw(counts))),
            triggers=tuple(draw(_triggers(index)) for index in range(draw(counts))),
            steps=tuple(draw(_steps(index)) for index in range(draw(counts))),
            adjustments=tuple(
                adjustment(
                    f"adjust-{index}",
                    draw(st.sampled_from((-1, 1))),
                    draw(_names),
                    when=draw(conditions(size=2)),
                )
                for index in range(draw(st.integers(0, 3)))
            ),
            feedback=(feedback("declined", "touchpoint.settled", "declines_in_row >= 0", 1, draw(_names)),),
            damping=Damping((7, 14, 30, 60, 90), timedelta(days=draw(st.sampled_from((10, 60))))),
            limits=(
                limit(
                    "budget", draw(st.integers(1, 4)), draw(st.integers(7, 90)), draw(_names), draw(_names)
                ),
            ),
            blackouts=(blackout("season", draw(_date), draw(_date), draw(_names)),),
        )
    )


@given(policies())
@_bounded
def test_any_policy_can_be_checked_twice_with_the_same_findings(policy: Policy) -> None:
    findings = lint(policy)
    assert list(map(str, findings)) == list(map(str, lint(policy)))
    assert all(finding.message and finding.rule for finding in findings)


_possible: Mapping[str, tuple[float, float]] = {
    "arr": (0, 1e16),
    "seats": (0, 1e16),
    "health_score": (0, 100),
}


def _can_be(row: dict[str, Plain]) -> bool:
    least = all(
        value is None or (isinstance(value, int | float) and low <= value <= high)
        for name, (low, high) in (*_possible.items(), ("seats_used", (0, 1e16)), ("seat_ratio", (0, 1e16)))
        for value in (row[name],)
    )
    return least and not (row["color"] is None and row["health_score"] is not None)


accounts = st.lists(rows.filter(_can_be), min_size=1, max_size=12)
levels = st.lists(st.tuples(_names, st.sampled_from((-2, -1, 1, 2))), max_size=3).map(
    lambda pairs: tuple(sorted(dict(pairs).items()))
)
preferences = st.sampled_from(((), (("account", 7),), (("account", 90), ("education", 90))))


@given(policies(), accounts, levels, preferences)
@_bounded
def test_a_rule_reported_as_never_holding_or_never_selected_is_not(
    policy: Policy,
    rows: list[dict[str, Plain]],
    moved: tuple[tuple[str, int], ...],
    preferred: tuple[tuple[str, int], ...],
) -> None:
    findings = lint(policy)
    never = {each.rule for each in findings if each.message.startswith("no account can meet")}
    hidden = {each.rule for each in findings if each.message.startswith(("never selected", "never needed"))}
    blank = PossibleAccounts(policy)
    for row in rows:
        for override in (None, "enterprise", "small_business"):
            values = {**_nothing(blank), **row, "segment_override": override}
            fired = policy.evaluate_conditions(values)[3]
            holding = {rule.rule for bit, rule in policy.rhythms if fired >> bit & 1}
            assert not holding & never
            chosen = resolve_rhythms(policy, fired & policy.rhythm_bits, preferred, moved).chosen
            assert not {each.rule.rule for each in chosen} & hidden


def _nothing(accounts: PossibleAccounts) -> dict[str, Plain]:
    return accounts.complete(accounts.cohorts[0]._replace(witness={}), {})


@given(policies())
@_bounded
def test_an_account_reported_as_below_the_minimum_is_reached_by_nothing_within_a_month(
    policy: Policy,
) -> None:
    for finding in lint(policy):
        if finding.kind == "below-minimum":
            assert _is_below_minimum(policy, finding)


def test_an_account_below_the_minimum_is_of_the_segment_it_is_reported_for() -> None:
    mirrored = parse('(segment == "enterprise") == paid_success')
    reaching = small_policy(rhythm("mirrored", "usage_report", 30, mirrored))

    findings = [finding for finding in lint(reaching) if finding.kind == "below-minimum"]

    assert [finding.witness for finding in findings] == [
        {"segment": "enterprise", "stage": "growth", "paid_success": False},
        {"segment": "self_service", "stage": "growth", "paid_success": True},
    ]
    assert all(_is_below_minimum(reaching, finding) for finding in findings)


def _is_below_minimum(policy: Policy, finding: Finding) -> bool:
    witness = dict(finding.witness or {})
    rarest = (("account", 90), ("education", 90)) if witness.pop("preferred_frequency", None) else ()
    answered = sorted({kind for rule in policy.content.feedback for kind in rule.touchpoints})
    rarer = tuple((kind, 2) for kind in answered) if witness.pop("feedback", None) else ()
    accounts = PossibleAccounts(policy)
    for cohort in accounts.cohorts:
        if (cohort.segment, cohort.stage) == (witness["segment"], witness["stage"]):
            fired = policy.evaluate_conditions(accounts.complete(cohort, witness))[3] & policy.rhythm_bits
            chosen = resolve_rhythms(policy, fired, rarest, rarer).chosen
            intervals = [each.every_days for each in chosen if policy.catalogue[each.rule.touchpoint].topic]
            if all(days > 30 for days in intervals):
                return True
    return False
