"""Steps: what timelines and sequences ask for, counted from a renewal, the start, going live or a program.

A step stands as soon as its date is known, until its window has passed. What has passed is never asked for.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from services.cadence.account import DAY, Facts, Plain, Stamp, day_text, when
from services.cadence.account.contract_terms import ContractTerms
from services.cadence.account.retention import WENT_LIVE
from services.cadence.evaluation.candidates import Scene, Stop, Wish, Wishes, over, own_touch, placed
from services.cadence.features.compute import next_day, renews_itself
from services.cadence.policy import Anchor, Step, Timeline

_US = timedelta(microseconds=1)


class AnchorPoint(NamedTuple):
    """`head`: what identities of its steps are made of, after the type; `words` are laid over the account's."""

    head: tuple[str, ...]
    base: int
    stamp: Stamp | None
    words: Mapping[str, Plain]
    told: Mapping[str, Plain] = {}


def make_steps(scene: Scene, wishes: Wishes) -> None:
    """Ask for the steps of every anchor the account has."""
    for name, timeline in scene.policy.timelines.items():
        for anchor in anchors_of(scene, wishes, name, timeline.end):
            if scene.view.now < anchor.base + timeline.end:
                _steps(scene, wishes, timeline, anchor, plain=name == "renewal")


def anchors_of(scene: Scene, wishes: Wishes, name: Anchor, end: int) -> Iterator[AnchorPoint]:
    """What the account has of an anchor and is not past by `end` microseconds; some when a go-live is older still."""
    match name:
        case "renewal":
            return _renewals(scene, wishes, end)
        case "start":
            return _start(scene, end)
        case "go_live":
            return _go_live(scene)
        case "program":
            return _programs(scene, end)


def _steps(scene: Scene, wishes: Wishes, timeline: Timeline, anchor: AnchorPoint, *, plain: bool) -> None:
    """`plain`: the first of a type has no ordinal in its identity."""
    bits = timeline.bits(scene.view.values, anchor.words)
    taken: dict[tuple[str, ...], str] = {}
    for bit, step, start, end in timeline.steps if bits else ():
        if not bits >> bit & 1 or scene.view.now >= anchor.base + end:
            continue
        wishes.fired |= 1 << bit
        head = (step.touchpoint, *anchor.head)
        key = head if plain and not step.ordinal else (*head, str(step.ordinal))
        base = anchor.base
        deadline = _deadline(step, anchor, base + start, base + end)
        wish = Wish(bit, step, key, base, base + start, base + end, deadline, anchor.stamp, anchor.told)
        own, known = own_touch(scene, wish)
        stop = over(known)
        if stop is not None and own in wishes.standing:
            continue
        found = stop or _same(taken, wish) or placed(scene, wish)
        if isinstance(found, Stop):
            wishes.refuse(wish, found)
        else:
            taken[key] = step.rule
            wishes.grant(found)


def _deadline(step: Step, anchor: AnchorPoint, start: int, end: int) -> int:
    """Counted from the step's beginning, or from the moment its date was told when that came later: what could not be
    known before must not be too late at once.
    """
    if step.deadline is None:
        return end
    told = start if anchor.stamp is None else max(start, when(anchor.stamp))
    return min(end, told + step.deadline // _US) if told > start else start + step.deadline // _US


def _same(taken: Mapping[tuple[str, ...], str], wish: Wish) -> Stop | None:
    rule = taken.get(wish.key)
    return None if rule is None else Stop("precedence", f"{rule} asks for the same", by=rule)


def _renewals(scene: Scene, wishes: Wishes, end: int) -> Iterator[AnchorPoint]:
    view = scene.view
    for each in view.contract_terms:
        if each.renews_on is None or each.anchor is None or not each.live:
            continue
        base = each.renews_on * DAY
        if view.now >= base + end:
            continue
        words: Mapping[str, Plain] = view.values
        if each is not view.primary:
            words = _contract_words(scene.facts, view.now, each, base)
            turn = next_day(base, view.now, scene.policy.day_counts.get("days_to_renewal", ()))
            wishes.turns += [] if turn is None else [turn]
        term = "" if each.term_start is None else day_text(each.term_start)
        yield AnchorPoint((each.contract_id, term), base, each.anchor, words)


def _contract_words(facts: Facts, now: int, each: ContractTerms, renews_on: int) -> dict[str, Plain]:
    return {
        "contract_status": each.status,
        "contract_signed": each.signed,
        "auto_renew": renews_itself(facts, each),
        "days_to_renewal": -((now - renews_on) // DAY),
    }


def _start(scene: Scene, end: int) -> Iterator[AnchorPoint]:
    """The day the first contract started; without one, the day the account was first heard of."""
    at = scene.view.bases.get("days_since_start")
    if at is not None and scene.view.now < at + end:
        first = min(
            (each for each in scene.view.contract_terms if each.first_start is not None),
            key=lambda each: (each.first_start or 0, each.contract_id),
            default=None,
        )
        stamp = None if first is None else _said_start(scene.facts, first)
        yield AnchorPoint(("start",), at // DAY * DAY, stamp, scene.view.values)


def _said_start(facts: Facts, each: ContractTerms) -> Stamp | None:
    terms = facts.contracts[each.contract_id].terms
    return next((stamp for stamp, said in terms.items() if said.get("starts_on") == each.first_start), None)


def _go_live(scene: Scene) -> Iterator[AnchorPoint]:
    for stamp in scene.facts.entries.get(WENT_LIVE, ()):
        yield AnchorPoint(("go_live",), when(stamp) // DAY * DAY, stamp, scene.view.values)


def _programs(scene: Scene, end: int) -> Iterator[AnchorPoint]:
    """Webinars, releases and the like whose audience the account belongs to."""
    values, since = scene.view.values, scene.view.now - end
    for each in scene.portfolio.programs:
        if each.at > since and (each.audience is None or each.audience(values)):
            words: dict[str, Plain] = {"program_kind": each.kind, "meaningful": each.meaningful}
            yield AnchorPoint(
                (each.id,), each.at, each.stamp or None, words, {"program": each.title, **words}
            )
