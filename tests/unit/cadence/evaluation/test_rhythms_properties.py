"""Laws of rhythms, whatever policy, wishes and feedback meet."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.evaluation.rhythms import resolve_rhythms
from services.cadence.policy import Adjustment, Policy, Rhythm, compile_policy
from tests.unit.cadence.policies import adjustment, policy, rhythm

TYPES = ("check_in", "business_review", "usage_report", "tips", "risk_action_plan")
GUARANTEES = ("floor", "escalation")
TOPICS = st.sampled_from(["account", "education"])


@st.composite
def rhythms(draw: st.DrawFn, index: int) -> Rhythm:
    days = draw(st.sampled_from([1, 7, 10, 14, 30, 45, 60, 90, 180, 365]))
    precedence = draw(st.sampled_from(["default", "default", "preference", *GUARANTEES]))
    within = None
    if precedence in {"default", "preference"} and draw(st.booleans()):
        within = (draw(st.integers(1, days)), draw(st.integers(days, 400)))
    fallback = precedence == "floor" and draw(st.booleans())
    kind = draw(st.sampled_from(TYPES))
    return rhythm(f"r{index}", kind, days, precedence=precedence, within=within, fallback=fallback)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    found: list[Rhythm | Adjustment] = [draw(rhythms(index)) for index in range(draw(st.integers(1, 8)))]
    for index in range(draw(st.integers(0, 3))):
        kinds = draw(st.lists(st.sampled_from(TYPES), min_size=1, unique=True))
        found.append(adjustment(f"a{index}", draw(st.sampled_from([-1, 1])), *kinds))
    return policy(*found)


wishes = st.dictionaries(TOPICS, st.sampled_from([1, 7, 14, 30, 90])).map(
    lambda found: tuple(sorted(found.items()))
)
levels = st.dictionaries(st.sampled_from(TYPES), st.sampled_from([-2, -1, 1, 2])).map(
    lambda found: tuple(sorted(found.items()))
)
bits = st.integers(0, 2**11 - 1)


@given(policies(), bits, wishes, levels)
def test_nothing_rarer_than_a_guarantee_stands(
    under: Policy, fired: int, asked: tuple[tuple[str, int], ...], felt: tuple[tuple[str, int], ...]
) -> None:
    stands = {each.rule.touchpoint: each for each in resolve_rhythms(under, fired, asked, felt).chosen}

    for bit, each in under.rhythms:
        if fired >> bit & 1 and each.precedence in GUARANTEES and not each.fallback:
            assert stands[each.touchpoint].every_days <= each.every_days


@given(policies(), bits, wishes, levels)
def test_nothing_leaves_what_its_rule_allows(
    under: Policy, fired: int, asked: tuple[tuple[str, int], ...], felt: tuple[tuple[str, int], ...]
) -> None:
    for each in resolve_rhythms(under, fired, asked, felt).chosen:
        shortest, longest = each.rule.within or (each.rule.every_days, each.rule.every_days)
        assert shortest <= each.every_days <= longest


@given(policies(), bits, wishes)
def test_no_wish_makes_one_talk_denser_and_another_rarer_s7(
    under: Policy, fired: int, asked: tuple[tuple[str, int], ...]
) -> None:
    """All types of the small catalogue are led by a person."""
    usual = {each.rule.touchpoint: each for each in resolve_rhythms(under, fired).chosen}
    for topic in ("account", "education"):
        own = tuple(each for each in asked if each[0] == topic)
        found = [
            (each.every_days, usual[each.rule.touchpoint].every_days, each.rule.every_days)
            for each in resolve_rhythms(under, fired, own).chosen
            if under.catalogue[each.rule.touchpoint].topic == topic and each.rule.touchpoint in usual
            if each.rule == usual[each.rule.touchpoint].rule
        ]
        if any(days < standard for days, before, standard in found if days < before):
            assert not any(days > max(before, standard) for days, before, standard in found)


@given(policies(), bits, wishes, levels)
def test_what_holds_stands_or_is_told_to_be_stopped(
    under: Policy, fired: int, asked: tuple[tuple[str, int], ...], felt: tuple[tuple[str, int], ...]
) -> None:
    found = resolve_rhythms(under, fired, asked, felt)
    holding = sorted(each.rule for bit, each in under.rhythms if fired >> bit & 1)

    assert (
        sorted([*(each.rule.rule for each in found.chosen), *(each.rule for each in found.suppressed)])
        == holding
    )
    assert len({each.rule.touchpoint for each in found.chosen}) == len(found.chosen)


@given(policies(), bits, wishes, levels)
def test_a_fallback_leaves_no_customer_without_word_for_longer_than_it_says(
    under: Policy, fired: int, asked: tuple[tuple[str, int], ...], felt: tuple[tuple[str, int], ...]
) -> None:
    found = resolve_rhythms(under, fired, asked, felt)
    facts_after = [
        each.every_days for each in found.chosen if under.catalogue[each.rule.touchpoint].topic is not None
    ]

    for bit, each in under.rhythms:
        reaches = under.catalogue[each.touchpoint].topic is not None
        if fired >> bit & 1 and each.fallback and reaches:
            assert min(facts_after) <= each.every_days


@given(policies(), wishes, levels, st.data())
def test_the_order_of_rules_in_the_file_means_nothing(
    under: Policy, asked: tuple[tuple[str, int], ...], felt: tuple[tuple[str, int], ...], data: st.DataObject
) -> None:
    content = under.content
    turned = compile_policy(
        replace(
            content,
            rhythms=tuple(data.draw(st.permutations(content.rhythms))),
            adjustments=tuple(data.draw(st.permutations(content.adjustments))),
        )
    )

    assert resolve_rhythms(turned, 2**11 - 1, asked, felt) == resolve_rhythms(under, 2**11 - 1, asked, felt)
