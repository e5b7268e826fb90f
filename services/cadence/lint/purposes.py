"""Touchpoints nobody could hold well: without a purpose or an outcome of their own, led by the wrong hands, or unused."""

import re
from collections.abc import Iterator

from services.cadence.features.registry import ROLES
from services.cadence.lint.accounts import Accounts
from services.cadence.lint.findings import Finding
from services.cadence.policy import Policy, Rhythm, Step, Touchpoint, Trigger

_WORDS = re.compile(r"\w+")
_FEWEST = 3
"""Words that a purpose or an outcome needs to say anything."""
_ARTICLES = frozenset({"a", "an", "the"})
_PERSONS = frozenset({"csm", "pooled_csm", "sales"})
_SPOKEN = frozenset({"call", "meeting"})


def purposes(accounts: Accounts) -> Iterator[Finding]:
    policy = accounts.policy
    told: dict[str, str] = {}
    for kind in policy.content.touchpoints:
        for message in (*_said(kind), *_held(kind), *_again(told, kind)):
            yield Finding("purpose", kind.place, kind.type, message)
    yield from _led(policy)
    yield from _unused(policy)


def _said(kind: Touchpoint) -> Iterator[str]:
    for what, text in (("purpose", kind.purpose), ("outcome", kind.expects)):
        if len(_WORDS.findall(text)) < _FEWEST:
            yield f"{text!r} is hardly a {what}; say in a few words what it is held for".replace(
                "a outcome", "an outcome"
            )
        elif _plain(text) == _plain(kind.type):
            yield f"its {what} only repeats its name; say what it is held for"
    if _plain(kind.purpose) == _plain(kind.expects):
        yield "its outcome repeats its purpose; say what is different afterwards"


def _again(told: dict[str, str], kind: Touchpoint) -> Iterator[str]:
    first = told.setdefault(_plain(kind.purpose), kind.type)
    if first != kind.type:
        yield f"its purpose is word for word that of {first}; say what is its own, or make them one"


def _plain(text: str) -> str:
    found = _WORDS.findall(text.replace("_", " ").casefold())
    return " ".join(each for each in found if each not in _ARTICLES)


def _held(kind: Touchpoint) -> Iterator[str]:
    if kind.topic is not None and kind.owner in _PERSONS and not kind.minutes:
        yield f"{kind.owner} leads it and it takes 0 minutes; say how much of their time it takes"
    if kind.owner == "automation" and kind.channel in _SPOKEN:
        yield f"automation cannot hold a {kind.channel}; give it an owner who can, or another channel"
    nobody = [role for role in kind.audience if role not in ROLES]
    if kind.audience and len(nobody) == len(kind.audience):
        yield f"no contact has the role {' or '.join(nobody)}, so it is for nobody; name roles that exist"


def _led(policy: Policy) -> Iterator[Finding]:
    """Rules that give a touchpoint to somebody who cannot hold it."""
    for rule in policy.rules:
        if not isinstance(rule, Rhythm | Trigger | Step):
            continue
        kind = policy.catalogue[rule.touchpoint]
        owner, channel = rule.owner or kind.owner, rule.channel or kind.channel
        ends = policy.content.damping.at_the_end
        if owner != "automation":
            continue
        if channel in _SPOKEN and (rule.owner or rule.channel):
            told = f"automation cannot hold a {channel}; give it an owner who can, or `channel: email`"
            yield Finding("purpose", rule.place, rule.rule, told)
        elif isinstance(rule, Rhythm) and rule.within is not None and ends in _SPOKEN and _fed(policy, rule):
            told = f"feedback may move it to a {ends} (`at_the_end`), which automation cannot hold; name another channel"
            yield Finding("purpose", rule.place, rule.rule, told)


def _fed(policy: Policy, rule: Rhythm) -> bool:
    return any(each.steps > 0 and rule.touchpoint in each.touchpoints for each in policy.content.feedback)


def _unused(policy: Policy) -> Iterator[Finding]:
    used = {each.touchpoint for each in policy.rules if isinstance(each, Rhythm | Trigger | Step)}
    for kind in policy.content.touchpoints:
        if kind.type not in used:
            told = "no rhythm, trigger, timeline or sequence asks for it; give it a rule, or take it out"
            yield Finding("unused", kind.place, kind.type, told)
