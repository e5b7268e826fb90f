"""Wishes: which one-offs triggers and timelines ask for now, and which of them are granted.

1. Of one type, the earliest fact inside its window asks first, whichever rule it met.
2. What has come due or ended is never asked for again; it stands in the plan until settled or past its deadline.
3. Within the cool-down after another of its type came due, nothing is asked; a fact still in its window then may.
4. A step of a timeline stands as soon as its date is known, until its window has passed.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from services.rules_engine.domain.facts import DAY, Facts, Fields, Mark, Plain, day_text, moment, when, who
from services.rules_engine.domain.issued import Issued
from services.rules_engine.domain.plan.entries import heard
from services.rules_engine.domain.plan.shapes import Suppressed
from services.rules_engine.domain.policy import Policy, Step, Trigger
from services.rules_engine.domain.terms import Standing
from services.rules_engine.domain.vocabulary.view import View, next_day, renews_itself

_US = timedelta(microseconds=1)
_json = json.JSONEncoder(separators=(",", ":")).encode


class Wish(NamedTuple):
    """A one-off that is to be. `key`: what its identity is made of; times in microseconds."""

    bit: int
    rule: Trigger | Step
    key: tuple[str, ...]
    start: int
    end: int
    deadline: int
    mark: Mark
    words: dict[str, Plain]


class Wishes:
    """Granted ones, those of the plan that came due already, what was refused, when time alone changes any of it."""

    __slots__ = ("fired", "granted", "refused", "standing", "turns")

    def __init__(self) -> None:
        self.granted: list[Wish] = []
        self.standing: list[tuple[str, Fields]] = []
        self.refused: list[Suppressed] = []
        self.turns: list[int] = []
        self.fired = 0


def touchpoint_id(*parts: str) -> str:
    """The id that follows from a cause: blake2b-128 of the parts as JSON, written as a UUID."""
    text = hashlib.blake2b(_json(["touchpoint", *parts]).encode(), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def make_wishes(policy: Policy, facts: Facts, issued: Issued, seen: View) -> Wishes:
    """All one-offs of an account; `seen.values` carry segment, stage and colour."""
    wishes = Wishes()
    touches = issued.read(policy.one_off_types) if issued.touches else {}
    for known in touches.values():
        for key, fields in known.items():
            _stands(wishes, key, fields, seen.now)
    asked: dict[str, list[Wish]] = {}
    for event in _recent_events(policy, facts, seen):
        _ask(policy, facts, seen, event, asked)
    for kind in sorted(asked):
        _grant(wishes, facts.account_id, sorted(asked[kind], key=_order), touches.get(kind, {}), seen.now)
    for each in seen.standings:
        if each.renews_on is not None and each.anchor is not None and each.live:
            _steps(wishes, policy, facts, seen, each, touches)
    return wishes


def _order(wish: Wish) -> tuple[Mark, str]:
    return wish.mark, wish.rule.rule


def _stands(wishes: Wishes, key: str, fields: Fields, now: int) -> None:
    end = fields.get("deadline") or fields.get("window_to")
    if fields.get("reason_policy") is None or fields.get("ended") is not None or not isinstance(end, int):
        return
    if now < end:
        wishes.standing.append((key, fields))
        wishes.turns.append(end)


def _recent_events(policy: Policy, facts: Facts, seen: View) -> Iterator[str]:
    """Events with an entry inside the longest window of their triggers; those of contracts when there are any."""
    for event, entries in facts.entries.items():
        within = policy.longest_within.get(event)
        if within is not None and entries and when(next(reversed(entries))) >= seen.now - within:
            yield event
    if seen.standings and "contract.changed" in policy.triggers:
        yield "contract.changed"


def _ask(policy: Policy, facts: Facts, seen: View, event: str, asked: dict[str, list[Wish]]) -> None:
    judge, found = policy.entry_bits[event], policy.triggers[event]
    since = seen.now - policy.longest_within[event]
    for entry in heard(facts, seen, event, since):
        bits = judge(seen.values, entry.words)
        for bit, rule in found if bits else ():
            end = entry.at + rule.within // _US
            if bits >> bit & 1 and seen.now < end:
                deadline = end if rule.deadline is None else entry.at + rule.deadline // _US
                key = (rule.touchpoint, *who(entry.mark))
                wish = Wish(bit, rule, key, entry.at, end, deadline, entry.mark, entry.words)
                asked.setdefault(rule.touchpoint, []).append(wish)


def _grant(wishes: Wishes, account_id: str, asked: list[Wish], touches: dict[str, Fields], now: int) -> None:
    granted: Wish | None = None
    for wish in asked:
        wishes.fired |= 1 << wish.bit
        own = touchpoint_id(account_id, *wish.key) if touches else ""
        if own and _is_over(own, touches):
            continue
        if granted is not None:
            if granted.key != wish.key:
                _refuse(wishes, wish, f"{granted.rule.rule} asked first")
            continue
        until = _cooling(wish, own, touches)
        if until is not None and now < until:
            _refuse(wishes, wish, f"cooling down until {moment(until):%Y-%m-%d %H:%M} UTC")
            if until < wish.end:
                wishes.turns.append(until)
            continue
        granted = wish
        wishes.granted.append(wish)
        wishes.turns.append(wish.end)


def _refuse(wishes: Wishes, wish: Wish, reason: str) -> None:
    wishes.refused.append(Suppressed(wish.rule.touchpoint, wish.rule.rule, reason))


def _is_over(own: str, touches: dict[str, Fields]) -> bool:
    """It came due or ended; one that was only withdrawn may come back."""
    fields = touches.get(own)
    if fields is None:
        return False
    withdrawn = fields.get("ended") == "cancelled" and fields.get("ended_why") == "withdrawn"
    return fields.get("due_at") is not None or (fields.get("ended") is not None and not withdrawn)


def _cooling(wish: Wish, own: str, touches: dict[str, Fields]) -> int | None:
    rule = wish.rule
    if not isinstance(rule, Trigger) or rule.cooldown is None:
        return None
    met = [at for key, fields in touches.items() if key != own and (at := _met_at(fields)) is not None]
    return max(met) + rule.cooldown // _US if met else None


def _met_at(fields: Fields) -> int | None:
    at = fields.get("due_at")
    if at is None and fields.get("ended") not in {None, "cancelled"}:
        at = fields.get("ended_at")
    return at if isinstance(at, int) else None


def _steps(
    wishes: Wishes,
    policy: Policy,
    facts: Facts,
    seen: View,
    each: Standing,
    touches: dict[str, dict[str, Fields]],
) -> None:
    renews_on, anchor = (each.renews_on or 0) * DAY, each.anchor
    timeline = policy.timelines.get("renewal")
    if anchor is None or timeline is None or seen.now >= renews_on + timeline.end:
        return
    own = seen.values
    if each is not seen.primary:
        own = _contract_words(facts, seen, each, renews_on)
        counts = policy.day_counts.get("days_to_renewal", ())
        turn = next_day(renews_on, seen.now, counts)
        wishes.turns += [] if turn is None else [turn]
    bits = timeline.bits(seen.values, own)
    term = "" if each.term_start is None else day_text(each.term_start)
    for bit, step, start, end in timeline.steps:
        if not bits >> bit & 1 or seen.now >= renews_on + end:
            continue
        wishes.fired |= 1 << bit
        key = (step.touchpoint, each.contract_id, term)
        known = touches.get(step.touchpoint)
        if known and _is_over(touchpoint_id(facts.account_id, *key), known):
            continue
        deadline = end if step.deadline is None else start + step.deadline // _US
        wishes.granted.append(
            Wish(bit, step, key, renews_on + start, renews_on + end, renews_on + deadline, anchor, {})
        )
        wishes.turns.append(renews_on + end)


def _contract_words(facts: Facts, seen: View, each: Standing, renews_on: int) -> dict[str, Plain]:
    return {
        "contract_status": each.status,
        "contract_signed": each.signed,
        "auto_renew": renews_itself(facts, each),
        "days_to_renewal": -((seen.now - renews_on) // DAY),
    }
