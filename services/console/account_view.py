"""One account as its page shows it: who they are, what is planned and why, what was decided, what is known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console import labels, rule_view
from services.console.json_fields import Json, instant, items, nested, text
from services.console.touchpoints import Touchpoint

_HEALTH_TONES: Final = {"red": "bad", "yellow": "due", "green": "good"}
_SHOWN_EVENT_TYPES: Final = 3


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact with its value, the time it is valid from, and its source."""

    name: str
    value: str
    since: str
    source: str


@dataclass(frozen=True, slots=True)
class PlanItem:
    """A rhythm or a one-off of the plan. `facts`: those its reason rests on."""

    key: str
    title: str
    timing: str
    contact: str
    purpose: str
    why: str
    rule: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class DecisionEntry:
    """A decision. `changes`: (kind, text); `not_applied`: rules that would have applied, with what stopped them."""

    key: str
    decided: str
    triggered_by: str
    policy: str
    changes: tuple[tuple[str, str], ...]
    not_applied: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Property:
    """A short property beside the account's name, such as its segment."""

    label: str
    value: str
    tone: str = "quiet"


@dataclass(frozen=True, slots=True)
class AccountView:
    id: str
    name: str
    properties: tuple[Property, ...]
    warnings: tuple[str, ...]
    decided: str
    rhythms: tuple[PlanItem, ...]
    one_offs: tuple[PlanItem, ...]
    people: tuple[str, ...]
    contracts: tuple[str, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A row of the list of accounts."""

    id: str
    name: str
    properties: tuple[Property, ...]


def account_view(
    account: Json, calendar: Sequence[Touchpoint], now: datetime, names: Mapping[str, str] | None = None
) -> AccountView:
    """`account` is the document of the rules engine, `calendar` the account's touchpoints by due time.

    `names`: of people of ours, by id.
    """
    names = names or {}
    facts, plan = nested(account, "facts"), nested(account, "plan")
    decided_at = instant(account, "decided_at")
    one_offs = sorted(items(plan, "touchpoints"), key=lambda item: text(nested(item, "window"), "from"))
    return AccountView(
        id=text(account, "id"),
        name=text(nested(facts, "name"), "value") or text(account, "id"),
        properties=tuple(_properties(account, facts, names)),
        warnings=tuple(_warnings(account, now)),
        decided="" if decided_at is None else f"Decided {labels.when(decided_at, now)}.",
        rhythms=tuple(_rhythm(item, calendar, now, names) for item in items(plan, "rhythms")),
        one_offs=tuple(_one_off(item, calendar, now, names) for item in one_offs),
        people=tuple(
            _person(contact) for contact in items(account, "contacts") if contact.get("left") is not True
        ),
        contracts=tuple(map(_contract, items(account, "contracts"))),
        facts=tuple(_fact(name, nested(facts, name), now) for name in facts if name != "name"),
    )


def account_rows(documents: Iterable[Json]) -> list[AccountRow]:
    """The rows of a listing of accounts."""
    return [
        AccountRow(
            text(account, "id"),
            text(account, "name") or text(account, "id"),
            tuple(_properties(account, {}, {})),
        )
        for account in documents
        if text(account, "id")
    ]


def decision_entries(documents: Iterable[Json], now: datetime) -> list[DecisionEntry]:
    """The decisions about an account, in the given order."""
    return [
        DecisionEntry(
            key=text(decision, "id"),
            decided=labels.capitalized(labels.when(instant(decision, "decided_at"), now)),
            triggered_by=_triggered_by(items(decision, "events")),
            policy=text(decision, "policy")[:12],
            changes=tuple(
                (text(change, "kind"), text(change, "text")) for change in items(decision, "changes")
            ),
            not_applied=tuple(map(_not_applied, items(decision, "suppressed"))),
        )
        for decision in documents
    ]


def _fact(name: str, fact: Json, now: datetime) -> Fact:
    return Fact(
        name=labels.title(name),
        value="none" if fact.get("value") is None else labels.value(fact.get("value")),
        since=labels.capitalized(labels.when(instant(fact, "time"), now)),
        source=labels.joined(text(fact, "source"), text(fact, "id")),
    )


def _properties(account: Json, facts: Json, names: Mapping[str, str]) -> Iterable[Property]:
    for name in ("segment", "stage"):
        if word := text(account, name):
            yield Property(labels.title(name), labels.title(word))
    if color := text(account, "color"):
        score = nested(facts, "health_score").get("value")
        health = color if score is None else f"{color} ({labels.value(score)})"
        yield Property("Health", health, _HEALTH_TONES.get(color, "quiet"))
    if csm := text(account, "csm_id"):
        yield Property("CSM", names.get(csm, csm))


def _warnings(account: Json, now: datetime) -> Iterable[str]:
    if undecided := text(account, "undecided"):
        yield f"The last evaluation failed: {undecided}. The facts are kept, and the evaluation is retried."
    for doubt in items(account, "doubts"):
        yield f"{text(doubt, 'text')}; {text(doubt, 'remedy')}."
    for pause in items(account, "pauses"):
        until = instant(pause, "until")
        if until is not None and until <= now:
            continue
        contact_id = text(pause, "contact_id")
        who = _contact_name(account, contact_id) if contact_id else "this account"
        end = "until further notice" if until is None else f"until {labels.when(until, now)}"
        reason = text(pause, "reason")
        yield f"Outreach to {who} is paused {end}{f': {reason}' if reason else ''}."


def _contact_name(account: Json, contact_id: str) -> str:
    """The name, or `contact <id>`."""
    named = (text(one, "name") for one in items(account, "contacts") if one.get("contact_id") == contact_id)
    return next(filter(None, named), f"contact {contact_id}")


def _rhythm(item: Json, calendar: Sequence[Touchpoint], now: datetime, names: Mapping[str, str]) -> PlanItem:
    kind = text(item, "touchpoint_type")
    coming = (
        touchpoint.due_at
        for touchpoint in calendar
        if touchpoint.type == kind and touchpoint.status == "planned" and touchpoint.due_at > now
    )
    due_at = next(coming, None)
    upcoming = "" if due_at is None else f"next {labels.when(due_at, now)}"
    timing = labels.joined(rule_view.interval(item), upcoming)
    return _plan_item(item, f"rhythm:{kind}", timing, now, names)


def _one_off(item: Json, calendar: Sequence[Touchpoint], now: datetime, names: Mapping[str, str]) -> PlanItem:
    window = nested(item, "window")
    opens, closes, deadline = instant(window, "from"), instant(window, "to"), instant(item, "deadline")
    placed = next((touchpoint for touchpoint in calendar if touchpoint.id == text(item, "id")), None)
    window_text = ""
    if opens is not None and closes is not None and (placed is None or placed.status == "planned"):
        end = "" if closes == deadline else f" to {_day(closes, now)}"
        window_text = f"window from {_day(opens, now)}{end}"
    timing = labels.joined(
        "" if placed is None else _placement(placed, now),
        window_text,
        "" if deadline is None else f"deadline {labels.when(deadline, now)}",
    )
    return _plan_item(item, text(item, "id"), timing, now, names)


def _day(moment: datetime, now: datetime) -> str:
    """The day in the zone of `now`."""
    return labels.day(moment.astimezone(now.tzinfo).date(), now.date())


def _placement(touchpoint: Touchpoint, now: datetime) -> str:
    match touchpoint.status:
        case "planned":
            return f"planned for {labels.when(touchpoint.due_at, now)}"
        case "due" | "overdue":
            since = touchpoint.released_at or touchpoint.due_at
            return f"{touchpoint.status} since {labels.when(since, now)}"
        case status:
            return touchpoint.outcome or status


def _plan_item(item: Json, key: str, timing: str, now: datetime, names: Mapping[str, str]) -> PlanItem:
    reason = nested(item, "reason")
    facts = {text(fact, "name"): _fact(text(fact, "name"), fact, now) for fact in items(reason, "facts")}
    person = text(item, "csm_id")
    owner = labels.owner(text(item, "owner"), names.get(person, person) or None)
    return PlanItem(
        key=key,
        title=labels.title(text(item, "touchpoint_type")),
        timing=labels.capitalized(timing),
        contact=labels.channel_and_owner(text(item, "channel"), owner),
        purpose=text(item, "purpose"),
        why=labels.with_dates(text(reason, "text")),
        rule=text(reason, "rule"),
        facts=tuple(facts.values()),
    )


def _person(contact: Json) -> str:
    name, role = text(contact, "name") or text(contact, "contact_id"), text(contact, "role")
    return labels.joined(f"{name}, {role.replace('_', ' ')}" if role else name, text(contact, "email"))


def _contract(contract: Json) -> str:
    renews_on, arr = text(contract, "renews_on"), contract.get("arr")
    return labels.joined(
        text(contract, "contract_id"),
        text(contract, "status"),
        f"renews on {renews_on}" if renews_on else "",
        f"{labels.value(arr)} per year" if arr is not None else "",
    )


def _triggered_by(events: Sequence[Json]) -> str:
    types = list(dict.fromkeys(text(event, "type") for event in reversed(events)))
    if not types:
        return "Triggered by time or by a policy change"
    names = [labels.title(kind.replace(".", "_")) for kind in types[:_SHOWN_EVENT_TYPES]]
    more = len(types) - len(names)
    return "Triggered by: " + labels.listing([*names, f"{more} more"] if more > 0 else names)


def _not_applied(suppressed: Json) -> str:
    kind, rule = labels.title(text(suppressed, "touchpoint_type")), text(suppressed, "rule")
    return f"{kind} (rule {rule}): {text(suppressed, 'reason')}"
