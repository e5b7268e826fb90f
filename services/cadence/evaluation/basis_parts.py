"""Parts of a basis: what events of some types may change of what an evaluation reads, other than features and entries."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import cast

import orjson

from services.cadence.account import Fields, Plain, Stamp
from services.cadence.account.issued import TYPES, Issued
from services.cadence.account.place import zones_of
from services.cadence.evaluation.avoid import pause_of
from services.cadence.expressions.weaken import compile_weakened
from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.features.responses import went_live
from services.cadence.features.view import AccountView
from services.cadence.policy import Policy, condition_of

PEOPLE = frozenset({"contact.described", "contact.left"})
TOUCHES = frozenset({"interaction.logged", "touchpoint.settled"})
PAUSES = frozenset({"outreach.paused", "outreach.resumed"})


@lru_cache(maxsize=256)
def may_hold(policy: Policy, event: str) -> Callable[[Mapping[str, Plain]], bool]:
    """Whether a rule about the event may answer an entry with these values."""
    rules = [rule for _, rule in (*policy.triggers.get(event, ()), *policy.feedback.get(event, ()))]
    own = frozenset(EVENT_FEATURES[event])
    return compile_weakened(policy.content.health, map(condition_of, rules), own)


def _contracts(policy: Policy, view: AccountView, _issued: Issued) -> object:
    return [
        (key, list(_statements(policy, contract.statements)))
        for key, contract in sorted(view.facts.contracts.items())
    ]


def _statements(policy: Policy, statements: Mapping[str, list[Stamp]]) -> Iterator[tuple[Stamp, ...]]:
    """What was stated, first and last. Where it is all that was ever stated, when it was told last is read of nobody.

    But for its event, which names the answers to it: so no rule may answer it, and it states no signature.
    """
    for content, span in statements.items():
        fields = cast("Fields", orjson.loads(content))
        is_signed = fields.get("signed_at") is not None or fields.get("status") == "signed"
        stated_once = len(statements) == 1 and not is_signed and not _may_answer_contract(policy, fields)
        yield (content, span[0], *span[2:]) if stated_once else (content, *span)


def _may_answer_contract(policy: Policy, fields: Fields) -> bool:
    values: Fields = {
        "contract_status": fields.get("status"),
        "first_signature": False,
        "renewal_signature": False,
        "arr_change": None,
    }
    return may_hold(policy, "contract.changed")(values)


def _touched(_policy: Policy, view: AccountView, _issued: Issued) -> object:
    return {kind: at for kind, (at, _) in view.last_touch.items()}


def _preferred(_policy: Policy, view: AccountView, _issued: Issued) -> object:
    channels = {topic: channel for topic, (channel, _) in view.preferred_channels.items()}
    return dict(view.preferred_days), channels


def _clocks(policy: Policy, view: AccountView, _issued: Issued) -> object:
    """By which the days of blackouts begin and end."""
    return zones_of(view.facts) if policy.blackouts else None


def _paused(_policy: Policy, view: AccountView, _issued: Issued) -> object:
    return pause_of(view.facts, view.now)


def _went_live(policy: Policy, view: AccountView, _issued: Issued) -> object:
    reached = went_live(view) if "go_live" in policy.timelines else None
    return None if reached is None else (reached.at, reached.stamp)


def _times(policy: Policy, _view: AccountView, issued: Issued) -> object:
    """When touchpoints came due, of the types that cool-downs, caps and limits count, and of the types of one-offs."""
    kinds = _counted_types(policy)
    if issued.one_offs:
        kinds |= issued.one_offs_by_type().keys()
    return {kind: [*times.items()] for kind, times in issued.times.items() if kind in kinds and times}


@lru_cache(maxsize=8)
def _counted_types(policy: Policy) -> frozenset[str]:
    triggers = [rule for rules in policy.triggers.values() for _, rule in rules]
    own = {rule.touchpoint for rule in triggers if rule.cooldown is not None or rule.cap is not None}
    return frozenset(own.union(*(limit.touchpoints for limit in policy.limits)))


def _seats(_policy: Policy, view: AccountView, _issued: Issued) -> object:
    """The seats that a report without seats is compared with."""
    levels = {name: source["m"].get("seats") for name, source in view.facts.usage.sources.items()}
    return view.values["seats"], {name: level and level["v"] for name, level in levels.items()}


PARTS: tuple[tuple[frozenset[str], Callable[[Policy, AccountView, Issued], object]], ...] = (
    (frozenset({"account.described"}), _clocks),
    (frozenset({"contract.changed"}), _contracts),
    (TOUCHES, _touched),
    (PEOPLE | {"preference.changed"}, _preferred),
    (PAUSES, _paused),
    (frozenset({"milestone.reached"}), _went_live),
    (TYPES, _times),
    (frozenset({"usage.reported"}), _seats),
)
"""Event types, and what else they may change of what an evaluation reads."""
