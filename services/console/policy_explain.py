"""A hand knocks with a file of events: the plan of an account with its reasons, a why, and the difference of policies."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import cast

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.plans import OneOffItem, RhythmItem
from services.cadence.account.event_file import EventFile, FactsRefused, read_event_file
from services.cadence.announcements import portfolio_of
from services.cadence.evaluation import Decision
from services.cadence.evaluation.policy_diff import Difference, Period
from services.cadence.explanation import Explainer, Explanation, NoSuchRule, NoSuchTouchpoint
from services.cadence.policy import Policy

_WIDE = 160
_SHOWN = 20


class Screen:
    """Standard output for people: as wide as the terminal, and without an edge into a pipe."""

    def __init__(self) -> None:
        console = Console(highlight=False, markup=False, emoji=False)
        self._console = (
            console
            if console.is_terminal
            else Console(highlight=False, markup=False, emoji=False, width=_WIDE)
        )

    def say(self, text: str = "") -> None:
        self._console.print(text, soft_wrap=True)

    def document(self, said: object) -> None:
        text = orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)
        self._console.file.write(f"{text.decode()}\n")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        drawn = Table(box=None, pad_edge=False, header_style="bold")
        for name in columns:
            drawn.add_column(name, justify="left" if name == columns[0] else "right")
        for row in rows:
            drawn.add_row(*(Text(str(each)) for each in row))
        self._console.print(drawn)


def explain(asked: argparse.Namespace, policy: Policy) -> int:
    """The plan of an account, or why about one rule or touchpoint."""
    heard = _read(asked.facts)
    now = _moment(asked.at, heard)
    account_state = heard.account_states.get(asked.account)
    if account_state is None:
        known = ", ".join(sorted(heard.account_states)[:5])
        raise FactsRefused(
            f"{asked.facts}: nothing is told of an account {asked.account!r}; of {known} it is"
        )
    inquiry = Explainer(
        policy, account_state, portfolio_of(heard.announcements, heard.account_states.values()), now
    )
    screen = Screen()
    try:
        why = _asked(asked, inquiry)
    except (NoSuchRule, NoSuchTouchpoint) as unknown:
        raise FactsRefused(str(unknown)) from unknown
    if asked.json:
        screen.document({"account_id": asked.account, "at": now, **_answer(inquiry.decision, why)})
    elif why is not None:
        _say_why(screen, why)
    else:
        screen.say(f"{asked.account} at {now:%Y-%m-%d %H:%M} UTC")
        _say_plan(screen, inquiry.decision)
    return 0


def _read(path: Path) -> EventFile:
    """`-` reads standard input. Raises `FactsRefused`."""
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as trouble:
        raise FactsRefused(f"{path}: cannot be read: {trouble.strerror}") from trouble
    return read_event_file(content, str(path))


def _asked(asked: argparse.Namespace, inquiry: Explainer) -> Explanation | None:
    if asked.rule:
        return inquiry.explain_rule(asked.rule)
    return inquiry.explain_touchpoint(asked.touchpoint) if asked.touchpoint else None


def _answer(decision: Decision, why: Explanation | None) -> dict[str, object]:
    if why is not None:
        return why.document()
    place = {"segment": decision.segment, "stage": decision.stage, "color": decision.color}
    return {**place, "plan": decision.plan.model_dump(mode="json"), "suppressed": decision.suppressed}


def _say_plan(screen: Screen, decision: Decision) -> None:
    screen.say(f"{decision.segment}, {decision.stage}, health {decision.color or 'unknown'}")
    screen.say("\nRhythms")
    for each in decision.plan.rhythms:
        _say_item(screen, f"{each.touchpoint_type} every {each.every_days} days", each)
    screen.say("\nTouchpoints")
    for item in decision.plan.touchpoints:
        times = f"{item.window.from_:%Y-%m-%d %H:%M} to {item.window.to:%Y-%m-%d %H:%M}"
        _say_item(screen, f"{item.touchpoint_type} {times}", item)
    for avoid in decision.plan.avoid:
        until = "further notice" if avoid.to is None else f"{avoid.to:%Y-%m-%d}"
        screen.say(f"\nAvoid from {avoid.from_:%Y-%m-%d} until {until}: {avoid.text}")
    if decision.suppressed:
        screen.say("\nStopped")
        for stop in decision.suppressed:
            screen.say(f"  {stop.rule} ({stop.touchpoint_type}): {stop.reason} [{stop.cause}]")


def _say_item(screen: Screen, what: str, item: RhythmItem | OneOffItem) -> None:
    screen.say(f"  {what}, by {item.channel}, led by {item.owner}")
    screen.say(f"    {item.reason.text} [{item.reason.rule}]")


def _say_why(screen: Screen, why: Explanation) -> None:
    screen.say(why.text)
    for each in why.clauses:
        sign = {True: "holds", False: "fails", None: "not judged"}[each.holds]
        values = ", ".join(f"{name} = {value}" for name, value in each.values.items())
        screen.say(f"  {sign:<10}  {each.text}   ({values})")
        for event in each.events:
            screen.say(
                f"              {event.type} {event.source} {event.id} {event.time:%Y-%m-%d %H:%M} UTC"
            )
    for other in why.others:
        screen.say(f"{other.rule} fires as well: {other.text}" if other.fires else other.text)


def diff(asked: argparse.Namespace, old: Policy, new: Policy) -> int:
    """What changes for which account, and by how much in sum."""
    heard = _read(asked.facts)
    found = Difference(old, new, Period(_moment(asked.at, heard), asked.days), listed=None)
    portfolio = portfolio_of(heard.announcements, heard.account_states.values())
    for account_id in sorted(heard.account_states):
        found.compare(heard.account_states[account_id], portfolio)
    screen = Screen()
    if asked.json:
        screen.document(found.document())
    else:
        _say_difference(screen, found, every=asked.all)
    return 0


def _say_difference(screen: Screen, found: Difference, *, every: bool) -> None:
    shown = found.accounts if every else found.accounts[:_SHOWN]
    for each in shown:
        screen.say(f"{each['account_id']} ({each['segment']})")
        for change in cast("list[dict[str, str]]", each["changes"]):
            screen.say(f"  {change['text']}")
    if len(found.accounts) > len(shown):
        screen.say(f"and {len(found.accounts) - len(shown)} more accounts; --all shows them")
    said = cast("dict[str, dict[str, float]]", found.document()["totals"])
    rows = [(kind, *_row(amount)) for kind, amount in said.items() if amount["before"] or amount["after"]]
    whole = cast("dict[str, float]", found.document()["all"])
    screen.say()
    columns = ("touchpoints", "old", "new", "difference", "CSM minutes old", "new", "difference")
    screen.table(columns, [*rows, ("all", *_row(whole))])
    period = found.period
    screen.say(
        f"\n{found.changed} of {found.compared} accounts change; {found.moved} of another segment or stage"
    )
    screen.say(f"counted over {period.days} days from {period.now:%Y-%m-%d %H:%M} UTC")


def _row(amount: dict[str, float]) -> tuple[str, ...]:
    return (
        f"{amount['before']:,.1f}",
        f"{amount['after']:,.1f}",
        f"{amount['difference']:+,.1f}",
        f"{amount['minutes_before']:,.0f}",
        f"{amount['minutes_after']:,.0f}",
        f"{amount['minutes_difference']:+,.0f}",
    )


def _moment(said: datetime | None, heard: EventFile) -> datetime:
    """Without a moment that of the newest event: the answer follows from the file alone."""
    at = said or heard.newest
    if at is None:
        raise FactsRefused("there is no event to tell the moment; say --at")
    return at
