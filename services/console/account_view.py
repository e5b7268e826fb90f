"""One account as an operator reads it: who they are, what is planned and why, what was decided, what is known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from services.console import labels
from services.console.json_fields import Json, items, moment, number, part, text
from services.console.touchpoints import Touchpoint

_HEALTH: Final = {"red": "bad", "yellow": "due", "green": "good"}
_SHOWN_EVENTS: Final = 3


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is believed, since when, and from whom it was heard."""

    name: str
    value: str
    since: str
    source: str


@dataclass(frozen=True, slots=True)
class Wish:
    """A rhythm or a one-off of the plan: when, how, why, by which rule, and the facts behind it."""

    key: str
    title: str
    when: str
    how: str
    purpose: str
    why: str
    rule: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Change:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    key: str
    when: str
    heard: str
    policy: str
    changes: tuple[Change, ...]
    set_aside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A short property beside the name: `label` for what it is, `tone` with the word, never alone."""

    label: str
    word: str
    tone: str = "quiet"


@dataclass(frozen=True, slots=True)
class Portrait:
    id: str
    name: str
    marks: tuple[Mark, ...]
    warnings: tuple[str, ...]
    decided: str
    rhythms: tuple[Wish, ...]
    one_offs: tuple[Wish, ...]
    people: tuple[str, ...]
    contracts: tuple[str, ...]
    facts: tuple[Fact, ...]


def portrait(account: Json, calendar: Sequence[Touchpoint], now: datetime) -> Portrait:
    """The account's document of the rules engine; `calendar` are its touchpoints, by due time."""
    facts, plan = part(account, "facts"), part(account, "plan")
    identity = text(account, "id")
    decided = moment(account, "decided_at")
    return Portrait(
        id=identity,
        name=text(part(facts, "name"), "value") or identity,
        marks=tuple(_marks(account, facts)),
        warnings=tuple(_warnings(account, now)),
        decided="" if decided is None else f"Decided {labels.when(decided, now)}.",
        rhythms=tuple(_rhythm(each, calendar, now) for each in items(plan, "rhythms")),
        one_offs=tuple(
            _one_off(each, calendar, now) for each in sorted(items(plan, "touchpoints"), key=_opens)
        ),
        people=tuple(_person(each) for each in items(account, "contacts") if each.get("left") is not True),
        contracts=tuple(_contract(each) for each in items(account, "contracts")),
        facts=tuple(fact(name, part(facts, name), now) for name in facts if name != "name"),
    )


def decisions(documents: Iterable[Json], now: datetime) -> list[Decision]:
    """The trail of decisions, in the order given."""
    return [_decision(each, now) for each in documents]


def fact(name: str, known: Json, now: datetime) -> Fact:
    since = moment(known, "time")
    source, identity = text(known, "source"), text(known, "id")
    return Fact(
        name=labels.title(name),
        value="none" if known.get("value") is None else labels.value(known.get("value")),
        since="" if since is None else labels.when(since, now),
        source=f"{source} · {identity}" if identity else source,
    )


def _marks(account: Json, facts: Json) -> Iterable[Mark]:
    for name in ("segment", "stage"):
        if word := text(account, name):
            yield Mark(labels.title(name), labels.title(word))
    if color := text(account, "color"):
        score = part(facts, "health_score").get("value")
        shown = color if score is None else f"{color} ({labels.value(score)})"
        yield Mark("Health", shown, _HEALTH.get(color, "quiet"))
    if csm := text(account, "csm_id"):
        yield Mark("CSM", csm)


def _warnings(account: Json, now: datetime) -> Iterable[str]:
    if undecided := text(account, "undecided"):
        yield f"No decision could be made: {undecided}. The facts are kept and it is tried again."
    for pause in items(account, "pauses"):
        until = moment(pause, "until")
        if until is not None and until <= now:
            continue
        who = f"Contact {pause['contact_id']}" if pause.get("contact_id") else "The account"
        end = "until further notice" if until is None else f"until {labels.when(until, now)}"
        yield f"{who} is left alone {end}: {text(pause, 'reason') or 'no reason given'}."


def _rhythm(wish: Json, calendar: Sequence[Touchpoint], now: datetime) -> Wish:
    kind = text(wish, "touchpoint_type")
    coming = next((each for each in calendar if each.type == kind and _comes(each, now)), None)
    interval = labels.every(number(wish, "every_days"))
    when = interval if coming is None else f"{interval} · next {labels.when(coming.due_at, now)}"
    return _wish(wish, f"rhythm:{kind}", when, now)


def _comes(each: Touchpoint, now: datetime) -> bool:
    return each.status == "planned" and each.due_at > now


def _one_off(wish: Json, calendar: Sequence[Touchpoint], now: datetime) -> Wish:
    identity = text(wish, "id")
    window = part(wish, "window")
    opens, closes, deadline = moment(window, "from"), moment(window, "to"), moment(wish, "deadline")
    standing = next((each for each in calendar if each.id == identity), None)
    parts = [] if standing is None else [_standing(standing, now)]
    if opens is not None and closes is not None and (standing is None or standing.status == "planned"):
        ends = "" if closes == deadline else f" to {labels.day(closes.date(), now.date())}"
        parts.append(f"window from {labels.day(opens.date(), now.date())}{ends}")
    if deadline is not None:
        parts.append(f"deadline {labels.when(deadline, now)}")
    return _wish(wish, identity, " · ".join(parts), now)


def _standing(each: Touchpoint, now: datetime) -> str:
    if each.status == "planned":
        return f"planned for {labels.when(each.due_at, now)}"
    if each.status in ("due", "overdue"):
        return f"{each.status} since {labels.when(each.released_at or each.due_at, now)}"
    return each.outcome or each.status


def _wish(wish: Json, key: str, when: str, now: datetime) -> Wish:
    reason = part(wish, "reason")
    behind = {text(each, "name"): fact(text(each, "name"), each, now) for each in items(reason, "facts")}
    return Wish(
        key=key,
        title=labels.title(text(wish, "touchpoint_type")),
        when=when[:1].upper() + when[1:],
        how=labels.how(text(wish, "channel"), text(wish, "owner"), text(wish, "csm_id") or None),
        purpose=text(wish, "purpose"),
        why=text(reason, "text"),
        rule=text(reason, "rule"),
        facts=tuple(behind.values()),
    )


def _opens(wish: Json) -> str:
    return text(part(wish, "window"), "from")


def _person(contact: Json) -> str:
    name = text(contact, "name") or text(contact, "contact_id")
    role = text(contact, "role")
    parts = [f"{name}, {role.replace('_', ' ')}" if role else name, text(contact, "email")]
    return " · ".join(part for part in parts if part)


def _contract(contract: Json) -> str:
    parts = [text(contract, "contract_id"), text(contract, "status")]
    if renews := text(contract, "renews_on"):
        parts.append(f"renews on {renews}")
    if contract.get("arr") is not None:
        parts.append(f"{labels.value(contract['arr'])} a year")
    return " · ".join(part for part in parts if part)


def _decision(document: Json, now: datetime) -> Decision:
    decided = moment(document, "decided_at")
    return Decision(
        key=text(document, "id"),
        when="" if decided is None else labels.when(decided, now),
        heard=_heard(items(document, "events")),
        policy=text(document, "policy")[:12],
        changes=tuple(Change(text(each, "kind"), text(each, "text")) for each in items(document, "changes")),
        set_aside=tuple(_set_aside(each) for each in items(document, "suppressed")),
    )


def _heard(events: Sequence[Json]) -> str:
    kinds = list(dict.fromkeys(text(each, "type") for each in reversed(events)))
    if not kinds:
        return "Time passed, or the policy changed"
    shown = [labels.title(kind.replace(".", "_")) for kind in kinds[:_SHOWN_EVENTS]]
    more = len(kinds) - len(shown)
    return "Heard: " + labels.listing([*shown, f"{more} more"] if more > 0 else shown)


def _set_aside(suppressed: Json) -> str:
    kind, rule = labels.title(text(suppressed, "touchpoint_type")), text(suppressed, "rule")
    return f"{kind} (rule {rule}): {text(suppressed, 'reason')}"


def accounts(documents: Iterable[Json]) -> list[tuple[str, str, tuple[Mark, ...]]]:
    """Accounts of a listing as (id, name, marks)."""
    return [
        (text(each, "id"), text(each, "name") or text(each, "id"), tuple(_marks(each, cast("Json", {}))))
        for each in documents
        if text(each, "id")
    ]
