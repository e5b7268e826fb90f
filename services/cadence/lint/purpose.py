"""Touchpoint types without a purpose or an outcome of their own, with an unsuitable owner, or that no rule uses."""

import re
from collections.abc import Iterator

from schemas.vocabulary import SPOKEN
from services.cadence.features.feature import ROLES
from services.cadence.lint.accounts import PossibleAccounts
from services.cadence.lint.findings import Finding, finding
from services.cadence.lint.precedence import leader
from services.cadence.policy import PERSONS, Policy, Rhythm, Step, Touchpoint, Trigger

_WORD = re.compile(r"\w+")
_FEWEST_WORDS = 3
"""Of a purpose or an outcome, so that it says something."""
_ARTICLES = frozenset({"a", "an", "the"})


def purposes(accounts: PossibleAccounts) -> Iterator[Finding]:
    policy = accounts.policy
    by_purpose: dict[str, str] = {}
    for kind in policy.content.touchpoints:
        for message in (*_texts(kind, by_purpose), *_owner(kind)):
            yield Finding("purpose", kind.place, kind.type, message)
    yield from _owners_of_rules(policy)
    used = {rule.touchpoint for rule in policy.rules if isinstance(rule, Rhythm | Trigger | Step)}
    repeated = {rule.touchpoint for rule in policy.rules if isinstance(rule, Rhythm)}
    for kind in policy.content.touchpoints:
        if kind.misfire == "fire_latest" and kind.type in used - repeated:
            message = "no rhythm repeats it, so there is no newest of several; remove `misfire: fire_latest`"
            yield Finding("contradiction", kind.place, kind.type, message)
        if kind.type not in used:
            message = "no rhythm, trigger, timeline or sequence uses it; give it a rule, or remove it"
            yield Finding("unused", kind.place, kind.type, message)


def _texts(kind: Touchpoint, by_purpose: dict[str, str]) -> Iterator[str]:
    for what, text in (("purpose", kind.purpose), ("outcome", kind.expects)):
        if len(_WORD.findall(text)) < _FEWEST_WORDS:
            yield f"its {what}, {text!r}, is too short; describe it in a few words"
        elif _normal(text) == _normal(kind.type):
            yield f"its {what} only repeats its name; describe what it is for"
    if _normal(kind.purpose) == _normal(kind.expects):
        yield "its outcome repeats its purpose; describe what is different afterwards"
    first = by_purpose.setdefault(_normal(kind.purpose), kind.type)
    if first != kind.type:
        yield f"its purpose is the same as that of {first}; describe what is its own, or merge them"


def _normal(text: str) -> str:
    words = _WORD.findall(text.replace("_", " ").casefold())
    return " ".join(word for word in words if word not in _ARTICLES)


def _owner(kind: Touchpoint) -> Iterator[str]:
    if kind.topic is not None and kind.owner in PERSONS and not kind.minutes:
        yield f"its owner is {kind.owner} and it takes 0 minutes; set how many minutes it takes"
    if kind.owner == "automation" and kind.channel in SPOKEN:
        yield f"automation cannot hold a {kind.channel}; choose an owner who can, or another channel"
    unknown = [role for role in kind.audience if role not in ROLES]
    if kind.audience and len(unknown) == len(kind.audience):
        yield f"no contact has the role {' or '.join(unknown)}, so it reaches nobody; name roles that exist"


def _owners_of_rules(policy: Policy) -> Iterator[Finding]:
    """Rules that give a touchpoint to an owner who cannot hold it."""
    end_channel = policy.content.damping.at_the_end
    rarer = {kind for rule in policy.content.feedback if rule.steps > 0 for kind in rule.touchpoints}
    for rule in policy.rules:
        if not isinstance(rule, Rhythm | Trigger | Step):
            continue
        owner, channel = leader(policy, rule)
        if owner != "automation":
            continue
        if channel in SPOKEN and (rule.owner or rule.channel):
            message = f"automation cannot hold a {channel}; choose an owner who can, or `channel: email`"
            yield finding("purpose", rule, message)
        elif isinstance(rule, Rhythm) and rule.within and end_channel in SPOKEN and rule.touchpoint in rarer:
            message = f"feedback may move it to a {end_channel} (`at_the_end`), which automation cannot hold"
            yield finding("purpose", rule, f"{message}; name another channel")
