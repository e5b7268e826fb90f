"""The key of a plan: equal for two evaluations exactly when their plans have the same effect, under whatever policies.

What a plan shows of its policy (types, texts, owners, spacing) is part of the key as a digest of those words, not the
hash of the policy: a policy that changes other rules leaves the key as it is. Evidence is no part of it.
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache

from services.cadence.account import Fields
from services.cadence.account.codec import dumps
from services.cadence.evaluation.candidates import Candidate
from services.cadence.evaluation.feedback import FeedbackState
from services.cadence.evaluation.plan_items import PlanOutline, catalogue_entry, spacing_days
from services.cadence.evaluation.rhythms import ChosenRhythm
from services.cadence.evaluation.state import EvaluationState
from services.cadence.policy import Policy, Rhythm, Rule, Step, Touchpoint, Trigger

_CACHED = 16_384


def plan_key(state: EvaluationState, outline: PlanOutline) -> bytes:
    """16 bytes (BLAKE2b-128). All parts are plain values."""
    values, selection, policy = state.view.values, outline.selection, state.policy
    hours = policy.content.quiet_hours
    parts = (
        values["segment"],
        values["stage"],
        values["color"],
        values["csm_id"],
        (hours.from_, hours.to),
        [_rhythm_parts(state, chosen, outline.feedback) for chosen in outline.rhythms],
        [_candidate_parts(state, candidate) for candidate in selection.selected],
        [_due_parts(policy, key, fields) for key, fields in selection.due.items()],
        [_pause_parts(state), *_blackout_parts(state)],
    )
    # A touchpoint about several contracts names them all.
    named = [ids for candidate in selection.selected if (ids := candidate.values.get("contract_ids"))]
    parts = (*parts, named) if named else parts
    about = [candidate.about and tuple(candidate.about) for candidate in selection.selected]
    parts = (*parts, about) if any(about) else parts
    return hashlib.blake2b(dumps(parts), digest_size=16).digest()


def _rhythm_parts(
    state: EvaluationState, chosen: ChosenRhythm, feedback: FeedbackState
) -> tuple[object, ...]:
    rule, policy = chosen.rule, state.policy
    # Only when the last contact was: which of the events that state it comes first is evidence.
    last = state.view.last_contact(rule.touchpoint, of_any_type=rule.any_contact)
    own = (
        _item_words(policy, chosen.bit, chosen.channel),
        chosen.every_days if chosen.rrule is None else (chosen.every_days, chosen.rrule),
        None if last is None else last[0],
    )
    moved_by = {_rule_words(policy, bit) for bit in chosen.adjustments}
    if chosen.level:
        moved_by |= {
            _rule_words(policy, step.bit) for kind, step in feedback.steps if kind == rule.touchpoint
        }
    is_moved = chosen.preferred_days is None or chosen.is_kept
    if not moved_by and (not is_moved or chosen.every_days == rule.every_days):
        return own
    return (*own, rule.every_days if is_moved else None, sorted(moved_by))


def _candidate_parts(state: EvaluationState, candidate: Candidate) -> tuple[object, ...]:
    words = _item_words(state.policy, candidate.bit, state.preferred_channel(candidate.rule))
    return words, candidate.key, candidate.start, candidate.end, candidate.deadline


def _due_parts(policy: Policy, key: str, fields: Fields) -> tuple[object, ...]:
    """What came due stays as it was issued; the catalogue fills in what was not issued."""
    name = str(fields.get("type"))
    missing = tuple(not fields.get(field) for field in ("channel", "owner_kind", "purpose"))
    return key, fields.get("due_at"), fields.get("deadline"), _due_words(policy, name, missing)


def _pause_parts(state: EvaluationState) -> tuple[object, ...] | None:
    pause = state.pause
    return None if pause is None else (pause.start, pause.end)


def _blackout_parts(state: EvaluationState) -> Iterator[tuple[object, ...]]:
    """The text is the policy's own here, without the values of the account."""
    for window in state.blackouts.ahead:
        yield window.name, window.start, window.end, window.touchpoint_types, window.text, window.days


@lru_cache(maxsize=_CACHED)
def _item_words(policy: Policy, bit: int, channel: str | None) -> str:
    """A digest of what an item of this rule shows of the policy; `channel`: in place of the rule's, if any."""
    rule = policy.rules[bit]
    if not isinstance(rule, Rhythm | Trigger | Step):
        raise TypeError(type(rule).__name__)
    kind = catalogue_entry(policy, rule.touchpoint)
    shown = (
        _words_of_rule(policy, rule),
        kind.type,
        channel or rule.channel or kind.channel,
        rule.owner or kind.owner,
        kind.purpose,
        *_words_of_type(kind),
        rule.precedence,
        rule.urgency if isinstance(rule, Rhythm) else None,
        spacing_days(policy, rule.touchpoint) if isinstance(rule, Trigger) else None,
        rule.anchor if isinstance(rule, Step) else None,
    )
    return _digest(shown)


@lru_cache(maxsize=_CACHED)
def _rule_words(policy: Policy, bit: int) -> str:
    return _digest(_words_of_rule(policy, policy.rules[bit]))


@lru_cache(maxsize=_CACHED)
def _due_words(policy: Policy, name: str, missing: tuple[bool, ...]) -> str:
    kind = catalogue_entry(policy, name)
    filled = (kind.channel, kind.owner, kind.purpose)
    used = [word for word, is_missing in zip(filled, missing, strict=True) if is_missing]
    return _digest((used, *_words_of_type(kind), spacing_days(policy, name)))


def _words_of_rule(policy: Policy, rule: Rule) -> tuple[object, ...]:
    """What a reason shows of a rule: its name, its text, and the names of the features it reads."""
    return rule.rule, rule.because, policy.read_by[rule.rule]


def _words_of_type(kind: Touchpoint) -> tuple[object, ...]:
    added = (kind.folds_into, kind.yields) if kind.folds_into or kind.yields else ()
    return kind.topic, kind.minutes, kind.audience, kind.never_skip, *added


def _digest(shown: tuple[object, ...]) -> str:
    return hashlib.blake2b(dumps(shown), digest_size=12).hexdigest()
